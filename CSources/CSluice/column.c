// Columns: see sluice_column.h.

#include "include/sluice_column.h"

#include <math.h>
#include <string.h>

#include "digits.h"
#include "include/sluice_number.h"

typedef struct cell {
    const uint8_t *text;
    size_t length;
} cell;

// The content of the cell in row `i` of those wanted, without quotes around it; of an absent one nothing.
static inline cell cell_of(const sluice_csv_column *c, uint32_t i) {
    const size_t row = c->first_row + (size_t)(c->slots == NULL ? i : c->slots[i]);
    const size_t place = row * c->columns + c->column;
    const uint32_t start = c->column == 0 ? c->row_starts[row] : c->ends[place - 1] + 1;
    const uint32_t end = c->ends[place];
    // An absent cell ends before it starts.
    if ((int32_t)(end - start) <= 0) return (cell){c->bytes, 0};
    const uint8_t *const text = c->bytes + start;
    const size_t length = end - start;
    if (c->quote == 0 || length < 2 || text[0] != c->quote || text[length - 1] != c->quote) {
        return (cell){text, length};
    }
    return (cell){text + 1, length - 2};
}

// The number that a cell of 1 to 7 bytes spells, if it has nothing but digits, and no zero in front of others.
static inline bool read_short(cell cell, int64_t *value) {
    uint64_t word;
    memcpy(&word, cell.text, sizeof word);
    const uint64_t behind = UINT64_MAX << (8 * cell.length);
    const uint64_t digits = (word ^ EVERY_BYTE('0')) & ~behind;
    if (find_others(digits) != 0 || (cell.length > 1 && (digits & 0xFF) == 0)) return false;
    *value = (int64_t)join_digits(digits, (unsigned)cell.length);
    return true;
}

void sluice_csv_column_int64(const sluice_csv_column *column, int64_t *values, uint8_t *valid) {
    for (uint32_t i = 0; i < column->count; i++) {
        const cell cell = cell_of(column, i);
        values[i] = 0;
        // Most cells have a few digits: no call for those.
        valid[i] = (cell.length - 1 < 7 && read_short(cell, &values[i])) ||
                   sluice_parse_int64(cell.text, cell.length, &values[i]);
    }
}

void sluice_csv_column_double(const sluice_csv_column *column, double *values, uint8_t *valid) {
    for (uint32_t i = 0; i < column->count; i++) {
        const cell cell = cell_of(column, i);
        double value = 0;
        valid[i] = sluice_parse_double(cell.text, cell.length, &value) && isfinite(value);
        values[i] = valid[i] ? value : 0;
    }
}
