// Bare loops of SQLite's, to measure ours against: what is the least that it takes?
//
//     bench-sqlite cells INPUT.csv OUTPUT    cells of a CSV file without quotes, each behind its length, header first
//     bench-sqlite insert CELLS DATABASE     a prepared INSERT for each row, texts bound as they are, one transaction
//     bench-sqlite step DATABASE             SELECT *: the text of each column of each row, without a mutex

#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void fail(const char *what) {
    fprintf(stderr, "bench-sqlite: %s\n", what);
    exit(1);
}

static void check(sqlite3 *db, int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) fail(sqlite3_errmsg(db));
}

static const uint8_t *map(const char *path, size_t *size) {
    const int file = open(path, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) fail("no such file");
    *size = (size_t)status.st_size;
    const uint8_t *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) fail("cannot map the file");
    return bytes;
}

static void put_cell(FILE *out, const uint8_t *text, uint32_t length) {
    fwrite(&length, sizeof length, 1, out);
    fwrite(text, 1, length, out);
}

// The number of columns, and then each cell: its length, its bytes.
static void write_cells(const char *input, const char *output) {
    size_t size;
    const uint8_t *bytes = map(input, &size), *end = bytes + size;
    FILE *out = fopen(output, "wb");
    if (!out) fail("cannot write");
    uint32_t columns = 1;
    for (const uint8_t *p = bytes; *p != '\n'; p++) columns += *p == ',';
    fwrite(&columns, sizeof columns, 1, out);
    for (const uint8_t *start = bytes, *p = bytes; p < end; p++) {
        if (*p == '"') fail("there are quotes");
        if (*p != ',' && *p != '\n') continue;
        put_cell(out, start, (uint32_t)(p - start));
        start = p + 1;
    }
    if (fclose(out) != 0) fail("cannot write");
}

static const uint8_t *next_cell(const uint8_t *at, const char **text, int *length) {
    uint32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    *text = (const char *)at + sizeof bytes;
    *length = (int)bytes;
    return at + sizeof bytes + bytes;
}

static sqlite3 *open_database(const char *path, int flags) {
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) fail("cannot open the database");
    return db;
}

static void insert(const char *input, const char *path) {
    size_t size;
    const uint8_t *at = map(input, &size), *end = at + size;
    uint32_t columns;
    memcpy(&columns, at, sizeof columns);
    at += sizeof columns;
    char create[1 << 16] = "CREATE TABLE flights (", places[1 << 16] = "INSERT INTO flights VALUES (";
    const char *text;
    int length;
    for (uint32_t c = 0; c < columns; c++) {
        at = next_cell(at, &text, &length);
        sprintf(create + strlen(create), "%s\"%.*s\" TEXT", c ? "," : "", length, text);
        strcat(places, c ? ",?" : "?");
    }
    strcat(create, ")");
    strcat(places, ")");
    sqlite3 *db = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    check(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
    check(db, sqlite3_exec(db, create, NULL, NULL, NULL));
    sqlite3_stmt *statement;
    check(db, sqlite3_prepare_v2(db, places, -1, &statement, NULL));
    while (at < end) {
        for (uint32_t c = 0; c < columns; c++) {
            at = next_cell(at, &text, &length);
            check(db, sqlite3_bind_text(statement, (int)c + 1, text, length, SQLITE_STATIC));
        }
        check(db, sqlite3_step(statement));
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    check(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    sqlite3_close(db);
}

static void step(const char *path) {
    sqlite3 *db = open_database(path, SQLITE_OPEN_READONLY);
    sqlite3_stmt *statement;
    check(db, sqlite3_prepare_v2(db, "SELECT * FROM flights", -1, &statement, NULL));
    const int columns = sqlite3_column_count(statement);
    unsigned long long rows = 0, bytes = 0;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        rows++;
        for (int c = 0; c < columns; c++) {
            const unsigned char *text = sqlite3_column_text(statement, c);
            bytes += (unsigned long long)sqlite3_column_bytes(statement, c) + (text ? text[0] & 1 : 0);
        }
    }
    check(db, code);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    printf("%llu rows, sum %llu\n", rows, bytes);
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "cells") == 0) write_cells(words[2], words[3]);
    else if (count == 4 && strcmp(words[1], "insert") == 0) insert(words[2], words[3]);
    else if (count == 3 && strcmp(words[1], "step") == 0) step(words[2]);
    else fail("cells INPUT OUTPUT, insert CELLS DATABASE or step DATABASE");
    return 0;
}
