// Counts calls of malloc on one thread, by standing in its place. Only with glibc and without sanitizers, which have a
// malloc of their own.

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

// Whether counting works in this build.
int allocation_counter_works(void);

// Starts at 0 for the calling thread.
void allocation_counter_start(void);

// The calls of the calling thread since the start.
long allocation_counter_stop(void);

#endif
