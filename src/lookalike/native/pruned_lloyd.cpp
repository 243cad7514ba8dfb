// The kernels of `cluster/pruned_lloyd.py`: one round for a block of rows; the arrays are described there.
//
// Distances are sums of squared differences in float32; where two are closer than that can tell apart, both are
// measured in float64 against the centers in float64, and the lower number wins if they are equal. So the labels
// are those of a plain round in float64. Nothing that comes here is NaN; infinity may come.

#include "rows.hpp"

static const int64_t HEAD = 64;
static const float ROUNDING = 1e-5f;             // as in Python
static const float DECAY = float(1 - 2e-7);  // a bound is rounded once a round

static inline float squared(const float *a, const float *b, int64_t d) {
    return sum_up<float>(d, [=](auto at) {
        const auto difference = at(a) - at(b);
        return difference * difference;
    });
}

static double squared_exactly(const float *row, const double *center, int64_t d) {
    return measure(center, row, 1.0, d);
}

// Return how far a squared distance in float32 may be from the true one.
static inline double margin_of(float square, float rounded) {
    return double(ROUNDING * square) + 4.0 * double(rounded) * double(sqrtf(square) + rounded);
}

// Return a distance that is surely not above the true one, of its square in float32.
static inline float below(float square, float rounded) {
    return float(double(sqrtf(larger(square, 0.0f))) * (1.0 - double(ROUNDING)) - 2.0 * double(rounded));
}

// Centers (k, d), group after group, in float32 and float64. numbers (k,): what each was called. group_of (k,).
// starts (n_groups + 1,). rounded: how far float32 is from float64, at most.
struct Centers {
    const float *in_32;
    const double *in_64;
    int64_t d;
    float rounded;
    const int64_t *numbers, *group_of, *starts;
    int64_t n_groups;

    const float *at(int64_t center) const { return in_32 + center * d; }

    // Tell whether a row belongs to center `label` rather than to `old`, in float64.
    bool is_nearer(const float *row, int64_t label, int64_t old) const {
        const double to_new = squared_exactly(row, in_64 + label * d, d);
        const double to_old = squared_exactly(row, in_64 + old * d, d);
        return to_new < to_old || (to_new == to_old && numbers[label] < numbers[old]);
    }
};

// The nearest center of a row so far.
struct Nearest {
    const Centers &centers;
    const float *row;
    int64_t label = 0;
    float best = 0;      // squared distance
    double margin = 0;  // how far that may be from the true one

    Nearest(const Centers &centers, const float *row, int64_t label) : centers(centers), row(row) {
        go_to(label, squared(row, centers.at(label), centers.d));
    }

    void go_to(int64_t center, float square) {
        label = center;
        best = square;
        margin = margin_of(square, centers.rounded);
    }

    // Measure another center, one of a group; tell whether the row goes there. low: the least of the squares of the
    // group's other centers. Of the groups below `n_bounded`, the one that the row leaves gets a bound for it.
    __attribute__((always_inline)) bool measure_center(int64_t center, int64_t group, int64_t n_bounded, float &low, float *bounds) {
        const float square = squared(row, centers.at(center), centers.d);
        if (!(double(square) < double(best) - margin ||
              (double(square) <= double(best) + margin && centers.is_nearer(row, center, label)))) {
            low = smaller(low, square);
            return false;
        }
        const int64_t former = centers.group_of[label];
        if (former == group)
            low = smaller(low, best);
        else if (former < n_bounded)
            bounds[former] = smaller(bounds[former], below(best, centers.rounded));
        go_to(center, square);
        return true;
    }
};

// Return the least of n numbers.
static inline float least_of(const float *numbers, int64_t n) {
    const int LANES = 8;
    float lanes[LANES];
    for (int lane = 0; lane < LANES; lane++) lanes[lane] = INFINITY;
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int lane = 0; lane < LANES; lane++) lanes[lane] = smaller(lanes[lane], numbers[j + lane]);
    float least = INFINITY;
    for (; j < n; j++) least = smaller(least, numbers[j]);
    for (int lane = 0; lane < LANES; lane++) least = smaller(least, lanes[lane]);
    return least;
}

static inline void lower_bounds(float *__restrict bounds, const float *__restrict drifts, int64_t n) {
    for (int64_t group = 0; group < n; group++) bounds[group] = bounds[group] * DECAY - drifts[group];
}

// Give n rows to their nearest centers, measuring only the groups whose bounds allow it; return how many centers
// were looked at. heads, tails and the rest of that kind are null where rows have none.
//
// OUT: labels (n,), squares (n,), lower (n, n_groups).
EXPORT int64_t pruned_lloyd_check_groups(const float *rows, const float *heads, const float *tails,
                                         const float *row_slacks, int64_t n, int64_t d, int32_t *labels,
                                         float *squares, float *lower, const float *centers32, const double *centers64,
                                         const float *center_heads, const float *center_tails,
                                         const float *center_slacks, double rounded, const int64_t *numbers,
                                         const int64_t *group_of, const int64_t *starts, int64_t n_groups,
                                         const float *drifts) {
    const Centers centers = {centers32, centers64, d, float(rounded), numbers, group_of, starts, n_groups};
    const auto reach_of = [=](const Nearest &nearest) {
        return sqrt(double(nearest.best) + nearest.margin) + 2 * rounded;
    };
    int64_t n_seen = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *row = rows + i * d;
        float *bounds = lower + i * n_groups;
        Nearest nearest(centers, row, labels[i]);
        double reach = reach_of(nearest);
        lower_bounds(bounds, drifts, n_groups);
        if (double(least_of(bounds, n_groups)) > reach) {
            squares[i] = nearest.best;
            continue;
        }
        for (int64_t group = 0; group < n_groups; group++) {
            if (double(bounds[group]) > reach) continue;
            float low = INFINITY;
            n_seen += starts[group + 1] - starts[group];
            for (int64_t j = starts[group]; j < starts[group + 1]; j++) {
                if (j == nearest.label) continue;
                if (heads) {
                    const float difference = tails[i] - center_tails[j];
                    const float bound = squared(heads + i * HEAD, center_heads + j * HEAD, HEAD) +
                                        difference * difference - row_slacks[i] - center_slacks[j];
                    if (double(bound) > double(nearest.best) + nearest.margin) {
                        low = smaller(low, bound);
                        continue;
                    }
                }
                if (nearest.measure_center(j, group, n_groups, low, bounds)) reach = reach_of(nearest);
            }
            bounds[group] = below(low, centers.rounded);
        }
        labels[i] = int32_t(nearest.label);
        squares[i] = nearest.best;
    }
    return n_seen;
}

// Give n rows to their nearest centers, all of which are compared by a bound.
//
// products (n, k): -2 times the products of lifted rows and lifted centers; used up. OUT: as above.
EXPORT void pruned_lloyd_check_all(float *products, const float *rows, const float *row_squares,
                                   const float *row_slacks, int64_t n, int64_t d, int32_t *labels, float *squares,
                                   float *lower, const float *centers32, const double *centers64, int64_t k,
                                   const float *offsets, double rounded, const int64_t *numbers,
                                   const int64_t *group_of, const int64_t *starts, int64_t n_groups) {
    const Centers centers = {centers32, centers64, d, float(rounded), numbers, group_of, starts, n_groups};
    for (int64_t i = 0; i < n; i++) {
        const float *row = rows + i * d;
        float *__restrict product = products + i * k, *bounds = lower + i * n_groups;
        const float own = row_squares[i] - row_slacks[i];
        for (int64_t j = 0; j < k; j++) product[j] += offsets[j];
        int64_t likely = 0;  // the group of the least bound
        float least = INFINITY;
        for (int64_t group = 0; group < n_groups; group++) {
            const float low = least_of(product + starts[group], starts[group + 1] - starts[group]);
            bounds[group] = low;
            if (low < least) {
                least = low;
                likely = group;
            }
        }
        int64_t label = starts[likely];
        for (int64_t j = starts[likely]; j < starts[likely + 1]; j++)
            if (product[j] == least) label = j;
        Nearest nearest(centers, row, label);
        for (int64_t group = 0; group < n_groups; group++) {
            if (double(bounds[group] + own) > double(nearest.best) + nearest.margin &&
                group != group_of[nearest.label]) {
                bounds[group] = below(bounds[group] + own, centers.rounded);
                continue;
            }
            float low = INFINITY;
            for (int64_t j = starts[group]; j < starts[group + 1]; j++) {
                if (j == nearest.label) continue;
                const float bound = product[j] + own;
                if (double(bound) > double(nearest.best) + nearest.margin) {
                    low = smaller(low, bound);
                    continue;
                }
                nearest.measure_center(j, group, group, low, bounds);  // later groups are still bounded whole
            }
            bounds[group] = below(low, centers.rounded);
        }
        labels[i] = int32_t(nearest.label);
        squares[i] = nearest.best;
    }
}

// Take n rows whose label changed from one sum to the other; only sums `first` to `last` - 1.
//
// before, after (n,): labels; -1 for none. OUT: sums (k, d), counts (k,).
EXPORT void pruned_lloyd_move_rows(const float *rows, int64_t n, int64_t d, const int32_t *before,
                                   const int32_t *after, int64_t first, int64_t last, double *sums, int64_t *counts) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t old = before[i], label = after[i];
        if (old == label) continue;
        const float *row = rows + i * d;
        if (first <= old && old < last) {
            counts[old]--;
            double *__restrict total = sums + old * d;
            for (int64_t j = 0; j < d; j++) total[j] -= double(row[j]);
        }
        if (first <= label && label < last) {
            counts[label]++;
            double *__restrict total = sums + label * d;
            for (int64_t j = 0; j < d; j++) total[j] += double(row[j]);
        }
    }
}

typedef float Floats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(32)));

// Write what the sum of squared distances would be with each of m candidates as one more center.
//
// products (n, m): of rows and candidates; OUT, each row's squared distance to its nearest center then. squares (n,):
// of the rows' lengths. nearest (n,): squared distance to the nearest center so far. OUT: totals (m,).
EXPORT void pruned_lloyd_potentials(float *products, int64_t n, int64_t m, const float *squares,
                                    const float *candidate_squares, const float *nearest, double *__restrict totals) {
    for (int64_t j = 0; j < m; j++) totals[j] = 0;
    for (int64_t i = 0; i < n; i++) {
        float *__restrict product = products + i * m;
        const float square = squares[i];
        const double least = nearest[i];
        int64_t j = 0;
        // There are some six candidates, too few for what compilers make of a plain loop.
        for (; j + 4 <= m; j += 4) {
            Floats given, others;
            Doubles total;
            memcpy(&given, product + j, sizeof given);
            memcpy(&others, candidate_squares + j, sizeof others);
            memcpy(&total, totals + j, sizeof total);
            Doubles kept = __builtin_convertvector(square + others, Doubles) -
                                2 * __builtin_convertvector(given, Doubles);
            kept = kept < least ? kept : Doubles{} + least;
            kept = kept > 0 ? kept : Doubles{};
            total += kept;
            given = __builtin_convertvector(kept, Floats);
            memcpy(totals + j, &total, sizeof total);
            memcpy(product + j, &given, sizeof given);
        }
        for (; j < m; j++) {
            const double distance = double(square + candidate_squares[j]) - 2 * double(product[j]);
            const double kept = larger(smaller(distance, least), 0.0);
            product[j] = float(kept);
            totals[j] += kept;
        }
    }
}
