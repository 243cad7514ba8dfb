// Whether two pictures are one, edited: the one is laid on the other, and what does not fit is measured; see
// `duplicates/verifying.py`.

#include <string.h>

#include "laying.hpp"
#include "scratch.hpp"

static const int AFFINE = 6, HOMOGRAPHY = 8;
static const int SCORE_BLOCK = 12, FINE_BLOCK = 10;  // pixels each way
static const int N_SCALES = 10;
static const double LEAST_SCALE = 0.4, LEAST_INSIDE = 0.8;  // of the part in the whole; of the part that lies in it
static const int N_TRIED = 3;
static const double SURE = 0.8, HOPELESS = 0.3;    // scores: no search is needed above, nothing more is done below
static const double DIM = 0.35, DARK = 0.25;       // correlations at 32 pixels, below which nothing is fitted at 64
static const int CELLS = 16;                       // each way, whose differences are kept as bits
static const float DIFFERS = 0.7f;                 // correlation below which a cell differs
static const int MOST_BLOCKS = 27 * 27;

namespace {

// A warp from units of `one` to those of `other`; one of them is the first picture, the other the second, turned.
struct Lay {
    double h[9], score;
    int turn;
    bool from_second;  // `one` is the second picture
};

struct Part {
    double value, scale, along, down;  // how much it is worth; h = (scale, 0, along; 0, scale, down)
};

// What all steps of one pair need.
struct Desk {
    Warped warped, spare;
    Equations *equations;
    Block *blocks;
};

}  // namespace

static const Level &finer(const Pyramid &other, int level, const double *h) {
    const double size = sqrt(fabs(h[0] * h[4] - h[1] * h[3]));
    return other.level[level > 0 && size < 0.7 ? level - 1 : level];
}

// Fit at 32 pixels, then at 64, and score; minus 1 where it is dark.
static void fit(const Pyramid &one, const Pyramid &other, Lay &lay, Desk &desk, int n_coarse, double dark) {
    lay.score = -1;
    Line line = refine(one.level[3], finer(other, 3, lay.h), lay.h, AFFINE, n_coarse, 1, desk.warped, desk.spare,
                       *desk.equations);
    if (line.ncc < dark) return;
    const Level &fine = one.level[2], &its = finer(other, 2, lay.h);
    line = refine(fine, its, lay.h, AFFINE, 5, 1, desk.warped, desk.spare, *desk.equations);
    const int count = measure(fine, desk.warped, line, SCORE_BLOCK, desk.blocks);
    const double share = line.n / (double(fine.height) * fine.width);
    lay.score = score_of(desk.blocks, count) * sqrt(least(1, most(share, share_of_other(fine, its, lay.h, share))));
}

static const int COARSE = SIDE >> (N_LEVELS - 1), BEYOND = 8;         // of the whole, and around it; pixels
static const int ACROSS = BEYOND + COARSE + BEYOND + COARSE;          // of a row with all that may be read
static const int CORNERS = COARSE + 1;
typedef float Lanes __attribute__((vector_size(16 * sizeof(float))));  // half a row of a part

namespace {

// A small picture, less 128, and the sums of it and of its squares above and left of each corner.
struct Summed {
    float sums[CORNERS * CORNERS], squares[CORNERS * CORNERS];

    void take(const float *levels, int height, int width, int stride) {
        for (int x = 0; x <= width; x++) sums[x] = squares[x] = 0;
        for (int y = 0; y < height; y++) {
            float sum = 0, square = 0;
            sums[(y + 1) * CORNERS] = squares[(y + 1) * CORNERS] = 0;
            for (int x = 0; x < width; x++) {
                const float level = levels[y * stride + x];
                sum += level;
                square += level * level;
                sums[(y + 1) * CORNERS + x + 1] = sums[y * CORNERS + x + 1] + sum;
                squares[(y + 1) * CORNERS + x + 1] = squares[y * CORNERS + x + 1] + square;
            }
        }
    }

    static float within(const float *of, int top, int bottom, int left, int right) {
        return of[bottom * CORNERS + right] - of[bottom * CORNERS + left] - of[top * CORNERS + right] + of[top * CORNERS + left];
    }
};

}  // namespace

// Find where one picture may be part of another: the best place at each size.
static void search(const Pyramid &part, const Pyramid &whole, Part *found) {
    const Level &in = whole.level[N_LEVELS - 1];
    float padded[(COARSE + 2 * BEYOND) * ACROSS] = {}, shrunk[COARSE * COARSE], inside[COARSE * COARSE];
    float own[COARSE * COARSE];  // rows of COARSE, what is beyond is 0
    Summed of_whole, of_part;
    for (int y = 0; y < in.height; y++)
        for (int x = 0; x < in.width; x++)
            padded[(y + BEYOND) * ACROSS + BEYOND + x] = in.levels[y * in.width + x] - 128.0f;
    of_whole.take(padded + BEYOND * ACROSS + BEYOND, in.height, in.width, ACROSS);
    for (int number = 0; number < N_SCALES; number++) {
        const double scale = pow(LEAST_SCALE, double(number) / (N_SCALES - 1));
        found[number] = {-1, scale, 0, 0};
        const Level &coarse = part.level[N_LEVELS - 1], &from = scale < 0.6 ? part.level[N_LEVELS - 2] : coarse;
        const int width = int(coarse.width * scale + 0.5), height = int(coarse.height * scale + 0.5);
        if (width < 4 || height < 4) continue;
        const Level small = {shrunk, height, width, float(coarse.side * scale)};
        Warped warped = {shrunk, inside};
        const double same[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
        warp(small, from, same, warped);
        memset(own, 0, sizeof own);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) own[y * COARSE + x] = shrunk[y * width + x] - 128.0f;
        of_part.take(own, height, width, COARSE);
        const int beyond_x = int(width * (1 - LEAST_INSIDE)), beyond_y = int(height * (1 - LEAST_INSIDE));
        double best = -1;
        for (int down = -beyond_y; down <= in.height - height + beyond_y; down++)
            for (int along = -beyond_x; along <= in.width - width + beyond_x; along++) {
                const int left = along < 0 ? -along : 0, top = down < 0 ? -down : 0;
                const int right = along + width > in.width ? in.width - along : width;
                const int bottom = down + height > in.height ? in.height - down : height;
                const float n = float((right - left) * (bottom - top));
                if (n < LEAST_INSIDE * width * height) continue;
                const float *its = padded + (down + BEYOND) * ACROSS + along + BEYOND;
                Lanes even = {}, odd = {};
                for (int y = 0; y < height; y++) {
                    Lanes p, q;
                    memcpy(&p, own + y * COARSE, sizeof p);
                    memcpy(&q, its + y * ACROSS, sizeof q);
                    even += p * q;
                    if (width <= 16) continue;
                    memcpy(&p, own + y * COARSE + 16, sizeof p);
                    memcpy(&q, its + y * ACROSS + 16, sizeof q);
                    odd += p * q;
                }
                even += odd;
                float product = 0;
                for (int lane = 0; lane < 16; lane++) product += even[lane];
                const float a = Summed::within(of_part.sums, top, bottom, left, right) / n;
                const float aa = Summed::within(of_part.squares, top, bottom, left, right) / n - a * a;
                const float b = Summed::within(of_whole.sums, top + down, bottom + down, left + along, right + along) / n;
                const float bb =
                    Summed::within(of_whole.squares, top + down, bottom + down, left + along, right + along) / n - b * b;
                if (aa < 4 || bb < 4) continue;
                const float ncc = (product / n - a * b) / sqrtf(aa * bb);
                if (ncc > best) {
                    best = ncc;
                    found[number] = {0, scale, double(along) / in.side, double(down) / in.side};
                }
            }
        found[number].value = atanh(least(most(best, -0.999), 0.999)) * sqrt(scale);
    }
}

// Lay the second picture on the first, in the turns given; false where nothing is alike.
static bool lay_on(const Pyramid &first, const Pyramid *seconds, const int *turns, int n_turns, Lay &best, Desk &desk) {
    best.score = -1;
    for (int i = 0; i < n_turns; i++) {
        const Level &a = first.level[0], &b = seconds[i].level[0];
        Lay lay = {{double(b.width) / a.width, 0, 0, 0, double(b.height) / a.height, 0, 0, 0, 1}, -1, turns[i], false};
        fit(first, seconds[i], lay, desk, 5, DIM);
        if (lay.score > best.score) best = lay;
    }
    if (best.score > SURE) return true;
    Part parts[4 * N_SCALES];
    for (int i = 0; i < n_turns; i++) {
        search(seconds[i], first, parts + 2 * i * N_SCALES);
        search(first, seconds[i], parts + (2 * i + 1) * N_SCALES);
    }
    for (int tried = 0; tried < N_TRIED; tried++) {
        int at = 0;
        for (int i = 1; i < 2 * n_turns * N_SCALES; i++)
            if (parts[i].value > parts[at].value) at = i;
        const Part part = parts[at];
        if (part.value <= 0.2) break;
        const int group = at / N_SCALES, number = at % N_SCALES, turn = group / 2;
        // Its neighbors in scale found the same place.
        for (int i = number > 0 ? number - 1 : 0; i <= number + 1 && i < N_SCALES; i++) parts[group * N_SCALES + i].value = -1;
        const bool from_second = group % 2 == 0;
        Lay lay = {{part.scale, 0, part.along, 0, part.scale, part.down, 0, 0, 1}, -1, turns[turn], from_second};
        fit(from_second ? seconds[turn] : first, from_second ? first : seconds[turn], lay, desk, 4, DARK + 0.15);
        if (lay.score > best.score) best = lay;
        if (best.score > SURE) break;
    }
    return best.score >= HOPELESS;
}

static void sort(float *numbers, int count) {  // Shell's
    const int gaps[] = {301, 132, 57, 23, 10, 4, 1};
    for (int gap : gaps)
        for (int i = gap; i < count; i++) {
            const float kept = numbers[i];
            int j = i;
            for (; j >= gap && numbers[j - gap] > kept; j -= gap) numbers[j] = numbers[j - gap];
            numbers[j] = kept;
        }
}

static float at_share(const float *sorted, int count, double share) {
    return count ? sorted[int(share * (count - 1) + 0.5)] : 1.0f;
}

// The share of pixels whose grey levels lie in the two neighboring bins, of 32, that hold most.
static float flat_share(const Level &level) {
    int bins[33] = {};
    const int count = level.height * level.width;
    for (int i = 0; i < count; i++) bins[int(least(most(level.levels[i], 0), 255)) >> 3]++;
    int best = 0;
    for (int i = 0; i < 32; i++)
        if (bins[i] + bins[i + 1] > best) best = bins[i] + bins[i + 1];
    return float(best) / float(count);
}

// The mean square of the slopes over the pixels that lie in both, of the one, and of the other as it was laid.
static void slopes(const Level &one, const Warped &other, double *of_one, double *of_other) {
    double own = 0, its = 0, n = 0;
    for (int y = 0; y + 1 < one.height; y++) {
        float row_own = 0, row_its = 0, row_n = 0;
        for (int x = 0; x + 1 < one.width; x++) {
            const int at = y * one.width + x;
            const float here = other.inside[at] * other.inside[at + 1] * other.inside[at + one.width];
            const float a = one.levels[at + 1] - one.levels[at], b = one.levels[at + one.width] - one.levels[at];
            const float c = other.levels[at + 1] - other.levels[at], d = other.levels[at + one.width] - other.levels[at];
            row_own += here * (a * a + b * b);
            row_its += here * (c * c + d * d);
            row_n += here;
        }
        own += row_own, its += row_its, n += row_n;
    }
    *of_one = own / most(n, 1);
    *of_other = its / most(n, 1);
}

// Mark the cells, 16 x 16, of a picture that differ from the other, and those that say anything: bits of 32 bytes.
static void mark(const Level &one, const Warped &other, uint8_t *differs, uint8_t *says) {
    memset(differs, 0, CELLS * CELLS / 8);
    memset(says, 0, CELLS * CELLS / 8);
    for (int row = 0; row < CELLS; row++)
        for (int column = 0; column < CELLS; column++) {
            const int top = row * one.height / CELLS, bottom = (row + 1) * one.height / CELLS;
            const int left = column * one.width / CELLS, right = (column + 1) * one.width / CELLS;
            float n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
            for (int y = top; y < bottom; y++)
                for (int x = left; x < right; x++) {
                    const int at = y * one.width + x;
                    const float here = other.inside[at], p = here * (one.levels[at] - 128.0f), q = here * (other.levels[at] - 128.0f);
                    n += here, a += p, b += q, aa += p * p, bb += q * q, ab += p * q;
                }
            if (2 * n <= float((bottom - top) * (right - left)) || n < 2) continue;
            const float var_a = fmaxf(aa / n - a / n * (a / n), 0), var_b = fmaxf(bb / n - b / n * (b / n), 0);
            if (fmaxf(var_a, var_b) < float(LEAST_VARIANCE)) continue;
            const int bit = row * CELLS + column;
            says[bit / 8] |= uint8_t(1 << (bit % 8));
            const float ncc = (ab / n - a / n * (b / n)) / sqrtf(fmaxf(var_a, 1) * fmaxf(var_b, 1));
            if (ncc < DIFFERS) differs[bit / 8] |= uint8_t(1 << (bit % 8));
        }
}

// How the cells that differ lie: the share of them in the largest piece; of rows and columns that have any; their box.
static void shape_of(const uint8_t *differs, const uint8_t *says, float *out) {
    int todo[CELLS * CELLS], mark[CELLS * CELLS] = {}, count = 0, said = 0, largest = 0;
    int top = CELLS, bottom = -1, left = CELLS, right = -1, rows = 0, columns = 0, said_rows = 0, said_columns = 0;
    for (int i = 0; i < CELLS; i++) {
        bool row = false, column = false, said_row = false, said_column = false;
        for (int j = 0; j < CELLS; j++) {
            const int one = i * CELLS + j, other = j * CELLS + i;
            row |= (differs[one / 8] >> (one % 8)) & 1;
            column |= (differs[other / 8] >> (other % 8)) & 1;
            said_row |= (says[one / 8] >> (one % 8)) & 1;
            said_column |= (says[other / 8] >> (other % 8)) & 1;
        }
        rows += row, columns += column, said_rows += said_row, said_columns += said_column;
    }
    for (int start = 0; start < CELLS * CELLS; start++) {
        said += (says[start / 8] >> (start % 8)) & 1;
        if (mark[start] || !((differs[start / 8] >> (start % 8)) & 1)) continue;
        int waiting = 0, size = 0;
        todo[waiting++] = start;
        mark[start] = 1;
        while (waiting) {
            const int at = todo[--waiting], y = at / CELLS, x = at % CELLS;
            size++;
            count++;
            top = y < top ? y : top, bottom = y > bottom ? y : bottom;
            left = x < left ? x : left, right = x > right ? x : right;
            for (int v = y - 1; v <= y + 1; v++)
                for (int u = x - 1; u <= x + 1; u++) {
                    if (u < 0 || v < 0 || u >= CELLS || v >= CELLS) continue;
                    const int next = v * CELLS + u;
                    if (mark[next] || !((differs[next / 8] >> (next % 8)) & 1)) continue;
                    mark[next] = 1;
                    todo[waiting++] = next;
                }
        }
        largest = size > largest ? size : largest;
    }
    out[0] = float(count) / float(said ? said : 1);
    out[1] = count ? float(largest) / float(count) : 1;
    out[2] = float(rows) / float(said_rows ? said_rows : 1);
    out[3] = float(columns) / float(said_columns ? said_columns : 1);
    out[4] = count ? float((bottom - top + 1) * (right - left + 1)) / float(CELLS * CELLS) : 0;
}

// Compare colors, (2, height, width) bytes about 128 each, `side` pixels a unit, where the warp leads.
static void compare_colors(const uint8_t *one, int height, int width, const uint8_t *other, int its_height, int its_width,
                           int turn, double side, const double *h, float *out) {
    double n = 0, total = 0, square_a = 0, square_b = 0, product = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const double u = (x + 0.5) / side, v = (y + 0.5) / side, w = h[6] * u + h[7] * v + h[8];
            if (!(w > 1e-3)) continue;
            // The shares of the other as it is turned, then as it lies.
            const double turned_width = turn >= 5 ? its_height : its_width, turned_height = turn >= 5 ? its_width : its_height;
            double p = (h[0] * u + h[1] * v + h[2]) / w * side / turned_width;
            double q = (h[3] * u + h[4] * v + h[5]) / w * side / turned_height;
            if (p < 0 || q < 0 || p >= 1 || q >= 1) continue;
            if (turn == 2 || turn == 3 || turn == 6 || turn == 7) p = 1 - p;
            if (turn == 3 || turn == 4 || turn == 7 || turn == 8) q = 1 - q;
            if (turn >= 5) {
                const double kept = p;
                p = q;
                q = kept;
            }
            const int column = int(least(p * its_width, its_width - 1)), row = int(least(q * its_height, its_height - 1));
            for (int channel = 0; channel < 2; channel++) {
                const double a = one[(channel * height + y) * width + x] - 128.0;
                const double b = other[(channel * its_height + row) * its_width + column] - 128.0;
                total += fabs(a - b);
                square_a += a * a;
                square_b += b * b;
                product += a * b;
            }
            n += 2;
        }
    n = most(n, 1);
    out[0] = float(total / n);
    out[1] = float(sqrt(square_a / n));
    out[2] = float(sqrt(square_b / n));
    out[3] = float(product / sqrt(most(square_a, n) * most(square_b, n)));
}

namespace {

// A picture as Python has it: grey (height, width), colors (2, its height, its width).
struct Look {
    const uint8_t *grey, *colors;
    int height, width, color_height, color_width;
};

}  // namespace

static const int N_DETAILS = 44;

// Measure how the two fit, at 256 pixels or, of a part, at about the size that the whole has it in.
static void look_closely(const Pyramid &one, const Pyramid &other, Lay &lay, double coarse, Desk &desk, float *d,
                         uint8_t *differs, uint8_t *says) {
    const double size = sqrt(fabs(lay.h[0] * lay.h[4] - lay.h[1] * lay.h[3]));
    const int level = size < 0.7 ? 1 : 0, its_level = size > 1.4 ? 1 : 0;
    const Level &fine = one.level[level], &its = other.level[its_level];
    Line line = refine(fine, its, lay.h, HOMOGRAPHY, 2, level ? 1 : 3, desk.warped, desk.spare, *desk.equations);
    const double n_pixels = double(fine.height) * fine.width, share = line.n / n_pixels;
    const double its_share = share_of_other(fine, its, lay.h, share);
    int count = measure(fine, desk.warped, line, FINE_BLOCK, desk.blocks);
    double own, warped;
    slopes(fine, desk.warped, &own, &warped);
    mark(fine, desk.warped, differs, says);
    float *ncc = desk.spare.levels, *of_both = ncc + MOST_BLOCKS, *left = of_both + MOST_BLOCKS;
    int n = 0, n_both = 0, n_left = 0, covered = 0, alike = 0, bad = 0, bad_flat = 0, exact = 0;
    double mean_difference = 0;
    for (int i = 0; i < count; i++) {
        const Block &block = desk.blocks[i];
        if (!(block.n > 0)) continue;
        covered++;
        left[n_left++] = block.left;
        mean_difference += block.mean_a - block.mean_b;
        if (!is_textured(block)) continue;
        ncc[n++] = block.ncc;
        const float weaker = fminf(block.variance_a, block.variance_b);
        if (weaker >= 64) of_both[n_both++] = block.ncc;
        alike += block.ncc >= 0.9f;
        exact += block.left < 2.5f;
        if (block.ncc < DIFFERS) {
            bad++;
            bad_flat += weaker < 25;
        }
    }
    sort(ncc, n);
    sort(of_both, n_both);
    sort(left, n_left);
    // How much the warp turns, stretches, slants: of its linear part, singular values.
    const double a = lay.h[0], b = lay.h[1], c = lay.h[3], e = lay.h[4];
    const double sum = sqrt((a + e) * (a + e) + (c - b) * (c - b)), rest = sqrt((a - e) * (a - e) + (c + b) * (c + b));
    const double larger = 0.5 * (sum + rest), smaller = most(0.5 * fabs(sum - rest), 1e-3);
    double deviation = 0, mean = 0;
    for (int i = 0; i < fine.height * fine.width; i++) {
        const double grey = fine.levels[i] - 128.0;
        mean += grey;
        deviation += grey * grey;
    }
    deviation = sqrt(most(deviation / n_pixels - (mean / n_pixels) * (mean / n_pixels), 1));
    d[0] = float(coarse);
    d[1] = float(line.ncc);
    d[2] = float(score_of(desk.blocks, count));
    d[3] = float(log(most(fabs(line.gain), 0.05)));
    d[4] = float(mean_difference / (covered ? covered : 1));
    d[5] = float(share);
    d[6] = float(least(its_share, 1.5));
    d[7] = float(log(most(size, 1e-3)));
    d[8] = float(log(most(larger, 1e-3) / smaller));
    d[9] = float(fabs(atan2(c - b, a + e)));
    d[10] = float(fabs(lay.h[6]) + fabs(lay.h[7]));
    d[11] = at_share(ncc, n, 0.01);
    d[12] = at_share(ncc, n, 0.05);
    d[13] = at_share(ncc, n, 0.10);
    d[14] = at_share(ncc, n, 0.25);
    d[15] = at_share(ncc, n, 0.50);
    d[16] = float(n) / float(covered ? covered : 1);
    d[17] = float(alike) / float(n ? n : 1);
    d[18] = float(bad) / float(n ? n : 1);
    d[19] = bad ? float(bad_flat) / float(bad) : 0;
    d[20] = at_share(of_both, n_both, 0.05);
    d[21] = at_share(of_both, n_both, 0.10);
    d[22] = at_share(of_both, n_both, 0.25);
    d[23] = at_share(of_both, n_both, 0.50);
    d[24] = float(exact) / float(n ? n : 1);
    d[25] = at_share(left, n_left, 0.50);
    d[26] = at_share(left, n_left, 0.90);
    d[27] = float(at_share(left, n_left, 0.75) / deviation);
    shape_of(differs, says, d + 28);  // to 32
    d[33] = float(log((own + 1) / (line.gain * line.gain * warped + 1)));
    d[34] = float(own / (deviation * deviation));
    d[35] = float(fmaxf(flat_share(one.level[1]), 0));
    d[36] = float(flat_share(other.level[1]));
    d[37] = float(n_both) / float(n ? n : 1);
    d[38] = float(log(1.0 + n));
    d[39] = lay.turn != 1 ? 1.0f : 0.0f;
}

// Lay the second picture on the first, upright and in the turn given.
//
// found: score, turn, h (9) from units of the first to those of the turned second, gain, bias, the share of the
// first that lies on the second, and of the second: 15 numbers. details: N_DETAILS. cells: (2, 32) bytes, those of either picture that
// differ. Return whether anything is alike; minus 1 without memory.
EXPORT int64_t verifying_verify(const uint8_t *grey_a, const uint8_t *colors_a, const int64_t *shape_a,
                                const uint8_t *grey_b, const uint8_t *colors_b, const int64_t *shape_b, int64_t hint,
                                double least_score, double *found, float *details, uint8_t *cells) {
    const Look a = {grey_a, colors_a, int(shape_a[0]), int(shape_a[1]), int(shape_a[2]), int(shape_a[3])};
    const Look b = {grey_b, colors_b, int(shape_b[0]), int(shape_b[1]), int(shape_b[2]), int(shape_b[3])};
    const Scratch<float> memory(4 * SIDE * SIDE);
    const Scratch<Equations> equations(1);
    const Scratch<Block> blocks(MOST_BLOCKS);
    if (!memory || !equations || !blocks) return -1;
    Desk desk = {{memory, memory + SIDE * SIDE}, {memory + 2 * SIDE * SIDE, memory + 3 * SIDE * SIDE}, equations, blocks};
    const int turns[2] = {1, int(hint)}, n_turns = hint > 1 ? 2 : 1;
    const Pyramid first = pyramid_of(a.grey, a.height, a.width, 1);
    Pyramid seconds[2];
    for (int i = 0; i < n_turns; i++) seconds[i] = pyramid_of(b.grey, b.height, b.width, turns[i]);
    Lay lay;
    bool is_alike = lay_on(first, seconds, turns, n_turns, lay, desk);
    if (is_alike) {
        const Pyramid &second = seconds[n_turns == 2 && lay.turn == turns[1] ? 1 : 0];
        const Pyramid &one = lay.from_second ? second : first, &other = lay.from_second ? first : second;
        const double coarse = lay.score;
        Lay better = lay;
        const Level &fine = one.level[1], &its = finer(other, 1, lay.h);
        Line line = refine(fine, its, better.h, HOMOGRAPHY, 5, 2, desk.warped, desk.spare, *desk.equations);
        const int count = measure(fine, desk.warped, line, SCORE_BLOCK, desk.blocks);
        const double share = line.n / (double(fine.height) * fine.width);
        better.score = score_of(desk.blocks, count) * sqrt(least(1, most(share, share_of_other(fine, its, better.h, share))));
        lay = better;
        is_alike = most(coarse, lay.score) >= least_score;
        if (is_alike) {
            uint8_t says[2][CELLS * CELLS / 8], differs[2][CELLS * CELLS / 8];
            look_closely(one, other, lay, coarse, desk, details, differs[0], says[0]);
            double back[9], forth[9];
            is_alike = invert(lay.h, back);
            for (int i = 0; i < 9; i++) forth[i] = lay.h[i];
            if (is_alike) {
                const Level &level = other.level[1];
                warp(level, one.level[1], back, desk.warped);
                mark(level, desk.warped, differs[1], says[1]);
                const Line reverse = correlate(level, desk.warped);
                memcpy(cells, differs[lay.from_second ? 1 : 0], CELLS * CELLS / 8);
                memcpy(cells + CELLS * CELLS / 8, differs[lay.from_second ? 0 : 1], CELLS * CELLS / 8);
                // Of the pictures as they were given: the first's matrix, gain and share.
                const double *matrix = lay.from_second ? back : forth;
                found[0] = lay.score;
                found[1] = lay.turn;
                for (int i = 0; i < 9; i++) found[2 + i] = matrix[i];
                const double own_share = details[5], its_share = details[6];
                const Line now = lay.from_second ? reverse : line;
                found[11] = now.gain;
                found[12] = now.bias;
                found[13] = lay.from_second ? its_share : own_share;
                found[14] = lay.from_second ? own_share : its_share;
                compare_colors(a.colors, a.color_height, a.color_width, b.colors, b.color_height, b.color_width, lay.turn,
                               SIDE / 4.0, matrix, details + 40);
            }
        }
    }
    free(first.memory);
    for (int i = 0; i < n_turns; i++) free(seconds[i].memory);
    return is_alike ? 1 : 0;
}
