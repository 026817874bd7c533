// Digits as the bytes of a 64-bit word, the first one lowest.

#ifndef SLUICE_DIGITS_H
#define SLUICE_DIGITS_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a text is the lowest of its word");

#define EVERY_BYTE(byte) (0x0101010101010101 * (uint64_t)(byte))

// The highest bit of each byte that is no digit's value.
static inline uint64_t find_others(uint64_t digits) {
    return (((digits & EVERY_BYTE(0x7F)) + EVERY_BYTE(0x7F - 9)) | digits) & EVERY_BYTE(0x80);
}

// The number that the first `count` (0 ... 8) bytes of `digits` spell.
static inline uint64_t join_digits(uint64_t digits, unsigned count) {
    const unsigned half_shift = 4 * (8 - count);
    digits = digits << half_shift << half_shift;  // zeros in front
    digits = digits * 10 + (digits >> 8);         // pairs, in the even bytes
    const uint64_t first_and_third = digits & UINT64_C(0x000000FF000000FF);
    const uint64_t second_and_fourth = digits >> 16 & UINT64_C(0x000000FF000000FF);
    return (first_and_third * (100 + (UINT64_C(1000000) << 32)) +
            second_and_fourth * (1 + (UINT64_C(10000) << 32))) >> 32;
}

#endif
