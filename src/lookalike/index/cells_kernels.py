"""The kernel of `cells`: one query against all cells of all pictures; see native/cells.cpp.

The arrays are described in `cells`. Inputs are already checked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Ids, Vectors

Codes = npt.NDArray[np.uint8]

_best = kernel("cells_best", "aid ai ai aa")


def best(
    query: npt.NDArray[np.int16], unit: float, cells: Codes, chosen: Ids, cosines: Vectors, places: Codes
) -> None:
    """Find the nearest cell of each picture.

    Parameters
    ----------
    query : (d,) int16
        In steps of `unit`: the numbers at even places, then those at odd ones.
    cells : (m, n_cells, d / 2) uint8
        Of all pictures; those in the order of `chosen`, (n,), where that is not empty.
    cosines, places : (n,) float32 and uint8
        OUT: how near the nearest cell is, and which one it is.
    """
    _best(
        at(query, np.int16), cells.shape[2], unit, at(cells, np.uint8), cells.shape[1],
        at(chosen, np.int64) if len(chosen) else None, len(cosines),
        at(cosines, np.float32), at(places, np.uint8),
    )  # fmt: skip
