// The parts of encoding that are the same for every kernel, exact to the byte in what they read and write.

#include "include/sluice_encode.h"

#include <string.h>

#include "include/sluice_number.h"
#include "scan/escape.h"

sluice_cell sluice_infer_cell(const uint8_t *content, size_t length, bool quoted) {
    if (length == 0) return quoted ? SLUICE_CELL_STRING : SLUICE_CELL_NULL;
    if (length == 4 && memcmp(content, "true", 4) == 0) return SLUICE_CELL_TRUE;
    if (length == 5 && memcmp(content, "false", 5) == 0) return SLUICE_CELL_FALSE;
    if (content[0] > '9') return SLUICE_CELL_STRING;
    return sluice_number_length(content, length) == length ? SLUICE_CELL_DECIMAL : SLUICE_CELL_STRING;
}

size_t sluice_json_quote(const uint8_t *content, size_t length, uint8_t *out) {
    uint8_t *to = out;
    *to++ = '"';
    for (size_t i = 0; i < length; i++) to = put_json_byte(to, content[i]);
    *to++ = '"';
    return (size_t)(to - out);
}

size_t sluice_json_key(const uint8_t *name, size_t length, uint8_t *out) {
    out[0] = '"';
    out[1] = ',';
    uint8_t *to = out + 2 + sluice_json_quote(name, length, out + 2);
    *to++ = ':';
    *to++ = '"';
    return (size_t)(to - out);
}

bool sluice_csv_is_null(const sluice_csv_nulls *nulls, const uint8_t *cell, size_t length) {
    for (uint32_t i = 0; i < nulls->count; i++) {
        if (nulls->lengths[i] == length && memcmp(nulls->texts[i], cell, length) == 0) return true;
    }
    return false;
}

size_t sluice_csv_quote(
    const uint8_t *content, size_t length, const sluice_csv_dialect *dialect, bool always, uint8_t *out) {
    const uint8_t quote = dialect->quote, escape = dialect->escape;
    bool needed = always;
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = content[i];
        needed |= byte == dialect->delimiter || byte == '\r' || byte == '\n';
        needed |= (quote != 0 && byte == quote) || (escape != 0 && byte == escape);
    }
    if (needed && quote == 0) return SIZE_MAX;
    uint8_t *to = out;
    if (needed) *to++ = quote;
    for (size_t i = 0; i < length; i++) {
        const bool escaped = needed && (content[i] == quote || (escape != 0 && content[i] == escape));
        if (escaped) *to++ = escape != 0 ? escape : quote;
        *to++ = content[i];
    }
    if (needed) *to++ = quote;
    return (size_t)(to - out);
}

// Value of a base64 digit; 64 for other bytes.
static uint32_t base64_value(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') return byte - (uint32_t)'A';
    if (byte >= 'a' && byte <= 'z') return byte - (uint32_t)'a' + 26;
    if (byte >= '0' && byte <= '9') return byte - (uint32_t)'0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : 64;
}

size_t sluice_base64_decode(const uint8_t *text, size_t length, uint8_t *out) {
    if (length % 4 != 0) return SIZE_MAX;
    uint8_t *to = out;
    for (size_t i = 0; i < length; i += 4) {
        const uint32_t left = i + 4 < length || text[i + 3] != '=' ? 4 : text[i + 2] != '=' ? 3 : 2;  // digits
        uint32_t bits = 0, wrong = 0;
        for (uint32_t d = 0; d < 4; d++) {
            const uint32_t value = d < left ? base64_value(text[i + d]) : 0;
            wrong |= value & 64;
            bits = bits << 6 | (value & 63);
        }
        if (wrong || (left < 4 && bits & (left == 3 ? 0xFF : 0xFFFF))) return SIZE_MAX;  // bits that no byte takes are 0
        *to++ = (uint8_t)(bits >> 16);
        if (left > 2) *to++ = (uint8_t)(bits >> 8);
        if (left > 3) *to++ = (uint8_t)bits;
    }
    return (size_t)(to - out);
}

size_t sluice_base64_encode(const uint8_t *content, size_t length, uint8_t *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = out;
    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const uint32_t second = left > 1 ? content[i + 1] : 0, third = left > 2 ? content[i + 2] : 0;
        const uint32_t bits = (uint32_t)content[i] << 16 | second << 8 | third;
        *to++ = (uint8_t)digits[bits >> 18];
        *to++ = (uint8_t)digits[bits >> 12 & 63];
        *to++ = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? (uint8_t)digits[bits & 63] : '=';
    }
    return (size_t)(to - out);
}
