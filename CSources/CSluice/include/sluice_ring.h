// A bounded queue of pointers between any number of threads: first in, first out, without locks.
//
// After Dmitry Vyukov, "Bounded MPMC queue" (1024cores.net, 2010).

#ifndef SLUICE_RING_H
#define SLUICE_RING_H

#include "sluice_status.h"

#define SLUICE_RING_MAX (UINT32_C(1) << 30)

typedef struct sluice_ring sluice_ring;

// An empty ring for `capacity` pointers, a power of two from 2 to SLUICE_RING_MAX. NULL: another capacity, or no memory.
// The only allocation; destroy it with sluice_ring_destroy, when no other thread uses it. It does not know what its pointers
// point to: take out first what must be freed.
sluice_ring *sluice_ring_create(uint32_t capacity);
void sluice_ring_destroy(sluice_ring *ring);

// For tests: a ring that looks as if `passed` pointers had gone through it.
sluice_ring *sluice_ring_create_used(uint32_t capacity, uint64_t passed);

uint32_t sluice_ring_capacity(const sluice_ring *ring);

// Any thread may call these at any time. Both take constant time but for other threads' pushes or pops that come between, and
// never wait: a push or pop that another thread has begun and not finished counts as full here and as empty there. Who waits
// for room or for an element has to look again when such a call is over.

// Whether there was room; if not, nothing has changed. `element` is not NULL. All that the caller wrote before is seen by
// whoever pops `element`.
bool sluice_ring_push(sluice_ring *ring, void *element);

// Takes out the oldest element. Whether there was one; if not, nothing has changed.
bool sluice_ring_pop(sluice_ring *ring, void **element);

#endif
