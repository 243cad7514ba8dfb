// The kernels of `index/kdtree.py`: one query's whole path in one call; the arrays are described there.
//
// A query is lifted (rotated to the axes, with the length of the rest beside), then led through the tree by a queue
// of nodes, nearest box first.

#include "rows.hpp"

static const int64_t WIDTH = 96;        // of a lifted vector: the axes, and the tail
static const double SUMMED = 1e-5;      // relative: what float32 loses in the sum of WIDTH squares, twice
static const double TOO_FAR = 1e6;      // of a query's length in units of the longest row's: float32 fails beyond
static const float SHARED_TAILS = 0.5;  // the cosine that two neighbors' tails are taken to have

static const int64_t LANES = REGISTER / sizeof(double);
static const int64_t REGISTERS = 12;  // of the 16 or 32 there are

namespace {

// What kdtree_kernels.py fills in, in this order.
struct Tree {
    const double *center, *axes, *mean_head;  // (2, d), (d, WIDTH), (WIDTH,)
    const float *lifted;                      // (slots, WIDTH)
    const int64_t *order;                     // (slots,)
    const bool *live;                         // (slots,): which rows to find
    const int64_t *members, *starts;          // (trees, slots), (trees, leaves + 1)
    const float *boxes;                       // (trees, nodes, 2, WIDTH)
    const int64_t *split_axes;                // (trees, leaves - 1), and so are the values
    const float *split_values;
    const void *rows, *more_rows;
    const double *row_lengths;  // null for euclidean
    const int64_t *ids;
    double scale, rounding, longest;
    int64_t d, n_rows, n_slots, n_trees, n_leaves, fullest;  // fullest: rows in the fullest leaf of any tree
    bool is_cosine;

    template <typename T>
    Rows<T> rows_of() const {
        return {(const T *)rows, n_rows, (const T *)more_rows, row_lengths, d};
    }
    int64_t n_inner() const { return n_leaves - 1; }
    int64_t n_nodes() const { return 2 * n_leaves - 1; }
    const float *lifted_at(int64_t slot) const { return lifted + slot * WIDTH; }
    const float *box(int64_t tree, int64_t node) const { return boxes + (tree * n_nodes() + node) * 2 * WIDTH; }
    const int64_t *leaf(int64_t tree, int64_t node) const { return starts + tree * (n_leaves + 1) + node - n_inner(); }
};

// A query, as it is and lifted.
struct Query {
    const Tree &tree;
    Scratch<double> vector, values;  // (d,)
    Scratch<int64_t> places;
    float lifted[WIDTH];
    double length = 0;  // about the mean

    explicit Query(const Tree &tree) : tree(tree), vector(tree.d), values(tree.d), places(tree.d) {}

    bool has_memory() const { return vector && values && places; }
    bool is_far() const { return !(length < TOO_FAR); }
    double slack() const { return tree.rounding * (tree.longest + length); }

    // Take in a query, (d,); return `OK`, or what is wrong with it.
    int64_t set(const float *query) {
        const int64_t status = take(query, tree.d, tree.is_cosine, vector);
        if (status == OK) lift();
        return status;
    }

    void lift() {
        typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
        const double *middle = tree.center + tree.d;
        const double squared = sum<double>(tree.d, [=](int64_t j) {
            const double difference = (vector[j] - tree.center[j]) * tree.scale - middle[j];
            return difference * difference;
        });
        int64_t n = 0;
        for (int64_t j = 0; j < tree.d; j++) {
            const double value = (vector[j] - tree.center[j]) * tree.scale;
            values[n] = value;
            places[n] = j * WIDTH;
            n += value != 0;  // the background of pictures is 0, and free
        }
        double rest = squared;
        for (int64_t first = 0; first < WIDTH; first += REGISTERS * LANES) {
            Lanes head[REGISTERS] = {};
            for (int64_t j = 0; j < n; j++) {
                const double *axes = tree.axes + places[j] + first;
#pragma GCC unroll 12
                for (int64_t i = 0; i < REGISTERS; i++) {
                    Lanes some;
                    __builtin_memcpy(&some, axes + i * LANES, sizeof some);
                    head[i] += values[j] * some;
                }
            }
            for (int64_t i = 0; i < REGISTERS * LANES && first + i < WIDTH - 1; i++) {
                const double value = head[i / LANES][i % LANES] - tree.mean_head[first + i];
                rest -= value * value;
                lifted[first + i] = float(value);
            }
        }
        lifted[WIDTH - 1] = float(sqrt(larger(rest, 0.0)));
        length = sqrt(squared);
    }
};

// A queue of nodes, the nearest first.
struct Queue {
    Scratch<float> keys;
    Scratch<int64_t> nodes;
    int64_t size = 0;

    explicit Queue(int64_t room) : keys(room), nodes(room) {}

    bool has_memory() const { return keys && nodes; }
    void add(float bound, int64_t node) { push<float, int64_t>(keys, nodes, size++, -bound, node); }
    int64_t take_first(float &bound) {
        const int64_t node = nodes[0];
        bound = -keys[0];
        size--;
        keys[0] = keys[size];
        nodes[0] = nodes[size];
        sift_down<float, int64_t>(keys, nodes, size, 0);
        return node;
    }
};

}  // namespace

// Return the squared distance from a lifted query to a box, (2, WIDTH): its lower and upper corner.
static inline float box_distance(const float *lifted, const float *box) {
    float total = 0;
    for (int64_t j = 0; j < WIDTH; j++) {
        const float outside = larger(larger(box[j] - lifted[j], lifted[j] - box[WIDTH + j]), 0.0f);
        total += outside * outside;
    }
    return total;
}

static inline float lifted_distance(const float *lifted, const float *row) {
    float total = 0;
    for (int64_t j = 0; j < WIDTH; j++) {
        const float difference = lifted[j] - row[j];
        total += difference * difference;
    }
    return total;
}

// Write the squared distance to each lifted row, (n, WIDTH). A loop that does nothing else is the quickest.
static void lifted_distances(const float *lifted, const float *rows, int64_t n, float *__restrict out) {
    for (int64_t i = 0; i < n; i++) out[i] = lifted_distance(lifted, rows + i * WIDTH);
}

// Return the largest computed lifted distance, squared, of what may lie within a true distance.
static inline float limit_of(double distance_squared, double scale, double slack) {
    const double reach = sqrt(distance_squared) * scale + slack;
    return float(reach * reach * (1 + SUMMED));
}

// Return the leaf of the first tree that a query falls into, as a node, by the splits alone.
static int64_t descend(const float *lifted, const Tree &tree) {
    int64_t node = 0;
    while (node < tree.n_inner())
        node = 2 * node + (lifted[tree.split_axes[node]] > tree.split_values[node] ? 2 : 1);
    return node;
}

// Find the k nearest of all rows by bounds that hold, or of those in the query's leaf; ties by row.
template <typename T>
static int64_t search_exactly(const Tree &tree, const float *queries, int64_t n_queries, int64_t k, bool only_leaf,
                              double *best, int64_t *best_rows, int64_t *counts, int64_t *visits) {
    const Rows<T> rows = tree.rows_of<T>();
    Query query(tree);
    Queue queue(tree.n_leaves + 1);
    Scratch<float> distances(tree.fullest);
    if (!(query.has_memory() && queue.has_memory() && distances)) return NO_MEMORY;
    for (int64_t i = 0; i < n_queries; i++, best += k, best_rows += k) {
        const int64_t status = query.set(queries + i * tree.d);
        if (status != OK) return status;
        const double slack = query.slack();
        const bool is_far = query.is_far();
        double reach = INFINITY;
        float limit = INFINITY;
        int64_t found = 0;
        visits[i] = 0;
        queue.size = 0;
        queue.add(0, only_leaf ? descend(query.lifted, tree) : 0);
        while (queue.size > 0) {
            float bound;
            const int64_t node = queue.take_first(bound);
            if (bound > limit) break;
            if (node < tree.n_inner()) {
                for (int64_t child = 2 * node + 1; child < 2 * node + 3; child++) {
                    const float of_child = is_far ? 0 : box_distance(query.lifted, tree.box(0, child));
                    if (of_child <= limit) queue.add(of_child, child);
                }
                continue;
            }
            const int64_t first = tree.leaf(0, node)[0], n = tree.leaf(0, node)[1] - first;
            if (is_far)
                for (int64_t j = 0; j < n; j++) distances[j] = 0;
            else
                lifted_distances(query.lifted, tree.lifted_at(first), n, distances);
            for (int64_t j = 0; j < n; j++) {
                if (distances[j] > limit || !tree.live[first + j]) continue;
                const int64_t row = tree.order[first + j];
                found = keep(best, best_rows, found, k, measure_row(query.vector, row, rows), row);
                if (found == k && best[0] < reach) {
                    reach = best[0];
                    limit = limit_of(reach, tree.scale, slack);
                }
            }
            visits[i]++;
        }
        sort_heap(best, best_rows, found);
        counts[i] = found;
    }
    return OK;
}

// Answer queries best bin first: the `most_leaves` nearest leaves of all trees, `room` rows measured. More leaves are
// visited where these hold fewer than k rows.
template <typename T>
static int64_t search(const Tree &tree, const float *queries, int64_t n_queries, int64_t k, int64_t most_leaves,
                      int64_t room, int64_t *out_ids, float *out_distances) {
    const Rows<T> rows = tree.rows_of<T>();
    Query query(tree);
    Queue queue(tree.n_trees * tree.n_leaves + 1);
    Scratch<float> keys(room), distances(tree.fullest);
    Scratch<int64_t> slots(room), best_rows(k);
    Scratch<double> best(k);
    const bool is_forest = tree.n_trees > 1;
    Scratch<int64_t> seen(is_forest ? tree.n_slots : 0);  // the last query that met a slot
    const bool has_memory = keys && distances && slots && best_rows && best && seen;
    if (!(query.has_memory() && queue.has_memory() && has_memory)) return NO_MEMORY;
    if (is_forest)
        for (int64_t slot = 0; slot < tree.n_slots; slot++) seen[slot] = -1;
    for (int64_t i = 0; i < n_queries; i++, out_ids += k, out_distances += k) {
        const int64_t status = query.set(queries + i * tree.d);
        if (status != OK) return status;
        float *lifted = query.lifted;
        if (query.is_far())  // all are about as far
            for (int64_t j = 0; j < WIDTH; j++) lifted[j] /= float(query.length);
        const float weight = 2 * (1 - SHARED_TAILS) * lifted[WIDTH - 1];
        int64_t visited = 0, size = 0;
        queue.size = 0;
        for (int64_t root = 0; root < tree.n_trees; root++) queue.add(0, root * tree.n_nodes());
        while (queue.size > 0 && (visited < most_leaves || size < k)) {
            float bound;
            const int64_t place = queue.take_first(bound), which = place / tree.n_nodes();
            const int64_t node = place - which * tree.n_nodes();
            if (node < tree.n_inner()) {
                for (int64_t child = 2 * node + 1; child < 2 * node + 3; child++)
                    queue.add(box_distance(lifted, tree.box(which, child)), which * tree.n_nodes() + child);
                continue;
            }
            visited++;
            const int64_t first = tree.leaf(which, node)[0], n = tree.leaf(which, node)[1] - first;
            if (which == 0) lifted_distances(lifted, tree.lifted_at(first), n, distances);
            float limit = size == room ? keys[0] : float(INFINITY);
            for (int64_t j = 0; j < n; j++) {
                const int64_t slot = which == 0 ? first + j : tree.members[which * tree.n_slots + first + j];
                if (is_forest) {
                    if (seen[slot] == i) continue;
                    seen[slot] = i;
                }
                const float *row = tree.lifted_at(slot);
                const float distance = which == 0 ? distances[j] : lifted_distance(lifted, row);
                const float estimate = distance + weight * row[WIDTH - 1];
                if (!(estimate < limit) || !tree.live[slot]) continue;
                size = keep<float, int64_t>(keys, slots, size, room, estimate, slot);
                if (size == room) limit = keys[0];
            }
        }
        const int64_t found =
            measure_slots<T, int64_t>(query.vector, slots, size, tree.order, rows, best, best_rows, k);
        give_out(best, best_rows, found, tree.is_cosine, tree.ids, out_ids, out_distances);
        for (int64_t j = found; j < k; j++) {
            out_ids[j] = -1;
            out_distances[j] = INFINITY;
        }
    }
    return OK;
}

// Find all rows whose squared distance is at most `reach`; return how many, or -1 - what is wrong.
template <typename T>
static int64_t find_within(const Tree &tree, const float *vector, double reach, double *distances,
                           int64_t *found_rows) {
    const Rows<T> rows = tree.rows_of<T>();
    Query query(tree);
    Scratch<int64_t> stack(tree.n_leaves + 1);
    if (!(query.has_memory() && stack)) return -1 - NO_MEMORY;
    const int64_t status = query.set(vector);
    if (status != OK) return -1 - status;
    const bool is_far = query.is_far();
    const float limit = is_far ? float(INFINITY) : limit_of(reach, tree.scale, query.slack());
    int64_t size = 1, found = 0;
    stack[0] = 0;
    while (size > 0) {
        const int64_t node = stack[--size];
        if (!is_far && box_distance(query.lifted, tree.box(0, node)) > limit) continue;
        if (node < tree.n_inner()) {
            stack[size++] = 2 * node + 2;
            stack[size++] = 2 * node + 1;
            continue;
        }
        for (int64_t slot = tree.leaf(0, node)[0]; slot < tree.leaf(0, node)[1]; slot++) {
            if (!tree.live[slot]) continue;
            if (!is_far && lifted_distance(query.lifted, tree.lifted_at(slot)) > limit) continue;
            const int64_t row = tree.order[slot];
            const double distance = measure_row(query.vector, row, rows);
            if (!(distance <= reach)) continue;
            distances[found] = distance;
            found_rows[found++] = row;
        }
    }
    return found;
}

#define OF_ROWS(name, T)                                                                                          \
    EXPORT int64_t kdtree_search_exactly_##name(const Tree *tree, const float *queries, int64_t n, int64_t k,     \
                                                bool only_leaf, double *best, int64_t *best_rows,                 \
                                                int64_t *counts, int64_t *visits) {                               \
        return search_exactly<T>(*tree, queries, n, k, only_leaf, best, best_rows, counts, visits);               \
    }                                                                                                             \
    EXPORT int64_t kdtree_search_##name(const Tree *tree, const float *queries, int64_t n, int64_t k,             \
                                        int64_t most_leaves, int64_t room, int64_t *ids, float *distances) {      \
        return search<T>(*tree, queries, n, k, most_leaves, room, ids, distances);                                \
    }                                                                                                             \
    EXPORT int64_t kdtree_find_within_##name(const Tree *tree, const float *query, double reach,                  \
                                             double *distances, int64_t *found_rows) {                            \
        return find_within<T>(*tree, query, reach, distances, found_rows);                                        \
    }
OF_ROWS(f4, float)
OF_ROWS(u1, uint8_t)

// Write the leaf that each query falls into; return `OK`, or what is wrong with one.
EXPORT int64_t kdtree_leaves_of(const Tree *tree, const float *queries, int64_t n, int64_t *leaves) {
    Query query(*tree);
    if (!query.has_memory()) return NO_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        const int64_t status = query.set(queries + i * tree->d);
        if (status != OK) return status;
        leaves[i] = descend(query.lifted, *tree) - tree->n_inner();
    }
    return OK;
}

// Find out what it takes to find each of a query's neighbors; see the wrapper.
EXPORT int64_t kdtree_rank(const Tree *given, const float *lifted, const int64_t *neighbors, const int64_t *leaves,
                           int64_t k, int64_t *leaf_ranks, int64_t *row_ranks) {
    const Tree &tree = *given;
    const int64_t n_bounds = tree.n_trees * tree.n_leaves;
    Scratch<float> bounds(n_bounds), estimates(tree.n_slots);
    Scratch<int64_t> first(k);
    if (!(bounds && estimates && first)) return NO_MEMORY;
    for (int64_t which = 0; which < tree.n_trees; which++)
        for (int64_t leaf = 0; leaf < tree.n_leaves; leaf++)
            bounds[which * tree.n_leaves + leaf] = box_distance(lifted, tree.box(which, tree.n_inner() + leaf));
    for (int64_t j = 0; j < k; j++) {
        first[j] = leaves[j];
        for (int64_t which = 1; which < tree.n_trees; which++) {
            const int64_t leaf = which * tree.n_leaves + leaves[which * k + j];
            if (bounds[leaf] < bounds[first[j]]) first[j] = leaf;
        }
    }
    const int64_t status = rank_among<float>(bounds, n_bounds, first, k, leaf_ranks);
    if (status != OK) return status;
    const float weight = 2 * (1 - SHARED_TAILS) * lifted[WIDTH - 1];
    lifted_distances(lifted, tree.lifted, tree.n_slots, estimates);
    for (int64_t slot = 0; slot < tree.n_slots; slot++)
        estimates[slot] = tree.live[slot] ? estimates[slot] + weight * tree.lifted_at(slot)[WIDTH - 1] : float(INFINITY);
    return rank_among<float>(estimates, tree.n_slots, neighbors, k, row_ranks);
}
