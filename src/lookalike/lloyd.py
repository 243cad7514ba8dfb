"""Lloyd's algorithm: the k-means kernel that search cells and clusterings stand on.

Two steps in turn: each row goes to its nearest centroid, each centroid to the mean of its rows. The first is
a matrix product in float32, |c|² - 2 x·c for a block of rows against all centroids; |x|² is the same for all
and left out. The second sorts the rows by label, so that each sum is over a contiguous run. A centroid that
loses all its rows is put onto a row of the largest cell.

Many centroids are found in two steps (`fit_tree`): some first, then those of each one's rows. n rows and
k centroids then cost n · √k products of d terms a round instead of n · k. For the same reason a row is
compared with the centroids around its upper one only, when it is assigned to one of many.

References
----------
S. Lloyd, "Least squares quantization in PCM", 1957, published 1982.
D. Nistér and H. Stewénius, "Scalable Recognition with a Vocabulary Tree", 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Vectors

_NEAR = 256  # centroids that a row is compared with at least, of a tree's
_BLOCK_VALUES = 1 << 22  # of a block of rows against all centroids: 16 MB

Labels = npt.NDArray[np.int64]


def assign(rows: Vectors, centroids: Vectors, watch: Watch = UNWATCHED) -> Labels:
    """Return the nearest centroid of each row.

    Parameters
    ----------
    rows : (n, d) float32
    centroids : (k, d) float32
    watch : Watch

    Returns
    -------
    (n,) int64
    """
    labels = np.empty(len(rows), np.int64)
    squares = np.einsum("ij,ij->i", centroids, centroids)
    doubled = -2 * centroids.T
    step = max(1, _BLOCK_VALUES // len(centroids))
    for start in watch.each(range(0, len(rows), step)):
        product = rows[start : start + step] @ doubled  # (step, k)
        product += squares
        labels[start : start + step] = product.argmin(axis=1)
    return labels


def means(rows: Vectors, labels: Labels, centroids: Vectors, watch: Watch = UNWATCHED) -> Vectors:
    """Return the mean of each label's rows; a label without rows gets a row of the largest one.

    Parameters
    ----------
    rows : (n, d) float32
    labels : (n,) int64, 0 to k - 1
    centroids : (k, d) float32
    watch : Watch

    Returns
    -------
    (k, d) float32
    """
    k = len(centroids)
    counts = np.bincount(labels, minlength=k)
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(counts) - counts
    moved = centroids.copy()
    filled = np.flatnonzero(counts)
    for label in watch.each(filled):
        members = order[starts[label] : starts[label] + counts[label]]
        moved[label] = rows[members].mean(axis=0, dtype=np.float64)
    if len(filled) < k:
        largest = int(counts.argmax())
        members = order[starts[largest] : starts[largest] + counts[largest]]
        for number, label in enumerate(np.flatnonzero(counts == 0)):
            # Spread over the members, so that several empty cells do not land on one row.
            moved[label] = rows[members[(number * 7919) % len(members)]]
    return moved


def fit(rows: Vectors, k: int, n_iter: int, random: np.random.Generator, watch: Watch = UNWATCHED) -> Vectors:
    """Return k centroids, after so many rounds from randomly chosen rows.

    Parameters
    ----------
    rows : (n, d) float32
        n of at least 1; with fewer than k, all are taken, some more than once.
    k : int
    n_iter : int
    random : numpy.random.Generator
    watch : Watch

    Returns
    -------
    (k, d) float32
    """
    centroids = rows[random.choice(len(rows), k, replace=len(rows) < k)]
    for _ in range(n_iter):
        centroids = means(rows, assign(rows, centroids, watch), centroids, watch)
    return centroids


@dataclass(frozen=True, slots=True)
class Tree:
    """Centroids in two levels.

    Attributes
    ----------
    top : (√k, d) float32
    centroids : (k, d) float32
    """

    top: Vectors
    centroids: Vectors

    def assign(self, rows: Vectors, watch: Watch = UNWATCHED) -> Labels:
        """Return a near centroid of each row, nearly always the nearest; (n,) int64."""
        k = len(self.centroids)
        n_near = max(_NEAR, k // 16)
        if n_near >= k:
            return assign(rows, self.centroids, watch)
        upper = assign(rows, self.top, watch)
        labels = np.empty(len(rows), np.int64)
        order = np.argsort(upper, kind="stable")
        ends = np.cumsum(np.bincount(upper, minlength=len(self.top)))
        for centre, members in zip(self.top, np.split(order, ends[:-1]), strict=True):
            if len(members):
                distances = np.square(self.centroids - centre).sum(axis=1)
                near = np.argpartition(distances, n_near)[:n_near]
                labels[members] = near[assign(rows[members], self.centroids[near], watch)]
        return labels


def fit_tree(
    rows: Vectors, k: int, n_iter: int, random: np.random.Generator, watch: Watch = UNWATCHED
) -> Tree:
    """Return k centroids in two levels: √k of all rows, then each one's share of k among its own rows.

    Parameters are those of `fit`.
    """
    top = fit(rows, max(1, round(k**0.5)), n_iter, random, watch)
    labels = assign(rows, top, watch)
    counts = np.bincount(labels, minlength=len(top))
    # Shares of k by size, in whole numbers that add up: the largest remainders are rounded up.
    exact = counts * (k / len(rows))
    shares = np.floor(exact).astype(np.int64)
    shares[np.argsort(shares - exact, kind="stable")[: k - shares.sum()]] += 1
    parts = [
        fit(rows[labels == label], int(shares[label]), n_iter, random, watch)
        for label in np.flatnonzero(shares)
    ]
    return Tree(top, np.concatenate(parts))
