// Fields as values: see sluice_value.h.

#include "include/sluice_value.h"

#include <string.h>

#include "rows.h"

// Room in scratch; NULL where it is too small.
static uint8_t *scratch_room(const sluice_scratch *scratch, size_t length) {
    return scratch->capacity - scratch->used >= length ? scratch->bytes + scratch->used : NULL;
}

// `value->text` was written to scratch.
static bool took(sluice_scratch *scratch, sluice_value *value, size_t length) {
    value->text = scratch->bytes + scratch->used;
    value->length = length;
    scratch->used += length;
    return true;
}

static bool overlay_value(const sluice_rows *rows, cell cell, sluice_value *value) {
    value->tag = cell.tag == SLUICE_CELL_REMOVED ? SLUICE_CELL_UNSET : cell.tag;
    value->bits = cell.payload;
    if (cell.tag >= SLUICE_CELL_STRING) {
        value->text = cell_text(rows, cell.payload);
        value->length = cell_length(cell.payload);
    }
    return true;
}

static bool csv_value(const sluice_rows *rows, span field, sluice_scratch *scratch, sluice_value *value) {
    value->text = field.start;
    value->length = field.length;
    if (rows->binary) {
        value->tag = SLUICE_CELL_BYTES;
        return true;
    }
    if (is_null_text(rows, field)) {
        value->tag = SLUICE_CELL_NULL;
        return true;
    }
    const bool quoted = is_quoted(field, &rows->dialect);
    bool decoded = false;
    if (quoted) {
        decoded = !is_quoted_plainly(field, &rows->dialect) ||
                  memchr(field.start + 1, '"', field.length - 2) != NULL;
        if (decoded) {
            uint8_t *const room = scratch_room(scratch, field.length);
            if (!room) return false;
            took(scratch, value, sluice_csv_field_content(field.start, field.length, &rows->dialect, room));
        } else {
            value->text++;
            value->length -= 2;
        }
    }
    value->tag = rows->inferred ? sluice_infer_cell(value->text, value->length, quoted) : SLUICE_CELL_STRING;
    return true;
}

static bool json_value(span field, sluice_scratch *scratch, sluice_value *value) {
    value->text = field.start;
    value->length = field.length;
    switch (*field.start) {
    case 'n': value->tag = SLUICE_CELL_NULL; return true;
    case 't': value->tag = SLUICE_CELL_TRUE; return true;
    case 'f': value->tag = SLUICE_CELL_FALSE; return true;
    case '"': value->tag = SLUICE_CELL_STRING; break;
    case '{':
    case '[': value->tag = SLUICE_CELL_JSON; break;
    default: value->tag = SLUICE_CELL_DECIMAL; return true;
    }
    if (value->tag == SLUICE_CELL_STRING && !memchr(field.start, '\\', field.length)) {
        value->text++;
        value->length -= 2;
        return true;
    }
    uint8_t *const room = scratch_room(scratch, field.length);
    if (!room) return false;
    return took(
        scratch, value,
        value->tag == SLUICE_CELL_STRING ? sluice_json_string_content(field.start, room)
                                         : sluice_json_compact(field.start, field.length, room));
}

bool sluice_value_at(
    const sluice_rows *rows, const sluice_column *column, uint32_t number, sluice_scratch *scratch, sluice_value *value) {
    const place at = place_of(rows, number);
    const cell cell = cell_at(rows, column->overlay, at.slot);
    if (cell.tag != SLUICE_CELL_UNSET) return overlay_value(rows, cell, value);
    value->tag = SLUICE_CELL_UNSET;
    if (!at.based || column->field < 0) return true;
    const bool csv = rows->base == SLUICE_BASE_CSV;
    const span field = csv ? csv_span(rows, at.row, (uint32_t)column->field)
                           : projected_span(rows, at.row, (uint32_t)column->field);
    if (field.length == LENGTH_ABSENT) return true;
    return csv ? csv_value(rows, field, scratch, value) : json_value(field, scratch, value);
}
