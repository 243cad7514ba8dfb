// Which level of the x86-64 instruction set the processor and its system know: 2, 3 (AVX2, FMA) or 4 (AVX-512);
// 0 on other processors, for which there is one library.

#include "export.hpp"

#if defined(__x86_64__)
#include <cpuid.h>

static unsigned long long saved_registers() {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (unsigned long long)high << 32 | low;
}

EXPORT int lookalike_level() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 2;
    const unsigned wanted = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    if ((c & wanted) != wanted || (saved_registers() & 0x6) != 0x6) return 2;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 2;
    const unsigned level_3 = bit_BMI | bit_AVX2 | bit_BMI2;
    if ((b & level_3) != level_3) return 2;
    unsigned a2, b2, c2, d2;
    if (!__get_cpuid(0x80000001, &a2, &b2, &c2, &d2) || !(c2 & (1u << 5))) return 2;  // LZCNT
    const unsigned level_4 = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;
    return (b & level_4) == level_4 && (saved_registers() & 0xE6) == 0xE6 ? 4 : 3;
}
#else
EXPORT int lookalike_level() { return 0; }
#endif
