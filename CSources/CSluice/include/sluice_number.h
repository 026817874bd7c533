// Numbers: exact parsing and shortest printing.

#ifndef SLUICE_NUMBER_H
#define SLUICE_NUMBER_H

#include "sluice_status.h"

// Length of the JSON number (RFC 8259, section 6) that `text` starts with; 0 where it starts with none. Reads at most
// `length` bytes. "-0" is one of 2 bytes; "01" one of 1 byte; "1." one of 1 byte; "-" none.
size_t sluice_number_length(const uint8_t *text, size_t length);

// Whether all of `text` is one JSON number without fraction and exponent that Int64 holds; if so, `*value` is it.
// "-0" is 0, though that prints without the sign.
bool sluice_parse_int64(const uint8_t *text, size_t length, int64_t *value);

// Whether all of `text` is one JSON number; if so, `*value` is the double nearest to it, ties to even, infinite on
// overflow. Correct for every length. `text` need not be padded.
bool sluice_parse_double(const uint8_t *text, size_t length, double *value);

// Longest text the two printers write.
#define SLUICE_NUMBER_MAX 32

// Write decimal text to `out` (SLUICE_NUMBER_MAX bytes of room, no terminating zero) and return its length.
size_t sluice_print_int64(int64_t value, uint8_t *out);

// The shortest decimal that parses back to `value`, the nearest to it where several are as short. Written as Python's
// repr does: "1.0", "0.1", "1e+16" (from 1e16), "1e-05" (below 1e-4), "-0.0". `value` must be finite.
size_t sluice_print_double(double value, uint8_t *out);

#endif
