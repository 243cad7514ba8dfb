"""Rows in pieces: vectors that lie in several files, searched where they lie.

Layout: pieces of (n_i, d) float32, one behind the other; most are memory-mapped, each a stretch of one file.
Of rows in four bits, what is taken is decoded.
What is taken out of them is an array of its own, unless it lies in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.four_bits import CodedRows
from lookalike.types import Vectors


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where some rows lie, one behind the other.

    Attributes
    ----------
    file : Path
    offset : int
        Bytes before the first.
    n : int
    is_coded : bool
        Whether they lie in four bits a number, see `lookalike.four_bits`; else in float32.
    """

    file: Path
    offset: int
    n: int
    is_coded: bool = False

    def map(self, dimension: int) -> Vectors | CodedRows:
        """Return the rows, (n, dimension) float32 or coded, memory-mapped.

        Raises
        ------
        OSError, ValueError
            If the file is not there, or too short.
        """
        if self.is_coded:
            shape = self.n, dimension // 2
            return CodedRows(np.memmap(self.file, np.uint8, "r", self.offset, shape))
        return np.memmap(self.file, np.float32, "r", self.offset, (self.n, dimension))


class RowParts:
    """Rows, (n, d) float32, of several pieces; as much of an array as indexes ask of one.

    Parameters
    ----------
    pieces : iterable of (n_i, d) float32, or CodedRows
        At least one.
    places : iterable of (Stretch or None)
        Where each lies, None for one that lies in memory.

    Examples
    --------
    >>> rows = RowParts([np.eye(2, dtype=np.float32), np.ones((1, 2), np.float32)], [None, None])
    >>> rows.shape, rows[1:].tolist(), rows[np.array([2, 0])].tolist()
    ((3, 2), [[0.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]])
    """

    def __init__(self, pieces: Iterable[Vectors | CodedRows], places: Iterable[Stretch | None]) -> None:
        self.pieces, self.places = tuple(pieces), tuple(places)
        self._starts = np.cumsum([0, *map(len, self.pieces)])
        self.shape = (int(self._starts[-1]), self.pieces[0].shape[1])
        self.size = self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        whole = np.concatenate([np.asarray(piece) for piece in self.pieces])
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __getitem__(self, rows: Any) -> Any:
        """Return a row by its number, or those of a slice of step 1, of (m,) numbers or of a (n,) mask."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            pieces = [self.pieces[part][inside] for part, inside in self._within(start, stop)]
            if len(pieces) == 1:
                return np.asarray(pieces[0])
            return np.concatenate([np.empty((0, self.shape[1]), np.float32), *pieces])
        numbers = np.asarray(rows)
        if numbers.dtype == bool:
            numbers = np.flatnonzero(numbers)
        flat = np.atleast_1d(numbers).astype(np.intp, copy=False)
        part_of = np.searchsorted(self._starts, flat, side="right") - 1
        taken = np.empty((len(flat), self.shape[1]), np.float32)
        for part in np.unique(part_of).tolist():
            here = np.flatnonzero(part_of == part)
            taken[here] = self.pieces[part][flat[here] - self._starts[part]]
        return taken if numbers.ndim else taken[0]

    def blocks(self, most: int) -> Iterator[slice]:
        """Give slices of at most so many rows, each within one piece."""
        for start, stop in zip(self._starts[:-1].tolist(), self._starts[1:].tolist(), strict=True):
            for first in range(start, stop, most):
                yield slice(first, min(first + most, stop))

    def _within(self, start: int, stop: int) -> Iterator[tuple[int, slice]]:
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        for part in range(max(first, 0), len(self.pieces)):
            begin, end = int(self._starts[part]), int(self._starts[part + 1])
            if begin >= stop:
                break
            inside = slice(max(start, begin) - begin, min(stop, end) - begin)
            if inside.start < inside.stop:
                yield part, inside
