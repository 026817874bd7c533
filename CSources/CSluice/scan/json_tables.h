// What JSON's bytes are, as tables for a lookup by a byte's low four bits (a byte over 0x7F gets 0): see block_json_* of the
// instruction sets.

#ifndef SLUICE_JSON_TABLES_H
#define SLUICE_JSON_TABLES_H

#include <stdint.h>

// The one byte to compare a byte with, whose bit 5 was set, to know {}[]:, (and some control bytes, which are errors wherever
// they stand). That bit makes a bracket a brace; then each of the four has low bits of its own.
static const uint8_t json_operators[16] = {[0xA] = ':', [0xB] = '{', [0xC] = ',', [0xD] = '}'};

// Likewise, to know space, tab, LF and CR. The other entries are 0, whose low bits are not theirs.
static const uint8_t json_white[16] = {[0x0] = ' ', [0x9] = '\t', [0xA] = '\n', [0xD] = '\r'};

// What a byte may be behind a backslash: classes of block_json_escapes.
#define JSON_ESCAPE_LETTERS 0x0Fu  // one of "\/bfnrt
#define JSON_ESCAPE_HEX 0xF0u      // a hex digit
#define JSON_ESCAPE_89AB 0x60u     // the second digit of a high surrogate
#define JSON_ESCAPE_CDEF 0x80u     // the second digit of a low surrogate

// A class is a set of low halves times a set of high ones, and has a bit in both tables.
static const uint8_t json_escapes_by_low[16] = {
    0x10, 0x50, 0x5D, 0x90, 0x98, 0x90, 0x94, 0x10, 0x20, 0x20, 0, 0, 0x02, 0, 0x04, 0x01,
};
static const uint8_t json_escapes_by_high[16] = {
    0, 0, 0x01, 0x30, 0xC0, 0x02, 0xC4, 0x08, 0, 0, 0, 0, 0, 0, 0, 0,
};

#endif
