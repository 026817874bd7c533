// Cut, index, UTF-8 and transcoding: each kernel against the scalar one.

#include "agreement.h"

#define ENTRIES (1u << 15)

// ---- CSV

static const sluice_csv_dialect dialects[] = {
    {.delimiter = ',', .quote = '"'},
    {.delimiter = ',', .quote = '"', .lenient = 1, .ragged = SLUICE_CSV_RAGGED_PAD},
    {.delimiter = ',', .quote = '"', .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
    {.delimiter = ';', .quote = '\'', .ragged = SLUICE_CSV_RAGGED_PAD},
    {.delimiter = '\t', .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
    {.delimiter = ',', .quote = '"', .escape = '\\'},
    {.delimiter = ',', .quote = '"', .ragged = SLUICE_CSV_RAGGED_PAD, .comment = 'a'},
    {.delimiter = ';', .quote = '"', .escape = '\\', .lenient = 1, .comment = ','},
    {.delimiter = ',', .quote = '"', .carriage_return = 1},
};

// Where the last quoted field began need not be kept once it cannot go on.
static bool is_same_scanner(sluice_csv_scanner a, sluice_csv_scanner b) {
    const bool open = a.state == SLUICE_CSV_QUOTED || a.state == SLUICE_CSV_QUOTE || a.state == SLUICE_CSV_QUOTED_ESCAPE;
    return a.position == b.position && a.record_start == b.record_start && a.record_end == b.record_end &&
           a.records == b.records && a.skipped == b.skipped && a.fields == b.fields && a.state == b.state &&
           (!open || a.quote_start == b.quote_start) && a.error_offset == b.error_offset && a.error_fields == b.error_fields;
}

// A scan of an input in two pieces: how it ended, and the index.
typedef struct csv_scan {
    sluice_status status;
    sluice_csv_scanner scanner;
    sluice_csv_index index;
} csv_scan;

static uint32_t csv_ends[2][ENTRIES], csv_starts[2][ENTRIES];

static csv_scan csv_cut_at(
    const sluice_kernel *kernel, const input *in, const sluice_csv_dialect *dialect, uint32_t at, uint32_t most) {
    csv_scan scan = {.scanner = {.dialect = *dialect}};
    scan.status = kernel->csv_cut(&scan.scanner, in->bytes, at, false, most);
    if (scan.status != SLUICE_NEED_INPUT) return scan;
    scan.status = kernel->csv_cut(&scan.scanner, in->bytes, in->length, true, most);
    return scan;
}

// `room`: entries that the arrays have at first; they grow as they fill.
static csv_scan csv_index_at(
    const sluice_kernel *kernel, const input *in, const sluice_csv_dialect *dialect, uint32_t columns, uint32_t at,
    uint32_t room) {
    const int place = kernel == scalar_kernel();
    csv_scan scan = {
        .scanner = {.dialect = *dialect, .columns = columns},
        .index = {.ends = csv_ends[place], .row_starts = csv_starts[place], .ends_capacity = room, .rows_capacity = room},
    };
    for (bool final = false;;) {
        scan.status = kernel->csv_index(&scan.scanner, in->bytes, final ? in->length : at, final, &scan.index);
        if (scan.status == SLUICE_INDEX_FULL) {
            scan.index.ends_capacity += room;
            scan.index.rows_capacity += room;
            if (scan.index.ends_capacity > ENTRIES) disagree(kernel, "csv_index is never done", in, at);
        } else if (scan.status == SLUICE_NEED_INPUT && !final) {
            final = true;
        } else {
            return scan;
        }
    }
}

static bool is_same_index(const csv_scan *a, const csv_scan *scalar) {
    const uint32_t columns = a->scanner.columns;
    const uint32_t open = a->scanner.fields < columns ? a->scanner.fields : columns;
    const size_t used = (size_t)a->scanner.records * columns + open;
    return a->status == scalar->status && is_same_scanner(a->scanner, scalar->scanner) &&
           memcmp(a->index.ends, scalar->index.ends, used * sizeof(uint32_t)) == 0 &&
           memcmp(a->index.row_starts, scalar->index.row_starts, a->scanner.records * sizeof(uint32_t)) == 0 &&
           (scalar->index.flags & ~a->index.flags) == 0;
}

void check_csv(const sluice_kernel *kernel, const input *in) {
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        const sluice_csv_dialect *dialect = &dialects[d];
        const uint32_t step = d < 3 ? 1 : 13;
        const uint32_t columns = 1 + random_below(4), most = random_one_in(2) ? UINT32_MAX : 1 + random_below(12);
        const uint32_t room = random_one_in(2) ? ENTRIES : 70 + random_below(200);
        for (uint32_t at = 0; at <= in->length; at += step) {
            const csv_scan cut = csv_cut_at(kernel, in, dialect, at, most);
            const csv_scan same_cut = csv_cut_at(scalar_kernel(), in, dialect, at, most);
            if (cut.status != same_cut.status || !is_same_scanner(cut.scanner, same_cut.scanner)) {
                disagree(kernel, "csv_cut", in, at);
            }
            const csv_scan scan = csv_index_at(kernel, in, dialect, columns, at, room);
            const csv_scan same = csv_index_at(scalar_kernel(), in, dialect, columns, at, room);
            if (!is_same_index(&scan, &same)) disagree(kernel, "csv_index", in, at);
        }
    }
}

// ---- JSON

static const sluice_json_form forms[] = {SLUICE_JSON_LINES, SLUICE_JSON_ELEMENTS, SLUICE_JSON_TEXT};

static uint32_t json_tape[2][ENTRIES], json_scratch[ENTRIES];
static sluice_json_row json_rows[2][ENTRIES];

// Indexes bytes[0 ..< length], with arrays that have `room` entries at first.
static sluice_status json_index_of(
    const sluice_kernel *kernel, const input *in, sluice_json_form form, uint32_t length, uint32_t room,
    sluice_json_index *index) {
    const int place = kernel == scalar_kernel();
    *index = (sluice_json_index){
        .tape = json_tape[place], .rows = json_rows[place], .scratch = json_scratch, .tape_capacity = room,
        .rows_capacity = room, .scratch_capacity = 4096, .form = form};
    for (;;) {
        const sluice_status status = kernel->json_index(index, in->bytes, length);
        if (status != SLUICE_INDEX_FULL) return status;
        index->tape_capacity += 1 + room / 2;
        index->rows_capacity += 1 + room / 2;
        if (index->tape_capacity > ENTRIES) disagree(kernel, "json_index is never done", in, length);
    }
}

static bool is_same_json(sluice_status status, const sluice_json_index *a, const sluice_json_index *scalar) {
    if (status == SLUICE_OK ? a->flags != scalar->flags : a->error_offset != scalar->error_offset) return false;
    if (a->row_count != scalar->row_count || a->tape_count != scalar->tape_count) return false;
    for (uint32_t r = 0; r < a->row_count; r++) {
        if (memcmp(&a->rows[r], &scalar->rows[r], sizeof *a->rows) != 0) return false;
    }
    return a->skipped == scalar->skipped && a->position == scalar->position &&
           memcmp(a->tape, scalar->tape, a->tape_count * sizeof *a->tape) == 0;
}

static sluice_status jsonl_cut_at(
    const sluice_kernel *kernel, const input *in, uint32_t at, uint32_t most, sluice_jsonl_scanner *scanner) {
    *scanner = (sluice_jsonl_scanner){0};
    const sluice_status status = kernel->jsonl_cut(scanner, in->bytes, at, false, most);
    return status == SLUICE_NEED_INPUT ? kernel->jsonl_cut(scanner, in->bytes, in->length, true, most) : status;
}

// An array's elements.
static sluice_status json_cut_at(
    const sluice_kernel *kernel, const input *in, uint32_t at, uint32_t most, sluice_json_scanner *scanner) {
    *scanner = (sluice_json_scanner){0};
    const sluice_status status = kernel->json_cut(scanner, in->bytes, at, false, most);
    return status == SLUICE_NEED_INPUT ? kernel->json_cut(scanner, in->bytes, in->length, true, most) : status;
}

static void check_elements(const sluice_kernel *kernel, const input *in, uint32_t at, uint32_t most) {
    sluice_json_scanner cut, same;
    const sluice_status status = json_cut_at(kernel, in, at, most, &cut);
    if (status != json_cut_at(scalar_kernel(), in, at, most, &same) || cut.position != same.position ||
        cut.record_end != same.record_end || cut.records != same.records || cut.depth != same.depth ||
        cut.in_string != same.in_string || cut.escaped != same.escaped || cut.closed != same.closed) {
        disagree(kernel, "json_cut", in, at);
    }
}

void check_json(const sluice_kernel *kernel, const input *in) {
    const uint32_t most = random_one_in(2) ? UINT32_MAX : 1 + random_below(12);
    const uint32_t room = random_one_in(2) ? ENTRIES : 1 + random_below(100);
    for (uint32_t at = 0; at <= in->length; at++) {
        sluice_jsonl_scanner cut, same_cut;
        const sluice_status status = jsonl_cut_at(kernel, in, at, most, &cut);
        if (status != jsonl_cut_at(scalar_kernel(), in, at, most, &same_cut) || cut.position != same_cut.position ||
            cut.record_end != same_cut.record_end || cut.records != same_cut.records ||
            cut.skipped != same_cut.skipped || cut.in_record != same_cut.in_record) {
            disagree(kernel, "jsonl_cut", in, at);
        }
        check_elements(kernel, in, at, most);
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
            sluice_json_index index, same;
            const sluice_status answer = json_index_of(kernel, in, forms[f], at, room, &index);
            const sluice_status expected = json_index_of(scalar_kernel(), in, forms[f], at, room, &same);
            if (answer != expected || !is_same_json(answer, &index, &same)) disagree(kernel, "json_index", in, at);
        }
    }
}

// ---- Text

void check_lines(const sluice_kernel *kernel, const input *in) {
    const uint32_t most = random_one_in(2) ? UINT32_MAX : 1 + random_below(12);
    for (uint32_t at = 0; at <= in->length; at++) {
        const sluice_kernel *const kernels[] = {kernel, scalar_kernel()};
        sluice_text_scanner cuts[2] = {0};
        sluice_status statuses[2];
        for (int k = 0; k < 2; k++) {
            statuses[k] = kernels[k]->text_cut(&cuts[k], in->bytes, at, false, most);
            if (statuses[k] != SLUICE_NEED_INPUT) continue;
            statuses[k] = kernels[k]->text_cut(&cuts[k], in->bytes, in->length, true, most);
        }
        if (statuses[0] != statuses[1] || memcmp(&cuts[0], &cuts[1], sizeof *cuts) != 0) {
            disagree(kernel, "text_cut", in, at);
        }
        uint32_t lines[2];
        for (int k = 0; k < 2; k++) {
            lines[k] = kernels[k]->text_index(in->bytes, at, in->length, csv_starts[k], csv_ends[k]);
        }
        if (lines[0] != lines[1] || memcmp(csv_starts[0], csv_starts[1], lines[0] * sizeof(uint32_t)) != 0 ||
            memcmp(csv_ends[0], csv_ends[1], lines[0] * sizeof(uint32_t)) != 0) {
            disagree(kernel, "text_index from here", in, at);
        }
    }
}

// ---- UTF-8

void check_utf8(const sluice_kernel *kernel, const input *in) {
    for (uint32_t from = 0; from <= in->length; from++) {
        const size_t whole = in->length - from;
        if (kernel->utf8_find_invalid(in->bytes + from, whole) != scalar_kernel()->utf8_find_invalid(in->bytes + from, whole)) {
            disagree(kernel, "utf8_find_invalid from here", in, from);
        }
        if (kernel->utf8_find_invalid(in->bytes, from) != scalar_kernel()->utf8_find_invalid(in->bytes, from)) {
            disagree(kernel, "utf8_find_invalid up to here", in, from);
        }
    }
}

// ---- Transcoding

typedef struct transcoded {
    sluice_status status;
    size_t used;
    size_t written;
    uint8_t bytes[1 << 16];
} transcoded;

// In two pieces, into output of `room` bytes at first, and then of more.
static void transcode_at(sluice_transcode_function *function, const input *in, size_t at, size_t room, transcoded *out) {
    out->used = out->written = 0;
    for (bool final = false;;) {
        out->status = function(
            in->bytes, final ? in->length : at, &out->used, final, out->bytes, room, &out->written);
        if (out->status == SLUICE_OUTPUT_FULL) room = out->written + 1 + room / 2 + SLUICE_CHARACTER_MAX;
        else if (out->status == SLUICE_NEED_INPUT && !final) final = true;
        else return;
        if (room > sizeof out->bytes - SLUICE_PADDING) return;
    }
}

static void check_transcoder(
    const sluice_kernel *kernel, const char *what, sluice_transcode_function *function, sluice_transcode_function *scalar,
    const input *in) {
    static transcoded out, same;
    const uint32_t step = in->length < 300 ? 1 : 1 + in->length / 300;
    for (size_t at = 0; at <= in->length; at += step) {
        const size_t room = random_one_in(2) ? 1 << 15 : random_below(300);
        transcode_at(function, in, at, room, &out);
        transcode_at(scalar, in, at, room, &same);
        if (out.status != same.status || out.used != same.used || out.written != same.written ||
            memcmp(out.bytes, same.bytes, out.written) != 0) {
            disagree(kernel, what, in, at);
        }
    }
}

void check_transcoding(const sluice_kernel *kernel, const input *in) {
    for (uint32_t encoding = 0; encoding < SLUICE_ENCODINGS; encoding++) {
        check_transcoder(kernel, "to_utf8", kernel->to_utf8[encoding], scalar_kernel()->to_utf8[encoding], in);
        check_transcoder(kernel, "from_utf8", kernel->from_utf8[encoding], scalar_kernel()->from_utf8[encoding], in);
        // The encoded text, which is well-formed more often than any bytes.
        static transcoded encoded;
        transcode_at(scalar_kernel()->from_utf8[encoding], in, in->length, 1 << 15, &encoded);
        input back = input_make(encoded.bytes, encoded.written, (uint8_t)random_next());
        check_transcoder(kernel, "to_utf8 and back", kernel->to_utf8[encoding], scalar_kernel()->to_utf8[encoding], &back);
        input_free(&back);
    }
}
