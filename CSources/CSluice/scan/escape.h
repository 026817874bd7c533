// How one byte is written in a JSON string.

#ifndef SLUICE_ESCAPE_H
#define SLUICE_ESCAPE_H

#include <stdint.h>

// Writes `byte` escaped where it must be, and not a byte more: expanding in place relies on it.
static inline uint8_t *put_json_byte(uint8_t *out, uint8_t byte) {
    static const uint8_t letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (byte >= 0x20) {
        if (byte == '"' || byte == '\\') *out++ = '\\';
        *out++ = byte;
        return out;
    }
    *out++ = '\\';
    if (letters[byte]) {
        *out++ = letters[byte];
        return out;
    }
    *out++ = 'u';
    *out++ = '0';
    *out++ = '0';
    *out++ = (uint8_t)('0' + (byte >> 4));
    *out++ = (uint8_t)"0123456789abcdef"[byte & 15];
    return out;
}

// How many bytes put_json_byte writes beyond one.
static inline uint32_t json_byte_growth(uint8_t byte) {
    if (byte >= 0x20) return byte == '"' || byte == '\\';
    return byte == '\b' || byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r' ? 1 : 5;
}

#endif
