// Reading JSON that is known to be valid: looking for keys in tapes, and the content of strings.

#include "include/sluice_json.h"

#include <string.h>

static bool is_white(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

// Whether one of the eight bytes of `word` is `byte`: only then does subtracting borrow into a byte's top bit that was 0.
static bool word_has(uint64_t word, uint8_t byte) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t zero_where_equal = word ^ (ones * byte);
    return ((zero_where_equal - ones) & ~zero_where_equal & (ones << 7)) != 0;
}

// The closing quote of the literal whose opening quote is at `literal`. Reads up to 7 bytes behind it: padding.
static const uint8_t *closing_quote(const uint8_t *literal) {
    const uint8_t *at = literal + 1;
    for (;;) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        while (!word_has(word, '"') && !word_has(word, '\\')) {
            at += sizeof word;
            memcpy(&word, at, sizeof word);
        }
        while (*at != '"' && *at != '\\') at++;
        if (*at == '"') return at;
        at += 2;
    }
}

static uint32_t hex_value(uint8_t byte) {
    return byte <= '9' ? byte - (uint32_t)'0' : (byte | 0x20u) - (uint32_t)'a' + 10;
}

static uint32_t hex4_value(const uint8_t *digits) {
    return hex_value(digits[0]) << 12 | hex_value(digits[1]) << 8 | hex_value(digits[2]) << 4 | hex_value(digits[3]);
}

static size_t encode_utf8(uint32_t scalar, uint8_t out[4]) {
    if (scalar < 0x80) {
        out[0] = (uint8_t)scalar;
        return 1;
    }
    const size_t length = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, scalar >>= 6) out[i] = (uint8_t)(0x80 | (scalar & 0x3F));
    out[0] = (uint8_t)((0xF00u >> length) & 0xFF) | (uint8_t)scalar;
    return length;
}

static uint8_t simple_escape(uint8_t letter) {
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;  // quote, backslash, slash
    }
}

// Decodes the escape whose backslash is at *at, and moves *at behind it. Returns the length of what it means.
static size_t decode_escape(const uint8_t **at, uint8_t out[4]) {
    const uint8_t *escape = *at;
    if (escape[1] != 'u') {
        *at = escape + 2;
        out[0] = simple_escape(escape[1]);
        return 1;
    }
    *at = escape + 6;
    const uint32_t first = hex4_value(escape + 2);
    if (first < 0xD800 || first > 0xDFFF) return encode_utf8(first, out);
    *at = escape + 12;
    return encode_utf8(0x10000 + ((first - 0xD800) << 10) + (hex4_value(escape + 8) - 0xDC00), out);
}

size_t sluice_json_string_content(const uint8_t *literal, uint8_t *out) {
    const uint8_t *const end = closing_quote(literal);
    const uint8_t *at = literal + 1;
    size_t length = 0;
    while (at < end) {
        const uint8_t *escape = memchr(at, '\\', (size_t)(end - at));
        const size_t plain = (size_t)((escape == NULL ? end : escape) - at);
        if (out != NULL) memcpy(out + length, at, plain);
        length += plain;
        at += plain;
        if (escape == NULL) break;
        uint8_t decoded[4];
        const size_t count = decode_escape(&at, decoded);
        if (out != NULL) memcpy(out + length, decoded, count);
        length += count;
    }
    return length;
}

// Compares a key that has escapes, decoding one piece after the other.
static bool escaped_key_equals(const uint8_t *literal, const uint8_t *name, size_t length) {
    const uint8_t *at = literal + 1;
    size_t matched = 0;
    while (*at != '"') {
        uint8_t piece[4] = {*at};
        size_t count = 1;
        if (*at == '\\') {
            count = decode_escape(&at, piece);
        } else {
            at++;
        }
        if (count > length - matched || memcmp(piece, name + matched, count) != 0) return false;
        matched += count;
    }
    return matched == length;
}

bool sluice_json_key_equals(
    const uint8_t *bytes, uint32_t offset, const uint8_t *name, size_t length, uint32_t flags) {
    const uint8_t *literal = bytes + offset;
    if (flags & SLUICE_HAS_ESCAPE) return escaped_key_equals(literal, name, length);
    // A quote in `name` would be an escape in a key, so the loop cannot run over the key's own end.
    for (size_t i = 0; i < length; i++) {
        if (literal[1 + i] != name[i] || name[i] == '"') return false;
    }
    return literal[1 + length] == '"';
}

static bool is_container(uint8_t first) { return first == '{' || first == '['; }

// Whether the value at `offset` is known to be inside a container, so that there is a tape entry behind it. Before a value
// that is a whole record stand at most white space and another line.
static bool is_inside(const uint8_t *bytes, uint32_t offset) {
    while (offset > 0 && bytes[offset - 1] == ' ') offset--;
    return offset > 0 && (bytes[offset - 1] == ':' || bytes[offset - 1] == ',' || bytes[offset - 1] == '[');
}

uint32_t sluice_json_value_end(const uint8_t *bytes, const uint32_t *tape, uint32_t position) {
    const uint8_t *at = bytes + tape[position];
    if (is_container(*at)) return tape[tape[position + 1]] + 1;
    if (is_inside(bytes, tape[position])) {
        // From the next entry back is a shorter way than over the text of a scalar.
        uint32_t end = tape[position + 1];
        while (is_white(bytes[end - 1]) || bytes[end - 1] == ',') end--;
        return end;
    }
    if (*at == '"') return (uint32_t)(closing_quote(at) - bytes) + 1;
    // What follows a number or literal inside a container is white space, a comma or a bracket; all letters are over '9'
    // but no bracket is a letter.
    while ((*at >= '0' && *at <= '9') || *at == '-' || *at == '+' || *at == '.' || ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')) at++;
    return (uint32_t)(at - bytes);
}

// Tape position of what follows the value at `position`.
static uint32_t next_position(const uint8_t *bytes, const uint32_t *tape, uint32_t position) {
    return is_container(bytes[tape[position]]) ? tape[position + 1] + 1 : position + 1;
}

// A name prepared for comparing: the first (up to eight) bytes of the key as it stands in the text, closing quote too. A name
// with a byte that keys hold only as an escape has a head that no masked word equals.
typedef struct needle {
    const uint8_t *name;
    uint32_t length;
    bool dotted;
    uint64_t head;
    uint64_t mask;
} needle;

static needle make_needle(const uint8_t *name, uint32_t length) {
    needle n = {.name = name, .length = length};
    uint8_t head[8] = {0};
    uint8_t mask[8] = {0};
    bool plain = true;
    for (uint32_t i = 0; i < length; i++) {
        plain = plain && name[i] >= 0x20 && name[i] != '"' && name[i] != '\\';
        n.dotted = n.dotted || name[i] == '.';
    }
    for (uint32_t i = 0; plain && i <= length && i < 8; i++) {
        head[i] = i < length ? name[i] : '"';
        mask[i] = 0xFF;
    }
    memcpy(&n.head, head, sizeof head);
    memcpy(&n.mask, mask, sizeof mask);
    if (!plain) n.head = 1;
    return n;
}

// The first bytes that keys of needles may have in the text, a bit each: most keys of an object fail here already.
typedef struct first_bytes {
    uint64_t bits[4];
} first_bytes;

static void add_first_byte(first_bytes *set, uint8_t byte) { set->bits[byte / 64] |= (uint64_t)1 << (byte % 64); }
static bool has_first_byte(const first_bytes *set, uint8_t byte) { return set->bits[byte / 64] >> (byte % 64) & 1; }

static first_bytes first_bytes_of(const needle *needles, uint32_t count, uint32_t flags) {
    first_bytes set = {{0}};
    for (uint32_t i = 0; i < count; i++) add_first_byte(&set, needles[i].length > 0 ? needles[i].name[0] : '"');
    if (flags & SLUICE_HAS_ESCAPE) add_first_byte(&set, '\\');
    return set;
}

// Whether the key at `literal`, whose value starts `room` bytes on, is the needle as it stands.
static bool plain_key_equals(const uint8_t *literal, uint32_t room, const needle *n) {
    uint64_t head;
    memcpy(&head, literal + 1, sizeof head);
    if ((head & n->mask) != n->head) return false;
    if (n->length < 8) return true;
    return room >= n->length + 3 && memcmp(literal + 9, n->name + 8, n->length - 8) == 0 && literal[1 + n->length] == '"';
}

static bool key_equals(const uint8_t *literal, uint32_t room, const needle *n, uint32_t flags) {
    if (plain_key_equals(literal, room, n)) return true;
    if (!(flags & SLUICE_HAS_ESCAPE) || n->length == 0) return false;
    const bool alike = literal[1] == n->name[0] || literal[1] == '\\';
    return alike && escaped_key_equals(literal, n->name, n->length);
}

#define GROUP 8  // names that one walk looks for

// One walk over the members of the object at tape position `object`: found[i] becomes the tape position of the value of
// the last member that needles[i] names, or ABSENT.
static void find_members(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, uint32_t flags,
    const needle *needles, uint32_t count, const first_bytes *firsts, uint32_t *found) {
    for (uint32_t i = 0; i < count; i++) found[i] = SLUICE_JSON_ABSENT;
    if (bytes[tape[object]] != '{') return;
    const uint32_t close = tape[object + 1];
    for (uint32_t at = object + 2; at < close; at = next_position(bytes, tape, at + 1)) {
        const uint8_t *literal = bytes + tape[at];
        if (!has_first_byte(firsts, literal[1])) continue;
        for (uint32_t i = 0; i < count; i++) {
            if (key_equals(literal, tape[at + 1] - tape[at], &needles[i], flags)) found[i] = at + 1;
        }
    }
}

static uint32_t find_member(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, uint32_t flags, const uint8_t *name, uint32_t length) {
    const needle n = make_needle(name, length);
    const first_bytes firsts = first_bytes_of(&n, 1, flags);
    uint32_t found;
    find_members(bytes, tape, object, flags, &n, 1, &firsts, &found);
    return found;
}

// The value of `path` in the object at tape position `object` by its steps, the longest first step first. Calls itself once
// a step, and only where an object has that step: no deeper than SLUICE_JSON_MAX_DEPTH.
static uint32_t find_by_steps(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, uint32_t flags, const uint8_t *path, uint32_t length) {
    for (uint32_t dot = length; dot-- > 0;) {
        if (path[dot] != '.') continue;
        const uint32_t nested = find_member(bytes, tape, object, flags, path, dot);
        if (nested == SLUICE_JSON_ABSENT) continue;
        const uint8_t *rest = path + dot + 1;
        const uint32_t rest_length = length - dot - 1;
        uint32_t found = find_member(bytes, tape, nested, flags, rest, rest_length);
        if (found == SLUICE_JSON_ABSENT) found = find_by_steps(bytes, tape, nested, flags, rest, rest_length);
        if (found != SLUICE_JSON_ABSENT) return found;
    }
    return SLUICE_JSON_ABSENT;
}

// Up to GROUP paths of all rows; `out` takes path_count entries a row.
static void project_group(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count, uint32_t flags,
    const sluice_json_path *paths, uint32_t group, uint32_t path_count, uint32_t *out) {
    needle needles[GROUP];
    for (uint32_t i = 0; i < group; i++) needles[i] = make_needle(paths[i].name, paths[i].length);
    const first_bytes firsts = first_bytes_of(needles, group, flags);
    for (uint32_t row = 0; row < count; row++, out += path_count) {
        const uint32_t object = rows[row].tape;
        find_members(bytes, tape, object, flags, needles, group, &firsts, out);
        for (uint32_t i = 0; i < group; i++) {
            if (out[i] != SLUICE_JSON_ABSENT || !needles[i].dotted) continue;
            out[i] = find_by_steps(bytes, tape, object, flags, needles[i].name, needles[i].length);
        }
    }
}

void sluice_json_project(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count, uint32_t flags,
    const sluice_json_path *paths, uint32_t path_count, uint32_t *out) {
    for (uint32_t first = 0; first < path_count; first += GROUP) {
        const uint32_t group = path_count - first < GROUP ? path_count - first : GROUP;
        project_group(bytes, tape, rows, count, flags, paths + first, group, path_count, out + first);
    }
}

size_t sluice_json_compact(const uint8_t *text, size_t length, uint8_t *out) {
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        if (text[at] == '"') {
            const size_t literal = (size_t)(closing_quote(text + at) - (text + at)) + 1;
            memcpy(out + written, text + at, literal);
            written += literal;
            at += literal;
        } else {
            out[written] = text[at];
            written += !is_white(text[at]);
            at++;
        }
    }
    return written;
}

// The path among `keys` that the key at `offset` means; `count` if none. Keys mostly come in the order of the columns, so the
// search starts behind the one found last.
static uint32_t find_key(
    const uint8_t *bytes, uint32_t offset, uint32_t flags, const sluice_json_path *keys, uint32_t count, uint32_t expected) {
    for (uint32_t step = 0; step < count; step++) {
        const uint32_t key = expected + step < count ? expected + step : expected + step - count;
        if (sluice_json_key_equals(bytes, offset, keys[key].name, keys[key].length, flags)) return key;
    }
    return count;
}

uint32_t sluice_json_project_keys(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count, uint32_t flags,
    const sluice_json_path *keys, uint32_t key_count, uint32_t *out) {
    uint32_t first_unknown = count;
    for (uint32_t row = 0; row < count; row++, out += key_count) {
        memset(out, 0xFF, key_count * sizeof *out);
        uint32_t position = rows[row].tape;
        bool known = bytes[tape[position]] == '{';
        const uint32_t close = known ? tape[position + 1] : 0;
        uint32_t expected = 0;
        for (position += 2; position < close; position = next_position(bytes, tape, position + 1)) {
            const uint32_t key = find_key(bytes, tape[position], flags, keys, key_count, expected);
            if (key == key_count) {
                known = false;
                continue;
            }
            out[key] = position + 1;
            expected = key + 1 == key_count ? 0 : key + 1;
        }
        if (!known && first_unknown == count) first_unknown = row;
    }
    return first_unknown;
}
