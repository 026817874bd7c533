// Columns: see sluice_column.h.

#include "include/sluice_column.h"

#include <math.h>

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

void sluice_csv_column_int64(const sluice_csv_column *column, int64_t *values, uint8_t *valid) {
    for (uint32_t i = 0; i < column->count; i++) {
        const cell cell = cell_of(column, i);
        // Most cells have a few digits: no call for those.
        if (cell.length - 1 < 5 && cell.text[0] - '1' < 9u) {
            int64_t value = 0;
            size_t at = 0;
            while (at < cell.length && cell.text[at] - '0' < 10u) value = value * 10 + (cell.text[at++] - '0');
            valid[i] = at == cell.length;
            values[i] = valid[i] ? value : 0;
            continue;
        }
        values[i] = 0;
        valid[i] = sluice_parse_int64(cell.text, cell.length, &values[i]);
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
