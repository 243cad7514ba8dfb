"""Rows as bytes, and bounds that prove which of them have to be measured.

Idea
----
To compare a query with every row takes as long as reading the rows from memory. So the rows are kept a
second time, a byte a number, a quarter of the size; what a row loses by that, its *error* e, is known. For
what the bytes of row and query stand for, x' and q', the triangle inequality says

    |q' - x'| - e_x - e_q  <=  |q - x|  <=  |q' - x'| + e_x + e_q

The k smallest of the upper bounds give a reach. Rows whose lower bound lies beyond it are none of the k
nearest. The others, some dozens, are measured in float64 on the original rows, nearest bound first, until the
next bound is out of reach of the k found so far.

Layout
------
    codes (n, d) int8 · facts (n, 2) float32: |x'|² and e · steps (d,) float64: the unit of each number's
    codes · center (d,) float64: the mean · scale: a power of two, by which no row is longer than 1 from it

x' is ``codes * steps``; rows are taken from the center first, for cosine after they were divided by their
lengths. Steps are such that 999 of 1,000 numbers end at two thirds of the largest code; what is beyond 127 is
cut, and e says so. A query's integers have 16 bits, fewer where their products with 127 might not fit into
32.

Rounding: products of integers are exact; |x'|² is kept in float32, and the rest computed in float64. So a
squared distance is off by less than 2.4e-7 of (1 + |q|)², with rows up to twice the longest. Rows whose
distances from the center are less than 1e-6 of their own length are not kept as bytes, so that what float64
loses in centring stays below 1e-10 · sqrt(d) of the longest. ``_ROUNDING`` is more than both.

Cost: making it reads all rows twice, some nanoseconds a number; a search n · d products of bytes, in two
threads where that takes some milliseconds and nobody else does, so 5 ms for 100,000 rows of 1,280. Taking in
rows copies all.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexFileError
from lookalike.index.folder import read, write
from lookalike.index.parallel import sealed
from lookalike.index.row_parts import RowParts
from lookalike.system.cores import usable_cores
from lookalike.system.memory import rows_at_once
from lookalike.types import Ids, Metric, Vectors

LEAST_ROWS, LEAST_DIMENSIONS, MOST_DIMENSIONS = 64, 16, 1 << 16

_KIND, _FORMAT = "exact-bytes", 1
_ARRAYS = ("codes", "facts", "steps", "center")
_USUAL, _BEYOND_USUAL, _LEAST_STEP = 0.999, 1.5, 1 / 64
_LARGEST_CODE = 127
_SAMPLE_ROWS = 4_096
_BLOCK_NUMBERS = 1 << 16  # of rows that are made bytes at once: in float64, they stay in the cache
_ROUNDED_UP = 1 + 1e-6  # more than float32 rounds
_LEAST_SPREAD = 1e-6
_LONGEST, _LONGEST_QUERY = (
    2.0,
    1e3,
)  # from the center, in units of the longest row: the bounds hold up to that
_ROUNDING = 4e-6
_SHARED_BYTES = 1 << 24  # of codes, that are worth a second thread
_MOST_MEASURED = 16  # times k, or one in so many rows: beyond, the product of all with all is quicker
_MARKED = 64
_CHECKED = 1_024  # rows of codes

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ByteRows:
    """Rows as bytes. They do not change; what changes them gives others."""

    codes: npt.NDArray[np.int8]
    facts: Vectors
    steps: Doubles
    center: Doubles
    scale: float

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, sealed(getattr(self, name)))
        object.__setattr__(self, "_second_thread", threading.Lock())

    @classmethod
    def make(cls, rows: Vectors | RowParts, lengths: Doubles) -> ByteRows | None:
        """Make them of rows, which are divided by `lengths` if there are any; None where they cannot help."""
        n, d = rows.shape
        if n < LEAST_ROWS or not LEAST_DIMENSIONS <= d <= MOST_DIMENSIONS:
            return None
        chosen = np.unique(np.linspace(0, n - 1, rows_at_once(d, _SAMPLE_ROWS)).astype(np.intp))
        sample = rows[chosen].astype(np.float64)
        if len(lengths):
            sample /= lengths[chosen, None]
        center = sample.mean(axis=0)
        sample -= center
        longest = _longest(rows, lengths, center)
        own = 1.0 if len(lengths) else _longest(rows, lengths, np.zeros(d))
        if not _LEAST_SPREAD * own < longest < np.inf:
            return None
        scale = float(np.ldexp(1.0, -int(np.frexp(longest)[1])))
        sample *= scale
        steps = np.quantile(np.abs(sample), _USUAL, axis=0) * (_BEYOND_USUAL / _LARGEST_CODE)
        if not steps.max() > 0:
            return None
        steps = np.maximum(steps, steps.max() * _LEAST_STEP)
        empty = cls(np.empty((0, d), np.int8), np.empty((0, 2), np.float32), steps, center, scale)
        return empty.with_more(rows, lengths)

    def with_more(self, rows: Vectors | RowParts, lengths: Doubles) -> ByteRows | None:
        """Return them with more rows behind; None where the bounds would not hold for those."""
        n = len(self.codes)
        codes = np.empty((n + len(rows), rows.shape[1]), np.int8)
        facts = np.empty((n + len(rows), 2), np.float32)
        codes[:n], facts[:n] = self.codes, self.facts

        def encode(part: slice) -> float:
            out = slice(n + part.start, n + part.stop)
            block = _centered(rows[part], lengths[part], self.center)
            block *= self.scale
            longest = float(np.einsum("ij,ij->i", block, block).max())
            code = block / self.steps
            np.clip(np.rint(code, out=code), -_LARGEST_CODE, _LARGEST_CODE, out=code)
            codes[out] = code
            code *= self.steps
            block -= code
            facts[out, 0] = np.einsum("ij,ij->i", code, code)
            facts[out, 1] = np.sqrt(np.einsum("ij,ij->i", block, block)) * _ROUNDED_UP
            return longest

        longest = np.sqrt(max(_in_blocks(rows, encode), default=0.0))
        return replace(self, codes=codes, facts=facts) if longest <= _LONGEST else None

    def without(self, gone: npt.NDArray[np.bool_]) -> ByteRows:
        """Return them without some rows."""
        return replace(self, codes=self.codes[~gone], facts=self.facts[~gone])

    def at(self, rows: Rows) -> ByteRows:
        """Return those of some rows, in this order."""
        return replace(self, codes=self.codes[rows], facts=self.facts[rows])

    def find(
        self, query: Doubles, k: int, rows: Vectors | RowParts, lengths: Doubles, chosen: Rows | None
    ) -> npt.NDArray[np.int64] | None:
        """Return the k rows nearest to a query, with those that may be as near but for rounding.

        Parameters
        ----------
        query : (d,) float64
            For cosine of length 1.
        k : int
            At most the number of rows that are searched.
        rows, lengths
            The original ones.
        chosen : (m,) int64, optional
            Search only these, whose numbers rise.

        Returns
        -------
        (m,) int64
            In no order. None if comparing the query with every row as it is would be quicker.
        """
        from lookalike.index import byte_rows_kernels as kernels

        codes = np.empty(len(query), np.int16)
        unit, squared, lost, length = kernels.encode_query(query, self.scale, self.center, self.steps, codes)
        if not length <= _LONGEST_QUERY:
            return None
        rounding = _ROUNDING * (1 + length)
        some = np.empty(0, np.int64) if chosen is None else chosen
        n = len(self.codes) if chosen is None else len(chosen)
        nearest = np.empty(n, np.float32)

        def scan(start: int, end: int) -> Doubles:
            part = slice(None) if chosen is not None else slice(start, end)
            farthest = np.empty(min(k, end - start))
            size = kernels.scan(
                codes, unit, squared, lost, rounding * (1 + length), self.codes[part], self.facts[part],
                sealed(some[start:end]), nearest[start:end], farthest,
            )  # fmt: skip
            return farthest[:size]

        farthest = self._in_parts(scan, n)
        reach = float(np.partition(farthest, k - 1)[k - 1]) + rounding
        most = max(_MOST_MEASURED * k, n // _MOST_MEASURED)
        if isinstance(rows, RowParts):
            near = np.flatnonzero(nearest <= reach)
            if len(near) > most:
                return None
            numbers = near if chosen is None else chosen[near]
            found, is_done = kernels.measure_near(
                query, self.scale, rounding, reach, nearest[near], sealed(rows[numbers]),
                sealed(lengths[numbers] if len(lengths) else lengths), sealed(np.empty(0, np.int64)), k, most
            )  # fmt: skip
            return numbers[found] if is_done else None
        found, is_done = kernels.measure_near(
            query, self.scale, rounding, reach, nearest, rows, lengths, sealed(some), k, most
        )
        return found if is_done else None

    def _in_parts(self, scan: Callable[[int, int], Doubles], n: int) -> Doubles:
        """Scan n rows, in two threads where it pays, and nobody else does."""
        helper: threading.Lock = self._second_thread  # type: ignore[attr-defined]
        is_large = n * self.codes.shape[1] >= _SHARED_BYTES
        # A child that was forked while it was held scans alone.
        if not is_large or usable_cores() < 2 or not helper.acquire(blocking=False):
            return scan(0, n)
        try:
            with ThreadPoolExecutor(1) as pool:
                first = pool.submit(scan, 0, n // 2)
                second = scan(n // 2, n)
                return np.concatenate([first.result(), second])
        finally:
            helper.release()

    def save(self, folder: Path, metric: Metric, ids: Ids, rows: Vectors | RowParts) -> None:
        """Write them to a folder, with what tells which rows they are of."""
        facts = {
            "kind": _KIND,
            "format": _FORMAT,
            "metric": metric,
            "scale": self.scale,
            "of": _mark(ids, rows),
            "whole": self._checksum(),
        }
        write(folder, facts, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, folder: Path, ids: Ids, rows: Vectors | RowParts) -> ByteRows:
        """Open saved ones, memory-mapped.

        Raises
        ------
        IndexFileError
            If there are none, or they are damaged, or of other rows.
        """
        facts, arrays = read(folder, _KIND, _FORMAT, _ARRAYS)
        codes, of = arrays["codes"], arrays["facts"]
        fits = codes.dtype == np.int8 and codes.shape == rows.shape and of.shape == (len(rows), 2)
        if not fits or facts.get("of") != _mark(ids, rows) or not isinstance(facts.get("scale"), float):
            raise IndexFileError(f"the bytes in {folder} are of other rows")
        found = cls(codes, of, arrays["steps"], arrays["center"], facts["scale"])
        if facts.get("whole") != found._checksum():
            raise IndexFileError(f"the bytes in {folder} are damaged")
        return found

    def _checksum(self) -> int:
        """Return that of all but the codes, and of some of these: enough to see what a power cut left out."""
        some = np.linspace(0, len(self.codes) - 1, min(len(self.codes), _CHECKED)).astype(np.intp)
        found = 0
        for part in (self.codes[some], self.facts, self.steps, self.center):
            found = zlib.crc32(np.ascontiguousarray(part).tobytes(), found)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return ByteRows, (*(np.array(getattr(self, name)) for name in _ARRAYS), self.scale)


def _mark(ids: Ids, rows: Vectors | RowParts) -> int:
    """Return a checksum of the ids, and of some of the rows."""
    some = np.linspace(0, len(rows) - 1, min(len(rows), _MARKED)).astype(np.intp)
    return zlib.crc32(
        np.ascontiguousarray(rows[some]).tobytes(), zlib.crc32(np.ascontiguousarray(ids).tobytes())
    )


def _longest(rows: Vectors | RowParts, lengths: Doubles, center: Doubles) -> float:
    """Return the length of the longest row, from the center."""

    def measure(part: slice) -> float:
        block = _centered(rows[part], lengths[part], center)
        return float(np.einsum("ij,ij->i", block, block).max())

    return float(np.sqrt(max(_in_blocks(rows, measure), default=0.0)))


def _centered(rows: Vectors, lengths: Doubles, center: Doubles) -> Doubles:
    block = rows.astype(np.float64)
    if len(lengths):
        block /= lengths[:, None]
    block -= center
    return block


def _in_blocks(rows: Vectors | RowParts, work: Callable[[slice], float]) -> list[float]:
    """Return what is found in blocks of rows, on all cores."""
    step = max(1, _BLOCK_NUMBERS // rows.shape[1])
    parts = (slice(start, min(start + step, len(rows))) for start in range(0, len(rows), step))
    if len(rows) <= step:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(work, parts))
