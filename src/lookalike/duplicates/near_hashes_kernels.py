"""The kernels of `near_hashes`; see native/near_hashes.cpp. Inputs are already checked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint32]

N_BUCKETS = 1 << 16
N_CHUNKS = 4
CHUNK_BITS = 16

_compare = kernel("near_hashes_compare", "ai ai b iii aa aai", "i")
_sort = kernel("near_hashes_sort", "ai ai ii aaa")
_join = kernel("near_hashes_join", "aii ia aaa aaa aii aa aai", "i")
_keep = kernel("near_hashes_keep", "ai aai aa")
_pairs = kernel("near_hashes_pairs", "aaii aaaa", "i")


class Nearest(NamedTuple):
    """The nearest of each picture so far: heaps of numbers; see native/near_hashes.cpp.

    Attributes
    ----------
    heaps : (n, most) uint64
    sizes : (n,) int32
    worst : (n,) uint64
        The largest of each full heap; all ones until it is full.
    is_bounded : (n,) uint8
        1 where there are more than are kept.
    """

    heaps: Hashes
    sizes: npt.NDArray[np.int32]
    worst: Hashes
    is_bounded: npt.NDArray[np.uint8]

    @classmethod
    def of_none(cls, n: int, most: int) -> Nearest:
        """Return empty heaps; what is never written takes no memory."""
        return cls(
            np.empty((n, most), np.uint64),
            np.zeros(n, np.int32),
            np.full(n, np.iinfo(np.uint64).max, np.uint64),
            np.zeros(n, np.uint8),
        )


class Buckets(NamedTuple):
    """Hashes, sorted by 16 of their bits.

    Attributes
    ----------
    starts : (65537,) int64
    sorted : (m,) uint64
    named : (m,) uint32
        8 * row + turn, counted from 0.
    """

    starts: npt.NDArray[np.int64]
    sorted: Hashes
    named: Rows


def compare(
    turned: Hashes, rows: Rows, n_left: int, is_among: bool, part: slice, radius: int,
    nearest: Nearest, place: npt.NDArray[np.int64], pairs: Hashes,
) -> int:  # fmt: skip
    """Compare a part of the left with all that it is to be compared with; return how many pairs are written.

    Parameters
    ----------
    turned : (8, n) uint64
    rows : (n,) uint32
        Those of the left first.
    place : (2,) int64
        IN and OUT, where to go on; done when the first is n.
    pairs : (room, 2) uint64
        OUT.
    """
    found: int = _compare(
        at(turned, np.uint64), turned.shape[1], at(rows, np.uint32), n_left, is_among, part.start, part.stop,
        radius, at(nearest.worst, np.uint64), at(nearest.is_bounded, np.uint8),
        at(place, np.int64), at(pairs, np.uint64), len(pairs),
    )  # fmt: skip
    return found


def sort(hashes: Hashes, rows: Rows, n_turns: int, chunk: int) -> Buckets:
    """Sort the first hashes of some rows by a chunk; hashes: (n, 8), a row's own without gaps."""
    m = len(rows) * n_turns
    buckets = Buckets(np.empty(N_BUCKETS + 1, np.int64), np.empty(m, np.uint64), np.empty(m, np.uint32))
    _sort(
        hashes.ctypes.data, hashes.strides[0] // 8, at(rows, np.uint32), len(rows), n_turns, chunk,
        at(buckets.starts, np.int64), at(buckets.sorted, np.uint64), at(buckets.named, np.uint32),
    )  # fmt: skip
    return buckets


def join(
    hashes: Hashes, chunk: int, radius: int, limits: npt.NDArray[np.int64], firsts: Buckets, turned: Buckets,
    masks: Hashes, last: int, nearest: Nearest, place: npt.NDArray[np.int64], pairs: Hashes,
) -> int:  # fmt: skip
    """Compare turned hashes with first ones in the buckets near theirs; return how many pairs are written.

    Parameters
    ----------
    hashes : (n, 8) uint64
        As of `sort`.
    limits : (4,) int64
        In how many bits chunks may differ.
    masks : (m,) uint64
        In which bits this one may.
    last : int
        The bucket to stop at.
    place : (3,) int64
        IN and OUT, where to go on; done when the first is `last`.
    pairs : (room, 2) uint64
        OUT.

    Raises
    ------
    MemoryError
    """
    found: int = _join(
        hashes.ctypes.data, hashes.strides[0] // 8, chunk, radius, at(limits, np.int64),
        at(firsts.starts, np.int64), at(firsts.sorted, np.uint64), at(firsts.named, np.uint32),
        at(turned.starts, np.int64), at(turned.sorted, np.uint64), at(turned.named, np.uint32),
        at(masks, np.uint64), len(masks), last,
        at(nearest.worst, np.uint64), at(nearest.is_bounded, np.uint8),
        at(place, np.int64), at(pairs, np.uint64), len(pairs),
    )  # fmt: skip
    if found < 0:
        raise MemoryError("there is no memory to compare hashes")
    return found


def keep(pairs: Hashes, nearest: Nearest) -> None:
    """Keep pairs, (m, 2), among the nearest of both pictures; not while another thread does."""
    _keep(
        at(pairs, np.uint64), len(pairs), at(nearest.heaps, np.uint64), at(nearest.sizes, np.int32),
        nearest.heaps.shape[1], at(nearest.worst, np.uint64), at(nearest.is_bounded, np.uint8),
    )  # fmt: skip


class KeptPairs(NamedTuple):
    """Pairs that are kept, once each, in no order.

    Attributes
    ----------
    a, b : (m,) intp
        Rows, a < b.
    turn, distance : (m,) uint8
    """

    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    turn: npt.NDArray[np.uint8]
    distance: npt.NDArray[np.uint8]


def pairs_of(nearest: Nearest) -> KeptPairs:
    """Return all pairs that are among the nearest of one of their pictures."""
    heaps = at(nearest.heaps, np.uint64), at(nearest.sizes, np.int32), *nearest.heaps.shape
    m = _pairs(*heaps, None, None, None, None)
    a, b = np.empty(m, np.int64), np.empty(m, np.int64)
    turns, distances = np.empty(m, np.uint8), np.empty(m, np.uint8)
    _pairs(*heaps, at(a, np.int64), at(b, np.int64), at(turns, np.uint8), at(distances, np.uint8))
    return KeptPairs(a.astype(np.intp, copy=False), b.astype(np.intp, copy=False), turns, distances)
