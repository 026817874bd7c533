// What every call of the C core answers.
//
// All streaming entry points hold one conversation: cursors in, cursors out, and a status that says what the caller does
// next. The caller owns every buffer; nothing here allocates outside a function named *_create, does I/O, or keeps state
// of its own. Each function documents which statuses it answers.

#ifndef SLUICE_STATUS_H
#define SLUICE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes that must be readable behind the last byte of every input, and writable behind the capacity of every output, so
// that kernels may load and store whole vectors. Their contents are arbitrary and never change a result.
#define SLUICE_PADDING 64

typedef enum sluice_status {
    SLUICE_OK = 0,           // done with all that was asked
    SLUICE_NEED_INPUT = 1,   // all input is used up: call again with more
    SLUICE_OUTPUT_FULL = 2,  // the output is full: empty it, or offer more room, and call again
    SLUICE_INDEX_FULL = 3,   // an index array is full: offer larger arrays and call again
    SLUICE_END = 4,          // the stream has ended, and properly

    SLUICE_ERROR_RAGGED_RECORD = -1,     // a CSV record with more or fewer fields than columns
    SLUICE_ERROR_UNCLOSED_QUOTE = -2,    // the input ends inside a quoted CSV field
    SLUICE_ERROR_TEXT_AFTER_QUOTE = -3,  // a CSV field goes on after its closing quote
    SLUICE_ERROR_INVALID_UTF8 = -4,
    SLUICE_ERROR_INVALID_JSON = -5,
    SLUICE_ERROR_JSON_TOO_DEEP = -6,      // more than SLUICE_JSON_MAX_DEPTH containers inside one another
    SLUICE_ERROR_NUMBER_NOT_FINITE = -7,  // NaN or an infinity has no JSON
    SLUICE_ERROR_CORRUPT = -8,            // compressed data that is damaged: bad header, code, length or checksum
    SLUICE_ERROR_TRUNCATED = -9,          // compressed data that stops before its end
    SLUICE_ERROR_TRAILING_DATA = -10,     // bytes behind the end of the compressed data that are none of it
    SLUICE_ERROR_NO_MEMORY = -11,
    SLUICE_ERROR_UNKNOWN_KEY = -12,       // a record has a key that is no column of the CSV output
    SLUICE_ERROR_INVALID_UTF16 = -13,
    SLUICE_ERROR_UNENCODABLE = -14,       // a character that the output's encoding does not have
    SLUICE_ERROR_NEEDS_DICTIONARY = -15,  // compressed data that only its dictionary makes readable
    SLUICE_ERROR_LEGACY_FORMAT = -16,     // compressed data of an old format that has neither checksum nor end
    SLUICE_ERROR_NO_CONTENT = -17,        // a record has no field to write alone, or one that has no text
    SLUICE_ERROR_LINE_BREAK = -18,        // a line of text with a line end inside
    SLUICE_ERROR_NOT_BASE64 = -19,
    SLUICE_ERROR_NEEDS_QUOTES = -20       // a field cannot be written in a CSV dialect without quotes
} sluice_status;

#endif
