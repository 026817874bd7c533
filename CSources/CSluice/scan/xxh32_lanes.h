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

#include "../include/sluice_xxh32.h"

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

// The whole stripes of some bytes, which are added one by one between other work: the wait for each is free then.
typedef struct xxh32_stripes {
    xxh32_lanes sums;
    const uint8_t *next;
    const uint8_t *first;
} xxh32_stripes;

// Goes on with `state`; some of `bytes` may complete a stripe that it holds. xxh32_stripes_end puts back what was added.
static inline xxh32_stripes xxh32_stripes_begin(sluice_xxh32_state *state, const uint8_t *bytes, size_t length) {
    const size_t missing = state->held_count ? XXH32_STRIPE - state->held_count : 0;
    const size_t head = length < missing ? length : missing;
    sluice_xxh32_add(state, bytes, head);
    xxh32_stripes stripes = {.next = bytes + head, .first = bytes + head};
    xxh32_load(&stripes.sums, state->lanes);
    return stripes;
}

static inline void xxh32_stripes_add(xxh32_stripes *stripes) {
    xxh32_add(&stripes->sums, stripes->next);
    stripes->next += XXH32_STRIPE;
}

static inline void xxh32_stripes_end(const xxh32_stripes *stripes, sluice_xxh32_state *state) {
    xxh32_store(state->lanes, &stripes->sums);
    state->length += (uint64_t)(stripes->next - stripes->first);
}

#endif
