// Columns: the cells of one CSV column as numbers, many at a time.

#ifndef SLUICE_COLUMN_H
#define SLUICE_COLUMN_H

#include "sluice_csv.h"

// One column of a CSV index (see sluice_csv.h), and the rows of it that are wanted.
typedef struct sluice_csv_column {
    const uint8_t *bytes;
    const uint32_t *ends;
    const uint32_t *row_starts;
    uint32_t columns;       // that a row of the index has
    uint32_t column;        // 0 ..< columns
    uint8_t quote;          // quotes around a cell do not count; 0: there are none
    uint32_t first_row;
    const uint32_t *slots;  // wanted are rows first_row + slots[0 ..< count]; NULL: first_row ..< first_row + count
    uint32_t count;
} sluice_csv_column;

// values[i], valid[i] of row i of those wanted: by the grammar of sluice_parse_int64 and, finite ones only, of
// sluice_parse_double. valid 0: the cell is absent or no such number, and values[i] is 0. O(count).
void sluice_csv_column_int64(const sluice_csv_column *column, int64_t *values, uint8_t *valid);
void sluice_csv_column_double(const sluice_csv_column *column, double *values, uint8_t *valid);

#endif
