// gzip in: RFC 1952 framing around an engine that inflates.
//
// The machine takes a member's parts in order: fixed header, optional fields, deflate data, trailer. Each part has a state,
// and each state keeps in the struct what it has taken so far, so input and output may be cut anywhere:
//
// (1) `next` of the reader never moves back behind where a call began: no byte is asked for twice.
// (2) A step either finishes its state (OK), or has used up its input or its room and says which.
// (3) Every byte that reaches `out` is in `crc` and `length` by the end of its call, so the trailer checks all of them.
// (4) After an error the machine stays there: the next call answers the same.

#include "codec_gzip_engine.h"
#include "include/sluice_gzip.h"

// Flags of the header, in the order of their fields.
enum { HAS_HEADER_CRC = 1 << 1, HAS_EXTRA = 1 << 2, HAS_NAME = 1 << 3, HAS_COMMENT = 1 << 4, RESERVED = 0xE0 };

enum { FIXED_LENGTH = 10, TRAILER_LENGTH = 8 };

typedef enum gunzip_state {
    STATE_FIXED,         // the ten bytes that every header has
    STATE_EXTRA_LENGTH,  // two bytes
    STATE_EXTRA,         // `skip` bytes
    STATE_NAME,          // up to a zero
    STATE_COMMENT,       // up to a zero
    STATE_HEADER_CRC,    // two bytes
    STATE_DATA,
    STATE_TRAILER,       // CRC-32 and length
    STATE_BETWEEN,       // behind a member: another, zeros, or the end
    STATE_PADDING,       // zeros up to the end
    STATE_FAILED
} gunzip_state;

struct sluice_gunzip {
    gunzip_state state;
    sluice_status failure;       // STATE_FAILED: what every call answers
    bool behind_member;          // a whole member came before this one
    uint8_t flags;               // of this member's header
    uint8_t held[FIXED_LENGTH];  // bytes of a part of fixed size that came in pieces
    uint32_t held_count;
    uint32_t skip;               // bytes left of the extra field
    uint8_t extra[6];            // the extra field's first bytes ...
    uint32_t extra_count;        // ... and how many of them are there
    bool awaits_end;             // the member was a BGZF block with content: the empty block has to follow
    uint32_t header_crc;         // of the header's bytes so far
    uint32_t crc;                // of this member's output so far
    uint32_t length;             // of this member's output so far, modulo 2^32 as in the trailer
    uint32_t size;               // of this member so far, modulo 2^32
    inflater inflater;
};

sluice_gunzip *sluice_gunzip_create(void) {
    sluice_gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (gunzip && !inflater_create(&gunzip->inflater)) {
        sluice_gunzip_destroy(gunzip);
        return NULL;
    }
    return gunzip;
}

void sluice_gunzip_destroy(sluice_gunzip *gunzip) {
    if (!gunzip) return;
    inflater_destroy(&gunzip->inflater);
    free(gunzip);
}

// The next `count` bytes in one piece, or NULL while they are not all there.
static const uint8_t *take_part(sluice_gunzip *gunzip, reader *in, uint32_t count) {
    return take(in, gunzip->held, &gunzip->held_count, count);
}

static void add_to_header_crc(sluice_gunzip *gunzip, const uint8_t *bytes, size_t length) {
    if (gunzip->flags & HAS_HEADER_CRC) gunzip->header_crc = engine_crc32(gunzip->header_crc, bytes, length);
}

// The state of the first field at or behind `field` that this header has.
static gunzip_state field_from(const sluice_gunzip *gunzip, gunzip_state field) {
    if (field <= STATE_EXTRA_LENGTH && gunzip->flags & HAS_EXTRA) return STATE_EXTRA_LENGTH;
    if (field <= STATE_NAME && gunzip->flags & HAS_NAME) return STATE_NAME;
    if (field <= STATE_COMMENT && gunzip->flags & HAS_COMMENT) return STATE_COMMENT;
    if (field <= STATE_HEADER_CRC && gunzip->flags & HAS_HEADER_CRC) return STATE_HEADER_CRC;
    return STATE_DATA;
}

// What bytes that begin no member are: damage at the start of the input, something foreign behind a member.
static sluice_status no_member(const sluice_gunzip *gunzip) {
    return gunzip->behind_member ? SLUICE_ERROR_TRAILING_DATA : SLUICE_ERROR_CORRUPT;
}

// The magic bytes are looked at one by one: what is not gzip should say so before ten bytes of it are there.
static sluice_status run_fixed(sluice_gunzip *gunzip, reader *in) {
    const uint8_t *header = take_part(gunzip, in, FIXED_LENGTH);
    const uint32_t count = header ? FIXED_LENGTH : gunzip->held_count;
    const uint8_t *seen = header ? header : gunzip->held;
    if (count > 0 && seen[0] != 0x1F) return no_member(gunzip);
    if (count > 1 && seen[1] != 0x8B) return no_member(gunzip);
    if (count > 2 && seen[2] != Z_DEFLATED) return SLUICE_ERROR_CORRUPT;
    if (count > 3 && seen[3] & RESERVED) return SLUICE_ERROR_CORRUPT;
    if (!header) return SLUICE_NEED_INPUT;
    gunzip->flags = header[3];
    gunzip->header_crc = 0;
    add_to_header_crc(gunzip, header, FIXED_LENGTH);
    gunzip->state = field_from(gunzip, STATE_EXTRA_LENGTH);
    return SLUICE_OK;
}

static sluice_status run_extra_length(sluice_gunzip *gunzip, reader *in) {
    const uint8_t *length = take_part(gunzip, in, 2);
    if (!length) return SLUICE_NEED_INPUT;
    add_to_header_crc(gunzip, length, 2);
    gunzip->skip = load_16(length);
    gunzip->extra_count = 0;
    gunzip->state = STATE_EXTRA;
    return SLUICE_OK;
}

static sluice_status run_extra(sluice_gunzip *gunzip, reader *in) {
    const uint32_t count = reader_left(in) < gunzip->skip ? (uint32_t)reader_left(in) : gunzip->skip;
    add_to_header_crc(gunzip, in->next, count);
    for (uint32_t i = 0; i < count && gunzip->extra_count < sizeof gunzip->extra; i++) {
        gunzip->extra[gunzip->extra_count++] = in->next[i];
    }
    in->next += count;
    gunzip->skip -= count;
    if (gunzip->skip > 0) return SLUICE_NEED_INPUT;
    gunzip->state = field_from(gunzip, STATE_NAME);
    return SLUICE_OK;
}

// Name or comment.
static sluice_status run_text(sluice_gunzip *gunzip, reader *in) {
    const uint8_t *zero = reader_left(in) > 0 ? memchr(in->next, 0, reader_left(in)) : NULL;
    const uint8_t *end = zero ? zero + 1 : in->end;
    add_to_header_crc(gunzip, in->next, (size_t)(end - in->next));
    in->next = end;
    if (!zero) return SLUICE_NEED_INPUT;
    gunzip->state = field_from(gunzip, gunzip->state + 1);
    return SLUICE_OK;
}

static sluice_status run_header_crc(sluice_gunzip *gunzip, reader *in) {
    const uint8_t *crc = take_part(gunzip, in, 2);
    if (!crc) return SLUICE_NEED_INPUT;
    if (load_16(crc) != (gunzip->header_crc & 0xFFFF)) return SLUICE_ERROR_CORRUPT;
    gunzip->state = STATE_DATA;
    return SLUICE_OK;
}

// Asks the engine even where there is no room: the end of the data may be all that is left.
static sluice_status run_data(sluice_gunzip *gunzip, reader *in, writer *out) {
    const uint8_t *in_start = in->next;
    const uint8_t *out_start = out->next;
    const inflate_result result = inflater_run(&gunzip->inflater, in, out);
    const size_t count = (size_t)(out->next - out_start);
    gunzip->crc = engine_crc32(gunzip->crc, out_start, count);
    gunzip->length += (uint32_t)count;
    if (result == INFLATE_CORRUPT) return SLUICE_ERROR_CORRUPT;
    if (result == INFLATE_END) {
        gunzip->state = STATE_TRAILER;
        return SLUICE_OK;
    }
    if (out->next == out->end) return SLUICE_OUTPUT_FULL;
    if (in->next == in->end) return SLUICE_NEED_INPUT;
    // An engine with input and room that does not move would not move the next time either.
    return in->next == in_start && count == 0 ? SLUICE_ERROR_CORRUPT : SLUICE_OK;
}

// BGZF says so in its extra field: "BC", and two bytes of its size. A file of such blocks ends with an empty one, so one that is
// cut off between two blocks, where plain gzip would look whole, shows.
static bool is_block(const sluice_gunzip *gunzip) {
    static const uint8_t mark[] = {'B', 'C', 2, 0};
    return gunzip->flags & HAS_EXTRA && gunzip->extra_count == sizeof gunzip->extra &&
           memcmp(gunzip->extra, mark, sizeof mark) == 0;
}

// A header may be damaged so that it takes the blocks behind it for fields of its own, and still be gzip: the size tells.
static bool is_block_of_wrong_size(const sluice_gunzip *gunzip) {
    return is_block(gunzip) && gunzip->size != load_16(gunzip->extra + 4) + 1;
}

static sluice_status run_trailer(sluice_gunzip *gunzip, reader *in) {
    const uint8_t *trailer = take_part(gunzip, in, TRAILER_LENGTH);
    if (!trailer) return SLUICE_NEED_INPUT;
    if (load_32(trailer) != gunzip->crc || load_32(trailer + 4) != gunzip->length) return SLUICE_ERROR_CORRUPT;
    gunzip->awaits_end = is_block(gunzip) && gunzip->length > 0;
    gunzip->state = STATE_BETWEEN;
    return SLUICE_OK;
}

static sluice_status run_between(sluice_gunzip *gunzip, reader *in) {
    if (is_block_of_wrong_size(gunzip)) return SLUICE_ERROR_CORRUPT;
    if (in->next == in->end) return SLUICE_NEED_INPUT;
    if (*in->next == 0) {
        gunzip->state = STATE_PADDING;
        return SLUICE_OK;
    }
    gunzip->behind_member = true;
    gunzip->crc = 0;
    gunzip->length = 0;
    gunzip->size = 0;
    inflater_reset(&gunzip->inflater);
    gunzip->state = STATE_FIXED;
    return SLUICE_OK;
}

static sluice_status run_padding(reader *in) {
    while (in->next < in->end && *in->next == 0) in->next++;
    return in->next == in->end ? SLUICE_NEED_INPUT : SLUICE_ERROR_TRAILING_DATA;
}

static sluice_status step(sluice_gunzip *gunzip, reader *in, writer *out) {
    switch (gunzip->state) {
        case STATE_FIXED: return run_fixed(gunzip, in);
        case STATE_EXTRA_LENGTH: return run_extra_length(gunzip, in);
        case STATE_EXTRA: return run_extra(gunzip, in);
        case STATE_NAME:
        case STATE_COMMENT: return run_text(gunzip, in);
        case STATE_HEADER_CRC: return run_header_crc(gunzip, in);
        case STATE_DATA: return run_data(gunzip, in, out);
        case STATE_TRAILER: return run_trailer(gunzip, in);
        case STATE_BETWEEN: return run_between(gunzip, in);
        case STATE_PADDING: return run_padding(in);
        case STATE_FAILED: return gunzip->failure;
    }
    return SLUICE_ERROR_CORRUPT;
}

sluice_status sluice_gunzip_run(
    sluice_gunzip *gunzip, const uint8_t *in, size_t in_length, size_t *in_used, bool final,
    uint8_t *out, size_t out_capacity, size_t *out_used) {
    assert(*in_used <= in_length && *out_used <= out_capacity);
    reader reader = {.next = in + *in_used, .end = in + in_length};
    writer writer = {.next = out + *out_used, .end = out + out_capacity};
    sluice_status status;
    do {
        const uint8_t *start = reader.next;
        status = step(gunzip, &reader, &writer);
        gunzip->size += (uint32_t)(reader.next - start);
    } while (status == SLUICE_OK);
    *in_used = (size_t)(reader.next - in);
    *out_used = (size_t)(writer.next - out);

    if (status == SLUICE_NEED_INPUT && final) {
        const bool whole = gunzip->state == STATE_BETWEEN || gunzip->state == STATE_PADDING;
        status = whole && !gunzip->awaits_end ? SLUICE_END : SLUICE_ERROR_TRUNCATED;
    }
    if (status < 0) {
        gunzip->state = STATE_FAILED;
        gunzip->failure = status;
    }
    return status;
}

bool sluice_gunzip_is_padded(const sluice_gunzip *gunzip) { return gunzip->state == STATE_PADDING; }

size_t sluice_bgzf_size(const uint8_t *bytes, size_t length) {
    static const uint8_t extra[] = {6, 0, 'B', 'C', 2, 0};
    if (length < 18 || bytes[0] != 0x1F || bytes[1] != 0x8B || bytes[2] != Z_DEFLATED || bytes[3] != HAS_EXTRA) return 0;
    const size_t size = load_16(bytes + 16) + 1;
    const bool is_possible = size >= SLUICE_BGZF_END_LENGTH && memcmp(bytes + FIXED_LENGTH, extra, sizeof extra) == 0;
    return is_possible ? size : 0;
}

bool sluice_gunzip_member(
    sluice_gunzip *gunzip, const uint8_t *in, size_t in_length, uint8_t *out, size_t out_capacity, size_t *out_used) {
    size_t in_used = 0;
    *out_used = 0;
    gunzip->state = STATE_BETWEEN;
    gunzip->flags = 0;
    gunzip->held_count = 0;
    sluice_status status = sluice_gunzip_run(gunzip, in, in_length, &in_used, false, out, out_capacity, out_used);
    if (status == SLUICE_OUTPUT_FULL) {  // the end of the data may be all that is left
        status = sluice_gunzip_run(gunzip, in, in_length, &in_used, false, out, out_capacity, out_used);
    }
    return status == SLUICE_NEED_INPUT && gunzip->state == STATE_BETWEEN && in_used == in_length;
}

void sluice_gunzip_skip(sluice_gunzip *gunzip, bool last_is_empty) {
    gunzip->state = STATE_BETWEEN;
    gunzip->behind_member = true;
    gunzip->awaits_end = !last_is_empty;
}
