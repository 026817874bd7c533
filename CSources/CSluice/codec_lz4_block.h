// The inside of LZ4 blocks, wherever input and output are cut.
//
// A block is a chain of sequences: a token, which holds two lengths of four bits; literals; the distance of a match, two
// bytes. A length of 15 goes on in bytes behind the token, or the distance. The last sequence ends with its literals.

#ifndef SLUICE_CODEC_LZ4_BLOCK_H
#define SLUICE_CODEC_LZ4_BLOCK_H

#include "codec.h"
#include "include/sluice_status.h"
#include "include/sluice_xxh32.h"

#define LZ4_DISTANCE_MAX 65535

// The content before that of the output at hand: as much as matches may look back at, or all that there is.
typedef struct lz4_history {
    uint32_t count;
    uint8_t bytes[2 * (LZ4_DISTANCE_MAX + 1) + SLUICE_PADDING];  // twice, so that not every small output moves as much
} lz4_history;

void lz4_history_add(lz4_history *history, const uint8_t *content, size_t count);

// Where content goes.
typedef struct lz4_output {
    writer writer;
    const uint8_t *start;  // of the output; what is before it is in `history`
    const lz4_history *history;
    sluice_xxh32_state *hash;  // NULL: none
    const uint8_t *hashed;     // content from here on is not in `hash` yet
} lz4_output;

// The part of a sequence that comes next.
typedef enum lz4_part {
    LZ4_TOKEN,
    LZ4_LITERALS_LENGTH,
    LZ4_LITERALS,
    LZ4_DISTANCE,
    LZ4_MATCH_LENGTH,
    LZ4_MATCH
} lz4_part;

// Where a block stands. All zeros at its start, but for `content_left` and `reach`.
typedef struct lz4_block_state {
    lz4_part part;
    uint32_t content_left;  // how much longer its content may get
    uint64_t reach;         // of the content before this place, how much matches may look back at
    uint32_t literals;      // that are left of the sequence, as far as its length is known
    uint32_t match;         // ... of its match, likewise
    uint32_t distance;
    uint32_t held_count;    // bytes of a distance that came in pieces
    uint8_t held[2];
} lz4_block_state;

// Goes on with a block; `is_whole`: it ends with `in`. Some of the content is added to `hash`, and `hashed` moves on with it.
//   OK            the block has ended
//   NEED_INPUT    all of `in` is used up; only if not `is_whole`
//   OUTPUT_FULL
//   CORRUPT       what came before the sequence that is damaged is in `out`
sluice_status lz4_block_run(lz4_block_state *state, reader *in, bool is_whole, lz4_output *out);

#endif
