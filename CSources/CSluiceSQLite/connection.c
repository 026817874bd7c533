// Connections: see sluice_sqlite.h.

#ifdef __linux__
#define _POSIX_C_SOURCE 200809L  // clock_gettime
#endif

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "include/sluice_sqlite.h"

int sluice_sqlite_harden(sqlite3 *db) {
    static const int settings[][2] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
#ifdef SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
#endif
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const int code = sqlite3_db_config(db, settings[i][0], settings[i][1], (int *)0);
        if (code != SQLITE_OK) return code;
    }
    return sqlite3_extended_result_codes(db, 1);
}

struct sluice_sqlite_waiter {
    double seconds;
    double since;
    atomic_bool stopped;
};

sluice_sqlite_waiter *sluice_sqlite_waiter_create(double seconds) {
    sluice_sqlite_waiter *const waiter = calloc(1, sizeof *waiter);
    if (waiter) waiter->seconds = seconds;
    return waiter;
}

void sluice_sqlite_waiter_destroy(sluice_sqlite_waiter *waiter) { free(waiter); }

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// SQLite has nothing to wait on for a lock of another process, so it is tried again, at first soon and then each 25 ms.
static int wait_for_lock(void *context, int tries) {
    sluice_sqlite_waiter *const waiter = context;
    if (tries == 0) waiter->since = now();
    if (atomic_load_explicit(&waiter->stopped, memory_order_relaxed)) return 0;
    if (now() - waiter->since >= waiter->seconds) return 0;
    sqlite3_sleep(tries < 5 ? 1 << tries : 25);
    return 1;
}

int sluice_sqlite_wait_with(sqlite3 *db, sluice_sqlite_waiter *waiter) {
    return sqlite3_busy_handler(db, wait_for_lock, waiter);
}

void sluice_sqlite_stop_waiting(sluice_sqlite_waiter *waiter, bool stopped) {
    atomic_store_explicit(&waiter->stopped, stopped, memory_order_relaxed);
}
