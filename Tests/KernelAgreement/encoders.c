// Encoders: each kernel's against the scalar one's, over rows that the scalar one indexed.

#include <math.h>

#include "agreement.h"

enum { ENTRIES = 1 << 15, OUTPUT = 1 << 19, COLUMNS = 4, OVERLAYS = 2, SLOTS = 64 };

typedef struct encoded {
    sluice_status status;
    sluice_encoder encoder;
    uint8_t bytes[OUTPUT + SLUICE_PADDING];
} encoded;

static encoded outputs[2];

// What an encoder is called with.
typedef struct job {
    const char *what;
    sluice_rows rows;
    sluice_column columns[COLUMNS + OVERLAYS];
    uint32_t count;
    sluice_csv_dialect dialect;  // of the output
    int32_t base64;              // of contents
    bool lines;
    bool is_array;
} job;

typedef sluice_status encode(const sluice_kernel *, const job *, sluice_encoder *, uint8_t *, size_t);

static sluice_status encode_jsonl_columns(
    const sluice_kernel *kernel, const job *work, sluice_encoder *encoder, uint8_t *out, size_t capacity) {
    return kernel->encode_jsonl_columns(encoder, &work->rows, work->columns, work->count, out, capacity);
}

static sluice_status encode_csv_columns(
    const sluice_kernel *kernel, const job *work, sluice_encoder *encoder, uint8_t *out, size_t capacity) {
    return kernel->encode_csv_columns(encoder, &work->rows, work->columns, work->count, &work->dialect, out, capacity);
}

static sluice_status encode_content(
    const sluice_kernel *kernel, const job *work, sluice_encoder *encoder, uint8_t *out, size_t capacity) {
    return kernel->encode_content(
        encoder, &work->rows, work->columns, work->count, work->base64, work->lines, out, capacity);
}

static sluice_status encode_jsonl_records(
    const sluice_kernel *kernel, const job *work, sluice_encoder *encoder, uint8_t *out, size_t capacity) {
    return kernel->encode_jsonl_records(encoder, &work->rows, work->columns + COLUMNS, out, capacity);
}

// Encodes all rows; where the output is full, it gets the room that is asked for.
static const encoded *encode_all(const sluice_kernel *kernel, encode *function, const job *work, size_t room) {
    encoded *out = &outputs[kernel == scalar_kernel()];
    out->encoder = (sluice_encoder){.array = work->is_array};
    for (;;) {
        out->status = function(kernel, work, &out->encoder, out->bytes, room);
        if (out->status != SLUICE_OUTPUT_FULL || room == OUTPUT) return out;
        room = out->encoder.written + out->encoder.needed;
        if (room > OUTPUT) room = OUTPUT;
    }
}

static void check_encoder(
    const sluice_kernel *kernel, const char *what, encode *function, const job *work, const input *in) {
    const size_t rooms[] = {OUTPUT, 0, random_below(2000)};
    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        const encoded *out = encode_all(kernel, function, work, rooms[r]);
        const encoded *same = encode_all(scalar_kernel(), function, work, rooms[r]);
        const bool failed = same->status < 0;
        if (out->status != same->status || out->encoder.row != same->encoder.row ||
            out->encoder.written != same->encoder.written || out->encoder.needed != same->encoder.needed ||
            (failed && out->encoder.error_column != same->encoder.error_column) ||
            memcmp(out->bytes, same->bytes, out->encoder.written) != 0) {
            disagree(kernel, what, in, rooms[r]);
        }
    }
}

// ---- Overlays and columns

static uint8_t arena[OVERLAYS * SLOTS * 64 + SLUICE_PADDING];
static uint8_t tags[OVERLAYS][SLOTS];
static uint64_t payloads[OVERLAYS][SLOTS];
static sluice_overlay overlays[OVERLAYS];
static uint8_t keys[COLUMNS + OVERLAYS][16 + SLUICE_PADDING];

static const char *const cell_texts[] = {
    "", "x", "a \"quoted\", escaped\\ text\n", "text that is longer than one vector of bytes is, \"\"\t", "\xC3\xA9",
};
static const char *const cell_decimals[] = {"1.50", "123456789012345678901234567890"};
static const char *const cell_jsons[] = {"[]", "{\"a\":[1,\"b\"]}"};
static const double cell_doubles[] = {0, -1.5, 1e300, 0.1, INFINITY};

// Puts `bytes` into the arena.
static uint64_t text_payload(const char *bytes, size_t *used) {
    const size_t length = strlen(bytes), at = *used;
    memcpy(arena + at, bytes, length);
    *used += length;
    return (uint64_t)length << 32 | at;
}

static uint64_t make_payload(sluice_cell tag, size_t *used) {
    uint64_t payload = random_next() >> random_below(64);
    switch (tag) {
    case SLUICE_CELL_DOUBLE:
        memcpy(&payload, &cell_doubles[random_one_in(9) ? 4 : random_below(4)], sizeof payload);
        return payload;
    case SLUICE_CELL_STRING:
    case SLUICE_CELL_BYTES: return text_payload(cell_texts[random_below(5)], used);
    case SLUICE_CELL_DECIMAL: return text_payload(cell_decimals[random_below(2)], used);
    case SLUICE_CELL_JSON: return text_payload(cell_jsons[random_below(2)], used);
    default: return payload;
    }
}

static void make_overlays(uint32_t rows) {
    static const char *const names[OVERLAYS] = {"a", "new"};
    size_t used = 0;
    memset(arena, '"', sizeof arena);
    for (uint32_t o = 0; o < OVERLAYS; o++) {
        for (uint32_t s = 0; s < SLOTS; s++) {
            tags[o][s] = random_one_in(2) ? SLUICE_CELL_UNSET : (uint8_t)random_below(SLUICE_CELL_JSON + 1);
            payloads[o][s] = make_payload(tags[o][s], &used);
        }
        overlays[o] = (sluice_overlay){
            .tags = tags[o], .payloads = payloads[o], .constant = rows > SLOTS || random_one_in(2),
            .name = (const uint8_t *)names[o], .name_length = (uint32_t)strlen(names[o])};
    }
}

static void make_columns(job *work, uint32_t fields, bool overlaid) {
    static const char *const names[COLUMNS + OVERLAYS] = {"a", "second", "c\"", "", "a", "new"};
    work->count = 0;
    for (uint32_t c = 0; c < COLUMNS + OVERLAYS; c++) {
        const bool base = c < COLUMNS;
        const size_t length = sluice_json_key((const uint8_t *)names[c], strlen(names[c]), keys[c]);
        work->columns[c] = (sluice_column){
            .field = base && c < fields ? (int32_t)c : -1, .overlay = base ? -1 : (int32_t)(c - COLUMNS), .key = keys[c],
            .key_length = (uint32_t)length};
    }
    work->count = overlaid ? COLUMNS + OVERLAYS : fields;
    work->rows.arena = arena;
    work->rows.overlays = overlays;
    work->rows.overlay_count = overlaid ? OVERLAYS : 0;
}

// ---- CSV

static uint32_t ends[ENTRIES], starts[ENTRIES];

static void check_rows_of_csv(const sluice_kernel *kernel, const input *in, sluice_csv_dialect dialect, uint32_t columns) {
    sluice_csv_scanner scanner = {.dialect = dialect, .columns = columns};
    sluice_csv_index index = {.ends = ends, .row_starts = starts, .ends_capacity = ENTRIES, .rows_capacity = ENTRIES};
    scalar_kernel()->csv_index(&scanner, in->bytes, in->length, true, &index);
    for (uint32_t variant = 0; variant < 8; variant++) {
        job work = {.rows = {
            .base = SLUICE_BASE_CSV, .flags = variant & 1 ? UINT32_MAX : index.flags, .inferred = variant >> 1 & 1,
            .columns = columns, .dialect = dialect, .bytes = in->bytes, .ends = ends, .row_starts = starts,
            .base_rows = scanner.records, .count = scanner.records}};
        make_overlays(scanner.records);
        make_columns(&work, columns, variant & 4);
        work.is_array = random_one_in(2);
        work.dialect = (sluice_csv_dialect){
            .delimiter = random_one_in(2) ? ',' : ';', .quote = random_one_in(2) ? '"' : random_one_in(2) ? '\'' : 0};
        if (work.dialect.quote) work.dialect.escape = random_one_in(3) ? '\\' : 0;
        check_encoder(kernel, "encode_jsonl_columns of CSV", encode_jsonl_columns, &work, in);
        check_encoder(kernel, "encode_csv_columns of CSV", encode_csv_columns, &work, in);
        work.base64 = (int32_t)random_below(3) - 1;
        work.lines = random_one_in(2);
        check_encoder(kernel, "encode_content of CSV", encode_content, &work, in);
    }
}

void check_encoding_csv(const sluice_kernel *kernel, const input *in) {
    const sluice_csv_dialect dialects[] = {
        {.delimiter = ',', .quote = '"', .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
        {.delimiter = ',', .quote = '"', .lenient = 1, .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
        {.delimiter = ';', .quote = '\'', .ragged = SLUICE_CSV_RAGGED_PAD},
        {.delimiter = ',', .quote = '"', .escape = '\\', .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
    };
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        check_rows_of_csv(kernel, in, dialects[d], 1 + random_below(COLUMNS));
    }
    // All records but the first that is another length, to take the ways of rows that miss nothing.
    for (uint32_t columns = 1; columns <= COLUMNS; columns++) {
        check_rows_of_csv(kernel, in, (sluice_csv_dialect){.delimiter = ',', .quote = '"'}, columns);
    }
}

// ---- JSON

void check_encoding_json(const sluice_kernel *kernel, const input *in) {
    static uint32_t tape[ENTRIES], scratch[ENTRIES], projection[ENTRIES];
    static sluice_json_row rows[ENTRIES];
    sluice_json_index index = {
        .tape = tape, .rows = rows, .scratch = scratch, .tape_capacity = ENTRIES, .rows_capacity = ENTRIES,
        .scratch_capacity = ENTRIES};
    scalar_kernel()->json_index(&index, in->bytes, in->length);
    const sluice_json_path paths[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}, {(const uint8_t *)"b.a", 3}};
    sluice_json_project(in->bytes, tape, rows, index.row_count, UINT32_MAX, paths, 3, projection);
    for (uint32_t variant = 0; variant < 4; variant++) {
        job work = {.rows = {
            .base = SLUICE_BASE_JSON, .flags = variant & 1 ? UINT32_MAX : index.flags, .columns = 3, .bytes = in->bytes,
            .tape = tape, .rows = rows, .projection = projection, .base_rows = index.row_count, .count = index.row_count}};
        make_overlays(index.row_count);
        make_columns(&work, 3, variant & 2);
        work.is_array = random_one_in(2);
        work.dialect = (sluice_csv_dialect){.delimiter = ',', .quote = random_one_in(2) ? '"' : '\''};
        check_encoder(kernel, "encode_jsonl_records", encode_jsonl_records, &work, in);
        work.rows.base = SLUICE_BASE_PROJECTED;
        check_encoder(kernel, "encode_jsonl_columns of JSON", encode_jsonl_columns, &work, in);
        check_encoder(kernel, "encode_csv_columns of JSON", encode_csv_columns, &work, in);
        work.base64 = -1;
        work.lines = random_one_in(2);
        check_encoder(kernel, "encode_content of JSON", encode_content, &work, in);
    }
}
