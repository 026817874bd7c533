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

static inline uint64_t block_equal_bracket(block b, uint8_t byte) {
    return _mm512_cmpeq_epi8_mask(_mm512_or_si512(b, _mm512_set1_epi8(0x20)), _mm512_set1_epi8((char)byte));
}

static inline uint64_t block_at_most(block b, uint8_t limit) {
    return _mm512_cmple_epu8_mask(b, _mm512_set1_epi8((char)limit));
}

static inline block block_or(block a, block b) { return _mm512_or_si512(a, b); }
static inline uint64_t block_non_ascii(block b) { return _mm512_movepi8_mask(b); }
static inline bool block_is_ascii(block b) { return block_non_ascii(b) == 0; }

// The numbers 0 ... 63 that `mask` has a bit for.
static inline __m512i mask_places(uint64_t mask) {
    static const uint8_t numbers[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
    };
    return _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(numbers));
}

// Sixteen at a time.
static inline __attribute__((always_inline)) uint32_t mask_write_places(
    uint32_t *out, uint32_t base, uint64_t mask) {
    const uint32_t count = mask_count(mask);
    const __m512i bases = _mm512_set1_epi32((int)base);
    __m512i places = mask_places(mask);
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

static inline uint64_t block_json_operators(block b) {
    return _mm512_cmpeq_epi8_mask(_mm512_or_si512(b, _mm512_set1_epi8(0x20)), vector_lookup(json_operators, b));
}

static inline uint64_t block_json_white(block b) { return _mm512_cmpeq_epi8_mask(b, vector_lookup(json_white, b)); }

static inline block block_json_escapes(block b) {
    return _mm512_and_si512(
        vector_lookup(json_escapes_by_low, b), vector_lookup(json_escapes_by_high, vector_high_halves(b)));
}

static inline uint64_t block_any(block b, uint8_t bits) {
    return _mm512_test_epi8_mask(b, _mm512_set1_epi8((char)bits));
}

// ---- Transcoding: bytes that are not needed are squeezed out. See transcode.inc.

#define SLUICE_ISA_COMPRESSES

// Writes `bytes` but for those out of `mask` (and rubbish, 64 bytes in all) and returns how many. Not to memory at once, which
// some processors do slowly.
static inline uint32_t compress_bytes(__m512i bytes, uint64_t mask, uint8_t *to) {
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(mask, bytes));
    return mask_count(mask);
}

// `a` where `mask` has no bit, or else `b`, in lanes of 32 and 16 bits.
static inline __m512i choose_32(__mmask16 mask, __m512i a, __m512i b) { return _mm512_mask_blend_epi32(mask, a, b); }
static inline __m512i choose_16(__mmask32 mask, __m512i a, __m512i b) { return _mm512_mask_blend_epi16(mask, a, b); }

// Writes 16 units, none of them a surrogate, as UTF-8. A lane has the first, second and third byte of three, the last first in
// forms that are shorter.
static inline uint32_t compress_units_to_utf8(const uint8_t *units, uint8_t *to) {
    const __m512i all = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)units));
    const __mmask16 two = _mm512_cmpge_epu32_mask(all, _mm512_set1_epi32(0x80));
    const __mmask16 three = _mm512_cmpge_epu32_mask(all, _mm512_set1_epi32(0x800));
    const __m512i tail = _mm512_set1_epi32(0x3F), tail_bit = _mm512_set1_epi32(0x80);
    const __m512i third = choose_32(two, all, _mm512_or_si512(_mm512_and_si512(all, tail), tail_bit));
    const __m512i upper = _mm512_srli_epi32(all, 6);
    const __m512i second = choose_32(
        three, _mm512_or_si512(upper, _mm512_set1_epi32(0xC0)), _mm512_or_si512(_mm512_and_si512(upper, tail), tail_bit));
    const __m512i first = _mm512_or_si512(_mm512_srli_epi32(all, 12), _mm512_set1_epi32(0xE0));
    const __m512i lanes =
        _mm512_or_si512(first, _mm512_or_si512(_mm512_slli_epi32(second, 8), _mm512_slli_epi32(third, 16)));
    const uint64_t mask = _pdep_u64(three, 0x1111111111111111) | _pdep_u64(two, 0x2222222222222222) | 0x4444444444444444;
    return compress_bytes(lanes, mask, to);
}

// Writes 32 bytes of ISO 8859-1 as UTF-8.
static inline uint32_t compress_latin1_to_utf8(const uint8_t *from, uint8_t *to) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)from);
    const __m512i all = _mm512_cvtepu8_epi16(bytes);
    const uint32_t two = (uint32_t)_mm256_movepi8_mask(bytes);
    const __m512i second = choose_16(
        two, all, _mm512_or_si512(_mm512_and_si512(all, _mm512_set1_epi16(0x3F)), _mm512_set1_epi16(0x80)));
    const __m512i first = _mm512_or_si512(_mm512_srli_epi16(all, 6), _mm512_set1_epi16(0xC0));
    const __m512i lanes = _mm512_or_si512(first, _mm512_slli_epi16(second, 8));
    return compress_bytes(lanes, _pdep_u64(two, 0x5555555555555555) | 0xAAAAAAAAAAAAAAAA, to);
}

// The characters that end in the first `length` bytes of a block which begins with one and has none over U+FFFF: payloads of
// their last bytes, of those before and of those two before (zero where there are none), each squeezed together.
typedef struct payloads {
    __m512i last;
    __m512i middle;
    __m512i first;
    uint32_t count;
} payloads;

static inline payloads compress_payloads(const uint8_t *from, size_t length) {
    const __m512i bytes = _mm512_loadu_si512(from);
    const __m512i none = _mm512_setzero_si512();
    const uint64_t other = _mm512_movepi8_mask(bytes);
    const uint64_t leads = ~other | _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8((char)0xC0));
    const uint64_t leads_of_three = _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8((char)0xE0));
    // The payload of each byte: 7, 6, 5 or 4 bits.
    __m512i payload = _mm512_mask_mov_epi8(bytes, other & ~leads, _mm512_and_si512(bytes, _mm512_set1_epi8(0x3F)));
    payload = _mm512_mask_mov_epi8(payload, other & leads, _mm512_and_si512(bytes, _mm512_set1_epi8(0x1F)));
    payload = _mm512_mask_mov_epi8(payload, leads_of_three, _mm512_and_si512(bytes, _mm512_set1_epi8(0x0F)));
    // A character ends before the next begins.
    const uint64_t ends = leads >> 1 & mask_low((uint32_t)length);
    const __m512i before = _mm512_maskz_mov_epi8(other & ~leads, vector_shift_in_1(payload, none));
    const __m512i two_before = _mm512_maskz_mov_epi8(leads_of_three << 2, vector_shift_in_2(payload, none));
    return (payloads){
        .last = _mm512_maskz_compress_epi8(ends, payload),
        .middle = _mm512_maskz_compress_epi8(ends, before),
        .first = _mm512_maskz_compress_epi8(ends, two_before),
        .count = mask_count(ends),
    };
}

// 32 characters of their payloads' bytes.
static inline __m512i join_payloads(__m256i first, __m256i middle, __m256i last) {
    return _mm512_or_si512(
        _mm512_slli_epi16(_mm512_cvtepu8_epi16(first), 12),
        _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(middle), 6), _mm512_cvtepu8_epi16(last)));
}

// Writes the characters of the first `length` bytes of a block, see `payloads`, as units (and rubbish, 64 in all).
static inline uint32_t compress_utf8_to_units(const uint8_t *from, size_t length, uint8_t *to) {
    const payloads p = compress_payloads(from, length);
    const __m512i low = join_payloads(
        _mm512_castsi512_si256(p.first), _mm512_castsi512_si256(p.middle), _mm512_castsi512_si256(p.last));
    const __m512i high = join_payloads(
        _mm512_extracti64x4_epi64(p.first, 1), _mm512_extracti64x4_epi64(p.middle, 1),
        _mm512_extracti64x4_epi64(p.last, 1));
    _mm512_storeu_si512(to, low);
    _mm512_storeu_si512(to + 64, high);
    return p.count;
}

// The same where no character is over U+00FF: of the byte before only two bits are needed.
static inline uint32_t compress_utf8_to_latin1(const uint8_t *from, size_t length, uint8_t *to) {
    const payloads p = compress_payloads(from, length);
    const __m512i upper = _mm512_and_si512(_mm512_slli_epi16(p.middle, 6), _mm512_set1_epi8((char)0xC0));
    _mm512_storeu_si512(to, _mm512_or_si512(upper, p.last));
    return p.count;
}

// ---- LZ4: see lz4_lines.inc.

// How many of 32 bytes are equal before one that is not.
static inline uint32_t count_equal(const uint8_t *a, const uint8_t *b) {
    const __m256i other = _mm256_loadu_si256((const __m256i *)b);
    return _tzcnt_u32(_mm256_cmpneq_epi8_mask(_mm256_loadu_si256((const __m256i *)a), other));
}

// mask_write_places of 16 bits.
static inline uint32_t compress_places(uint16_t *out, uint16_t base, uint64_t mask) {
    const uint32_t count = mask_count(mask);
    const __m256i bases = _mm256_set1_epi16((int16_t)base);
    __m512i places = mask_places(mask);
    uint32_t done = 0;
    do {
        const __m256i sixteen = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(places));
        _mm256_storeu_si256((__m256i *)(out + done), _mm256_add_epi16(bases, sixteen));
        places = _mm512_alignr_epi64(places, places, 2);
        done += 16;
    } while (done < count);
    return count;
}

// compress_bytes of 16 bits.
static inline uint32_t compress_numbers(__m512i numbers, __mmask32 mask, uint16_t *to) {
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi16(mask, numbers));
    return mask_count(mask);
}

#endif
