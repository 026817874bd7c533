// What is done for one value, one header or one object at a time, and the ring: of the C core the same for each kernel.

#ifndef SLUICE_SINGLES_H
#define SLUICE_SINGLES_H

#include "sluice_column.h"
#include "sluice_csv.h"
#include "sluice_encode.h"
#include "sluice_json.h"
#include "sluice_number.h"
#include "sluice_ring.h"
#include "sluice_transcode.h"

// Functions as they are declared; where one takes text of a batch without its length, SLUICE_PADDING bytes stand behind it.
#define SLUICE_SINGLE(name) __typeof__(sluice_##name) *_Nonnull name

typedef struct sluice_singles {
    SLUICE_SINGLE(number_length);
    SLUICE_SINGLE(parse_int64);
    SLUICE_SINGLE(parse_double);
    SLUICE_SINGLE(print_int64);
    SLUICE_SINGLE(print_double);

    SLUICE_SINGLE(csv_first_record);
    SLUICE_SINGLE(csv_field_content);
    SLUICE_SINGLE(csv_is_null);
    SLUICE_SINGLE(csv_quote);
    SLUICE_SINGLE(csv_column_int64);
    SLUICE_SINGLE(csv_column_double);
    SLUICE_SINGLE(infer_cell);

    SLUICE_SINGLE(json_validate);
    SLUICE_SINGLE(json_value_end);
    SLUICE_SINGLE(json_key_equals);
    SLUICE_SINGLE(json_string_content);
    SLUICE_SINGLE(json_project);
    SLUICE_SINGLE(json_project_keys);
    SLUICE_SINGLE(json_quote);
    SLUICE_SINGLE(json_key);
    SLUICE_SINGLE(base64_encode);

    SLUICE_SINGLE(encoded_length);

    SLUICE_SINGLE(ring_create);
    SLUICE_SINGLE(ring_destroy);
    SLUICE_SINGLE(ring_capacity);
    SLUICE_SINGLE(ring_push);
    SLUICE_SINGLE(ring_pop);
} sluice_singles;

extern const sluice_singles sluice_core_singles;

#endif
