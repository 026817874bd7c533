// Encoders: rows of a batch to JSON Lines, JSON, CSV, or their content alone. A field that nobody touched goes from input bytes to output bytes.

#ifndef SLUICE_ENCODE_H
#define SLUICE_ENCODE_H

#include "sluice_csv.h"
#include "sluice_json.h"
#include "sluice_status.h"

// What an overlay cell holds. Its payload is 64 bits: the integer, the double's bits, or for text a place in the arena
// (low 32 bits: offset, high 32 bits: length).
typedef enum sluice_cell {
    SLUICE_CELL_UNSET = 0,    // nothing was set here: look at the base
    SLUICE_CELL_REMOVED = 1,  // the field was removed
    SLUICE_CELL_NULL = 2,
    SLUICE_CELL_FALSE = 3,
    SLUICE_CELL_TRUE = 4,
    SLUICE_CELL_INT = 5,
    SLUICE_CELL_DOUBLE = 6,
    SLUICE_CELL_STRING = 7,   // UTF-8
    SLUICE_CELL_DECIMAL = 8,  // the text of a JSON number
    SLUICE_CELL_BYTES = 9,    // written as base64
    SLUICE_CELL_JSON = 10     // compact text of a JSON array or object
} sluice_cell;

// A column that was set or added. Cells are indexed by slot; a constant column has one cell for all slots.
typedef struct sluice_overlay {
    const uint8_t *tags;
    const uint64_t *payloads;
    uint32_t constant;      // 1: cell 0 serves every slot
    const uint8_t *name;    // UTF-8, not escaped
    uint32_t name_length;
} sluice_overlay;

typedef enum sluice_base {
    SLUICE_BASE_NONE = 0,      // every field is in the overlay
    SLUICE_BASE_CSV = 1,       // fields are cells: `ends`, `row_starts`
    SLUICE_BASE_JSON = 2,      // records are JSON values: `tape`, `rows`
    SLUICE_BASE_PROJECTED = 3  // records are JSON values, fields are `projection`'s
} sluice_base;

// Texts that mean null: cells without quotes that are one of them, byte for byte.
typedef struct sluice_csv_nulls {
    const uint8_t *const *texts;
    const uint32_t *lengths;
    uint32_t count;
} sluice_csv_nulls;

// A batch as an encoder sees it. Slot s (0-based) stands on base row first_row + s while s < base_rows; slots behind are
// rows that were appended and have no base. Behind `bytes` and `arena` SLUICE_PADDING bytes are readable.
typedef struct sluice_rows {
    uint32_t base;               // sluice_base
    uint32_t flags;              // SLUICE_HAS_* of the base
    uint32_t inferred;           // CSV base: 1: cells are typed by the inference grammar, 0: all are strings ...
    uint32_t binary;             // ... or with 1 here, bytes, without any quoting
    uint32_t columns;            // fields a row of the base has (CSV: its columns; PROJECTED: its paths)
    sluice_csv_dialect dialect;  // CSV base: how its cells are quoted
    const sluice_csv_nulls *nulls;  // CSV base: cells that are null; NULL: none by their text
    const uint8_t *bytes;
    const uint32_t *ends;
    const uint32_t *row_starts;
    const uint32_t *tape;
    const sluice_json_row *rows;  // rows[first_row + base_rows].tape: where the entries of the last one end
    const uint32_t *projection;  // [row * columns + field], counted as rows are: by base row
    uint32_t first_row;
    uint32_t base_rows;
    const uint32_t *selection;   // the slots that are left, in order; NULL: all, 0 ..< count
    uint32_t count;              // rows to encode
    const uint8_t *arena;        // text of overlay cells
    const sluice_overlay *overlays;
    uint32_t overlay_count;
} sluice_rows;

// One column of the output. The overlay's cell counts where it is not UNSET, else the base's field.
typedef struct sluice_column {
    int32_t field;        // column of the base, or -1
    int32_t overlay;      // number in `overlays`, or -1
    const uint8_t *key;   // JSON output: what sluice_json_key wrote, with SLUICE_PADDING readable bytes behind it
    uint32_t key_length;
} sluice_column;

#define SLUICE_ENCODER_DOUBLES 8

// A double printed before, since columns like a time stamp repeat it.
typedef struct sluice_printed_double {
    uint64_t bits;
    uint8_t text[32];
    uint32_t length;  // 0: nothing printed yet
} sluice_printed_double;

// Where an encoder stands, and what stopped it. Zero all of it; for another batch or an emptied output set `row` or
// `written` back, the rest may stay.
typedef struct sluice_encoder {
    uint32_t row;           // next row (0 ..< count) to encode
    size_t written;         // bytes of `out` that are filled
    size_t needed;          // OUTPUT_FULL: room that the next row needs at most
    uint32_t error_column;  // NUMBER_NOT_FINITE, NEEDS_QUOTES: which of `columns` (encode_jsonl_records: of `overlays`)
    uint8_t array;          // JSON: 1: rows are elements of an array: a comma and LF before each instead of an LF behind
    sluice_printed_double doubles[SLUICE_ENCODER_DOUBLES];  // the last one of each overlay (number modulo the count)
} sluice_encoder;

// Each writes whole rows to out[encoder->written ..< capacity] (and rubbish up to SLUICE_PADDING behind), and stops
// before a row that may not fit.
//   OK                 all rows are written
//   OUTPUT_FULL        row encoder->row may not fit; with `needed` bytes free it will
//   NUMBER_NOT_FINITE  encoder->row, error_column
//   NEEDS_QUOTES       encoder->row, error_column: of CSV without quotes, where a field or a whole record needs them

// JSON Lines (or elements, see encoder->array) from named columns (bases NONE, CSV, PROJECTED): {"a":...,"b":...}\n. A field
// that is absent or removed is left out. PROJECTED fields are copied compact.
typedef sluice_status sluice_encode_jsonl_columns_function(
    sluice_encoder *encoder, const sluice_rows *rows, const sluice_column *columns, uint32_t column_count,
    uint8_t *out, size_t capacity);

// JSON Lines (or elements) from JSON records (base JSON). Rows without overlay cells are copied as they stand; for lines
// without CR and LF between tokens (only looked for where flags have HAS_CR). Others keep their members in order: those that are
// set are replaced in place, those removed left out (of duplicates of such a name the last place counts, the others go), and
// new ones follow in the order of `overlays`. `keys` has the overlays' keys, in the same order; nothing else of it is read.
// A row that is no object and has cells set becomes an object of those; removing from it changes nothing.
typedef sluice_status sluice_encode_jsonl_records_function(
    sluice_encoder *encoder, const sluice_rows *rows, const sluice_column *keys, uint8_t *out, size_t capacity);

// CSV from named columns (bases NONE, CSV, PROJECTED): one record a row, ended by LF. `dialect` gives delimiter, quote and
// escape, the rest of it is not read. Quoted where the content has the delimiter, the quote, the escape byte, CR or LF; a
// record of one empty field is written as two quotes. Inside quotes a quote is doubled; with an escape byte, that stands
// before each quote and each escape byte. Absent, removed, null: empty. Strings:
// their content. Arrays and objects: compact JSON. Booleans: true, false. Numbers: as in JSON, kept texts untouched.
typedef sluice_status sluice_encode_csv_columns_function(
    sluice_encoder *encoder, const sluice_rows *rows, const sluice_column *columns, uint32_t column_count,
    const sluice_csv_dialect *dialect, uint8_t *out, size_t capacity);

// Whether a cell that is not quoted is one of the texts that mean null. Complexity: texts.
bool sluice_csv_is_null(const sluice_csv_nulls *nulls, const uint8_t *cell, size_t length);

// The content of one field a row, and for `lines` an LF behind it: of the one of `columns` that the row has (bases NONE, CSV,
// PROJECTED). Strings: their content. Numbers and Booleans: as in JSON. Bytes: as they are; and where the column's
// `field` or cell is a string and the column is number `base64` (-1: none), the bytes that it spells.
//   UNKNOWN_KEY  encoder->row has two of them
//   NO_CONTENT   encoder->row has none of them, or null, an array, an object there (error_column; column_count: none)
//   LINE_BREAK   for `lines`: its content has an LF, or a CR at its end, and would not be read back as one line
//   NOT_BASE64   its content is no base64
typedef sluice_status sluice_encode_content_function(
    sluice_encoder *encoder, const sluice_rows *rows, const sluice_column *columns, uint32_t column_count,
    int32_t base64, bool lines, uint8_t *out, size_t capacity);

// What a CSV cell means by the inference grammar: `content` of a cell that was not quoted, or was. A JSON number is a number
// (DECIMAL: its text counts), `true` and `false` are booleans, an unquoted empty cell is NULL, all else STRING.
sluice_cell sluice_infer_cell(const uint8_t *content, size_t length, bool quoted);

// Writes `content` as a JSON string with its quotes. `out` needs 6 * length + 2 bytes. Returns how many it wrote.
size_t sluice_json_quote(const uint8_t *content, size_t length, uint8_t *out);

// Writes `","name":"` for a column of JSON output: all that stands between the contents of two string members, from which
// encoders cut what they need. `out` needs 6 * length + 6 bytes. Returns how many it wrote.
size_t sluice_json_key(const uint8_t *name, size_t length, uint8_t *out);

// Writes one CSV field, quoted where needed (or with `always`). `out` needs 2 * length + 2 bytes. Returns how many it wrote;
// SIZE_MAX where the dialect has no quotes and the field needs them.
size_t sluice_csv_quote(
    const uint8_t *content, size_t length, const sluice_csv_dialect *dialect, bool always, uint8_t *out);

// Standard base64 with padding. `out` needs 4 * ((length + 2) / 3) bytes. Returns how many it wrote.
size_t sluice_base64_encode(const uint8_t *content, size_t length, uint8_t *out);

// The bytes that `text` spells: standard base64, padded, nothing else in it. `out` needs 3 * (length / 4) bytes and may be
// `text` itself. Returns how many it wrote; SIZE_MAX where it is no base64.
size_t sluice_base64_decode(const uint8_t *text, size_t length, uint8_t *out);

#endif
