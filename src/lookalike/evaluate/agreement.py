"""Whether labels say what images show: how much they agree with what lies near each other, against chance.

Names of folders are labels of classes in one collection and months in the next. In the one, images of a label
lie near each other; in the other, they lie anywhere. The measure is R-precision (of n other images of its
label, the share that is among an image's n nearest ones), less what chance would give, by what is left to
gain: 0 is chance, 1 is perfect. It is that of a sample, in which small labels are whole and no label has many
more images than the others, so its cost does not grow with the collection: two million products of vectors.

Precision at 1 would not do. A few photos in a row, of one thing, lie in one folder whatever its name says, so
each finds another of its label; of twenty images of a month they are still but two.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.blas_threads import one_blas_thread
from lookalike.system.chance import RANDOM_STATE
from lookalike.types import Ids, Metric, Vectors

MOST_IMAGES = 2_000
"""Of a sample."""

_MOST_NUMBERS = 40_000_000  # of a sample, 160 MB: vectors of many dimensions are fewer
_LEAST_SHARE = 16  # images of a label that a sample has room for, however many labels there are
_BLOCK = 256  # rows compared at once


def most_images(dimension: int) -> int:
    """Return how many images of a sample there are at most.

    >>> most_images(1_280), most_images(786_432)
    (2000, 50)
    """
    return min(MOST_IMAGES, _MOST_NUMBERS // dimension)


def draw_sample(
    codes: npt.NDArray[np.integer], n: int = MOST_IMAGES, random_state: int = RANDOM_STATE
) -> npt.NDArray[np.intp]:
    """Return the rows of a sample: images of labels that others have, too, a like number of each label.

    Parameters
    ----------
    codes : (n_images,) int
        Labels, as numbers; -1 for none.
    n : int
        How many images at most.
    random_state : int

    Returns
    -------
    (m,) int64
        Rising.
    """
    counts = np.bincount(codes[codes >= 0])
    several = np.flatnonzero(counts > 1)
    rows = np.flatnonzero(np.isin(codes, several))
    if len(rows) <= n:
        return rows
    random = np.random.default_rng(random_state)
    most = max(_LEAST_SHARE, n // len(several))
    chosen: list[npt.NDArray[np.intp]] = []
    room = n
    for label in random.permutation(several).tolist():
        members = rows[codes[rows] == label]
        if len(members) > most:
            members = random.choice(members, most, replace=False)
        if len(members) > room:
            break
        chosen.append(members)
        room -= len(members)
    return np.sort(np.concatenate(chosen))


def measure_agreement(
    vectors: Vectors, codes: Ids | npt.NDArray[np.integer], metric: Metric
) -> tuple[float, float]:
    """Return the R-precision of some images, and what it would be by chance.

    Parameters
    ----------
    vectors : (n, d) float32
        Unit rows, if the metric is cosine.
    codes : (n,) int
        Labels, as numbers; each that of two images or more.
    metric : {"cosine", "euclidean"}

    Examples
    --------
    >>> corners = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    >>> measure_agreement(corners, np.array([0, 0, 1, 1]), "cosine")
    (1.0, 0.3333333333333333)
    """
    n = len(codes)
    if n < 2:
        return 0.0, 0.0
    n_others = np.bincount(codes)[codes] - 1
    squares = np.einsum("ij,ij->i", vectors, vectors) if metric == "euclidean" else np.zeros(n, np.float32)
    found = np.empty(n)
    with one_blas_thread():  # for so little, threads would wait for each other
        for start in range(0, n, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, n))
            far = squares - 2 * (vectors[rows] @ vectors.T)
            far[np.arange(len(rows)), rows] = np.inf
            last = np.take_along_axis(np.sort(far, axis=1), n_others[rows, None] - 1, axis=1)
            is_alike = codes == codes[rows, None]
            is_near, is_last = far < last, far == last
            # Of those that are equally far, as many as there is room for, as chance would have them.
            left = (n_others[rows] - is_near.sum(axis=1)) / is_last.sum(axis=1)
            hits = (is_alike & is_near).sum(axis=1) + left * (is_alike & is_last).sum(axis=1)
            found[rows] = hits / n_others[rows]
    return float(found.mean()), float(n_others.mean() / (n - 1))
