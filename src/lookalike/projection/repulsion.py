"""How strongly the points of a map repel each other: the potential, the sum of 1 / (1 + d²), and its slope.

The force of t-SNE that drives points apart is the sum of (y_i - y_j) / (1 + d²)², which is half the downward
slope of the potential, and its normaliser Z is the potential summed up over all points. So one convolution
serves for both:

1. every point is spread over the 6 x 6 nodes around it, of a grid over the map, by quintic B-splines;
2. the grid is convolved with 1 / (1 + d²), by FFT, on twice its size, since it must not wrap around. The
   B-splines are divided out there, too;
3. potential and slope are read off between the nodes, by the B-splines and their derivatives.

FIt-SNE's scheme interpolates the squared kernel by polynomials, and takes eight transforms; this one takes
two, on a coarser grid. Few points are summed up exactly, pair by pair.

Cost: n points times 72 nodes, and two FFTs over the area of the map. Beside them, everything is done in
float64, since at first all points lie within a ten-thousandth.

References
----------
G. Linderman, M. Rachh, J. Hoskins, S. Steinerberger, Y. Kluger, "Fast Interpolation-Based t-SNE for Improved
Visualization of Single-Cell RNA-Seq Data", Nature Methods 2019: FIt-SNE.
U. Essmann et al., "A Smooth Particle Mesh Ewald Method", J. Chem. Phys. 1995, sections II and III: B-splines,
one transform there and one back, forces by differentiating the splines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.projection import tsne_kernels

SPACING = 0.4  # of the nodes; the kernel has a width of 1
_LEAST_NODES = 64  # across the map, while it is small
_MOST_NODES = 3_000  # across it, were it ever so large: 1.5 GB while it is convolved
_EXACT = 5_000  # up to so many points the pairs are summed up

Doubles = npt.NDArray[np.float64]


class Repulsion:
    """The potential of some points, and its slope, at each of them.

    Parameters
    ----------
    spacing : float
        Between nodes, at most.
    """

    def __init__(self, spacing: float = SPACING) -> None:
        self._most = spacing
        self._made_for: tuple[float, list[int]] = (0.0, [])

    def take(self, points: Doubles) -> None:
        """Take in points, (2, n), in place of those that were there."""
        self._points = points
        if points.shape[1] > _EXACT:
            self._convolve(points)

    def read(self, potential: Doubles, slopes: Doubles, begin: int, end: int) -> None:
        """Write the potential, (n,), each point's own 1 included, and its slopes, (2, n), of some points."""
        if self._points.shape[1] > _EXACT:
            grid = self._corner, self._spacing, self._nodes
            tsne_kernels.read(self._points, grid, potential, slopes, begin, end)
        else:
            tsne_kernels.repel(self._points, potential, slopes, begin, end)

    def _convolve(self, points: Doubles) -> None:
        from scipy import fft

        low = points.min(axis=1)
        extent = points.max(axis=1) - low
        widest = float(extent.max())
        spacing = max(min(self._most, widest / _LEAST_NODES), widest / _MOST_NODES, 1e-12)
        corner = low - 3 * spacing  # 2 would do, but for rounding
        counts = [int(length / spacing) + 8 for length in extent]
        sizes = [fft.next_fast_len(2 * count, real=True) for count in counts]
        if (spacing, sizes) != self._made_for:
            self._kernel = _transformed_kernel(spacing, sizes)
            self._made_for = spacing, sizes
        density = np.zeros(counts)
        tsne_kernels.spread(points, corner, spacing, density)
        # The half that is all zeros, and the half that is not read, are spared along one axis.
        waves = fft.fft(fft.rfft(density, sizes[1], axis=1), sizes[0], axis=0, overwrite_x=True)
        waves *= self._kernel
        waves = fft.ifft(waves, axis=0, overwrite_x=True)
        self._nodes = fft.irfft(waves[: counts[0]], sizes[1], axis=1)
        self._corner, self._spacing = corner, spacing


def _transformed_kernel(spacing: float, sizes: list[int]) -> Doubles:
    """Return the transform of 1 / (1 + d²) around node (0, 0), over that of the B-splines, squared."""
    from scipy import fft

    away = [spacing * np.minimum(np.arange(size), size - np.arange(size)) for size in sizes]
    kernel = 1 / (1 + away[0][:, None] ** 2 + away[1] ** 2)
    across, down = (_transformed_spline(size) for size in sizes)
    waves: Doubles = fft.rfft2(kernel).real
    waves /= (across[:, None] * down[: waves.shape[1]]) ** 2
    return waves


def _transformed_spline(size: int) -> Doubles:
    """Return the transform of the B-spline at whole numbers: 66, 26 and 1, over 120."""
    angles: Doubles = 2 * np.pi * np.arange(size) / size
    return (33 + 26 * np.cos(angles) + np.cos(2 * angles)) / 60
