"""All pairs of pictures whose hashes are near, in any turn; exactly, for a thousand pictures or a million.

Of a pair of rows a < b, the distance is the least number of bits in which a's hash differs from any of b's
eight turned ones. Two ways find the same pairs:

*All with all*, in blocks that stay in the cache, several pairs at once: bits that differ are counted by one
instruction where the processor has it, else by a table. 4 n² counts, some 5 to 15 thousand million a second.

*By chunks*: 64 bits are four chunks of 16. Hashes within 10 bits differ in at most 2 bits in one of the first
three chunks, or in at most 1 in the last: else there were 3 + 3 + 3 + 2 = 11. So for each chunk the first
hashes are sorted into 65,536 buckets, the turned ones as well, and those of one bucket are compared with
those of the 137 buckets within 2 bits of it, all with all, in the cache. A pair is reported by the first
chunk that has it. That is some hundredth of all pairs, and more where hashes crowd; the tables take 12 bytes
a hash. Of 60,000 pictures, plain and trimmed, it takes some 2 seconds, of a million 10.

Only pairs of which one is new are looked for, and of hashes of the trimmed only those of which one has
margins: others have the plain ones. Each picture keeps its 50 nearest, by distance, then by row; a pair is
found where one of the two keeps it. So a thousand white pages give 50,000 pairs rather than half a million,
and all of a heap's are among the same fifty.

References
----------
M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.duplicates import near_hashes_kernels as kernels
from lookalike.duplicates.hashing import N_TURNS, PLAIN, TRIMMED, Hashes
from lookalike.duplicates.near_hashes_kernels import Nearest, Rows
from lookalike.system.cores import usable_cores
from lookalike.system.progress import UNWATCHED, Progress, Watch

MOST = 50
"""Of one picture, the nearest pairs that are kept."""

RADIUS_PLAIN, RADIUS_TRIMMED = 10, 8
"""Bits in which the hashes of a pair may differ."""

MANY = 250_000
"""Pictures from which on plain hashes, too, have to be within 8 bits: by chance, each has many within 10."""

_MOST_COMPARED = 1e9  # pairs that are compared all with all: as long as sorting takes
_MOST_CROWDED = (
    2e10  # and pairs that are, where one in 50 is of hashes that share a chunk: the tables tell little
)
_CROWD = 0.02
_COMPARED_AT_ONCE = 2e7  # pairs of one task, at 8 turns some 30 ms
_JOINED_AT_ONCE = 256  # buckets of one task
_ROOM = 1 << 16  # pairs that a task may write before they are kept

Mask = npt.NDArray[np.bool_]


class HashPairs(NamedTuple):
    """Pairs of pictures whose hashes are near, sorted by their rows.

    Attributes
    ----------
    a, b : (m,) intp
        Rows, a < b.
    turn : (m,) uint8
        How b is to be turned to stand as a does, as EXIF's orientation says it, 1 to 8.
    distance : (m,) uint8
        Bits that differ.
    is_trimmed : (m,) bool
        Whether that is of the hashes of the trimmed, being less than of the plain ones.
    is_bounded : (n,) bool
        Which pictures have more pairs than are kept.
    """

    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    turn: npt.NDArray[np.uint8]
    distance: npt.NDArray[np.uint8]
    is_trimmed: Mask
    is_bounded: Mask


@dataclass(frozen=True, slots=True)
class _Search:
    """What is compared with what: the left with the right, and with one another where `is_among`.

    Attributes
    ----------
    left, right : (m,) uint32
        Rows, rising; none in both.
    """

    left: npt.NDArray[np.uint32]
    right: npt.NDArray[np.uint32]
    is_among: bool

    @property
    def n_pairs(self) -> float:
        n = float(len(self.left))
        return n * len(self.right) + (n * (n - 1) / 2 if self.is_among else 0.0)


def near_pairs(
    hashes: Hashes, is_new: Mask, *, most: int = MOST, watch: Watch = UNWATCHED, by_chunks: bool | None = None
) -> HashPairs:
    """Find all pairs of pictures whose hashes are near, of which at least one is new.

    Parameters
    ----------
    hashes : (n, 2, 8) uint64
        From `turned_hashes`.
    is_new : (n,) bool
    most : int
        Of each picture, the nearest to keep of the plain and of the trimmed ones; up to 256.
    watch : Watch
    by_chunks : bool, optional
        Whether to find them by chunks; by default, where that is faster.
    """
    n = len(hashes)
    hashes = np.ascontiguousarray(hashes, np.uint64)
    has_margins = (hashes[:, PLAIN] != hashes[:, TRIMMED]).any(axis=1)
    is_bounded = np.zeros(n, bool)
    radius = RADIUS_TRIMMED if n > MANY else RADIUS_PLAIN
    passes = (
        (PLAIN, radius, [_search(is_new, ~is_new, True)]),
        (
            TRIMMED,
            RADIUS_TRIMMED,
            [
                _search(is_new & has_margins, ~(is_new & has_margins), True),
                _search(~is_new & has_margins, is_new & ~has_margins, False),
            ],
        ),
    )
    found = []
    for row, reach, searches in passes:
        nearest = Nearest.of_none(n, most)
        for search in searches:
            if search.n_pairs:
                if by_chunks is None:
                    is_joined = _is_better_joined(hashes[:, row, 0], search.n_pairs)
                else:
                    is_joined = by_chunks
                work = _join_all if is_joined else _compare_all
                work(hashes[:, row], search, reach, nearest, watch)
        found.append(kernels.pairs_of(nearest))
        is_bounded |= nearest.is_bounded.astype(bool)
    plain, trimmed = found
    return _united(plain, trimmed, is_bounded)


def _is_better_joined(firsts: Hashes, n_pairs: float) -> bool:
    """Tell whether pairs are found sooner by chunks."""
    if n_pairs <= _MOST_COMPARED or n_pairs > _MOST_CROWDED:
        return n_pairs > _MOST_COMPARED
    chunks = (firsts & np.uint64(kernels.N_BUCKETS - 1)).astype(np.int64)
    counts = np.bincount(chunks, minlength=kernels.N_BUCKETS).astype(np.float64)
    return bool((counts**2).sum() < _CROWD * len(firsts) ** 2)


def _search(left: Mask, right: Mask, is_among: bool) -> _Search:
    return _Search(np.flatnonzero(left).astype(np.uint32), np.flatnonzero(right).astype(np.uint32), is_among)


def _united(plain: kernels.KeptPairs, trimmed: kernels.KeptPairs, is_bounded: Mask) -> HashPairs:
    """Return the pairs of both, those of both once: as the nearer says, or else the plain."""
    a, b = np.concatenate([plain.a, trimmed.a]), np.concatenate([plain.b, trimmed.b])
    turn = np.concatenate([plain.turn, trimmed.turn])
    distance = np.concatenate([plain.distance, trimmed.distance])
    is_trimmed = np.arange(len(a)) >= len(plain.a)
    order = np.lexsort((is_trimmed, distance, b, a))
    a, b = a[order], b[order]
    is_first = np.ones(len(a), bool)
    is_first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    kept = order[is_first]
    return HashPairs(a[is_first], b[is_first], turn[kept], distance[kept], is_trimmed[kept], is_bounded)


def _compare_all(hashes: Hashes, search: _Search, radius: int, nearest: Nearest, watch: Watch) -> None:
    """Compare all with all; hashes: (n, 8)."""
    rows = np.concatenate([search.left, search.right])
    turned = np.ascontiguousarray(hashes[rows].T)  # (8, n)
    n_left, n = len(search.left), len(rows)
    step = int(max(16, min(4_096, _COMPARED_AT_ONCE // max(n, 1))))

    def work(start: int, pairs: Hashes) -> Iterator[int]:
        part = slice(start, min(start + step, n_left))
        place = np.array([start + 1 if search.is_among else n_left, start], np.int64)
        while place[0] < n:
            yield kernels.compare(turned, rows, n_left, search.is_among, part, radius, nearest, place, pairs)

    _run(range(0, n_left, step), work, nearest, watch)


def _join_all(hashes: Hashes, search: _Search, radius: int, nearest: Nearest, watch: Watch) -> None:
    """Compare by chunks; hashes: (n, 8)."""
    both = np.sort(np.concatenate([search.left, search.right])) if search.is_among else search.right
    for chunk in range(kernels.N_CHUNKS):
        for turned_rows, first_rows in ((search.left, both), (search.right, search.left)):
            if len(turned_rows) and len(first_rows):
                _join(hashes, turned_rows, first_rows, chunk, radius, nearest, watch)


def _join(
    hashes: Hashes,
    turned_rows: Rows,
    first_rows: Rows,
    chunk: int,
    radius: int,
    nearest: Nearest,
    watch: Watch,
) -> None:
    """Compare turned hashes with first ones that are near by a chunk."""
    watch.check()
    firsts = kernels.sort(hashes, first_rows, 1, chunk)
    turned = kernels.sort(hashes, turned_rows, N_TURNS, chunk)
    limits = _limits(radius)
    masks = _masks(int(limits[chunk]))

    def work(start: int, pairs: Hashes) -> Iterator[int]:
        last = start + _JOINED_AT_ONCE
        place = np.array([start, 0, 0], np.int64)
        while place[0] < last:
            yield kernels.join(
                hashes, chunk, radius, limits, firsts, turned, masks, last, nearest, place, pairs
            )

    _run(range(0, kernels.N_BUCKETS, _JOINED_AT_ONCE), work, nearest, watch)


def _limits(radius: int) -> npt.NDArray[np.int64]:
    """Return in how many bits each chunk may differ, so that of hashes within the radius one does."""
    each, more = divmod(radius + 1, kernels.N_CHUNKS)
    return np.array([each + (chunk < more) - 1 for chunk in range(kernels.N_CHUNKS)], np.int64)


def _masks(limit: int) -> Hashes:
    """Return all numbers of 16 bits of which at most so many are set."""
    return np.array(
        [
            sum(1 << bit for bit in bits)
            for n_bits in range(limit + 1)
            for bits in itertools.combinations(range(kernels.CHUNK_BITS), n_bits)
        ],
        np.uint64,
    )


def _run(starts: range, work: Callable[[int, Hashes], Iterator[int]], nearest: Nearest, watch: Watch) -> None:
    """Do work from each start on, on all cores; what it writes is kept as it goes."""
    lock, n_threads = Lock(), usable_cores()

    def run(start: int) -> None:
        pairs = np.empty((_ROOM, 2), np.uint64)
        for n in work(start, pairs):
            watch.check()
            with lock:
                kernels.keep(pairs[:n], nearest)

    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for done, _ in enumerate(pool.map(run, starts)):
                watch(Progress("hashes", done, len(starts), "comparing hashes"))
        finally:
            pool.shutdown(cancel_futures=True)
