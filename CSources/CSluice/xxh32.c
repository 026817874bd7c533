#include "include/sluice_xxh32.h"

#include "codec.h"

static const uint32_t prime_1 = 0x9E3779B1;
static const uint32_t prime_2 = 0x85EBCA77;
static const uint32_t prime_3 = 0xC2B2AE3D;
static const uint32_t prime_4 = 0x27D4EB2F;
static const uint32_t prime_5 = 0x165667B1;

enum { STRIPE = 16 };

static uint32_t rotated(uint32_t value, int by) { return value << by | value >> (32 - by); }

static uint32_t lane_round(uint32_t lane, uint32_t input) { return rotated(lane + input * prime_2, 13) * prime_1; }

// Takes whole stripes, and returns where they end. Lanes are locals here, for the compiler cannot know that no byte is one
// of them.
static const uint8_t *add_stripes(uint32_t lanes[4], const uint8_t *bytes, size_t count) {
    uint32_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
    for (; count > 0; count--, bytes += STRIPE) {
        a = lane_round(a, load_32(bytes));
        b = lane_round(b, load_32(bytes + 4));
        c = lane_round(c, load_32(bytes + 8));
        d = lane_round(d, load_32(bytes + 12));
    }
    lanes[0] = a, lanes[1] = b, lanes[2] = c, lanes[3] = d;
    return bytes;
}

sluice_xxh32_state sluice_xxh32_start(void) {
    return (sluice_xxh32_state){.lanes = {prime_1 + prime_2, prime_2, 0, -prime_1}};
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
                        ? prime_5
                        : rotated(lanes[0], 1) + rotated(lanes[1], 7) + rotated(lanes[2], 12) + rotated(lanes[3], 18);
    hash += (uint32_t)state->length;
    uint32_t place = 0;
    for (; place + 4 <= state->held_count; place += 4) {
        hash = rotated(hash + load_32(state->held + place) * prime_3, 17) * prime_4;
    }
    for (; place < state->held_count; place++) hash = rotated(hash + state->held[place] * prime_5, 11) * prime_1;
    hash = (hash ^ hash >> 15) * prime_2;
    hash = (hash ^ hash >> 13) * prime_3;
    return hash ^ hash >> 16;
}

uint32_t sluice_xxh32(const uint8_t *bytes, size_t length) {
    sluice_xxh32_state state = sluice_xxh32_start();
    sluice_xxh32_add(&state, bytes, length);
    return sluice_xxh32_value(&state);
}
