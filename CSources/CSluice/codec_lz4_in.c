// LZ4 in: the frame format around liblz4's decoder of blocks.
//
// liblz4 has a decoder of frames too. It allocates as it meets larger blocks, and spends as much time on its checksums as on
// all else.
//
// The machine takes a frame's parts in order: magic number, descriptor, blocks, checksum. Each part has a state, and each
// state keeps in the struct what it has taken so far, so input and output may be cut anywhere:
//
// (1) `next` of the reader never moves back behind where a call began: no byte is asked for twice.
// (2) A step either finishes its state (OK), or has used up its input or its room and says which.
// (3) Every byte that reaches `out` is in `hash` and `length` by the end of its call, so the end of the frame checks all of
//     them.
// (4) A block is decoded at once: straight to `out` where that has room for any block and no later one looks back at it, or
//     else behind the content before it in `window`, from where it goes out as there is room.
// (5) After an error the machine stays there: the next call answers the same.

#include "include/sluice_lz4.h"

#include <lz4.h>
#include <stdlib.h>

#include "codec.h"
#include "include/sluice_xxh32.h"

// The first byte of a descriptor.
enum {
    HAS_DICTIONARY_ID = 1 << 0,
    HAS_CONTENT_CHECKSUM = 1 << 2,
    HAS_CONTENT_LENGTH = 1 << 3,
    HAS_BLOCK_CHECKSUMS = 1 << 4,
    IS_INDEPENDENT = 1 << 5,
    VERSION_AND_RESERVED = 0xC2,
    VERSION = 0x40
};

enum { MAGIC_LENGTH = 4, FLAGS_LENGTH = 2, DESCRIPTOR_MAX = 15, CHECKSUM_LENGTH = 4 };

// Of a block's length: its data are the content as it is.
#define IS_STORED 0x80000000u

#define HISTORY_MAX (64u << 10)  // how far back blocks look
#define BLOCK_MAX (4u << 20)

typedef enum decoder_state {
    STATE_MAGIC,
    STATE_SKIP_LENGTH,
    STATE_SKIP,          // `skip` bytes
    STATE_FLAGS,         // the two bytes that every descriptor has
    STATE_DESCRIPTOR,    // its other bytes
    STATE_BLOCK_LENGTH,  // or the end mark
    STATE_BLOCK,
    STATE_CONTENT,       // of `window`, on its way out
    STATE_CHECKSUM,
    STATE_FAILED
} decoder_state;

struct sluice_lz4_decoder {
    decoder_state state;
    sluice_status failure;   // STATE_FAILED: what every call answers
    bool has_frame;          // a whole frame came before
    uint32_t skip;           // bytes left of a skippable frame
    uint32_t held_count;     // bytes of a part that came in pieces: they are in `held`
    uint8_t descriptor[DESCRIPTOR_MAX];
    uint32_t block_max;      // content of a block of this frame
    uint32_t block_length;   // as it is in the frame, with its highest bit
    uint64_t content_length; // of this frame, if it says so
    uint64_t length;         // of this frame's content so far
    sluice_xxh32_state hash; // of this frame's content so far
    uint32_t decoded;        // bytes of `window`: content before, and the block's ...
    uint32_t given;          // ... and those of them that are out
    uint8_t held[BLOCK_MAX + CHECKSUM_LENGTH];
    uint8_t window[HISTORY_MAX + BLOCK_MAX];
};

sluice_lz4_decoder *sluice_lz4_decoder_create(void) {
    sluice_lz4_decoder *decoder = malloc(sizeof *decoder);
    // Not the two large arrays: what is never touched takes no memory.
    if (decoder) memset(decoder, 0, offsetof(sluice_lz4_decoder, held));
    return decoder;
}

void sluice_lz4_decoder_destroy(sluice_lz4_decoder *decoder) { free(decoder); }

// The next `count` bytes in one piece, or NULL while they are not all there.
static const uint8_t *take_part(sluice_lz4_decoder *decoder, reader *in, uint32_t count) {
    return take(in, decoder->held, &decoder->held_count, count);
}

static uint8_t flags(const sluice_lz4_decoder *decoder) { return decoder->descriptor[0]; }

// Whether the first bytes of a frame may be those of one with this magic number; bits that are not in `mask` may be any.
static bool may_start(const uint8_t *seen, uint32_t count, uint32_t magic, uint32_t mask) {
    for (uint32_t i = 0; i < count; i++) {
        if ((seen[i] ^ magic >> 8 * i) & mask >> 8 * i & 0xFF) return false;
    }
    return true;
}

// Bytes are looked at one by one: what is not LZ4 should say so at once.
static sluice_status run_magic(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *magic = take_part(decoder, in, MAGIC_LENGTH);
    const uint32_t count = magic ? MAGIC_LENGTH : decoder->held_count;
    const uint8_t *seen = magic ? magic : decoder->held;
    const bool frame = may_start(seen, count, 0x184D2204, 0xFFFFFFFF);
    const bool skippable = may_start(seen, count, 0x184D2A50, 0xFFFFFFF0);
    const bool legacy = may_start(seen, count, 0x184C2102, 0xFFFFFFFF);
    if (!frame && !skippable && !legacy) {
        return decoder->has_frame ? SLUICE_ERROR_TRAILING_DATA : SLUICE_ERROR_CORRUPT;
    }
    if (!magic) return SLUICE_NEED_INPUT;
    if (legacy) return SLUICE_ERROR_LEGACY_FORMAT;
    decoder->state = skippable ? STATE_SKIP_LENGTH : STATE_FLAGS;
    return SLUICE_OK;
}

static sluice_status run_skip_length(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *length = take_part(decoder, in, 4);
    if (!length) return SLUICE_NEED_INPUT;
    decoder->skip = load_32(length);
    decoder->state = STATE_SKIP;
    return SLUICE_OK;
}

static sluice_status run_skip(sluice_lz4_decoder *decoder, reader *in) {
    const uint32_t count = reader_left(in) < decoder->skip ? (uint32_t)reader_left(in) : decoder->skip;
    in->next += count;
    decoder->skip -= count;
    if (decoder->skip > 0) return SLUICE_NEED_INPUT;
    decoder->state = STATE_MAGIC;
    return SLUICE_OK;
}

static sluice_status run_flags(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *bytes = take_part(decoder, in, FLAGS_LENGTH);
    if (!bytes) return SLUICE_NEED_INPUT;
    memcpy(decoder->descriptor, bytes, FLAGS_LENGTH);
    const uint32_t block_size = decoder->descriptor[1] >> 4;
    if ((flags(decoder) & VERSION_AND_RESERVED) != VERSION) return SLUICE_ERROR_CORRUPT;
    if (decoder->descriptor[1] & 0x8F || block_size < 4) return SLUICE_ERROR_CORRUPT;
    decoder->block_max = 1u << (8 + 2 * block_size);
    decoder->state = STATE_DESCRIPTOR;
    return SLUICE_OK;
}

static sluice_status run_descriptor(sluice_lz4_decoder *decoder, reader *in) {
    const uint32_t content_length = flags(decoder) & HAS_CONTENT_LENGTH ? 8 : 0;
    const uint32_t dictionary_id = flags(decoder) & HAS_DICTIONARY_ID ? 4 : 0;
    const uint32_t count = content_length + dictionary_id;
    const uint8_t *bytes = take_part(decoder, in, count + 1);
    if (!bytes) return SLUICE_NEED_INPUT;
    memcpy(decoder->descriptor + FLAGS_LENGTH, bytes, count);
    if (bytes[count] != (sluice_xxh32(decoder->descriptor, FLAGS_LENGTH + count) >> 8 & 0xFF)) return SLUICE_ERROR_CORRUPT;
    if (dictionary_id) return SLUICE_ERROR_NEEDS_DICTIONARY;
    if (content_length) decoder->content_length = load_32(bytes) | (uint64_t)load_32(bytes + 4) << 32;
    decoder->length = 0;
    decoder->hash = sluice_xxh32_start();
    decoder->decoded = 0;
    decoder->given = 0;
    decoder->state = STATE_BLOCK_LENGTH;
    return SLUICE_OK;
}

static sluice_status end_frame(sluice_lz4_decoder *decoder) {
    decoder->has_frame = true;
    decoder->state = STATE_MAGIC;
    return SLUICE_OK;
}

static sluice_status run_block_length(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *length = take_part(decoder, in, 4);
    if (!length) return SLUICE_NEED_INPUT;
    decoder->block_length = load_32(length);
    if (decoder->block_length == 0) {
        if (flags(decoder) & HAS_CONTENT_LENGTH && decoder->length != decoder->content_length) return SLUICE_ERROR_CORRUPT;
        if (!(flags(decoder) & HAS_CONTENT_CHECKSUM)) return end_frame(decoder);
        decoder->state = STATE_CHECKSUM;
        return SLUICE_OK;
    }
    if ((decoder->block_length & ~IS_STORED) > decoder->block_max) return SLUICE_ERROR_CORRUPT;
    decoder->state = STATE_BLOCK;
    return SLUICE_OK;
}

// Decodes a block to `out`, which has room for block_max bytes behind `history` bytes of content; returns how many it is, less
// than 0 where the block is damaged.
static int decode_block(const sluice_lz4_decoder *decoder, const uint8_t *block, uint8_t *out, uint32_t history) {
    const int length = (int)(decoder->block_length & ~IS_STORED);
    if (decoder->block_length & IS_STORED) {
        memcpy(out, block, (size_t)length);
        return length;
    }
    return LZ4_decompress_safe_usingDict(
        (const char *)block, (char *)out, length, (int)decoder->block_max, (const char *)out - history, (int)history);
}

static sluice_status give(sluice_lz4_decoder *decoder, const uint8_t *content, size_t count) {
    if (flags(decoder) & HAS_CONTENT_CHECKSUM) sluice_xxh32_add(&decoder->hash, content, count);
    decoder->length += count;
    if (flags(decoder) & HAS_CONTENT_LENGTH && decoder->length > decoder->content_length) return SLUICE_ERROR_CORRUPT;
    return SLUICE_OK;
}

// Makes room for a block in the window, and returns how much content is there to look back at. Small blocks lie one behind
// another for a while, so that not each of them moves as much as it decodes.
static uint32_t prepare_window(sluice_lz4_decoder *decoder) {
    if (flags(decoder) & IS_INDEPENDENT) return decoder->decoded = 0;
    const uint32_t in_use = HISTORY_MAX + (decoder->block_max > 4 * HISTORY_MAX ? decoder->block_max : 4 * HISTORY_MAX);
    uint32_t history = decoder->decoded < HISTORY_MAX ? decoder->decoded : HISTORY_MAX;
    if (decoder->decoded + decoder->block_max > in_use) {
        memmove(decoder->window, decoder->window + decoder->decoded - history, history);
        decoder->decoded = history;
    }
    return history;
}

static sluice_status run_block(sluice_lz4_decoder *decoder, reader *in, writer *out) {
    const uint32_t length = decoder->block_length & ~IS_STORED;
    const bool has_checksum = flags(decoder) & HAS_BLOCK_CHECKSUMS;
    const uint8_t *block = take_part(decoder, in, length + (has_checksum ? CHECKSUM_LENGTH : 0));
    if (!block) return SLUICE_NEED_INPUT;
    if (has_checksum && load_32(block + length) != sluice_xxh32(block, length)) return SLUICE_ERROR_CORRUPT;
    if (flags(decoder) & IS_INDEPENDENT && writer_left(out) >= decoder->block_max) {
        const int count = decode_block(decoder, block, out->next, 0);
        if (count < 0) return SLUICE_ERROR_CORRUPT;
        out->next += count;
        decoder->state = STATE_BLOCK_LENGTH;
        return give(decoder, out->next - count, (size_t)count);
    }
    const uint32_t history = prepare_window(decoder);
    const int count = decode_block(decoder, block, decoder->window + decoder->decoded, history);
    if (count < 0) return SLUICE_ERROR_CORRUPT;
    decoder->given = decoder->decoded;
    decoder->decoded += (uint32_t)count;
    decoder->state = STATE_CONTENT;
    return SLUICE_OK;
}

static sluice_status run_content(sluice_lz4_decoder *decoder, writer *out) {
    const uint32_t left = decoder->decoded - decoder->given;
    const uint32_t count = writer_left(out) < left ? (uint32_t)writer_left(out) : left;
    if (count > 0) memcpy(out->next, decoder->window + decoder->given, count);
    out->next += count;
    decoder->given += count;
    const sluice_status status = give(decoder, out->next - count, count);
    if (status < 0) return status;
    if (count < left) return SLUICE_OUTPUT_FULL;
    decoder->state = STATE_BLOCK_LENGTH;
    return SLUICE_OK;
}

static sluice_status run_checksum(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *checksum = take_part(decoder, in, CHECKSUM_LENGTH);
    if (!checksum) return SLUICE_NEED_INPUT;
    if (load_32(checksum) != sluice_xxh32_value(&decoder->hash)) return SLUICE_ERROR_CORRUPT;
    return end_frame(decoder);
}

static sluice_status step(sluice_lz4_decoder *decoder, reader *in, writer *out) {
    switch (decoder->state) {
        case STATE_MAGIC: return run_magic(decoder, in);
        case STATE_SKIP_LENGTH: return run_skip_length(decoder, in);
        case STATE_SKIP: return run_skip(decoder, in);
        case STATE_FLAGS: return run_flags(decoder, in);
        case STATE_DESCRIPTOR: return run_descriptor(decoder, in);
        case STATE_BLOCK_LENGTH: return run_block_length(decoder, in);
        case STATE_BLOCK: return run_block(decoder, in, out);
        case STATE_CONTENT: return run_content(decoder, out);
        case STATE_CHECKSUM: return run_checksum(decoder, in);
        case STATE_FAILED: return decoder->failure;
    }
    return SLUICE_ERROR_CORRUPT;
}

sluice_status sluice_lz4_decoder_run(
    sluice_lz4_decoder *decoder, const uint8_t *in, size_t in_length, size_t *in_used, bool final,
    uint8_t *out, size_t out_capacity, size_t *out_used) {
    assert(*in_used <= in_length && *out_used <= out_capacity);
    reader reader = {.next = in + *in_used, .end = in + in_length};
    writer writer = {.next = out + *out_used, .end = out + out_capacity};
    sluice_status status;
    do {
        status = step(decoder, &reader, &writer);
    } while (status == SLUICE_OK);
    *in_used = (size_t)(reader.next - in);
    *out_used = (size_t)(writer.next - out);

    if (status == SLUICE_NEED_INPUT && final) {
        const bool is_between = decoder->state == STATE_MAGIC && decoder->held_count == 0;
        status = is_between && decoder->has_frame ? SLUICE_END : SLUICE_ERROR_TRUNCATED;
    }
    if (status < 0) {
        decoder->state = STATE_FAILED;
        decoder->failure = status;
    }
    return status;
}
