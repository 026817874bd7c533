// gzip out: BGZF members (SAM specification, section 4.1), each deflated on its own.

#include "codec_gzip_engine.h"
#include "include/sluice_gzip.h"

enum { HEADER_LENGTH = 18, TRAILER_LENGTH = 8, STORED_LENGTH = 5 };

_Static_assert(
    HEADER_LENGTH + STORED_LENGTH + SLUICE_BGZF_INPUT_MAX + TRAILER_LENGTH <= SLUICE_BGZF_OUTPUT_MAX,
    "a member of stored data fits");

const uint8_t sluice_bgzf_end[SLUICE_BGZF_END_LENGTH] = {
    0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 6, 0, 'B', 'C', 2, 0, SLUICE_BGZF_END_LENGTH - 1, 0,  // header
    3, 0,                                                                                        // deflate data: none
    0, 0, 0, 0, 0, 0, 0, 0                                                                       // CRC-32 and length
};

#define QUOTE_(x) #x
#define QUOTE(x) QUOTE_(x)

const char *sluice_gzip_engine(void) {
#if SLUICE_ISAL
    return "ISA-L " QUOTE(ISAL_MAJOR_VERSION) "." QUOTE(ISAL_MINOR_VERSION) "." QUOTE(ISAL_PATCH_VERSION);
#else
    return "zlib " ZLIB_VERSION;
#endif
}

typedef enum method { METHOD_STORE, METHOD_ZLIB, METHOD_ISAL } method;

struct sluice_deflater {
    method method;
    z_stream zlib;  // METHOD_ZLIB
#if SLUICE_ISAL
    struct isal_zstream isal;  // METHOD_ISAL
    uint8_t isal_buffer[ISAL_DEF_LVL1_SMALL];
#endif
};

static method method_of(int level) {
    if (level == 0) return METHOD_STORE;
    return level == 1 && SLUICE_ISAL ? METHOD_ISAL : METHOD_ZLIB;
}

sluice_deflater *sluice_deflater_create(int level) {
    if (level < 0 || level > 9) return NULL;
    sluice_deflater *deflater = calloc(1, sizeof *deflater);
    if (!deflater) return NULL;
    deflater->method = method_of(level);
    if (deflater->method == METHOD_ZLIB
        && deflateInit2(&deflater->zlib, level, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(deflater);
        return NULL;
    }
#if SLUICE_ISAL
    isal_deflate_init(&deflater->isal);
    deflater->isal.level = 1;
    deflater->isal.level_buf = deflater->isal_buffer;
    deflater->isal.level_buf_size = sizeof deflater->isal_buffer;
#endif
    return deflater;
}

void sluice_deflater_destroy(sluice_deflater *deflater) {
    if (!deflater) return;
    if (deflater->method == METHOD_ZLIB) deflateEnd(&deflater->zlib);
    free(deflater);
}

// The three ways to write deflate data. Each answers its length, or 0 where it is not shorter than stored data would be.

static size_t deflate_zlib(sluice_deflater *deflater, const uint8_t *in, size_t length, uint8_t *out) {
    z_stream *stream = &deflater->zlib;
    deflateReset(stream);
    stream->next_in = (Bytef *)(uintptr_t)in;
    stream->avail_in = (uInt)length;
    stream->next_out = out;
    stream->avail_out = (uInt)(length + STORED_LENGTH - 1);
    return deflate(stream, Z_FINISH) == Z_STREAM_END ? (size_t)(stream->next_out - out) : 0;
}

#if SLUICE_ISAL
// What comes first goes by itself, this many bytes: so few are written as literals by other code. Where the code that finds
// matches starts a stream (up to ISA-L 2.31 at least), it takes bits of the stream's address for text of the third byte, and
// what it writes depends on them. Costs a dozen bytes.
#define ISAL_FIRST 16

static bool deflate_isal_part(struct isal_zstream *stream, const uint8_t *in, size_t length, bool last) {
    stream->flush = last ? NO_FLUSH : SYNC_FLUSH;
    stream->end_of_stream = last;
    stream->next_in = (uint8_t *)(uintptr_t)in;
    stream->avail_in = (uint32_t)length;
    return isal_deflate(stream) == COMP_OK && stream->avail_in == 0 && stream->avail_out > 0;
}

static size_t deflate_isal(sluice_deflater *deflater, const uint8_t *in, size_t length, uint8_t *out) {
    struct isal_zstream *stream = &deflater->isal;
    const size_t first = length < ISAL_FIRST ? length : ISAL_FIRST;
    isal_deflate_reset(stream);
    stream->next_out = out;
    stream->avail_out = (uint32_t)(length + STORED_LENGTH);  // one more than is of use, for a part that fills it may not be done
    if (!deflate_isal_part(stream, in, first, first == length)) return 0;
    if (first < length && !deflate_isal_part(stream, in + first, length - first, true)) return 0;
    return (size_t)(stream->next_out - out);
}
#endif

static size_t deflate_stored(const uint8_t *in, size_t length, uint8_t *out) {
    const uint16_t size = (uint16_t)length;
    const uint8_t header[STORED_LENGTH] = {
        1, (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)~size, (uint8_t)(~size >> 8)};
    memcpy(out, header, STORED_LENGTH);
    memcpy(out + STORED_LENGTH, in, length);
    return STORED_LENGTH + length;
}

static size_t deflate_any(sluice_deflater *deflater, const uint8_t *in, size_t length, uint8_t *out) {
    size_t written = 0;
#if SLUICE_ISAL
    if (deflater->method == METHOD_ISAL) written = deflate_isal(deflater, in, length, out);
#endif
    if (deflater->method == METHOD_ZLIB) written = deflate_zlib(deflater, in, length, out);
    return written > 0 ? written : deflate_stored(in, length, out);
}

size_t sluice_bgzf_member(sluice_deflater *deflater, const uint8_t *in, size_t length, uint8_t *out) {
    assert(0 < length && length <= SLUICE_BGZF_INPUT_MAX);
    const size_t deflated = deflate_any(deflater, in, length, out + HEADER_LENGTH);
    const size_t size = HEADER_LENGTH + deflated + TRAILER_LENGTH;
    // The header of the end block is every block's, but for the size (less one) in its last two bytes.
    memcpy(out, sluice_bgzf_end, HEADER_LENGTH);
    store_16(out + HEADER_LENGTH - 2, (uint32_t)(size - 1));
    store_32(out + size - 8, engine_crc32(0, in, length));
    store_32(out + size - 4, (uint32_t)length);
    return size;
}
