// Values, headers and objects one at a time: each kernel's `singles` against the scalar one's.

#include "agreement.h"

#define ENTRIES (1u << 15)

static const sluice_csv_dialect dialects[] = {
    {.delimiter = ',', .quote = '"'},
    {.delimiter = ';', .quote = '\'', .lenient = 1, .ragged = SLUICE_CSV_RAGGED_PAD},
    {.delimiter = '\t', .ragged = SLUICE_CSV_RAGGED_TRUNCATE},
    {.delimiter = ',', .quote = '"', .escape = '\\', .comment = 'a'},
    {.delimiter = ',', .quote = '"', .carriage_return = 1, .ragged = SLUICE_CSV_RAGGED_PAD},
};

static const sluice_singles *scalar(void) { return scalar_kernel()->singles; }

// One stretch of an input, with nothing behind it, so that the address sanitizer sees who reads on.
typedef struct stretch {
    const sluice_kernel *kernel;
    const input *in;
    uint8_t *bytes;
    size_t length;
} stretch;

// Room for exactly what a function may write, twice.
typedef struct outputs {
    uint8_t *a, *b;
} outputs;

static outputs outputs_make(size_t room) {
    outputs out = {malloc(room + 1), malloc(room + 1)};
    if (!out.a || !out.b) abort();
    // A byte behind the room, which stays as it is.
    out.a[room] = out.b[room] = 0xA5;
    return out;
}

static void outputs_compare(const stretch *of, const char *what, outputs out, size_t a, size_t b, size_t room) {
    const bool none = a == SIZE_MAX;
    if (a != b || (!none && (a > room || memcmp(out.a, out.b, a) != 0)) || out.a[room] != 0xA5 || out.b[room] != 0xA5) {
        disagree(of->kernel, what, of->in, of->length);
    }
    free(out.a);
    free(out.b);
}

// ---- Values

static void check_number(const stretch *of) {
    const sluice_singles *a = of->kernel->singles, *b = scalar();
    const uint8_t *text = of->bytes;
    const size_t length = of->length;
    if (a->number_length(text, length) != b->number_length(text, length)) disagree(of->kernel, "number_length", of->in, length);
    int64_t integers[2] = {0};
    if (a->parse_int64(text, length, &integers[0]) != b->parse_int64(text, length, &integers[1]) ||
        integers[0] != integers[1]) {
        disagree(of->kernel, "parse_int64", of->in, length);
    }
    double doubles[2] = {0};
    if (a->parse_double(text, length, &doubles[0]) != b->parse_double(text, length, &doubles[1]) ||
        memcmp(&doubles[0], &doubles[1], sizeof(double)) != 0) {
        disagree(of->kernel, "parse_double", of->in, length);
    }
    for (int quoted = 0; quoted < 2; quoted++) {
        if (a->infer_cell(text, length, quoted) != b->infer_cell(text, length, quoted)) {
            disagree(of->kernel, "infer_cell", of->in, length);
        }
    }
    if (length < sizeof(double)) return;
    // Any eight bytes are a number to print.
    memcpy(&integers[0], text, sizeof integers[0]);
    memcpy(&doubles[0], text, sizeof doubles[0]);
    const size_t room = SLUICE_NUMBER_MAX;
    outputs out = outputs_make(room);
    outputs_compare(of, "print_int64", out, a->print_int64(integers[0], out.a), b->print_int64(integers[0], out.b), room);
    if (doubles[0] - doubles[0] != 0) return;
    out = outputs_make(room);
    outputs_compare(of, "print_double", out, a->print_double(doubles[0], out.a), b->print_double(doubles[0], out.b), room);
}

static void check_text(const stretch *of) {
    const sluice_singles *a = of->kernel->singles, *b = scalar();
    const uint8_t *text = of->bytes;
    const size_t length = of->length;
    size_t room = 6 * length + 2;
    outputs out = outputs_make(room);
    outputs_compare(of, "json_quote", out, a->json_quote(text, length, out.a), b->json_quote(text, length, out.b), room);
    room = 6 * length + 6;
    out = outputs_make(room);
    outputs_compare(of, "json_key", out, a->json_key(text, length, out.a), b->json_key(text, length, out.b), room);
    room = 4 * ((length + 2) / 3);
    out = outputs_make(room);
    outputs_compare(
        of, "base64_encode", out, a->base64_encode(text, length, out.a), b->base64_encode(text, length, out.b), room);
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        const sluice_csv_dialect *dialect = &dialects[d];
        for (int always = 0; always < 2; always++) {
            room = 2 * length + 2;
            out = outputs_make(room);
            outputs_compare(
                of, "csv_quote", out, a->csv_quote(text, length, dialect, always, out.a),
                b->csv_quote(text, length, dialect, always, out.b), room);
        }
        out = outputs_make(length);
        const size_t written = a->csv_field_content(text, length, dialect, out.a);
        if (a->csv_field_content(text, length, dialect, NULL) != written) {
            disagree(of->kernel, "csv_field_content measured", of->in, length);
        }
        outputs_compare(
            of, "csv_field_content", out, written, b->csv_field_content(text, length, dialect, out.b), length);
    }
    const uint8_t *const words[] = {(const uint8_t *)"NA", (const uint8_t *)"", text};
    const uint32_t lengths[] = {2, 0, (uint32_t)(length / 2)};
    const sluice_csv_nulls nulls = {words, lengths, random_below(4)};
    for (size_t cell = length < 8 ? 0 : length / 2; cell <= length; cell += 1 + length / 2) {
        if (a->csv_is_null(&nulls, text, cell) != b->csv_is_null(&nulls, text, cell)) {
            disagree(of->kernel, "csv_is_null", of->in, cell);
        }
    }
}

static void check_encoded_length(const stretch *of) {
    const sluice_singles *a = of->kernel->singles, *b = scalar();
    for (sluice_encoding encoding = 0; encoding < SLUICE_ENCODINGS; encoding++) {
        if (a->encoded_length(encoding, of->bytes, of->length) != b->encoded_length(encoding, of->bytes, of->length)) {
            disagree(of->kernel, "encoded_length", of->in, of->length);
        }
    }
}

// Of one document: measured, with a tape that has room enough, and with one that may have too little.
static void check_validation(const stretch *of) {
    const sluice_singles *a = of->kernel->singles, *b = scalar();
    static uint32_t tapes[2][ENTRIES];
    uint32_t most = 0;
    for (int round = 0; round < 3; round++) {
        if (round == 1) most = ENTRIES;
        if (round == 2) most = random_below(most + 1);
        uint32_t counts[2] = {most, most}, offsets[2] = {7, 7};
        const sluice_status status =
            a->json_validate(of->bytes, of->length, round ? tapes[0] : NULL, &counts[0], &offsets[0]);
        const sluice_status same =
            b->json_validate(of->bytes, of->length, round ? tapes[1] : NULL, &counts[1], &offsets[1]);
        if (status != same || counts[0] != counts[1]) disagree(of->kernel, "json_validate", of->in, of->length);
        if (status != SLUICE_OK && status != SLUICE_INDEX_FULL && offsets[0] != offsets[1]) {
            disagree(of->kernel, "json_validate's offset", of->in, of->length);
        }
        if (status == SLUICE_OK && round && memcmp(tapes[0], tapes[1], counts[0] * sizeof **tapes) != 0) {
            disagree(of->kernel, "json_validate's tape", of->in, of->length);
        }
        if (status == SLUICE_OK) most = counts[0];
    }
}

void check_values(const sluice_kernel *kernel, const input *in) {
    if (kernel->singles == scalar()) return;
    // The whole, what is behind some places, and what short cells there hold.
    const uint32_t step = 1 + in->length / 10;
    for (uint32_t at = 0; at <= in->length; at += step) {
        const size_t left = in->length - at;
        const size_t lengths[] = {left, left < 24 ? left : 1 + random_below(24), left < 8 ? left : 8};
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            stretch of = {kernel, in, malloc(lengths[l] + 1), lengths[l]};
            if (!of.bytes) abort();
            // At the end of what is allocated.
            uint8_t *const allocated = of.bytes;
            of.bytes = memcpy(allocated + 1, in->bytes + at, lengths[l]);
            check_number(&of);
            check_text(&of);
            check_validation(&of);
            if (scalar_kernel()->utf8_find_invalid(in->bytes + at, lengths[l]) == lengths[l]) check_encoded_length(&of);
            free(allocated);
        }
    }
}

// ---- CSV: headers and columns

void check_headers(const sluice_kernel *kernel, const input *in) {
    if (kernel->singles == scalar()) return;
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        for (uint32_t at = 0; at <= in->length; at += 1 + in->length / 60) {
            for (int final = 0; final < 2; final++) {
                sluice_csv_scanner scanners[2] = {{.dialect = dialects[d]}, {.dialect = dialects[d]}};
                uint32_t ends[2][64], fields[2] = {0}, starts[2] = {0};
                const uint32_t capacity = random_one_in(2) ? 64 : 1 + random_below(6);
                const sluice_status status = kernel->singles->csv_first_record(
                    &scanners[0], in->bytes, at, final, ends[0], capacity, &fields[0], &starts[0]);
                const sluice_status same = scalar()->csv_first_record(
                    &scanners[1], in->bytes, at, final, ends[1], capacity, &fields[1], &starts[1]);
                if (status != same) disagree(kernel, "csv_first_record", in, at);
                if (status == SLUICE_OK &&
                    (fields[0] != fields[1] || starts[0] != starts[1] || scanners[0].position != scanners[1].position ||
                     scanners[0].records != scanners[1].records || scanners[0].skipped != scanners[1].skipped ||
                     scanners[0].dialect.carriage_return != scanners[1].dialect.carriage_return ||
                     memcmp(ends[0], ends[1], fields[0] * sizeof **ends) != 0)) {
                    disagree(kernel, "csv_first_record's fields", in, at);
                }
                if (status < SLUICE_OK && scanners[0].error_offset != scanners[1].error_offset) {
                    disagree(kernel, "csv_first_record's offset", in, at);
                }
            }
        }
    }
}

// The scalar kernel's index up to the first error; each column of it, all rows and some.
void check_columns(const sluice_kernel *kernel, const input *in) {
    if (kernel->singles == scalar()) return;
    static uint32_t ends[ENTRIES], starts[ENTRIES], slots[ENTRIES];
    static int64_t integers[2][ENTRIES];
    static double doubles[2][ENTRIES];
    static uint8_t valid[2][ENTRIES];
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        sluice_csv_scanner scanner = {.dialect = dialects[d], .columns = 1 + random_below(4)};
        sluice_csv_index index = {ends, starts, ENTRIES, ENTRIES, 0};
        scalar_kernel()->csv_index(&scanner, in->bytes, in->length, true, &index);
        const uint32_t rows = scanner.records;
        if (rows == 0) continue;
        for (uint32_t column = 0; column < scanner.columns; column++) {
            const uint32_t first = random_below(rows), left = rows - first;
            for (int chosen = 0; chosen < 2; chosen++) {
                for (uint32_t s = 0; s < left; s++) slots[s] = random_below(left);
                const sluice_csv_column cells = {
                    in->bytes, ends, starts, scanner.columns, column, dialects[d].quote, first, chosen ? slots : NULL, left,
                };
                kernel->singles->csv_column_int64(&cells, integers[0], valid[0]);
                scalar()->csv_column_int64(&cells, integers[1], valid[1]);
                if (memcmp(integers[0], integers[1], left * sizeof **integers) != 0 ||
                    memcmp(valid[0], valid[1], left) != 0) {
                    disagree(kernel, "csv_column_int64", in, column);
                }
                kernel->singles->csv_column_double(&cells, doubles[0], valid[0]);
                scalar()->csv_column_double(&cells, doubles[1], valid[1]);
                if (memcmp(doubles[0], doubles[1], left * sizeof **doubles) != 0 ||
                    memcmp(valid[0], valid[1], left) != 0) {
                    disagree(kernel, "csv_column_double", in, column);
                }
            }
        }
    }
}

// ---- JSON: members

static void check_literal(const sluice_kernel *kernel, const input *in, uint32_t place) {
    const uint8_t *literal = in->bytes + place;
    const size_t most = in->length - place;
    const stretch of = {kernel, in, (uint8_t *)literal, place};
    outputs out = outputs_make(most);
    const size_t written = kernel->singles->json_string_content(literal, out.a);
    if (kernel->singles->json_string_content(literal, NULL) != written) {
        disagree(kernel, "json_string_content measured", in, place);
    }
    outputs_compare(&of, "json_string_content", out, written, scalar()->json_string_content(literal, out.b), most);
}

void check_members(const sluice_kernel *kernel, const input *in) {
    if (kernel->singles == scalar()) return;
    static uint32_t tape[ENTRIES], scratch[ENTRIES], places[2][ENTRIES];
    static sluice_json_row rows[ENTRIES];
    sluice_json_index index = {
        .tape = tape, .rows = rows, .scratch = scratch, .tape_capacity = ENTRIES, .rows_capacity = ENTRIES,
        .scratch_capacity = ENTRIES, .form = random_one_in(2) ? SLUICE_JSON_LINES : SLUICE_JSON_ELEMENTS};
    // What is before an error is indexed.
    scalar_kernel()->json_index(&index, in->bytes, in->length);
    const char *const names[] = {"a", "b", "", "a.b", "a.a.b", "a.", ".", "k\n", "b.a"};
    enum { NAMES = sizeof names / sizeof *names };
    sluice_json_path paths[NAMES];
    for (size_t n = 0; n < NAMES; n++) paths[n] = (sluice_json_path){(const uint8_t *)names[n], (uint32_t)strlen(names[n])};
    for (uint32_t entry = 0; entry < index.tape_count;) {
        const uint32_t place = tape[entry];
        // Behind what opens a container stands where in the tape it ends, which is no place.
        entry += in->bytes[place] == '{' || in->bytes[place] == '[' ? 2 : 1;
        if (in->bytes[place] != '"') continue;
        check_literal(kernel, in, place);
        for (size_t n = 0; n < NAMES; n++) {
            if (kernel->singles->json_key_equals(in->bytes, place, paths[n].name, paths[n].length) !=
                scalar()->json_key_equals(in->bytes, place, paths[n].name, paths[n].length)) {
                disagree(kernel, "json_key_equals", in, place);
            }
        }
    }
    for (uint32_t r = 0; r < index.row_count; r++) {
        const uint8_t first = in->bytes[tape[rows[r].tape]];
        if (first == '{' || first == '[') {
            if (kernel->singles->json_value_end(in->bytes, tape, rows[r].tape) !=
                scalar()->json_value_end(in->bytes, tape, rows[r].tape)) {
                disagree(kernel, "json_value_end of a row", in, r);
            }
        }
    }
    const uint32_t count = NAMES;
    if ((size_t)index.row_count * count > ENTRIES) return;
    kernel->singles->json_project(in->bytes, tape, rows, index.row_count, index.flags, paths, count, places[0]);
    scalar()->json_project(in->bytes, tape, rows, index.row_count, index.flags, paths, count, places[1]);
    const size_t size = (size_t)index.row_count * count;
    if (memcmp(places[0], places[1], size * sizeof **places) != 0) disagree(kernel, "json_project", in, index.row_count);
    for (size_t p = 0; p < size; p++) {
        if (places[0][p] == SLUICE_JSON_ABSENT) continue;
        if (kernel->singles->json_value_end(in->bytes, tape, places[0][p]) !=
            scalar()->json_value_end(in->bytes, tape, places[0][p])) {
            disagree(kernel, "json_value_end", in, p);
        }
    }
    const uint32_t known =
        kernel->singles->json_project_keys(in->bytes, tape, rows, index.row_count, paths, count, places[0]);
    const uint32_t same = scalar()->json_project_keys(in->bytes, tape, rows, index.row_count, paths, count, places[1]);
    if (known != same || memcmp(places[0], places[1], (size_t)known * count * sizeof **places) != 0) {
        disagree(kernel, "json_project_keys", in, known);
    }
}
