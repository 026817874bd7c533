// Compares a kernel with the scalar one, which defines them all: on tables of inputs at every place in a block, and on random
// inputs.

#include "agreement.h"

// An entry of the tables that is new needs a check here. The ring, which takes no bytes, has tests in Swift.
_Static_assert(sizeof(sluice_kernel) == 21 * sizeof(void *), "a function of the table is not checked");
_Static_assert(sizeof(sluice_singles) == 27 * sizeof(void *), "a function of the table is not checked");

static uint64_t random_state;

void random_seed(uint64_t seed) { random_state = seed; }

uint64_t random_next(void) {
    uint64_t mixed = random_state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    return mixed ^ mixed >> 31;
}

const sluice_kernel *scalar_kernel(void) { return sluice_kernel_named("scalar"); }

// ---- Inputs

input input_make(const uint8_t *bytes, size_t length, uint8_t padding) {
    input in = {malloc(length + SLUICE_PADDING), (uint32_t)length};
    if (!in.bytes) abort();
    memcpy(in.bytes, bytes, length);
    memset(in.bytes + length, padding, SLUICE_PADDING);
    return in;
}

void input_free(input *in) { free(in->bytes); }

void text_add(text *to, const char *bytes, size_t length) {
    if (length > sizeof to->bytes - to->length) return;
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

void text_add_character(text *to, uint32_t character) {
    uint8_t bytes[4] = {(uint8_t)character};
    size_t length = 1;
    if (character >= 0x80) {
        length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        for (size_t i = length; i-- > 1; character >>= 6) bytes[i] = 0x80 | (character & 0x3F);
        bytes[0] = (uint8_t)(0xF00 >> length | character);
    }
    text_add(to, (const char *)bytes, length);
}

// Changes a byte, takes one away or repeats one.
void text_damage(text *to) {
    if (to->length == 0 || to->length == sizeof to->bytes) return;
    uint8_t *at = to->bytes + random_below((uint32_t)to->length);
    const size_t behind = (size_t)(to->bytes + to->length - at);
    switch (random_below(3)) {
    case 0:
        *at = random_one_in(2) ? (uint8_t)random_next() : (uint8_t)"\"\\,\n\r{}[]:u\xE3\xED\xF4"[random_below(14)];
        break;
    case 1:
        memmove(at, at + 1, behind - 1);
        to->length--;
        break;
    default:
        memmove(at + 1, at, behind);
        to->length++;
    }
}

_Noreturn void disagree(const sluice_kernel *kernel, const char *what, const input *in, size_t where) {
    fprintf(stderr, "%s disagrees: %s, at %zu, of %u bytes: \"", kernel->name, what, where, in->length);
    for (uint32_t i = 0; i < in->length; i++) {
        const uint8_t byte = in->bytes[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') fputc(byte, stderr);
        else fprintf(stderr, "\\x%02X\"\"", byte);
    }
    fprintf(stderr, "\"\n");
    exit(1);
}

// ---- Tables

static const char *const csv_table[] = {
    "", "a", "a,b\n", "a,b\r\nc,d\r\n", "\n\n\r\na,b\n\n", ",\n,\r\n", "\"a\",\"b\"\n", "\"a,b\"\r\n\"c\nd\"\n",
    "\"a\"\"b\",\"\"\"\"\n", "\"\",\"\"\n", "a\"b,c\"\n", "\"a\"x,b\n", "\"a\" ,b\n", "\"a\"\rb\n", "\"a\"\r\n",
    "a\rb,c\r\r\n", "\"open,\n", "a,\"b\"\"\n", "\\,\"\\\"\n\"\n", "a\tb\t\"c\td\"\n", "'a;b';'c''d'\n", "\r,\r\n",
    "a,b\nc\nd,e,f\n", "\"a\"\"\"b\n", " \"a\",\xC3\xA9\n", "1,-2.5,true,,\"\",007\n\"1\",\"x\ty\",1e5,null,NaN,\x01\n",
};

static const char *const json_table[] = {
    "", "null\n", "[1,2.5,-0,1e+5,true,false,null]\n", "{\"a\":1,\"b\":[{}, []]}\r\n\n{}\n", "\"a\\\"b\\\\\"\n",
    "\"\\uD83D\\uDE00\"\n", "\"\\uD83D\"\n", "\"\\uD83Dx\\uDE00\"\n", "\"\\uDE00\"\n", "\"\\u12G4\"\n", "\"\\x\"\n",
    "\"\\\\\\\\\\\"\"\n", "\"\xC3\xA9\xE6\x97\xA5\"\n", "\"\xED\xA0\x80\"\n", "\"\t\"\n", "{\"a\" : 1 , \"b\":2}\n",
    "{\"a\",1}\n", "[1,]\n", "[1 2]\n", "[1:2]\n", "[1/2]\n", "{\"a\":1}}\n", "01\n", "1.\n", "-\n",
    "123456789012345678901234567890123456789\n", "tru\n", "truex\n", "[\x0B]\n", "\"open\n{}\n", " \t\r\n 1 \n",
    "{\"a\":1}\n{\"a\":2", "{\"a\":\"x\",\"n\":1,\"a\":\"y\"}\n{\"k\\n\":0}\n7\n[1]\n",
};

static const char *const text_table[] = {
    "", "plain", "\xC3\xA9\xC3\xBF", "\xE6\x97\xA5\xE6\x9C\xAC", "\xF0\x9F\x98\x80", "\x80", "\xC3", "\xC0\x80",
    "\xE0\x9F\xBF", "\xED\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
    "\xF4\x90\x80\x80", "\xF8", "\xE6\x97", "\xF0\x9F\x98", "\xE6\x97\xA5\x80", "a\xCC\x81z", "\xEF\xBB\xBFx",
    "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF",
};

// ---- Random inputs

static void add_some(text *to, const char *const *pieces, uint32_t count, uint32_t most) {
    for (uint32_t i = random_below(most + 1); i > 0; i--) text_put(to, pieces[random_below(count)]);
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void make_cell(text *to) {
    static const char *const plain[] = {
        "a", "7", "-1", "2.5", "1:2", "/", "true", " ", "\xC3\xA9", "\\", "\x01", "\t", "some text ", "'", "|",
        "\xE6\x97\xA5\xE6\x9C\xAC", "0123456789", "a word or two that go on for more than one vector holds",
    };
    static const char *const quoted[] = {
        "a", "\"\"", ",", "\n", "\r\n", "\\", "x", "\x1F", "\"\"\"\"", "some text, quoted ", "\xF0\x9F\x98\x80", "12",
        "and more of it, with \"\"quotes\"\" inside, so that it fills vectors",
    };
    if (!random_one_in(3)) return add_some(to, plain, COUNT_OF(plain), 3);
    text_put(to, "\"");
    add_some(to, quoted, COUNT_OF(quoted), 6);
    text_put(to, "\"");
}

static void make_csv(text *to) {
    static const char *const soup[] = {
        ",", "\"", "\n", "\r", "\r\n", "a", "\\", "\"\"", ";", "'", "\t", "bc", "\xC3\xA9", "\"\n", "\",",
    };
    if (random_one_in(4)) return add_some(to, soup, COUNT_OF(soup), 200);
    const uint32_t columns = 1 + random_below(4);
    const bool returns = random_one_in(3);
    for (uint32_t row = random_below(20); row > 0; row--) {
        for (uint32_t column = 0; column < columns; column++) {
            if (column) text_put(to, ",");
            make_cell(to);
        }
        text_put(to, returns ? "\r\n" : "\n");
        if (random_one_in(12)) text_put(to, "\n");
    }
    if (random_one_in(3)) text_damage(to);
}

static void make_json_string(text *to) {
    static const char *const pieces[] = {
        "a", "\\n", "\\\"", "\\\\", "\\u00e9", "\\uD83D\\uDE00", "\xC3\xA9", "\xE6\x97\xA5", "{", "]", ":,",
        "some text ", "\xF0\x9F\x98\x80", "\\/", "a text that is longer than a vector, and than a half of a block too",
    };
    text_put(to, "\"");
    add_some(to, pieces, COUNT_OF(pieces), 5);
    text_put(to, "\"");
}

static void make_json(text *to, uint32_t depth) {
    static const char *const scalars[] = {
        "0", "-1", "2.5e-7", "12345678901234567890123456789012345678901", "true", "false", "null",
    };
    // Half of them are short, so that they come again, and one inside another.
    static const char *const keys[] = {"\"a\"", "\"b\"", "\"a\"", "\"b\"", "\"a.b\"", "\"\"", "\"k\\n\"", "\"\\u0061\""};
    static const char *const space[] = {" ", "\t", "\r", "  "};
    if (random_one_in(8)) add_some(to, space, COUNT_OF(space), 3);
    const uint32_t kind = random_below(depth ? 6 : 3);
    if (kind < 2) {
        text_put(to, scalars[random_below(COUNT_OF(scalars))]);
    } else if (kind == 2) {
        make_json_string(to);
    } else {
        const bool object = kind < 5;
        text_put(to, object ? "{" : "[");
        for (uint32_t i = 0, count = random_below(5); i < count; i++) {
            if (i) text_put(to, ",");
            if (object && random_one_in(2)) text_put(to, keys[random_below(COUNT_OF(keys))]);
            else if (object) make_json_string(to);
            if (object) text_put(to, random_one_in(6) ? " : " : ":");
            make_json(to, depth - 1);
        }
        text_put(to, object ? "}" : "]");
    }
    if (random_one_in(8)) add_some(to, space, COUNT_OF(space), 2);
}

static void make_json_lines(text *to) {
    for (uint32_t row = random_below(12); row > 0; row--) {
        make_json(to, 3);
        text_put(to, random_one_in(8) ? "\n \n" : random_one_in(8) ? "\r\n" : "\n");
    }
    if (random_one_in(3)) text_damage(to);
}

static void make_json_elements(text *to) {
    for (uint32_t row = random_below(12); row > 0; row--) {
        make_json(to, 3);
        text_put(to, row == 1 && !random_one_in(4) ? "]" : random_one_in(4) ? " ,\n " : ",");
    }
    if (random_one_in(4)) text_put(to, " \n");
    if (random_one_in(3)) text_damage(to);
}

static void make_text(text *to) {
    static const uint32_t limits[] = {0x80, 0x100, 0x800, 0x10000, 0x110000};
    for (uint32_t run = random_below(12); run > 0; run--) {
        const uint32_t limit = limits[random_below(COUNT_OF(limits))];
        for (uint32_t i = random_below(40); i > 0; i--) {
            uint32_t character = random_below(limit);
            if (character >= 0xD800 && character < 0xE000) character -= 0x800;
            text_add_character(to, character);
        }
    }
    if (random_one_in(3)) text_damage(to);
}

// Lines that are alike, or nearly, and more of them than the others make.
static void make_alike_lines(text *to) {
    static const char *const keys[] = {
        "{\"id\":", ",\"name\":\"", "\",\"some_longer_key\":\"", "\",\"x\":", ",\"another\":\"", "\",\"the_last_one\":",
    };
    const size_t length = 4000 + random_below(sizeof to->bytes - 4500);
    const uint32_t spread = 1 + random_below(random_one_in(2) ? 10 : 100000);
    for (uint32_t row = 0; to->length < length; row++) {
        for (uint32_t key = 0; key < COUNT_OF(keys); key++) {
            char value[32];
            text_put(to, keys[key]);
            snprintf(value, sizeof value, "%u", key == 0 ? row : random_below(spread));
            text_put(to, value);
            if (random_one_in(200)) text_put(to, ",");
            if (random_one_in(400)) for (uint32_t i = random_below(60); i > 0; i--) text_put(to, "a long value ");
        }
        text_put(to, random_one_in(100) ? "}\n\n" : "}\n");
    }
}

// ---- Running

static void check_tables(const sluice_kernel *kernel) {
    const struct {
        const char *const *cases;
        size_t count;
        char before;
        void (*check)(const sluice_kernel *, const input *);
    } tables[] = {
        {csv_table, COUNT_OF(csv_table), 'x', check_csv},
        {csv_table, COUNT_OF(csv_table), '\n', check_csv},
        {csv_table, COUNT_OF(csv_table), 'x', check_encoding_csv},
        {json_table, COUNT_OF(json_table), ' ', check_json},
        {json_table, COUNT_OF(json_table), '\n', check_json},
        {json_table, COUNT_OF(json_table), ' ', check_encoding_json},
        {csv_table, COUNT_OF(csv_table), 'x', check_lines},
        {csv_table, COUNT_OF(csv_table), '\n', check_lines},
        {csv_table, COUNT_OF(csv_table), 'x', check_values},
        {csv_table, COUNT_OF(csv_table), '\n', check_headers},
        {csv_table, COUNT_OF(csv_table), '\n', check_columns},
        {json_table, COUNT_OF(json_table), ' ', check_values},
        {json_table, COUNT_OF(json_table), '\n', check_members},
        {text_table, COUNT_OF(text_table), 'x', check_utf8},
        {text_table, COUNT_OF(text_table), 'x', check_transcoding},
        {text_table, COUNT_OF(text_table), 0, check_utf8},
    };
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        for (size_t c = 0; c < tables[t].count; c++) {
            for (size_t shift = 0; shift <= 67; shift += shift < 3 || shift > 58 ? 1 : 7) {
                uint8_t bytes[1024];
                const size_t length = strlen(tables[t].cases[c]);
                memset(bytes, tables[t].before, shift);
                memcpy(bytes + shift, tables[t].cases[c], length);
                // With more than a block behind it, and without.
                memset(bytes + shift + length, tables[t].before ? 'y' : 0, 140);
                for (size_t more = 0; more <= 140; more += 140) {
                    input in = input_make(bytes, shift + length + more, '"');
                    tables[t].check(kernel, &in);
                    input_free(&in);
                }
            }
        }
    }
}

static void check_random(const sluice_kernel *kernel, uint64_t seed) {
    void (*const makers[])(text *) = {make_csv, make_json_lines, make_json_elements, make_text, make_alike_lines};
    for (size_t m = 0; m < COUNT_OF(makers); m++) {
        random_seed(seed * COUNT_OF(makers) + m);
        static text made;
        made.length = 0;
        makers[m](&made);
        input in = input_make(made.bytes, made.length, (uint8_t)random_next());
        if (makers[m] == make_alike_lines) {
            check_lz4_lines(kernel, &in);
            input_free(&in);
            continue;
        }
        if (makers[m] == make_csv) {
            check_csv(kernel, &in), check_encoding_csv(kernel, &in), check_lines(kernel, &in);
            check_headers(kernel, &in), check_columns(kernel, &in);
        }
        if (makers[m] == make_json_lines) check_json(kernel, &in), check_encoding_json(kernel, &in);
        if (makers[m] == make_json_elements) check_json(kernel, &in);
        check_members(kernel, &in);
        check_values(kernel, &in);
        check_utf8(kernel, &in);
        check_transcoding(kernel, &in);
        input_free(&in);
    }
}

void check_kernel(const sluice_kernel *kernel, uint64_t rounds, uint64_t seed) {
    check_tables(kernel);
    for (uint64_t round = 0; round < rounds; round++) check_random(kernel, seed + round);
}

// Over and over, with a byte between that is another each time, so that there is something to compress.
static void check_repeated_lines(const sluice_kernel *kernel, const input *in) {
    static text lines;
    lines.length = 0;
    while (lines.length + in->length < sizeof lines.bytes / 2 && random_next() % 64) {
        text_add(&lines, (const char *)in->bytes, in->length);
        const char last = (char)random_next();
        text_add(&lines, &last, 1);
    }
    if (lines.length < 64) return;
    input repeated = input_make(lines.bytes, lines.length, 0);
    check_lz4_lines(kernel, &repeated);
    input_free(&repeated);
}

// What a fuzzer's inputs are checked by, and what makes such inputs.
static const struct {
    void (*check)(const sluice_kernel *, const input *);
    void (*make)(text *);
} fuzzed[] = {
    {check_csv, make_csv}, {check_json, make_json_lines}, {check_json, make_json_elements}, {check_lines, make_csv},
    {check_utf8, make_text}, {check_transcoding, make_text}, {check_encoding_csv, make_csv},
    {check_encoding_json, make_json_lines}, {check_repeated_lines, make_json_lines}, {check_values, make_csv},
    {check_values, make_json_lines}, {check_headers, make_csv}, {check_columns, make_csv}, {check_members, make_json_lines},
    {check_members, make_json_elements},
};

// The first byte says which of the checks, and what stands behind the input.
void check_bytes(const sluice_kernel *kernel, const uint8_t *bytes, size_t length) {
    if (length == 0) return;
    random_seed(length);
    input in = input_make(bytes + 1, length - 1, bytes[0]);
    fuzzed[bytes[0] % COUNT_OF(fuzzed)].check(kernel, &in);
    input_free(&in);
}

size_t make_bytes(uint64_t seed, uint8_t *bytes, size_t most) {
    random_seed(seed);
    static text made;
    made.length = 0;
    bytes[0] = (uint8_t)random_next();
    fuzzed[bytes[0] % COUNT_OF(fuzzed)].make(&made);
    const size_t length = made.length < most ? made.length : most - 1;
    memcpy(bytes + 1, made.bytes, length);
    return length + 1;
}
