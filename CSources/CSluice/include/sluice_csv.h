// CSV: where records end (cut) and where fields end (index).
//
// The scalar machine in csv.c is the definition. Every other kernel agrees with it on every input, split at every point.
//
// The grammar: fields are divided by `delimiter`; a record ends at LF or CRLF (with `carriage_return`: at CR). A field
// whose first byte is `quote` is quoted: it runs to the next quote that is not doubled (or, with `escape`, to the next
// quote without the escape byte before it), and delimiters and line ends inside are data. Behind the closing quote only
// a delimiter, a line end or the end of the input may follow, unless `lenient`. Quotes elsewhere are data. A CR that no LF
// follows is data (behind a closing quote: text after the quote). A record of zero bytes is skipped, and counted as
// skipped; so is a line whose first byte, at a record's start, is `comment`: it runs to its line end, whatever it holds. The
// end of the input ends the last record, if it has any byte.

#ifndef SLUICE_CSV_H
#define SLUICE_CSV_H

#include "sluice_status.h"

typedef enum sluice_csv_ragged {
    SLUICE_CSV_RAGGED_ERROR = 0,    // a record with more or fewer fields than columns is an error
    SLUICE_CSV_RAGGED_PAD = 1,      // missing fields are absent; surplus ones are an error
    SLUICE_CSV_RAGGED_TRUNCATE = 2  // missing fields are absent; surplus ones are dropped
} sluice_csv_ragged;

typedef struct sluice_csv_dialect {
    uint8_t delimiter;        // ',' by default
    uint8_t quote;            // '"' by default; 0: there are no quotes
    uint8_t escape;           // 0: a quote inside quotes is doubled; else the byte that escapes it
    uint8_t lenient;          // 1: text after a closing quote is data
    uint8_t carriage_return;  // 1: records end at CR instead of LF and CRLF
    uint8_t ragged;           // sluice_csv_ragged
    uint8_t comment;          // 0: there are no comments; else the byte that lines of comment start with
} sluice_csv_dialect;

// The machine's states. Each names what the byte before `position` left behind.
typedef enum sluice_csv_state {
    SLUICE_CSV_RECORD_START = 0,    // nothing of this record yet
    SLUICE_CSV_FIELD_START = 1,     // a delimiter
    SLUICE_CSV_UNQUOTED = 2,        // inside an unquoted field
    SLUICE_CSV_QUOTED = 3,          // inside quotes
    SLUICE_CSV_QUOTED_ESCAPE = 4,   // inside quotes, after the escape byte
    SLUICE_CSV_QUOTE = 5,           // a quote inside quotes: the closing one, or half of a doubled one
    SLUICE_CSV_AFTER_QUOTE = 6,     // `lenient`: inside text behind a closing quote
    SLUICE_CSV_UNQUOTED_CR = 7,     // a CR in an unquoted field (or at a record or field start), LF may follow
    SLUICE_CSV_QUOTE_CR = 8,        // a CR behind a closing quote, LF may follow
    SLUICE_CSV_COMMENT = 9          // inside a comment
} sluice_csv_state;

// Where a scan stands. Plain data: copy it to remember a place. All offsets count from the `bytes` of the calls.
// Set `dialect` (and `columns` for index), zero the rest.
typedef struct sluice_csv_scanner {
    sluice_csv_dialect dialect;
    uint32_t columns;       // fields that each record has; cut does not look at it
    uint32_t position;      // bytes before it are scanned
    uint32_t record_start;  // first byte of the unfinished record (where it will start, if it has no byte yet)
    uint32_t record_end;    // one past the line end of the last finished or skipped record
    uint32_t records;       // finished records
    uint32_t skipped;       // zero-byte records and comments passed over
    uint32_t fields;        // finished fields of the unfinished record (index only)
    uint32_t quote_start;   // where the quoted field now open began
    uint8_t state;          // sluice_csv_state
    uint32_t error_offset;  // where the error is: the record's first byte for a ragged one, the byte for others
    uint32_t error_fields;  // how many fields the ragged record has
} sluice_csv_scanner;

// What the bytes of an index hold, or'd together over calls; may say yes where the truth is no, never the reverse.
#define SLUICE_HAS_QUOTE 1u      // the quote byte
#define SLUICE_HAS_ESCAPE 2u     // what JSON must escape, but for quotes: a backslash, a control byte that ends no record,
                                 // and where the quote byte is another one, '"'
#define SLUICE_HAS_NON_ASCII 4u  // a byte over 0x7F
#define SLUICE_HAS_CR 8u         // line breaks within records (JSON index only)
#define SLUICE_HAS_ABSENT 16u    // a record that lacks fields (CSV index only, `ragged`)

// Where fields are. Field `c` of record `r` is bytes [start, ends[r * columns + c]), where start is row_starts[r] for
// c = 0 and ends[r * columns + c - 1] + 1 for others. Quotes belong to it, delimiter and line end (CR too) do not.
// A field that a short record lacks (`ragged`) has end = start - 1.
typedef struct sluice_csv_index {
    uint32_t *ends;          // fields of records that are finished, then the finished fields of the unfinished one
    uint32_t *row_starts;    // records
    uint32_t ends_capacity;  // in entries; kernels may write up to 64 entries of rubbish behind those in use: leave room
    uint32_t rows_capacity;
    uint32_t flags;          // SLUICE_HAS_*
} sluice_csv_index;

// Finds record ends only: goes on from `scanner->position` to `length`, or to just behind the end of record number
// `max_records` (counted by scanner->records). `final`: the input ends at `length`.
//   OK           max_records are reached, or `final` and all bytes are scanned
//   NEED_INPUT   all bytes are scanned, the last record may go on
//   UNCLOSED_QUOTE (only when final), TEXT_AFTER_QUOTE
typedef sluice_status sluice_csv_cut_function(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records);

// Writes down where each field ends: goes on from `scanner->position` to `length`. Calls may cut the input anywhere.
//   OK           `final` and all bytes are scanned
//   NEED_INPUT   all bytes are scanned, the last record may go on
//   INDEX_FULL   an array may not hold what comes next: copy it to a larger one and call again
//   RAGGED_RECORD, UNCLOSED_QUOTE (only when final), TEXT_AFTER_QUOTE: all records before the bad one are in the index
typedef sluice_status sluice_csv_index_function(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, sluice_csv_index *index);

// Reads the first record (the header) alone, to learn the number of columns and whether records end at a bare CR: if they
// do, sets scanner->dialect.carriage_return. Starts at scanner->position; scanner->columns and `ragged` do not count.
// `*fields` ends are written to `ends`; where the record starts, to `*start`.
//   OK           the record is complete; scanner->position is behind its line end, scanner->records is 1
//                (or `final` and there is no record: scanner->records is 0)
//   NEED_INPUT   it is not complete: call again with more bytes and the scanner as it was before
//   INDEX_FULL   more than `capacity` fields
//   UNCLOSED_QUOTE (only when final), TEXT_AFTER_QUOTE
sluice_status sluice_csv_first_record(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final,
    uint32_t *ends, uint32_t capacity, uint32_t *fields, uint32_t *start);

// The content of a field without its quoting. `field` are the bytes an index names, quotes included. Writes at most
// `length` bytes to `out` (which may be NULL to measure) and returns how many the content has.
size_t sluice_csv_field_content(
    const uint8_t *field, size_t length, const sluice_csv_dialect *dialect, uint8_t *out);

#endif
