// What the codecs share: cursors over bytes, parts of fixed size that come in pieces, little-endian numbers.

#ifndef SLUICE_CODEC_H
#define SLUICE_CODEC_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bytes that are left of an input, and room that is left in an output. A step moves `next` on.
typedef struct reader {
    const uint8_t *next;
    const uint8_t *end;
} reader;

typedef struct writer {
    uint8_t *next;
    uint8_t *end;
} writer;

static inline size_t reader_left(const reader *in) { return (size_t)(in->end - in->next); }
static inline size_t writer_left(const writer *out) { return (size_t)(out->end - out->next); }

// The next `count` bytes in one piece, or NULL while they are not all there: then those that are there are in `held`.
static inline const uint8_t *take(reader *in, uint8_t *held, uint32_t *held_count, uint32_t count) {
    const size_t left = reader_left(in);
    if (*held_count == 0 && left >= count) {
        in->next += count;
        return in->next - count;
    }
    const uint32_t missing = count - *held_count;
    const uint32_t more = left < missing ? (uint32_t)left : missing;
    if (more > 0) memcpy(held + *held_count, in->next, more);
    in->next += more;
    *held_count += more;
    if (*held_count < count) return NULL;
    *held_count = 0;
    return held;
}

static inline uint32_t load_16(const uint8_t *bytes) { return bytes[0] | (uint32_t)bytes[1] << 8; }
static inline uint32_t load_32(const uint8_t *bytes) { return load_16(bytes) | load_16(bytes + 2) << 16; }

static inline void store_16(uint8_t *out, uint32_t value) {
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline void store_32(uint8_t *out, uint32_t value) {
    store_16(out, value);
    store_16(out + 2, value >> 16);
}

#endif
