"""What a network takes a picture for: the likeliest 20 of the 1,000 classes of ImageNet, in 60 bytes.

A row is 20 numbers of classes, uint16 little-endian, the likeliest first, then 20 codes of their
probabilities, a byte each. A probability p is kept as its log-odds, 255 steps from -9 to 9: what matters in
sums and orders is the ratio, of the probable and of the improbable. A step is 7 % of p, or of 1 - p; below
.0001 it is 0, and so is the code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

KEPT = 20
N_CLASSES = 1_000
WIDTH = 3 * KEPT

_LARGEST = 9.0  # log-odds
_STEPS = 254 / (2 * _LARGEST)


def encode(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Keep the likeliest classes.

    Parameters
    ----------
    logits : (n, 1000) float32
        What the last layer gives. Of rows that are not finite, nothing is probable.

    Returns
    -------
    (n, 60) uint8
    """
    is_finite = np.isfinite(logits).all(axis=1, keepdims=True)
    exact = np.where(is_finite, logits, 0).astype(np.float64)
    powers = np.exp(exact - exact.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    ids = np.argsort(-probabilities, axis=1, kind="stable")[:, :KEPT]
    likeliest = np.take_along_axis(probabilities, ids, axis=1)
    with np.errstate(divide="ignore"):
        odds = np.log(likeliest) - np.log1p(-likeliest)  # of a 1, infinite
    codes = 1 + np.rint((np.minimum(odds, _LARGEST) + _LARGEST) * _STEPS)
    codes[(odds < -_LARGEST) | ~is_finite] = 0
    rows = np.empty((len(logits), WIDTH), np.uint8)
    rows[:, : 2 * KEPT] = ids.astype("<u2").view(np.uint8)
    rows[:, 2 * KEPT :] = codes
    return rows


def decode(rows: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
    """Read what `encode` made.

    Parameters
    ----------
    rows : (n, 60) uint8

    Returns
    -------
    ids : (n, 20) uint16
        Numbers of classes, the likeliest first.
    probabilities : (n, 20) float32
    """
    ids = np.ascontiguousarray(rows[:, : 2 * KEPT]).view("<u2").astype(np.uint16)
    return ids, _PROBABILITIES[rows[:, 2 * KEPT :]]


_ODDS = (np.arange(256) - 1) / _STEPS - _LARGEST
_PROBABILITIES = (1 / (1 + np.exp(-_ODDS))).astype(np.float32)
_PROBABILITIES[0] = 0
