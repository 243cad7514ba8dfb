// The kernels of `index/kmeans_tree.py`: one query's whole path in one call; the arrays are described there.
//
// A query is rotated to its head and turned into 16-bit integers; the cells' codes, then the codes of the rows in
// the nearest cells, are each one 8-bit dot product; the best by that estimate are measured on their full rows in
// float64. The loop over rows does nothing but dot products; what is done with them comes after. Removed and
// filtered rows have an infinite square in `facts`: skipping them costs nothing.

#include "codes.hpp"
#include "rows.hpp"

static const double EPSILON = 2.220446049250313e-16;

static const double TOO_FAR = 1e3;    // of a query's length in units of the longest row's: beyond, bounds tell nothing
static const double ROUNDING = 4e-6;  // of a lifted vector, relative to the lengths: see the story in kmeans_tree.py
static const float COSINE_OF_TAILS = 0.5;  // what lies outside the axes of two neighbors is taken to be so much alike
static const int64_t BUCKETS = 256;        // that cells are sorted into by distance
static const int64_t FIRST_CELLS = 32;     // looked at before all others, for a first reach, in an exact search
static const int64_t BLOCK = 64;           // numbers that are compared together

// What kmeans_tree_kernels.py fills in, in this order.
struct Tree {
    const double *center, *axes;  // (2, d), (d, HEAD)
    const float *axes32;
    const double *steps, *row_steps;  // (2, HEAD), (d,)
    const int8_t *codes;
    const float *facts;
    const int8_t *row_codes;  // null where there are none
    const float *row_facts;
    const int64_t *order, *starts;
    const int8_t *cell_codes;
    const float *cell_squares, *cell_errors, *cell_radii;
    const void *rows, *more_rows;
    const double *row_lengths;  // null for euclidean
    const int64_t *ids;
    double scale;
    int64_t d, n_rows, n_slots, n_cells, fullest;  // fullest: rows in the fullest cell
    bool is_cosine;

    template <typename T>
    Rows<T> rows_of() const {
        return {(const T *)rows, n_rows, (const T *)more_rows, row_lengths, d};
    }
    int64_t size(int64_t cell) const { return starts[cell + 1] - starts[cell]; }
};

template <typename F>
static inline double largest_of(int64_t n, F term) {
    const int64_t LANES = 16;
    double lanes[LANES] = {};
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int64_t lane = 0; lane < LANES; lane++) lanes[lane] = larger(lanes[lane], term(j + lane));
    for (; j < n; j++) lanes[0] = larger(lanes[0], term(j));
    double largest = 0;
    for (double lane : lanes) largest = larger(largest, lane);
    return largest;
}

// Tell whether any of some numbers, (BLOCK,), is below a limit.
static inline bool any_below(const float *numbers, float limit) {
    int32_t count = 0;
    for (int64_t j = 0; j < BLOCK; j++) count += numbers[j] < limit;
    return count > 0;
}

// Write a whole query as integers.
static Encoded encode_whole(const double *query, int64_t d, double scale, const double *center, const double *steps,
                            int16_t *__restrict codes) {
    const auto value_of = [=](int64_t j) { return (query[j] - center[j]) * scale - center[d + j]; };
    const double largest = largest_of(d, [=](int64_t j) { return fabs(value_of(j) * steps[j]); });
    return encode(d, value_of, steps, unit_of(largest, d), codes);
}

// A query's path through the tree. A: the type of the head, float32, or float64 where an answer has to be proved.
template <typename A>
struct Query {
    const Tree &tree;
    Scratch<double> vector;  // (d,)
    Scratch<A> weights;
    Scratch<int64_t> chosen;
    Scratch<int16_t> whole_codes;  // (d,)
    A head[HEAD];
    int16_t codes[HEAD];
    double length_squared = 0, unit = 0, squared = 0, tail = 0, lost = 0;  // squared: of the lifted vector of the codes
    Encoded whole;

    explicit Query(const Tree &tree)
        : tree(tree), vector(tree.d), weights(tree.d + 3), chosen(tree.d + 3), whole_codes(tree.d) {}

    bool has_memory() const { return vector && weights && chosen && whole_codes; }

    // Write the head of the query, and its squared length about the mean.
    void rotate(const A *axes) {
        const double *given = vector, *center = tree.center, scale = tree.scale;
        const int64_t d = tree.d;
        const double *middle = tree.steps + HEAD;
        length_squared = sum_up<double>(d, [=](auto at) {
            const auto difference = (at(given) - at(center)) * scale - at(center + d);
            return difference * difference;
        });
        int64_t n = 0;
        for (int64_t j = 0; j < d; j++) {
            const double value = (given[j] - center[j]) * scale;
            weights[n] = A(value);
            chosen[n] = j;
            n += value != 0;  // the background of pictures is 0, and nearly free
        }
        for (int64_t j = n; j < n + 3; j++) weights[j] = 0, chosen[j] = 0;
        for (int64_t i = 0; i < HEAD; i++) head[i] = A(-middle[i]);
        for (int64_t first = 0; first < n; first += 4) {  // by fours: the head is read and written less often
            const A *__restrict a = axes + chosen[first] * HEAD, *__restrict b = axes + chosen[first + 1] * HEAD;
            const A *__restrict c = axes + chosen[first + 2] * HEAD, *__restrict e = axes + chosen[first + 3] * HEAD;
            const A s = weights[first], t = weights[first + 1], u = weights[first + 2], v = weights[first + 3];
            A *__restrict out = head;
            for (int64_t i = 0; i < HEAD; i++) out[i] += s * a[i] + t * b[i] + u * c[i] + v * e[i];
        }
    }

    // Write the head as integers, and their unit, their squared lifted length, the tail, and what was lost.
    //
    // The integers stand for the products of the query's coordinates and the rows' steps, so that their dot product
    // with a row's codes is that of the vectors.
    void encode() {
        const double *steps = tree.steps;
        const A *from = head;
        const double largest = largest_of(HEAD, [=](int64_t i) { return fabs(double(from[i]) * steps[i]); });
        const double of_head = sum_up<double>(HEAD, [=](auto at) { return at(from) * at(from); });
        const double tail_squared = larger(length_squared - of_head, 0.0);
        const auto value_of = [=](int64_t i) { return double(from[i]); };
        const Encoded encoded = ::encode(HEAD, value_of, steps, unit_of(largest, HEAD), codes);
        unit = encoded.unit;
        squared = tail_squared + encoded.squared;
        lost = encoded.lost;
        tail = sqrt(tail_squared);
    }

    void encode_whole() {
        whole = ::encode_whole(vector, tree.d, tree.scale, tree.center, tree.row_steps, whole_codes);
    }

    // Sort slots by what whole rows tell, nearest first; return the most that one of them lost.
    float sort_by_bound(float *keys, int64_t *slots, int64_t size) const {
        float lost = 0;
        const float square = float(whole.squared), twice = float(2 * whole.unit);
        for (int64_t i = 0; i < size; i++) {
            const int64_t slot = slots[i];
            const float *fact = tree.row_facts + 2 * slot;
            const int32_t product = dot(whole_codes, tree.row_codes + slot * tree.d, tree.d);
            lost = larger(lost, fact[1]);
            push(keys, slots, i, square + fact[0] - twice * float(product), slot);
        }
        sort_heap(keys, slots, size);
        return lost;
    }
};

// A place for what is near a query.
struct Near {
    Scratch<int32_t> dots;   // (the larger of cells and the fullest cell,)
    Scratch<float> of_cell;  // a key of every cell
    Scratch<uint8_t> buckets;
    Scratch<float> cell_keys;  // of the nearest cells
    Scratch<int64_t> cells;
    Scratch<float> keys;  // of the rows that look nearest
    Scratch<int64_t> slots;
    const int64_t n_cells, room;

    Near(const Tree &tree, int64_t n_cells, int64_t room)
        : dots(larger(tree.n_cells, tree.fullest)),
          of_cell(tree.n_cells),
          buckets(tree.n_cells),
          cell_keys(n_cells),
          cells(n_cells),
          keys(room),
          slots(room),
          n_cells(n_cells),
          room(room) {}

    bool has_memory() const { return dots && of_cell && buckets && cell_keys && cells && keys && slots; }

    // Write the cells whose centroids are nearest, nearly in order; as many as there is room for.
    //
    // They are sorted into buckets by distance; where the room ends within a bucket, its nearest are taken.
    template <typename A>
    void find_cells(const Tree &tree, const Query<A> &query) {
        const int64_t n = tree.n_cells, LANES = 16;
        const float twice = float(2 * query.unit);
        ::dots(query.codes, tree.cell_codes, n, dots);
        float low[LANES], high[LANES];
        for (int64_t lane = 0; lane < LANES; lane++) low[lane] = INFINITY, high[lane] = -INFINITY;
        const float *squares = tree.cell_squares;
        float *__restrict key = of_cell;
        const int32_t *__restrict products = dots;
        int64_t cell = 0;
        for (; cell + LANES <= n; cell += LANES)
            for (int64_t lane = 0; lane < LANES; lane++) {
                const float each = squares[cell + lane] - twice * float(products[cell + lane]);
                key[cell + lane] = each;
                low[lane] = smaller(low[lane], each);
                high[lane] = larger(high[lane], each);
            }
        for (; cell < n; cell++) {
            key[cell] = squares[cell] - twice * float(products[cell]);
            low[0] = smaller(low[0], key[cell]);
            high[0] = larger(high[0], key[cell]);
        }
        float least = INFINITY, most = -INFINITY;
        for (int64_t lane = 0; lane < LANES; lane++) {
            least = smaller(least, low[lane]);
            most = larger(most, high[lane]);
        }
        const float per_key = most > least ? float(BUCKETS - 1) / (most - least) : 0.0f;
        int64_t starts[BUCKETS + 1] = {};
        for (cell = 0; cell < n; cell++) {
            const float place = (key[cell] - least) * per_key;
            const int32_t bucket = place >= 0 && place < float(BUCKETS) ? int32_t(place) : int32_t(BUCKETS - 1);
            buckets[cell] = uint8_t(bucket);
            starts[bucket + 1]++;
        }
        int64_t last = 0;  // the bucket where the room ends
        while (starts[last] + starts[last + 1] < n_cells) {
            starts[last + 1] += starts[last];
            last++;
        }
        const int64_t first = starts[last];
        int64_t size = 0;
        for (cell = 0; cell < n; cell++) {
            const int64_t bucket = buckets[cell];
            if (bucket < last)
                cells[starts[bucket]++] = cell;
            else if (bucket == last)
                size = keep(cell_keys.at, cells.at + first, size, n_cells - first, key[cell], cell);
        }
    }

    // Keep the slots of the cells that look nearest: a max-heap of estimates; return how many they are.
    template <typename A>
    int64_t scan(const Tree &tree, const Query<A> &query) {
        const float twice = float(2 * query.unit), weight = float(2 * COSINE_OF_TAILS * query.tail);
        int64_t size = 0;
        float limit = INFINITY;
        for (int64_t number = 0; number < n_cells; number++) {
            const int64_t cell = cells[number], first = tree.starts[cell], n = tree.size(cell);
            const float *facts = tree.facts + 2 * first;
            ::dots(query.codes, tree.codes + first * HEAD, n, dots);
            for (int64_t i = 0; i < n; i++) {
                const float key = facts[2 * i] - twice * float(dots[i]) - weight * facts[2 * i + 1];
                if (!(key < limit)) continue;
                if (size < room) {
                    push(keys.at, slots.at, size, key, first + i);
                    size++;
                } else {
                    keys[0] = key;
                    slots[0] = first + i;
                    sift_down(keys.at, slots.at, size, int64_t(0));
                }
                if (size == room) limit = keys[0];
            }
        }
        return size;
    }
};

// Return the largest computed lifted distance, squared, of what may lie within a true distance.
static inline double limit_of(double distance_squared, double scale, double lost, double length) {
    const double reach = sqrt(distance_squared) * scale + lost + ROUNDING * (1 + length);
    return reach * reach + ROUNDING * (1 + length) * (1 + length);
}

// Return by how much more than ROUNDING tails, the roots of sums of so many terms, are rounded.
static double beyond_rounding(int64_t dimension) {
    return larger(4 * sqrt(double(dimension + HEAD) * EPSILON) - ROUNDING, 0.0);
}

// Keep the k nearest of some slots, a max-heap, and return their number.
//
// Where there are row codes, `near.keys` are bounds, in rising order, and the rows beyond reach are left out: the
// answer is the same.
template <typename T, typename A>
static int64_t measure_near(const Tree &tree, const Query<A> &query, const Near &near, int64_t size, double lost,
                            double *best, int64_t *best_rows, int64_t k) {
    const Rows<T> rows = tree.rows_of<T>();
    const double length = sqrt(query.length_squared);
    int64_t found = 0;
    double limit = INFINITY;
    for (int64_t i = 0; i < size; i++) {
        if (near.keys[i] > limit) break;
        const int64_t row = tree.order[near.slots[i]];
        found = keep(best, best_rows, found, k, measure_row(query.vector.at, row, rows), row);
        if (tree.row_codes && found == k) limit = limit_of(best[0], tree.scale, lost, length);
    }
    return found;
}

// Answer queries from their `n_cells` nearest cells, measuring `n_measured` rows each.
//
// queries: (n, d). OUT: out_ids (n, k), filled with -1 before; out_distances (n, k), with infinity. Returns SHORT if
// the cells of some query held fewer than k; or what is wrong with a query.
template <typename T>
static int64_t search(const Tree &tree, const float *queries, int64_t n, int64_t k, int64_t n_cells,
                      int64_t n_measured, int64_t *out_ids, float *out_distances) {
    Query<float> query(tree);
    Near near(tree, n_cells, n_measured);
    Scratch<double> best(k);
    Scratch<int64_t> best_rows(k);
    if (!(query.has_memory() && near.has_memory() && best && best_rows)) return NO_MEMORY;
    int64_t worst = OK;
    for (int64_t i = 0; i < n; i++) {
        const int64_t status = take(queries + i * tree.d, tree.d, tree.is_cosine, query.vector);
        if (status != OK) return status;
        query.rotate(tree.axes32);
        query.encode();
        near.find_cells(tree, query);
        const int64_t size = near.scan(tree, query);
        if (size < k) {
            worst = SHORT;
            continue;
        }
        double lost = 0;
        if (tree.row_codes) {
            query.encode_whole();
            lost = query.whole.lost + query.sort_by_bound(near.keys, near.slots, size);
        }
        const int64_t found = measure_near<T>(tree, query, near, size, lost, best, best_rows, k);
        give_out(best, best_rows, found, tree.is_cosine, tree.ids, out_ids + i * k, out_distances + i * k);
    }
    return worst;
}

// Find the k nearest of all rows by bounds that hold; equal distances by row.
//
// queries: (n, d). OUT: best (n, k), squared distances; best_rows (n, k), row numbers; counts (n,), how many were
// found. Returns OK, or what is wrong with a query.
template <typename T>
static int64_t search_exactly(const Tree &tree, const float *queries, int64_t n, int64_t k, double *all_best,
                              int64_t *all_best_rows, int64_t *counts) {
    Query<double> query(tree);
    Near near(tree, smaller(FIRST_CELLS, tree.n_cells), 4 * k);
    if (!(query.has_memory() && near.has_memory())) return NO_MEMORY;
    const Rows<T> rows = tree.rows_of<T>();
    for (int64_t i = 0; i < n; i++) {
        double *best = all_best + i * k;
        int64_t *best_rows = all_best_rows + i * k;
        const int64_t status = take(queries + i * tree.d, tree.d, tree.is_cosine, query.vector);
        if (status != OK) return status;
        query.rotate(tree.axes);
        const double length = sqrt(query.length_squared);
        const bool is_far = !(length < TOO_FAR);
        double reach = INFINITY;
        if (!is_far) {
            query.encode();
            query.lost += beyond_rounding(tree.d) * (1 + length);
            near.find_cells(tree, query);
            const int64_t size = near.scan(tree, query);
            double most_lost = 0;
            if (tree.row_codes) {
                query.encode_whole();
                most_lost = query.whole.lost + query.sort_by_bound(near.keys, near.slots, size);
            }
            if (measure_near<T>(tree, query, near, size, most_lost, best, best_rows, k) == k) reach = best[0];
        }
        // That reach is at least the true one. What follows starts anew, so that no row is counted twice.
        int64_t found = 0;
        const float squared = float(query.squared), twice = float(2 * query.unit), twice_tail = float(2 * query.tail);
        const float whole_squared = float(query.whole.squared), whole_twice = float(2 * query.whole.unit);
        const double head_squared = query.squared - query.tail * query.tail;
        const double rounding = ROUNDING * (1 + length) * (1 + length);
        for (int64_t cell = 0; cell < tree.n_cells; cell++) {
            const double error = query.lost + tree.cell_errors[cell];
            float limit = float(limit_of(reach, tree.scale, error, length));
            const int64_t first = tree.starts[cell], n_members = tree.size(cell);
            if (!is_far) {
                const double from_centroid = sqrt(larger(near.of_cell[cell] + head_squared - rounding, 0.0));
                const double gap = from_centroid - tree.cell_radii[cell];
                if (gap > 0 && gap * gap > limit) continue;  // no row of the cell is within reach
                dots(query.codes, tree.codes + first * HEAD, n_members, near.dots);
            }
            for (int64_t j = 0; j < n_members; j++) {
                const float *fact = tree.facts + 2 * (first + j);
                if (fact[0] == INFINITY) continue;
                if (!is_far) {
                    if (squared + fact[0] - twice * float(near.dots[j]) - twice_tail * fact[1] > limit) continue;
                    if (tree.row_codes) {
                        const float *row_fact = tree.row_facts + 2 * (first + j);
                        const int8_t *row_codes = tree.row_codes + (first + j) * tree.d;
                        const float product = float(dot(query.whole_codes, row_codes, tree.d));
                        const float bound = whole_squared + row_fact[0] - whole_twice * product;
                        if (bound > limit_of(reach, tree.scale, query.whole.lost + row_fact[1], length)) continue;
                    }
                }
                const int64_t row = tree.order[first + j];
                found = keep(best, best_rows, found, k, measure_row(query.vector.at, row, rows), row);
                if (found == k && best[0] < reach) {
                    reach = best[0];
                    limit = float(limit_of(reach, tree.scale, error, length));
                }
            }
        }
        sort_heap(best, best_rows, found);
        counts[i] = found;
    }
    return OK;
}

// Find all rows whose squared distance is at most `reach`; return how many, or -1 - what is wrong.
template <typename T>
static int64_t find_within(const Tree &tree, const float *given, double reach, double *distances,
                           int64_t *found_rows) {
    Query<double> query(tree);
    Scratch<int32_t> products(tree.fullest);
    if (!(query.has_memory() && products)) return -1 - NO_MEMORY;
    const int64_t status = take(given, tree.d, tree.is_cosine, query.vector);
    if (status != OK) return -1 - status;
    const Rows<T> rows = tree.rows_of<T>();
    query.rotate(tree.axes);
    const double length = sqrt(query.length_squared);
    const bool is_far = !(length < TOO_FAR);
    if (!is_far) {
        query.encode();
        query.lost += beyond_rounding(tree.d) * (1 + length);
    }
    const float squared = float(query.squared), twice = float(2 * query.unit), twice_tail = float(2 * query.tail);
    int64_t found = 0;
    for (int64_t cell = 0; cell < tree.n_cells; cell++) {
        const float limit = float(limit_of(reach, tree.scale, query.lost + tree.cell_errors[cell], length));
        const int64_t first = tree.starts[cell], n = tree.size(cell);
        if (!is_far) dots(query.codes, tree.codes + first * HEAD, n, products);
        for (int64_t j = 0; j < n; j++) {
            const float *fact = tree.facts + 2 * (first + j);
            if (fact[0] == INFINITY) continue;
            if (!is_far && squared + fact[0] - twice * float(products[j]) - twice_tail * fact[1] > limit) continue;
            const int64_t row = tree.order[first + j];
            const double distance = measure_row(query.vector.at, row, rows);
            if (distance <= reach) {
                distances[found] = distance;
                found_rows[found++] = row;
            }
        }
    }
    return found;
}

#define SEARCHES(name, T)                                                                                           \
    EXPORT int64_t kmeans_tree_search_##name(const Tree *tree, const float *queries, int64_t n, int64_t k,          \
                                             int64_t n_cells, int64_t n_measured, int64_t *ids, float *distances) { \
        return search<T>(*tree, queries, n, k, n_cells, n_measured, ids, distances);                                \
    }                                                                                                               \
    EXPORT int64_t kmeans_tree_search_exactly_##name(const Tree *tree, const float *queries, int64_t n, int64_t k,  \
                                                     double *best, int64_t *best_rows, int64_t *counts) {           \
        return search_exactly<T>(*tree, queries, n, k, best, best_rows, counts);                                    \
    }                                                                                                               \
    EXPORT int64_t kmeans_tree_find_within_##name(const Tree *tree, const float *query, double reach,               \
                                                  double *distances, int64_t *found_rows) {                         \
        return find_within<T>(*tree, query, reach, distances, found_rows);                                          \
    }
SEARCHES(f4, float)
SEARCHES(u1, uint8_t)

// Write centered rows, (n, d), as integers; of each the squared length, and what was lost: facts (n, 2). inverse: of
// the steps.
EXPORT void kmeans_tree_encode_rows(const double *block, int64_t n, int64_t d, const double *steps,
                                    const double *inverse, int8_t *codes, float *facts) {
    for (int64_t i = 0; i < n; i++) {
        const double *row = block + i * d;
        int8_t *__restrict out = codes + i * d;
        double squared = 0, lost = 0;
        for (int64_t j = 0; j < d; j++) {
            const double code = smaller(larger(rint(row[j] * inverse[j]), -double(LARGEST_CODE)), double(LARGEST_CODE));
            const double kept = code * steps[j];
            out[j] = int8_t(int32_t(code));
            squared += kept * kept;
            lost += (row[j] - kept) * (row[j] - kept);
        }
        facts[2 * i] = float(squared);
        facts[2 * i + 1] = float(sqrt(lost));
    }
}

// Keep the smallest estimates of each query, max-heaps: the columns are the rows from `first` on.
//
// estimates: (n_queries, n). OUT: keys, numbers (n_queries, room), the latter the row of each key; sizes
// (n_queries,), how many there are; 0 at first.
EXPORT void kmeans_tree_keep_nearest(const float *estimates, int64_t n_queries, int64_t n, int64_t first, float *keys,
                                     int64_t *numbers, int64_t room, int64_t *sizes) {
    for (int64_t i = 0; i < n_queries; i++) {
        const float *row = estimates + i * n;
        float *of_query = keys + i * room;
        int64_t size = sizes[i];
        float limit = size == room ? of_query[0] : float(INFINITY);
        for (int64_t start = 0; start < n; start += BLOCK) {
            const int64_t end = smaller(start + BLOCK, n);
            if (end - start == BLOCK && !any_below(row + start, limit)) continue;
            for (int64_t j = start; j < end; j++) {
                if (!(row[j] < limit)) continue;
                size = keep(of_query, numbers + i * room, size, room, row[j], first + j);
                limit = size == room ? of_query[0] : float(INFINITY);
            }
        }
        sizes[i] = size;
    }
}

// Find out what it takes to find each of a query's neighbors.
//
// neighbors: (k,), their slots. cell_of: (k,), the cells of those. itself: the slot of the query, which is not
// counted. OUT: cell_ranks, row_ranks (k,): how many cells come before its cell, and how many rows look nearer than it
// does; at worst, where some look equally near.
EXPORT int64_t kmeans_tree_rank(const Tree *given, const float *vector, const int64_t *neighbors,
                                const int64_t *cell_of, int64_t k, int64_t itself, int64_t *cell_ranks,
                                int64_t *row_ranks) {
    const Tree &tree = *given;
    const int64_t most = larger(tree.n_slots, tree.n_cells);
    Query<float> query(tree);
    Scratch<int32_t> products(most);
    Scratch<float> estimates(most);
    if (!(query.has_memory() && products && estimates)) return NO_MEMORY;
    take(vector, tree.d, tree.is_cosine, query.vector);
    query.rotate(tree.axes32);
    query.encode();
    const float twice = float(2 * query.unit), weight = float(2 * COSINE_OF_TAILS * query.tail);
    const float *facts = tree.facts;
    const int32_t *product = products;
    float *__restrict estimate = estimates;
    dots(query.codes, tree.codes, tree.n_slots, products);
    for (int64_t slot = 0; slot < tree.n_slots; slot++)
        estimate[slot] = facts[2 * slot] - twice * float(product[slot]) - weight * facts[2 * slot + 1];
    estimate[itself] = INFINITY;
    const int64_t status = rank_among(estimate, tree.n_slots, neighbors, k, row_ranks);
    if (status != OK) return status;
    dots(query.codes, tree.cell_codes, tree.n_cells, products);
    for (int64_t cell = 0; cell < tree.n_cells; cell++)
        estimate[cell] = tree.cell_squares[cell] - twice * float(product[cell]);
    return rank_among(estimate, tree.n_cells, cell_of, k, cell_ranks);
}

// What follows shows a part of a search, for tests of its bounds.

// Write a query's head as integers, and in `found` their unit, squared lifted length, tail, and what was lost.
EXPORT void kmeans_tree_encode(const Tree *tree, const double *vector, int16_t *codes, double *found) {
    Query<double> query(*tree);
    for (int64_t j = 0; j < tree->d; j++) query.vector[j] = vector[j];
    query.rotate(tree->axes);
    query.encode();
    for (int64_t i = 0; i < HEAD; i++) codes[i] = query.codes[i];
    found[0] = query.unit, found[1] = query.squared, found[2] = query.tail, found[3] = query.lost;
}

// Write a query as integers, and in `found` their unit, squared length, and what was lost.
EXPORT void kmeans_tree_encode_whole(const double *query, int64_t d, double scale, const double *center,
                                     const double *steps, int16_t *codes, double *found) {
    const Encoded whole = encode_whole(query, d, scale, center, steps, codes);
    found[0] = whole.unit, found[1] = whole.squared, found[2] = whole.lost;
}

EXPORT int64_t kmeans_tree_dot(const int16_t *query_codes, const int8_t *row, int64_t d) {
    return dot(query_codes, row, d);
}
