// The vector operations the generic kernels are written in, for AVX2 (with PCLMUL, BMI, BMI2, LZCNT, POPCNT).
//
// A block is 64 bytes; a mask has a bit for each of its bytes, the first byte's lowest. Another instruction set is another
// file with these names.

#ifndef SLUICE_ISA_AVX2_H
#define SLUICE_ISA_AVX2_H

#include "isa_x86.h"

#define SLUICE_ISA_NAME "avx2"

typedef struct block {
    __m256i low;
    __m256i high;
} block;

static inline block block_load(const uint8_t *bytes) {
    return (block){_mm256_loadu_si256((const __m256i *)bytes), _mm256_loadu_si256((const __m256i *)(bytes + 32))};
}

static inline uint64_t block_mask(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

// Bytes that equal `byte`.
static inline uint64_t block_equal(block b, uint8_t byte) {
    const __m256i all = _mm256_set1_epi8((char)byte);
    return block_mask(_mm256_cmpeq_epi8(b.low, all), _mm256_cmpeq_epi8(b.high, all));
}

// Bytes that equal `byte`, or are it but for bit 5, which `byte` has: of brackets, the square ones.
static inline uint64_t block_equal_bracket(block b, uint8_t byte) {
    const __m256i all = _mm256_set1_epi8((char)byte), bit = _mm256_set1_epi8(0x20);
    return block_mask(
        _mm256_cmpeq_epi8(_mm256_or_si256(b.low, bit), all), _mm256_cmpeq_epi8(_mm256_or_si256(b.high, bit), all));
}

// Bytes that are at most `limit`, unsigned.
static inline uint64_t block_at_most(block b, uint8_t limit) {
    const __m256i all = _mm256_set1_epi8((char)limit);
    return block_mask(
        _mm256_cmpeq_epi8(_mm256_max_epu8(b.low, all), all), _mm256_cmpeq_epi8(_mm256_max_epu8(b.high, all), all));
}

static inline block block_or(block a, block b) {
    return (block){_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)};
}

// Bytes over 0x7F.
static inline uint64_t block_non_ascii(block b) { return block_mask(b.low, b.high); }
static inline bool block_is_ascii(block b) { return _mm256_movemask_epi8(_mm256_or_si256(b.low, b.high)) == 0; }

// Writes base + i for each bit i of `mask` (and rubbish behind, 64 entries in all at most). Returns how many. Eight at a time:
// rubbish costs less than a branch for each.
static inline __attribute__((always_inline)) uint32_t mask_write_places(
    uint32_t *out, uint32_t base, uint64_t mask) {
    const uint32_t count = mask_count(mask);
    for (uint32_t done = 0; done < count; done += 8) {
        for (uint32_t i = 0; i < 8; i++, mask = mask_without_first(mask)) out[done + i] = base + mask_first(mask);
    }
    return count;
}

// ---- Vectors of bytes, for UTF-8 validation.

typedef __m256i vector;

#define BLOCK_VECTORS 2
static inline vector block_vector(block b, uint32_t i) { return i == 0 ? b.low : b.high; }

static inline vector vector_fill(uint8_t byte) { return _mm256_set1_epi8((char)byte); }
static inline vector vector_and(vector a, vector b) { return _mm256_and_si256(a, b); }
static inline vector vector_or(vector a, vector b) { return _mm256_or_si256(a, b); }
static inline vector vector_xor(vector a, vector b) { return _mm256_xor_si256(a, b); }
static inline vector vector_subtract_saturating(vector a, vector b) { return _mm256_subs_epu8(a, b); }
static inline bool vector_any(vector v) { return !_mm256_testz_si256(v, v); }

// The low and the high four bits of each byte, as numbers 0 ... 15.
static inline vector vector_low_halves(vector v) { return _mm256_and_si256(v, _mm256_set1_epi8(0x0F)); }
static inline vector vector_high_halves(vector v) { return vector_low_halves(_mm256_srli_epi16(v, 4)); }

// table[i] for each byte, i being its low four bits; 0 for a byte over 0x7F.
static inline vector vector_lookup(const uint8_t table[16], vector indices) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), indices);
}

// The vector that starts 1, 2 or 3 bytes earlier in the text; `before` is the vector before `v`.
static inline vector vector_shift_in_1(vector v, vector before) {
    return _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 15);
}
static inline vector vector_shift_in_2(vector v, vector before) {
    return _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 14);
}
static inline vector vector_shift_in_3(vector v, vector before) {
    return _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 13);
}

// ---- JSON: see the tables.

static inline uint64_t block_json_operators(block b) {
    const __m256i bit = _mm256_set1_epi8(0x20);
    return block_mask(
        _mm256_cmpeq_epi8(_mm256_or_si256(b.low, bit), vector_lookup(json_operators, b.low)),
        _mm256_cmpeq_epi8(_mm256_or_si256(b.high, bit), vector_lookup(json_operators, b.high)));
}

static inline uint64_t block_json_white(block b) {
    return block_mask(
        _mm256_cmpeq_epi8(b.low, vector_lookup(json_white, b.low)),
        _mm256_cmpeq_epi8(b.high, vector_lookup(json_white, b.high)));
}

static inline vector vector_json_escapes(vector bytes) {
    return vector_and(
        vector_lookup(json_escapes_by_low, bytes), vector_lookup(json_escapes_by_high, vector_high_halves(bytes)));
}

static inline block block_json_escapes(block b) {
    return (block){vector_json_escapes(b.low), vector_json_escapes(b.high)};
}

// Bytes of `b` that have one of `bits`.
static inline uint64_t block_any(block b, uint8_t bits) {
    const __m256i wanted = _mm256_set1_epi8((char)bits);
    const __m256i zero = _mm256_setzero_si256();
    return ~block_mask(
        _mm256_cmpeq_epi8(_mm256_and_si256(b.low, wanted), zero), _mm256_cmpeq_epi8(_mm256_and_si256(b.high, wanted), zero));
}

// ---- Transcoding: bytes that are not needed are squeezed out, two characters at a time. See transcode.inc.

#define SLUICE_ISA_SQUEEZES

// Writes 8 units, none of them a surrogate, as UTF-8 and returns the bytes. A lane has the first, second and third byte of
// three, of which shorter forms need the last; a shuffle for each pair of lengths takes what is needed of two lanes.
static inline uint32_t squeeze_units_to_utf8(const uint8_t *units, uint8_t *to) {
    // By which of two characters have two bytes or more (bits 0 and 1) and three (bits 2 and 3); others do not come.
    static const uint8_t shuffles[16][8] = {
        [0x0] = {2, 6},          [0x2] = {2, 5, 6},          [0xA] = {2, 4, 5, 6},
        [0x1] = {1, 2, 6},       [0x3] = {1, 2, 5, 6},       [0xB] = {1, 2, 4, 5, 6},
        [0x5] = {0, 1, 2, 6},    [0x7] = {0, 1, 2, 5, 6},    [0xF] = {0, 1, 2, 4, 5, 6},
    };
    static const uint8_t lengths[16] = {
        [0x0] = 2, [0x2] = 3, [0xA] = 4, [0x1] = 3, [0x3] = 4, [0xB] = 5, [0x5] = 4, [0x7] = 5, [0xF] = 6,
    };
    const __m256i all = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)units));
    const __m256i two = _mm256_cmpgt_epi32(all, _mm256_set1_epi32(0x7F));
    const __m256i three = _mm256_cmpgt_epi32(all, _mm256_set1_epi32(0x7FF));
    const __m256i tail = _mm256_set1_epi32(0x3F), tail_bit = _mm256_set1_epi32(0x80);
    const __m256i third = _mm256_blendv_epi8(all, _mm256_or_si256(_mm256_and_si256(all, tail), tail_bit), two);
    const __m256i upper = _mm256_srli_epi32(all, 6);
    const __m256i second = _mm256_blendv_epi8(
        _mm256_or_si256(upper, _mm256_set1_epi32(0xC0)), _mm256_or_si256(_mm256_and_si256(upper, tail), tail_bit), three);
    const __m256i first = _mm256_or_si256(_mm256_srli_epi32(all, 12), _mm256_set1_epi32(0xE0));
    const __m256i joined =
        _mm256_or_si256(first, _mm256_or_si256(_mm256_slli_epi32(second, 8), _mm256_slli_epi32(third, 16)));
    uint8_t lanes[sizeof joined];
    _mm256_storeu_si256((__m256i *)lanes, joined);
    uint32_t twos = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(two));
    uint32_t threes = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(three)) << 2;
    uint8_t *const start = to;
    for (uint32_t i = 0; i < 32; i += 8, twos >>= 2, threes >>= 2) {
        const uint32_t which = (twos & 3) | (threes & 12);
        const __m128i pair = _mm_loadl_epi64((const __m128i *)(lanes + i));
        const __m128i shuffle = _mm_loadl_epi64((const __m128i *)shuffles[which]);
        _mm_storel_epi64((__m128i *)to, _mm_shuffle_epi8(pair, shuffle));
        to += lengths[which];
    }
    return (uint32_t)(to - start);
}

// ---- LZ4: see lz4_lines.inc.

// How many of 32 bytes are equal before one that is not.
static inline uint32_t count_equal(const uint8_t *a, const uint8_t *b) {
    const __m256i other = _mm256_loadu_si256((const __m256i *)b);
    return _tzcnt_u32(~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)a), other)));
}

// Writes those of four numbers that have all ones in `flags` (and rubbish, 4 in all); returns how many.
static inline uint32_t squeeze_four_numbers(uint64_t numbers, uint64_t flags, uint16_t *to) {
    const uint64_t squeezed = _pext_u64(numbers, flags);
    memcpy(to, &squeezed, sizeof squeezed);
    return mask_count(flags) / 16;
}

#endif
