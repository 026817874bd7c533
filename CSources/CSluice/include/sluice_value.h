// Fields of rows as values, for writers that take no text: a database's parameters.

#ifndef SLUICE_VALUE_H
#define SLUICE_VALUE_H

#include "sluice_encode.h"

// A field, decoded.
typedef struct sluice_value {
    sluice_cell tag;      // UNSET: the row has no such field; never REMOVED
    uint64_t bits;        // INT: the integer, DOUBLE: the double's bits
    const uint8_t *text;  // STRING, DECIMAL, BYTES, JSON: the content, in the batch or in scratch
    size_t length;
} sluice_value;

// Room for contents that are decoded: of the fields of one row, one behind the other.
typedef struct sluice_scratch {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
} sluice_scratch;

// The field of `column` in row `number` (0 ..< rows->count). Returns false where scratch is too small: then `value->length`
// bytes of it must be free. Bases NONE, CSV and PROJECTED.
bool sluice_value_at(
    const sluice_rows *rows, const sluice_column *column, uint32_t number, sluice_scratch *scratch, sluice_value *value);

#endif
