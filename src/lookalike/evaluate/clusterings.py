"""Measures of a clustering: against labels, and by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers, as_whole_numbers
from lookalike.errors import InvalidInputError
from lookalike.evaluate.labels import number_labels
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.system.memory import check_memory
from lookalike.types import Metric

_BLOCK_SILHOUETTES = 128  # images measured against all at once
_NOISE = -1
_MOST = 1e150


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


@checked
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

    found, truth = _check_clusters(clusters), number_labels(labels)
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


@checked
def silhouette(
    vectors: npt.ArrayLike,
    clusters: npt.ArrayLike,
    metric: Metric = "euclidean",
    n_sampled: int = 2_000,
    random_state: int = RANDOM_STATE,
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

    found, rows = _check_clusters(clusters), as_numbers(vectors)
    if rows.ndim != 2 or len(rows) != len(found) or not rows.shape[1] or not np.isfinite(rows).all():
        raise InvalidInputError(
            f"vectors have shape {rows.shape} for {len(found)} clusters; expected finite numbers, a row each"
        )
    if metric not in get_args(Metric):
        raise InvalidInputError(
            f"metric is {shown(metric)}; expected one of {', '.join(get_args(Metric))}", field="metric"
        )
    random_state = check_seed(random_state)
    if n_sampled < 1:
        raise InvalidInputError(f"n_sampled is {n_sampled}; expected at least 1", field="n_sampled")
    if rows.size and not -_MOST < float(rows.min()) <= float(rows.max()) < _MOST:
        raise InvalidInputError(f"vectors hold numbers too large to be squared; expected less than {_MOST:g}")
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
    check_memory(
        8 * rows.size, f"the silhouette of {n:,} images of {rows.shape[1]:,} dimensions", "reduce them first"
    )
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
    found = as_whole_numbers(clusters, "clusters")
    if found.ndim != 1:
        raise InvalidInputError(
            f"clusters are {found.dtype} of shape {found.shape}; expected whole numbers, (n,)"
        )
    return found
