// One UTF-8 sequence: what is well-formed.

#ifndef SLUICE_UTF8_SEQUENCE_H
#define SLUICE_UTF8_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_is_tail(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Where a second byte may lie depends on the first, and that alone rules out overlong forms (E0, F0), surrogates (ED) and
// what lies over U+10FFFF (F4). The Unicode Standard, table 3-7.
static inline bool utf8_is_second(uint8_t first, uint8_t byte) {
    const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return low <= byte && byte <= high;
}

// Bytes of a sequence that starts with `first`; 0 where none does.
static inline size_t utf8_announced_length(uint8_t first) {
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first <= 0xF4 ? 4 : 0;
}

// Length of the well-formed sequence at bytes[0], or 0. `left` is at least 1.
static inline size_t utf8_sequence_length(const uint8_t *bytes, size_t left) {
    const size_t length = utf8_announced_length(bytes[0]);
    if (length > left) return 0;
    if (length > 1 && !utf8_is_second(bytes[0], bytes[1])) return 0;
    if (length > 2 && !utf8_is_tail(bytes[2])) return 0;
    if (length > 3 && !utf8_is_tail(bytes[3])) return 0;
    return length;
}

#endif
