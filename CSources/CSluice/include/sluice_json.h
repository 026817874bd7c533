// JSON Lines and JSON: where records end (cut), what they hold (index), and whether they are JSON at all.
//
// Validation is full RFC 8259, UTF-8 included: strings without raw control bytes, with known escapes and paired surrogates;
// at most SLUICE_JSON_MAX_DEPTH containers inside one another; non-recursive. The scalar machine in json.c is the
// definition; every other kernel agrees with it on every input.
//
// The tape. Validation writes one UInt32 for each key and each scalar (the offset of its first byte) and three for each
// container:
//
//     open    offset of `{` or `[`
//     skip    position in the tape of this container's close entry
//     ...     entries of what is inside: an object's are key, value, key, value ...
//     close   offset of `}` or `]`
//
// Commas and colons leave no entry. So the members of an object are walked by hopping: a value whose first byte is `{` or
// `[` is followed by tape[skip] + 1, any other by the next entry. A scalar's text ends where the next entry's byte begins,
// less white space and a comma.

#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include "sluice_csv.h"
#include "sluice_status.h"

#define SLUICE_JSON_MAX_DEPTH 512
#define SLUICE_JSON_ABSENT UINT32_MAX

typedef struct sluice_jsonl_scanner {
    uint32_t position;    // bytes before it are scanned
    uint32_t record_end;  // one past the LF of the last finished line, blank or not: where the unfinished line starts
    uint32_t records;     // lines that are not blank (blank: nothing but space, tab, CR)
    uint32_t skipped;     // blank lines
    uint8_t in_record;    // the unfinished line has a byte that is not blank
} sluice_jsonl_scanner;

// Counts lines: goes on from scanner->position to `length`, or to just behind the LF of record number `max_records`.
// LF cannot occur inside a JSON string, so this needs no look at the content. `final` ends the last line.
//   OK           max_records are reached, or `final` and all bytes are scanned
//   NEED_INPUT   all bytes are scanned, the last line may go on
typedef sluice_status sluice_jsonl_cut_function(
    sluice_jsonl_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records);

// Where a scan of an array's elements stands: zero it, with `position` and `record_end` behind the opening bracket, or the
// comma, before an element.
typedef struct sluice_json_scanner {
    uint32_t position;    // bytes before it are scanned
    uint32_t record_end;  // one past the comma or bracket behind the last finished element: where the unfinished one starts
    uint32_t records;     // elements
    uint32_t depth;       // brackets that the unfinished element has open
    uint8_t in_string;    // 1: inside a string
    uint8_t escaped;      // 1: a backslash escapes the next byte
    uint8_t closed;       // 1: the array's closing bracket was scanned; it is the last byte that was
} sluice_json_scanner;

// Finds where the elements of an array end: at commas and at the closing bracket, outside strings and other brackets. A
// bracket of either kind closes one of either kind, and what stands between is not looked at: that is the index's to judge.
// Goes on from scanner->position to `length`, or to just behind the end of element number `max_records`. `final` ends an
// element that the array's end is missing behind, if it has more than white space.
//   END          the array has ended
//   OK           max_records are reached, or `final` and all bytes are scanned
//   NEED_INPUT   all bytes are scanned, the array goes on
typedef sluice_status sluice_json_cut_function(
    sluice_json_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records);

// What bytes to be indexed are.
typedef enum sluice_json_form {
    SLUICE_JSON_LINES = 0,     // lines: each that is not blank is a record, `length` ends the last one with or without LF
    SLUICE_JSON_ELEMENTS = 1,  // elements of an array, each with the comma or closing bracket that ends it
    SLUICE_JSON_TEXT = 2       // one value
} sluice_json_form;

typedef struct sluice_json_row {
    uint32_t tape;   // where in the tape this record's value begins; it ends where the next row's begins
    uint32_t start;  // the record's bytes without white space around it: [start, end)
    uint32_t end;
} sluice_json_row;

typedef struct sluice_json_index {
    uint32_t *tape;
    sluice_json_row *rows;      // rows[row_count].tape is kept equal to tape_count: rows_capacity counts that entry too
    uint32_t *scratch;          // for the kernel, between the two stages of validation
    uint32_t tape_capacity;
    uint32_t rows_capacity;
    uint32_t scratch_capacity;  // at least 4096, which is enough for records of any length
    uint32_t tape_count;
    uint32_t row_count;
    uint32_t form;              // sluice_json_form
    uint32_t skipped;           // blank lines passed over
    uint32_t position;          // bytes before it are indexed; stands at the start of a line or element
    uint32_t flags;             // SLUICE_HAS_*, or'd over calls: HAS_ESCAPE any backslash, HAS_CR any CR (and but for LINES
                                // any LF), HAS_NON_ASCII
    uint32_t error_offset;      // the byte that is wrong
} sluice_json_index;

// Validates and indexes the records of bytes [index->position, length). Elements count as one level deep.
//   OK           all are indexed
//   INDEX_FULL   an array is too small for the next record: copy to larger ones (scratch need not be copied) and call
//                again; all arrays in which 2 * (length - position) + 8 entries are free are never too small
//   INVALID_JSON, JSON_TOO_DEEP, INVALID_UTF8: all records before the bad one are indexed, index->position stands at
//                the start of the bad line or element, index->error_offset at the first wrong byte (`length` or the LF
//                where the record ends too early)
// The first wrong byte is the first with which the text so far can no longer become JSON; for INVALID_UTF8 the first byte
// of the ill-formed sequence; for JSON_TOO_DEEP the bracket.
typedef sluice_status sluice_json_index_function(sluice_json_index *index, const uint8_t *bytes, size_t length);

// One name to look for: an object's own key if it has it, else the dotted path through nested objects.
typedef struct sluice_json_path {
    const uint8_t *name;  // UTF-8, not escaped
    uint32_t length;
} sluice_json_path;

// For `count` rows and `paths`, the tape position of each value, row by row, or SLUICE_JSON_ABSENT: out[row * paths + path].
// Exact top-level key first, then the dotted path ("user.screen_name"; each step an exact key of a nested object, where
// keys that contain dots are found too: all ways to split are tried, longest first step first). The last of duplicate keys
// counts. Keys written with escapes are found as what they mean. A record that is no object has no keys.
// `flags` are those of the index (without HAS_ESCAPE no key needs decoding).
void sluice_json_project(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count, uint32_t flags,
    const sluice_json_path *paths, uint32_t path_count, uint32_t *out);

// The same for columns that are keys: exact top-level keys only, no paths. Returns the first row that has a key which is none
// of `keys`, or is no object; `count` if there is none. Linear in the members where they come in the order of `keys`.
uint32_t sluice_json_project_keys(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count,
    const sluice_json_path *keys, uint32_t key_count, uint32_t *out);

// Whether the key whose opening quote is bytes[offset] means `name`.
bool sluice_json_key_equals(const uint8_t *bytes, uint32_t offset, const uint8_t *name, size_t length);

// One past the last byte of the valid JSON value that starts at bytes[tape[position]]. Of a scalar that is a whole record,
// use the row's end: nothing behind it need end it. `bytes` starts at the start of a line or element.
uint32_t sluice_json_value_end(const uint8_t *bytes, const uint32_t *tape, uint32_t position);

// Decodes the string literal whose opening quote is bytes[0], known to be valid. Writes at most as many bytes to `out`
// (may be NULL, to measure) as the literal has, returns how many. No padding needed at `out`.
size_t sluice_json_string_content(const uint8_t *literal, uint8_t *out);

// Copies a valid JSON text without the white space between its tokens. `out` has room for `length` bytes.
size_t sluice_json_compact(const uint8_t *text, size_t length, uint8_t *out);

// Validates one document that fills [0, length) (white space around it is allowed), writing its tape where `tape` is not
// NULL (`*tape_count` in: capacity, out: entries). The scalar machine itself; needs no padding.
//   OK, INDEX_FULL, INVALID_JSON, JSON_TOO_DEEP, INVALID_UTF8 (*error_offset)
sluice_status sluice_json_validate(
    const uint8_t *bytes, size_t length, uint32_t *tape, uint32_t *tape_count, uint32_t *error_offset);

#endif
