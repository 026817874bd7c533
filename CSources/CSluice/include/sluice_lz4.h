// LZ4 frames in and out (LZ4 frame format, version 1.6).

#ifndef SLUICE_LZ4_H
#define SLUICE_LZ4_H

#include "sluice_kernel.h"
#include "sluice_status.h"

typedef struct sluice_lz4_decoder sluice_lz4_decoder;

// NULL when there is no memory. The only allocation; destroy it with sluice_lz4_decoder_destroy. 4 MiB of address space, of
// which 128 KiB are used, and as much more as blocks are large that have a checksum of their own.
sluice_lz4_decoder *sluice_lz4_decoder_create(void);
void sluice_lz4_decoder_destroy(sluice_lz4_decoder *decoder);

// Decodes from in[*in_used ..< in_length] to out[*out_used ..< out_capacity] and moves both cursors on. Any number of frames,
// with blocks of any size, dependent on one another or not; skippable frames are skipped. Every checksum and length that a
// frame has is checked. `final`: the input ends at in_length.
//   NEED_INPUT        all input is used up
//   OUTPUT_FULL       all of out is filled
//   END               `final`, all input is used up, and it ended behind a whole frame; skippable ones alone are none
//   CORRUPT, TRUNCATED (only when final), TRAILING_DATA, NEEDS_DICTIONARY, LEGACY_FORMAT: what came before is in `out`, and
//                     nothing of a block that its own checksum does not fit; *in_used is at the place or behind it
// An input of 0 bytes is TRUNCATED. Input whose first bytes begin no frame is CORRUPT.
sluice_status sluice_lz4_decoder_run(
    sluice_lz4_decoder *decoder, const uint8_t *in, size_t in_length, size_t *in_used, bool final,
    uint8_t *out, size_t out_capacity, size_t *out_used);

// One frame, whose blocks do not depend on one another and so can be made on any thread: sluice_lz4_frame_start, blocks, and
// what sluice_lz4_frame_end writes.

#define SLUICE_LZ4_START_LENGTH 7
extern const uint8_t sluice_lz4_frame_start[SLUICE_LZ4_START_LENGTH];

// The frame says 256 KiB. Less is used, so that whatever is put together in 256 KiB of memory has room for what overflows.
#define SLUICE_LZ4_INPUT_MAX (240 * 1024)                 // input bytes of one block
#define SLUICE_LZ4_OUTPUT_MAX (SLUICE_LZ4_INPUT_MAX + 4)  // room for one block

#define SLUICE_LZ4_END_LENGTH 8
// `checksum`: XXH32 of the input bytes of all blocks.
void sluice_lz4_frame_end(uint32_t checksum, uint8_t out[SLUICE_LZ4_END_LENGTH]);

#define SLUICE_LZ4_LEVEL_MAX 12

typedef struct sluice_lz4_encoder sluice_lz4_encoder;

// Levels 0 and 1 are fast: lines that are alike are compressed as such (sluice_lz4_lines.h), other blocks by LZ4's fast
// compressor. 2 to SLUICE_LZ4_LEVEL_MAX are those of LZ4HC. NULL: no memory, or no such level.
sluice_lz4_encoder *sluice_lz4_encoder_create(int level, const sluice_kernel *kernel);
void sluice_lz4_encoder_destroy(sluice_lz4_encoder *encoder);

// Writes one block of 1 to SLUICE_LZ4_INPUT_MAX input bytes to `out` (room: SLUICE_LZ4_OUTPUT_MAX) and returns its length.
// Never fails: data that does not shrink is stored. Equal input gives equal output, whatever the kernel.
//
// `content`, if not NULL, gets the input added, which together costs less than sluice_xxh32_add.
size_t sluice_lz4_block(
    sluice_lz4_encoder *encoder, const uint8_t *in, size_t length, uint8_t *out, sluice_xxh32_state *content);

#endif
