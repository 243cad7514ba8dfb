// The kernels of `duplicates/near_hashes.py`: pairs of pictures whose hashes differ in few bits in some turn; the two
// ways are described there.
//
// A picture has eight hashes, one a turn. Of a pair, a is the picture of the lower row, and the distance is the least
// number of bits in which a's first hash differs from any of b's eight; at equal distances, the lower turn counts.
//
// Each picture has a heap of its nearest, as numbers: distance, row of the other, turn, from the highest bits down. No two
// are equal, so what is kept does not depend on the order in which pairs are found. `worst` is the largest of a
// full heap, and all ones until it is full. Threads that look for pairs read it while another writes; a number that was
// right a moment ago only lets more through.

#include "rows.hpp"

static const int TURNS = 8;
static const int64_t COLUMNS = 512;     // whose hashes stay in the first cache
static const int64_t GATHERED = 2048;   // rows that are compared with all of a bucket
static const int CHUNKS = 4, CHUNK_BITS = 16;
static const int64_t BUCKETS = 1 << CHUNK_BITS;
static const int64_t MOST_KEPT = 256;
static const uint64_t NOT_FULL = ~uint64_t(0);

namespace {

// One hash at a time.
struct Plain {
    typedef uint64_t Lanes;
    static const int N = 1;
    static inline Lanes all(uint64_t hash) { return hash; }
    static inline Lanes load(const uint64_t *hashes) { return *hashes; }
    static inline Lanes differing(Lanes a, Lanes b) { return uint64_t(__builtin_popcountll(a ^ b)); }
    static inline Lanes least(Lanes a, Lanes b) { return b < a ? b : a; }
    static inline uint32_t at_most(Lanes counts, Lanes most) { return counts <= most; }
};

}  // namespace

#if defined(__AVX2__)
#include <immintrin.h>

namespace {

// Four: bits are counted four at a time by a table of 16 bytes, and then summed over the bytes of each hash.
struct Four {
    typedef __m256i Lanes;
    static const int N = 4;
    static inline Lanes all(uint64_t hash) { return _mm256_set1_epi64x(int64_t(hash)); }
    static inline Lanes load(const uint64_t *hashes) { return _mm256_loadu_si256((const __m256i *)hashes); }
    static inline Lanes differing(Lanes a, Lanes b) {
        const Lanes counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3,
                                              1, 2, 2, 3, 2, 3, 3, 4);
        const Lanes low = _mm256_set1_epi8(15), bits = _mm256_xor_si256(a, b);
        const Lanes of_low = _mm256_shuffle_epi8(counts, _mm256_and_si256(bits, low));
        const Lanes of_high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(bits, 4), low));
        return _mm256_sad_epu8(_mm256_add_epi8(of_low, of_high), _mm256_setzero_si256());
    }
    static inline Lanes least(Lanes a, Lanes b) { return _mm256_min_epu8(a, b); }  // all are below 256
    static inline uint32_t at_most(Lanes counts, Lanes most) {
        return 15u ^ uint32_t(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(counts, most))));
    }
};

}  // namespace
#endif

#if defined(__AVX512BW__)
#include <cpuid.h>

namespace {

// Eight, in the same way.
struct Eight {
    typedef __m512i Lanes;
    static const int N = 8;
    static inline Lanes all(uint64_t hash) { return _mm512_set1_epi64(int64_t(hash)); }
    static inline Lanes load(const uint64_t *hashes) { return _mm512_loadu_si512(hashes); }
    static inline Lanes differing(Lanes a, Lanes b) {
        const Lanes counts = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        const Lanes low = _mm512_set1_epi8(15), bits = _mm512_xor_si512(a, b);
        const Lanes of_low = _mm512_shuffle_epi8(counts, _mm512_and_si512(bits, low));
        const Lanes of_high = _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(bits, 4), low));
        return _mm512_sad_epu8(_mm512_add_epi8(of_low, of_high), _mm512_setzero_si512());
    }
    static inline Lanes least(Lanes a, Lanes b) { return _mm512_min_epu8(a, b); }
    static inline uint32_t at_most(Lanes counts, Lanes most) { return _mm512_cmple_epu64_mask(counts, most); }
};

// Eight, where the processor counts bits in vectors; that is not of the level that this is compiled for.
struct Counting : Eight {
    static inline Lanes differing(Lanes a, Lanes b) {
        Lanes counts;
        __asm__("vpopcntq %1, %0" : "=v"(counts) : "v"(_mm512_xor_si512(a, b)));
        return counts;
    }
};

}  // namespace

static bool counts_in_vectors() {
    static const uint32_t VPOPCNTDQ = 1u << 14;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & VPOPCNTDQ);
}
#endif

namespace {

// Where pairs are written: two numbers each, the rows (a in the upper half), and distance and turn (from 0; the distance
// in the upper half). n is below `room`.
struct Found {
    uint64_t *pairs;
    int64_t n, room;
    const uint64_t *worst;
    uint8_t *is_bounded;

    bool has_room(int64_t for_more) const { return n + for_more <= room; }

    void add(uint64_t a, uint64_t b, uint64_t distance, uint64_t turn) {
        const uint64_t of_a = distance << 56 | b << 8 | turn, of_b = distance << 56 | a << 8 | turn;
        if (of_a > __atomic_load_n(worst + a, __ATOMIC_RELAXED) && of_b > __atomic_load_n(worst + b, __ATOMIC_RELAXED)) {
            __atomic_store_n(is_bounded + a, uint8_t(1), __ATOMIC_RELAXED);
            __atomic_store_n(is_bounded + b, uint8_t(1), __ATOMIC_RELAXED);
            return;
        }
        pairs[2 * n] = a << 32 | b;
        pairs[2 * n + 1] = distance << 32 | turn;
        n++;
    }
};

struct Best {
    uint64_t distance, turn;
};

}  // namespace

// Return the turn of b, whose hashes lie `stride` apart, in which it is nearest to the first hash of a.
static inline Best best_turn(uint64_t of_a, const uint64_t *of_b, int64_t stride) {
    Best best = {65, 0};
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        const uint64_t distance = uint64_t(__builtin_popcountll(of_a ^ of_b[int64_t(turn) * stride]));
        if (distance < best.distance) best = {distance, turn};
    }
    return best;
}

// Compare place i with places j to end; return the first that is not done.
template <typename C, bool IS_A>
static inline int64_t compare(const uint64_t *turned, int64_t n, const uint32_t *rows, int64_t i, int64_t j, int64_t end,
                              uint64_t radius, Found &found) {
    typename C::Lanes of_i[TURNS];
    for (int turn = 0; turn < TURNS; turn++) of_i[turn] = C::all(turned[(IS_A ? 0 : turn) * n + i]);
    const typename C::Lanes most = C::all(radius);
    for (; j + C::N <= end; j += C::N) {
        typename C::Lanes best = C::differing(of_i[0], C::load(turned + j));
        for (int turn = 1; turn < TURNS; turn++)
            best = C::least(best, C::differing(of_i[turn], C::load(turned + (IS_A ? turn * n : 0) + j)));
        for (uint32_t near = C::at_most(best, most); near; near &= near - 1) {
            const int64_t at = j + __builtin_ctz(near), a = IS_A ? i : at, b = IS_A ? at : i;
            const Best one = best_turn(turned[a], turned + b, n);
            found.add(rows[a], rows[b], one.distance, one.turn);
        }
    }
    return j;
}

template <typename C>
static void compare_all(const uint64_t *turned, int64_t n, const uint32_t *rows, int64_t n_left, bool is_among,
                        int64_t first, int64_t last, uint64_t radius, int64_t *at, Found &found) {
    int64_t i = at[1];
    for (int64_t start = at[0]; start < n; start += COLUMNS, i = first) {
        const int64_t end = smaller(start + COLUMNS, n), left_end = is_among ? smaller(end, n_left) : 0;
        for (; i < last; i++) {
            if (!found.has_room(COLUMNS)) {
                at[0] = start, at[1] = i;
                return;
            }
            // The later ones of the left are b; so are those of the right whose rows come after i's.
            int64_t j = larger(start, i + 1);
            if (j < left_end) {
                j = compare<C, true>(turned, n, rows, i, j, left_end, radius, found);
                compare<Plain, true>(turned, n, rows, i, j, left_end, radius, found);
            }
            j = larger(start, n_left);
            if (j >= end) continue;
            const int64_t turning = j + search_sorted(rows + j, end - j, rows[i], false);
            j = compare<C, false>(turned, n, rows, i, j, turning, radius, found);
            compare<Plain, false>(turned, n, rows, i, j, turning, radius, found);
            j = compare<C, true>(turned, n, rows, i, turning, end, radius, found);
            compare<Plain, true>(turned, n, rows, i, j, end, radius, found);
        }
    }
    at[0] = n, at[1] = first;
}

// Compare places first to last of the left with those of the right and, where `is_among`, with those after them.
//
// turned: (8, n), by turn. rows (n,): of each place; those of the left come first, and of both they rise. at (2,): how
// far it has come, places `at[1]` of columns from `at[0]`; at the first call the first column and `first`. It is done
// when at[0] is n. Returns how many pairs are written.
EXPORT int64_t near_hashes_compare(const uint64_t *turned, int64_t n, const uint32_t *rows, int64_t n_left,
                                   bool is_among, int64_t first, int64_t last, int64_t radius, const uint64_t *worst,
                                   uint8_t *is_bounded, int64_t *at, uint64_t *pairs, int64_t room) {
    Found found = {pairs, 0, room, worst, is_bounded};
    const uint64_t most = uint64_t(radius);
#if defined(__AVX512BW__)
    if (counts_in_vectors())
        compare_all<Counting>(turned, n, rows, n_left, is_among, first, last, most, at, found);
    else
        compare_all<Eight>(turned, n, rows, n_left, is_among, first, last, most, at, found);
#elif defined(__AVX2__)
    compare_all<Four>(turned, n, rows, n_left, is_among, first, last, most, at, found);
#else
    compare_all<Plain>(turned, n, rows, n_left, is_among, first, last, most, at, found);
#endif
    return found.n;
}

static inline uint64_t chunk_of(uint64_t hash, int64_t chunk) {
    return hash >> (chunk * CHUNK_BITS) & uint64_t(BUCKETS - 1);
}

// Sort hashes of rows by one chunk of 16 bits.
//
// hashes: those of a row lie one behind the other, those of rows `stride` apart; n_turns of each are sorted. starts
// (65537,), sorted and named (n_rows * n_turns,): OUT; named is 8 * row + turn.
EXPORT void near_hashes_sort(const uint64_t *hashes, int64_t stride, const uint32_t *rows, int64_t n_rows,
                             int64_t n_turns, int64_t chunk, int64_t *starts, uint64_t *sorted, uint32_t *named) {
    for (int64_t bucket = 0; bucket <= BUCKETS; bucket++) starts[bucket] = 0;
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t turn = 0; turn < n_turns; turn++)
            starts[chunk_of(hashes[int64_t(rows[i]) * stride + turn], chunk) + 1]++;
    for (int64_t bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket];
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t turn = 0; turn < n_turns; turn++) {
            const uint64_t hash = hashes[int64_t(rows[i]) * stride + turn];
            const int64_t to = starts[chunk_of(hash, chunk)]++;
            sorted[to] = hash;
            named[to] = uint32_t(TURNS * int64_t(rows[i]) + turn);
        }
    for (int64_t bucket = BUCKETS; bucket > 0; bucket--) starts[bucket] = starts[bucket - 1];
    starts[0] = 0;
}

namespace {

// Hashes by a chunk; see `near_hashes_sort`.
struct Buckets {
    const int64_t *starts;
    const uint64_t *sorted;
    const uint32_t *named;
};

// What all that are joined share. limits (4,): how many bits of each chunk may differ.
struct Joined {
    const uint64_t *hashes;
    int64_t stride, chunk;
    uint64_t radius;
    const int64_t *limits;

    // Tell whether a pair is found by an earlier chunk, too.
    bool is_known(uint64_t bits) const {
        for (int64_t earlier = 0; earlier < chunk; earlier++)
            if (__builtin_popcountll(chunk_of(bits, earlier)) <= limits[earlier]) return true;
        return false;
    }
};

}  // namespace

// Compare one turned hash of b with gathered first hashes of others.
template <typename C>
static inline void compare_gathered(const Joined &joined, uint64_t hash, uint32_t name, const uint64_t *gathered,
                                    const uint32_t *named, int64_t n, Found &found) {
    const typename C::Lanes of_b = C::all(hash), most = C::all(joined.radius);
    const uint64_t b = name / TURNS, turn = name % TURNS;
    for (int64_t j = 0; j < n; j += C::N)
        for (uint32_t near = C::at_most(C::differing(of_b, C::load(gathered + j)), most); near; near &= near - 1) {
            const int64_t at = j + __builtin_ctz(near);
            const uint64_t a = named[at] / TURNS;
            if (a >= b || joined.is_known(hash ^ gathered[at])) continue;
            const Best best = best_turn(gathered[at], joined.hashes + int64_t(b) * joined.stride, 1);
            if (best.turn == turn) found.add(a, b, best.distance, turn);
        }
}

// at (3,): the bucket, how many of the gathered are done with all of it, and how many of it with those that follow.
template <typename C>
static int64_t join(const Joined &joined, const Buckets &firsts, const Buckets &turns, const uint64_t *masks,
                    int64_t n_masks, int64_t last, int64_t *at, Found &found) {
    for (; at[0] < last; at[0]++, at[1] = at[2] = 0) {
        const int64_t from = turns.starts[at[0]], n_turned = turns.starts[at[0] + 1] - from;
        if (n_turned == 0) continue;
        int64_t n = 0, written = 0;
        for (int64_t mask = 0; mask < n_masks; mask++) {
            const int64_t other = at[0] ^ int64_t(masks[mask]);
            n += firsts.starts[other + 1] - firsts.starts[other];
        }
        const Scratch<uint64_t> gathered(n);
        const Scratch<uint32_t> named(n);
        if (!(gathered && named)) return NO_MEMORY;
        for (int64_t mask = 0; mask < n_masks; mask++) {
            const int64_t other = at[0] ^ int64_t(masks[mask]);
            for (int64_t next = firsts.starts[other]; next < firsts.starts[other + 1]; next++, written++)
                gathered[written] = firsts.sorted[next], named[written] = firsts.named[next];
        }
        for (; at[1] < n; at[1] += GATHERED, at[2] = 0) {
            const int64_t some = smaller(GATHERED, n - at[1]), whole = some / C::N * C::N;
            for (; at[2] < n_turned; at[2]++) {
                if (!found.has_room(GATHERED)) return OK;
                const uint64_t hash = turns.sorted[from + at[2]];
                const uint32_t name = turns.named[from + at[2]];
                compare_gathered<C>(joined, hash, name, gathered + at[1], named + at[1], whole, found);
                compare_gathered<Plain>(joined, hash, name, gathered + at[1] + whole, named + at[1] + whole,
                                        some - whole, found);
            }
        }
    }
    return OK;
}

// Compare turned hashes, of buckets at[0] to last, with the first hashes in all buckets that are near by one chunk.
//
// hashes: all, see `near_hashes_sort`. first_*: the first hashes of what may be a; turned_*: the turned ones of what may
// be b. masks (n_masks,): in which bits of the chunk they may differ. at (3,): where to go on, at first the first bucket
// and zeros; it is done when at[0] is last. Returns how many pairs are written, or -1 where there is no memory.
EXPORT int64_t near_hashes_join(const uint64_t *hashes, int64_t stride, int64_t chunk, int64_t radius,
                                const int64_t *limits, const int64_t *first_starts, const uint64_t *first_sorted,
                                const uint32_t *first_named, const int64_t *turned_starts, const uint64_t *turned_sorted,
                                const uint32_t *turned_named, const uint64_t *masks, int64_t n_masks, int64_t last,
                                const uint64_t *worst, uint8_t *is_bounded, int64_t *at, uint64_t *pairs, int64_t room) {
    Found found = {pairs, 0, room, worst, is_bounded};
    const Joined joined = {hashes, stride, chunk, uint64_t(radius), limits};
    const Buckets firsts = {first_starts, first_sorted, first_named};
    const Buckets turns = {turned_starts, turned_sorted, turned_named};
    int64_t status;
#if defined(__AVX512BW__)
    if (counts_in_vectors())
        status = join<Counting>(joined, firsts, turns, masks, n_masks, last, at, found);
    else
        status = join<Eight>(joined, firsts, turns, masks, n_masks, last, at, found);
#elif defined(__AVX2__)
    status = join<Four>(joined, firsts, turns, masks, n_masks, last, at, found);
#else
    status = join<Plain>(joined, firsts, turns, masks, n_masks, last, at, found);
#endif
    return status == OK ? found.n : -1;
}

// Keep pairs among the `most` nearest of each of the two.
//
// nearest: (n, most), heaps; most is at most 256. sizes: (n,). worst: (n,). is_bounded: (n,), 1 of those that have more.
EXPORT void near_hashes_keep(const uint64_t *pairs, int64_t n_pairs, uint64_t *nearest, int32_t *sizes, int64_t most,
                             uint64_t *worst, uint8_t *is_bounded) {
    uint8_t values[MOST_KEPT] = {};  // what other heaps hold beside their keys
    for (int64_t i = 0; i < n_pairs; i++) {
        const uint64_t rows = pairs[2 * i], distance = pairs[2 * i + 1] >> 32, turn = pairs[2 * i + 1] & 0xFF;
        const uint64_t each[2] = {rows >> 32, rows & 0xFFFFFFFF};
        for (int side = 0; side < 2; side++) {
            const uint64_t row = each[side], key = distance << 56 | each[1 - side] << 8 | turn;
            uint64_t *heap = nearest + int64_t(row) * most;
            if (sizes[row] == most) __atomic_store_n(is_bounded + row, uint8_t(1), __ATOMIC_RELAXED);
            sizes[row] = int32_t(keep(heap, values, sizes[row], most, key, uint8_t(0)));
            __atomic_store_n(worst + row, sizes[row] == most ? heap[0] : NOT_FULL, __ATOMIC_RELAXED);
        }
    }
}

static inline bool holds(const uint64_t *heap, int64_t size, uint64_t key) {
    for (int64_t i = 0; i < size; i++)
        if (heap[i] == key) return true;
    return false;
}

// Write the pairs that are kept by either picture, once each: a, b (n,), what they differ by and the turn, from 1. Where
// a is null, they are only counted. Returns how many they are.
EXPORT int64_t near_hashes_pairs(const uint64_t *nearest, const int32_t *sizes, int64_t n, int64_t most, int64_t *a,
                                 int64_t *b, uint8_t *turns, uint8_t *distances) {
    int64_t found = 0;
    for (uint64_t row = 0; row < uint64_t(n); row++)
        for (int64_t i = 0; i < sizes[row]; i++) {
            const uint64_t key = nearest[int64_t(row) * most + i], other = key >> 8 & 0xFFFFFFFF;
            const uint64_t mirrored = (key & ~(uint64_t(0xFFFFFFFF) << 8)) | row << 8;
            if (other < row && holds(nearest + int64_t(other) * most, sizes[other], mirrored)) continue;
            if (a) {
                a[found] = int64_t(smaller(row, other));
                b[found] = int64_t(larger(row, other));
                turns[found] = uint8_t(1 + (key & 0xFF));
                distances[found] = uint8_t(key >> 56);
            }
            found++;
        }
    return found;
}
