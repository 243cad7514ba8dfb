// Sums over long vectors. Compilers turn a plain loop into vector instructions, but not always good ones; here it is
// said how: as many numbers at once as a register holds, in four sums that need not wait for each other.
#pragma once

#include <string.h>

#include "export.hpp"

#if defined(__AVX512F__)
const int REGISTER = 64;
#elif defined(__AVX__)
const int REGISTER = 32;
#else
const int REGISTER = 16;  // bytes of a register
#endif

#define INLINE static inline __attribute__((always_inline))

// How a sum reads: several numbers at once, as type S,
template <typename S>
struct Several {
    static const int N = REGISTER / sizeof(S);
    typedef S Lanes __attribute__((vector_size(REGISTER)));
    int64_t j;

    template <typename T>
    __attribute__((always_inline)) Lanes operator()(const T *numbers) const {
        typedef T Given __attribute__((vector_size(N * sizeof(T))));
        Given given;
        memcpy(&given, numbers + j, sizeof given);
        return __builtin_convertvector(given, Lanes);
    }
};

// or one, of those that are left.
template <typename S>
struct One {
    int64_t j;

    template <typename T>
    __attribute__((always_inline)) S operator()(const T *numbers) const {
        return S(numbers[j]);
    }
};

// GCC converts vectors number by number.
#if !defined(__clang__) && defined(__AVX512F__)
#include <immintrin.h>

template <>
template <>
inline Several<double>::Lanes Several<double>::operator()(const float *numbers) const {
    return Lanes(_mm512_cvtps_pd(_mm256_loadu_ps(numbers + j)));
}

template <>
template <>
inline Several<double>::Lanes Several<double>::operator()(const uint8_t *numbers) const {
    return Lanes(_mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(numbers + j)))));
}
#elif !defined(__clang__) && defined(__AVX2__)
#include <immintrin.h>

template <>
template <>
inline Several<double>::Lanes Several<double>::operator()(const float *numbers) const {
    return Lanes(_mm256_cvtps_pd(_mm_loadu_ps(numbers + j)));
}

template <>
template <>
inline Several<double>::Lanes Several<double>::operator()(const uint8_t *numbers) const {
    return Lanes(_mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_loadu_si32(numbers + j))));
}
#endif

// Return the sum of term(at) for each of n numbers, where `at(a)` is the number of array a. The term is written for
// one number, and computed for several: [=](auto at) { const auto difference = at(a) - at(b); … }
template <typename S, typename F>
INLINE S sum_up(int64_t n, F term) {
    const int N = Several<S>::N;
    typename Several<S>::Lanes first = {}, second = {}, third = {}, fourth = {};
    int64_t j = 0;
    for (; j + 4 * N <= n; j += 4 * N) {
        first += term(Several<S>{j});
        second += term(Several<S>{j + N});
        third += term(Several<S>{j + 2 * N});
        fourth += term(Several<S>{j + 3 * N});
    }
    for (; j + N <= n; j += N) first += term(Several<S>{j});
    first = (first + second) + (third + fourth);
    S total = 0;
    for (int lane = 0; lane < N; lane++) total += first[lane];
    for (; j < n; j++) total += term(One<S>{j});
    return total;
}
