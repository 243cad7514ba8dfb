// The loops of t-SNE: affinities, attraction, repulsion, and the step; see `projection/tsne.py`.
//
// Points lie in two rows, x and y: (2, n). What takes `begin` and `end` does a part of the points, each point by
// itself, so that the parts may go to threads and the sums are always taken in the same order.

#include <stdlib.h>

#include "export.hpp"

static const int MOST_ROUNDS = 60;
static const double NEAR_ENOUGH = 1e-5;  // of the entropy
static const int NODES = 6;              // that a point is spread over, each way
static const int64_t COLLECTED = 128;    // neighbors at once

// Give each row of distances, (n, k), a Gaussian, as wide as the perplexity wants it; see the wrapper.
//
// Newton's method on the logarithm of the precision, kept between bounds by bisection.
EXPORT void tsne_fill_affinities(const float *distances, int64_t k, bool are_squares, double log_perplexity,
                                 float *affinities, int64_t begin, int64_t end) {
    double *squares = (double *)malloc(2 * k * sizeof(double)), *weights = squares + k;
    for (int64_t i = begin; i < end; i++) {
        const float *row = distances + i * k;
        float *out = affinities + i * k;
        double least = INFINITY, mean = 0;
        for (int64_t j = 0; j < k; j++) {
            const double distance = row[j];
            squares[j] = are_squares ? distance : distance * distance;
            least = squares[j] < least ? squares[j] : least;
        }
        for (int64_t j = 0; j < k; j++) mean += squares[j] -= least;
        mean /= double(k);
        const double scale = mean > 0 ? 1.0 / mean : 1.0;
        double low = -60.0, high = 60.0, total = 0;
        double at = 0;  // the logarithm of precision over scale
        for (int round = 0; round < MOST_ROUNDS; round++) {
            const double precision = exp(at) * scale;
            double first = 0, second = 0;
            total = 0;
            for (int64_t j = 0; j < k; j++) weights[j] = exp(-precision * squares[j]);
            for (int64_t j = 0; j < k; j++) {
                const double exponent = precision * squares[j];
                total += weights[j];
                first += weights[j] * exponent;
                second += weights[j] * exponent * exponent;
            }
            first /= total;
            const double excess = log(total) + first - log_perplexity;
            if (fabs(excess) < NEAR_ENOUGH) break;
            if (excess > 0)
                low = at;
            else
                high = at;
            const double variance = second / total - first * first;
            at = variance > 1e-12 ? at + excess / variance : (low + high) / 2;
            if (!(low < at && at < high)) at = (low + high) / 2;
        }
        for (int64_t j = 0; j < k; j++) out[j] = float(weights[j] / total);
    }
    free(squares);
}

// Pull each point to those that it is near to; points and forces (2, n).
template <typename I>
static void attract(const float *points, int64_t n, const I *indptr, const I *indices, const float *affinities,
                    float *forces, int64_t begin, int64_t end) {
    const float *xs = points, *ys = points + n;
    for (int64_t i = begin; i < end; i++) {
        const float x = xs[i], y = ys[i];
        float force_x = 0, force_y = 0;
        // What is collected first is worked on in vectors: nearly twice as fast.
        for (int64_t first = indptr[i]; first < indptr[i + 1]; first += COLLECTED) {
            const int64_t left = indptr[i + 1] - first, count = left < COLLECTED ? left : COLLECTED;
            const I *near = indices + first;
            const float *weights = affinities + first;
            float x_others[COLLECTED], y_others[COLLECTED];
            for (int64_t j = 0; j < count; j++) {
                x_others[j] = xs[near[j]];
                y_others[j] = ys[near[j]];
            }
            for (int64_t j = 0; j < count; j++) {
                const float dx = x_others[j] - x, dy = y_others[j] - y;
                const float pull = weights[j] / (1.0f + dx * dx + dy * dy);
                force_x += pull * dx;
                force_y += pull * dy;
            }
        }
        forces[i] = force_x;
        forces[n + i] = force_y;
    }
}

// Return the sum of p log(p (1 + d²)) over the entries of some points, (2, n).
template <typename I>
static double sum_logarithms(const float *points, int64_t n, const I *indptr, const I *indices,
                             const float *affinities, int64_t begin, int64_t end) {
    const float *xs = points, *ys = points + n;
    double total = 0;
    for (int64_t i = begin; i < end; i++)
        for (int64_t entry = indptr[i]; entry < indptr[i + 1]; entry++) {
            const double p = affinities[entry];
            const double dx = xs[indices[entry]] - xs[i], dy = ys[indices[entry]] - ys[i];
            if (p > 0) total += p * log(p * (1 + dx * dx + dy * dy));
        }
    return total;
}

// The graph is that of scipy, whose numbers are longer where it has more than 2³¹ entries.
#define ALONG_GRAPH(name, I)                                                                                      \
    EXPORT void tsne_attract_##name(const float *points, int64_t n, const I *indptr, const I *indices,            \
                                    const float *affinities, float *forces, int64_t begin, int64_t end) {         \
        attract(points, n, indptr, indices, affinities, forces, begin, end);                                      \
    }                                                                                                             \
    EXPORT double tsne_sum_logarithms_##name(const float *points, int64_t n, const I *indptr, const I *indices,   \
                                             const float *affinities, int64_t begin, int64_t end) {               \
        return sum_logarithms(points, n, indptr, indices, affinities, begin, end);                                \
    }
ALONG_GRAPH(i4, int32_t)
ALONG_GRAPH(i8, int64_t)

// Sum up 1 / (1 + d²) over all points, (2, n), and its slope, at each point: exactly.
EXPORT void tsne_repel(const double *points, int64_t n, double *potential, double *slopes, int64_t begin,
                       int64_t end) {
    const double *xs = points, *ys = points + n;
    for (int64_t i = begin; i < end; i++) {
        const double x = xs[i], y = ys[i];
        double total = 0, slope_x = 0, slope_y = 0;
        for (int64_t j = 0; j < n; j++) {
            const double dx = xs[j] - x, dy = ys[j] - y;
            const double near = 1.0 / (1.0 + dx * dx + dy * dy);
            total += near;
            slope_x += near * near * dx;
            slope_y += near * near * dy;
        }
        potential[i] = total;
        slopes[i] = 2 * slope_x;
        slopes[n + i] = 2 * slope_y;
    }
}

namespace {

// A grid of nodes, (rows, columns): where node (0, 0) lies, and how many nodes there are to a length of 1.
struct Grid {
    double left, top, density;
    int64_t columns;

    // Return the first of the nodes around a point; t and u are how far it is beyond the third, each way.
    int64_t place(double x, double y, double &t, double &u) const {
        const double across = (x - left) * density, down = (y - top) * density;
        const int64_t a = int64_t(across), b = int64_t(down);
        t = across - double(a);
        u = down - double(b);
        return (a - 2) * columns + b - 2;
    }
};

}  // namespace

// Write the quintic B-spline at t + 2, t + 1, t, t - 1, t - 2, t - 3; t is 0 to 1.
static inline void weigh(double t, double *out) {
    const double s = 1 - t, s2 = s * s, t2 = t * t;
    out[0] = s2 * s2 * s * (1 / 120.0);
    out[1] = (1 + s * (5 + s * (10 + s * (10 + s * (5 - 5 * s))))) * (1 / 120.0);
    out[2] = (66 + t2 * (-60 + t2 * (30 - 10 * t))) * (1 / 120.0);
    out[3] = (66 + s2 * (-60 + s2 * (30 - 10 * s))) * (1 / 120.0);
    out[4] = (1 + t * (5 + t * (10 + t * (10 + t * (5 - 5 * t))))) * (1 / 120.0);
    out[5] = t2 * t2 * t * (1 / 120.0);
}

// Write the derivatives of what `weigh` does.
static inline void weigh_slopes(double t, double *out) {
    const double s = 1 - t, s2 = s * s, t2 = t * t;
    out[0] = -(s2 * s2) * (1 / 24.0);
    out[1] = -(1 + s * (4 + s * (6 + s * (4 - 5 * s)))) * (1 / 24.0);
    out[2] = t * (-12 + t2 * (12 - 5 * t)) * (1 / 12.0);
    out[3] = -s * (-12 + s2 * (12 - 5 * s)) * (1 / 12.0);
    out[4] = (1 + t * (4 + t * (6 + t * (4 - 5 * t)))) * (1 / 24.0);
    out[5] = t2 * t2 * (1 / 24.0);
}

// Spread each point, (2, n), over the 6 x 6 nodes around it, by quintic B-splines: add to density, (rows, columns).
EXPORT void tsne_spread(const double *points, int64_t n, double left, double top, double spacing, double *density,
                        int64_t columns) {
    const Grid grid = {left, top, 1 / spacing, columns};
    for (int64_t i = 0; i < n; i++) {
        double t, u, across[NODES], down[NODES];
        double *__restrict nodes = density + grid.place(points[i], points[n + i], t, u);
        weigh(t, across);
        weigh(u, down);
        for (int p = 0; p < NODES; p++)
            for (int q = 0; q < NODES; q++) nodes[p * columns + q] += across[p] * down[q];
    }
}

// Read a potential, and its slope, at points between nodes, (rows, columns): their B-spline coefficients.
EXPORT void tsne_read(const double *points, int64_t n, double left, double top, double spacing, const double *nodes,
                      int64_t columns, double *potential, double *slopes, int64_t begin, int64_t end) {
    const Grid grid = {left, top, 1 / spacing, columns};
    for (int64_t i = begin; i < end; i++) {
        double t, u, across[NODES], down[NODES], steep_across[NODES], steep_down[NODES];
        const double *around = nodes + grid.place(points[i], points[n + i], t, u);
        weigh(t, across);
        weigh(u, down);
        weigh_slopes(t, steep_across);
        weigh_slopes(u, steep_down);
        double total = 0, slope_x = 0, slope_y = 0;
        for (int p = 0; p < NODES; p++) {
            const double *row = around + p * columns;
            double here = 0, steep = 0;
            for (int q = 0; q < NODES; q++) {
                here += down[q] * row[q];
                steep += steep_down[q] * row[q];
            }
            total += across[p] * here;
            slope_x += steep_across[p] * here;
            slope_y += across[p] * steep;
        }
        potential[i] = total;
        slopes[i] = slope_x * grid.density;
        slopes[n + i] = slope_y * grid.density;
    }
}

// Move the points along the forces, with momentum, each coordinate at a pace of its own; all arrays are (2, n).
EXPORT void tsne_step(double *__restrict points, const float *__restrict attraction, const double *__restrict slopes,
                      int64_t n, double exaggeration, double share, double *__restrict updates,
                      double *__restrict gains, double rate, double momentum, double most) {
    for (int64_t i = 0; i < n; i++) {
        double moves[2];
        for (int axis = 0; axis < 2; axis++) {
            const int64_t at = axis * n + i;
            const double force = exaggeration * double(attraction[at]) - share * slopes[at];
            const double gain = gains[at];
            gains[at] = (force > 0) == (updates[at] > 0) ? gain + 0.2 : gain * 0.8 + 0.01;
            moves[axis] = momentum * updates[at] + rate * gains[at] * force;
        }
        const double squared = moves[0] * moves[0] + moves[1] * moves[1];
        const double shorter = squared > most * most ? most / sqrt(squared) : 1.0;
        updates[i] = moves[0] * shorter;
        updates[n + i] = moves[1] * shorter;
    }
    for (int axis = 0; axis < 2; axis++) {
        double *of_axis = points + axis * n;
        const double *by = updates + axis * n;
        double total = 0;
        for (int64_t i = 0; i < n; i++) total += of_axis[i] += by[i];
        total /= double(n);
        for (int64_t i = 0; i < n; i++) of_axis[i] -= total;
    }
}
