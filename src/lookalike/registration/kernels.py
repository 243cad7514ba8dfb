"""The loops of `registering`; see native/registration.cpp.

Inputs are already checked. A matrix, (2, 3), leads from (x, y, 1) of picture a to (x, y) of picture b; both
are at least 2 × 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Vectors

Matrix = npt.NDArray[np.float64]

_refine = kernel("registration_refine", "aii aii aia")
_score = kernel("registration_score", "aii aii a", "d")


def refine(a: Vectors, b: Vectors, matrix: Matrix, n_steps: int) -> tuple[float, float, float, float]:
    """Fit b to a, from a first guess of the matrix, OUT; return correlation, gain, bias, overlap.

    A step that makes the correlation much worse, or leads away, is not taken.
    """
    found = np.empty(4)
    _refine(
        at(a, np.float32), *a.shape, at(b, np.float32), *b.shape, at(matrix, np.float64), n_steps,
        at(found, np.float64),
    )  # fmt: skip
    correlation, gain, bias, overlap = found.tolist()
    return correlation, gain, bias, overlap


def score(a: Vectors, b: Vectors, matrix: Matrix) -> float:
    """Return the mean correlation of blocks, weighted by their texture; minus 2 where nothing has any."""
    found: float = _score(at(a, np.float32), *a.shape, at(b, np.float32), *b.shape, at(matrix, np.float64))
    return found
