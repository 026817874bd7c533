// gzip in, of any members; BGZF out.
//
// ISA-L does the work where its header was installed at build time, zlib otherwise.

#ifndef SLUICE_GZIP_H
#define SLUICE_GZIP_H

#include "sluice_status.h"

// "ISA-L 2.30.0" or "zlib 1.2.13".
const char *sluice_gzip_engine(void);

typedef struct sluice_gunzip sluice_gunzip;

// NULL when there is no memory. The only allocation; destroy it with sluice_gunzip_destroy.
sluice_gunzip *sluice_gunzip_create(void);
void sluice_gunzip_destroy(sluice_gunzip *gunzip);

// Inflates from in[*in_used ..< in_length] to out[*out_used ..< out_capacity] and moves both cursors on. Any number of
// members (empty ones too) with zero padding behind the last; every CRC-32 and length is checked, and the size of BGZF blocks;
// header CRC, extra field, name and comment are understood. `final`: the input ends at in_length.
//   NEED_INPUT     all input is used up
//   OUTPUT_FULL    all of out is filled
//   END            `final`, all input is used up, and it ended behind a whole member (and zero padding); behind a BGZF block,
//                  if that was the empty one that ends such a file
//   CORRUPT, TRUNCATED (only when final), TRAILING_DATA: what came before is in `out`; *in_used is at, or shortly behind,
//                  the place
// Where `out` becomes full exactly at the end, the next call answers END. An input of 0 bytes is TRUNCATED. Input whose first
// bytes are not a gzip header is CORRUPT.
sluice_status sluice_gunzip_run(
    sluice_gunzip *gunzip, const uint8_t *in, size_t in_length, size_t *in_used, bool final,
    uint8_t *out, size_t out_capacity, size_t *out_used);

// For those who inflate members in parallel. Bytes of the BGZF member that bytes[0] begins, as its header has them; 0 where it
// begins none, or less than a header is there. Never less than SLUICE_BGZF_END_LENGTH, what the shortest has.
size_t sluice_bgzf_size(const uint8_t *bytes, size_t length);

// Inflates the one member that fills [in, in + in_length), whatever the reader has seen before, with all checks of
// sluice_gunzip_run. False: it is not whole, not sound, or more than out_capacity bytes.
bool sluice_gunzip_member(
    sluice_gunzip *gunzip, const uint8_t *in, size_t in_length, uint8_t *out, size_t out_capacity, size_t *out_used);

// Puts a new reader behind BGZF members that were inflated elsewhere.
void sluice_gunzip_skip(sluice_gunzip *gunzip, bool last_is_empty);

// Whether zeros came behind the last member so far. Readers, this one too, take no member behind them.
bool sluice_gunzip_is_padded(const sluice_gunzip *gunzip);

// BGZF: gzip members of at most 64 KiB that carry their own size, and an empty one at the very end (SAM specification,
// section 4.1), so that any reader reads it, truncation shows, and members inflate in parallel.

#define SLUICE_BGZF_INPUT_MAX 65280   // input bytes of one member
#define SLUICE_BGZF_OUTPUT_MAX 65536  // room for one member
#define SLUICE_BGZF_END_LENGTH 28
extern const uint8_t sluice_bgzf_end[SLUICE_BGZF_END_LENGTH];

typedef struct sluice_deflater sluice_deflater;

// Level 0 to 9. Level 1 (the default of Sluice) is ISA-L's where present; others are zlib's. NULL: no memory, or no such level.
sluice_deflater *sluice_deflater_create(int level);
void sluice_deflater_destroy(sluice_deflater *deflater);

// Writes one BGZF member of 1 to SLUICE_BGZF_INPUT_MAX input bytes to `out` (room: SLUICE_BGZF_OUTPUT_MAX) and returns its
// length. Never fails: data that does not shrink is stored. Equal input gives equal output.
size_t sluice_bgzf_member(sluice_deflater *deflater, const uint8_t *in, size_t length, uint8_t *out);

#endif
