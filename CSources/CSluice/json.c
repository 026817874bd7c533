// The scalar JSON machine: the definition of what is JSON here, where it is wrong, and what the tape holds.
//
// One byte at a time, no recursion: what is open is a bit for each level (is it an object?), so a document needs no
// memory but its tape. The faster kernels only notice that some record is wrong; this machine then says where and why:
//
// (1) INVALID_JSON is at the first byte with which the text so far can no longer become JSON: in `[1,]` the bracket, in
//     "\uD800x" the x, in `01` the 1, at the end of the text where more had to come.
// (2) INVALID_UTF8 is at the first byte of the first ill-formed sequence inside a string. Outside strings a byte over 0x7F
//     is (1).
// (3) JSON_TOO_DEEP is at the opening bracket that goes too deep.
// (4) Of several errors the one met first in byte order counts.
// (5) An element of an array is a document of its own, one level down, that a comma or `]` ends; so each array reads as one
//     document would. What ends it is judged here, where it was cut is not.

#include "include/sluice_json.h"

#include <string.h>

#include "scan/internal.h"

// What may come next, at a token's first byte.
typedef enum expectation {
    EXPECT_VALUE,
    EXPECT_ELEMENT_OR_CLOSE,  // behind `[`
    EXPECT_MEMBER_OR_CLOSE,   // behind `{`
    EXPECT_KEY,               // behind a comma in an object
    EXPECT_COLON,
    EXPECT_COMMA_OR_CLOSE,
    EXPECT_END
} expectation;

typedef struct machine {
    const uint8_t *bytes;
    uint32_t position;       // bytes before it are read
    uint32_t end;            // the document's
    uint32_t *tape;          // NULL: none is written
    uint32_t tape_count;
    uint32_t tape_capacity;
    uint32_t container;      // tape position of the innermost open container; its skip entry holds its parent's meanwhile
    uint32_t depth;          // open containers
    uint32_t form;           // sluice_json_form
    uint32_t flags;          // SLUICE_HAS_*
    uint32_t error_offset;
    uint64_t objects[SLUICE_JSON_MAX_DEPTH / 64];  // bit d: the container at depth d is an object
} machine;

static bool is_white(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static sluice_status fail(machine *m, uint32_t offset, sluice_status status) {
    m->error_offset = offset;
    return status;
}

static sluice_status fail_here(machine *m) { return fail(m, m->position, SLUICE_ERROR_INVALID_JSON); }

// The byte at `position`, or one that no rule accepts at the end.
static uint8_t peek(const machine *m) { return m->position < m->end ? m->bytes[m->position] : 0; }

static void skip_white(machine *m) {
    for (; m->position < m->end && is_white(m->bytes[m->position]); m->position++) {
        if (m->bytes[m->position] == '\r' || m->bytes[m->position] == '\n') m->flags |= SLUICE_HAS_CR;
    }
}

static sluice_status emit(machine *m, uint32_t entry) {
    if (m->tape != NULL) {
        if (m->tape_count >= m->tape_capacity) return SLUICE_INDEX_FULL;
        m->tape[m->tape_count] = entry;
    }
    m->tape_count++;
    return SLUICE_OK;
}

// Value of a hex digit, or 16.
static uint32_t hex_value(uint8_t byte) {
    if (is_digit(byte)) return byte - (uint32_t)'0';
    const uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - (uint32_t)'a' + 10 : 16;
}

// Reads the four hex digits of \u whose value is within first ... last, one digit at a time, so that the first digit that
// leaves the range is the one that is wrong.
static sluice_status read_unicode(machine *m, uint32_t first, uint32_t last, uint32_t *value) {
    *value = 0;
    for (uint32_t shift = 16; shift > 0; shift -= 4) {
        const uint32_t digit = hex_value(peek(m));
        if (digit == 16) return fail_here(m);
        *value |= digit << (shift - 4);
        const uint32_t largest = *value | ((1u << (shift - 4)) - 1);
        if (largest < first || *value > last) return fail_here(m);
        m->position++;
    }
    return SLUICE_OK;
}

static bool is_high_surrogate(uint32_t value) { return value >= 0xD800 && value <= 0xDBFF; }

// Behind `\u`. A low surrogate stands only behind a high one, and a high one only before a low one.
static sluice_status read_unicode_escape(machine *m) {
    uint32_t value;
    const bool in_low_range = hex_value(peek(m)) == 0xD && m->position + 1 < m->end &&
                              hex_value(m->bytes[m->position + 1]) >= 0xC;
    if (in_low_range) {
        m->position++;
        return fail_here(m);
    }
    sluice_status status = read_unicode(m, 0, 0xFFFF, &value);
    if (status != SLUICE_OK || !is_high_surrogate(value)) return status;
    if (peek(m) != '\\') return fail_here(m);
    m->position++;
    if (peek(m) != 'u') return fail_here(m);
    m->position++;
    return read_unicode(m, 0xDC00, 0xDFFF, &value);
}

// At a backslash.
static sluice_status read_escape(machine *m) {
    m->flags |= SLUICE_HAS_ESCAPE;
    m->position++;
    switch (peek(m)) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        m->position++;
        return SLUICE_OK;
    case 'u':
        m->position++;
        return read_unicode_escape(m);
    default:
        return fail_here(m);
    }
}

// At a byte over 0x7F: one sequence of the Unicode Standard's table 3-7.
static sluice_status read_utf8(machine *m) {
    m->flags |= SLUICE_HAS_NON_ASCII;
    const uint8_t *at = m->bytes + m->position;
    const uint32_t room = m->end - m->position;
    const uint8_t lead = at[0];
    const uint32_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (length == 0 || length > room) return fail(m, m->position, SLUICE_ERROR_INVALID_UTF8);
    const uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;   // no overlong forms
    const uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;  // no surrogates, nothing over U+10FFFF
    bool valid = at[1] >= lowest && at[1] <= highest;
    for (uint32_t i = 2; i < length; i++) valid = valid && (at[i] & 0xC0) == 0x80;
    if (!valid) return fail(m, m->position, SLUICE_ERROR_INVALID_UTF8);
    m->position += length;
    return SLUICE_OK;
}

// At the opening quote.
static sluice_status read_string(machine *m) {
    m->position++;
    while (m->position < m->end) {
        const uint8_t byte = m->bytes[m->position];
        sluice_status status = SLUICE_OK;
        if (byte == '"') {
            m->position++;
            return SLUICE_OK;
        } else if (byte == '\\') {
            status = read_escape(m);
        } else if (byte >= 0x80) {
            status = read_utf8(m);
        } else if (byte < 0x20) {
            status = fail_here(m);
        } else {
            m->position++;
        }
        if (status != SLUICE_OK) return status;
    }
    return fail_here(m);
}

static sluice_status read_digits(machine *m) {
    if (!is_digit(peek(m))) return fail_here(m);
    while (is_digit(peek(m))) m->position++;
    return SLUICE_OK;
}

// At a minus or a digit. What may not follow a number is found by whoever looks for the next token.
static sluice_status read_number(machine *m) {
    sluice_status status = SLUICE_OK;
    if (peek(m) == '-') m->position++;
    if (peek(m) == '0') {
        m->position++;
    } else {
        status = read_digits(m);
    }
    if (status == SLUICE_OK && peek(m) == '.') {
        m->position++;
        status = read_digits(m);
    }
    if (status == SLUICE_OK && (peek(m) | 0x20) == 'e') {
        m->position++;
        if (peek(m) == '+' || peek(m) == '-') m->position++;
        status = read_digits(m);
    }
    return status;
}

static sluice_status read_literal(machine *m, const char *literal) {
    for (; *literal != 0; literal++, m->position++) {
        if (peek(m) != (uint8_t)*literal) return fail_here(m);
    }
    return SLUICE_OK;
}

static sluice_status read_scalar(machine *m) {
    const uint32_t start = m->position;
    const uint8_t first = peek(m);
    sluice_status status;
    switch (first) {
    case '"': status = read_string(m); break;
    case 't': status = read_literal(m, "true"); break;
    case 'f': status = read_literal(m, "false"); break;
    case 'n': status = read_literal(m, "null"); break;
    default: status = first == '-' || is_digit(first) ? read_number(m) : fail_here(m);
    }
    return status == SLUICE_OK ? emit(m, start) : status;
}

static bool in_object(const machine *m) { return m->objects[(m->depth - 1) / 64] >> ((m->depth - 1) % 64) & 1; }

static sluice_status open_container(machine *m, bool object) {
    const uint32_t above = m->form == SLUICE_JSON_ELEMENTS;  // the array itself
    if (m->depth + above == SLUICE_JSON_MAX_DEPTH) return fail(m, m->position, SLUICE_ERROR_JSON_TOO_DEEP);
    const uint64_t bit = (uint64_t)1 << (m->depth % 64);
    uint64_t *word = &m->objects[m->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    m->depth++;
    const uint32_t parent = m->container;
    m->container = m->tape_count;
    sluice_status status = emit(m, m->position++);
    return status == SLUICE_OK ? emit(m, parent) : status;
}

static sluice_status close_container(machine *m) {
    const uint32_t open = m->container;
    if (m->tape != NULL) {
        m->container = m->tape[open + 1];
        m->tape[open + 1] = m->tape_count;
    }
    m->depth--;
    return emit(m, m->position++);
}

static expectation behind_value(const machine *m) { return m->depth == 0 ? EXPECT_END : EXPECT_COMMA_OR_CLOSE; }

static sluice_status read_value(machine *m, expectation *expected) {
    const uint8_t first = peek(m);
    if (first == '{' || first == '[') {
        *expected = first == '{' ? EXPECT_MEMBER_OR_CLOSE : EXPECT_ELEMENT_OR_CLOSE;
        return open_container(m, first == '{');
    }
    *expected = behind_value(m);
    return read_scalar(m);
}

static sluice_status read_close(machine *m, expectation *expected) {
    const sluice_status status = close_container(m);
    *expected = behind_value(m);
    return status;
}

static sluice_status read_key(machine *m, expectation *expected) {
    if (peek(m) != '"') return fail_here(m);
    *expected = EXPECT_COLON;
    return read_scalar(m);
}

// At the first byte of a token.
static sluice_status read_token(machine *m, expectation *expected) {
    const uint8_t first = peek(m);
    switch (*expected) {
    case EXPECT_VALUE: return read_value(m, expected);
    case EXPECT_ELEMENT_OR_CLOSE: return first == ']' ? read_close(m, expected) : read_value(m, expected);
    case EXPECT_MEMBER_OR_CLOSE: return first == '}' ? read_close(m, expected) : read_key(m, expected);
    case EXPECT_KEY: return read_key(m, expected);
    case EXPECT_COLON:
        if (first != ':') return fail_here(m);
        *expected = EXPECT_VALUE;
        break;
    case EXPECT_COMMA_OR_CLOSE:
        if (first == (in_object(m) ? '}' : ']')) return read_close(m, expected);
        if (first != ',') return fail_here(m);
        *expected = in_object(m) ? EXPECT_KEY : EXPECT_VALUE;
        break;
    case EXPECT_END: return fail_here(m);
    }
    m->position++;
    return SLUICE_OK;
}

// Whether what stands behind a document is its end.
static bool is_over(const machine *m) {
    if (m->form != SLUICE_JSON_ELEMENTS) return m->position == m->end;
    return peek(m) == ',' || peek(m) == ']';
}

// Reads one document, up to the end of the bytes or the byte behind an element.
static sluice_status read_document(machine *m) {
    expectation expected = EXPECT_VALUE;
    m->depth = 0;
    m->container = 0;
    for (;;) {
        skip_white(m);
        if (expected == EXPECT_END && is_over(m)) return SLUICE_OK;
        const sluice_status status = read_token(m, &expected);
        if (status != SLUICE_OK) return status;
    }
}

sluice_status sluice_json_validate(
    const uint8_t *bytes, size_t length, uint32_t *tape, uint32_t *tape_count, uint32_t *error_offset) {
    machine m = {.bytes = bytes, .end = (uint32_t)length, .tape = tape};
    if (tape != NULL) m.tape_capacity = *tape_count;
    const sluice_status status = read_document(&m);
    if (tape_count != NULL) *tape_count = m.tape_count;
    if (status < 0) *error_offset = m.error_offset;
    return status;
}

// Reads the record at m->position and adds its row.
static sluice_status index_record(machine *m, sluice_json_index *index) {
    const uint32_t start = m->position;
    if (index->row_count + 2 > index->rows_capacity) return SLUICE_INDEX_FULL;
    const sluice_status status = read_document(m);
    if (status != SLUICE_OK) return status;
    uint32_t end = m->position;
    while (is_white(m->bytes[end - 1])) end--;
    index->rows[index->row_count++] = (sluice_json_row){.tape = index->tape_count, .start = start, .end = end};
    index->rows[index->row_count].tape = m->tape_count;
    index->tape_count = m->tape_count;
    return SLUICE_OK;
}

// Reads the line at m->position, blank or not.
static sluice_status index_line(machine *m, sluice_json_index *index, uint32_t length) {
    const uint8_t *line_end = memchr(m->bytes + m->position, '\n', length - m->position);
    m->end = line_end == NULL ? length : (uint32_t)(line_end - m->bytes);
    skip_white(m);
    if (m->position == m->end) {
        index->skipped++;
    } else {
        const sluice_status status = index_record(m, index);
        if (status != SLUICE_OK) return status;
    }
    m->position += line_end != NULL;
    return SLUICE_OK;
}

// Reads the element at m->position, and what ends it. Behind the closing bracket nothing is left but white space.
static sluice_status index_element(machine *m, sluice_json_index *index) {
    skip_white(m);
    const sluice_status status = index_record(m, index);
    if (status != SLUICE_OK) return status;
    if (m->bytes[m->position++] == ',') return SLUICE_OK;
    index->position = m->position;
    skip_white(m);
    return m->position == m->end ? SLUICE_OK : fail_here(m);
}

static sluice_status index_text(machine *m, sluice_json_index *index) {
    skip_white(m);
    return index_record(m, index);
}

sluice_status sluice_scalar_json_index(sluice_json_index *index, const uint8_t *bytes, size_t length) {
    machine m = {.bytes = bytes, .tape = index->tape, .tape_capacity = index->tape_capacity, .form = index->form};
    if (index->row_count >= index->rows_capacity) return SLUICE_INDEX_FULL;
    index->rows[index->row_count].tape = index->tape_count;
    while (index->position < length) {
        m.position = index->position;
        m.end = (uint32_t)length;
        m.tape_count = index->tape_count;
        const sluice_status status = m.form == SLUICE_JSON_LINES      ? index_line(&m, index, m.end)
                                     : m.form == SLUICE_JSON_ELEMENTS ? index_element(&m, index)
                                                                      : index_text(&m, index);
        index->flags |= m.flags;
        index->error_offset = m.error_offset;
        if (status != SLUICE_OK) return status;
        index->position = m.position;
    }
    return SLUICE_OK;
}

static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

// Counts the line that ends before `end`, one past its LF.
static void end_line(sluice_jsonl_scanner *scanner, uint32_t end) {
    scanner->records += scanner->in_record;
    scanner->skipped += !scanner->in_record;
    scanner->in_record = 0;
    scanner->record_end = end;
}

sluice_status sluice_scalar_jsonl_cut(
    sluice_jsonl_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records) {
    while (scanner->records < max_records && scanner->position < length) {
        const uint8_t byte = bytes[scanner->position++];
        if (byte == '\n') {
            end_line(scanner, scanner->position);
        } else if (!is_blank(byte)) {
            scanner->in_record = 1;
        }
    }
    if (scanner->records >= max_records) return SLUICE_OK;
    if (!final) return SLUICE_NEED_INPUT;
    if (scanner->record_end < length) end_line(scanner, (uint32_t)length);
    return SLUICE_OK;
}

// Ends the element before `end`, one past what ends it.
static void end_element(sluice_json_scanner *scanner, uint32_t end) {
    scanner->records++;
    scanner->record_end = end;
}

// One byte. Backslashes count outside strings too: what they do to a quote there makes no JSON.
static void cut_byte(sluice_json_scanner *scanner, uint8_t byte) {
    const bool escaped = scanner->escaped;
    scanner->escaped = !escaped && byte == '\\';
    scanner->position++;
    if (byte == '"' && !escaped) {
        scanner->in_string = !scanner->in_string;
    } else if (scanner->in_string) {
        return;
    } else if (byte == '{' || byte == '[') {
        scanner->depth++;
    } else if (byte == '}' || byte == ']') {
        scanner->closed = scanner->depth == 0;
        if (scanner->closed) end_element(scanner, scanner->position);
        else scanner->depth--;
    } else if (byte == ',' && scanner->depth == 0) {
        end_element(scanner, scanner->position);
    }
}

sluice_status sluice_scalar_json_cut(
    sluice_json_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records) {
    while (!scanner->closed && scanner->records < max_records && scanner->position < length) {
        cut_byte(scanner, bytes[scanner->position]);
    }
    if (scanner->closed) return SLUICE_END;
    if (scanner->records >= max_records) return SLUICE_OK;
    if (!final) return SLUICE_NEED_INPUT;
    for (size_t i = scanner->record_end; i < length; i++) {
        if (is_white(bytes[i])) continue;
        end_element(scanner, (uint32_t)length);
        break;
    }
    return SLUICE_OK;
}
