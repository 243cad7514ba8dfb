"""The nearest images of a collection by the vectors of a model, for `duplicates.candidates`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import Embedded
from lookalike.collection.resources import Resources
from lookalike.duplicates.candidates import Neighbors
from lookalike.duplicates.nearest_rows import N_NEAREST, N_SAMPLE, Whitening, nearest_rows
from lookalike.embed import Model
from lookalike.system.memory import check_memory
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids, Vectors

Rows = npt.NDArray[np.intp]


def nearest_of(resources: Resources, model: Model, ids: Ids, watch: Watch = UNWATCHED) -> Neighbors:
    """Return what finds the nearest of images among others, by a model's vectors.

    Nothing is read before it is called. Images that the model has not embedded have no neighbors.

    Parameters
    ----------
    resources : Resources
    model : Model
    ids : (n,) int64
        Rising: the images that rows are numbers of.
    watch : Watch

    Raises
    ------
    TooLittleMemoryError
        By what is returned, when it is called.
    """

    def neighbors(rows: Rows) -> tuple[Rows, npt.NDArray[np.float32]]:
        embedded = resources.embedded(model)
        known = np.flatnonzero(np.isin(ids, embedded.ids, assume_unique=True))
        if len(known) < 2 or not len(rows):
            return np.full((len(rows), N_NEAREST), -1, np.intp), np.zeros((len(rows), N_NEAREST), np.float32)
        watch.say("neighbors", "looking for nearest images")
        whitening = Whitening.of(_sample(embedded, ids[known]), len(ids))
        found = nearest_rows(_whitened(embedded, ids, whitening, watch), rows, whitening.least, watch=watch)
        return found.rows, found.cosines

    return neighbors


def _sample(embedded: Embedded, known: Ids) -> Vectors:
    """Return the vectors of some images, the same ones each time."""
    return embedded.take(known[np.linspace(0, len(known) - 1, min(len(known), N_SAMPLE)).astype(np.intp)])


def _whitened(embedded: Embedded, ids: Ids, whitening: Whitening, watch: Watch) -> Vectors:
    """Return the rows to compare, (n, m); zeros where an image is not embedded."""
    check_memory(
        4 * len(ids) * whitening.n_axes,
        f"looking for the nearest of {len(ids):,} images",
        "close other programs, or find duplicates on a machine with more memory",
    )
    whitened = np.zeros((len(ids), whitening.n_axes), np.float32)
    done = 0
    for rows, vectors in embedded.blocks(ids):
        watch(Progress("neighbors", done, len(ids), "reading vectors", unit="images"))
        whitened[rows] = whitening.rows(vectors)
        done += len(rows)
    return whitened
