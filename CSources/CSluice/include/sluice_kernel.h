// The table of hot functions, one for each instruction set, chosen at run time.

#ifndef SLUICE_KERNEL_H
#define SLUICE_KERNEL_H

#include "sluice_csv.h"
#include "sluice_encode.h"
#include "sluice_json.h"
#include "sluice_lz4_lines.h"
#include "sluice_singles.h"
#include "sluice_text.h"
#include "sluice_transcode.h"
#include "sluice_utf8.h"

typedef struct sluice_kernel {
    const char *name;  // "scalar", "avx2", "avx512", "neon"; "swift", which is not in this library
    const sluice_singles *singles;
    sluice_csv_cut_function *csv_cut;
    sluice_csv_index_function *csv_index;
    sluice_jsonl_cut_function *jsonl_cut;
    sluice_json_cut_function *json_cut;
    sluice_json_index_function *json_index;
    sluice_text_cut_function *text_cut;
    sluice_text_index_function *text_index;
    sluice_utf8_find_invalid_function *utf8_find_invalid;
    sluice_transcode_function *to_utf8[SLUICE_ENCODINGS];  // by the encoding of the input
    sluice_transcode_function *from_utf8[SLUICE_ENCODINGS];  // by that of the output
    sluice_encode_jsonl_columns_function *encode_jsonl_columns;
    sluice_encode_jsonl_records_function *encode_jsonl_records;
    sluice_encode_csv_columns_function *encode_csv_columns;
    sluice_encode_content_function *encode_content;
    sluice_lz4_lines_function *lz4_lines;
} sluice_kernel;

// "auto" (the fastest that this processor runs), "scalar", "avx2", "avx512", "neon". NULL for a name that is unknown, or
// that this processor cannot run. Complexity: constant.
const sluice_kernel *sluice_kernel_named(const char *name);

#endif
