// Text: each line is a record.
//
// A line ends at LF, or at the end of the input if it has any byte: a last LF ends the last line and begins none. A line of
// no bytes is a record. The LF, and one CR before it, do not belong to the line; any other CR does.

#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include "sluice_status.h"

// Where a scan stands.
typedef struct sluice_text_scanner {
    uint32_t position;    // bytes before it are scanned
    uint32_t record_end;  // one past the LF of the last finished line: where the unfinished line starts
    uint32_t records;     // finished lines
} sluice_text_scanner;

// Counts lines: goes on from scanner->position to `length`, or to just behind the LF of line number `max_records`. `final`
// ends the last line.
//   OK           max_records are reached, or `final` and all bytes are scanned
//   NEED_INPUT   all bytes are scanned, the last line may go on
typedef sluice_status sluice_text_cut_function(
    sluice_text_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records);

// Writes where each line of bytes [start, end) is: its bytes are [starts[i], ends[i]). `end` ends the last line. The arrays
// have room for all lines and 64 entries more. Returns how many lines there are.
typedef uint32_t sluice_text_index_function(
    const uint8_t *bytes, uint32_t start, uint32_t end, uint32_t *starts, uint32_t *ends);

#endif
