"""Which numbers of a deep image are black and white, and every number between them in 8 bits.

Integers of up to 16 bits go from 0 to the largest that their bits can hold. Wider ones, signed ones and
floats have no white that all programs agree on, so it is told from the numbers themselves, of all channels:

| numbers | what they hold | black and white |
|---|---|---|
| integers of more than 8 bits | 0 to 255 | 0 and 255: 8 bits in a wide file |
| integers of more than 16 bits | 0 to 65,535 | 0 and 65,535: 16 bits in a wide file |
| unsigned ones of more than 16 bits | more than an eighth of their range | 0 and the largest there is |
| floats | 99 % of them 0 to 1 | 0 and 1: the rest are overshoots and highlights |
| floats | 0 to 255 | 0 and 255 |
| all others, those below 0 among them | | the least and the largest that occur |

Infinite values count as the ends of the range, and NaN as the dark one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]
"""Integers or floats of any width, as stored."""

_FULL = 1 / 8  # of the range of a wide integer
_MOST = 0.99  # of the numbers of a float image that is meant to go from 0 to 1


@dataclass(frozen=True, slots=True)
class Levels:
    """The number that is black and the one that is white."""

    black: float
    white: float

    def to_8_bits(self, samples: Samples) -> npt.NDArray[np.uint8]:
        """Return the samples from black, 0, to white, 255."""
        if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
            if self == Levels(0, 255) and samples.dtype.itemsize == 1:
                return samples
            every = np.arange(np.iinfo(samples.dtype).max + 1)
            return self._scale(every)[samples]
        return self._scale(samples)

    def _scale(self, samples: Samples) -> npt.NDArray[np.uint8]:
        # In float64: the range of a float file may be wider than float32 can hold.
        values = np.nan_to_num(
            samples.astype(np.float64), nan=self.black, posinf=self.white, neginf=self.black
        )
        values -= self.black
        values *= 255.0 / max(self.white - self.black, 1e-12)
        return np.clip(np.rint(values, out=values), 0, 255, out=values).astype(np.uint8)


def levels_of(bits: int, kind: str, blocks: Iterable[Samples]) -> Levels:
    """Return the levels of an image.

    Parameters
    ----------
    bits : int
        Of a sample.
    kind : str
        ``"u"``, ``"i"`` or ``"f"``: unsigned, signed, floating.
    blocks : iterable of arrays
        The samples, piece by piece; looked at only where the type alone does not say it.
    """
    if kind == "u" and bits <= 16:
        return Levels(0, 2**bits - 1)
    low, high, n_within, n_values = np.inf, -np.inf, 0, 0
    for block in blocks:
        values = block[np.isfinite(block)] if kind == "f" else block
        if not values.size:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        n_values += values.size
        if kind == "f":
            n_within += int(np.count_nonzero((values >= 0) & (values <= 1)))
    if not n_values:
        return Levels(0, 0)  # nothing but infinities: all of it is black
    is_positive = low >= 0
    if kind == "f":
        if n_within >= _MOST * n_values:
            return Levels(0, 1)
        return Levels(0, 255) if is_positive and high <= 255 else Levels(low, high)
    if is_positive and bits > 8 and high <= 255:
        return Levels(0, 255)
    if is_positive and bits > 16 and high < 65536:
        return Levels(0, 65535)
    if kind == "u" and high > _FULL * 2**bits:
        return Levels(0, 2**bits - 1)
    return Levels(low, high)


def opacity_levels(bits: int, kind: str, blocks: Iterable[Samples]) -> Levels:
    """Return what is transparent, always 0, and what is opaque; parameters as of `levels_of`."""
    levels = levels_of(bits, kind, blocks)
    return Levels(0, levels.white if levels.white > 0 else 1)
