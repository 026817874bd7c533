// LZ4 out: blocks of one frame, each compressed on its own.

#include <lz4.h>
#include <lz4hc.h>
#include <stdlib.h>

#include "codec.h"
#include "include/sluice_lz4.h"

_Static_assert(SLUICE_LZ4_LEVEL_MAX == LZ4HC_CLEVEL_MAX, "the levels are liblz4's");

enum { LENGTH_LENGTH = 4 };

const uint8_t sluice_lz4_frame_start[SLUICE_LZ4_START_LENGTH] = {
    0x04, 0x22, 0x4D, 0x18,  // magic number
    0x64,                    // version 1, independent blocks, a checksum of the content
    0x50,                    // blocks of up to 256 KiB
    0x08                     // checksum of these two
};

void sluice_lz4_frame_end(uint32_t checksum, uint8_t out[SLUICE_LZ4_END_LENGTH]) {
    store_32(out, 0);
    store_32(out + 4, checksum);
}

struct sluice_lz4_encoder {
    int level;
    const sluice_kernel *kernel;
    sluice_lz4_lines lines;
    max_align_t state[];  // liblz4's
};

static bool is_fast(int level) { return level <= 1; }

// Of LZ4_compress_fast. More makes files larger sooner than it makes them quicker to write: JSON Lines of short fields take as
// long with 16, and CSV grows by a quarter with 8 for what it saves.
enum { ACCELERATION = 1 };

sluice_lz4_encoder *sluice_lz4_encoder_create(int level, const sluice_kernel *kernel) {
    if (level < 0 || level > SLUICE_LZ4_LEVEL_MAX) return NULL;
    const int size = is_fast(level) ? LZ4_sizeofState() : LZ4_sizeofStateHC();
    sluice_lz4_encoder *encoder = calloc(1, sizeof *encoder + (size_t)size);
    if (!encoder) return NULL;
    encoder->level = level;
    encoder->kernel = kernel;
    return encoder;
}

void sluice_lz4_encoder_destroy(sluice_lz4_encoder *encoder) { free(encoder); }

// The length of the compressed block at `out`; 0: it would be no shorter than the input.
static size_t compress(
    sluice_lz4_encoder *encoder, const uint8_t *in, size_t length, uint8_t *out, sluice_xxh32_state *content) {
    const char *source = (const char *)in;
    char *target = (char *)out;
    const int count = (int)length;
    if (!is_fast(encoder->level)) {
        if (content) sluice_xxh32_add(content, in, length);
        const int made = LZ4_compress_HC_extStateHC(encoder->state, source, target, count, count - 1, encoder->level);
        return made > 0 ? (size_t)made : 0;
    }
    const size_t of_lines = encoder->kernel->lz4_lines(&encoder->lines, in, length, out, length - 1, content);
    if (of_lines) return of_lines;
    const int made = LZ4_compress_fast_extState(encoder->state, source, target, count, count - 1, ACCELERATION);
    return made > 0 ? (size_t)made : 0;
}

size_t sluice_lz4_block(
    sluice_lz4_encoder *encoder, const uint8_t *in, size_t length, uint8_t *out, sluice_xxh32_state *content) {
    assert(0 < length && length <= SLUICE_LZ4_INPUT_MAX);
    const size_t compressed = compress(encoder, in, length, out + LENGTH_LENGTH, content);
    if (compressed) {
        store_32(out, (uint32_t)compressed);
        return LENGTH_LENGTH + compressed;
    }
    store_32(out, 0x80000000u | (uint32_t)length);
    memcpy(out + LENGTH_LENGTH, in, length);
    return LENGTH_LENGTH + length;
}
