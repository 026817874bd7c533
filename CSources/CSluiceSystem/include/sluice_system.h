// Calls to the system that Swift does not import.

#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>
#include <stdint.h>

// Reserves space of a file for bytes [offset, offset + count), without changing its size. False where that cannot be done,
// for whatever reason.
bool system_reserve(int descriptor, int64_t offset, int64_t count);

// Processor cores that this process may run on; 0 where the system does not tell.
int system_allowed_cores(void);

// Names the calling thread, for debuggers: up to 15 bytes.
void system_name_thread(const char *name);

#endif
