// What the kernels of the indexes share: rows and their distances, heaps of the best, and sorting.
//
// Heaps are pairs of arrays, keys and values, with the largest key first, the larger value before where keys
// are equal. Distances are sums in float64 of the original numbers. Inputs are already checked.
#pragma once

#include "lanes.hpp"
#include "scratch.hpp"

const int64_t OK = 0, SHORT = 1, NOT_FINITE = 2, ZERO_ROW = 3, NO_MEMORY = 4;  // the larger one wins

// Rows (n, d) and those added since, counted on, (…, d); each is divided by its length, where `lengths` is not null.
template <typename T>
struct Rows {
    const T *rows;
    int64_t n;
    const T *more_rows;
    const double *lengths;
    int64_t d;

    const T *at(int64_t row) const { return row < n ? rows + row * d : more_rows + (row - n) * d; }
    double length(int64_t row) const { return lengths ? lengths[row] : 1.0; }
};

template <typename T>
static inline T smaller(T a, T b) {
    return b < a ? b : a;
}

template <typename T>
static inline T larger(T a, T b) {
    return a < b ? b : a;
}

template <typename T>
static inline void swap(T &a, T &b) {
    const T kept = a;
    a = b;
    b = kept;
}

// Return the sum of term(j) for j from 0 to n - 1, where terms are also written down; else see `sum_up`.
template <typename S, int LANES = 256 / sizeof(S), typename F>
INLINE S sum(int64_t n, F term) {
    S lanes[LANES] = {};
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int lane = 0; lane < LANES; lane++) lanes[lane] += term(j + lane);
    S total = 0;
    for (int lane = 0; lane < LANES; lane++) total += lanes[lane];
    for (; j < n; j++) total += term(j);
    return total;
}

// Return the squared distance of a query, (d,) float64, and a row divided by `length`. It is not multiplied by
// what is nearly 1 / length: of neighbors by cosine, the last bits may be all that tells them apart.
template <typename T>
static inline double measure(const double *query, const T *row, double length, int64_t d) {
    if (length == 1)
        return sum_up<double>(d, [=](auto at) {
            const auto difference = at(row) - at(query);
            return difference * difference;
        });
    return sum_up<double>(d, [=](auto at) {
        const auto difference = at(row) / length - at(query);
        return difference * difference;
    });
}

// Return the squared distance to a row, by its number.
template <typename T>
static inline double measure_row(const double *query, int64_t row, const Rows<T> &rows) {
    return measure(query, rows.at(row), rows.length(row), rows.d);
}

// In rows.cpp, for all files. Rows and queries have to go through the same code: a row that is also a query has
// to be found at distance 0.

// Return the sum of squares, in float64.
double length_squared(const float *query, int64_t d);

// Write a query as float64, for cosine over its length; return whether it can be one.
int64_t take(const float *query, int64_t d, bool is_cosine, double *out);

// Restore the max-heap of pairs, the pair at `at` being perhaps too small.
template <typename K, typename V>
static inline void sift_down(K *keys, V *values, int64_t size, int64_t at) {
    const K key = keys[at];
    const V value = values[at];
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= size) break;
        const int64_t right = child + 1;
        if (right < size && (keys[right] > keys[child] || (keys[right] == keys[child] && values[right] > values[child])))
            child = right;
        if (keys[child] < key || (keys[child] == key && values[child] <= value)) break;
        keys[at] = keys[child];
        values[at] = values[child];
        at = child;
    }
    keys[at] = key;
    values[at] = value;
}

// Add a pair to a max-heap with room for it.
template <typename K, typename V>
static inline void push(K *keys, V *values, int64_t size, K key, V value) {
    int64_t at = size;
    while (at > 0) {
        const int64_t parent = (at - 1) / 2;
        if (keys[parent] > key || (keys[parent] == key && values[parent] >= value)) break;
        keys[at] = keys[parent];
        values[at] = values[parent];
        at = parent;
    }
    keys[at] = key;
    values[at] = value;
}

// Turn a max-heap into rising order.
template <typename K, typename V>
static inline void sort_heap(K *keys, V *values, int64_t size) {
    for (int64_t last = size - 1; last > 0; last--) {
        swap(keys[0], keys[last]);
        swap(values[0], values[last]);
        sift_down(keys, values, last, int64_t(0));
    }
}

// Put a pair into a max-heap of the `room` smallest; return the heap's size.
template <typename K, typename V>
static inline int64_t keep(K *keys, V *values, int64_t size, int64_t room, K key, V value) {
    if (size < room) {
        push(keys, values, size, key, value);
        return size + 1;
    }
    if (key < keys[0] || (key == keys[0] && value < values[0])) {
        keys[0] = key;
        values[0] = value;
        sift_down(keys, values, size, int64_t(0));
    }
    return size;
}

// Sort pairs by key, and by value where keys are equal.
template <typename K, typename V>
static inline void sort_pairs(K *keys, V *values, int64_t n) {
    for (int64_t i = 1; i < n; i++) push(keys, values, i, keys[i], values[i]);
    sort_heap(keys, values, n);
}

// Measure the rows in some slots; keep the nearest in a max-heap, and return how many they are.
template <typename T, typename S>
static inline int64_t measure_slots(const double *query, const S *slots, int64_t n_slots, const int64_t *order,
                                    const Rows<T> &rows, double *best, int64_t *best_rows, int64_t k) {
    int64_t found = 0;
    for (int64_t i = 0; i < n_slots; i++) {
        const int64_t row = order[slots[i]];
        found = keep(best, best_rows, found, k, measure_row(query, row, rows), row);
    }
    return found;
}

// Write the ids and distances of what is in a heap, nearest first.
static inline void give_out(double *best, int64_t *best_rows, int64_t found, bool is_cosine, const int64_t *ids,
                            int64_t *out_ids, float *out_distances) {
    sort_heap(best, best_rows, found);
    for (int64_t j = 0; j < found; j++) {
        out_ids[j] = ids[best_rows[j]];
        out_distances[j] = float(is_cosine ? best[j] / 2 : sqrt(best[j]));
    }
}

// Return how many of the sorted keys are below a key, or, for `is_after`, not above it.
template <typename K>
static inline int64_t search_sorted(const K *keys, int64_t n, K key, bool is_after) {
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (keys[middle] < key || (is_after && keys[middle] == key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Write how many keys come before each of the chosen ones, (k,) of (n,); at worst, among equal ones. Return `OK`, or
// `NO_MEMORY`.
//
// What does not count has an infinite key.
template <typename K>
static inline int64_t rank_among(const K *keys, int64_t n, const int64_t *chosen, int64_t k, int64_t *ranks) {
    const Scratch<K> of_chosen(k);
    // counts[c]: keys above that of chosen c - 1, in the order of keys, and not above its own
    const Scratch<int64_t> counts(k + 1);
    if (!(of_chosen && counts)) return NO_MEMORY;
    for (int64_t c = 0; c <= k; c++) counts[c] = 0;
    for (int64_t j = 0; j < k; j++) ranks[j] = j, of_chosen[j] = keys[chosen[j]];
    sort_pairs(of_chosen.at, ranks, k);
    const K largest = of_chosen[k - 1];
    for (int64_t i = 0; i < n; i++)
        if (keys[i] <= largest) counts[search_sorted(of_chosen.at, k, keys[i], false)]++;
    for (int64_t j = 0; j < k; j++) {
        const int64_t end = search_sorted(of_chosen.at, k, keys[chosen[j]], true);
        ranks[j] = -1;
        for (int64_t c = 0; c < end; c++) ranks[j] += counts[c];
    }
    return OK;
}
