// CSV, one byte at a time: the machine that defines what every kernel does.
//
// 1. `step` is the whole grammar: a pure function from (dialect, state, byte) to the next state and what the byte meant.
// 2. A byte is taken whole or not at all: whoever cannot act on what it meant (an array is full, a record is ragged, text
//    behind a quote) returns before the scanner changes. So every call may be repeated, and an error stays an error.
// 3. All that is known of the bytes before `position` is in the scanner, hence a call may end and resume at any byte.
// 4. `record_start == record_end` from the first line end on: a record starts where the one before it ended.
// 5. `quote_start` is where the last quoted field began, known while it is open: a cut names it as the field that
//    nothing closes. Kernels may find it late.
// 6. Inside a field, quoted or not, a byte that no rule names leaves the machine as it is: a run of them is passed over.

#include "include/sluice_csv.h"

#include <assert.h>
#include <string.h>

#include "scan/internal.h"

typedef enum event {
    EVENT_DATA,         // the byte belongs to a field (or is a CR of which that is not known yet)
    EVENT_OPEN,         // ... and opens a quoted one
    EVENT_FIELD_END,
    EVENT_RECORD_END,   // ends the field too
    EVENT_COMMENT_END,
    EVENT_STRAY_TEXT,   // the byte may not stand behind a closing quote
    EVENT_STRAY_RETURN  // the CR before the byte may not
} event;

typedef struct transition {
    uint8_t state;
    uint8_t event;
} transition;

static bool ends_in_return(uint8_t state) { return state == SLUICE_CSV_UNQUOTED_CR || state == SLUICE_CSV_QUOTE_CR; }

// A quote that is its own escape is the same as doubling.
static bool has_escape(const sluice_csv_dialect *dialect) {
    return dialect->escape != 0 && dialect->escape != dialect->quote;
}

static uint8_t line_end(const sluice_csv_dialect *dialect) { return dialect->carriage_return ? '\r' : '\n'; }

static transition step_comment(const sluice_csv_dialect *dialect, uint8_t byte) {
    if (byte == line_end(dialect)) return (transition){SLUICE_CSV_RECORD_START, EVENT_COMMENT_END};
    return (transition){SLUICE_CSV_COMMENT, EVENT_DATA};
}

// A byte outside quotes. `text` and `text_return` are the states that data and a CR lead to.
static transition step_outside(const sluice_csv_dialect *dialect, uint8_t byte, uint8_t text, uint8_t text_return) {
    if (byte == dialect->delimiter) return (transition){SLUICE_CSV_FIELD_START, EVENT_FIELD_END};
    if (byte == line_end(dialect)) return (transition){SLUICE_CSV_RECORD_START, EVENT_RECORD_END};
    return (transition){byte == '\r' ? text_return : text, EVENT_DATA};
}

// A byte behind a closing quote, or behind such a quote and a CR.
static transition step_after_quote(const sluice_csv_dialect *dialect, uint8_t state, uint8_t byte) {
    const transition next = step_outside(dialect, byte, SLUICE_CSV_AFTER_QUOTE, SLUICE_CSV_QUOTE_CR);
    if (dialect->lenient || next.event == EVENT_RECORD_END) return next;
    if (state == SLUICE_CSV_QUOTE_CR) return (transition){state, EVENT_STRAY_RETURN};
    if (next.state == SLUICE_CSV_AFTER_QUOTE) return (transition){state, EVENT_STRAY_TEXT};
    return next;
}

static transition step_quoted(const sluice_csv_dialect *dialect, uint8_t byte) {
    if (has_escape(dialect) && byte == dialect->escape) return (transition){SLUICE_CSV_QUOTED_ESCAPE, EVENT_DATA};
    return (transition){byte == dialect->quote ? SLUICE_CSV_QUOTE : SLUICE_CSV_QUOTED, EVENT_DATA};
}

static transition step(const sluice_csv_dialect *dialect, uint8_t state, uint8_t byte) {
    const bool is_quote = dialect->quote != 0 && byte == dialect->quote;
    switch (state) {
    case SLUICE_CSV_COMMENT: return step_comment(dialect, byte);
    case SLUICE_CSV_RECORD_START:
        if (dialect->comment != 0 && byte == dialect->comment) return (transition){SLUICE_CSV_COMMENT, EVENT_DATA};
        // Fall through.
    case SLUICE_CSV_FIELD_START:
        if (is_quote) return (transition){SLUICE_CSV_QUOTED, EVENT_OPEN};
        break;
    case SLUICE_CSV_QUOTED: return step_quoted(dialect, byte);
    case SLUICE_CSV_QUOTED_ESCAPE: return (transition){SLUICE_CSV_QUOTED, EVENT_DATA};
    case SLUICE_CSV_QUOTE:
        if (is_quote && !has_escape(dialect)) return (transition){SLUICE_CSV_QUOTED, EVENT_DATA};
        return step_after_quote(dialect, state, byte);
    case SLUICE_CSV_QUOTE_CR: return step_after_quote(dialect, state, byte);
    case SLUICE_CSV_AFTER_QUOTE: return step_outside(dialect, byte, SLUICE_CSV_AFTER_QUOTE, SLUICE_CSV_QUOTE_CR);
    default: break;
    }
    return step_outside(dialect, byte, SLUICE_CSV_UNQUOTED, SLUICE_CSV_UNQUOTED_CR);
}

// The end of the input, which ends a record that has any byte, or a comment.
static sluice_status step_end(sluice_csv_scanner *scanner, uint8_t *event) {
    const uint8_t state = scanner->state;
    *event = EVENT_DATA;
    if (state == SLUICE_CSV_QUOTED || state == SLUICE_CSV_QUOTED_ESCAPE) {
        scanner->error_offset = scanner->quote_start;
        return SLUICE_ERROR_UNCLOSED_QUOTE;
    }
    if (state == SLUICE_CSV_QUOTE_CR && !scanner->dialect.lenient) {
        scanner->error_offset = scanner->position - 1;
        return SLUICE_ERROR_TEXT_AFTER_QUOTE;
    }
    if (state != SLUICE_CSV_RECORD_START) *event = state == SLUICE_CSV_COMMENT ? EVENT_COMMENT_END : EVENT_RECORD_END;
    return SLUICE_OK;
}

static sluice_status stray(sluice_csv_scanner *scanner, uint8_t event) {
    scanner->error_offset = scanner->position - (event == EVENT_STRAY_RETURN);
    return SLUICE_ERROR_TEXT_AFTER_QUOTE;
}

// Where a field ends that the byte at `position`, of this event, ends: the CR of a CRLF is none of it.
static uint32_t field_end(const sluice_csv_scanner *scanner, uint8_t event) {
    return scanner->position - (event == EVENT_RECORD_END && ends_in_return(scanner->state));
}

static void take(sluice_csv_scanner *scanner, transition next) {
    if (next.event == EVENT_OPEN) scanner->quote_start = scanner->position;
    scanner->state = next.state;
    scanner->position += 1;
    const bool ends = next.event == EVENT_RECORD_END || next.event == EVENT_COMMENT_END;
    if (ends) scanner->record_start = scanner->record_end = scanner->position;
}

static void take_end(sluice_csv_scanner *scanner) {
    scanner->state = SLUICE_CSV_RECORD_START;
    scanner->record_start = scanner->record_end = scanner->position;
}

// See (6). Nor do these bytes set a flag.
static inline void pass_plain(sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length) {
    const sluice_csv_dialect dialect = scanner->dialect;
    if (scanner->state == SLUICE_CSV_COMMENT && scanner->position < length) {
        const uint8_t *end = memchr(bytes + scanner->position, line_end(&dialect), length - scanner->position);
        scanner->position = end == NULL ? (uint32_t)length : (uint32_t)(end - bytes);
    }
    if (scanner->state != SLUICE_CSV_UNQUOTED && scanner->state != SLUICE_CSV_QUOTED) return;
    uint32_t position = scanner->position;
    while (position < length) {
        const uint8_t byte = bytes[position];
        const bool is_named = byte == dialect.delimiter || byte == dialect.quote || byte == dialect.escape;
        if (is_named || byte < 0x20 || byte > 0x7F || byte == '\\' || byte == '"') break;
        position += 1;
    }
    scanner->position = position;
}

// MARK: cut

static inline sluice_status cut(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records) {
    while (scanner->records < max_records) {
        pass_plain(scanner, bytes, length);
        if (scanner->position == length) {
            uint8_t event = EVENT_DATA;
            const sluice_status status = final ? step_end(scanner, &event) : SLUICE_NEED_INPUT;
            if (event == EVENT_DATA) return status;
            *(event == EVENT_COMMENT_END ? &scanner->skipped : &scanner->records) += 1;
            take_end(scanner);
            return status;
        }
        const transition next = step(&scanner->dialect, scanner->state, bytes[scanner->position]);
        if (next.event >= EVENT_STRAY_TEXT) return stray(scanner, next.event);
        if (next.event == EVENT_RECORD_END) {
            const bool blank = field_end(scanner, next.event) == scanner->record_start;
            *(blank ? &scanner->skipped : &scanner->records) += 1;
        }
        if (next.event == EVENT_COMMENT_END) scanner->skipped += 1;
        take(scanner, next);
    }
    return SLUICE_OK;
}

// On a copy, which no store to an array can change: the compiler keeps it in registers.
sluice_status sluice_scalar_csv_cut(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, uint32_t max_records) {
    assert(length <= UINT32_MAX && scanner->position <= length);
    sluice_csv_scanner copy = *scanner;
    const sluice_status status = cut(&copy, bytes, length, final, max_records);
    *scanner = copy;
    return status;
}

// MARK: index

static uint32_t flags_of(const sluice_csv_dialect *dialect, uint8_t state, uint8_t byte, transition next) {
    if (next.state == SLUICE_CSV_COMMENT || next.event == EVENT_COMMENT_END) return 0;
    uint32_t flags = byte > 0x7F ? SLUICE_HAS_NON_ASCII : 0;
    if (dialect->quote != 0 && byte == dialect->quote) flags |= SLUICE_HAS_QUOTE;
    const bool may_end_a_line = byte == '\r' || (byte == '\n' && next.state == SLUICE_CSV_QUOTED);
    const bool control = byte < 0x20 && next.event == EVENT_DATA && !may_end_a_line;
    const bool bare_return = ends_in_return(state) && next.event != EVENT_RECORD_END;
    const bool other_quote = byte == '"' && dialect->quote != '"';
    return flags | (byte == '\\' || other_quote || control || bare_return ? SLUICE_HAS_ESCAPE : 0);
}

static sluice_status index_field(sluice_csv_scanner *scanner, sluice_csv_index *index, uint32_t end) {
    if (scanner->fields < scanner->columns) {
        const size_t entry = (size_t)scanner->records * scanner->columns + scanner->fields;
        if (entry >= index->ends_capacity) return SLUICE_INDEX_FULL;
        index->ends[entry] = end;
    }
    scanner->fields += 1;
    return SLUICE_OK;
}

static bool is_ragged(const sluice_csv_scanner *scanner, uint32_t fields) {
    switch (scanner->dialect.ragged) {
    case SLUICE_CSV_RAGGED_PAD: return fields > scanner->columns;
    case SLUICE_CSV_RAGGED_TRUNCATE: return false;
    default: return fields != scanner->columns;
    }
}

// The record's last field ends at `end`; those it lacks end there too, one before their start.
static sluice_status index_record(sluice_csv_scanner *scanner, sluice_csv_index *index, uint32_t end) {
    if (end == scanner->record_start) {
        scanner->skipped += 1;
        return SLUICE_OK;
    }
    if (is_ragged(scanner, scanner->fields + 1)) {
        scanner->error_offset = scanner->record_start;
        scanner->error_fields = scanner->fields + 1;
        return SLUICE_ERROR_RAGGED_RECORD;
    }
    const size_t first = (size_t)scanner->records * scanner->columns;
    if (scanner->records >= index->rows_capacity || first + scanner->columns > index->ends_capacity) {
        return SLUICE_INDEX_FULL;
    }
    for (uint32_t field = scanner->fields; field < scanner->columns; field++) index->ends[first + field] = end;
    if (scanner->fields + 1 < scanner->columns) index->flags |= SLUICE_HAS_ABSENT;
    index->row_starts[scanner->records] = scanner->record_start;
    scanner->records += 1;
    scanner->fields = 0;
    return SLUICE_OK;
}

static sluice_status index_end(sluice_csv_scanner *scanner, sluice_csv_index *index) {
    uint8_t event;
    const sluice_status status = step_end(scanner, &event);
    if (event == EVENT_DATA) return status;
    if (event == EVENT_RECORD_END) {
        const bool bare_return = ends_in_return(scanner->state);
        const sluice_status recorded = index_record(scanner, index, scanner->position);
        if (recorded != SLUICE_OK) return recorded;
        index->flags |= bare_return ? SLUICE_HAS_ESCAPE : 0;
    } else {
        scanner->skipped += 1;
    }
    take_end(scanner);
    return SLUICE_OK;
}

static inline sluice_status index_all(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, sluice_csv_index *index) {
    for (pass_plain(scanner, bytes, length); scanner->position < length; pass_plain(scanner, bytes, length)) {
        const uint8_t byte = bytes[scanner->position];
        const transition next = step(&scanner->dialect, scanner->state, byte);
        if (next.event >= EVENT_STRAY_TEXT) return stray(scanner, next.event);
        const uint32_t flags = flags_of(&scanner->dialect, scanner->state, byte, next);
        sluice_status status = SLUICE_OK;
        if (next.event == EVENT_FIELD_END) status = index_field(scanner, index, scanner->position);
        if (next.event == EVENT_RECORD_END) status = index_record(scanner, index, field_end(scanner, next.event));
        if (next.event == EVENT_COMMENT_END) scanner->skipped += 1;
        if (status != SLUICE_OK) return status;
        index->flags |= flags;
        take(scanner, next);
    }
    return final ? index_end(scanner, index) : SLUICE_NEED_INPUT;
}

sluice_status sluice_scalar_csv_index(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final, sluice_csv_index *index) {
    assert(length <= UINT32_MAX && scanner->position <= length);
    sluice_csv_scanner copy = *scanner;
    sluice_csv_index to = *index;
    const sluice_status status = index_all(&copy, bytes, length, final, &to);
    *scanner = copy;
    index->flags = to.flags;
    return status;
}

// MARK: the first record

// Whether the first line end outside quotes is a CR that no LF follows. `scanner` is a copy, moved on to find out.
static bool ends_in_bare_return(sluice_csv_scanner scanner, const uint8_t *bytes, size_t length, bool final) {
    while (scanner.position < length) {
        const uint8_t byte = bytes[scanner.position];
        if (ends_in_return(scanner.state)) return byte != '\n';
        if (scanner.state == SLUICE_CSV_COMMENT && byte == '\r') {
            return scanner.position + 1 < length ? bytes[scanner.position + 1] != '\n' : final;
        }
        const transition next = step(&scanner.dialect, scanner.state, byte);
        if (next.event >= EVENT_RECORD_END) return false;
        take(&scanner, next);
    }
    return final && ends_in_return(scanner.state);
}

// Cuts the record, then indexes it as one of `capacity` columns: fields that it lacks end where the last one does.
sluice_status sluice_csv_first_record(
    sluice_csv_scanner *scanner, const uint8_t *bytes, size_t length, bool final,
    uint32_t *ends, uint32_t capacity, uint32_t *fields, uint32_t *start) {
    sluice_csv_scanner cut = *scanner;
    cut.record_start = cut.position;
    *fields = 0;
    if (ends_in_bare_return(cut, bytes, length, final)) cut.dialect.carriage_return = 1;

    sluice_csv_scanner record = cut;
    const sluice_status status = sluice_scalar_csv_cut(&cut, bytes, length, final, 1);
    if (status == SLUICE_NEED_INPUT) return status;
    if (cut.records != 0) {
        record.columns = capacity;
        record.dialect.ragged = SLUICE_CSV_RAGGED_PAD;
        sluice_csv_index index = {.ends = ends, .row_starts = start, .ends_capacity = capacity, .rows_capacity = 1};
        if (sluice_scalar_csv_index(&record, bytes, cut.position, true, &index) != SLUICE_OK) return SLUICE_INDEX_FULL;
        *fields = 1;
        while (*fields < capacity && ends[*fields] > ends[*fields - 1]) *fields += 1;
    }
    *scanner = cut;
    return status;
}

// MARK: content

// Copies, or with `out` NULL only measures.
static size_t append(uint8_t *out, size_t written, const uint8_t *bytes, size_t length) {
    if (out != NULL) memmove(out + written, bytes, length);
    return written + length;
}

// The next byte that is no plain content: the quote, or the escape byte.
static const uint8_t *find_special(const uint8_t *at, const uint8_t *end, const sluice_csv_dialect *dialect) {
    if (!has_escape(dialect)) {
        const uint8_t *found = memchr(at, dialect->quote, (size_t)(end - at));
        return found == NULL ? end : found;
    }
    while (at < end && *at != dialect->quote && *at != dialect->escape) at++;
    return at;
}

size_t sluice_csv_field_content(
    const uint8_t *field, size_t length, const sluice_csv_dialect *dialect, uint8_t *out) {
    if (length == 0 || dialect->quote == 0 || field[0] != dialect->quote) return append(out, 0, field, length);
    const uint8_t *at = field + 1;
    const uint8_t *const end = field + length;
    size_t written = 0;
    while (at < end) {
        const uint8_t *special = find_special(at, end, dialect);
        written = append(out, written, at, (size_t)(special - at));
        if (special == end) break;
        at = special + 1;
        const bool doubled = at < end && *at == dialect->quote && !has_escape(dialect);
        const bool closing = *special == dialect->quote && !doubled;
        if (closing) return append(out, written, at, (size_t)(end - at));
        if (at < end) written = append(out, written, at++, 1);
    }
    return written;
}
