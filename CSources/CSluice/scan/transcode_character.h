// One character of each encoding: read, measured, written.

#ifndef SLUICE_TRANSCODE_CHARACTER_H
#define SLUICE_TRANSCODE_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t utf16_load(const uint8_t *from, bool big) {
    return big ? (uint32_t)from[0] << 8 | from[1] : (uint32_t)from[1] << 8 | from[0];
}

static inline void utf16_store(uint32_t unit, uint8_t *to, bool big) {
    to[big ? 0 : 1] = (uint8_t)(unit >> 8);
    to[big ? 1 : 0] = (uint8_t)unit;
}

static inline bool utf16_is_surrogate(uint32_t unit) { return (unit & 0xF800) == 0xD800; }
static inline bool utf16_is_low(uint32_t unit) { return (unit & 0xFC00) == 0xDC00; }

// The character of a high and a low surrogate.
static inline uint32_t utf16_pair(uint32_t high, uint32_t low) {
    return 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF));
}

// Each put_ function writes a character (and may write rubbish up to four bytes from `to`) and returns its bytes.

static inline size_t put_utf16(uint32_t character, uint8_t *to, bool big) {
    if (character < 0x10000) {
        utf16_store(character, to, big);
        return 2;
    }
    utf16_store(0xD800 | (character - 0x10000) >> 10, to, big);
    utf16_store(0xDC00 | (character & 0x3FF), to + 2, big);
    return 4;
}

// A character below 0x10000. All four bytes are written at once and no branch is taken: lengths come at no rhythm that a
// processor could learn.
static inline size_t put_utf8_short(uint32_t character, uint8_t *to) {
    const uint32_t last = character & 0x3F;
    const uint32_t two = 0x80C0 | character >> 6 | last << 8;
    const uint32_t three = 0x8080E0 | character >> 12 | (character >> 6 & 0x3F) << 8 | last << 16;
    const uint32_t bytes = character < 0x80 ? character : character < 0x800 ? two : three;
    to[0] = (uint8_t)bytes;
    to[1] = (uint8_t)(bytes >> 8);
    to[2] = (uint8_t)(bytes >> 16);
    to[3] = 0;
    return 1 + (character >= 0x80) + (character >= 0x800);
}

static inline size_t put_utf8(uint32_t character, uint8_t *to) {
    if (character < 0x10000) return put_utf8_short(character, to);
    to[0] = (uint8_t)(0xF0 | character >> 18);
    to[1] = (uint8_t)(0x80 | (character >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (character & 0x3F));
    return 4;
}

// The character of a well-formed sequence of `length` bytes.
static inline uint32_t utf8_character(const uint8_t *from, size_t length) {
    switch (length) {
        case 1: return from[0];
        case 2: return (from[0] & 0x1Fu) << 6 | (from[1] & 0x3Fu);
        case 3: return (from[0] & 0x0Fu) << 12 | (from[1] & 0x3Fu) << 6 | (from[2] & 0x3Fu);
        default:
            return (from[0] & 0x07u) << 18 | (from[1] & 0x3Fu) << 12 | (from[2] & 0x3Fu) << 6 | (from[3] & 0x3Fu);
    }
}

#endif
