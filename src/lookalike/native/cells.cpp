// The kernel of `index/cells.py`: some queries against all cells of all pictures; the arrays are described there.

#include "codes.hpp"

static const int64_t MOST_CELLS = 64;

// Write for each picture the largest dot product of any query with any of its cells, and the number of that cell:
// the first of those that are as near.
//
// queries (n_queries, d). cells: of the n pictures, `n_cells` rows of d each, or of all, those in the order of
// `chosen`, where that is not null. OUT: best (n,), places (n,).
EXPORT void cells_best(const int16_t *queries, int64_t n_queries, int64_t d, const int8_t *cells, int64_t n_cells,
                       const int64_t *chosen, int64_t n, int32_t *best, uint8_t *places) {
    int32_t products[MOST_CELLS];
    for (int64_t i = 0; i < n; i++) {
        const int8_t *own = cells + (chosen ? chosen[i] : i) * n_cells * d;
        int32_t most = INT32_MIN;
        int64_t place = 0;
        for (int64_t q = 0; q < n_queries; q++) {
            const int16_t *query = queries + q * d;
            if (d == HEAD)
                dots(query, own, n_cells, products);
            else
                for (int64_t cell = 0; cell < n_cells; cell++) products[cell] = dot(query, own + cell * d, d);
            for (int64_t cell = 0; cell < n_cells; cell++) {
                if (products[cell] <= most) continue;
                most = products[cell];
                place = cell;
            }
        }
        best[i] = most;
        places[i] = uint8_t(place);
    }
}
