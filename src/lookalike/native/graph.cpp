// The kernels of neighbor graphs and of the trees that join them; see `index/graph.py`, `cluster/spanning_tree.py`.
//
// Pairs that look near are measured, and put where they belong. Estimates are squared distances from a matrix
// product, in float32, never larger than the true ones by more than a slack that the limit has in it already. What is
// kept is measured in float64 on the original rows, and compared as float32.

#include "rows.hpp"

static const int64_t CHUNK = 64;  // estimates looked at together: a loop of constant length is vectorized

// Return the distance of two rows; 1 - cosine where there are lengths. They are divided, as in `measure`.
static float measure_pair(const float *rows, const double *lengths, int64_t d, int64_t a, int64_t b) {
    const float *first = rows + a * d, *second = rows + b * d;
    if (lengths) {
        const double length_a = lengths[a], length_b = lengths[b];
        return float(sum_up<double>(d, [=](auto at) {
                         const auto difference = at(first) / length_a - at(second) / length_b;
                         return difference * difference;
                     }) / 2);
    }
    return float(sqrt(sum_up<double>(d, [=](auto at) {
        const auto difference = at(first) - at(second);
        return difference * difference;
    })));
}

// Tell whether any of a chunk of estimates is within the limit.
static inline bool any_within(const float *chunk, float limit) {
    int32_t count = 0;
    for (int64_t j = 0; j < CHUNK; j++) count += chunk[j] <= limit;
    return count > 0;
}

// Write the pairs a < b of a tile that are at most `reach` apart; return how many there are.
//
// estimates: (m, chunks, CHUNK). first_row, first_column: where the tile lies. limit, reach: the largest estimate,
// and the largest distance. rows: (n, d); lengths null for euclidean. OUT: a, b, distances (room,).
EXPORT int64_t graph_pairs_within(const float *estimates, int64_t m, int64_t chunks, int64_t first_row,
                                  int64_t first_column, double limit_given, double reach_given,
                                  const float *rows, const double *lengths, int64_t n, int64_t d, int32_t *a,
                                  int32_t *b, float *distances) {
    const float limit = float(limit_given), reach = float(reach_given);
    int64_t found = 0;
    int8_t hits[CHUNK + 1];
    for (int64_t i = 0; i < m; i++) {
        const int64_t row = first_row + i;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const int64_t start = first_column + chunk * CHUNK;
            const float *near = estimates + (i * chunks + chunk) * CHUNK;
            if (start + CHUNK <= row + 1 || !any_within(near, limit)) continue;
            int64_t n_hits = 0;
            for (int64_t j = 0; j < CHUNK; j++) {  // without a branch, which would be guessed wrong
                hits[n_hits] = int8_t(j);
                n_hits += near[j] <= limit;
            }
            for (int64_t hit = 0; hit < n_hits; hit++) {
                const int64_t column = start + hits[hit];
                if (column <= row || column >= n) continue;
                const float distance = measure_pair(rows, lengths, d, row, column);
                if (!(distance <= reach)) continue;
                a[found] = int32_t(row);
                b[found] = int32_t(column);
                distances[found++] = distance;
            }
        }
    }
    return found;
}

// Add each of n pairs to the counts of both its rows.
EXPORT void graph_count(const int32_t *a, const int32_t *b, int64_t n, int64_t *counts) {
    for (int64_t i = 0; i < n; i++) {
        counts[a[i]]++;
        counts[b[i]]++;
    }
}

// Put each of n pairs into both its rows, `ends` saying where the next one of a row goes.
EXPORT void graph_fill(const int32_t *a, const int32_t *b, const float *values, int64_t n, int64_t *ends,
                       int32_t *indices, float *data) {
    for (int64_t i = 0; i < n; i++) {
        int64_t at = ends[a[i]]++;
        indices[at] = b[i];
        data[at] = values[i];
        at = ends[b[i]]++;
        indices[at] = a[i];
        data[at] = values[i];
    }
}

// Return the largest estimate of what is within a distance.
static float to_estimate(float distance, bool is_cosine, double scale, double slack) {
    const double square = is_cosine ? 2 * double(distance) : double(distance) * double(distance);
    return float(square * (1 + 1e-6) * scale * scale + slack);
}

// Find for each component the lightest edge that leads out of it from some of its points.
//
// The weight of an edge is its mutual reachability distance: the largest of the distance and of the two points' core
// distances. estimates: (n_points, chunks, CHUNK), of points against all columns, and some more at the end. component,
// cores: (n,). scale, slack: of the estimates. OUT: weights, a, b (n_components,): the lightest so far, and its ends.
EXPORT void graph_nearest_outside(const float *estimates, int64_t n_points, int64_t chunks, const int64_t *points,
                                  const int64_t *columns, int64_t n_columns, const int64_t *component,
                                  const float *cores, double scale, double slack, const float *rows,
                                  const double *lengths, int64_t d, float *weights, int64_t *a, int64_t *b) {
    for (int64_t i = 0; i < n_points; i++) {
        const int64_t point = points[i], inside = component[point];
        float weight = weights[inside];
        if (cores[point] >= weight) continue;
        float limit = to_estimate(weight, lengths, scale, slack);
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const float *near = estimates + (i * chunks + chunk) * CHUNK;
            if (!any_within(near, limit)) continue;
            for (int64_t j = 0; j < CHUNK; j++) {
                const int64_t at = chunk * CHUNK + j;
                if (at >= n_columns || near[j] > limit) continue;
                const int64_t other = columns[at];
                if (component[other] == inside || cores[other] >= weight) continue;
                const float apart = measure_pair(rows, lengths, d, point, other);
                const float distance = larger(larger(apart, cores[point]), cores[other]);
                if (!(distance < weight)) continue;
                weights[inside] = weight = distance;
                a[inside] = point;
                b[inside] = other;
                limit = to_estimate(weight, lengths, scale, slack);
            }
        }
    }
}

// Return the first of those that a point is joined with; the way there is made shorter.
static int64_t root_of(int64_t *parents, int64_t point) {
    while (parents[point] != point) point = parents[point] = parents[parents[point]];
    return point;
}

// Join the components of each of n pairs, in this order; say which pairs were in two.
EXPORT void graph_unite(int64_t *parents, const int64_t *a, const int64_t *b, int64_t n, bool *is_new) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = root_of(parents, a[i]), second = root_of(parents, b[i]);
        is_new[i] = first != second;
        parents[larger(first, second)] = smaller(first, second);
    }
}

// Number the components by their first points; return how many there are.
EXPORT int64_t graph_number_components(int64_t *parents, int64_t n, int64_t *component) {
    int64_t n_components = 0;
    for (int64_t point = 0; point < n; point++) {
        const int64_t root = root_of(parents, point);
        component[point] = root == point ? n_components++ : component[root];  // the root is the smallest
    }
    return n_components;
}

// Write, for each of n edges of a tree in order, what there is once it is taken.
//
// least: smaller components do not count. parents, sizes: (n + 1,), each its own, and of 1. OUT: largest, beside (n,):
// the rows of the largest component, and those of all others that count.
EXPORT void graph_sizes_beside_largest(const int64_t *a, const int64_t *b, int64_t n, int64_t least, int64_t *parents,
                                       int64_t *sizes, int64_t *largest, int64_t *beside) {
    int64_t counted = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = root_of(parents, a[i]), second = root_of(parents, b[i]);
        if (sizes[first] >= least) counted -= sizes[first];
        if (sizes[second] >= least) counted -= sizes[second];
        parents[second] = first;
        sizes[first] += sizes[second];
        if (sizes[first] >= least) {
            counted += sizes[first];
            most = larger(most, sizes[first]);
        }
        largest[i] = most;
        beside[i] = counted - most;
    }
}
