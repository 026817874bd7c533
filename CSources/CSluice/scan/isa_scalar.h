// Plain C stand-ins for the vector operations that encoders are written in: 32 bytes a step, and masks with a bit for each
// of them that is below `length`, the first byte's lowest.

#ifndef SLUICE_ISA_SCALAR_H
#define SLUICE_ISA_SCALAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SLUICE_ISA_NAME "scalar"
#define SLUICE_ISA_VECTOR 32  // bytes of one vector

static inline uint32_t mask_count(uint64_t mask) { return (uint32_t)__builtin_popcountll(mask); }
static inline uint32_t mask_first(uint64_t mask) { return mask ? (uint32_t)__builtin_ctzll(mask) : 64; }
static inline uint32_t mask_leading_zeros(uint64_t mask) { return mask ? (uint32_t)__builtin_clzll(mask) : 64; }
static inline uint64_t mask_without_first(uint64_t mask) { return mask & (mask - 1); }
static inline uint64_t mask_low(uint32_t count) { return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX; }

// Bit i of the result: the parity of the bits 0 ... i.
static inline uint64_t mask_prefix_xor(uint64_t mask) {
    for (uint32_t distance = 1; distance < 64; distance *= 2) mask ^= mask << distance;
    return mask;
}

static inline void copy_vector(uint8_t *to, const uint8_t *from) { memcpy(to, from, SLUICE_ISA_VECTOR); }

// With `byte` in place of those in `mask`.
static inline void copy_vector_replacing(uint8_t *to, const uint8_t *from, uint32_t mask, uint8_t byte) {
    copy_vector(to, from);
    for (; mask; mask &= mask - 1) to[mask_first(mask)] = byte;
}

// The top bit of each byte of a word. Words are looked at first, since most hold nothing special.
#define WORD_TOPS UINT64_C(0x8080808080808080)
#define WORD_ONES UINT64_C(0x0101010101010101)

static inline uint64_t word_load(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

// Not zero exactly if a byte of `word` is below `limit` (at most 0x80).
static inline uint64_t word_has_below(uint64_t word, uint8_t limit) {
    return (word - WORD_ONES * limit) & ~word & WORD_TOPS;
}

static inline uint64_t word_has(uint64_t word, uint8_t byte) { return word_has_below(word ^ (WORD_ONES * byte), 1); }

// Bytes that equal one of four.
static inline uint32_t find_any(const uint8_t *from, size_t length, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SLUICE_ISA_VECTOR && i < length; i += 8) {
        const uint64_t word = word_load(from + i);
        if (!(word_has(word, a) | word_has(word, b) | word_has(word, c) | word_has(word, d))) continue;
        for (uint32_t j = i; j < i + 8 && j < length; j++) {
            mask |= (uint32_t)(from[j] == a || from[j] == b || from[j] == c || from[j] == d) << j;
        }
    }
    return mask;
}

// Of 64 bytes, a block, those that equal `byte`.
typedef const uint8_t *block;

static inline block block_load(const uint8_t *bytes) { return bytes; }

static inline uint64_t block_equal(block b, uint8_t byte) {
    const uint32_t low = find_any(b, 32, byte, byte, byte, byte), high = find_any(b + 32, 32, byte, byte, byte, byte);
    return low | (uint64_t)high << 32;
}

// How many of 32 bytes are equal before one that is not.
static inline uint32_t count_equal(const uint8_t *a, const uint8_t *b) {
    uint32_t count = 0;
    while (count < SLUICE_ISA_VECTOR && a[count] == b[count]) count++;
    return count;
}

// Bytes that a JSON string must escape: quote, backslash, below 0x20.
static inline uint32_t find_json_specials(const uint8_t *from, size_t length) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SLUICE_ISA_VECTOR && i < length; i += 8) {
        const uint64_t word = word_load(from + i);
        if (!(word_has_below(word, 0x20) | word_has(word, '"') | word_has(word, '\\'))) continue;
        for (uint32_t j = i; j < i + 8 && j < length; j++) {
            mask |= (uint32_t)(from[j] < 0x20 || from[j] == '"' || from[j] == '\\') << j;
        }
    }
    return mask;
}

// Whether the first `length` bytes, 32 at most, are decimal digits.
static inline bool all_digits(const uint8_t *from, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)(from[i] - '0') > 9) return false;
    }
    return true;
}

#endif
