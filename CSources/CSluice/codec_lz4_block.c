// A block is decoded in two ways. Most sequences are short and far from any end: `run_short` takes one after another, whole.
// What it leaves, `step` takes part by part: lengths that go on, the ends of input and output, matches that begin before this
// output, and whatever may be damaged. It alone says so.
//
// The stripes of XXH32 wait for one another, and so do sequences. They take turns, so that both wait at once.

#include "codec_lz4_block.h"

#include "scan/xxh32_lanes.h"

enum {
    MATCH_MIN = 4,
    LONG = 15,    // a length that goes on
    EXCESS = 32,  // copies may take that much more than asked for
    // The most that sequences without long lengths take, with the excess of their literals.
    SHORT_INPUT = 1 + EXCESS,
    SHORT_CONTENT = 2 * LONG + MATCH_MIN,
    // The checksum follows at this distance at least: what was just written is slow to read, and SOME bytes of input add a
    // stripe for each of their sequences, of three bytes at least, whatever content these have.
    SOME = 512,
    BEHIND = (SOME / 3 + 1) * XXH32_STRIPE + 512
};

_Static_assert(EXCESS <= SLUICE_PADDING, "copies may go past the end of an output");

void lz4_history_add(lz4_history *history, const uint8_t *content, size_t count) {
    const size_t kept = LZ4_DISTANCE_MAX + 1;
    if (count == 0) return;
    if (count >= kept) {
        content += count - kept;
        count = kept;
        history->count = 0;
    } else if (history->count + count > 2 * kept) {
        memmove(history->bytes, history->bytes + history->count - kept, kept);
        history->count = (uint32_t)kept;
    }
    memcpy(history->bytes + history->count, content, count);
    history->count += (uint32_t)count;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void add_content(lz4_block_state *state, size_t count) {
    state->content_left -= (uint32_t)count;
    state->reach += count;
}

// Copies 16 bytes, which mostly is enough, and then 32 at a time.
static inline void copy_on(uint8_t *to, const uint8_t *from, size_t length) {
    memcpy(to, from, 16);
    for (size_t i = 16; i < length; i += 32) {
        memcpy(to + i, from + i, 16);
        memcpy(to + i + 16, from + i + 16, 16);
    }
}

// Copies within an output.
static inline void copy_match(uint8_t *to, size_t distance, size_t length) {
    if (distance >= 16) return copy_on(to, to - distance, length);
    // One by one, until there are 16 a multiple of the distance back.
    for (uint32_t i = 0; i < 16; i++) to[i] = (to - distance)[i];
    if (length > 16) copy_on(to + 16, to + 16 - (15 + distance) / distance * distance, length - 16);
}

// ---- Short sequences

// Where run_short is.
typedef struct short_run {
    const uint8_t *from, *last_from;  // the last place that a sequence is taken from ...
    uint8_t *to, *last_to;            // ... and where it is put
    const uint8_t *base;              // what is before it in the output is not looked at
    const uint8_t *history_end;
    uint64_t reach;                   // of `base`
} short_run;

// Takes sequences that begin in the next SOME bytes, and adds a stripe to the checksum for each; NULL: does not. False: there
// was one that it does not take.
static inline __attribute__((always_inline)) bool run_some(short_run *run, xxh32_stripes *stripes) {
    const uint8_t *from = run->from;
    uint8_t *to = run->to;
    const uint8_t *const limit = run->last_from - from < SOME ? run->last_from : from + SOME;
    while (from <= limit && to <= run->last_to) {
        const uint8_t token = *from;
        const uint8_t *next = from + 1;
        size_t literals = token >> 4, match = (token & 15) + MATCH_MIN;
        if (literals == LONG) {
            literals += *next++;
            if (literals == LONG + 255) break;
            if (run->last_from - next < (ptrdiff_t)literals || run->last_to - to < (ptrdiff_t)literals) break;
        }
        copy_on(to, next, literals);
        next += literals;
        const size_t distance = load_16(next);
        next += 2;
        uint8_t *const at = to + literals;
        if (match == LONG + MATCH_MIN) {
            match += *next++;
            if (match == LONG + MATCH_MIN + 255 || run->last_to + SHORT_CONTENT - at < (ptrdiff_t)match) break;
        }
        const size_t here = (size_t)(at - run->base);
        if (distance - 1 < here) {  // and is not 0
            copy_match(at, distance, match);
        } else {
            const size_t before = distance - here;
            if (distance == 0 || before > run->reach || before < match) break;
            copy_on(at, run->history_end - before, match);
        }
        to = at + match;
        from = next;
        if (stripes) xxh32_stripes_add(stripes);
    }
    run->from = from;
    run->to = to;
    return from > limit && from <= run->last_from && to <= run->last_to;
}

static void run_short(lz4_block_state *state, reader *in, lz4_output *out) {
    const size_t room = least(writer_left(&out->writer), state->content_left);
    if (reader_left(in) < SHORT_INPUT || room < SHORT_CONTENT) return;
    uint8_t *const to = out->writer.next;
    const size_t here = (size_t)(to - out->start);
    short_run run = {
        .from = in->next,
        .last_from = in->end - SHORT_INPUT,
        .to = to,
        .last_to = to + room - SHORT_CONTENT,
        .base = state->reach < here ? to - state->reach : out->start,
        .history_end = out->history->bytes + out->history->count,
        .reach = state->reach < here ? 0 : state->reach - here,
    };
    bool goes_on = run_some(&run, NULL);
    if (goes_on && out->hash) {
        // There is content by now that completes what `hash` holds of a stripe.
        xxh32_stripes stripes = xxh32_stripes_begin(out->hash, out->hashed, (size_t)(run.to - out->hashed));
        while (goes_on) goes_on = run.to - stripes.next < BEHIND ? run_some(&run, NULL) : run_some(&run, &stripes);
        xxh32_stripes_end(&stripes, out->hash);
        out->hashed = stripes.next;
    }
    while (goes_on) goes_on = run_some(&run, NULL);
    add_content(state, (size_t)(run.to - to));
    in->next = run.from;
    out->writer.next = run.to;
}

// ---- Any sequence

static sluice_status run_token(lz4_block_state *state, reader *in) {
    if (reader_left(in) == 0) return SLUICE_NEED_INPUT;
    const uint8_t token = *in->next++;
    state->literals = token >> 4;
    state->match = (token & 15) + MATCH_MIN;
    state->part = state->literals == LONG ? LZ4_LITERALS_LENGTH : LZ4_LITERALS;
    return SLUICE_OK;
}

// Adds the bytes that a length goes on in, the last of which is not 255.
static sluice_status run_length(lz4_block_state *state, reader *in, uint32_t *length, lz4_part next) {
    while (reader_left(in) > 0) {
        const uint8_t more = *in->next++;
        *length += more;
        if (more == 255) continue;
        state->part = next;
        return SLUICE_OK;
    }
    return SLUICE_NEED_INPUT;
}

// END: the block ends with them.
static sluice_status run_literals(lz4_block_state *state, reader *in, bool is_whole, writer *out) {
    if (state->literals > state->content_left) return SLUICE_ERROR_CORRUPT;
    if (is_whole && state->literals > reader_left(in)) return SLUICE_ERROR_CORRUPT;
    const size_t count = least(state->literals, least(reader_left(in), writer_left(out)));
    if (count > 0) memcpy(out->next, in->next, count);
    in->next += count;
    out->next += count;
    add_content(state, count);
    state->literals -= (uint32_t)count;
    if (state->literals > 0) return reader_left(in) == 0 ? SLUICE_NEED_INPUT : SLUICE_OUTPUT_FULL;
    state->part = LZ4_DISTANCE;
    return is_whole && reader_left(in) == 0 ? SLUICE_END : SLUICE_OK;
}

static sluice_status run_distance(lz4_block_state *state, reader *in) {
    const uint8_t *bytes = take(in, state->held, &state->held_count, sizeof state->held);
    if (!bytes) return SLUICE_NEED_INPUT;
    state->distance = load_16(bytes);
    if (state->distance == 0 || state->distance > state->reach) return SLUICE_ERROR_CORRUPT;
    state->part = state->match == LONG + MATCH_MIN ? LZ4_MATCH_LENGTH : LZ4_MATCH;
    return SLUICE_OK;
}

static sluice_status run_match(lz4_block_state *state, lz4_output *out) {
    writer *const to = &out->writer;
    if (state->match > state->content_left) return SLUICE_ERROR_CORRUPT;
    while (state->match > 0) {
        size_t count = least(state->match, writer_left(to));
        if (count == 0) return SLUICE_OUTPUT_FULL;
        const size_t here = (size_t)(to->next - out->start);
        if (state->distance <= here) {
            copy_match(to->next, state->distance, count);
        } else {
            const size_t before = state->distance - here;
            count = least(count, before);
            memcpy(to->next, out->history->bytes + out->history->count - before, count);
        }
        to->next += count;
        add_content(state, count);
        state->match -= (uint32_t)count;
    }
    state->part = LZ4_TOKEN;
    return SLUICE_OK;
}

static sluice_status step(lz4_block_state *state, reader *in, bool is_whole, lz4_output *out) {
    switch (state->part) {
        case LZ4_TOKEN: return run_token(state, in);
        case LZ4_LITERALS_LENGTH: return run_length(state, in, &state->literals, LZ4_LITERALS);
        case LZ4_LITERALS: return run_literals(state, in, is_whole, &out->writer);
        case LZ4_DISTANCE: return run_distance(state, in);
        case LZ4_MATCH_LENGTH: return run_length(state, in, &state->match, LZ4_MATCH);
        case LZ4_MATCH: return run_match(state, out);
    }
    return SLUICE_ERROR_CORRUPT;
}

sluice_status lz4_block_run(lz4_block_state *state, reader *in, bool is_whole, lz4_output *out) {
    for (;;) {
        if (state->part == LZ4_TOKEN) run_short(state, in, out);
        const sluice_status status = step(state, in, is_whole, out);
        if (status == SLUICE_OK) continue;
        if (status == SLUICE_END) return SLUICE_OK;
        return status == SLUICE_NEED_INPUT && is_whole ? SLUICE_ERROR_CORRUPT : status;
    }
}
