"""The loops of Ward's tree; see `merging`."""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import compiled


@compiled({"nsz"})
def chain(costs, weights, alive, chain, place, begin, end, pairs, found):
    """Write which clusters are merged, from merge `begin` to `end`, each named by a cell, and at what cost.

    Used up: costs (m, m) float64, infinite on the diagonal · weights (m,) float64. Between two calls the
    state is kept in alive (m,) bool, all of them at first · chain (m,) int64 · place (2,) int64, of zeros.
    """
    m = len(weights)
    length, first = place
    for number in range(begin, end):
        if length == 0:
            while not alive[first]:
                first += 1
            chain[0], length = first, 1
        while True:
            last = chain[length - 1]
            before = chain[length - 2] if length > 1 else -1
            # The one before is preferred where costs are equal: the chain would not end otherwise.
            nearest = before
            least = costs[last, before] if before >= 0 else np.inf
            for other in range(m):
                if alive[other] and costs[last, other] < least:
                    least, nearest = costs[last, other], other
            if nearest == before:
                break
            chain[length] = nearest
            length += 1
        length -= 2
        gone, kept = last, before
        pairs[number, 0], pairs[number, 1], found[number] = gone, kept, least
        alive[gone] = False
        for other in range(m):
            if alive[other] and other != kept:
                cost = (
                    (weights[gone] + weights[other]) * costs[gone, other]
                    + (weights[kept] + weights[other]) * costs[kept, other]
                    - weights[other] * least
                ) / (weights[gone] + weights[kept] + weights[other])
                costs[kept, other] = cost
                costs[other, kept] = cost
        weights[kept] += weights[gone]
    place[0], place[1] = length, first
