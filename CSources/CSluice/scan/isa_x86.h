// What the vector kernels for x86-64 have in common: masks, the encoders' steps of 32 bytes, and tables.

#ifndef SLUICE_ISA_X86_H
#define SLUICE_ISA_X86_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "json_tables.h"

#define SLUICE_ISA_VECTOR 32  // bytes that the encoders take in one step

// Bit i of the result: the parity of the bits 0 ... i.
static inline uint64_t mask_prefix_xor(uint64_t mask) {
    const __m128i ones = _mm_set1_epi8((char)0xFF);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)mask), ones, 0));
}

static inline uint32_t mask_count(uint64_t mask) { return (uint32_t)_mm_popcnt_u64(mask); }
static inline uint32_t mask_first(uint64_t mask) { return (uint32_t)_tzcnt_u64(mask); }
static inline uint64_t mask_without_first(uint64_t mask) { return _blsr_u64(mask); }

// The highest bit's number; `mask` is not 0.
static inline uint32_t mask_last(uint64_t mask) { return 63 - (uint32_t)_lzcnt_u64(mask); }

static inline uint32_t mask_leading_zeros(uint64_t mask) { return (uint32_t)_lzcnt_u64(mask); }

// Mask of the lowest `count` bits, 0 ... 64.
static inline uint64_t mask_low(uint32_t count) { return _bzhi_u64(UINT64_MAX, count); }

// ---- Copying, for the encoders: 32 bytes a step, and masks of 32 bits; those from `length` on are never set.

static inline void copy_vector(uint8_t *to, const uint8_t *from) {
    _mm256_storeu_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
}

// With `byte` in place of those in `mask`.
static inline void copy_vector_replacing(uint8_t *to, const uint8_t *from, uint32_t mask, uint8_t byte) {
    // Each byte of a vector gets the byte of the mask that has its bit, and then that bit alone.
    const __m256i places = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bits = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int)mask), places);
    const __m256i chosen = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bits), bits);
    const __m256i v = _mm256_loadu_si256((const __m256i *)from);
    _mm256_storeu_si256((__m256i *)to, _mm256_blendv_epi8(v, _mm256_set1_epi8((char)byte), chosen));
}

static inline uint32_t mask_within(__m256i found, size_t length) {
    const uint32_t mask = (uint32_t)_mm256_movemask_epi8(found);
    return length < 32 ? _bzhi_u32(mask, (uint32_t)length) : mask;
}

static inline __m256i equals_either(__m256i v, uint8_t a, uint8_t b) {
    return _mm256_or_si256(
        _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)a)), _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)b)));
}

// Bytes that equal one of four.
static inline uint32_t find_any(const uint8_t *from, size_t length, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    const __m256i v = _mm256_loadu_si256((const __m256i *)from);
    return mask_within(_mm256_or_si256(equals_either(v, a, b), equals_either(v, c, d)), length);
}

// Bytes that a JSON string must escape: quote, backslash, below 0x20.
static inline uint32_t find_json_specials(const uint8_t *from, size_t length) {
    const __m256i v = _mm256_loadu_si256((const __m256i *)from);
    const __m256i control = _mm256_cmpeq_epi8(_mm256_max_epu8(v, _mm256_set1_epi8(0x1F)), _mm256_set1_epi8(0x1F));
    return mask_within(_mm256_or_si256(control, equals_either(v, '"', '\\')), length);
}

// Of 32 bytes, those that are no decimal digit.
static inline uint32_t find_not_digits(const uint8_t *from) {
    const __m256i v = _mm256_loadu_si256((const __m256i *)from);
    // Moved so that the digits are the ten least of signed bytes.
    const __m256i moved = _mm256_sub_epi8(v, _mm256_set1_epi8((char)('0' + 128)));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(moved, _mm256_set1_epi8(9 - 128)));
}

// Whether the first `length` bytes, 32 at most, are decimal digits.
static inline bool all_digits(const uint8_t *from, size_t length) {
    return mask_first(find_not_digits(from) | UINT64_C(1) << 32) >= length;
}

#endif
