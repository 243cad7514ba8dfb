// What all indexes do with rows; see `index/rows_kernels.py`.

#include "rows.hpp"

double length_squared(const float *query, int64_t d) {
    return sum_up<double>(d, [=](auto at) {
        const auto value = at(query);
        return value * value;
    });
}

int64_t take(const float *query, int64_t d, bool is_cosine, double *out) {
    const double squared = length_squared(query, d);
    if (!(squared < INFINITY)) return NOT_FINITE;
    if (is_cosine && squared == 0) return ZERO_ROW;
    const double length = is_cosine ? sqrt(squared) : 1.0;
    for (int64_t j = 0; j < d; j++) out[j] = double(query[j]) / length;
    return OK;
}

// Write the length of each row.
EXPORT void rows_measure_lengths(const float *rows, int64_t n, int64_t d, double *lengths) {
    for (int64_t i = 0; i < n; i++) lengths[i] = sqrt(length_squared(rows + i * d, d));
}

// Write centered rows, which are to be turned to the axes, (n, d) float64, and their squared lengths.
//
// lengths is null, or (n,); center (2, d).
template <typename T>
static void center_rows(const T *rows, const double *lengths, int64_t n, int64_t d, double scale, const double *center,
                        double *block, double *squares) {
    for (int64_t i = 0; i < n; i++) {
        const T *row = rows + i * d;
        double *__restrict out = block + i * d;
        const double length = lengths ? lengths[i] : 1.0;
        for (int64_t j = 0; j < d; j++) out[j] = (double(row[j]) / length - center[j]) * scale - center[d + j];
        squares[i] = sum_up<double>(d, [=](auto at) { return at(out) * at(out); });
    }
}

#define CENTER_ROWS(name, T)                                                                                  \
    EXPORT void rows_center_##name(const T *rows, const double *lengths, int64_t n, int64_t d, double scale, \
                                   const double *center, double *block, double *squares) {                    \
        center_rows(rows, lengths, n, d, scale, center, block, squares);                                      \
    }
CENTER_ROWS(f4, float)
CENTER_ROWS(u1, uint8_t)
