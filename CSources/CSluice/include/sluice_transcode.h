// Text in other encodings, from and to UTF-8. Everything else of the core reads and writes UTF-8 alone.

#ifndef SLUICE_TRANSCODE_H
#define SLUICE_TRANSCODE_H

#include "sluice_status.h"

typedef enum sluice_encoding {
    SLUICE_UTF16LE = 0,
    SLUICE_UTF16BE = 1,
    SLUICE_LATIN1 = 2  // ISO 8859-1: each byte is the character of that number
} sluice_encoding;

#define SLUICE_ENCODINGS 3

// Bytes that a character has at most, in any encoding: with so much room a call gets on.
#define SLUICE_CHARACTER_MAX 4

// Transcodes from in[*in_used ..< in_length] to out[*out_used ..< out_capacity] (and rubbish up to SLUICE_PADDING behind), by
// whole characters, and moves both cursors on. `final`: the input ends at in_length. No state is kept: the next call's input
// has to start with what this one left, and calls may cut the input anywhere. A byte order mark is a character like others.
//   OK            `final`, and all input is used up
//   NEED_INPUT    all input is used up but for 0 to 3 bytes, in which a character begins
//   OUTPUT_FULL   the next character does not fit
//   INVALID_UTF16, INVALID_UTF8, UNENCODABLE: what came before is in `out`; *in_used is at the first byte of an unpaired
//                 surrogate, or of one that the final end cuts; of an ill-formed sequence; of a character that the encoding
//                 lacks
typedef sluice_status sluice_transcode_function(
    const uint8_t *in, size_t in_length, size_t *in_used, bool final, uint8_t *out, size_t out_capacity, size_t *out_used);

// Bytes that text[0 ..< length] has in `encoding`. It is well-formed UTF-8, in which surrogates may stand as three bytes; of a
// sequence that the end cuts, the first byte counts for all. Complexity: O(length), many bytes a cycle.
size_t sluice_encoded_length(sluice_encoding encoding, const uint8_t *text, size_t length);

#endif
