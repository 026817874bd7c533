// Fields into parameters: see sluice_sqlite.h.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/sluice_sqlite.h"
#include "sluice_number.h"

static int bind_text(sqlite3_stmt *statement, int parameter, const sluice_value *value) {
    // Without text there may be no address, which would be null.
    return sqlite3_bind_text64(
        statement, parameter, value->length ? (const char *)value->text : "", value->length, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_double(sqlite3_stmt *statement, int parameter, double value) {
    if (isnan(value)) return SLUICE_SQLITE_NOT_FINITE;
    return sqlite3_bind_double(statement, parameter, value);
}

static bool has_fraction(const sluice_value *value) {
    for (size_t i = 0; i < value->length; i++) {
        const uint8_t byte = value->text[i];
        if (byte == '.' || byte == 'e' || byte == 'E') return true;
    }
    return false;
}

// The text of a number, or what may be one, for a column that makes numbers of them. `is_number` says that it is one for sure.
static int bind_number(
    sqlite3_stmt *statement, int parameter, const sluice_value *value, sluice_sqlite_affinity affinity, bool is_number) {
    int64_t integer;
    if (sluice_parse_int64(value->text, value->length, &integer)) {
        // "-0" is the one integer that only a double keeps.
        if (integer != 0 || value->length == 1) return sqlite3_bind_int64(statement, parameter, integer);
    }
    const uint8_t first = value->length ? value->text[0] : 0;
    if (!is_number && first != '-' && (first < '0' || first > '9')) return bind_text(statement, parameter, value);
    double number;
    if (!sluice_parse_double(value->text, value->length, &number)) return bind_text(statement, parameter, value);
    // More digits than an integer has: as a double it would be another number.
    const bool fits = !isinf(number) && (affinity == SLUICE_SQLITE_REAL || has_fraction(value) || number == 0);
    return fits ? sqlite3_bind_double(statement, parameter, number) : SLUICE_SQLITE_OUT_OF_RANGE;
}

static int bind_value(
    sqlite3_stmt *statement, int parameter, const sluice_value *value, sluice_sqlite_affinity affinity) {
    switch (value->tag) {
    case SLUICE_CELL_STRING:
        if (affinity <= SLUICE_SQLITE_TEXT) return bind_text(statement, parameter, value);
        return bind_number(statement, parameter, value, affinity, false);
    case SLUICE_CELL_DECIMAL:
        if (affinity == SLUICE_SQLITE_TEXT) return bind_text(statement, parameter, value);
        return bind_number(statement, parameter, value, affinity, true);
    case SLUICE_CELL_INT: return sqlite3_bind_int64(statement, parameter, (int64_t)value->bits);
    case SLUICE_CELL_DOUBLE: {
        double number;
        memcpy(&number, &value->bits, sizeof number);
        return bind_double(statement, parameter, number);
    }
    case SLUICE_CELL_FALSE: return sqlite3_bind_int(statement, parameter, 0);
    case SLUICE_CELL_TRUE: return sqlite3_bind_int(statement, parameter, 1);
    case SLUICE_CELL_JSON: return bind_text(statement, parameter, value);
    case SLUICE_CELL_BYTES:
        return sqlite3_bind_blob64(
            statement, parameter, value->length ? (const void *)value->text : "", value->length, SQLITE_STATIC);
    default: return sqlite3_bind_null(statement, parameter);
    }
}

static bool grow(sluice_scratch *scratch, size_t length) {
    const size_t capacity = 2 * scratch->capacity + length + 4096;
    // What is bound points into the old one, but the row begins anew.
    uint8_t *const bytes = malloc(capacity);
    if (!bytes) return false;
    free(scratch->bytes);
    *scratch = (sluice_scratch){.bytes = bytes, .capacity = capacity};
    return true;
}

static int bind_row(
    sluice_sqlite_insert *insert, const sluice_rows *rows, const sluice_column *columns, uint32_t column_count) {
    insert->scratch.used = 0;
    for (uint32_t c = 0; c < column_count; c++) {
        sluice_value value;
        insert->column = c;
        if (!sluice_value_at(rows, &columns[c], insert->row, &insert->scratch, &value)) {
            if (!grow(&insert->scratch, insert->scratch.used + value.length)) return SQLITE_NOMEM;
            return bind_row(insert, rows, columns, column_count);
        }
        const int code = bind_value(
            insert->statement, (int)c + 1, &value, (sluice_sqlite_affinity)insert->affinities[c]);
        if (code != SQLITE_OK) return code == SQLITE_TOOBIG ? SLUICE_SQLITE_TOO_LONG : code;
    }
    return SQLITE_OK;
}

int sluice_sqlite_insert_rows(
    sluice_sqlite_insert *insert, const sluice_rows *rows, const sluice_column *columns, uint32_t column_count,
    uint32_t end) {
    for (; insert->row < end; insert->row++) {
        int code = bind_row(insert, rows, columns, column_count);
        if (code != SQLITE_OK) return code;
        code = sqlite3_step(insert->statement);
        if (code != SQLITE_DONE && code != SQLITE_ROW) {
            // The statement's own code, more exact than that of the step.
            const int exact = sqlite3_reset(insert->statement);
            return exact != SQLITE_OK ? exact : code;
        }
        sqlite3_reset(insert->statement);
    }
    return SQLITE_OK;
}

void sluice_sqlite_insert_free(sluice_sqlite_insert *insert) {
    free(insert->scratch.bytes);
    insert->scratch = (sluice_scratch){0};
}
