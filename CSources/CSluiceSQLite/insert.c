// Rows of a batch as a table that SQLite reads: see sluice_sqlite.h.
//
// INSERT … SELECT from it runs as one statement for many rows. A statement for each row costs a quarter more, of which nothing
// is in the rows: to begin and end it, and to bind.

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/sluice_sqlite.h"
#include "sluice_number.h"

struct sluice_sqlite_feed {
    uint32_t column_count;
    bool keeps_texts;
    uint8_t *affinities;  // and IS_KEY
    const sluice_rows *rows;
    const sluice_column *columns;
    uint32_t row;  // where the cursor stands
    uint32_t end;
    sluice_scratch scratch;
    size_t missing;  // bytes that scratch lacked in this row
    int error;       // what was wrong with a value, and of which column
    uint32_t error_column;
};

// --- Values.

// `destructor`: SQLITE_STATIC for text that stays until the row is written, or SQLITE_TRANSIENT.
static void result_text(sqlite3_context *context, const sluice_value *value, sqlite3_destructor_type destructor) {
    // Without text there may be no address, which would be null.
    sqlite3_result_text64(
        context, value->length ? (const char *)value->text : "", value->length, destructor, SQLITE_UTF8);
}

static bool has_fraction(const sluice_value *value) {
    for (size_t i = 0; i < value->length; i++) {
        const uint8_t byte = value->text[i];
        if (byte == '.' || byte == 'e' || byte == 'E') return true;
    }
    return false;
}

// Whether SQLite may take the text for a number, though JSON does not: 007, +1, .5, with blanks around it.
static bool may_be_number(const sluice_value *value) {
    bool digit = false;
    for (size_t i = 0; i < value->length; i++) {
        const uint8_t byte = value->text[i];
        const bool is_digit = byte >= '0' && byte <= '9';
        digit |= is_digit;
        if (!is_digit && !memchr("+-.eE \t\n\v\f\r", byte, 11)) return false;
    }
    return digit;
}

static bool is_printed_so(double number, const sluice_value *value) {
    uint8_t text[SLUICE_NUMBER_MAX];
    if (isinf(number)) return false;
    const size_t length = sluice_print_double(number, text);
    return length == value->length && memcmp(text, value->text, length) == 0;
}

static bool is_zero(const sluice_value *value) {
    for (size_t i = 0; i < value->length && (value->text[i] | 0x20) != 'e'; i++) {
        if (value->text[i] >= '1' && value->text[i] <= '9') return false;
    }
    return true;
}

// A double keeps 15 digits for sure and 17 at most.
enum { SURE_DIGITS = 15, MOST_DIGITS = 17 };

// The digits of a number but for zeros before and behind them; how many there are, MOST_DIGITS + 1 where they are more.
static size_t significant_digits(const uint8_t *text, size_t length, uint8_t digits[MOST_DIGITS]) {
    size_t count = 0, zeros = 0;
    for (size_t i = 0; i < length && (text[i] | 0x20) != 'e'; i++) {
        if (text[i] < '0' || text[i] > '9') continue;
        if (text[i] == '0') {
            zeros += count > 0;
            continue;
        }
        if (count + zeros >= MOST_DIGITS) return MOST_DIGITS + 1;
        for (; zeros; zeros--) digits[count++] = '0';
        digits[count++] = text[i];
    }
    return count;
}

// Whether the double that is nearest to the number has its digits, in the shortest way to write it or with all that it has.
static bool keeps_digits(double number, const sluice_value *value) {
    uint8_t digits[MOST_DIGITS], others[MOST_DIGITS];
    const size_t count = significant_digits(value->text, value->length, digits);
    // Below the least normal number it keeps fewer, and below all others none.
    if (count == 0 || (count <= SURE_DIGITS && fabs(number) >= DBL_MIN)) return true;
    if (count > MOST_DIGITS) return false;
    uint8_t shortest[SLUICE_NUMBER_MAX];
    size_t length = sluice_print_double(number, shortest);
    if (significant_digits(shortest, length, others) == count && memcmp(digits, others, count) == 0) return true;
    char all[SLUICE_NUMBER_MAX];
    length = (size_t)snprintf(all, sizeof all, "%.*e", MOST_DIGITS - 1, number);
    return significant_digits((const uint8_t *)all, length, others) == count && memcmp(digits, others, count) == 0;
}

static int result_integer(sqlite3_context *context, int64_t integer, sluice_sqlite_affinity affinity) {
    const double number = (double)integer;
    // 2^63 is the one double that no integer is.
    if (affinity == SLUICE_SQLITE_REAL && (number >= 0x1p63 || (int64_t)number != integer)) return SLUICE_SQLITE_OUT_OF_RANGE;
    sqlite3_result_int64(context, integer);
    return SQLITE_OK;
}

// The text of a number, or what may be one, for a column that makes numbers of them. `is_number` says that it is one for sure.
static int result_number(
    sqlite3_context *context, const sluice_value *value, sluice_sqlite_affinity affinity, bool is_number, bool keeps_texts,
    sqlite3_destructor_type destructor) {
    int64_t integer;
    // "-0" is the one integer that only a double keeps.
    if (sluice_parse_int64(value->text, value->length, &integer) && (integer != 0 || value->length == 1)) {
        return result_integer(context, integer, affinity);
    }
    const uint8_t first = value->length ? value->text[0] : 0;
    double number;
    if ((!is_number && first != '-' && (first < '0' || first > '9')) ||
        !sluice_parse_double(value->text, value->length, &number)) {
        if (keeps_texts && may_be_number(value)) return SLUICE_SQLITE_OTHER_TEXT;
        result_text(context, value, destructor);
        return SQLITE_OK;
    }
    if (!is_number && keeps_texts && !is_printed_so(number, value)) return SLUICE_SQLITE_OTHER_TEXT;
    // More digits than an integer has: as a double it would be another number. Where the column is declared REAL the nearest
    // will do.
    const bool fits = affinity == SLUICE_SQLITE_REAL || is_zero(value) || (!isinf(number) && has_fraction(value) && keeps_digits(number, value));
    if (isinf(number) || !fits) return SLUICE_SQLITE_OUT_OF_RANGE;
    sqlite3_result_double(context, number);
    return SQLITE_OK;
}

static void result_literal(sqlite3_context *context, const char *text) {
    sqlite3_result_text(context, text, -1, SQLITE_STATIC);
}

static int result_value(
    sqlite3_context *context, const sluice_value *value, sluice_sqlite_affinity affinity, bool keeps_texts,
    sqlite3_destructor_type destructor) {
    const bool as_text = affinity == SLUICE_SQLITE_TEXT;
    switch (value->tag) {
    case SLUICE_CELL_STRING:
        if (affinity > SLUICE_SQLITE_TEXT) return result_number(context, value, affinity, false, keeps_texts, destructor);
        result_text(context, value, destructor);
        break;
    case SLUICE_CELL_DECIMAL:
        if (affinity != SLUICE_SQLITE_TEXT) return result_number(context, value, affinity, true, keeps_texts, destructor);
        result_text(context, value, destructor);
        break;
    case SLUICE_CELL_INT: return result_integer(context, (int64_t)value->bits, affinity);
    case SLUICE_CELL_DOUBLE: {
        double number;
        memcpy(&number, &value->bits, sizeof number);
        if (isnan(number)) return SLUICE_SQLITE_NOT_FINITE;
        if (as_text && !isinf(number)) {
            // SQLite would print 15 digits.
            uint8_t text[SLUICE_NUMBER_MAX];
            const size_t length = sluice_print_double(number, text);
            sqlite3_result_text(context, (const char *)text, (int)length, SQLITE_TRANSIENT);
            break;
        }
        sqlite3_result_double(context, number);
        break;
    }
    case SLUICE_CELL_FALSE:
        if (as_text) result_literal(context, "false");
        else sqlite3_result_int(context, 0);
        break;
    case SLUICE_CELL_TRUE:
        if (as_text) result_literal(context, "true");
        else sqlite3_result_int(context, 1);
        break;
    case SLUICE_CELL_JSON: result_text(context, value, destructor); break;
    case SLUICE_CELL_BYTES:
        sqlite3_result_blob64(
            context, value->length ? (const void *)value->text : "", value->length, destructor);
        break;
    default: sqlite3_result_null(context);
    }
    return SQLITE_OK;
}

// --- The table. Its cursor's place is the feed's: there is one at a time.

typedef struct feed_table {
    sqlite3_vtab base;
    sluice_sqlite_feed *feed;
} feed_table;

static int table_connect(
    sqlite3 *db, void *context, int argc, const char *const *argv, sqlite3_vtab **table, char **message) {
    (void)argc, (void)argv, (void)message;
    sluice_sqlite_feed *const feed = context;
    // "c0,c1,…": at most 2000 or so.
    char *const sql = malloc(32 + 12 * (size_t)feed->column_count);
    feed_table *const made = calloc(1, sizeof *made);
    int code = SQLITE_NOMEM;
    if (sql && made) {
        char *end = sql + sprintf(sql, "CREATE TABLE x(");
        for (uint32_t c = 0; c < feed->column_count; c++) end += sprintf(end, c ? ",c%u" : "c%u", c);
        sprintf(end, ")");
        code = sqlite3_declare_vtab(db, sql);
    }
    free(sql);
    if (code != SQLITE_OK) {
        free(made);
        return code;
    }
    made->feed = feed;
    *table = &made->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table) {
    free(table);
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor) {
    (void)table;
    *cursor = calloc(1, sizeof **cursor);
    return *cursor ? SQLITE_OK : SQLITE_NOMEM;
}

static int cursor_close(sqlite3_vtab_cursor *cursor) {
    free(cursor);
    return SQLITE_OK;
}

static inline sluice_sqlite_feed *feed_of(sqlite3_vtab_cursor *cursor) { return ((feed_table *)cursor->pVtab)->feed; }

static int cursor_filter(sqlite3_vtab_cursor *cursor, int number, const char *name, int argc, sqlite3_value **argv) {
    (void)number, (void)name, (void)argc, (void)argv;
    feed_of(cursor)->scratch.used = 0;
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor) {
    sluice_sqlite_feed *const feed = feed_of(cursor);
    feed->row++;
    feed->scratch.used = 0;
    if (feed->missing) {
        // Nothing points into it any more.
        const size_t capacity = 2 * (feed->scratch.capacity + feed->missing);
        free(feed->scratch.bytes);
        feed->scratch = (sluice_scratch){.bytes = malloc(capacity), .capacity = capacity};
        if (!feed->scratch.bytes) feed->scratch.capacity = 0;
        feed->missing = 0;
    }
    return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *cursor) {
    const sluice_sqlite_feed *const feed = feed_of(cursor);
    return feed->row >= feed->end;
}

// A content that scratch has no room for.
static int result_decoded(
    sqlite3_context *context, sluice_sqlite_feed *feed, const sluice_column *column, sluice_sqlite_affinity affinity,
    size_t length) {
    sluice_value value;
    sluice_scratch once = {.bytes = malloc(length), .capacity = length};
    if (!once.bytes) return SQLITE_NOMEM;
    feed->missing += length;
    sluice_value_at(feed->rows, column, feed->row, &once, &value);
    const int code = result_value(context, &value, affinity, feed->keeps_texts, SQLITE_TRANSIENT);
    free(once.bytes);
    return code;
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int number) {
    sluice_sqlite_feed *const feed = feed_of(cursor);
    const sluice_column *const column = &feed->columns[number];
    const sluice_sqlite_affinity affinity = (sluice_sqlite_affinity)(feed->affinities[number] & ~SLUICE_SQLITE_IS_KEY);
    sluice_value value;
    int code;
    if (sluice_value_at(feed->rows, column, feed->row, &feed->scratch, &value)) {
        const bool is_key = feed->affinities[number] & SLUICE_SQLITE_IS_KEY;
        if (value.tag >= SLUICE_CELL_STRING && value.length > INT32_MAX) code = SLUICE_SQLITE_TOO_LONG;
        else if (value.tag <= SLUICE_CELL_NULL && is_key) code = SLUICE_SQLITE_NULL_KEY;
        else code = result_value(context, &value, affinity, feed->keeps_texts, SQLITE_STATIC);
    } else {
        code = result_decoded(context, feed, column, affinity, value.length);
    }
    if (code == SQLITE_OK) return SQLITE_OK;
    feed->error = code;
    feed->error_column = (uint32_t)number;
    return SQLITE_ERROR;
}

static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
    *rowid = feed_of(cursor)->row;
    return SQLITE_OK;
}

// Without xCreate it is a table by its module's name alone.
static const sqlite3_module module = {
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

// --- Feeds.

sluice_sqlite_feed *sluice_sqlite_feed_create(const uint8_t *affinities, uint32_t column_count, bool keeps_texts) {
    sluice_sqlite_feed *const feed = calloc(1, sizeof *feed);
    uint8_t *const copy = malloc(column_count ? column_count : 1);
    if (!feed || !copy) {
        free(feed);
        free(copy);
        return NULL;
    }
    memcpy(copy, affinities, column_count);
    feed->affinities = copy;
    feed->column_count = column_count;
    feed->keeps_texts = keeps_texts;
    return feed;
}

static void feed_destroy(void *context) {
    sluice_sqlite_feed *const feed = context;
    free(feed->affinities);
    free(feed->scratch.bytes);
    free(feed);
}

int sluice_sqlite_feed_register(sluice_sqlite_feed *feed, sqlite3 *db, const char *name) {
    return sqlite3_create_module_v2(db, name, &module, feed, feed_destroy);
}

int sluice_sqlite_feed_run(
    sluice_sqlite_feed *feed, sqlite3_stmt *statement, const sluice_rows *rows, const sluice_column *columns,
    uint32_t *row, uint32_t end, uint32_t *column, int *changes) {
    feed->rows = rows;
    feed->columns = columns;
    feed->row = *row;
    feed->end = end;
    feed->error = SQLITE_OK;
    const int code = sqlite3_step(statement);
    // The statement's own code, more exact than that of the step.
    const int exact = sqlite3_reset(statement);
    *row = feed->row;
    *column = feed->error_column;
    *changes = exact == SQLITE_OK ? sqlite3_changes(sqlite3_db_handle(statement)) : 0;
    if (feed->error != SQLITE_OK) return feed->error;
    return exact != SQLITE_OK ? exact : code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}
