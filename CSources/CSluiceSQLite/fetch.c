// Rows into cells: see sluice_sqlite.h.

#include <string.h>

#include "include/sluice_sqlite.h"

// memcpy, without a call for the short texts that most are. Reads nothing behind them.
static inline void copy(uint8_t *to, const uint8_t *from, size_t length) {
    if (length > 16) {
        memcpy(to, from, length);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else if (length) {
        to[0] = from[0];
        to[length / 2] = from[length / 2];
        to[length - 1] = from[length - 1];
    }
}

// Copies a text or blob to the arena. ARENA_FULL where that is too small; NOMEM where SQLite could not make it.
static inline int store(sluice_sqlite_cells *cells, const void *bytes, sqlite3_value *value, uint64_t *payload) {
    const size_t length = (size_t)sqlite3_value_bytes(value);
    if (!bytes && length) return SQLITE_NOMEM;
    const size_t end = cells->filled + length + 1;
    // Payloads have 32 bits for a place.
    if (end > UINT32_MAX) return SLUICE_SQLITE_TOO_LONG;
    if (end + SLUICE_PADDING > cells->capacity) return SLUICE_SQLITE_ARENA_FULL;
    copy(cells->arena + cells->filled, bytes, length);
    cells->arena[end - 1] = 0;
    *payload = cells->filled | (uint64_t)length << 32;
    cells->filled = end;
    return SQLITE_OK;
}

// One call finds the value, and those of the value itself are cheap; that needs the connection to be used by nobody else, as it
// is.
static inline int take_cell(sqlite3_value *value, uint8_t *tag, uint64_t *payload, sluice_sqlite_cells *cells) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_TEXT:
        *tag = SLUICE_CELL_STRING;
        const unsigned char *const text = sqlite3_value_text(value);
        return text ? store(cells, text, value, payload) : SQLITE_NOMEM;
    case SQLITE_INTEGER:
        *tag = SLUICE_CELL_INT;
        *payload = (uint64_t)sqlite3_value_int64(value);
        return SQLITE_OK;
    case SQLITE_FLOAT: {
        *tag = SLUICE_CELL_DOUBLE;
        const double number = sqlite3_value_double(value);
        memcpy(payload, &number, sizeof number);
        return SQLITE_OK;
    }
    case SQLITE_BLOB:
        *tag = SLUICE_CELL_BYTES;
        cells->has_blobs = true;
        return store(cells, sqlite3_value_blob(value), value, payload);
    default: *tag = SLUICE_CELL_NULL; return SQLITE_OK;
    }
}

// A row that does not fit is not taken at all; `needed` grows to what all of it takes.
static int take_row(sqlite3_stmt *statement, sluice_sqlite_cells *cells) {
    const size_t before = cells->filled;
    for (uint32_t column = 0; column < cells->columns; column++) {
        const int code = take_cell(
            sqlite3_column_value(statement, (int)column), cells->tags[column] + cells->rows,
            cells->payloads[column] + cells->rows, cells);
        if (code == SQLITE_OK) continue;
        cells->filled = before;
        if (code == SLUICE_SQLITE_ARENA_FULL) {
            size_t room = before + SLUICE_PADDING;
            for (uint32_t c = 0; c < cells->columns; c++) room += (size_t)sqlite3_column_bytes(statement, (int)c) + 1;
            if (room > UINT32_MAX) return SLUICE_SQLITE_TOO_LONG;
            cells->needed = room;
        }
        return code;
    }
    cells->rows++;
    return SQLITE_OK;
}

int sluice_sqlite_fetch(sqlite3_stmt *statement, sluice_sqlite_cells *cells) {
    while (true) {
        if (!cells->pending) {
            const int code = sqlite3_step(statement);
            if (code != SQLITE_ROW) return code;
            cells->pending = true;
        }
        if (cells->rows == cells->rows_max || (cells->filled >= cells->bytes_max && cells->rows > 0)) return SQLITE_ROW;
        const int code = take_row(statement, cells);
        if (code != SQLITE_OK) return code;
        cells->pending = false;
    }
}
