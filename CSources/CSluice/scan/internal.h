// The scalar machines, which define what every kernel does, and the kernels' own tables.

#ifndef SLUICE_INTERNAL_H
#define SLUICE_INTERNAL_H

#include "../include/CSluice.h"

sluice_csv_cut_function sluice_scalar_csv_cut;
sluice_csv_index_function sluice_scalar_csv_index;
sluice_jsonl_cut_function sluice_scalar_jsonl_cut;
sluice_json_cut_function sluice_scalar_json_cut;
sluice_json_index_function sluice_scalar_json_index;
sluice_text_cut_function sluice_scalar_text_cut;
sluice_text_index_function sluice_scalar_text_index;
sluice_utf8_find_invalid_function sluice_scalar_utf8_find_invalid;
sluice_transcode_function sluice_scalar_utf16le_to_utf8, sluice_scalar_utf8_to_utf16le;
sluice_transcode_function sluice_scalar_utf16be_to_utf8, sluice_scalar_utf8_to_utf16be;
sluice_transcode_function sluice_scalar_latin1_to_utf8, sluice_scalar_utf8_to_latin1;

extern const sluice_kernel sluice_kernel_scalar;
#if defined(__x86_64__)
extern const sluice_kernel sluice_kernel_avx2;
extern const sluice_kernel sluice_kernel_avx512;
#elif defined(__aarch64__)
extern const sluice_kernel sluice_kernel_neon;
#endif

#endif
