"""The nearest of many pictures by their vectors, told apart by what tells edits from other pictures.

Vectors say what pictures show, and most of their variance is of what many have in common. So they are
*whitened*: centered, turned to their principal axes, divided by the standard deviation along each, and scaled
to length 1. How many axes are kept depends on how many pictures there are to find them by: of 560 photos on a
page of text, among 2,500, 85 and 89 of 100 then have the photo among their four nearest, or the other way
round, with 468 and 1,024 axes of `lite0-deep-int8`; with more axes fewer strangers are near by chance. Five
nearest are looked at, and up to ten that are very near: pages of one form are each other's nearest, before a
crop of one of them.

All against all, rows are put into cells around centroids, some 100 a cell (more where there are many cells),
and each row is compared with those of its 32 nearest cells; where there are few cells, and where some are
asked for, with all. (With 8 cells, a third of the screenshots that all rows find were missed: their photo is
among the nearest at a cosine of 0.2, and lies in any cell.)

Cost: n · (cells + 32 · rows a cell) products of 1,024 terms, for 60,000 rows some seconds; 4 bytes a term and
row.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike import lloyd
from lookalike.pca import principal_axes
from lookalike.system.blas_threads import one_blas_thread
from lookalike.system.cores import usable_cores
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Vectors

N_NEAREST, N_ALWAYS = 10, 5
"""Of each picture, how many are looked at where they are very near, and how many in any case."""

N_SAMPLE = 4_096
"""Pictures by which the axes are found, at most."""

_MOST_AXES = 1_024
_PICTURES_AN_AXIS = 4  # to know its variance by
_FEWEST_AXES = 64  # with fewer, all that differs between two pictures would be lost
_MOST_BYTES = 2 << 30  # of all rows
_VERY_NEAR = 0.7  # a cosine of whitened rows
_PLAIN = 0.5, 0.85  # where they are not: cosines of what is looked at in any case, and of very near
_BEYOND_CHANCE, _LEAST = (
    6.4,
    (0.2, 0.3),
)  # cosines of strangers spread by 1 / sqrt(axes); so many times that, within
_A_CELL, _MOST_CELLS = 100, 4_096
_MOST_A_CELL = 8_192  # rows that all who probe it are compared with
_PROBED = 32  # cells that a row is compared with
_ROUNDS, _ROWS_A_CELL = 5, 40  # of finding centroids
_AT_ONCE = 1_024  # rows whose cells are found at once
_BLOCK_VALUES = 1 << 23  # of products at a time: 32 MB

Rows = npt.NDArray[np.intp]


class NearestRows(NamedTuple):
    """The nearest of some rows.

    Attributes
    ----------
    rows : (k, 10) intp
        -1 where there is none that is near enough.
    cosines : (k, 10) float32
    """

    rows: Rows
    cosines: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Whitening:
    """From vectors to the rows that are compared.

    Attributes
    ----------
    center : (d,) float32
    axes : (d, m) float32
        Divided by the standard deviations.
    least : (float, float)
        The least cosines of the five nearest, and of the others.
    """

    center: Vectors
    axes: Vectors | None
    least: tuple[float, float]

    @classmethod
    def of(cls, sample: Vectors, n: int) -> Whitening:
        """Find the axes by some vectors, (s, d), for rows of n pictures."""
        d = sample.shape[1]
        unit = _unit(sample)
        n_axes = min(_MOST_AXES, 2 * d // 3, len(sample) // _PICTURES_AN_AXIS, max(1, _MOST_BYTES // (4 * n)))
        if n_axes < _FEWEST_AXES:
            return cls(np.zeros(d, np.float32), None, _PLAIN)
        center = unit.mean(axis=0, dtype=np.float64)
        centered = unit - center
        axes = principal_axes(centered, n_axes, np.random.default_rng(0))
        along = centered.astype(np.float32) @ axes.astype(np.float32)
        variances = np.einsum("ij,ij->j", along, along, dtype=np.float64) / len(sample)
        # The smallest are of few pictures, or noise: not to be made as large as the others.
        scales = 1 / np.sqrt(variances + variances[len(variances) // 2] + 1e-12)
        least = float(np.clip(_BEYOND_CHANCE / np.sqrt(n_axes), *_LEAST))
        return cls(center.astype(np.float32), (axes * scales).astype(np.float32), (least, _VERY_NEAR))

    @property
    def n_axes(self) -> int:
        """Of how many terms the rows are."""
        return len(self.center) if self.axes is None else int(self.axes.shape[1])

    def rows(self, vectors: Vectors) -> Vectors:
        """Return the rows of some vectors: (m, d) to (m, n_axes), of length 1."""
        unit = _unit(vectors)
        return unit if self.axes is None else _unit(unit @ self.axes - self.center @ self.axes)


def nearest_rows(
    whitened: Vectors,
    asked: Rows,
    least: tuple[float, float],
    *,
    by_cells: bool | None = None,
    watch: Watch = UNWATCHED,
) -> NearestRows:
    """Find the nearest others of some rows.

    Parameters
    ----------
    whitened : (n, m) float32
        Of length 1; zeros where nothing is known, which are near to nothing.
    asked : (k,) intp
    least : (float, float)
        The least cosines of the five nearest, and of the others.
    by_cells : bool, optional
        Whether rows are compared with those of the nearest cells only; by default, where that is faster.
    watch : Watch
    """
    n = len(whitened)
    n_cells = min(_MOST_CELLS, n // _A_CELL)
    best = _Best(np.full((n, N_NEAREST), -1, np.intp), np.full((n, N_NEAREST), -np.inf, np.float32))
    if by_cells is None:
        by_cells = n_cells > 4 * _PROBED and len(asked) > n // 8
    if n_cells < 1 or not by_cells:
        _compare_all(whitened, asked, best, watch)
    else:
        _compare_cells(whitened, asked, n_cells, best, watch)
    rows, cosines = best.rows[asked], best.cosines[asked]
    is_near = cosines >= np.where(np.arange(N_NEAREST) < N_ALWAYS, *least).astype(np.float32)
    return NearestRows(np.where(is_near, rows, -1), np.where(is_near, cosines, 0))


class _Best(NamedTuple):
    """The nearest of all rows so far, (n, 10): which, and how near, nearest first."""

    rows: Rows
    cosines: npt.NDArray[np.float32]

    def take(self, asked: Rows, rows: Rows, cosines: npt.NDArray[np.float32]) -> None:
        """Take in others of some rows, (k, …), which were not there yet."""
        both = np.concatenate([self.cosines[asked], cosines], axis=1)
        named = np.concatenate([self.rows[asked], rows], axis=1)
        # By cosine, then by row, whatever came first.
        order = np.lexsort((named, -both), axis=1)[:, :N_NEAREST]
        self.cosines[asked] = np.take_along_axis(both, order, axis=1)
        self.rows[asked] = np.take_along_axis(named, order, axis=1)


def _top(products: Vectors) -> tuple[Rows, npt.NDArray[np.float32]]:
    """Return the columns and values of each row's largest products, (k, 10)."""
    columns = np.argpartition(products, -N_NEAREST, axis=1)[:, -N_NEAREST:]
    return columns, np.take_along_axis(products, columns, axis=1)


def _compare_all(whitened: Vectors, asked: Rows, best: _Best, watch: Watch) -> None:
    width = max(1, min(len(whitened), _BLOCK_VALUES // 256))
    step = 256
    for done, start in enumerate(range(0, len(asked), step)):
        some = asked[start : start + step]
        for first in range(0, len(whitened), width):
            watch(Progress("neighbors", done * step, len(asked), "looking for nearest images", unit="images"))
            products = whitened[some] @ whitened[first : first + width].T
            is_own = (some >= first) & (some < first + width)
            products[np.flatnonzero(is_own), some[is_own] - first] = -np.inf
            _take_top(products, some, np.arange(first, min(first + width, len(whitened))), best)


def _take_top(products: Vectors, asked: Rows, named: Rows, best: _Best, lock: Lock | None = None) -> None:
    if products.shape[1] <= N_NEAREST:
        products = np.pad(products, ((0, 0), (0, N_NEAREST)), constant_values=-np.inf)
        named = np.append(named, [-1] * N_NEAREST)
    columns, values = _top(products)
    rows = named[columns]
    with lock or nullcontext():
        best.take(asked, rows, values)


def _compare_cells(whitened: Vectors, asked: Rows, n_cells: int, best: _Best, watch: Watch) -> None:
    watch.say("neighbors", "looking for nearest images")
    with one_blas_thread(), ThreadPoolExecutor(usable_cores()) as pool:
        try:
            centroids = _find_centroids(whitened, n_cells, pool, watch)
            probed = _find_cells(whitened, centroids, pool, watch)
            members = _Cells.of(probed[:, 0], np.arange(len(whitened)), n_cells)
            rising = np.sort(asked)
            probing = _Cells.of(probed[rising].ravel(), np.repeat(rising, _PROBED), n_cells)
            compare = partial(_compare_cell, whitened, members, probing, best, Lock(), watch)
            for done, _ in enumerate(pool.map(compare, range(n_cells))):
                watch(Progress("neighbors", n_cells + done, 2 * n_cells, "looking for nearest images"))
        finally:
            pool.shutdown(cancel_futures=True)


class _Cells(NamedTuple):
    """Rows by cell, rising within each: those of a cell lie from starts[cell] to starts[cell + 1]."""

    rows: Rows
    starts: Rows

    @classmethod
    def of(cls, cells: npt.NDArray[np.integer], rows: Rows, n_cells: int) -> _Cells:
        counts = np.bincount(cells, minlength=n_cells)
        order = np.argsort(cells, kind="stable")
        return cls(rows[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.intp))

    def at(self, cell: int) -> Rows:
        return self.rows[self.starts[cell] : self.starts[cell + 1]]


def _find_centroids(whitened: Vectors, n_cells: int, pool: ThreadPoolExecutor, watch: Watch) -> Vectors:
    """Return the centroids of cells, (n_cells, m), after some rounds of k-means on a sample."""
    random, n = np.random.default_rng(0), len(whitened)
    sample = np.sort(random.choice(n, min(n, _ROWS_A_CELL * n_cells), replace=False))
    parts = [sample[start : start + _AT_ONCE] for start in range(0, len(sample), _AT_ONCE)]
    centroids: Vectors = whitened[random.choice(sample, n_cells, replace=False)]
    for _ in range(_ROUNDS):
        near = watch.each(pool.map(partial(_cells_of, whitened, centroids), parts))
        centroids = _unit(lloyd.means(whitened[sample], np.concatenate(list(near)), centroids, watch.quiet()))
    return centroids


def _cells_of(whitened: Vectors, centroids: Vectors, rows: Rows) -> npt.NDArray[np.int64]:
    """Return the nearest cell of some rows."""
    found: npt.NDArray[np.int64] = (whitened[rows] @ centroids.T).argmax(axis=1)
    return found


def _find_cells(
    whitened: Vectors, centroids: Vectors, pool: ThreadPoolExecutor, watch: Watch
) -> npt.NDArray[np.int32]:
    """Return the cells that each row is compared with, (n, 8), its own first."""
    probed = np.empty((len(whitened), _PROBED), np.int32)

    def find(start: int) -> None:
        part = slice(start, start + _AT_ONCE)
        products = whitened[part] @ centroids.T
        cells = np.argpartition(products, -_PROBED, axis=1)[:, -_PROBED:]
        order = np.argsort(-np.take_along_axis(products, cells, axis=1), axis=1, kind="stable")
        probed[part] = np.take_along_axis(cells, order, axis=1)

    starts = range(0, len(whitened), _AT_ONCE)
    for done, _ in enumerate(pool.map(find, starts)):
        watch(Progress("neighbors", done, 2 * len(starts), "looking for nearest images"))
    return probed


def _compare_cell(
    whitened: Vectors, members: _Cells, probing: _Cells, best: _Best, lock: Lock, watch: Watch, cell: int
) -> None:
    """Compare the rows that probe a cell with those in it."""
    inside, asking = members.at(cell), probing.at(cell)
    if not len(inside):
        return
    # A crowd is of rows that are all alike, such as white pages: any of them are as near.
    firsts = inside[::_MOST_A_CELL]
    part_of = np.maximum(np.searchsorted(firsts, asking, side="right") - 1, 0)
    for part in range(len(firsts)):
        some = inside[part * _MOST_A_CELL : (part + 1) * _MOST_A_CELL]
        _compare_part(whitened, some, asking[part_of == part], best, lock, watch)


def _compare_part(
    whitened: Vectors, inside: Rows, asking: Rows, best: _Best, lock: Lock, watch: Watch
) -> None:
    """Compare some rows with those in a cell, or in a part of it; both rise."""
    of_cell = whitened[inside]
    step = max(1, _BLOCK_VALUES // (4 * len(inside)))
    for start in range(0, len(asking), step):
        watch.check()
        some = asking[start : start + step]
        products = whitened[some] @ of_cell.T
        at = np.searchsorted(inside, some)
        is_own = inside[np.minimum(at, len(inside) - 1)] == some
        products[np.flatnonzero(is_own), at[is_own]] = -np.inf
        _take_top(products, some, inside, best, lock)


def _unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return rows of length 1; those that are zero stay so."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    scales = (1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    found: npt.NDArray[np.float32] = rows.astype(np.float32, copy=False) * scales[:, None]
    return found
