// Encodings from and to UTF-8, one character at a time: the definition that the vector kernels are held to.

#include "scan/internal.h"
#include "scan/transcode_character.h"
#include "scan/utf8_sequence.h"

#include <string.h>

// What `left` bytes (1 at least) begin with: a character and how many bytes it has; or none of them, and why.
typedef struct decoded {
    uint32_t character;
    uint32_t length;
    sluice_status status;
} decoded;

typedef decoded decode_function(const uint8_t *from, size_t left, bool final);

// As the put_ functions; 0 where the encoding has no such character.
typedef size_t encode_function(uint32_t character, uint8_t *to);

// Bytes that may become a character, unless the input ends with them.
static decoded cut_off(bool final, sluice_status error) {
    return (decoded){.status = final ? error : SLUICE_NEED_INPUT};
}

static inline decoded decode_utf16(const uint8_t *from, size_t left, bool final, bool big) {
    if (left < 2) return cut_off(final, SLUICE_ERROR_INVALID_UTF16);
    const uint32_t unit = utf16_load(from, big);
    if (!utf16_is_surrogate(unit)) return (decoded){unit, 2, SLUICE_OK};
    if (utf16_is_low(unit)) return (decoded){.status = SLUICE_ERROR_INVALID_UTF16};
    if (left < 4) return cut_off(final, SLUICE_ERROR_INVALID_UTF16);
    const uint32_t low = utf16_load(from + 2, big);
    if (!utf16_is_low(low)) return (decoded){.status = SLUICE_ERROR_INVALID_UTF16};
    return (decoded){utf16_pair(unit, low), 4, SLUICE_OK};
}

static decoded decode_utf16le(const uint8_t *from, size_t left, bool final) {
    return decode_utf16(from, left, final, false);
}
static decoded decode_utf16be(const uint8_t *from, size_t left, bool final) {
    return decode_utf16(from, left, final, true);
}

static decoded decode_latin1(const uint8_t *from, size_t left, bool final) {
    (void)left, (void)final;
    return (decoded){from[0], 1, SLUICE_OK};
}

static decoded decode_utf8(const uint8_t *from, size_t left, bool final) {
    const size_t length = utf8_sequence_length(from, left);
    if (length == 0) return cut_off(final || utf8_announced_length(from[0]) <= left, SLUICE_ERROR_INVALID_UTF8);
    return (decoded){utf8_character(from, length), (uint32_t)length, SLUICE_OK};
}

static size_t encode_utf16le(uint32_t character, uint8_t *to) { return put_utf16(character, to, false); }
static size_t encode_utf16be(uint32_t character, uint8_t *to) { return put_utf16(character, to, true); }

static size_t encode_latin1(uint32_t character, uint8_t *to) {
    to[0] = (uint8_t)character;
    return character <= 0xFF;
}

// The conversation of sluice_transcode_function. Always inlined, so that each pair of encodings has a loop of its own.
static inline __attribute__((always_inline)) sluice_status transcode(
    decode_function *decode, encode_function *encode, const uint8_t *in, size_t in_length, size_t *in_used, bool final,
    uint8_t *out, size_t out_capacity, size_t *out_used) {
    while (*in_used < in_length) {
        const decoded next = decode(in + *in_used, in_length - *in_used, final);
        if (next.length == 0) return next.status;
        const size_t length = encode(next.character, out + *out_used);
        if (length == 0) return SLUICE_ERROR_UNENCODABLE;
        if (length > out_capacity - *out_used) return SLUICE_OUTPUT_FULL;
        *in_used += next.length;
        *out_used += length;
    }
    return final ? SLUICE_OK : SLUICE_NEED_INPUT;
}

#define DEFINE_TRANSCODER(name, decode, encode)                                                                    \
    sluice_status name(                                                                                            \
        const uint8_t *in, size_t in_length, size_t *in_used, bool final, uint8_t *out, size_t out_capacity,       \
        size_t *out_used) {                                                                                        \
        return transcode(decode, encode, in, in_length, in_used, final, out, out_capacity, out_used);              \
    }

DEFINE_TRANSCODER(sluice_scalar_utf16le_to_utf8, decode_utf16le, put_utf8)
DEFINE_TRANSCODER(sluice_scalar_utf16be_to_utf8, decode_utf16be, put_utf8)
DEFINE_TRANSCODER(sluice_scalar_latin1_to_utf8, decode_latin1, put_utf8)
DEFINE_TRANSCODER(sluice_scalar_utf8_to_utf16le, decode_utf8, encode_utf16le)
DEFINE_TRANSCODER(sluice_scalar_utf8_to_utf16be, decode_utf8, encode_utf16be)
DEFINE_TRANSCODER(sluice_scalar_utf8_to_latin1, decode_utf8, encode_latin1)

// ---- Lengths

// A vector that compilers lower to what there is; true in each lane is -1.
typedef uint8_t bytes_16 __attribute__((vector_size(16)));

static size_t sum(bytes_16 lanes) {
    size_t total = 0;
    for (uint32_t i = 0; i < sizeof lanes; i++) total += lanes[i];
    return total;
}

// Characters, and those over U+FFFF once more if `pairs`. Lanes count up to 255 before they are added up.
static size_t count_units(const uint8_t *text, size_t length, bool pairs) {
    size_t units = 0;
    size_t i = 0;
    while (length - i >= sizeof(bytes_16)) {
        bytes_16 counts = {0};
        for (uint32_t step = 0; step < 127 && length - i >= sizeof(bytes_16); step++, i += sizeof(bytes_16)) {
            bytes_16 bytes;
            memcpy(&bytes, text + i, sizeof bytes);
            counts -= (bytes_16)((bytes & 0xC0) != 0x80);
            if (pairs) counts -= (bytes_16)(bytes >= 0xF0);
        }
        units += sum(counts);
    }
    for (; i < length; i++) units += (size_t)!utf8_is_tail(text[i]) + (pairs && text[i] >= 0xF0);
    return units;
}

size_t sluice_encoded_length(sluice_encoding encoding, const uint8_t *text, size_t length) {
    return encoding == SLUICE_LATIN1 ? count_units(text, length, false) : 2 * count_units(text, length, true);
}
