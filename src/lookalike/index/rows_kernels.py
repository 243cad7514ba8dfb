"""What the kernels of all trees share; see native/rows.cpp and rows.hpp. Inputs are already checked."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.system.native import Kernel, at, kernel, kernels_of
from lookalike.types import Ids, Vectors

OK, SHORT, NOT_FINITE, ZERO_ROW, _NO_MEMORY = range(5)  # the larger one wins

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


class Frame:
    """Where the arrays of a tree lie in memory, and the arrays themselves, so that they stay there.

    Parameters
    ----------
    tree : ctypes.Structure
        What a kernel reads.
    rows : (n, d) float32 or uint8
        By whose type a kernel is chosen.
    *parts
        What it is made of.
    """

    def __init__(self, tree: ctypes.Structure, rows: npt.NDArray[Any], *parts: Any) -> None:
        self.rows = rows
        self.address = ctypes.addressof(tree)
        self._tree, self._parts = tree, parts

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts  # arrays that are copied lie elsewhere


def find_within(
    kernels: Mapping[np.dtype[Any], Kernel],
    frame: Frame,
    query: Vectors,
    reach: float,
    distances: Doubles,
    found_rows: Ids,
) -> int:
    """Find all rows whose squared distance is at most `reach`; return how many, or -1 - what is wrong.

    Parameters
    ----------
    kernels : mapping
        Of the tree, by the type of its rows.
    query : (d,) float32
    distances : (n,) float64
        OUT, squared distances.
    found_rows : (n,) int64
        OUT, row numbers.
    """
    found: int = kernels[frame.rows.dtype](
        frame.address, at(query, np.float32), reach, at(distances, np.float64), at(found_rows, np.int64)
    )
    return found if found >= 0 else -1 - checked(-1 - found)


def checked(status: int) -> int:
    """Return what a kernel says of its queries.

    Raises
    ------
    MemoryError
        If that is that there was none.
    """
    if status == _NO_MEMORY:
        raise MemoryError("there is no memory for a search")
    return status
