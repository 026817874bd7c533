// The vector operations the generic kernels are written in, for AVX2 (with PCLMUL, BMI, BMI2, LZCNT, POPCNT).
//
// A block is 64 bytes; a mask has a bit for each of its bytes, the first byte's lowest. Another instruction set is another
// file with these names.

#ifndef SLUICE_ISA_AVX2_H
#define SLUICE_ISA_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SLUICE_ISA_NAME "avx2"
#define SLUICE_ISA_VECTOR 32  // bytes of one vector

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

// Bytes that are at most `limit`, unsigned.
static inline uint64_t block_at_most(block b, uint8_t limit) {
    const __m256i all = _mm256_set1_epi8((char)limit);
    return block_mask(
        _mm256_cmpeq_epi8(_mm256_max_epu8(b.low, all), all), _mm256_cmpeq_epi8(_mm256_max_epu8(b.high, all), all));
}

// Bytes over 0x7F.
static inline uint64_t block_non_ascii(block b) { return block_mask(b.low, b.high); }

// Bit i of the result: the parity of the bits 0 ... i.
static inline uint64_t mask_prefix_xor(uint64_t mask) {
    const __m128i ones = _mm_set1_epi8((char)0xFF);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)mask), ones, 0));
}

static inline uint32_t mask_count(uint64_t mask) { return (uint32_t)_mm_popcnt_u64(mask); }
static inline uint32_t mask_first(uint64_t mask) { return (uint32_t)_tzcnt_u64(mask); }
static inline uint64_t mask_without_first(uint64_t mask) { return _blsr_u64(mask); }

// Mask of the lowest `count` bits, 0 ... 64.
static inline uint64_t mask_low(uint32_t count) { return _bzhi_u64(UINT64_MAX, count); }

// MARK: what blocks hold, gathered without a branch (CSV)

// The highest bit's number; `mask` is not 0.
static inline uint32_t mask_last(uint64_t mask) { return 63 - (uint32_t)_lzcnt_u64(mask); }

// Of all blocks gathered, lane by lane: the bits of any byte, the least byte but for line ends and delimiters, and whether
// there was a backslash.
typedef struct block_contents {
    __m256i bits;
    __m256i least;
    __m256i backslashes;
} block_contents;

static inline block_contents block_contents_none(void) {
    return (block_contents){_mm256_setzero_si256(), _mm256_set1_epi8((char)0xFF), _mm256_setzero_si256()};
}

static inline block_contents block_contents_add_vector(block_contents to, __m256i v, uint8_t delimiter) {
    const __m256i line_end = _mm256_or_si256(
        _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r')));
    const __m256i skipped = _mm256_or_si256(line_end, _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)delimiter)));
    return (block_contents){
        _mm256_or_si256(to.bits, v),
        _mm256_min_epu8(to.least, _mm256_or_si256(v, skipped)),
        _mm256_or_si256(to.backslashes, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))),
    };
}

static inline block_contents block_contents_add(block_contents to, block b, uint8_t delimiter) {
    return block_contents_add_vector(block_contents_add_vector(to, b.low, delimiter), b.high, delimiter);
}

static inline bool block_contents_non_ascii(block_contents of) { return _mm256_movemask_epi8(of.bits) != 0; }

// A backslash, or a control byte that is neither line end nor delimiter.
static inline bool block_contents_escape(block_contents of) {
    const __m256i highest_control = _mm256_set1_epi8(0x1F);
    const __m256i control = _mm256_cmpeq_epi8(_mm256_max_epu8(of.least, highest_control), highest_control);
    return _mm256_movemask_epi8(_mm256_or_si256(control, of.backslashes)) != 0;
}

// ---- Vectors of bytes, for UTF-8 validation.

typedef __m256i vector;

static inline bool block_is_ascii(block b) { return _mm256_movemask_epi8(_mm256_or_si256(b.low, b.high)) == 0; }

static inline vector vector_fill(uint8_t byte) { return _mm256_set1_epi8((char)byte); }
static inline vector vector_and(vector a, vector b) { return _mm256_and_si256(a, b); }
static inline vector vector_or(vector a, vector b) { return _mm256_or_si256(a, b); }
static inline vector vector_xor(vector a, vector b) { return _mm256_xor_si256(a, b); }
static inline vector vector_subtract_saturating(vector a, vector b) { return _mm256_subs_epu8(a, b); }
static inline bool vector_any(vector v) { return !_mm256_testz_si256(v, v); }

// The low and the high four bits of each byte, as numbers 0 ... 15.
static inline vector vector_low_halves(vector v) { return _mm256_and_si256(v, _mm256_set1_epi8(0x0F)); }
static inline vector vector_high_halves(vector v) { return vector_low_halves(_mm256_srli_epi16(v, 4)); }

// table[i] for each byte i, 0 ... 15.
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

// ---- Copying, for the encoders: 32 bytes a step, and masks of 32 bits; those from `length` on are never set.

static inline void copy_vector(uint8_t *to, const uint8_t *from) {
    _mm256_storeu_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
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

// ---- JSON ----

static inline __m256i vector_json_lookup(__m256i bytes, __m128i table) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), bytes);
}

// The bytes {}[]:, (and some control bytes, which are errors wherever they stand). Bit 5 set makes a bracket a brace; then
// each of the four has a low nibble of its own, by which the table names the one byte to compare with.
static inline uint64_t block_json_operators(block b) {
    const __m128i table = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0);
    const __m256i bit = _mm256_set1_epi8(0x20);
    return block_mask(
        _mm256_cmpeq_epi8(_mm256_or_si256(b.low, bit), vector_json_lookup(b.low, table)),
        _mm256_cmpeq_epi8(_mm256_or_si256(b.high, bit), vector_json_lookup(b.high, table)));
}

// Space, tab, LF and CR, found likewise. The table's other entries are 0, whose low nibble is not theirs.
static inline uint64_t block_json_white(block b) {
    const __m128i table = _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
    return block_mask(
        _mm256_cmpeq_epi8(b.low, vector_json_lookup(b.low, table)), _mm256_cmpeq_epi8(b.high, vector_json_lookup(b.high, table)));
}

// What a byte may be behind a backslash: classes of block_json_escapes.
#define JSON_ESCAPE_LETTERS 0x0Fu  // one of "\/bfnrt
#define JSON_ESCAPE_HEX 0xF0u      // a hex digit
#define JSON_ESCAPE_89AB 0x60u     // the second digit of a high surrogate
#define JSON_ESCAPE_CDEF 0x80u     // the second digit of a low surrogate

static inline __m256i vector_json_escapes(__m256i bytes) {
    const __m128i by_low = _mm_setr_epi8(
        0x10, 0x50, 0x5D, (char)0x90, (char)0x98, (char)0x90, (char)0x94, 0x10, 0x20, 0x20, 0, 0, 0x02, 0, 0x04, 0x01);
    const __m128i by_high = _mm_setr_epi8(0, 0, 0x01, 0x30, (char)0xC0, 0x02, (char)0xC4, 0x08, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(vector_json_lookup(bytes, by_low), vector_json_lookup(high, by_high));
}

// Each byte's classes: a class is a set of low nibbles times a set of high ones, and has a bit in both tables.
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

#endif
