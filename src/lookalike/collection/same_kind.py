"""Searches for images of the same kind: each image is drawn to its nearest, and so is what is asked.

Which are the nearest is found once, and kept; see `lookalike.index.smoothing`. It is derived, and safe to
delete.

Layout
------
    indexes/<model>-same-kind/<state>/   index.json, ids.npy, neighbors.npy, cosines.npy, lengths.npy, and
                                         origin.json, as of an index: see `searchers`
    indexes/<model>-same-kind.lock       held by who makes one

Where images have come or gone since, at most a tenth, what is there is mended; else all is found anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import Embedded, vector_table
from lookalike.collection.resources import Resources
from lookalike.collection.searchers import SAME_KIND, Origin, count_rewritten, lock_index, put_index
from lookalike.embed import Model, unit_rows
from lookalike.errors import IndexFileError, InvalidInputError, ResourceError
from lookalike.index.contract import (
    DEFAULT_RECALL,
    MOST_CHANGED,
    Searcher,
    as_ids,
    check_filled,
    check_k,
    check_queries,
    check_radius,
)
from lookalike.index.folder import read, write
from lookalike.index.smoothing import N_NEAREST, Smoothing, expanded
from lookalike.store import Table
from lookalike.system.progress import Watch
from lookalike.types import Ids, Neighborhoods, Neighbors, Vectors

_FORMAT = 1
_ARRAYS = ("ids", "neighbors", "cosines", "lengths")

Cosines = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class KeptSmoothing:
    """How the images of a model are smoothed, as it lies on the disk.

    Attributes
    ----------
    ids : (n,) int64
        Rising.
    smoothing : Smoothing
        Of their vectors, in this order.
    """

    ids: Ids
    smoothing: Smoothing

    def save(self, folder: Path) -> None:
        """Write it to a folder; see `lookalike.index.folder.write`."""
        facts = {"kind": SAME_KIND, "format": _FORMAT, "metric": "cosine"}
        made = self.smoothing
        write(
            folder,
            facts,
            dict(zip(_ARRAYS, (self.ids, made.neighbors, made.cosines, made.lengths), strict=True)),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open what `save` has written.

        Raises
        ------
        IndexFileError
            If it is not there, or damaged.
        """
        _, arrays = read(folder, SAME_KIND, _FORMAT, _ARRAYS)
        ids, neighbors, cosines, lengths = (np.asarray(arrays[name]) for name in _ARRAYS)
        n = len(ids)
        is_whole = neighbors.shape == cosines.shape and len(neighbors) == len(lengths) == n
        if not is_whole or (neighbors.size and not 0 <= neighbors.min() <= neighbors.max() < n):
            raise IndexFileError(f"the index in {folder} is damaged: its files do not fit together")
        return cls(ids, Smoothing(neighbors, cosines, lengths))


class SameKind(Searcher):
    """Finds what is of the same kind as a question, among the images of a model.

    Parameters
    ----------
    embedded : Embedded
    smoothing : Smoothing
        Of these images.
    own : collection of int
        Images that the question is made of: it is not drawn to them.
    """

    kind: ClassVar[str] = "exact"
    metric = "cosine"

    def __init__(self, embedded: Embedded, smoothing: Smoothing, own: Collection[int] = ()) -> None:
        self._embedded = embedded
        self._smoothing = smoothing
        self._own = np.searchsorted(embedded.ids, np.intersect1d(embedded.ids, np.array(list(own), np.int64)))

    def __len__(self) -> int:
        return len(self._embedded)

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        return self._embedded.ids

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find what is most of each question's kind; see `Searcher.search`. The recall is always 1."""
        k = check_k(k, len(self))
        found, distances = [], []
        chosen = np.arange(len(self))
        if allowed is not None:
            chosen = np.flatnonzero(np.isin(self.ids, as_ids(allowed, "allowed")))
        for scores in self._ask(queries):
            order = chosen[np.argsort(-scores[chosen], kind="stable")[:k]]
            n_missing = k - len(order)
            found.append(np.pad(self.ids[order], (0, n_missing), constant_values=-1))
            distances.append(np.pad(1 - scores[order], (0, n_missing), constant_values=np.inf))
        return Neighbors(np.array(found), np.array(distances, np.float32))

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all that is at most `r` away from each question; see `Searcher.radius`."""
        r = check_radius(r)
        hits = []
        for scores in self._ask(queries):
            order = np.argsort(-scores, kind="stable")
            order = order[1 - scores[order] <= np.float32(r)]
            hits.append((self.ids[order], 1 - scores[order]))
        return Neighborhoods.join(hits)

    def _ask(self, queries: npt.ArrayLike) -> Iterator[Cosines]:
        """Give the cosines of all images, smoothed, to each question, drawn to its nearest: (n,)."""
        check_filled(len(self))
        for question in unit_rows(check_queries(queries, "cosine", self._embedded.dimension)):
            _, nearest = self._scan(question)
            plain, _ = self._scan(expanded(question, nearest))
            yield np.clip(self._smoothing.smoothed(plain), -1, 1)

    def _scan(self, question: Vectors) -> tuple[Cosines, Vectors]:
        """Return the cosines of all images to a question, (n,), and the rows nearest to it, (k, d)."""
        plain = np.empty(len(self), np.float32)
        nearest = np.empty((0, self._embedded.dimension), np.float32)
        for rows, vectors in self._embedded.blocks():
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
            lengths[lengths == 0] = 1
            cosines = vectors @ question / lengths
            plain[rows] = cosines
            cosines[np.isin(rows, self._own)] = -np.inf
            n_others = int((cosines > -np.inf).sum())
            some = np.argsort(-cosines, kind="stable")[: min(N_NEAREST, n_others)]
            nearest = np.concatenate([nearest, unit_rows(vectors[some])])
        order = np.argsort(-(nearest @ question), kind="stable")
        return plain, nearest[order[:N_NEAREST]]


def check_has_kinds(model: Model) -> None:
    """Raise InvalidInputError if the model's vectors are not compared by cosine."""
    if model.metric != "cosine":
        raise InvalidInputError(
            f"same_kind is for vectors that are compared by cosine; those of {model.name} are compared by"
            f" {model.metric} distance",
            field="same_kind",
        )


def open_same_kind(resources: Resources, model: Model, own: Collection[int], watch: Watch) -> SameKind:
    """Return what finds images of the same kind.

    Parameters
    ----------
    own : collection of int
        See `SameKind`.

    Raises
    ------
    InvalidInputError
        If the model's vectors are not compared by cosine.
    TooLittleMemoryError
        If all its vectors do not fit into memory, where their nearest have to be found.
    """
    check_has_kinds(model)
    embedded, table = resources.embedded(model), vector_table(resources.store, model)

    def make() -> KeptSmoothing:
        return _open(table, embedded, resources.searchers.folder / f"{model.name}-{SAME_KIND}", watch)

    kept = resources.places.snapshot.keep((SAME_KIND, model.name), make)
    return SameKind(embedded, kept.smoothing, own)


def _open(table: Table, embedded: Embedded, place: Path, watch: Watch) -> KeptSmoothing:
    """Return what is kept of these images, or find it, and keep it."""
    state = table.state()
    found = _load(place / state, table, embedded)
    if found is not None:
        return found
    with lock_index(place, watch) as may_write:
        found = _load(place / state, table, embedded)
        if found is not None:
            return found
        rewritten = count_rewritten(place.parent, place.name.removesuffix(f"-{SAME_KIND}"))
        vectors = embedded.take()
        anew = Origin.of(embedded.ids, vectors, rewritten)
        rows = unit_rows(vectors)
        del vectors
        mended = _mended(place, table, embedded.ids, rows, rewritten, watch)
        if mended is None:
            watch.say("building", f"finding the nearest of each of {len(rows):,} images")
            mended = KeptSmoothing(embedded.ids, Smoothing.of(rows, watch)), anew
        made, origin = mended
        if may_write and len(embedded) and table.is_newest():
            with contextlib.suppress(OSError, IndexFileError, ResourceError):  # a full disk
                put_index(made, origin, place / state)
    return made


def _load(folder: Path, table: Table, embedded: Embedded) -> KeptSmoothing | None:
    """Return what lies in a folder, if it is of these images."""
    with contextlib.suppress(IndexFileError):
        kept = KeptSmoothing.load(folder)
        if np.array_equal(kept.ids, embedded.ids):
            return kept
    return None


def _mended(
    place: Path, table: Table, ids: Ids, rows: Vectors, rewritten: int, watch: Watch
) -> tuple[KeptSmoothing, Origin] | None:
    """Return what is kept of an earlier state with what has come and gone since; None where that is much."""
    for folder in sorted(place.iterdir(), reverse=True) if place.is_dir() else ():
        with contextlib.suppress(IndexFileError):
            kept, origin = KeptSmoothing.load(folder), Origin.read(folder)
            n_come = int((~np.isin(ids, kept.ids)).sum())
            changed = origin.changed + n_come + int((~np.isin(kept.ids, ids)).sum())
            if changed > MOST_CHANGED * origin.built or not origin.is_of(table, rewritten):
                continue
            at = np.minimum(np.searchsorted(kept.ids, ids), len(kept.ids) - 1)
            before = np.where(kept.ids[at] == ids, at, -1)
            watch.say("building", f"finding the nearest of {n_come:,} images more")
            made = kept.smoothing.updated(before, rows, watch)
            if made is not None:
                return KeptSmoothing(ids, made), replace(origin, changed=changed)
    return None
