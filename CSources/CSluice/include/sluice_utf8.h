// UTF-8 validity, as Unicode (table 3-7) and CPython judge it: no overlong forms, no surrogates, nothing over U+10FFFF.

#ifndef SLUICE_UTF8_H
#define SLUICE_UTF8_H

#include "sluice_status.h"

// Offset of the first byte of the first ill-formed sequence (a sequence cut off by the end is one); `length` if none.
typedef size_t sluice_utf8_find_invalid_function(const uint8_t *bytes, size_t length);

#endif
