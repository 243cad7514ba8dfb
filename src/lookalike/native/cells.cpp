// The kernel of `index/cells.py`: one query against all cells of all pictures; the arrays are described there.
//
// Codes of four bits stand for odd integers, 2 q - 15. They are unpacked into 16 bits and multiplied in pairs
// (vpmaddwd), with the query for the product, with themselves for the length, so that none has to be kept.

#include "codes.hpp"

struct Match {
    int32_t product = 0, square = 0;
};

// Return the product of a query with a row, and the row's squared length. query: the numbers that stand in the lower
// halves of the bytes, `half` of them, then those in the upper ones.
static inline Match match(const int16_t *query, const uint8_t *row, int64_t half) {
    Match total;
    int64_t j = 0;
#if defined(__AVX2__)
    const __m128i lower = _mm_set1_epi8(15);
    const __m256i middle = _mm256_set1_epi16(15);
    __m256i products = _mm256_setzero_si256(), squares = products;
    for (; j + PAIRED <= half; j += PAIRED) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(row + j));
        const __m256i low = _mm256_cvtepu8_epi16(_mm_and_si128(bytes, lower));
        const __m256i high = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(bytes, 4), lower));
        const __m256i a = _mm256_sub_epi16(_mm256_add_epi16(low, low), middle);
        const __m256i b = _mm256_sub_epi16(_mm256_add_epi16(high, high), middle);
        products = _mm256_add_epi32(products, _mm256_madd_epi16(load_codes(query + j), a));
        products = _mm256_add_epi32(products, _mm256_madd_epi16(load_codes(query + half + j), b));
        squares = _mm256_add_epi32(squares, _mm256_add_epi32(_mm256_madd_epi16(a, a), _mm256_madd_epi16(b, b)));
    }
    int32_t both[4];
    _mm_storeu_si128((__m128i *)both, totals(products, squares, products, squares));
    total.product = both[0];
    total.square = both[1];
#endif
    for (; j < half; j++) {
        const int32_t a = 2 * (row[j] & 15) - 15, b = 2 * (row[j] >> 4) - 15;
        total.product += int32_t(query[j]) * a + int32_t(query[half + j]) * b;
        total.square += a * a + b * b;
    }
    return total;
}

// Write for each picture the largest cosine of a query and any of its cells, and the number of that cell: the first
// of those that are as near.
//
// query (2 * half,), see `match`: of length 1, in steps of `unit`. cells: of the n pictures, `n_cells` rows of `half`
// bytes each; or of all, those in the order of `chosen`, where that is not null. OUT: best (n,), places (n,).
EXPORT void cells_best(const int16_t *query, int64_t half, double unit, const uint8_t *cells, int64_t n_cells,
                       const int64_t *chosen, int64_t n, float *best, uint8_t *places) {
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *own = cells + (chosen ? chosen[i] : i) * n_cells * half;
        float most = -2;
        int64_t place = 0;
        for (int64_t cell = 0; cell < n_cells; cell++) {
            const Match found = match(query, own + cell * half, half);
            const float cosine = float(found.product * unit / sqrt(double(found.square)));
            if (!(cosine > most)) continue;
            most = cosine;
            place = cell;
        }
        best[i] = most;
        places[i] = uint8_t(place);
    }
}
