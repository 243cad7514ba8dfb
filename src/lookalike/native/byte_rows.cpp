// The kernels of `index/byte_rows.py`: one query against all rows as bytes; the arrays are described there.
//
// Integers of 16 bits are multiplied in pairs (vpmaddwd), so that a scan takes as long as reading the bytes from
// memory; the bounds come after each block of products, in a loop of their own.

#include "codes.hpp"
#include "rows.hpp"

static const int64_t BLOCK_ROWS = 256, BLOCK_BOUNDS = 64, LANES = 32;
static const double SAME = 1e-9;  // sums in float64 differ by less than that share, in whichever order they are taken

// Write a query, (d,), as integers; write in `out` their unit, the squared length of what they stand for, what they
// lost, and the length of the query.
EXPORT void byte_rows_encode_query(const double *query, int64_t d, double scale, const double *center,
                                   const double *steps, int16_t *codes, double *out) {
    double largest_of[LANES] = {}, largest = 0;
    const double total = sum<double>(d, [&](int64_t j) {
        const double value = (query[j] - center[j]) * scale;
        largest_of[j % LANES] = larger(largest_of[j % LANES], fabs(value * steps[j]));
        return value * value;
    });
    for (int lane = 0; lane < LANES; lane++) largest = larger(largest, largest_of[lane]);
    const auto value_of = [=](int64_t j) { return (query[j] - center[j]) * scale; };
    const Encoded encoded = encode(d, value_of, steps, unit_of(largest, d), codes);
    out[0] = encoded.unit;
    out[1] = encoded.squared;
    out[2] = encoded.lost;
    out[3] = sqrt(total);
}

// Bound the distances of a query to n rows; return how many of `farthest` were written.
//
// rounding: by how much a squared distance may be wrong, beside what codes lost. codes, facts: of the n rows, or
// of all, those in the order of `chosen`, where that is not null. OUT: nearest (n,): no row is nearer than that.
// farthest (k,): so many rows are no farther than its largest. places (k,) is used up.
EXPORT int64_t byte_rows_scan(const int16_t *query_codes, int64_t d, double unit, double squared, double lost,
                              double rounding, const int8_t *codes, const float *facts, const int64_t *chosen,
                              int64_t n, float *nearest, double *farthest, int64_t *places, int64_t k) {
    const double doubled = 2 * unit;
    int32_t dots[BLOCK_ROWS];
    int64_t size = 0;
    for (int64_t start = 0; start < n; start += BLOCK_ROWS) {
        const int64_t end = smaller(start + BLOCK_ROWS, n);
        for (int64_t i = start; i < end; i++)
            dots[i - start] = dot(query_codes, codes + (chosen ? chosen[i] : i) * d, d);
        for (int64_t i = start; i < end; i++) {
            const float *fact = facts + 2 * (chosen ? chosen[i] : i);
            const double square = squared + double(fact[0]) - doubled * double(dots[i - start]);
            const double off = double(fact[1]) + lost;
            nearest[i] = float(sqrt(larger(square - rounding, 0.0)) - off);
            size = keep(farthest, places, size, k, sqrt(larger(square + rounding, 0.0)) + off, i);
        }
    }
    return size;
}

// Measure the rows that may be among the k nearest, in the order of their bounds; return how many are: the k
// nearest, and those that may be as near but for rounding; or -1 where more than `most` would have to be measured, or
// memory is short.
//
// query: for cosine of length 1. reach: k rows are within it, by their bounds. rounding: by how much bounds may be
// wrong. nearest, chosen: see `scan`. lengths: null for euclidean. OUT: found (most,), in no order.
EXPORT int64_t byte_rows_measure_near(const double *query, int64_t d, double scale, double rounding, double reach,
                                      const float *nearest, int64_t n, const float *rows, const double *lengths,
                                      const int64_t *chosen, int64_t k, int64_t most, int64_t *found) {
    const int64_t room = smaller(most, n) + BLOCK_BOUNDS;
    const Scratch<double> numbers(2 * room + k);
    const Scratch<int64_t> places(room + k);
    if (!(numbers && places)) return -1;
    double *keys = numbers, *distances = keys + room, *best = distances + room;
    int64_t *waiting = places, *best_rows = waiting + room;
    // A heap with the nearest bound first: most of what waits there is never measured.
    int64_t n_waiting = 0;
    for (int64_t start = 0; start < n && n_waiting <= most; start += BLOCK_BOUNDS) {
        const int64_t end = smaller(start + BLOCK_BOUNDS, n);
        int32_t near = 0;
        for (int64_t i = start; i < end; i++) near += double(nearest[i]) <= reach;
        if (near == 0) continue;
        for (int64_t i = start; i < end; i++) {
            if (!(double(nearest[i]) <= reach)) continue;
            keys[n_waiting] = -double(nearest[i]);
            waiting[n_waiting++] = chosen ? chosen[i] : i;
        }
    }
    if (n_waiting > most) return -1;
    int64_t n_found = 0, size = 0;
    for (int64_t at = n_waiting / 2 - 1; at >= 0; at--) sift_down(keys, waiting, n_waiting, at);
    while (n_waiting > 0 && -keys[0] <= reach) {
        const int64_t row = waiting[0];
        n_waiting--;
        keys[0] = keys[n_waiting];
        waiting[0] = waiting[n_waiting];
        if (n_waiting > 0) sift_down(keys, waiting, n_waiting, int64_t(0));
        const double distance = measure(query, rows + row * d, lengths ? lengths[row] : 1.0, d);
        found[n_found] = row;
        distances[n_found++] = distance;
        size = keep(best, best_rows, size, k, distance, row);
        if (size == k) reach = smaller(reach, sqrt(best[0]) * scale * (1 + SAME) + rounding);
    }
    const double limit = size == k ? best[0] * (1 + SAME) : INFINITY;
    int64_t n_kept = 0;
    for (int64_t i = 0; i < n_found; i++)
        if (distances[i] <= limit) found[n_kept++] = found[i];
    return n_kept;
}
