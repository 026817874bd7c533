// SQLite, as streams use it: rows into cells, and fields of rows into parameters, many at a time.
//
// Functions return SQLite's own result codes, or one of these that are none of its.

#ifndef SLUICE_SQLITE_H
#define SLUICE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice_value.h"

#define SLUICE_SQLITE_ARENA_FULL 1000    // sluice_sqlite_fetch: the next row's text needs `needed` bytes of the arena
#define SLUICE_SQLITE_OUT_OF_RANGE 1001  // a number that none of SQLite's keeps the value
#define SLUICE_SQLITE_NOT_FINITE 1002    // NaN, which SQLite would store as null
#define SLUICE_SQLITE_TOO_LONG 1003      // a text or blob of 2 GiB or more; texts of 4 GiB in one batch
#define SLUICE_SQLITE_NULL_KEY 1004      // a key without which rows are not told apart
#define SLUICE_SQLITE_OTHER_TEXT 1005    // a text that the column would make another of

// --- Connections.

// Settings for a connection of one's own: no writes to the schema but by SQL, no "strings" in double quotes, no functions of
// the schema that are not harmless, no extensions; extended result codes.
int sluice_sqlite_harden(sqlite3 *db);

// Waits for locks that others hold, and lets other threads end that.
typedef struct sluice_sqlite_waiter sluice_sqlite_waiter;

// `seconds`: that one lock is waited for at most. NULL without memory.
sluice_sqlite_waiter *sluice_sqlite_waiter_create(double seconds);
void sluice_sqlite_waiter_destroy(sluice_sqlite_waiter *waiter);

// The waiter must live as long as the connection.
int sluice_sqlite_wait_with(sqlite3 *db, sluice_sqlite_waiter *waiter);

// From any thread: from now on nothing is waited for, or it is again.
void sluice_sqlite_stop_waiting(sluice_sqlite_waiter *waiter, bool stopped);

// --- Reading.

// Cells of up to `rows_max` rows by column: tags and payloads as of an overlay, see sluice_encode.h. Each text is followed by a
// zero byte in the arena, so that what one text lacks is not taken from the next when UTF-8 is checked.
typedef struct sluice_sqlite_cells {
    uint32_t columns;
    uint32_t rows_max;
    size_t bytes_max;  // of the arena, which are enough
    uint32_t rows;    // filled
    uint8_t *const *tags;
    uint64_t *const *payloads;
    uint8_t *arena;
    size_t filled;
    size_t capacity;
    size_t needed;    // ARENA_FULL: the capacity that the next row takes
    bool has_blobs;
    bool pending;     // the statement stands on a row that was not taken; kept from call to call
} sluice_sqlite_cells;

// Takes rows up to rows_max.
//   SQLITE_ROW   as many as that, or bytes_max are reached, and there is another; SQLITE_DONE  the last one is in
//   ARENA_FULL   call again with a larger arena: the rows that are in stay
//   TOO_LONG, or SQLite's
int sluice_sqlite_fetch(sqlite3_stmt *statement, sluice_sqlite_cells *cells);

// --- Writing.

// What a column does with text: the type affinity of its declared type.
typedef enum sluice_sqlite_affinity {
    SLUICE_SQLITE_BLOB,  // none: everything is kept as it is
    SLUICE_SQLITE_TEXT,
    SLUICE_SQLITE_NUMERIC,
    SLUICE_SQLITE_INTEGER,
    SLUICE_SQLITE_REAL
} sluice_sqlite_affinity;

// Rows of a batch as a table that INSERT … SELECT reads: columns c0, c1, … Texts stay where they stand; numbers' texts are
// numbers where the column would make numbers of them, if that keeps their digits.
typedef struct sluice_sqlite_feed sluice_sqlite_feed;

// Beside the affinity of a column.
#define SLUICE_SQLITE_IS_KEY 0x80

// NULL without memory. `keeps_texts`: a text that its column would make another of is an error.
sluice_sqlite_feed *sluice_sqlite_feed_create(const uint8_t *affinities, uint32_t column_count, bool keeps_texts);

// Makes the table known by a name. The feed is then the connection's: it goes with the connection, or when the name is
// registered anew, and at once where this fails.
int sluice_sqlite_feed_register(sluice_sqlite_feed *feed, sqlite3 *db, const char *name);

// Runs the statement for rows [*row, end). On an error `*row` is the one at fault, unless the table that is written to has
// triggers: SQLite then reads all rows first.
// `*changes`: rows that were inserted or changed.
//   OUT_OF_RANGE, NOT_FINITE, TOO_LONG, NULL_KEY, OTHER_TEXT (all with `*column`), or SQLite's
int sluice_sqlite_feed_run(
    sluice_sqlite_feed *feed, sqlite3_stmt *statement, const sluice_rows *rows, const sluice_column *columns,
    uint32_t *row, uint32_t end, uint32_t *column, int *changes);

#endif
