"""What the images of a collection show, as their network took them: classes of ImageNet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in
from lookalike.collection.snapshot import Snapshot
from lookalike.embed import base_name
from lookalike.embed.sides.classes import N_CLASSES, decode
from lookalike.types import Ids

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

    def rows_of(self, images: Ids) -> npt.NDArray[np.intp]:
        """Return the rows of some images; those that have none are passed over."""
        at = np.searchsorted(self.ids, images)
        return at[are_in(images, self.ids)]


def shown_by(snapshot: Snapshot, model: str) -> Shown | None:
    """Return what a model says that the images show; else another of the collection; None if none does.

    Parameters
    ----------
    snapshot : Snapshot
    model : str
        Which is asked first; of a reduced one, its base.
    """
    tables = snapshot.store.vector_tables()
    for name in dict.fromkeys([base_name(model) or model, *tables]):
        ids, _ = snapshot.side(name, "classes")
        if len(ids):
            return snapshot.keep(("shown", name), partial(_read, snapshot, name))
    return None


def _read(snapshot: Snapshot, model: str) -> Shown:
    ids, rows = snapshot.side(model, "classes")
    is_there = are_in(ids, snapshot.files.images)
    return Shown(model, ids[is_there], *decode(rows[is_there]))
