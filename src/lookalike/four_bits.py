"""Unit vectors in four bits a number, an eighth of what float32 takes, for models that lose nothing by it.

The numbers of a whitened vector are spread like those of a normal distribution of variance 1/d. They are cut
into 16 equal steps up to 2.88 standard deviations, which loses least:

    step = 2.7 / √d / 7.5,    q = floor(v / step) in -8 … 7,    v' = (q + ½) / |q + ½|

The end steps hold all that lies beyond. Of a row, the codes q + 8 of two neighbours make a byte, the first
in its lower half: (n, d / 2) uint8. As v' is a unit row, neither step nor length have to be kept, and the
same bytes are the same vector everywhere: |2 q + 1|² is a sum of integers, and exact.

Rows that came out of `decode` are encoded to the bytes that they came from.

Cost: some nanoseconds a number to encode, half of one to decode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.types import Vectors

Codes = npt.NDArray[np.uint8]

_REACH = 2.7  # standard deviations that 7.5 steps cover
_LEVELS = 16
_BLOCK_NUMBERS = 1 << 22  # that are decoded at once
_NEARLY = 1e-3  # of a step: more than float32 loses

_BYTES = np.arange(256, dtype=np.uint8)
_TWICE = (
    np.stack([_BYTES & 15, _BYTES >> 4], axis=1).astype(np.float32) * 2 - 15
)  # of a byte, 2 q + 1 of both
_PAIRS = _TWICE.view(np.uint64)[:, 0]  # both taken as one


def encode(vectors: Vectors) -> Codes:
    """Encode unit rows.

    Parameters
    ----------
    vectors : (n, d) float32
        Finite; d even.

    Returns
    -------
    (n, d / 2) uint8
    """
    n, d = vectors.shape
    steps = np.full((n, 1), _REACH / d**0.5 / (_LEVELS / 2 - 0.5))
    smallest = np.abs(vectors).min(axis=1, keepdims=True, initial=np.inf)
    # What was decoded consists of odd multiples of its smallest number: half a step, but in rare cases.
    odd = vectors / np.where(smallest > 0, smallest, np.inf)
    is_decoded = (np.abs(odd - 2 * np.floor(odd / 2) - 1) < _NEARLY).all(axis=1) & (smallest[:, 0] > 0)
    steps[is_decoded] = 2 * smallest[is_decoded]
    codes = np.clip(np.floor(vectors / steps) + _LEVELS // 2, 0, _LEVELS - 1).astype(np.uint8)
    packed: Codes = codes[:, ::2] | (codes[:, 1::2] << 4)
    return packed


def decode(codes: Codes) -> Vectors:
    """Return the unit rows that codes stand for.

    Parameters
    ----------
    codes : (n, d / 2) uint8

    Returns
    -------
    (n, d) float32
    """
    rows = np.take(_PAIRS, codes).view(np.float32)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]  # of integers below 2²⁴: exact in any order
    return rows


def rounded(vectors: Vectors) -> Vectors:
    """Return unit rows as they are once they were kept; rows that are not finite, or zeros, stay so.

    Parameters
    ----------
    vectors : (n, d) float32
    """
    is_usual = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    found = vectors.copy()
    found[is_usual] = decode(encode(vectors[is_usual]))
    return found


class CodedRows:
    """Rows in four bits, as much of an array of float32 as indexes ask of one; decoded as they are taken.

    Parameters
    ----------
    codes : (n, d / 2) uint8
        Memory-mapped, or not.
    """

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self.shape = (len(codes), 2 * codes.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Vectors:
        """Return the rows of a slice, or of (m,) numbers or a (n,) mask; or one row, (d,), by its number."""
        taken = np.asarray(self.codes[rows])
        return decode(taken) if taken.ndim == 2 else decode(taken[None])[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        whole = np.empty(self.shape, np.float32)
        step = max(1, _BLOCK_NUMBERS // max(1, self.shape[1]))
        for start in range(0, len(self), step):
            whole[start : start + step] = self[start : start + step]
        return whole if dtype is None else whole.astype(dtype, copy=False)
