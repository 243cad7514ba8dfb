"""Principal axes: what the trees see of a vector.

A vector is rotated to the principal axes. Its *head* is what it has along the first of them; of the rest only
the length is kept, its *tail*. By the Cauchy-Schwarz inequality head and tail of two vectors are never
farther apart than the vectors are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.index.parallel import sealed
from lookalike.pca import principal_axes
from lookalike.system.memory import check_memory, rows_at_once
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Vectors

_LEAST_SPREAD = 1e-7
_AXES_ROWS = 4_096  # rows from which the axes are found
_BLOCK_ROWS = 512  # taken at once: in float64, they stay in the cache

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """How a vector becomes a head. For cosine, vectors are divided by their lengths first."""

    scale: float  # a power of two: no row is longer than 1 from the mean then
    center: Doubles  # (2, d): what is subtracted before scaling, and the mean after
    axes: Doubles  # (d, width) orthonormal columns, those beyond the number of axes found zeros

    @property
    def middle(self) -> Doubles:
        """(width,): the mean's head."""
        middle: Doubles = self.center[1] @ self.axes
        return middle


def fit_principal_axes(
    rows: Vectors, lengths: Doubles, n_axes: int, width: int, random: np.random.Generator
) -> PrincipalAxes:
    """Find the axes, from a sample, and the scale.

    Parameters
    ----------
    rows : (n, d) float32
    lengths : (n,) float64
        What each row is divided by; (0,) where that is 1.
    n_axes : int
        At most; there are no more than d, and no more than directions in which the sample's rows differ.
    width : int
        Columns of `PrincipalAxes.axes`, at least `n_axes`.
    """
    n, d = rows.shape
    n_axes = min(d, n_axes)
    chosen = np.sort(random.choice(n, min(n, rows_at_once(d, _AXES_ROWS)), replace=False))
    sample = rows[chosen].astype(np.float64)
    if len(lengths):
        sample /= lengths[chosen, None]
    mean = sample.mean(axis=0)
    sample -= mean
    # What is smaller than float32 tells apart is no spread.
    least = _LEAST_SPREAD * float(np.linalg.norm(mean))
    spread = max(float(np.sqrt(np.square(sample).sum(axis=1).max())), least)
    # Where the mean is no longer than the rows are apart, zeros stay zeros, and cost a query nothing.
    origin = mean if np.linalg.norm(mean) > 4 * spread else np.zeros(d)
    check_memory(
        8 * d * width, f"a tree over vectors of {d:,} dimensions", "reduce them first, or search exactly"
    )
    columns = principal_axes(sample / (spread or 1.0), n_axes, random)
    axes = np.zeros((d, width))
    axes[:, : columns.shape[1]] = columns
    longest = least * least
    for _, _, squares in centered_blocks(rows, lengths, 1.0, np.stack([mean, np.zeros(d)])):
        longest = max(longest, float(squares.max()))
    scale = float(np.ldexp(1.0, -int(np.frexp(np.sqrt(longest))[1]))) if longest > 0 else 1.0
    return PrincipalAxes(scale, np.stack([origin, (mean - origin) * scale]), axes)


def to_heads(
    found: PrincipalAxes, rows: Vectors, lengths: Doubles, watch: Watch = UNWATCHED
) -> tuple[Vectors, Vectors]:
    """Return the heads (n, width) and tails (n,) of rows, float32, computed in float64 and then rounded."""
    heads, tails = np.empty((len(rows), found.axes.shape[1]), np.float32), np.empty(len(rows), np.float32)
    for part, block, squares in watch.each(centered_blocks(rows, lengths, found.scale, found.center)):
        head = block @ found.axes
        heads[part] = head
        rest = squares - np.square(head, out=head).sum(axis=1)
        tails[part] = np.sqrt(np.maximum(rest, 0.0))
    return heads, tails


def centered_blocks(
    rows: npt.NDArray[Any], lengths: Doubles, scale: float, center: Doubles
) -> Iterator[tuple[slice, Doubles, Doubles]]:
    """Give the rows block by block, before they are turned: where, (m, d) float64, and |x|², (m,).

    The arrays are written over by the next block.
    """
    from lookalike.index.rows_kernels import center_rows

    step = rows_at_once(rows.shape[1], _BLOCK_ROWS)
    block = np.empty((min(step, len(rows)), rows.shape[1]))
    squares = np.empty(len(block))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        m = part.stop - start
        some, their_lengths = sealed(rows[part]), sealed(lengths[part])
        center_rows(some, their_lengths, scale, sealed(center), block[:m], squares[:m])
        yield part, block[:m], squares[:m]
