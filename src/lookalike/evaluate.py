"""How good is a search, measured against labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.types import Neighbors, Vectors

_BLOCK_ROWS = 512  # queries ranked at once: 512 × n similarities


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Means over all queries that have at least one relevant image.

    Attributes
    ----------
    precision : dict of int to float
        P@k: the share of the first k hits that carry the query's label.
    mean_average_precision : float
        mAP: the mean, over the ranks of all relevant images, of the precision there.
    queries : int
        How many queries counted.
    """

    precision: dict[int, float]
    mean_average_precision: float
    queries: int


def leave_one_out(vectors: Vectors, labels: npt.ArrayLike, ks: Sequence[int] = (1, 10)) -> RetrievalScores:
    """Query each image against all the others, and count hits of its own label as relevant.

    Of equally similar images, the earlier row comes first.

    Parameters
    ----------
    vectors : (n, d) float32
        Unit rows; compared by cosine.
    labels : (n,) of any kind
        One an image.
    ks : sequence of int
        Where to take the precision.

    Returns
    -------
    RetrievalScores

    Raises
    ------
    InvalidInputError
        If vectors are not finite unit rows, labels and vectors differ in number, a k is not below n, or no
        image has another of its label.

    References
    ----------
    C. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", 2008, section 8.4.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1, 0], [0.9, 0.436], [0, 1], [0.1, 0.995]], np.float32)
    >>> leave_one_out(rows, ["cup", "cup", "owl", "owl"], ks=[1]).precision
    {1: 1.0}
    """
    vectors = _check_unit_rows(vectors)
    n = len(vectors)
    codes = _number(labels)
    if len(codes) != n:
        raise InvalidInputError(f"{len(codes)} labels for {n} vectors; expected one a row")
    if n < 2:
        raise InvalidInputError(f"there is only {n} vector; expected at least 2, to find one by another")
    if not all(isinstance(k, int | np.integer) and not isinstance(k, bool) and 0 < k < n for k in ks):
        raise InvalidInputError(f"k is {list(ks)}; expected 1 to {n - 1}, the number of other images")
    average = np.full(n, np.nan)
    precision = {k: np.full(n, np.nan) for k in ks}
    ranks = np.arange(1, n)
    for start in range(0, n, _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, n))
        similarity = vectors[rows] @ vectors.T  # (block, n)
        similarity[np.arange(len(rows)), rows] = np.inf  # itself first, then left out
        order = np.argsort(-similarity, axis=1, kind="stable")[:, 1:]
        relevant = codes[order] == codes[rows][:, None]
        found = np.cumsum(relevant, axis=1)
        has_any = found[:, -1] > 0
        with np.errstate(invalid="ignore"):
            average[rows] = (found / ranks * relevant).sum(axis=1) / found[:, -1]
        for k in ks:
            precision[k][rows] = np.where(has_any, found[:, k - 1] / k, np.nan)
    counted = ~np.isnan(average)
    if not counted.any():
        raise InvalidInputError("no image has another of its label: there is nothing to retrieve")
    return RetrievalScores(
        {k: float(values[counted].mean()) for k, values in precision.items()},
        float(average[counted].mean()),
        int(counted.sum()),
    )


def precision_of_neighbors(
    neighbors: Neighbors, labels: npt.ArrayLike, query_labels: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return P@k of each query: the share of its k hits that carry its own label.

    Parameters
    ----------
    neighbors : Neighbors
        Whose ids are row numbers of `labels`; missing hits, -1, count as wrong.
    labels : (n,) of any kind
        Of the images that were searched.
    query_labels : (n_queries,) of the same kind

    Returns
    -------
    (n_queries,) float64

    Raises
    ------
    InvalidInputError
        If there is not one label a query, or an id is no row.

    Examples
    --------
    >>> import numpy as np
    >>> hits = Neighbors(np.array([[0, 1], [2, -1]]), np.zeros((2, 2), np.float32))
    >>> precision_of_neighbors(hits, ["cup", "owl", "owl"], ["cup", "owl"])
    array([0.5, 0.5])
    """
    found, asked = np.asarray(labels), np.asarray(query_labels)
    if asked.shape != (len(neighbors.ids),):
        raise InvalidInputError(f"there are {len(asked)} labels for {len(neighbors.ids)} queries")
    if neighbors.ids.size and not -1 <= neighbors.ids.min() <= neighbors.ids.max() < len(found):
        raise InvalidInputError(f"the ids of the neighbours are not rows of {len(found)} labels")
    relevant = (found[neighbors.ids] == asked[:, None]) & (neighbors.ids >= 0)
    return np.asarray(relevant.mean(axis=1), np.float64)


def _check_unit_rows(vectors: Vectors) -> Vectors:
    rows = np.asarray(vectors)
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
        raise InvalidInputError(f"vectors are {rows.dtype} of shape {rows.shape}; expected floats, (n, d)")
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    off = np.flatnonzero(~(np.abs(lengths - 1) < 1e-3))  # so that NaN is off, too
    if len(off):
        raise InvalidInputError(f"row {off[0]} of the vectors has length {lengths[off[0]]:g}; expected 1")
    return rows


def _number(labels: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return labels as numbers, the same for the same label: (n,)."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise InvalidInputError(f"labels have shape {given.shape}; expected (n,)")
    try:
        return np.unique(given, return_inverse=True)[1]
    except TypeError as error:
        raise InvalidInputError(f"labels are not of one kind ({error}); leave out images without") from error
