"""The vectors that a collection has of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.searchers import Searchers, choose_kind
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, ModelConflictError
from lookalike.hints import Hint
from lookalike.index.exact import Exact
from lookalike.store import Store, Table
from lookalike.system.memory import check_vectors_fit
from lookalike.types import Ids, Vectors

_BLOCK_ROWS = 4_096

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Embedded:
    """The images that a model has embedded and that are still there, as they were when this was made.

    Attributes
    ----------
    ids : (n,) int64
        Rising.
    dimension : int
    read : callable
        Reads ids and vectors, some thousand at a time, each time the same; also of images that have left.
    """

    ids: Ids
    dimension: int
    read: Callable[[], Iterator[tuple[Ids, Vectors]]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """What the vectors take in memory."""
        return 4 * len(self.ids) * self.dimension

    def blocks(self, ids: Ids | None = None) -> Iterator[tuple[Rows, Vectors]]:
        """Read the vectors of these images, or of all, some thousand at a time, each time in the same order.

        Yields
        ------
        rows : (m,) int64
            Where in `ids`, which must rise.
        vectors : (m, d) float32
        """
        wanted = self.ids if ids is None else ids
        for some, vectors in self.read():
            rows = np.searchsorted(wanted, some)
            is_wanted = (
                wanted[np.minimum(rows, len(wanted) - 1)] == some if len(wanted) else np.zeros(0, bool)
            )
            if is_wanted.all() and len(wanted):
                yield rows, vectors
            elif is_wanted.any():
                yield rows[is_wanted], vectors[is_wanted]

    def take(self, ids: Ids | None = None) -> Vectors:
        """Read the vectors of these images, whose ids must rise, or of all; (m, d) float32.

        Raises
        ------
        TooLittleMemoryError
        """
        n = len(self.ids if ids is None else ids)
        check_vectors_fit(n, self.dimension)
        vectors = np.empty((n, self.dimension), np.float32)
        for rows, some in self.blocks(ids):
            vectors[rows] = some
        return vectors


def embedded_images(store: Store, searchers: Searchers, model: Model) -> Embedded:
    """Return the images that a model has embedded.

    They are read from the exact index, which is fast, where that is the one for so many.
    """
    table = vector_table(store, model)
    read, ids = table.open_vectors()
    if choose_kind(table) == Exact.kind:
        index = searchers.open(table, model.name, model.metric, Exact.kind)
        if isinstance(index, Exact):
            ids, vectors = index.ids, index.rows

            def read() -> Iterator[tuple[Ids, Vectors]]:
                for start in range(0, len(ids), _BLOCK_ROWS):
                    yield ids[start : start + _BLOCK_ROWS], vectors[start : start + _BLOCK_ROWS]

    rising, there = np.sort(ids), np.sort(store.files.read(["id"])["id"].to_numpy())
    at = np.minimum(np.searchsorted(there, rising), max(0, len(there) - 1))
    return Embedded(rising[there[at] == rising] if len(there) else there, model.dimension, read)


def vector_table(store: Store, model: Model) -> Table:
    """Return the table of a model's vectors, once it is sure that they have the model's dimension."""
    table = store.vectors(model.name, model.dimension, model.bits)
    there = table.dimension()
    if there not in (None, model.dimension):
        raise ModelConflictError(
            f"the vectors of {model.name} in {store.folder} have {there:,} dimensions; the model gives"
            f" {model.dimension:,}: they are of another model",
            hint=f"delete {table.folder} and index again",
        )
    return table


def nothing_embedded(store: Store, model: str, asked: str | None) -> CollectionConflictError:
    """Return the error that there are no vectors of a model; the hint names it as the user has."""
    others = ", ".join(store.vector_tables())
    if not store.files.count():
        return CollectionConflictError(
            f"the collection in {store.folder} holds no images", hint=Hint("sync", then=" first")
        )
    return CollectionConflictError(
        f"no image of the collection in {store.folder} is embedded with {model} (only with {others})",
        hint=Hint("sync_model", model=asked or model),
    )
