"""The loops of t-SNE: affinities, attraction, repulsion, and the step; see native/tsne.cpp.

Inputs are already checked. Points lie in two rows, x and y: (2, n). What takes `begin` and `end` does a part
of the points, each point by itself, so that the parts may go to threads and the sums are always taken in the
same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel, kernels_of
from lookalike.types import Vectors

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[Any]  # int32, or int64: scipy's choice

_fill_affinities = kernel("tsne_fill_affinities", "aibd aii")
_attract = kernels_of("tsne_attract", "i4 i8", "aiaaa aii")
_sum_logarithms = kernels_of("tsne_sum_logarithms", "i4 i8", "aiaaa ii", "d")
_repel = kernel("tsne_repel", "ai aaii")
_spread = kernel("tsne_spread", "ai ddd ai")
_read = kernel("tsne_read", "ai ddd ai aaii")
_step = kernel("tsne_step", "aaai dd aa ddd")


def fill_affinities(
    distances: Vectors, are_squares: bool, log_perplexity: float, affinities: Vectors, begin: int, end: int
) -> None:
    """Give each row of distances a Gaussian, as wide as the perplexity wants it.

    Parameters
    ----------
    distances : (n, k) float32
    are_squares : bool
        Whether they are squares already, as 1 - cosine is half a square.
    log_perplexity : float
    affinities : (n, k) float32
        OUT: p(j|i), rows of sum 1.
    """
    _fill_affinities(
        at(distances, np.float32), distances.shape[1], are_squares, log_perplexity,
        at(affinities, np.float32), begin, end,
    )  # fmt: skip


def attract(
    points: Vectors,
    indptr: Indices,
    indices: Indices,
    affinities: Vectors,
    forces: Vectors,
    begin: int,
    end: int,
) -> None:
    """Pull each point to those that it is near to.

    Parameters
    ----------
    points : (2, n) float32
    indptr, indices, affinities : (n + 1,), (entries,), (entries,) float32
    forces : (2, n) float32
        OUT
    """
    number = indptr.dtype.type
    _attract[indptr.dtype](
        at(points, np.float32), points.shape[1], at(indptr, number), at(indices, number),
        at(affinities, np.float32), at(forces, np.float32), begin, end,
    )  # fmt: skip


def sum_logarithms(
    points: Vectors, indptr: Indices, indices: Indices, affinities: Vectors, begin: int, end: int
) -> float:
    """Return the sum of p log(p (1 + d²)) over the entries of some points; see `attract`."""
    number = indptr.dtype.type
    total: float = _sum_logarithms[indptr.dtype](
        at(points, np.float32), points.shape[1], at(indptr, number), at(indices, number),
        at(affinities, np.float32), begin, end,
    )  # fmt: skip
    return total


def repel(points: Doubles, potential: Doubles, slopes: Doubles, begin: int, end: int) -> None:
    """Sum up 1 / (1 + d²) over all points, (2, n), and its slope, at each point: exactly.

    Potential and slopes, (n,) and (2, n), are written.
    """
    _repel(
        at(points, np.float64), points.shape[1], at(potential, np.float64), at(slopes, np.float64), begin, end
    )


def spread(points: Doubles, corner: Doubles, spacing: float, density: Doubles) -> None:
    """Spread each point, (2, n), over the 6 x 6 nodes around it, by quintic B-splines.

    Node (0, 0) lies at the corner, (2,). The density, (rows, columns), is added to.
    """
    _spread(
        at(points, np.float64), points.shape[1], *corner, spacing, at(density, np.float64), density.shape[1]
    )


def read(
    points: Doubles,
    grid: tuple[Doubles, float, Doubles],
    potential: Doubles,
    slopes: Doubles,
    begin: int,
    end: int,
) -> None:
    """Read a potential, and its slope, at points, (2, n), between nodes.

    A grid is its corner, (2,), its spacing, and nodes, (rows, columns): B-spline coefficients. Potential and
    slopes, (n,) and (2, n), are written.
    """
    corner, spacing, nodes = grid
    _read(
        at(points, np.float64), points.shape[1], *corner, spacing, at(nodes, np.float64), nodes.shape[1],
        at(potential, np.float64), at(slopes, np.float64), begin, end,
    )  # fmt: skip


def step(
    points: Doubles,
    attraction: Vectors,
    slopes: Doubles,
    factors: tuple[float, float],
    state: tuple[Doubles, Doubles],
    pace: tuple[float, float, float],
) -> None:
    """Move the points along the forces, with momentum, each coordinate at a pace of its own.

    Parameters
    ----------
    points : (2, n) float64
        OUT
    attraction, slopes : (2, n) float32, (2, n) float64
    factors : float, float
        What these two are multiplied by.
    state : (2, n) float64, (2, n) float64
        OUT: the last updates, and gains.
    pace : float, float, float
        The rate, the momentum, and how far a point may go.
    """
    updates, gains = state
    _step(
        at(points, np.float64), at(attraction, np.float32), at(slopes, np.float64), points.shape[1], *factors,
        at(updates, np.float64), at(gains, np.float64), *pace,
    )  # fmt: skip
