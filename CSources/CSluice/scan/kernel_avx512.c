// The kernel for x86-64 processors with AVX-512, of the generation of Ice Lake and Zen 4: the generic algorithms, compiled for it.

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,pclmul,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)

#include "internal.h"
#include "isa_avx512.h"

#include "utf8.inc"
#include "csv.inc"
#include "json.inc"
#include "encode_csv.inc"
#include "encode_jsonl.inc"

const sluice_kernel sluice_kernel_avx512 = {
    .name = SLUICE_ISA_NAME,
    .csv_cut = csv_cut,
    .csv_index = csv_index,
    .jsonl_cut = jsonl_cut,
    .json_index = json_index,
    .utf8_find_invalid = utf8_find_invalid,
    .encode_jsonl_columns = encode_jsonl_columns,
    .encode_jsonl_records = encode_jsonl_records,
    .encode_csv_columns = encode_csv_columns,
};

#pragma clang attribute pop

#endif
