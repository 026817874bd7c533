// A bounded queue as most would write it: an array under a lock, and two conditions.

#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#include <stddef.h>

typedef struct bench_queue bench_queue;

bench_queue *bench_queue_create(size_t capacity);
void bench_queue_destroy(bench_queue *queue);

// Both wait: for room, and for an element.
void bench_queue_push(bench_queue *queue, void *element);
void *bench_queue_pop(bench_queue *queue);

#endif
