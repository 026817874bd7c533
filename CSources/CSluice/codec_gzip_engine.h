// Raw deflate and CRC-32, in the words that both libraries have: the one place that knows which of them is there.
//
// ISA-L inflates three to five times as fast as zlib, and its level 1 deflates four to five times as fast as zlib's. zlib is
// always there: it does the levels that ISA-L does not have.

#ifndef SLUICE_CODEC_GZIP_ENGINE_H
#define SLUICE_CODEC_GZIP_ENGINE_H

#include <stdlib.h>

#include <zlib.h>

#include "codec.h"

#if __has_include(<isa-l.h>)
#include <isa-l.h>
#define SLUICE_ISAL 1
#if defined(__ELF__)
// The header is there, so the library must be linked. pkg-config asks for it too, but a machine need not have pkg-config.
// The Swift driver reads this section of every object it links, as it does for `link` in module maps.
// (In assembler, for the sanitizers would hold on to a variable that the linker leaves out.)
__asm__(".pushsection .swift1_autolink_entries, \"e\"\n.asciz \"-lisal\"\n.popsection");
#endif
#else
#define SLUICE_ISAL 0
#endif

// Both libraries count in 32 bits; a call is given at most this much.
static inline uint32_t engine_clamp(size_t length) { return length < 1u << 30 ? (uint32_t)length : 1u << 30; }

static inline uint32_t engine_crc32(uint32_t crc, const uint8_t *bytes, size_t length) {
#if SLUICE_ISAL
    return crc32_gzip_refl(crc, bytes, length);
#else
    return (uint32_t)crc32_z(crc, bytes, length);
#endif
}

typedef enum inflate_result {
    INFLATE_MORE,     // goes on with more input, or more room
    INFLATE_END,      // the last block has ended, `in` stands behind it, all its bytes are out
    INFLATE_CORRUPT,  // all bytes before the damage are out
} inflate_result;

#if SLUICE_ISAL

typedef struct inflater {
    struct inflate_state state;
    bool corrupt;  // damage was found, but state.tmp_out_buffer is not empty yet
} inflater;

static inline bool inflater_create(inflater *inflater) {
    isal_inflate_init(&inflater->state);
    return true;
}

static inline void inflater_destroy(inflater *inflater) { (void)inflater; }

// Before each member.
static inline void inflater_reset(inflater *inflater) {
    isal_inflate_reset(&inflater->state);
    inflater->corrupt = false;
}

// ISA-L reads up to 8 bytes ahead into read_in. At the end of a member these must go back to the input, and they can only as
// long as that input is still ours. So they go back whenever the output is full, the one case in which the end of the member
// may stand unseen in read_in when the caller changes buffers: with input used up, read_in ends inside a symbol, and what
// it holds from before `start`, where this call began, is needed there. While a block header is incomplete, its bytes are in
// tmp_in_buffer, and those in read_in come before them: they stay. (Version 2.32 steps back at the end by itself, and leaves
// read_in empty.)
static inline void inflater_give_back(struct inflate_state *state, reader *in, const uint8_t *start) {
    if (state->block_state == ISAL_BLOCK_HDR || state->read_in_length < 8) return;
    const ptrdiff_t ahead = state->read_in_length / 8;
    const ptrdiff_t bytes = ahead < in->next - start ? ahead : in->next - start;
    if (bytes == 0) return;
    in->next -= bytes;
    state->read_in_length -= 8 * (int32_t)bytes;
    state->read_in &= ((uint64_t)1 << state->read_in_length) - 1;
}

// On damage, ISA-L leaves in tmp_out_buffer what it had decoded there and `out` had no room for.
static inline inflate_result inflater_drain(inflater *inflater, writer *out) {
    struct inflate_state *state = &inflater->state;
    const size_t left = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    const size_t count = left < writer_left(out) ? left : writer_left(out);
    memcpy(out->next, state->tmp_out_buffer + state->tmp_out_processed, count);
    out->next += count;
    state->tmp_out_processed += (int32_t)count;
    return count < left ? INFLATE_MORE : INFLATE_CORRUPT;
}

static inline inflate_result inflater_run(inflater *inflater, reader *in, writer *out) {
    struct inflate_state *state = &inflater->state;
    const uint8_t *start = in->next;
    if (inflater->corrupt) return inflater_drain(inflater, out);
    state->next_in = (uint8_t *)(uintptr_t)start;
    state->avail_in = engine_clamp(reader_left(in));
    state->next_out = out->next;
    state->avail_out = engine_clamp(writer_left(out));
    const int result = isal_inflate(state);
    in->next = state->next_in;
    out->next = state->next_out;
    if (result != ISAL_DECOMP_OK) {
        inflater->corrupt = true;
        return inflater_drain(inflater, out);
    }
    const bool end = state->block_state == ISAL_BLOCK_FINISH;
    if (end || out->next == out->end) inflater_give_back(state, in, start);
    return end ? INFLATE_END : INFLATE_MORE;
}

#else

typedef struct inflater {
    z_stream stream;
} inflater;

static inline bool inflater_create(inflater *inflater) {
    if (inflateInit2(&inflater->stream, -MAX_WBITS) != Z_OK) return false;
    // A dictionary makes zlib allocate its window now, rather than in the middle of the stream; the reset forgets it.
    const uint8_t dictionary[1] = {0};
    return inflateSetDictionary(&inflater->stream, dictionary, 1) == Z_OK && inflateReset(&inflater->stream) == Z_OK;
}

static inline void inflater_destroy(inflater *inflater) { inflateEnd(&inflater->stream); }

// Before each member.
static inline void inflater_reset(inflater *inflater) { inflateReset(&inflater->stream); }

static inline inflate_result inflater_run(inflater *inflater, reader *in, writer *out) {
    z_stream *stream = &inflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)in->next;
    stream->avail_in = engine_clamp(reader_left(in));
    stream->next_out = out->next;
    stream->avail_out = engine_clamp(writer_left(out));
    const int result = inflate(stream, Z_NO_FLUSH);
    in->next = stream->next_in;
    out->next = stream->next_out;
    if (result == Z_STREAM_END) return INFLATE_END;
    return result == Z_OK || result == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_CORRUPT;
}

#endif

#endif
