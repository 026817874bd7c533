#include "include/sluice_singles.h"

#define SINGLE(name) .name = sluice_##name

const sluice_singles sluice_core_singles = {
    SINGLE(number_length),
    SINGLE(parse_int64),
    SINGLE(parse_double),
    SINGLE(print_int64),
    SINGLE(print_double),

    SINGLE(csv_first_record),
    SINGLE(csv_field_content),
    SINGLE(csv_is_null),
    SINGLE(csv_quote),
    SINGLE(csv_column_int64),
    SINGLE(csv_column_double),
    SINGLE(infer_cell),

    SINGLE(json_validate),
    SINGLE(json_value_end),
    SINGLE(json_key_equals),
    SINGLE(json_string_content),
    SINGLE(json_project),
    SINGLE(json_project_keys),
    SINGLE(json_quote),
    SINGLE(json_key),
    SINGLE(base64_encode),

    SINGLE(encoded_length),

    SINGLE(ring_create),
    SINGLE(ring_destroy),
    SINGLE(ring_capacity),
    SINGLE(ring_push),
    SINGLE(ring_pop),
};
