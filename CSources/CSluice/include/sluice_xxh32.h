// XXH32 with seed 0 (xxHash fast digest algorithm, version 0.1.1): the checksum of LZ4 frames.

#ifndef SLUICE_XXH32_H
#define SLUICE_XXH32_H

#include <stddef.h>
#include <stdint.h>

// The bytes so far. Its size is public so that it can be part of other state; its fields are not.
typedef struct sluice_xxh32_state {
    uint32_t lanes[4];
    uint8_t held[16];  // a stripe that is not whole yet
    uint32_t held_count;
    uint64_t length;  // of all bytes
} sluice_xxh32_state;

// Of no bytes.
sluice_xxh32_state sluice_xxh32_start(void);
void sluice_xxh32_add(sluice_xxh32_state *state, const uint8_t *bytes, size_t length);
// Of the bytes so far; more may be added.
uint32_t sluice_xxh32_value(const sluice_xxh32_state *state);

// Of these bytes.
uint32_t sluice_xxh32(const uint8_t *bytes, size_t length);

#endif
