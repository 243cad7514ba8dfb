"""What the images of a collection show, as their network took them: classes of ImageNet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, small_codes
from lookalike.collection.columns import are_in
from lookalike.collection.snapshot import Snapshot
from lookalike.embed import base_name
from lookalike.embed.sides.classes import N_CLASSES, decode
from lookalike.results.tags import Tag
from lookalike.types import Ids
from lookalike.vocabulary import class_name, name_for

LEAST_OF_IMAGE = 0.1
"""How probable a class must be to be a tag of an image."""
LEAST_OF_MANY = 0.1
"""And of a cluster, on average."""
SURE = 0.5
"""How probable it must be to be counted as what the image shows."""
MOST_TAGS = 3

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What images show.

    Attributes
    ----------
    model : str
        Whose network says so.
    ids : (n,) int64
        The images, rising: those that lie anywhere, and were embedded since this is kept.
    classes : (n, 20) uint16
        The likeliest classes of each, the likeliest first.
    probabilities : (n, 20) float32
    """

    model: str
    ids: Ids
    classes: npt.NDArray[np.uint16]
    probabilities: Probabilities

    def probability_of(self, classes: Iterable[int]) -> Probabilities:
        """Return how probable it is that each image shows one of some classes, 0 to 1: (n,) float32."""
        is_meant = np.zeros(N_CLASSES, np.float32)
        is_meant[list(classes)] = 1
        sums = np.einsum("ij,ij->i", self.probabilities, is_meant[self.classes])
        return np.asarray(np.minimum(sums, 1), np.float32)

    def tags_of(self, image: int) -> tuple[Tag, ...]:
        """Return what an image shows, the likeliest first; none where nothing is likely."""
        rows = self.rows_of(np.array([image], np.int64))
        pairs = zip(
            self.classes[rows].ravel().tolist(), self.probabilities[rows].ravel().tolist(), strict=True
        )
        likely = [(number, p) for number, p in pairs if p >= LEAST_OF_IMAGE]
        return tuple(Tag(class_name(number), p) for number, p in likely[:MOST_TAGS])

    def tags_of_many(self, images: Ids) -> tuple[Tag, ...]:
        """Return what images show together: the word for most of them, else the likeliest classes."""
        rows = self.rows_of(images)
        if not len(rows):
            return ()
        mean = np.bincount(self.classes[rows].ravel(), self.probabilities[rows].ravel(), N_CLASSES) / len(
            rows
        )
        most = name_for(mean)
        likely = np.argsort(-mean, kind="stable")[:MOST_TAGS].tolist()
        classes = [Tag(class_name(each), float(mean[each])) for each in likely if mean[each] >= LEAST_OF_MANY]
        named = [] if most is None else [Tag(*most)]
        return tuple({tag.name: tag for tag in (*named, *classes)}.values())[:MOST_TAGS]

    def counted(self) -> dict[str, int]:
        """Return how many images most probably show what, the most frequent first."""
        is_sure = self.probabilities[:, 0] >= SURE
        counts = np.bincount(self.classes[is_sure, 0], minlength=N_CLASSES)
        found: dict[str, int] = {}
        for number in np.argsort(-counts, kind="stable").tolist():
            if counts[number]:
                name = class_name(number)
                found[name] = found.get(name, 0) + int(counts[number])
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rows_of(self, images: Ids) -> npt.NDArray[np.intp]:
        """Return the rows of some images; those that have none are passed over."""
        at = np.searchsorted(self.ids, images)
        return at[are_in(images, self.ids)]


def shown_by(snapshot: Snapshot, model: str, *, or_others: bool = True) -> Shown | None:
    """Return what a model says that the images show; else another of the collection; None if none does.

    Parameters
    ----------
    snapshot : Snapshot
    model : str
        Which is asked first; of a reduced one, its base.
    or_others : bool
        Whether the others of the collection are asked then.
    """
    tables = snapshot.store.vector_tables()
    for name in dict.fromkeys([base_name(model) or model, *(tables if or_others else ())]):
        ids, _ = snapshot.side(name, "classes")
        if len(ids):
            return snapshot.keep(("shown", name), partial(_read, snapshot, name))
    return None


def code_shown(snapshot: Snapshot) -> Coded:
    """Return what each image most probably shows, a row an image as ``snapshot.images`` has them."""
    codes = np.full(len(snapshot.images), -1, np.int32)
    shown = shown_by(snapshot, snapshot.manifest.model)
    if shown is None:
        return Coded((), codes)
    is_sure = shown.probabilities[:, 0] >= SURE
    names = [class_name(number) for number in shown.classes[is_sure, 0].tolist()]
    values = tuple(dict.fromkeys(names))
    code_of = {name: code for code, name in enumerate(values)}
    codes[snapshot.images.rows_of(shown.ids[is_sure])] = [code_of[name] for name in names]
    return Coded(values, small_codes(codes, len(values)))


def _read(snapshot: Snapshot, model: str) -> Shown:
    ids, rows = snapshot.side(model, "classes")
    is_there = are_in(ids, snapshot.files.images)
    return Shown(model, ids[is_there], *decode(rows[is_there]))
