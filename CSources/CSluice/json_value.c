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

#define NO_MATCH SIZE_MAX

// The length of what the key at `literal` means, if `name` starts with it; else NO_MATCH. Few keys have an escape even where
// the text around them has many, so only a backslash that is met decides for decoding.
static size_t matched_length(const uint8_t *literal, const uint8_t *name, size_t length) {
    size_t matched = 0;
    for (; length - matched >= sizeof(uint64_t); matched += sizeof(uint64_t)) {
        uint64_t text, expected;
        memcpy(&text, literal + 1 + matched, sizeof text);
        memcpy(&expected, name + matched, sizeof expected);
        if (text != expected || word_has(text, '"') || word_has(text, '\\')) break;
    }
    const uint8_t *at = literal + 1 + matched;
    while (*at != '"') {
        if (*at == '\\') {
            uint8_t decoded[4];
            const size_t count = decode_escape(&at, decoded);
            if (count > length - matched || memcmp(decoded, name + matched, count) != 0) return NO_MATCH;
            matched += count;
        } else {
            if (matched == length || *at != name[matched]) return NO_MATCH;
            at++;
            matched++;
        }
    }
    return matched;
}

bool sluice_json_key_equals(const uint8_t *bytes, uint32_t offset, const uint8_t *name, size_t length) {
    return matched_length(bytes + offset, name, length) == length;
}

static bool is_container(uint8_t first) { return first == '{' || first == '['; }

// Whether the value at `offset` is known to be inside a container, so that there is a tape entry behind it. Before a value
// that is a whole record stand at most white space and another line; of scalars that are whole elements nobody asks.
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

// The value of the last member of the object at tape position `object` that is named `name`, or ABSENT.
static uint32_t find_member(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, const uint8_t *name, uint32_t length) {
    uint32_t found = SLUICE_JSON_ABSENT;
    if (bytes[tape[object]] != '{') return found;
    const uint32_t close = tape[object + 1];
    for (uint32_t at = object + 2; at < close; at = next_position(bytes, tape, at + 1)) {
        if (matched_length(bytes + tape[at], name, length) == length) found = at + 1;
    }
    return found;
}

// The value of `path` in the object at tape position `object`: its own key, or by steps, the longest first step first. Calls
// itself once a step, and only where an object has that step: no deeper than SLUICE_JSON_MAX_DEPTH.
static uint32_t find_path(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, const uint8_t *path, uint32_t length) {
    uint32_t found = find_member(bytes, tape, object, path, length);
    for (uint32_t dot = length; dot-- > 0 && found == SLUICE_JSON_ABSENT;) {
        if (path[dot] != '.') continue;
        const uint32_t nested = find_member(bytes, tape, object, path, dot);
        if (nested != SLUICE_JSON_ABSENT) found = find_path(bytes, tape, nested, path + dot + 1, length - dot - 1);
    }
    return found;
}

#define GROUP 64  // paths that one walk looks for, a bit each
#define LEVELS 3  // objects inside one another that are walked for a group; find_path goes deeper

// A path, or what is left of it behind some steps, prepared for comparing with keys as they stand in the text.
typedef struct needle {
    const uint8_t *name;
    uint32_t length;
    uint32_t step;  // where its first dot is; `length` if there is none
    uint64_t head;  // the bytes before `step` (up to eight; a name without a dot: its closing quote too) ...
    uint64_t mask;  // ... which a key without escapes must start with to be the name or steps of it
} needle;

static needle make_needle(const uint8_t *name, uint32_t length) {
    const uint8_t *dot = length > 0 ? memchr(name, '.', length) : NULL;
    needle n = {.name = name, .length = length, .step = dot != NULL ? (uint32_t)(dot - name) : length};
    uint8_t head[sizeof n.head] = {0};
    uint8_t mask[sizeof n.mask] = {0};
    for (uint32_t i = 0; i < sizeof head && i < n.step + (dot == NULL); i++) {
        head[i] = i < length ? name[i] : '"';
        mask[i] = 0xFF;
    }
    memcpy(&n.head, head, sizeof head);
    memcpy(&n.mask, mask, sizeof mask);
    return n;
}

// What a group looks for after the same number of steps.
typedef struct level {
    needle needles[GROUP];
    uint64_t candidates[256];  // the needles that a key with this first byte may be: mostly none
} level;

static void add_needle(level *l, uint32_t i, needle n, uint32_t flags) {
    const uint64_t bit = UINT64_C(1) << i;
    l->needles[i] = n;
    l->candidates[n.length > 0 ? n.name[0] : '"'] |= bit;
    if (n.step == 0) l->candidates['"'] |= bit;
    if (flags & SLUICE_HAS_ESCAPE) l->candidates['\\'] |= bit;
}

static void make_levels(level *levels, const sluice_json_path *paths, uint32_t count, uint32_t flags) {
    for (uint32_t depth = 0; depth < LEVELS; depth++) memset(levels[depth].candidates, 0, sizeof levels[depth].candidates);
    for (uint32_t i = 0; i < count; i++) {
        needle n = make_needle(paths[i].name, paths[i].length);
        add_needle(&levels[0], i, n, flags);
        for (uint32_t depth = 1; depth < LEVELS && n.step < n.length; depth++) {
            n = make_needle(n.name + n.step + 1, n.length - n.step - 1);
            add_needle(&levels[depth], i, n, flags);
        }
    }
}

// What a walk has found of its needles, a bit each.
typedef struct finds {
    uint64_t names;       // there is a member of the whole name
    uint64_t steps;       // there is one of the first step
    uint64_t long_steps;  // there is one of several steps at once: "a.b" of "a.b.c"
} finds;

// One walk over the members of the object at tape position `object`, for the needles in `wanted`: values[i] becomes the tape
// position of the last value that the whole name of needle i has, nested[i] that of the last value of its first step.
static finds find_members(
    const uint8_t *bytes, const uint32_t *tape, uint32_t object, const level *l, uint64_t wanted,
    uint32_t *values, uint32_t *nested) {
    finds found = {0, 0, 0};
    if (bytes[tape[object]] != '{') return found;
    const uint32_t close = tape[object + 1];
    for (uint32_t at = object + 2; at < close; at = next_position(bytes, tape, at + 1)) {
        const uint8_t *literal = bytes + tape[at];
        for (uint64_t left = l->candidates[literal[1]] & wanted; left != 0; left &= left - 1) {
            const uint32_t i = (uint32_t)__builtin_ctzll(left);
            const needle *n = &l->needles[i];
            uint64_t head;
            memcpy(&head, literal + 1, sizeof head);
            if ((head & n->mask) != n->head && !word_has(head, '\\')) continue;
            const size_t matched = matched_length(literal, n->name, n->length);
            if (matched == n->length) {
                found.names |= UINT64_C(1) << i;
                values[i] = at + 1;
            } else if (matched == n->step) {
                found.steps |= UINT64_C(1) << i;
                nested[i] = at + 1;
            } else if (matched != NO_MATCH && n->name[matched] == '.') {
                found.long_steps |= UINT64_C(1) << i;
            }
        }
    }
    return found;
}

// The paths of a group in one row. All that go on in the same object are looked for in one walk over it; what is rare (keys
// that contain dots, many steps) is left to find_path.
static void project_row(
    const uint8_t *bytes, const uint32_t *tape, uint32_t row, const level *levels, uint32_t count, uint32_t *out) {
    uint32_t objects[GROUP];  // where each path goes on
    for (uint32_t i = 0; i < count; i++) {
        out[i] = SLUICE_JSON_ABSENT;
        objects[i] = row;
    }
    uint64_t pending = UINT64_MAX >> (GROUP - count);
    for (uint32_t depth = 0; pending != 0; depth++) {
        uint64_t deeper = 0;
        while (pending != 0) {
            const uint32_t object = objects[__builtin_ctzll(pending)];
            uint64_t together = 0;
            for (uint64_t left = pending; left != 0; left &= left - 1) {
                if (objects[__builtin_ctzll(left)] == object) together |= left & -left;
            }
            pending &= ~together;
            const finds found = find_members(bytes, tape, object, &levels[depth], together, out, objects);
            const uint64_t rare = depth + 1 < LEVELS ? found.long_steps : found.steps | found.long_steps;
            deeper |= found.steps & ~rare & ~found.names;
            for (uint64_t left = rare & ~found.names; left != 0; left &= left - 1) {
                const uint32_t i = (uint32_t)__builtin_ctzll(left);
                const needle *n = &levels[depth].needles[i];
                out[i] = find_path(bytes, tape, object, n->name, n->length);
            }
        }
        pending = deeper;
    }
}

void sluice_json_project(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count, uint32_t flags,
    const sluice_json_path *paths, uint32_t path_count, uint32_t *out) {
    for (uint32_t first = 0; first < path_count; first += GROUP) {
        const uint32_t group = path_count - first < GROUP ? path_count - first : GROUP;
        level levels[LEVELS];
        make_levels(levels, paths + first, group, flags);
        for (uint32_t row = 0; row < count; row++) {
            project_row(bytes, tape, rows[row].tape, levels, group, out + (size_t)row * path_count + first);
        }
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

// The path among `keys` that the key at `literal` means; `count` if none. Keys mostly come in the order of the columns, so the
// search starts behind the one found last.
static uint32_t find_key(
    const uint8_t *literal, const sluice_json_path *keys, uint32_t count, uint32_t expected) {
    for (uint32_t step = 0; step < count; step++) {
        const uint32_t key = expected + step < count ? expected + step : expected + step - count;
        if (matched_length(literal, keys[key].name, keys[key].length) == keys[key].length) return key;
    }
    return count;
}

uint32_t sluice_json_project_keys(
    const uint8_t *bytes, const uint32_t *tape, const sluice_json_row *rows, uint32_t count,
    const sluice_json_path *keys, uint32_t key_count, uint32_t *out) {
    bool may_start[256] = {['\\'] = true};  // most keys of other names differ in their first byte already
    for (uint32_t key = 0; key < key_count; key++) may_start[keys[key].length > 0 ? keys[key].name[0] : '"'] = true;
    uint32_t first_unknown = count;
    for (uint32_t row = 0; row < count; row++, out += key_count) {
        memset(out, 0xFF, key_count * sizeof *out);
        uint32_t position = rows[row].tape;
        bool known = bytes[tape[position]] == '{';
        const uint32_t close = known ? tape[position + 1] : 0;
        uint32_t expected = 0;
        for (position += 2; position < close; position = next_position(bytes, tape, position + 1)) {
            const uint8_t *literal = bytes + tape[position];
            const uint32_t key = may_start[literal[1]] ? find_key(literal, keys, key_count, expected) : key_count;
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
