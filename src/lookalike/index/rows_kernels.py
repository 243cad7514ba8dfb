"""The kernels that all trees share; see native/rows.cpp. Inputs are already checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel, kernels_of
from lookalike.types import Vectors

Doubles = npt.NDArray[np.float64]

_measure_lengths = kernel("rows_measure_lengths", "a ii a")
_center = kernels_of("rows_center", "f4 u1", "aa ii d aaa")


def measure_lengths(rows: Vectors) -> Doubles:
    """Return the length of each row, (n,) float64.

    Rows and queries go through the same code: a row that is also a query has to be found at distance 0.
    """
    lengths = np.empty(len(rows))
    _measure_lengths(at(rows, np.float32), *rows.shape, at(lengths, np.float64))
    return lengths


def center_rows(
    rows: npt.NDArray[Any], lengths: Doubles, scale: float, center: Doubles, block: Doubles, squares: Doubles
) -> None:
    """Write centered rows, which are to be turned to the axes, (n, d) float64, and their squared lengths.

    Parameters
    ----------
    rows : (n, d) float32 or uint8
    lengths : (n,) or (0,) float64
        What rows are divided by.
    center : (2, d) float64
        Taken away before scaling, and after it.
    block : (n, d) float64
        OUT.
    squares : (n,) float64
        OUT.
    """
    _center[rows.dtype](
        at(rows, rows.dtype.type), at(lengths, np.float64) if len(lengths) else None, *rows.shape, scale,
        at(center, np.float64), at(block, np.float64), at(squares, np.float64),
    )  # fmt: skip
