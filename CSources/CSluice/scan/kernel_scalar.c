// The kernel of plain C: the machines that define the others.

#include "internal.h"
#include "isa_scalar.h"

#include "encode_content.inc"
#include "encode_csv.inc"
#include "encode_jsonl.inc"
#include "lz4_lines.inc"

const sluice_kernel sluice_kernel_scalar = {
    .name = SLUICE_ISA_NAME,
    .singles = &sluice_core_singles,
    .csv_cut = sluice_scalar_csv_cut,
    .csv_index = sluice_scalar_csv_index,
    .jsonl_cut = sluice_scalar_jsonl_cut,
    .json_cut = sluice_scalar_json_cut,
    .json_index = sluice_scalar_json_index,
    .text_cut = sluice_scalar_text_cut,
    .text_index = sluice_scalar_text_index,
    .utf8_find_invalid = sluice_scalar_utf8_find_invalid,
    .to_utf8 = {
        [SLUICE_UTF16LE] = sluice_scalar_utf16le_to_utf8,
        [SLUICE_UTF16BE] = sluice_scalar_utf16be_to_utf8,
        [SLUICE_LATIN1] = sluice_scalar_latin1_to_utf8,
    },
    .from_utf8 = {
        [SLUICE_UTF16LE] = sluice_scalar_utf8_to_utf16le,
        [SLUICE_UTF16BE] = sluice_scalar_utf8_to_utf16be,
        [SLUICE_LATIN1] = sluice_scalar_utf8_to_latin1,
    },
    .encode_jsonl_columns = encode_jsonl_columns,
    .encode_jsonl_records = encode_jsonl_records,
    .encode_csv_columns = encode_csv_columns,
    .encode_content = encode_content,
    .lz4_lines = lz4_lines,
};
