// The vector operations the generic kernels are written in, for AVX-512 (F, BW, VL, VBMI2, with what isa_avx2.h needs): a block
// is one vector, and comparing gives its mask at once. See isa_avx2.h for what each operation means.

#ifndef SLUICE_ISA_AVX512_H
#define SLUICE_ISA_AVX512_H

#include "isa_x86.h"

#define SLUICE_ISA_NAME "avx512"

typedef __m512i block;

static inline block block_load(const uint8_t *bytes) { return _mm512_loadu_si512(bytes); }

static inline uint64_t block_equal(block b, uint8_t byte) {
    return _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8((char)byte));
}

static inline uint64_t block_at_most(block b, uint8_t limit) {
    return _mm512_cmple_epu8_mask(b, _mm512_set1_epi8((char)limit));
}

static inline block block_or(block a, block b) { return _mm512_or_si512(a, b); }
static inline uint64_t block_non_ascii(block b) { return _mm512_movepi8_mask(b); }
static inline bool block_is_ascii(block b) { return block_non_ascii(b) == 0; }

// Compresses the numbers 0 ... 63 by the mask; sixteen at a time.
static inline __attribute__((always_inline)) uint32_t mask_write_places(
    uint32_t *out, uint32_t base, uint64_t mask) {
    static const uint8_t numbers[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
    };
    const uint32_t count = mask_count(mask);
    const __m512i bases = _mm512_set1_epi32((int)base);
    __m512i places = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(numbers));
    uint32_t done = 0;
    do {  // once at least: whether there is a place at all is hard to foresee
        const __m512i sixteen = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places));
        _mm512_storeu_si512(out + done, _mm512_add_epi32(bases, sixteen));
        places = _mm512_alignr_epi64(places, places, 2);
        done += 16;
    } while (done < count);
    return count;
}

// ---- Vectors of bytes, for UTF-8 validation.

typedef __m512i vector;

#define BLOCK_VECTORS 1
static inline vector block_vector(block b, uint32_t i) { return (void)i, b; }

static inline vector vector_fill(uint8_t byte) { return _mm512_set1_epi8((char)byte); }
static inline vector vector_and(vector a, vector b) { return _mm512_and_si512(a, b); }
static inline vector vector_or(vector a, vector b) { return _mm512_or_si512(a, b); }
static inline vector vector_xor(vector a, vector b) { return _mm512_xor_si512(a, b); }
static inline vector vector_subtract_saturating(vector a, vector b) { return _mm512_subs_epu8(a, b); }
static inline bool vector_any(vector v) { return _mm512_test_epi8_mask(v, v) != 0; }

static inline vector vector_low_halves(vector v) { return _mm512_and_si512(v, _mm512_set1_epi8(0x0F)); }
static inline vector vector_high_halves(vector v) { return vector_low_halves(_mm512_srli_epi16(v, 4)); }

static inline vector vector_lookup(const uint8_t table[16], vector indices) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)table);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(entries), indices);
}

// The 16 bytes before each lane of `v`.
static inline vector vector_lanes_before(vector v, vector before) { return _mm512_alignr_epi64(v, before, 6); }
static inline vector vector_shift_in_1(vector v, vector before) {
    return _mm512_alignr_epi8(v, vector_lanes_before(v, before), 15);
}
static inline vector vector_shift_in_2(vector v, vector before) {
    return _mm512_alignr_epi8(v, vector_lanes_before(v, before), 14);
}
static inline vector vector_shift_in_3(vector v, vector before) {
    return _mm512_alignr_epi8(v, vector_lanes_before(v, before), 13);
}

// ---- JSON: see the tables.

static inline block block_json_lookup(block b, __m128i table) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), b);
}

static inline uint64_t block_json_operators(block b) {
    return _mm512_cmpeq_epi8_mask(_mm512_or_si512(b, _mm512_set1_epi8(0x20)), block_json_lookup(b, json_operators()));
}

static inline uint64_t block_json_white(block b) {
    return _mm512_cmpeq_epi8_mask(b, block_json_lookup(b, json_white()));
}

static inline block block_json_escapes(block b) {
    return _mm512_and_si512(
        block_json_lookup(b, json_escapes_by_low()), block_json_lookup(vector_high_halves(b), json_escapes_by_high()));
}

static inline uint64_t block_any(block b, uint8_t bits) {
    return _mm512_test_epi8_mask(b, _mm512_set1_epi8((char)bits));
}

#endif
