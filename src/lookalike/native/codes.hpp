// Vectors as integers: a query's of 16 bits, those of rows of 8. Their dot products fit into 32 bits.
//
// Integers are multiplied in pairs (vpmaddwd), in registers of 256 bits: those of 512 were no quicker, and a plain
// loop takes 1.2 to 2.5 times as long, as compilers find the pairs, but not how to sum four rows at once.
#pragma once

#include "lanes.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

const int64_t HEAD = 128;  // dimensions of a head; shorter vectors are filled up with zeros
const int64_t LARGEST_CODE = 127, LARGEST_QUERY_CODE = 32767, LARGEST_SUM = 2147483647;

// A query as integers: their unit, the squared length of what they stand for, and how far that is from the query.
struct Encoded {
    double unit = 0, squared = 0, lost = 0;
};

// Return the unit of d integers the largest of which stands for `largest`, so that dot products fit.
static inline double unit_of(double largest, int64_t d) {
    const int64_t most = LARGEST_SUM / (LARGEST_CODE * d);
    return largest / double(most < LARGEST_QUERY_CODE ? most : LARGEST_QUERY_CODE);
}

// Write d values as integers, which stand for the products of the values and the rows' steps, so that their dot
// product with a row's codes is that of the vectors.
template <typename F>
INLINE Encoded encode(int64_t d, F value_of, const double *steps, double unit, int16_t *__restrict codes) {
    const double inverse = unit > 0 ? 1 / unit : 0.0;
    double squared = 0, lost = 0;
    for (int64_t j = 0; j < d; j++) {
        const double value = value_of(j), code = rint(value * steps[j] * inverse), kept = code * unit / steps[j];
        codes[j] = int16_t(int32_t(code));
        squared += kept * kept;
        lost += (value - kept) * (value - kept);
    }
    return {unit, squared, sqrt(lost)};
}

#if defined(__AVX2__)
const int64_t PAIRED = 16;

static inline __m256i load_codes(const int16_t *codes) { return _mm256_loadu_si256((const __m256i *)codes); }

// Add the products of 16 integers to 8 sums.
static inline __m256i add_products(__m256i sums, __m256i query_codes, const int8_t *codes) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)codes));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(query_codes, wide));
}

// Return the totals of four times 8 sums.
static inline __m128i totals(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i halves = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}
#endif

// Return the dot product of two vectors of integers, of any length.
static inline int32_t dot(const int16_t *query_codes, const int8_t *row, int64_t d) {
    int32_t total = 0;
    int64_t j = 0;
#if defined(__AVX2__)
    __m256i a = _mm256_setzero_si256(), b = a, c = a, e = a;
    for (; j + 4 * PAIRED <= d; j += 4 * PAIRED) {
        a = add_products(a, load_codes(query_codes + j), row + j);
        b = add_products(b, load_codes(query_codes + j + PAIRED), row + j + PAIRED);
        c = add_products(c, load_codes(query_codes + j + 2 * PAIRED), row + j + 2 * PAIRED);
        e = add_products(e, load_codes(query_codes + j + 3 * PAIRED), row + j + 3 * PAIRED);
    }
    const __m256i sums = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, e));
    total = _mm_cvtsi128_si32(totals(sums, sums, sums, sums));
#endif
    for (; j < d; j++) total += int32_t(query_codes[j]) * int32_t(row[j]);
    return total;
}

// Write the dot product of each row of codes, (n, HEAD).
static inline void dots(const int16_t *query_codes, const int8_t *codes, int64_t n, int32_t *out) {
    int64_t i = 0;
#if defined(__AVX2__)
    __m256i query[HEAD / PAIRED];
    for (int64_t j = 0; j < HEAD / PAIRED; j++) query[j] = load_codes(query_codes + j * PAIRED);
    for (; i + 4 <= n; i += 4) {  // by fours, which are summed together
        const int8_t *row = codes + i * HEAD;
        __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
        for (int64_t j = 0; j < HEAD / PAIRED; j++) {
            a = add_products(a, query[j], row + j * PAIRED);
            b = add_products(b, query[j], row + j * PAIRED + HEAD);
            c = add_products(c, query[j], row + j * PAIRED + 2 * HEAD);
            d = add_products(d, query[j], row + j * PAIRED + 3 * HEAD);
        }
        _mm_storeu_si128((__m128i *)(out + i), totals(a, b, c, d));
    }
#endif
    for (; i < n; i++) out[i] = dot(query_codes, codes + i * HEAD, HEAD);
}
