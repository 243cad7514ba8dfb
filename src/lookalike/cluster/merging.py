"""Ward's tree over clusters that have sizes, by chains of nearest neighbours; see `hierarchical`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.cluster import merging_kernels as kernels
from lookalike.cluster.pruned_lloyd import Doubles
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids

_ROUND = 512  # merges between two reports


def merge(centers: Doubles, sizes: Ids, watch: Watch = UNWATCHED) -> tuple[npt.NDArray[np.int64], Doubles]:
    """Merge clusters, those first that add least to the sum of squared distances.

    Parameters
    ----------
    centers : (m, d) float64
    sizes : (m,) int64
    watch : Watch

    Returns
    -------
    children : (m - 1, 2) int64
        Of each merge; what merge i makes is node m + i.
    costs : (m - 1,) float64
        What each merge adds, never falling.
    """
    m = len(centers)
    from_mean = centers - np.average(centers, axis=0, weights=sizes)
    squares = np.einsum("ij,ij->i", from_mean, from_mean)
    costs = squares[:, None] + squares - 2 * from_mean @ from_mean.T  # (m, m)
    np.maximum(costs, 0, out=costs)
    weights = sizes.astype(np.float64)
    costs *= weights[:, None] * weights / (weights[:, None] + weights)
    np.fill_diagonal(costs, np.inf)
    pairs, found = np.empty((m - 1, 2), np.int64), np.empty(m - 1)
    if m > 1:
        state = np.ones(m, np.bool_), np.empty(m, np.int64), np.zeros(2, np.int64)
        for done in range(0, m - 1, _ROUND):
            watch(Progress("merging", done, m - 1, "merging clusters"))
            kernels.chain(costs, weights, state, (done, min(done + _ROUND, m - 1)), pairs, found)
    order = np.argsort(found, kind="stable")
    # The chain names a cluster by one of its cells; here it gets its node.
    node_of, children = np.arange(m), np.empty((m - 1, 2), np.int64)
    leader = np.arange(m)

    def find(cell: int) -> int:
        while leader[cell] != cell:
            leader[cell] = leader[leader[cell]]
            cell = leader[cell]
        return cell

    for number, (left, right) in enumerate(pairs[order]):
        left, right = find(left), find(right)
        children[number] = node_of[left], node_of[right]
        leader[left] = right
        node_of[right] = m + number
    return children, np.maximum.accumulate(found[order]) if m > 1 else found
