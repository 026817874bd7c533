// The four lanes of XXH32, each of which takes its word of every stripe of 16 bytes: sluice_xxh32.h has the rest.
//
// The step of a lane is rotate(lane + word * prime_2, 13) * prime_1, and its next one waits for it; how long that takes is
// the speed, and everything else may happen before. The product of the rotated sum is that of its two parts, which need no
// rotation; so a lane is kept as two numbers, and the next word is added to one while the other is on its way.
//
// Vectors are the compiler's own. Lanes have 64 bits, of which the low 32 count: all processors multiply so wide fast.

#ifndef SLUICE_XXH32_LANES_H
#define SLUICE_XXH32_LANES_H

#include <stdint.h>
#include <string.h>

#define XXH32_STRIPE 16

#define XXH32_PRIME_1 0x9E3779B1u
#define XXH32_PRIME_2 0x85EBCA77u
#define XXH32_PRIME_3 0xC2B2AE3Du
#define XXH32_PRIME_4 0x27D4EB2Fu
#define XXH32_PRIME_5 0x165667B1u

typedef uint32_t xxh32_words __attribute__((vector_size(16)));
typedef uint64_t xxh32_wide __attribute__((vector_size(32)));
typedef uint32_t xxh32_halves __attribute__((vector_size(32)));

// Each lane is the sum of its numbers.
typedef struct xxh32_lanes {
    xxh32_wide low;   // the product of what a rotation moves to the left ...
    xxh32_wide high;  // ... and that of the 13 bits that it moves to the right end
} xxh32_lanes;

static inline void xxh32_load(xxh32_lanes *to, const uint32_t lanes[4]) {
    xxh32_words words;
    memcpy(&words, lanes, sizeof words);
    to->low = __builtin_convertvector(words, xxh32_wide);
    to->high = (xxh32_wide){0};
}

static inline void xxh32_store(uint32_t lanes[4], const xxh32_lanes *from) {
    const xxh32_words words = __builtin_convertvector(from->low + from->high, xxh32_words);
    memcpy(lanes, &words, sizeof words);
}

static inline void xxh32_add(xxh32_lanes *to, const uint8_t *stripe) {
    xxh32_words words;
    memcpy(&words, stripe, sizeof words);
    // This sum need not wait for `high`. It is one of 64 bits, and the next one is not, lest compilers change their order.
    const xxh32_wide sums = to->low + __builtin_convertvector(words, xxh32_wide) * XXH32_PRIME_2;
    const xxh32_halves both = (xxh32_halves)sums + (xxh32_halves)to->high;
    to->low = ((xxh32_wide)both & UINT32_MAX) * (XXH32_PRIME_1 << 13);
    to->high = ((xxh32_wide)(both >> 19) & UINT32_MAX) * XXH32_PRIME_1;
}

#endif
