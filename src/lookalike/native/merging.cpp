// The loops of Ward's tree; see `cluster/merging.py`.

#include "export.hpp"

// Write which clusters are merged, from merge `begin` to `end`, each named by a cell, and at what cost.
//
// Used up: costs (m, m), infinite on the diagonal; weights (m,). Between two calls the state is kept in
// alive (m,), all of them at first; chain (m,); place (2,), of zeros.
EXPORT void merging_chain(double *costs, double *weights, int64_t m, bool *alive, int64_t *chain, int64_t *place,
                          int64_t begin, int64_t end, int64_t *pairs, double *found) {
    int64_t length = place[0], first = place[1];
    for (int64_t number = begin; number < end; number++) {
        if (length == 0) {
            while (!alive[first]) first++;
            chain[0] = first;
            length = 1;
        }
        int64_t last, before;
        double least;
        for (;;) {
            last = chain[length - 1];
            before = length > 1 ? chain[length - 2] : -1;
            // The one before is preferred where costs are equal: the chain would not end otherwise.
            int64_t nearest = before;
            const double *of_last = costs + last * m;
            least = before >= 0 ? of_last[before] : INFINITY;
            for (int64_t other = 0; other < m; other++) {
                if (alive[other] && of_last[other] < least) {
                    least = of_last[other];
                    nearest = other;
                }
            }
            if (nearest == before) break;
            chain[length++] = nearest;
        }
        length -= 2;
        const int64_t gone = last, kept = before;
        pairs[2 * number] = gone;
        pairs[2 * number + 1] = kept;
        found[number] = least;
        alive[gone] = false;
        for (int64_t other = 0; other < m; other++) {
            if (!alive[other] || other == kept) continue;
            const double cost = ((weights[gone] + weights[other]) * costs[gone * m + other] +
                                 (weights[kept] + weights[other]) * costs[kept * m + other] - weights[other] * least) /
                                (weights[gone] + weights[kept] + weights[other]);
            costs[kept * m + other] = costs[other * m + kept] = cost;
        }
        weights[kept] += weights[gone];
    }
    place[0] = length;
    place[1] = first;
}
