// The argument:
// (1) Places are numbered 0, 1, 2 ... and so on past 2^64, which a power of two divides; place p is cell p mod capacity. `tail`
//     is the next place to fill, `head` the next to empty.
// (2) A cell's turn says who may touch it: p, the push at place p; p + 1, the pop at place p; p + capacity, the push a round
//     later. A capacity of 1 would make two of them one.
// (3) A thread that sees its turn claims the place by moving the counter on. Only one succeeds, and until it passes the turn on
//     no other touches the cell, so the element itself need not be atomic.
// (4) The turn is passed on by a release and seen by an acquire. Without that of push, a pop could see the turn but an old
//     element, or an element whose contents are not all there; without that of pop, a push could overwrite an element before
//     it was read.
// (5) The counters are relaxed: they only say which cell to look at, and the cell's turn says the rest. An old value makes
//     the claim fail, and it is looked at again.
// (6) A turn behind the place that is looked for means full (or empty), or that the thread whose turn it is has not passed it on
//     yet. A turn ahead of it means that others came first and the counter was old.

#include "include/sluice_ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#define APART 128  // bytes: two cache lines of x86-64, which are fetched in pairs, one of Apple's

typedef struct cell {
    _Atomic(uint64_t) turn;
    void *element;
} cell;

struct sluice_ring {
    uint64_t last_cell;  // capacity - 1
    _Alignas(APART) _Atomic(uint64_t) tail;
    _Alignas(APART) _Atomic(uint64_t) head;
    _Alignas(APART) cell cells[];
};

sluice_ring *sluice_ring_create_used(uint32_t capacity, uint64_t passed) {
    if (capacity < 2 || capacity > SLUICE_RING_MAX || (capacity & (capacity - 1)) != 0) return NULL;
    const size_t size = sizeof(sluice_ring) + capacity * sizeof(cell);
    sluice_ring *ring = aligned_alloc(APART, (size + APART - 1) / APART * APART);
    if (!ring) return NULL;
    ring->last_cell = capacity - 1;
    atomic_init(&ring->tail, passed);
    atomic_init(&ring->head, passed);
    for (uint64_t i = 0; i < capacity; i++) {
        cell *at = &ring->cells[(passed + i) & ring->last_cell];
        atomic_init(&at->turn, passed + i);
        at->element = NULL;
    }
    return ring;
}

sluice_ring *sluice_ring_create(uint32_t capacity) { return sluice_ring_create_used(capacity, 0); }

void sluice_ring_destroy(sluice_ring *ring) { free(ring); }

uint32_t sluice_ring_capacity(const sluice_ring *ring) { return (uint32_t)ring->last_cell + 1; }

// Claims the next place of `counter` whose cell's turn is `ahead` of it. NULL: that is not its turn, see (6).
static inline cell *claim(sluice_ring *ring, _Atomic(uint64_t) *counter, uint64_t ahead, uint64_t *place) {
    *place = atomic_load_explicit(counter, memory_order_relaxed);
    for (;;) {
        cell *at = &ring->cells[*place & ring->last_cell];
        const uint64_t turn = atomic_load_explicit(&at->turn, memory_order_acquire);
        const int64_t distance = (int64_t)(turn - (*place + ahead));
        if (distance < 0) return NULL;
        if (distance > 0) {
            *place = atomic_load_explicit(counter, memory_order_relaxed);
            continue;
        }
        const bool claimed = atomic_compare_exchange_weak_explicit(
            counter, place, *place + 1, memory_order_relaxed, memory_order_relaxed);
        if (claimed) return at;
    }
}

bool sluice_ring_push(sluice_ring *ring, void *element) {
    uint64_t place;
    cell *at = claim(ring, &ring->tail, 0, &place);
    if (!at) return false;
    at->element = element;
    atomic_store_explicit(&at->turn, place + 1, memory_order_release);
    return true;
}

bool sluice_ring_pop(sluice_ring *ring, void **element) {
    uint64_t place;
    cell *at = claim(ring, &ring->head, 1, &place);
    if (!at) return false;
    *element = at->element;
    atomic_store_explicit(&at->turn, place + ring->last_cell + 1, memory_order_release);
    return true;
}
