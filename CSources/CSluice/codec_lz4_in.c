// LZ4 in: frames around blocks, which codec_lz4_block.h decodes.
//
// liblz4 has a decoder of frames too. It allocates as it meets larger blocks, which it keeps whole, and spends as much time on
// its checksums as on all else.
//
// The machine takes a frame's parts in order: magic number, descriptor, blocks, checksum. Each part has a state, and each
// state keeps in the struct what it has taken so far, so input and output may be cut anywhere:
//
// (1) `next` of the reader never moves back behind where a call began: no byte is asked for twice.
// (2) A step either finishes its state (OK), or has used up its input or its room and says which.
// (3) Every byte that reaches `out` is in `hash` and `length` by the end of its step, so the end of the frame checks all of
//     them; and in `history` by the end of its call, for blocks that look back at it.
// (4) Nothing of a block that has a checksum is decoded before that was checked.
// (5) After an error the machine stays there: the next call answers the same.

#include <stdlib.h>

#include "codec.h"
#include "codec_lz4_block.h"
#include "include/sluice_lz4.h"

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

#define BLOCK_MAX (4u << 20)

typedef enum decoder_state {
    STATE_MAGIC,
    STATE_SKIP_LENGTH,
    STATE_SKIP,          // `skip` bytes
    STATE_FLAGS,         // the two bytes that every descriptor has
    STATE_DESCRIPTOR,    // its other bytes
    STATE_BLOCK_LENGTH,  // or the end mark
    STATE_BLOCK_CHECKSUM,
    STATE_BLOCK,
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
    uint32_t block_left;     // bytes of the block that are not decoded yet
    lz4_block_state block;
    // What is never touched takes no memory.
    lz4_history history;
    uint8_t held[BLOCK_MAX + CHECKSUM_LENGTH];
};

sluice_lz4_decoder *sluice_lz4_decoder_create(void) {
    sluice_lz4_decoder *decoder = malloc(sizeof *decoder);
    if (!decoder) return NULL;
    memset(decoder, 0, offsetof(sluice_lz4_decoder, history.bytes));
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
    decoder->block.reach = 0;
    decoder->hash = sluice_xxh32_start();
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
    decoder->block_left = decoder->block_length & ~IS_STORED;
    if (decoder->block_left > decoder->block_max) return SLUICE_ERROR_CORRUPT;
    const uint64_t reach = flags(decoder) & IS_INDEPENDENT ? 0 : decoder->block.reach;
    decoder->block = (lz4_block_state){.content_left = decoder->block_max, .reach = reach};
    decoder->state = flags(decoder) & HAS_BLOCK_CHECKSUMS ? STATE_BLOCK_CHECKSUM : STATE_BLOCK;
    return SLUICE_OK;
}

// A block that has a checksum is put together first.
static sluice_status run_block_checksum(sluice_lz4_decoder *decoder, reader *in) {
    const uint32_t length = decoder->block_left;
    const uint8_t *block = take_part(decoder, in, length + CHECKSUM_LENGTH);
    if (!block) return SLUICE_NEED_INPUT;
    if (load_32(block + length) != sluice_xxh32(block, length)) return SLUICE_ERROR_CORRUPT;
    if (block != decoder->held) memcpy(decoder->held, block, length);
    decoder->state = STATE_BLOCK;
    return SLUICE_OK;
}

// Copies a block's content, as lz4_block_run decodes it.
static sluice_status run_stored(lz4_block_state *block, reader *in, bool is_whole, writer *out) {
    const size_t count = reader_left(in) < writer_left(out) ? reader_left(in) : writer_left(out);
    if (count > 0) memcpy(out->next, in->next, count);
    in->next += count;
    out->next += count;
    block->reach += count;
    if (reader_left(in) > 0) return SLUICE_OUTPUT_FULL;
    return is_whole ? SLUICE_OK : SLUICE_NEED_INPUT;
}

static sluice_status run_block(sluice_lz4_decoder *decoder, reader *in, lz4_output *out) {
    const uint32_t length = decoder->block_length & ~IS_STORED;
    const bool is_held = flags(decoder) & HAS_BLOCK_CHECKSUMS;
    const bool is_whole = is_held || reader_left(in) >= decoder->block_left;
    const uint8_t *const from = is_held ? decoder->held + length - decoder->block_left : in->next;
    reader bytes = {.next = from, .end = is_whole ? from + decoder->block_left : in->end};
    const uint8_t *const content = out->writer.next;
    out->hash = flags(decoder) & HAS_CONTENT_CHECKSUM ? &decoder->hash : NULL;
    out->hashed = content;
    const sluice_status status = decoder->block_length & IS_STORED
                                     ? run_stored(&decoder->block, &bytes, is_whole, &out->writer)
                                     : lz4_block_run(&decoder->block, &bytes, is_whole, out);
    decoder->block_left -= (uint32_t)(bytes.next - from);
    if (!is_held) in->next = bytes.next;
    const size_t count = (size_t)(out->writer.next - content);
    if (out->hash) sluice_xxh32_add(out->hash, out->hashed, (size_t)(out->writer.next - out->hashed));
    decoder->length += count;
    if (flags(decoder) & HAS_CONTENT_LENGTH && decoder->length > decoder->content_length) return SLUICE_ERROR_CORRUPT;
    if (status == SLUICE_OK) decoder->state = STATE_BLOCK_LENGTH;
    return status;
}

static sluice_status run_checksum(sluice_lz4_decoder *decoder, reader *in) {
    const uint8_t *checksum = take_part(decoder, in, CHECKSUM_LENGTH);
    if (!checksum) return SLUICE_NEED_INPUT;
    if (load_32(checksum) != sluice_xxh32_value(&decoder->hash)) return SLUICE_ERROR_CORRUPT;
    return end_frame(decoder);
}

static sluice_status step(sluice_lz4_decoder *decoder, reader *in, lz4_output *out) {
    switch (decoder->state) {
        case STATE_MAGIC: return run_magic(decoder, in);
        case STATE_SKIP_LENGTH: return run_skip_length(decoder, in);
        case STATE_SKIP: return run_skip(decoder, in);
        case STATE_FLAGS: return run_flags(decoder, in);
        case STATE_DESCRIPTOR: return run_descriptor(decoder, in);
        case STATE_BLOCK_LENGTH: return run_block_length(decoder, in);
        case STATE_BLOCK_CHECKSUM: return run_block_checksum(decoder, in);
        case STATE_BLOCK: return run_block(decoder, in, out);
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
    uint8_t *const start = out + *out_used;
    lz4_output output = {
        .writer = {.next = start, .end = out + out_capacity},
        .start = start,
        .history = &decoder->history,
    };
    sluice_status status;
    do {
        status = step(decoder, &reader, &output);
    } while (status == SLUICE_OK);
    lz4_history_add(&decoder->history, start, (size_t)(output.writer.next - start));
    *in_used = (size_t)(reader.next - in);
    *out_used = (size_t)(output.writer.next - out);

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
