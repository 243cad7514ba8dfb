// Pictures at four sizes, warps between them, and how well they fit: what `verifying.cpp` is made of.
//
// Lengths are in units of the long side, whatever the size: the middle of pixel (x, y) of a level lies at
// ((x + .5) / side, (y + .5) / side). So one warp, a homography (3, 3) from the units of one picture to those of
// another, holds at all sizes.
#pragma once

#include <stdlib.h>

#include "export.hpp"

namespace {

const int N_LEVELS = 4;                   // 256, 128, 64, 32 pixels
const int SIDE = 256;                     // of the first
const int MOST_ROW = SIDE + 8;
const double LEAST_VARIANCE = 16.0;       // of a block that says anything: grey levels, squared
const double WORSE = 0.02;                // by so much, a step may make the correlation worse on its way
const int MOST_UNKNOWNS = 10;             // eight of the warp, gain, bias
const int CHUNK = 512;                    // pixels whose terms are summed at once

// Grey levels, (height, width) float, of `side` pixels a unit.
struct Level {
    float *levels;
    int height, width;
    float side;
};

struct Pyramid {
    Level level[N_LEVELS];
    float *memory;
};

// How well the one fits the other: correlation, gain and bias of the line through it; the pixels both have.
struct Line {
    double ncc, gain, bias, n;
};

// Where pixels of one picture lie in another: what is there, and whether anything is, as 1 or 0.
struct Warped {
    float *levels, *inside;
};

double least(double one, double other) { return one < other ? one : other; }
double most(double one, double other) { return one > other ? one : other; }

void halve(const Level &from, Level &to) {
    for (int y = 0; y < to.height; y++) {
        const float *upper = from.levels + 2 * y * from.width, *lower = upper + from.width;
        float *out = to.levels + y * to.width;
        for (int x = 0; x < to.width; x++)
            out[x] = 0.25f * (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]);
    }
}

// Make the levels of a picture, (height, width), turned as EXIF's orientation says that it is to be; free `memory`.
Pyramid pyramid_of(const uint8_t *picture, int height, int width, int turn) {
    const bool is_across = turn >= 5;
    Pyramid found;
    int h = is_across ? width : height, w = is_across ? height : width, total = 0;
    for (int k = 0; k < N_LEVELS; k++) {
        found.level[k] = {nullptr, h >> k, w >> k, float(SIDE >> k)};
        total += (h >> k) * (w >> k);
    }
    float *next = found.memory = (float *)malloc(total * sizeof(float));
    for (int k = 0; k < N_LEVELS; k++) {
        found.level[k].levels = next;
        next += found.level[k].height * found.level[k].width;
    }
    const bool is_mirrored = turn == 2 || turn == 3 || turn == 6 || turn == 7;
    const bool is_upside_down = turn == 3 || turn == 4 || turn == 7 || turn == 8;
    const int64_t along = is_across ? width : 1, down = is_across ? 1 : width;
    for (int y = 0; y < h; y++) {
        const uint8_t *row = picture + (is_upside_down ? h - 1 - y : y) * down;
        float *out = found.level[0].levels + y * w;
        if (along == 1 && !is_mirrored)
            for (int x = 0; x < w; x++) out[x] = float(row[x]);
        else
            for (int x = 0; x < w; x++) out[x] = float(row[(is_mirrored ? w - 1 - x : x) * along]);
    }
    for (int k = 1; k < N_LEVELS; k++) halve(found.level[k - 1], found.level[k]);
    return found;
}

// Sample `other` where the warp leads the pixels of `one`.
void warp(const Level &one, const Level &other, const double *h, Warped &out) {
    const float right = float(other.width - 1), bottom = float(other.height - 1), side = other.side;
    const float unit = 1.0f / one.side;
    for (int y = 0; y < one.height; y++) {
        const double v = (y + 0.5) * unit;
        const float a0 = float(h[0]), a1 = float(h[1] * v + h[2]), b0 = float(h[3]), b1 = float(h[4] * v + h[5]);
        const float c0 = float(h[6]), c1 = float(h[7] * v + h[8]);
        float p[MOST_ROW], q[MOST_ROW];
        int at[MOST_ROW];
        float *inside = out.inside + y * one.width, *levels = out.levels + y * one.width;
        for (int x = 0; x < one.width; x++) {
            const float u = (float(x) + 0.5f) * unit, depth = c0 * u + c1;
            const float by = side / (depth > 1e-3f ? depth : 1e-3f);
            const float along = (a0 * u + a1) * by - 0.5f, down = (b0 * u + b1) * by - 0.5f;
            // Half a pixel beyond the last is still of the picture.
            const bool is_inside = (along >= -0.5f) & (down >= -0.5f) & (along <= right + 0.5f) & (down <= bottom + 0.5f);
            inside[x] = is_inside ? 1.0f : 0.0f;
            float in_x = along > 0 ? along : 0, in_y = down > 0 ? down : 0;
            in_x = in_x < right ? in_x : right;
            in_y = in_y < bottom ? in_y : bottom;
            const int left = int(in_x < right - 1 ? in_x : right - 1), top = int(in_y < bottom - 1 ? in_y : bottom - 1);
            p[x] = in_x - float(left);
            q[x] = in_y - float(top);
            at[x] = top * other.width + left;
        }
        for (int x = 0; x < one.width; x++) {
            const float *upper = other.levels + at[x], *lower = upper + other.width;
            const float above = upper[0] + p[x] * (upper[1] - upper[0]);
            const float below = lower[0] + p[x] * (lower[1] - lower[0]);
            levels[x] = inside[x] * (above + q[x] * (below - above));
        }
    }
}

Line correlate(const Level &one, const Warped &other) {
    double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int y = 0; y < one.height; y++) {
        const float *levels = one.levels + y * one.width, *warped = other.levels + y * one.width;
        const float *inside = other.inside + y * one.width;
        float row_n = 0, row_a = 0, row_b = 0, row_aa = 0, row_bb = 0, row_ab = 0;
        for (int x = 0; x < one.width; x++) {
            const float here = inside[x], own = here * (levels[x] - 128.0f), its = here * (warped[x] - 128.0f);
            row_n += here;
            row_a += own;
            row_b += its;
            row_aa += own * own;
            row_bb += its * its;
            row_ab += own * its;
        }
        n += row_n, a += row_a, b += row_b, aa += row_aa, bb += row_bb, ab += row_ab;
    }
    if (n < 16) return {0, 1, 0, n};
    a /= n, b /= n;
    const double var_a = aa / n - a * a, var_b = bb / n - b * b, covariance = ab / n - a * b;
    if (var_a < 1e-3 || var_b < 1e-3) return {0, 1, a - b, n};
    const double gain = covariance / var_b;
    return {covariance / sqrt(var_a * var_b), gain, a - gain * b + 128.0 * (1.0 - gain), n};
}

// The terms of pixels, and the sums of their products.
struct Equations {
    int unknowns, fill;
    float term[MOST_UNKNOWNS + 1][CHUNK], weight[CHUNK];
    double sums[MOST_UNKNOWNS][MOST_UNKNOWNS + 1];

    void start(int n) {
        unknowns = n;
        fill = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= n; j++) sums[i][j] = 0;
    }

    void flush() {
        float weighted[CHUNK];
        for (int i = 0; i < unknowns; i++) {
            for (int x = 0; x < fill; x++) weighted[x] = weight[x] * term[i][x];
            for (int j = i; j <= unknowns; j++) {
                float total = 0;
                for (int x = 0; x < fill; x++) total += weighted[x] * term[j][x];
                sums[i][j] += total;
            }
        }
        fill = 0;
    }

    // Solve them by elimination, a little damped.
    void solve(double *answer) {
        const int n = unknowns;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) sums[i][j] = sums[j][i];
        for (int i = 0; i < n; i++) sums[i][i] = sums[i][i] * (1.0 + 1e-4) + 1e-6;
        for (int i = 0; i < n; i++) {  // of a positive definite matrix: no pivots
            for (int row = i + 1; row < n; row++) {
                const double factor = sums[row][i] / sums[i][i];
                for (int column = i; column <= n; column++) sums[row][column] -= factor * sums[i][column];
            }
        }
        for (int i = n - 1; i >= 0; i--) {
            double left = sums[i][n];
            for (int column = i + 1; column < n; column++) left -= sums[i][column] * answer[column];
            answer[i] = left / sums[i][i];
        }
    }
};

// Set up one step of Gauss-Newton: what change of the warp, gain and bias best explain what is left. Rows by `stride`.
void set_up(const Level &one, const Warped &other, const Line &line, double scale, int n_warp, int stride,
            Equations &equations) {
    const float middle_x = 0.5f * float(one.width), middle_y = 0.5f * float(one.height), unit = 2.0f / one.side;
    const float gain = float(line.gain), bias = float(line.bias), wide = float(scale), half = 0.5f * gain;
    const int width = one.width, count = width - 2;
    equations.start(n_warp + 2);
    for (int y = 1; y < one.height - 1; y += stride) {
        if (equations.fill + count > CHUNK) equations.flush();
        const float *levels = one.levels + y * width + 1, *its = other.levels + y * width + 1;
        const float *here = other.inside + y * width + 1;
        const float t = (float(y) + 0.5f - middle_y) * unit;
        float(*term)[CHUNK] = equations.term;
        const int fill = equations.fill;
        for (int x = 0; x < count; x++) {
            const float s = (float(x) + 1.5f - middle_x) * unit;
            const float left = levels[x] - gain * its[x] - bias;
            const float valid = here[x] * here[x - 1] * here[x + 1] * here[x - width] * here[x + width];
            const float along = half * (its[x + 1] - its[x - 1]), down = half * (its[x + width] - its[x - width]);
            equations.weight[fill + x] = valid * wide / (wide + left * left);
            term[0][fill + x] = along * s;
            term[1][fill + x] = along * t;
            term[2][fill + x] = along;
            term[3][fill + x] = down * s;
            term[4][fill + x] = down * t;
            term[5][fill + x] = down;
            term[n_warp][fill + x] = its[x] - 128.0f;
            term[n_warp + 1][fill + x] = 1.0f;
            term[n_warp + 2][fill + x] = left;
        }
        if (n_warp == 8)
            for (int x = 0; x < count; x++) {
                const float s = (float(x) + 1.5f - middle_x) * unit;
                const float both = -(term[0][fill + x] + term[4][fill + x]);
                term[6][fill + x] = both * s;
                term[7][fill + x] = both * t;
            }
        equations.fill += count;
    }
    equations.flush();
}

void multiply(const double *one, const double *other, double *out) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] = one[3 * i] * other[j] + one[3 * i + 1] * other[3 + j] + one[3 * i + 2] * other[6 + j];
}

// Write the inverse of a homography, its last number 1; false if there is none to speak of.
bool invert(const double *m, double *out) {
    const double cofactor[9] = {m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
                                m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
                                m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
    if (!(fabs(cofactor[8]) > 1e-9)) return false;
    for (int i = 0; i < 9; i++) out[i] = cofactor[i] / cofactor[8];
    return true;
}

// Fit a warp from a first guess, which is written over, and leave the other as it lies then.
//
// A step that makes the correlation much worse, or leads away, is not taken.
Line refine(const Level &one, const Level &other, double *h, int n_warp, int n_steps, int stride, Warped &warped,
            Warped &spare, Equations &equations) {
    const double n_pixels = double(one.height) * one.width;
    double mean = 0, square = 0;
    for (int i = 0; i < one.height * one.width; i++) {
        const double level = one.levels[i] - 128.0f;
        mean += level;
        square += level * level;
    }
    const double variance = square / n_pixels - (mean / n_pixels) * (mean / n_pixels);
    warp(one, other, h, warped);
    Line line = correlate(one, warped);
    // The unknowns are of coordinates from the middle, in pixels of -1 to 1.
    const double middle_x = 0.5 * one.width / one.side, middle_y = 0.5 * one.height / one.side;
    const double from[9] = {0.5, 0, middle_x, 0, 0.5, middle_y, 0, 0, 1};
    const double to[9] = {2, 0, -2 * middle_x, 0, 2, -2 * middle_y, 0, 0, 1};
    for (int taken = 0; taken < n_steps && line.n >= 64; taken++) {
        const double scale = 2.0 * variance * most(1.0 - line.ncc * line.ncc, 1e-3) + 1.0;
        double p[MOST_UNKNOWNS], trial[9], rest[9], moved[9];
        set_up(one, warped, line, scale, n_warp, stride, equations);
        equations.solve(p);
        // Slopes were per pixel, and a pixel is 2 / side of these coordinates.
        const double pixel = 2.0 / one.side;
        const double change[9] = {1 + p[0] * pixel, p[1] * pixel, p[2] * pixel, p[3] * pixel, 1 + p[4] * pixel, p[5] * pixel,
                                  n_warp == 8 ? p[6] * pixel : 0, n_warp == 8 ? p[7] * pixel : 0, 1};
        multiply(from, change, rest);
        multiply(rest, to, moved);
        multiply(h, moved, trial);
        if (!(fabs(trial[8]) > 1e-6)) break;
        for (int i = 0; i < 9; i++) trial[i] /= trial[8];
        warp(one, other, trial, spare);
        const Line now = correlate(one, spare);
        if (!(now.ncc > line.ncc - WORSE) || now.n < 0.4 * n_pixels) break;
        const Warped kept = warped;
        warped = spare;
        spare = kept;
        for (int i = 0; i < 9; i++) h[i] = trial[i];
        const bool is_done = fabs(now.ncc - line.ncc) < 1e-4;
        line = now;
        if (is_done) break;
    }
    return line;
}

// A square of pixels of two pictures that were laid on each other.
struct Block {
    float n, ncc, variance_a, variance_b, mean_a, mean_b, left;  // left: mean of what gain and bias leave
};

// Measure the blocks of `size` pixels each way; write them, (rows, columns), and return how many there are.
int measure(const Level &one, const Warped &other, const Line &line, int size, Block *blocks) {
    const float gain = float(line.gain), bias = float(line.bias);
    int count = 0;
    float n[MOST_ROW], a[MOST_ROW], b[MOST_ROW], aa[MOST_ROW], bb[MOST_ROW], ab[MOST_ROW], rest[MOST_ROW];
    for (int top = 0; top < one.height; top += size) {
        for (int x = 0; x < one.width; x++) n[x] = a[x] = b[x] = aa[x] = bb[x] = ab[x] = rest[x] = 0;
        for (int y = top; y < top + size && y < one.height; y++) {
            const float *levels = one.levels + y * one.width, *its = other.levels + y * one.width;
            const float *inside = other.inside + y * one.width;
            for (int x = 0; x < one.width; x++) {
                const float here = inside[x], own = here * (levels[x] - 128.0f), warped = here * (its[x] - 128.0f);
                n[x] += here;
                a[x] += own;
                b[x] += warped;
                aa[x] += own * own;
                bb[x] += warped * warped;
                ab[x] += own * warped;
                rest[x] += here * fabsf(levels[x] - gain * its[x] - bias);
            }
        }
        for (int left = 0; left < one.width; left += size) {
            double s[7] = {};
            for (int x = left; x < left + size && x < one.width; x++) {
                s[0] += n[x], s[1] += a[x], s[2] += b[x], s[3] += aa[x], s[4] += bb[x], s[5] += ab[x], s[6] += rest[x];
            }
            Block &block = blocks[count++];
            block = {float(s[0]), 0, 0, 0, 0, 0, 0};
            if (2 * s[0] <= size * size) {
                block.n = 0;
                continue;
            }
            const double mean_a = s[1] / s[0], mean_b = s[2] / s[0];
            const double var_a = most(s[3] / s[0] - mean_a * mean_a, 0), var_b = most(s[4] / s[0] - mean_b * mean_b, 0);
            block.variance_a = float(var_a);
            block.variance_b = float(var_b);
            block.mean_a = float(mean_a + 128);
            block.mean_b = float(mean_b + 128);
            block.left = float(s[6] / s[0]);
            // One that is flat where the other is not, is not alike.
            block.ncc = float((s[5] / s[0] - mean_a * mean_b) / sqrt(most(var_a, 1) * most(var_b, 1)));
        }
    }
    return count;
}

bool is_textured(const Block &block) {
    return block.n > 0 && most(block.variance_a, block.variance_b) >= LEAST_VARIANCE;
}

// Return the mean correlation of blocks, weighted by their texture; minus 2 where nothing has any.
double score_of(const Block *blocks, int count) {
    double total = 0, weights = 0;
    for (int i = 0; i < count; i++) {
        if (!is_textured(blocks[i])) continue;
        const double weight = sqrt(sqrt(double(blocks[i].variance_a) * blocks[i].variance_b)) + 1.0;
        total += weight * blocks[i].ncc;
        weights += weight;
    }
    return weights > 0 ? total / weights : -2.0;
}

// Return the share of the other that lies on the one, by how the warp enlarges in the middle.
double share_of_other(const Level &one, const Level &other, const double *h, double share) {
    const double x = 0.5 * one.width / one.side, y = 0.5 * one.height / one.side, w = h[6] * x + h[7] * y + h[8];
    const double u = (h[0] * x + h[1] * y + h[2]) / w, v = (h[3] * x + h[4] * y + h[5]) / w;
    const double a = (h[0] - u * h[6]) / w, b = (h[1] - u * h[7]) / w, c = (h[3] - v * h[6]) / w, d = (h[4] - v * h[7]) / w;
    const double area_one = double(one.height) * one.width / (one.side * one.side);
    const double area_other = double(other.height) * other.width / (other.side * other.side);
    return fabs(a * d - b * c) * share * area_one / area_other;
}

}  // namespace
