// The vector operations the generic kernels are written in, for NEON, which every arm64 processor has: a block is four vectors
// of 16 bytes. See isa_avx2.h for what each operation means.

#ifndef SLUICE_ISA_NEON_H
#define SLUICE_ISA_NEON_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "json_tables.h"

#define SLUICE_ISA_NAME "neon"
#define SLUICE_ISA_VECTOR 32  // bytes that the encoders take in one step

// Six instructions, since a processor of this kind shifts and xors in one. Multiplying without carries (PMULL) would take fewer
// but for the way into vectors and back, and not every processor can.
static inline uint64_t mask_prefix_xor(uint64_t mask) {
    for (uint32_t distance = 1; distance < 64; distance *= 2) mask ^= mask << distance;
    return mask;
}

static inline uint32_t mask_count(uint64_t mask) { return (uint32_t)__builtin_popcountll(mask); }
static inline uint32_t mask_first(uint64_t mask) { return mask ? (uint32_t)__builtin_ctzll(mask) : 64; }
static inline uint32_t mask_leading_zeros(uint64_t mask) { return mask ? (uint32_t)__builtin_clzll(mask) : 64; }
static inline uint64_t mask_without_first(uint64_t mask) { return mask & (mask - 1); }
static inline uint32_t mask_last(uint64_t mask) { return 63 - (uint32_t)__builtin_clzll(mask); }
static inline uint64_t mask_low(uint32_t count) { return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX; }

static inline __attribute__((always_inline)) uint32_t mask_write_places(
    uint32_t *out, uint32_t base, uint64_t mask) {
    const uint32_t count = mask_count(mask);
    for (uint32_t done = 0; done < count; done += 8) {
        for (uint32_t i = 0; i < 8; i++, mask = mask_without_first(mask)) out[done + i] = base + mask_first(mask);
    }
    return count;
}

// ---- Vectors of bytes.

typedef uint8x16_t vector;

static inline vector vector_fill(uint8_t byte) { return vdupq_n_u8(byte); }
static inline vector vector_and(vector a, vector b) { return vandq_u8(a, b); }
static inline vector vector_or(vector a, vector b) { return vorrq_u8(a, b); }
static inline vector vector_xor(vector a, vector b) { return veorq_u8(a, b); }
static inline vector vector_subtract_saturating(vector a, vector b) { return vqsubq_u8(a, b); }
static inline bool vector_any(vector v) { return vmaxvq_u32(vreinterpretq_u32_u8(v)) != 0; }

static inline vector vector_low_halves(vector v) { return vandq_u8(v, vdupq_n_u8(0x0F)); }
static inline vector vector_high_halves(vector v) { return vshrq_n_u8(v, 4); }

// The table instruction answers 0 for all numbers over 15, so the top bit stays where it is.
static inline vector vector_lookup(const uint8_t table[16], vector indices) {
    return vqtbl1q_u8(vld1q_u8(table), vandq_u8(indices, vdupq_n_u8(0x8F)));
}

static inline vector vector_shift_in_1(vector v, vector before) { return vextq_u8(before, v, 15); }
static inline vector vector_shift_in_2(vector v, vector before) { return vextq_u8(before, v, 14); }
static inline vector vector_shift_in_3(vector v, vector before) { return vextq_u8(before, v, 13); }

// ---- Blocks. A comparison makes each byte all ones or zero.

typedef struct block {
    vector part[4];
} block;

#define BLOCK_VECTORS 4
static inline vector block_vector(block b, uint32_t i) { return b.part[i]; }

static inline block block_load(const uint8_t *bytes) {
    return (block){{vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
}

// Each byte keeps the bit of its place among eight.
static inline vector vector_place_bits(vector v) {
    return vandq_u8(v, vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201)));
}

// Adding neighbours three times makes a byte of eight.
static inline uint64_t block_mask(block found) {
    const vector low = vpaddq_u8(vector_place_bits(found.part[0]), vector_place_bits(found.part[1]));
    const vector high = vpaddq_u8(vector_place_bits(found.part[2]), vector_place_bits(found.part[3]));
    const vector quarters = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(quarters, quarters)), 0);
}

// `operation` of each vector `v` of a block.
#define BLOCK_EACH(operation, b, ...) \
    (block) { { \
        operation((b).part[0], __VA_ARGS__), operation((b).part[1], __VA_ARGS__), \
        operation((b).part[2], __VA_ARGS__), operation((b).part[3], __VA_ARGS__) } }

static inline uint64_t block_equal(block b, uint8_t byte) { return block_mask(BLOCK_EACH(vceqq_u8, b, vdupq_n_u8(byte))); }
static inline uint64_t block_at_most(block b, uint8_t limit) {
    return block_mask(BLOCK_EACH(vcleq_u8, b, vdupq_n_u8(limit)));
}

static inline block block_or(block a, block b) {
    return (block){{
        vorrq_u8(a.part[0], b.part[0]), vorrq_u8(a.part[1], b.part[1]), vorrq_u8(a.part[2], b.part[2]),
        vorrq_u8(a.part[3], b.part[3])}};
}

static inline uint64_t block_equal_bracket(block b, uint8_t byte) {
    const uint8x16_t bit = vdupq_n_u8(0x20);
    return block_equal(block_or(b, (block){{bit, bit, bit, bit}}), byte);
}

static inline uint64_t block_non_ascii(block b) { return block_mask(BLOCK_EACH(vcgeq_u8, b, vdupq_n_u8(0x80))); }
static inline bool block_is_ascii(block b) {
    return vmaxvq_u8(vorrq_u8(vorrq_u8(b.part[0], b.part[1]), vorrq_u8(b.part[2], b.part[3]))) < 0x80;
}

// ---- JSON: see the tables.

static inline vector vector_json_equal(vector v, const uint8_t table[16], uint8_t bit) {
    return vceqq_u8(vorrq_u8(v, vdupq_n_u8(bit)), vector_lookup(table, v));
}

static inline uint64_t block_json_operators(block b) {
    return block_mask(BLOCK_EACH(vector_json_equal, b, json_operators, 0x20));
}
static inline uint64_t block_json_white(block b) { return block_mask(BLOCK_EACH(vector_json_equal, b, json_white, 0)); }

static inline vector vector_json_escapes(vector v, const uint8_t by_low[16], const uint8_t by_high[16]) {
    return vandq_u8(vector_lookup(by_low, v), vector_lookup(by_high, vector_high_halves(v)));
}

static inline block block_json_escapes(block b) {
    return BLOCK_EACH(vector_json_escapes, b, json_escapes_by_low, json_escapes_by_high);
}

static inline uint64_t block_any(block b, uint8_t bits) { return block_mask(BLOCK_EACH(vtstq_u8, b, vdupq_n_u8(bits))); }

// ---- Copying, for the encoders: 32 bytes a step, and masks of 32 bits; those from `length` on are never set.

typedef struct pair {
    vector low;
    vector high;
} pair;

static inline pair pair_load(const uint8_t *from) { return (pair){vld1q_u8(from), vld1q_u8(from + 16)}; }
static inline void pair_store(uint8_t *to, pair v) {
    vst1q_u8(to, v.low);
    vst1q_u8(to + 16, v.high);
}

static inline uint32_t pair_mask(vector low, vector high) {
    const vector halves = vpaddq_u8(vector_place_bits(low), vector_place_bits(high));
    const vector quarters = vpaddq_u8(halves, halves);
    return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(quarters, quarters)), 0);
}

static inline uint32_t mask_within(uint32_t found, size_t length) {
    return length < 32 ? found & ((UINT32_C(1) << length) - 1) : found;
}

static inline void copy_vector(uint8_t *to, const uint8_t *from) { pair_store(to, pair_load(from)); }

// `byte` where the 16 bits of `mask` say so, else `v`.
static inline vector vector_replacing(vector v, uint32_t mask, uint8_t byte) {
    const vector spread = vcombine_u8(vdup_n_u8((uint8_t)mask), vdup_n_u8((uint8_t)(mask >> 8)));
    const vector bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    return vbslq_u8(vtstq_u8(spread, bits), vdupq_n_u8(byte), v);
}

static inline void copy_vector_replacing(uint8_t *to, const uint8_t *from, uint32_t mask, uint8_t byte) {
    const pair v = pair_load(from);
    pair_store(to, (pair){vector_replacing(v.low, mask, byte), vector_replacing(v.high, mask >> 16, byte)});
}

static inline vector equals_either(vector v, uint8_t a, uint8_t b) {
    return vorrq_u8(vceqq_u8(v, vdupq_n_u8(a)), vceqq_u8(v, vdupq_n_u8(b)));
}

static inline vector equals_any(vector v, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return vorrq_u8(equals_either(v, a, b), equals_either(v, c, d));
}

static inline uint32_t find_any(const uint8_t *from, size_t length, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    const pair v = pair_load(from);
    return mask_within(pair_mask(equals_any(v.low, a, b, c, d), equals_any(v.high, a, b, c, d)), length);
}

// How many of 32 bytes are equal before one that is not.
static inline uint32_t count_equal(const uint8_t *a, const uint8_t *b) {
    const pair u = pair_load(a), v = pair_load(b);
    return mask_first(~(uint64_t)pair_mask(vceqq_u8(u.low, v.low), vceqq_u8(u.high, v.high)));
}

static inline vector is_json_special(vector v) {
    return vorrq_u8(vcltq_u8(v, vdupq_n_u8(0x20)), equals_either(v, '"', '\\'));
}

static inline uint32_t find_json_specials(const uint8_t *from, size_t length) {
    const pair v = pair_load(from);
    return mask_within(pair_mask(is_json_special(v.low), is_json_special(v.high)), length);
}

static inline vector is_no_digit(vector v) { return vcgtq_u8(vsubq_u8(v, vdupq_n_u8('0')), vdupq_n_u8(9)); }

static inline uint32_t find_not_digits(const uint8_t *from) {
    const pair v = pair_load(from);
    return pair_mask(is_no_digit(v.low), is_no_digit(v.high));
}

static inline bool all_digits(const uint8_t *from, size_t length) {
    return mask_first(find_not_digits(from) | UINT64_C(1) << 32) >= length;
}

#endif
