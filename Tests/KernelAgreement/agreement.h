// What the checks of agreement share: inputs, random numbers, and how a disagreement is told.

#ifndef AGREEMENT_H
#define AGREEMENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CSluice.h"

// Bytes with padding behind them, all of it allocated exactly, so that the address sanitizer sees a step too far.
typedef struct input {
    uint8_t *bytes;
    uint32_t length;
} input;

input input_make(const uint8_t *bytes, size_t length, uint8_t padding);
void input_free(input *in);

// SplitMix64, by Steele, Lea and Flood.
uint64_t random_next(void);
void random_seed(uint64_t seed);
static inline uint32_t random_below(uint32_t limit) { return (uint32_t)(random_next() % limit); }
static inline bool random_one_in(uint32_t count) { return random_below(count) == 0; }

// Text that grows.
typedef struct text {
    uint8_t bytes[1 << 14];
    size_t length;
} text;

void text_add(text *to, const char *bytes, size_t length);
static inline void text_put(text *to, const char *bytes) { text_add(to, bytes, strlen(bytes)); }
void text_add_character(text *to, uint32_t character);
void text_damage(text *to);

// Tells of a disagreement and ends the program. `where` is what the call was cut or limited by.
_Noreturn void disagree(const sluice_kernel *kernel, const char *what, const input *in, size_t where);

// Each compares a kernel with the scalar one on one input, cut everywhere.
void check_csv(const sluice_kernel *kernel, const input *in);
void check_json(const sluice_kernel *kernel, const input *in);
void check_lines(const sluice_kernel *kernel, const input *in);
void check_utf8(const sluice_kernel *kernel, const input *in);
void check_transcoding(const sluice_kernel *kernel, const input *in);
void check_encoding_csv(const sluice_kernel *kernel, const input *in);
void check_encoding_json(const sluice_kernel *kernel, const input *in);
void check_lz4_lines(const sluice_kernel *kernel, const input *in);

// The same of what its `singles` do: values, headers, columns, members. Nothing, where they are the scalar kernel's own.
void check_values(const sluice_kernel *kernel, const input *in);
void check_headers(const sluice_kernel *kernel, const input *in);
void check_columns(const sluice_kernel *kernel, const input *in);
void check_members(const sluice_kernel *kernel, const input *in);

const sluice_kernel *scalar_kernel(void);

// All of these on the tables, and on `rounds` random inputs of each kind.
void check_kernel(const sluice_kernel *kernel, uint64_t rounds, uint64_t seed);

// One of them, as the first byte says, on the others: for a fuzzer.
void check_bytes(const sluice_kernel *kernel, const uint8_t *bytes, size_t length);

// Bytes for it that are nearly data; at most `most` of them.
size_t make_bytes(uint64_t seed, uint8_t *bytes, size_t most);

#endif
