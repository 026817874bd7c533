#include "include/sluice_xxh32.h"

#include "codec.h"
#include "scan/xxh32_lanes.h"

enum { STRIPE = XXH32_STRIPE };

static uint32_t rotated(uint32_t value, int by) { return value << by | value >> (32 - by); }

// Takes whole stripes, and returns where they end.
static const uint8_t *add_stripes(uint32_t lanes[4], const uint8_t *bytes, size_t count) {
    xxh32_lanes sums;
    xxh32_load(&sums, lanes);
    for (; count > 0; count--, bytes += STRIPE) xxh32_add(&sums, bytes);
    xxh32_store(lanes, &sums);
    return bytes;
}

sluice_xxh32_state sluice_xxh32_start(void) {
    return (sluice_xxh32_state){.lanes = {XXH32_PRIME_1 + XXH32_PRIME_2, XXH32_PRIME_2, 0, -XXH32_PRIME_1}};
}

void sluice_xxh32_add(sluice_xxh32_state *state, const uint8_t *bytes, size_t length) {
    if (length == 0) return;
    state->length += length;
    if (state->held_count > 0) {
        const size_t missing = STRIPE - state->held_count;
        const size_t count = length < missing ? length : missing;
        memcpy(state->held + state->held_count, bytes, count);
        state->held_count += (uint32_t)count;
        bytes += count;
        length -= count;
        if (state->held_count < STRIPE) return;
        add_stripes(state->lanes, state->held, 1);
    }
    bytes = add_stripes(state->lanes, bytes, length / STRIPE);
    state->held_count = (uint32_t)(length % STRIPE);
    memcpy(state->held, bytes, state->held_count);
}

uint32_t sluice_xxh32_value(const sluice_xxh32_state *state) {
    const uint32_t *lanes = state->lanes;
    uint32_t hash = state->length < STRIPE
                        ? XXH32_PRIME_5
                        : rotated(lanes[0], 1) + rotated(lanes[1], 7) + rotated(lanes[2], 12) + rotated(lanes[3], 18);
    hash += (uint32_t)state->length;
    uint32_t place = 0;
    for (; place + 4 <= state->held_count; place += 4) {
        hash = rotated(hash + load_32(state->held + place) * XXH32_PRIME_3, 17) * XXH32_PRIME_4;
    }
    for (; place < state->held_count; place++) hash = rotated(hash + state->held[place] * XXH32_PRIME_5, 11) * XXH32_PRIME_1;
    hash = (hash ^ hash >> 15) * XXH32_PRIME_2;
    hash = (hash ^ hash >> 13) * XXH32_PRIME_3;
    return hash ^ hash >> 16;
}

uint32_t sluice_xxh32(const uint8_t *bytes, size_t length) {
    sluice_xxh32_state state = sluice_xxh32_start();
    sluice_xxh32_add(&state, bytes, length);
    return sluice_xxh32_value(&state);
}
