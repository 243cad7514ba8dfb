"""Principal axes: what the trees see of a vector.

A vector is rotated to the principal axes. Its *head* is what it has along the first of them; of the rest only
the length is kept, its *tail*. By the Cauchy-Schwarz inequality head and tail of two vectors are never
farther apart than the vectors are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.reduce import principal_axes
from lookalike.types import Vectors

_LEAST_SPREAD = 1e-7
_AXES_ROWS = 8_192  # rows from which the axes are found
_BLOCK_ROWS = 4_096

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """How a vector becomes a head. For cosine, vectors are divided by their lengths first."""

    scale: float  # a power of two: no row is longer than 1 from the mean then
    centre: Doubles  # (2, d): what is subtracted before scaling, and the mean after
    axes: Doubles  # (d, width) orthonormal columns, those beyond the number of axes zeros

    @property
    def middle(self) -> Doubles:
        """(width,): the mean's head."""
        middle: Doubles = self.centre[1] @ self.axes
        return middle


def fit_frame(rows: Vectors, lengths: Doubles, n_axes: int, width: int, random: np.random.Generator) -> Frame:
    """Find the axes, from a sample, and the scale.

    Parameters
    ----------
    rows : (n, d) float32
    lengths : (n,) float64
        What each row is divided by; (0,) where that is 1.
    n_axes : int
        At most; there are no more than d.
    width : int
        Columns of `Frame.axes`, at least `n_axes`.
    """
    n, d = rows.shape
    n_axes = min(d, n_axes)
    chosen = np.sort(random.choice(n, min(n, _AXES_ROWS), replace=False))
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
    axes = np.zeros((d, width))
    axes[:, :n_axes] = principal_axes(sample / (spread or 1.0), n_axes, random)
    longest = least * least
    for start in range(0, n, _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS].astype(np.float64)
        if len(lengths):
            block /= lengths[start : start + _BLOCK_ROWS, None]
        block -= mean
        longest = max(longest, float(np.square(block, out=block).sum(axis=1).max()))
    scale = float(np.ldexp(1.0, -int(np.frexp(np.sqrt(longest))[1]))) if longest > 0 else 1.0
    return Frame(scale, np.stack([origin, (mean - origin) * scale]), axes)


def to_heads(frame: Frame, rows: Vectors, lengths: Doubles) -> tuple[Vectors, Vectors]:
    """Return the heads (n, width) and tails (n,) of rows, float32, computed in float64 and then rounded."""
    heads, tails = np.empty((len(rows), frame.axes.shape[1]), np.float32), np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        block = rows[part].astype(np.float64)
        if len(lengths):
            block /= lengths[part, None]
        block -= frame.centre[0]
        block *= frame.scale
        block -= frame.centre[1]
        head = block @ frame.axes
        heads[part] = head
        rest = np.square(block, out=block).sum(axis=1) - np.square(head, out=head).sum(axis=1)
        tails[part] = np.sqrt(np.maximum(rest, 0.0))
    return heads, tails
