"""Whether a collection holds anything like a query: by how familiar the query is, beside its own pictures.

The idea
--------
Two things make a query strange, and neither tells of the other:

- *Far*: a drawing asked of photos lies far from all of them. What is looked at is the mean similarity of the
  five nearest, as the model compares.
- *Sparse*: a cat where there are no cats is near enough to the dogs; but dogs are nearer to each other. What
  is looked at is how near the five nearest are beside how near these have others: a relative density, in the
  space of the collection's own statistics (its first 256 axes, each divided by its deviation), where all that
  its pictures share counts less.

Each is told as a share: of how many of the collection's own pictures, each asked among the others, that is
less. The smaller of the two, the first doubled, as what is of another sort lies very far, is again compared
with those of the collection's own pictures. So a threshold of 5 % is a false alarm of 5 % for queries that
are like the collection's pictures, whatever the model.

Layout
------
    mean (d,), axes (d, m)     into the space of the collection's own statistics
    rows (r, m) float16        some thousand of its pictures there, unit rows; ids (r,) which these are
    near, dense, least (q,)    the two, and the smaller of their shares, of some hundred of its own pictures,
                               each rising

Cost: 30 products of (d, m), and five with the rows, a query.

References
----------
M. Breunig, H.-P. Kriegel, R. Ng, J. Sander, "LOF: Identifying Density-Based Local Outliers", SIGMOD 2000.
V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005: conformal p-values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.pca import PCA
from lookalike.types import Ids, Vectors

ALARM = 0.05
"""A query more strange than all but so large a share of the collection's own pictures has nothing like it."""

CANDIDATES = 30
"""So many of the nearest are looked at."""

N_AXES = 256
_NEAR_WEIGHT = 2.0  # chosen with Fashion-MNIST, clip art and CIFAR-10, as was whitening in full
_K = 5
_ROWS_AN_AXIS = 8  # of fewer, a whitened axis would be what these rows happen to be
_MOST_NUMBERS, _FEWEST_AXES = 1 << 21, 8  # of the axes, where vectors are very long
_LEAST_DENSITY = 0.05  # a ratio to less would be one of noise

Doubles = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The space of a collection's own statistics, and some of its pictures there.

    Attributes
    ----------
    mean : (d,) float32
    axes : (d, m) float32
    rows : (r, m) float32
        Unit rows.
    ids : (r,) int64
        Which images these are.
    """

    mean: npt.NDArray[np.float32]
    axes: Matrix
    rows: Matrix
    ids: Ids

    @classmethod
    def of(cls, vectors: Vectors, ids: Ids) -> Space | None:
        """Return that of a sample; None if it has no two different rows.

        Parameters
        ----------
        vectors : (r, d) float32
        ids : (r,) int64
        """
        if not (vectors != vectors[0]).any():
            return None
        n, d = vectors.shape
        most = min(N_AXES, max(1, n // _ROWS_AN_AXIS), max(_FEWEST_AXES, _MOST_NUMBERS // d))
        pca = PCA(min(most, n - 1, d)).fit(vectors)
        variance = np.maximum(pca.explained_variance_, 1e-6 * pca.explained_variance_[0])
        axes = (pca.components_ / np.sqrt(variance)[:, None]).T.astype(np.float32)
        mean = pca.mean_.astype(np.float32)
        return cls(mean, np.ascontiguousarray(axes), _unit((vectors - mean) @ axes), ids)

    def into(self, vectors: Vectors) -> Matrix:
        """Return vectors, (n, d), in this space, (n, m) float32 unit rows."""
        return _unit((vectors - self.mean) @ self.axes)

    def density(self, rows: Matrix, ids: Ids) -> Doubles:
        """Return how near pictures have others: the mean cosine of the five nearest of the sample, (n,).

        Parameters
        ----------
        rows : (n, m) float32
            In this space.
        ids : (n,) int64
            Which images these are; none is its own neighbor.
        """
        cosines = rows @ self.rows.T
        cosines[ids[:, None] == self.ids[None]] = -1
        return _mean_of_largest(cosines)

    def relative_density(self, query: Matrix, rows: Matrix, ids: Ids) -> float:
        """Return how near the five nearest of some candidates are, beside how near these have others.

        Parameters
        ----------
        query : (m,) float32
        rows, ids
            The candidates; from 1.
        """
        cosines = rows @ query
        first = np.argsort(-cosines, kind="stable")[:_K]
        beside = np.maximum(self.density(rows[first], ids[first]), _LEAST_DENSITY)
        return float((cosines[first] / beside).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Familiarity:
    """Tells how familiar queries are.

    Attributes
    ----------
    space : Space
    near, dense, least : (q,) float64
        Of the collection's own pictures; see the top of this file.
    """

    space: Space
    near: Doubles
    dense: Doubles
    least: Doubles

    @classmethod
    def of(cls, space: Space, near: Doubles, dense: Doubles) -> Familiarity:
        """Make it of what the collection's own pictures have, each asked among the others: (q,) each."""
        near_first, dense_first = np.sort(near), np.sort(dense)
        least = _least(_share(near_first, near), _share(dense_first, dense))
        return cls(space, near_first, dense_first, np.sort(least))

    def share(self, near: npt.ArrayLike, dense: npt.ArrayLike) -> Doubles:
        """Return what share of the collection's own pictures are as strange, or stranger.

        Parameters
        ----------
        near : (n,) float
            `nearness` of queries.
        dense : (n,) float
            `Space.relative_density` of them.
        """
        least = _least(_share(self.near, near), _share(self.dense, dense))
        return _share(self.least, least)


def nearness(similarities: npt.ArrayLike) -> float:
    """Return the mean of the five largest similarities of a query, which come nearest first."""
    return float(np.asarray(similarities, np.float64)[:_K].mean())


def _share(rising: Doubles, values: npt.ArrayLike) -> Doubles:
    found: Doubles = np.searchsorted(rising, np.asarray(values), side="right") / len(rising)
    return found


def _least(near: Doubles, dense: Doubles) -> Doubles:
    return np.minimum(_NEAR_WEIGHT * near, dense)


def _mean_of_largest(values: Matrix) -> Doubles:
    k = min(_K, values.shape[1])
    found: Doubles = np.partition(values, -k, axis=1)[:, -k:].mean(axis=1, dtype=np.float64)
    return found


def _unit(rows: npt.NDArray[np.floating]) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
