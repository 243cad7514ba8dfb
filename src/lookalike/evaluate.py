"""How good is a search, or a clustering, measured against labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.types import Metric, Neighbors, Vectors

_BLOCK_ROWS = 512  # queries ranked at once: 512 × n similarities
_BLOCK_SILHOUETTES = 128  # images measured against all at once
_NOISE = -1


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


@dataclass(frozen=True, slots=True)
class ClusteringScores:
    """A clustering against labels.

    Noise, cluster -1, is counted as one more cluster, of all that is left over. Leaving it out would reward a
    clustering for saying little; `noise` tells how little it says.

    Attributes
    ----------
    nmi : float
        Normalised mutual information: of clusters and labels, over the mean of their entropies. 0 to 1.
    ari : float
        Adjusted Rand index: pairs on which both agree, 0 for chance, 1 for the same groups.
    purity : float
        The share of images that have the most frequent label of their cluster. Many small clusters are pure.
    n_clusters : int
        Without noise.
    noise : float
        The share of images in no cluster.
    """

    nmi: float
    ari: float
    purity: float
    n_clusters: int
    noise: float


def compare_with_labels(clusters: npt.ArrayLike, labels: npt.ArrayLike) -> ClusteringScores:
    """Measure a clustering against labels.

    Parameters
    ----------
    clusters : (n,) of int
        -1 for noise.
    labels : (n,) of any kind

    Returns
    -------
    ClusteringScores

    Raises
    ------
    InvalidInputError
        If there is not one label a cluster, or none at all.

    References
    ----------
    C. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", 2008, section 16.3.

    Examples
    --------
    >>> scores = compare_with_labels([0, 0, 0, 1, 1, -1], ["cup", "cup", "owl", "owl", "owl", "cup"])
    >>> round(scores.purity, 3), scores.n_clusters
    (0.833, 2)
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    found, truth = _check_clusters(clusters), _number(labels)
    if len(found) != len(truth) or not len(found):
        raise InvalidInputError(
            f"{len(found)} clusters for {len(truth)} labels; expected one each, from 1 on"
        )
    names, numbers = np.unique(found, return_inverse=True)
    counts = np.zeros((len(names), int(truth.max()) + 1), np.int64)
    np.add.at(counts, (numbers, truth), 1)
    return ClusteringScores(
        float(normalized_mutual_info_score(truth, found)),
        float(adjusted_rand_score(truth, found)),
        float(counts.max(axis=1).sum() / len(found)),
        int((names != _NOISE).sum()),
        float((found == _NOISE).mean()),
    )


def silhouette(
    vectors: npt.ArrayLike,
    clusters: npt.ArrayLike,
    metric: Metric = "euclidean",
    n_sampled: int = 2_000,
    random_state: int = 0,
) -> float:
    """Return the mean silhouette of some images, each measured against all others.

    That of an image is (b - a) / max(a, b): a its mean distance to the others of its cluster, b that to the
    images of the nearest other cluster; 0 if it is alone in its cluster. Noise, cluster -1, is left out: it
    is no cluster to be near to.

    Parameters
    ----------
    vectors : (n, d) array-like
    clusters : (n,) of int
        -1 for noise.
    metric : {"euclidean", "cosine"}
    n_sampled : int
        How many images; with all of them, the figure is scikit-learn's.
    random_state : int

    Raises
    ------
    InvalidInputError
        If there is not one cluster a vector, a number is not finite, or there are fewer than two clusters, or
        as many as images.

    References
    ----------
    P. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
    1987.

    Examples
    --------
    >>> round(silhouette([[0], [1], [10], [11]], [0, 0, 1, 1]), 3)
    0.9
    """
    from sklearn.metrics import pairwise_distances

    found, rows = _check_clusters(clusters), np.asarray(vectors)
    if rows.ndim != 2 or len(rows) != len(found) or not np.isfinite(rows).all():
        raise InvalidInputError(
            f"vectors have shape {rows.shape} for {len(found)} clusters; expected finite numbers, a row each"
        )
    if n_sampled < 1:
        raise InvalidInputError(f"n_sampled is {n_sampled}; expected at least 1")
    rows, found = rows[found != _NOISE], found[found != _NOISE]
    names, numbers = np.unique(found, return_inverse=True)
    n, k = len(rows), len(names)
    if not 2 <= k < n:
        raise InvalidInputError(f"there are {k} clusters of {n} images; expected 2 to {n - 1}")
    sampled = np.arange(n)
    if n_sampled < n:
        sampled = np.sort(np.random.default_rng(random_state).choice(n, n_sampled, replace=False))
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers)
    by_cluster = rows[order].astype(np.float64)
    starts = np.cumsum(sizes) - sizes
    total = 0.0
    for start in range(0, len(sampled), _BLOCK_SILHOUETTES):
        block = sampled[start : start + _BLOCK_SILHOUETTES]
        distances = pairwise_distances(rows[block].astype(np.float64), by_cluster, metric=metric)
        sums = np.add.reduceat(distances, starts, axis=1)  # (block, k)
        own, each = numbers[block], np.arange(len(block))
        inside = sums[each, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[each, own] = np.inf
        outside = means.min(axis=1)
        larger = np.maximum(inside, outside)
        scores = np.divide(outside - inside, larger, out=np.zeros(len(block)), where=larger > 0)
        total += float(np.where(sizes[own] > 1, scores, 0.0).sum())
    return total / len(sampled)


def _check_clusters(clusters: npt.ArrayLike) -> npt.NDArray[np.int64]:
    found = np.asarray(clusters)
    if found.ndim != 1 or not (np.issubdtype(found.dtype, np.integer) or not found.size):
        raise InvalidInputError(
            f"clusters are {found.dtype} of shape {found.shape}; expected whole numbers, (n,)"
        )
    return found.astype(np.int64)


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
