"""Parts of pictures: which picture has a cell that is like a query, and which cell.

All cells are looked at, as they lie in the store: rows in four bits a number, see `lookalike.four_bits`, of
each picture as many. The query is written as integers of 16 bits; its product with a cell is one of integers,
and exact. Products and lengths are those of what the codes stand for, so that what comes out is their cosine.

Cost: of a picture of 9 cells with 160 numbers, 720 bytes are read; a million take some 0.3 s on one core.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.index.parallel import sealed
from lookalike.system.cores import usable_cores
from lookalike.types import Vectors

_LARGEST = 32_767
_SHARED = 20_000  # pictures, that are worth a second thread

Rows = npt.NDArray[np.intp]


class NearestCells(NamedTuple):
    """The nearest cell of each picture.

    Attributes
    ----------
    cosines : (n,) float32
    cells : (n,) uint8
        Their numbers.
    """

    cosines: Vectors
    cells: npt.NDArray[np.uint8]


def nearest_cells(
    query: Vectors, rows: npt.NDArray[np.uint8], n_cells: int, chosen: Rows | None = None
) -> NearestCells:
    """Find the nearest cell of each picture.

    Parameters
    ----------
    query : (d,) float32
        Of length 1; d even.
    rows : (m, n_cells * d / 2) uint8
    n_cells : int
    chosen : (n,) int64, optional
        Look only at these pictures.
    """
    from lookalike.index import cells_kernels as kernels

    unit = float(np.abs(query).max()) / _LARGEST or 1.0
    codes = np.rint(np.concatenate([query[::2], query[1::2]]) / unit).astype(np.int16)
    cells = np.ascontiguousarray(rows).reshape(len(rows), n_cells, len(query) // 2)
    some = np.empty(0, np.int64) if chosen is None else np.ascontiguousarray(chosen, np.int64)
    n = len(rows) if chosen is None else len(some)
    cosines, places = np.empty(n, np.float32), np.empty(n, np.uint8)

    def look(part: slice) -> None:
        of = cells[part] if chosen is None else cells
        if part.stop > part.start:
            kernels.best(codes, unit, of, sealed(some[part]), cosines[part], places[part])

    n_threads = min(usable_cores(), 1 + n // _SHARED)
    ends = np.linspace(0, n, n_threads + 1).astype(int).tolist()
    parts = [slice(*each) for each in itertools.pairwise(ends)]
    if n_threads == 1:
        look(parts[0])
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(look, parts))
    return NearestCells(cosines, places)
