// Where the fields of a batch's rows are, for all that reads them: see sluice_rows.

#ifndef SLUICE_ROWS_H
#define SLUICE_ROWS_H

#include "include/sluice_encode.h"

#define LENGTH_ABSENT UINT32_MAX  // of a CSV field that a short record lacks: end - start, as unsigned

// Where a row of the output comes from.
typedef struct place {
    uint32_t slot;
    uint32_t row;  // of the base
    bool based;    // false: an appended slot, there is no such row
} place;

static inline place place_of(const sluice_rows *rows, uint32_t number) {
    const uint32_t slot = rows->selection ? rows->selection[number] : number;
    return (place){slot, rows->first_row + slot, rows->base != SLUICE_BASE_NONE && slot < rows->base_rows};
}

// A field of the base: its bytes in the input, quotes included for CSV.
typedef struct span {
    const uint8_t *start;
    uint32_t length;  // LENGTH_ABSENT: there is no such field
} span;

static inline span csv_span(const sluice_rows *rows, uint32_t row, uint32_t field) {
    const uint32_t *ends = rows->ends + (size_t)row * rows->columns;
    const uint32_t start = field ? ends[field - 1] + 1 : rows->row_starts[row];
    return (span){rows->bytes + start, ends[field] - start};
}

static inline span projected_span(const sluice_rows *rows, uint32_t row, uint32_t field) {
    const uint32_t position = rows->projection[(size_t)row * rows->columns + field];
    if (position == SLUICE_JSON_ABSENT) return (span){rows->bytes, LENGTH_ABSENT};
    const uint32_t start = rows->tape[position];
    return (span){rows->bytes + start, sluice_json_value_end(rows->bytes, rows->tape, position) - start};
}

// A cell of an overlay.
typedef struct cell {
    sluice_cell tag;
    uint64_t payload;
} cell;

static inline sluice_cell cell_tag(const sluice_rows *rows, uint32_t overlay, uint32_t slot) {
    const sluice_overlay *column = &rows->overlays[overlay];
    return (sluice_cell)column->tags[column->constant ? 0 : slot];
}

static inline cell cell_at(const sluice_rows *rows, int32_t overlay, uint32_t slot) {
    if (overlay < 0) return (cell){SLUICE_CELL_UNSET, 0};
    const sluice_overlay *column = &rows->overlays[overlay];
    const uint32_t at = column->constant ? 0 : slot;
    return (cell){(sluice_cell)column->tags[at], column->payloads[at]};
}

static inline const uint8_t *cell_text(const sluice_rows *rows, uint64_t payload) {
    return rows->arena + (uint32_t)payload;
}

static inline size_t cell_length(uint64_t payload) { return (size_t)(payload >> 32); }

static inline bool is_quoted(span field, const sluice_csv_dialect *dialect) {
    return field.length > 0 && dialect->quote && field.start[0] == dialect->quote;
}

// Quoted as RFC 4180 has it, at least at both ends.
static inline bool is_quoted_plainly(span field, const sluice_csv_dialect *dialect) {
    return dialect->quote == '"' && !dialect->escape && field.length >= 2 && field.start[field.length - 1] == '"';
}

// Whether a cell is null by its text.
static inline bool is_null_text(const sluice_rows *rows, span field) {
    return rows->nulls && !is_quoted(field, &rows->dialect) &&
           sluice_csv_is_null(rows->nulls, field.start, field.length);
}

#endif
