// The loops of `registering`: warps of small pictures, and how well they fit; see `registration/registering.py`.
//
// A warp is a matrix (2, 3), from (x, y, 1) of the one picture to (x, y) of the other.

#include <stdlib.h>

#include "export.hpp"

static const int64_t BLOCK = 12;            // pixels, each way
static const double LEAST_VARIANCE = 16.0;  // of a block that says anything: grey levels, squared
static const double FLAT = 1e-9;
static const double WORSE = 0.02;  // by so much, a step may make the correlation worse on its way
static const int UNKNOWNS = 8;     // six of the warp, gain, bias
static const int AT_ONCE = 64;     // pixels of a row

namespace {

// (h, w), at least 2 x 2.
struct Picture {
    const float *levels;
    int64_t height, width;
};

}  // namespace

// NaN is taken for low.
static inline double between(double value, double low, double high) {
    const double least = value > low ? value : low;
    return least < high ? least : high;
}

// Sample b where matrix leads the pixels of a; write what is there, or 0, and whether they lie in b, as 1 or 0: both
// (h, w) of a. Return how many do.
static int64_t warp(const Picture &a, const Picture &b, const double *matrix, float *out, float *inside) {
    const double right = double(b.width - 1), bottom = double(b.height - 1);
    double n = 0;
    for (int64_t y = 0; y < a.height; y++)
        for (int64_t first = 0; first < a.width; first += AT_ONCE) {
            const int64_t at = y * a.width + first;
            const int32_t count = int32_t(a.width - first < AT_ONCE ? a.width - first : AT_ONCE);
            const double along = matrix[1] * double(y) + matrix[2], down = matrix[4] * double(y) + matrix[5];
            int32_t left[AT_ONCE], top[AT_ONCE];
            double p[AT_ONCE], q[AT_ONCE];
            // Where to look, in vectors, and then one after the other what is there.
            for (int32_t i = 0; i < count; i++) {
                const double x = double(first) + double(i);
                const double u = matrix[0] * x + along, v = matrix[3] * x + down;
                // Half a pixel beyond the last is still of the picture.
                const bool is_inside = (u >= -0.5) & (v >= -0.5) & (u <= right + 0.5) & (v <= bottom + 0.5);
                inside[at + i] = is_inside ? 1.0f : 0.0f;
                n += is_inside ? 1.0 : 0.0;
                const double in_u = between(u, 0, right), in_v = between(v, 0, bottom);
                left[i] = int32_t(between(in_u, 0, right - 1));
                top[i] = int32_t(between(in_v, 0, bottom - 1));
                p[i] = in_u - double(left[i]);
                q[i] = in_v - double(top[i]);
            }
            for (int32_t i = 0; i < count; i++) {
                const float *upper = b.levels + top[i] * b.width + left[i], *lower = upper + b.width;
                const double above = upper[0] + p[i] * (upper[1] - upper[0]);
                const double below = lower[0] + p[i] * (lower[1] - lower[0]);
                out[at + i] = inside[at + i] != 0 ? float(above + q[i] * (below - above)) : 0;
            }
        }
    return int64_t(n);
}

namespace {

// Sums over the pixels that lie in both pictures.
struct Sums {
    double n, a, b, aa, bb, ab;

    double variance_a() const { return aa / n - (a / n) * (a / n); }
    double variance_b() const { return bb / n - (b / n) * (b / n); }
    double covariance() const { return ab / n - a / n * (b / n); }
};

// How well b fits a: the normalized cross-correlation, gain and bias of the line through it.
struct Line {
    double ncc, gain, bias;
};

}  // namespace

static Line correlate(const Picture &a, const float *warped, const float *inside) {
    Sums sums = {};
    for (int64_t i = 0; i < a.height * a.width; i++) {
        const double here = inside[i], one = here * a.levels[i], other = warped[i];
        sums.n += here;
        sums.a += one;
        sums.b += other;
        sums.aa += one * one;
        sums.bb += other * other;
        sums.ab += one * other;
    }
    if (sums.n < 16) return {0, 1, 0};
    const double var_a = sums.variance_a(), var_b = sums.variance_b(), covariance = sums.covariance();
    if (var_a < FLAT || var_b < FLAT) return {0, 1, (sums.a - sums.b) / sums.n};
    const double gain = covariance / var_b;
    return {covariance / sqrt(var_a * var_b), gain, (sums.a - gain * sums.b) / sums.n};
}

#if defined(__AVX512F__)
static const int LANES = 8;
#else
static const int LANES = 4;
#endif
typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));

static inline void load(const double *from, Lanes &lanes) { __builtin_memcpy(&lanes, from, sizeof lanes); }

static const int TERMS = 7;  // of a pixel: along * s, along, down * s, down, level, 1, what is left
static const int LEFT = 6;

// Set up one step of Gauss-Newton: what warp, gain and bias best explain what is left of a.
//
// The unknowns are those of the warp, in a's pixels: a change of x and y that is linear in (x, y, 1), then gain and
// bias. x and y are s and t here, from the middle. Weights are Cauchy's, of the residual over the scale.
// work: (1 + TERMS, stride), stride the width, rounded up to LANES.
static void step(const Picture &a, const float *warped, const float *inside, const Line &line, double scale,
                 double *work, int64_t stride, double (*normal)[UNKNOWNS], double *right) {
    const int64_t height = a.height, width = a.width;
    const double middle_x = 0.5 * double(width - 1), middle_y = 0.5 * double(height - 1);
    const double unit = 2.0 / double(width > height ? width : height), half = 0.5 * line.gain;
    double *weights = work, *term[TERMS];
    for (int64_t at = 0; at < (1 + TERMS) * stride; at++) work[at] = 0;
    for (int each = 0; each < TERMS; each++) term[each] = work + (1 + each) * stride;
    for (int64_t x = 0; x < width; x++) term[5][x] = 1;
    Lanes products[UNKNOWNS][UNKNOWNS + 1] = {};
    for (int64_t y = 0; y < height; y++) {
        const float *levels = a.levels + y * width, *others = warped + y * width;
        const float *here = inside + y * width;
        for (int64_t x = 0; x < width; x++) {
            const double left = levels[x] - line.gain * others[x] - line.bias;
            weights[x] = here[x] * scale / (scale + left * left);
            term[4][x] = others[x];
            term[LEFT][x] = left;
        }
        // At the edge there is no gradient, and none where a neighbor is not in both.
        const float within = 0 < y && y < height - 1 ? 1.0f : 0.0f;
        const int64_t above = within != 0 ? -width : 0, below = within != 0 ? width : 0;
        for (int64_t x = 1; x < width - 1; x++) {
            const double slope = half * within * here[x - 1] * here[x + 1] * here[x + above] * here[x + below];
            const double along = slope * (others[x + 1] - others[x - 1]);
            const double down = slope * (others[x + below] - others[x + above]);
            const double s = (double(x) - middle_x) * unit;
            term[0][x] = along * s;
            term[1][x] = along;
            term[2][x] = down * s;
            term[3][x] = down;
        }

        Lanes sums[TERMS][TERMS] = {};
        for (int64_t at = 0; at < stride; at += LANES) {
            Lanes weight, each[TERMS];
            load(weights + at, weight);
            for (int i = 0; i < TERMS; i++) load(term[i] + at, each[i]);
            for (int i = 0; i < LEFT; i++) {
                const Lanes part = weight * each[i];
                for (int j = i; j < TERMS; j++) sums[i][j] += part * each[j];
            }
        }
        // The unknowns, by their terms and what these are multiplied by: t is the same all along the row.
        const double t = (double(y) - middle_y) * unit;
        const int of[UNKNOWNS + 1] = {0, 1, 1, 2, 3, 3, 4, 5, LEFT};
        const double times[UNKNOWNS + 1] = {1, t, 1, 1, t, 1, 1, 1, 1};
        for (int i = 0; i < UNKNOWNS; i++)
            for (int j = i; j <= UNKNOWNS; j++) products[i][j] += sums[of[i]][of[j]] * (times[i] * times[j]);
    }
    for (int i = 0; i < UNKNOWNS; i++)
        for (int j = i; j <= UNKNOWNS; j++) {
            double total = 0;
            for (int lane = 0; lane < LANES; lane++) total += products[i][j][lane];
            if (j == UNKNOWNS)
                right[i] = total;
            else
                normal[i][j] = normal[j][i] = total;
        }
}

// Solve the equations by elimination, a little damped; the answer stands in `right`.
static void solve(double (*normal)[UNKNOWNS], double *right) {
    const int n = UNKNOWNS;
    for (int i = 0; i < n; i++) normal[i][i] = normal[i][i] * (1.0 + 1e-4) + 1e-6;
    for (int i = 0; i < n; i++) {
        int at = i;
        for (int row = i + 1; row < n; row++)
            if (fabs(normal[row][i]) > fabs(normal[at][i])) at = row;
        for (int column = 0; column < n; column++) {
            const double kept = normal[i][column];
            normal[i][column] = normal[at][column];
            normal[at][column] = kept;
        }
        const double kept = right[i];
        right[i] = right[at];
        right[at] = kept;
        for (int row = i + 1; row < n; row++) {
            const double factor = normal[row][i] / normal[i][i];
            right[row] -= factor * right[i];
            for (int column = i; column < n; column++) normal[row][column] -= factor * normal[i][column];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int column = i + 1; column < n; column++) right[i] -= normal[i][column] * right[column];
        right[i] /= normal[i][i];
    }
}

// Fit b, (b_height, b_width), to a, (height, width), from a first guess of the matrix, which is written over; write
// correlation, gain, bias, overlap.
//
// A step that makes the correlation much worse, or leads away, is not taken.
EXPORT void registration_refine(const float *levels_a, int64_t height, int64_t width, const float *levels_b,
                                int64_t b_height, int64_t b_width, double *matrix, int64_t n_steps, double *found) {
    const Picture a = {levels_a, height, width}, b = {levels_b, b_height, b_width};
    const int64_t n_pixels = height * width;
    const int64_t stride = (width + LANES - 1) / LANES * LANES;
    float *warped = (float *)malloc(2 * n_pixels * sizeof(float)), *inside = warped + n_pixels;
    double *work = (double *)malloc((1 + TERMS) * stride * sizeof(double));
    const double middle_x = 0.5 * double(width - 1), middle_y = 0.5 * double(height - 1);
    const double unit = 2.0 / double(width > height ? width : height);
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n_pixels; i++) mean += levels_a[i];
    mean /= double(n_pixels);
    for (int64_t i = 0; i < n_pixels; i++) variance += (levels_a[i] - mean) * (levels_a[i] - mean);
    variance /= double(n_pixels);
    int64_t n = warp(a, b, matrix, warped, inside);
    Line line = correlate(a, warped, inside);
    for (int64_t taken = 0; taken < n_steps && n >= 64; taken++) {
        const double unexplained = 1.0 - line.ncc * line.ncc;
        const double scale = 2.0 * variance * (unexplained > 1e-3 ? unexplained : 1e-3) + 1.0;
        double normal[UNKNOWNS][UNKNOWNS], right[UNKNOWNS], moved[6], trial[6];
        step(a, warped, inside, line, scale, work, stride, normal, right);
        solve(normal, right);
        // From s, t of the middle back to x, y; then the old warp after the new one.
        for (int i = 0; i < 2; i++) {
            const double p = right[3 * i] * unit, q = right[3 * i + 1] * unit, r = right[3 * i + 2];
            moved[3 * i] = p;
            moved[3 * i + 1] = q;
            moved[3 * i + 2] = r - p * middle_x - q * middle_y;
        }
        moved[0] += 1.0;
        moved[4] += 1.0;
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 3; j++) trial[3 * i + j] = matrix[3 * i] * moved[j] + matrix[3 * i + 1] * moved[3 + j];
            trial[3 * i + 2] += matrix[3 * i + 2];
        }
        const int64_t n_now = warp(a, b, trial, warped, inside);
        const Line now = correlate(a, warped, inside);
        if (!(now.ncc > line.ncc - WORSE) || 2 * n_now < n_pixels) break;
        for (int i = 0; i < 6; i++) matrix[i] = trial[i];
        const bool is_done = fabs(now.ncc - line.ncc) < 1e-4;
        n = n_now;
        line = now;
        if (is_done) break;
    }
    free(work);
    free(warped);
    found[0] = line.ncc;
    found[1] = line.gain;
    found[2] = line.bias;
    found[3] = double(n) / double(n_pixels);
}

// Return the mean correlation of blocks, weighted by their texture; minus 2 where nothing has any.
EXPORT double registration_score(const float *levels_a, int64_t height, int64_t width, const float *levels_b,
                                 int64_t b_height, int64_t b_width, const double *matrix) {
    const Picture a = {levels_a, height, width}, b = {levels_b, b_height, b_width};
    float *warped = (float *)malloc(2 * height * width * sizeof(float)), *inside = warped + height * width;
    double *__restrict ns = (double *)malloc(6 * width * sizeof(double)), *__restrict as = ns + width;
    double *__restrict bs = as + width, *__restrict aas = bs + width, *__restrict bbs = aas + width;
    double *__restrict abs = bbs + width;  // of columns first: in vectors, whatever the size of a block
    warp(a, b, matrix, warped, inside);
    double total = 0, weights = 0;
    for (int64_t top = 0; top < height; top += BLOCK) {
        for (int64_t x = 0; x < 6 * width; x++) ns[x] = 0;
        for (int64_t y = top; y < top + BLOCK && y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                const int64_t at = y * width + x;
                const double here = inside[at], one = here * levels_a[at], other = warped[at];
                ns[x] += here;
                as[x] += one;
                bs[x] += other;
                aas[x] += one * one;
                bbs[x] += other * other;
                abs[x] += one * other;
            }
        for (int64_t left = 0; left < width; left += BLOCK) {
            Sums sums = {};
            for (int64_t x = left; x < left + BLOCK && x < width; x++) {
                sums.n += ns[x];
                sums.a += as[x];
                sums.b += bs[x];
                sums.aa += aas[x];
                sums.bb += bbs[x];
                sums.ab += abs[x];
            }
            if (2 * sums.n <= BLOCK * BLOCK) continue;
            const double var_a = fmax(sums.variance_a(), 0), var_b = fmax(sums.variance_b(), 0);
            if (fmax(var_a, var_b) < LEAST_VARIANCE) continue;
            // One that is flat where the other is not, is not alike.
            const double ncc = sums.covariance() / sqrt(fmax(var_a, 1) * fmax(var_b, 1));
            const double weight = sqrt(sqrt(var_a * var_b)) + 1.0;
            total += weight * ncc;
            weights += weight;
        }
    }
    free(ns);
    free(warped);
    return weights > 0 ? total / weights : -2.0;
}
