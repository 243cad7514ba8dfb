"""Which pictures may be duplicates: pairs by hashes, and by nearest vectors; each is then to be verified.

Hashes find copies, also turned, recolored or with margins; vectors find crops, pictures of pictures, and
several edits at once. A pair that both find is one. How close it is, is said on one scale: 0 for equal
hashes, 0.5 for those that differ by 10 bits, 1 - cosine for vectors.

Of each picture the nearest pairs are kept, 50 by default; a pair stays where one of the two keeps it.

They come in an order in which pictures that are close follow one another, so that each has to be read once
for most of its pairs: pictures are numbered along a spanning tree of the closest pairs, depth first, and
pairs come by the later of their two pictures, then by the earlier. So all pairs of a picture with earlier
ones of its family come together, that with the first of the family first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.hashing import N_TURNS, PLAIN, Hashes
from lookalike.duplicates.near_hashes import MOST, Mask, near_pairs
from lookalike.system.progress import UNWATCHED, Watch

Rows: TypeAlias = npt.NDArray[np.intp]

Neighbors: TypeAlias = Callable[[Rows], tuple[Rows, npt.NDArray[np.float32]]]
"""The nearest of some rows, (k,): rows, (k, j), -1 where there is none, and their cosines, (k, j) float32."""

_A_BIT = 0.05  # how much closer each bit of a hash is
_SURELY_TURNED = 6  # bits by which a turn has to be nearer than upright, for pairs that vectors found
_BLOCK_PAIRS = 1 << 14


class Candidates(NamedTuple):
    """Pairs of pictures to be verified, in the order in which they best are.

    Attributes
    ----------
    a, b : (m,) intp
        Rows, a < b; each pair once.
    turn : (m,) uint8
        How b is to be turned to stand as a does, as EXIF's orientation says it, as far as hashes tell.
    closeness : (m,) float32
        0 is closest.
    n_left_out : int
        How many images have more pairs than are looked at.
    """

    a: Rows
    b: Rows
    turn: npt.NDArray[np.uint8]
    closeness: npt.NDArray[np.float32]
    n_left_out: int


def find_candidates(
    hashes: Hashes, is_new: Mask, neighbors: Neighbors, *, most: int = MOST, watch: Watch = UNWATCHED
) -> Candidates:
    """Find the pairs that may be duplicates and of which at least one is new.

    Parameters
    ----------
    hashes : (n, 2, 8) uint64
        From `turned_hashes`.
    is_new : (n,) bool
    neighbors : callable
        Asked once, for the new rows.
    most : int
        The nearest pairs of each picture to keep.
    watch : Watch
    """
    n = len(hashes)
    near = near_pairs(hashes, is_new, most=most, watch=watch)
    new = np.flatnonzero(is_new)
    others, cosines = neighbors(new)
    watch.check()
    is_there = others >= 0
    one = np.broadcast_to(new[:, None], others.shape)[is_there]
    other, cosine = others[is_there], cosines[is_there]
    a = np.concatenate([near.a, np.minimum(one, other)])
    b = np.concatenate([near.b, np.maximum(one, other)])
    turn = np.concatenate([near.turn, np.zeros(len(one), np.uint8)])  # 0: not known yet
    closeness = np.concatenate([near.distance * np.float32(_A_BIT), 1 - cosine]).astype(np.float32)
    a, b, turn, closeness = _once(n, a, b, turn, closeness)
    watch.check()
    kept, is_bounded = _nearest_of_each(n, a, b, closeness, most)
    is_bounded |= near.is_bounded
    a, b, turn, closeness = a[kept], b[kept], turn[kept], closeness[kept]
    watch.check()
    unknown = np.flatnonzero(turn == 0)
    for start in watch.each(range(0, len(unknown), _BLOCK_PAIRS)):
        some = unknown[start : start + _BLOCK_PAIRS]
        turn[some] = _likely_turns(hashes[a[some], PLAIN, 0], hashes[b[some], PLAIN])
    order = _in_order(n, a, b, closeness)
    return Candidates(a[order], b[order], turn[order], closeness[order], int(is_bounded.sum()))


def _once(
    n: int, a: Rows, b: Rows, turn: npt.NDArray[np.uint8], closeness: npt.NDArray[np.float32]
) -> tuple[Rows, Rows, npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Return each pair once, at its closest, with the turn that hashes tell, sorted by rows."""
    named = a.astype(np.int64) * n + b
    order = np.argsort(named, kind="stable")  # what hashes found comes first
    named = named[order]
    is_first = np.ones(len(named), bool)
    is_first[1:] = named[1:] != named[:-1]
    starts = np.flatnonzero(is_first)
    if not len(starts):
        return a, b, turn, closeness
    closest = np.minimum.reduceat(closeness[order], starts)
    turned = np.maximum.reduceat(turn[order], starts)
    chosen = order[starts]
    return a[chosen], b[chosen], turned, closest


def _nearest_of_each(
    n: int, a: Rows, b: Rows, closeness: npt.NDArray[np.float32], most: int
) -> tuple[Mask, Mask]:
    """Tell which pairs are among the nearest of one of their pictures, and which pictures have more."""
    counts = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    is_bounded = counts > most
    kept = ~(is_bounded[a] & is_bounded[b])
    doubtful = np.flatnonzero(~kept)  # both have more than are kept
    at_crowded = np.flatnonzero(is_bounded[a] | is_bounded[b])
    pairs = np.concatenate([at_crowded, at_crowded])
    pictures = np.concatenate([a[at_crowded], b[at_crowded]])
    others = np.concatenate([b[at_crowded], a[at_crowded]])
    order = np.lexsort((others, closeness[pairs], pictures))
    pictures = pictures[order]
    starts = np.flatnonzero(np.r_[True, pictures[1:] != pictures[:-1]]) if len(pictures) else np.empty(0, int)
    ranks = np.arange(len(pictures)) - np.repeat(starts, np.diff(np.r_[starts, len(pictures)]))
    is_near = np.zeros(len(a), bool)
    is_near[pairs[order[ranks < most]]] = True
    kept[doubtful] = is_near[doubtful]
    return kept, is_bounded


def _likely_turns(of_a: Hashes, of_b: Hashes) -> npt.NDArray[np.uint8]:
    """Return the turn in which hashes, (m,) and (m, 8), are nearest, but upright where that is as near."""
    differing = np.ascontiguousarray(of_a[:, None] ^ of_b)
    distances = np.unpackbits(differing.view(np.uint8), axis=1).reshape(-1, N_TURNS, 64).sum(axis=2)
    best = distances.argmin(axis=1)
    is_turned = distances.min(axis=1) + _SURELY_TURNED <= distances[:, 0]
    return np.where(is_turned, best + 1, 1).astype(np.uint8)


def _in_order(n: int, a: Rows, b: Rows, closeness: npt.NDArray[np.float32]) -> Rows:
    """Return the order of the pairs; see above."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, depth_first_order, minimum_spanning_tree

    if not len(a):
        return np.empty(0, np.intp)
    pictures, at = np.unique(np.concatenate([a, b]), return_inverse=True)
    m = len(pictures)
    first, second = at[: len(a)], at[len(a) :]
    graph = coo_array((closeness + np.float32(1e-3), (first, second)), shape=(m, m)).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    _, component = connected_components(tree, directed=False)
    roots = np.unique(component, return_index=True)[1]
    # One more picture, close to one of each component, so that one walk sees all.
    rows = np.concatenate([tree.row, np.full(len(roots), m)])
    columns = np.concatenate([tree.col, roots])
    joined = coo_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(m + 1, m + 1)).tocsr()
    walk = depth_first_order(joined, m, directed=False, return_predecessors=False)
    place = np.empty(m + 1, np.intp)
    place[walk] = np.arange(m + 1)
    one, other = place[first], place[second]
    return np.lexsort((np.minimum(one, other), np.maximum(one, other)))
