#include "queue.h"

#include <pthread.h>
#include <stdlib.h>

struct bench_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_room, has_element;
    size_t capacity, first, count;
    void *elements[];
};

bench_queue *bench_queue_create(size_t capacity) {
    bench_queue *queue = calloc(1, sizeof *queue + capacity * sizeof(void *));
    if (!queue) abort();
    queue->capacity = capacity;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->has_room, NULL);
    pthread_cond_init(&queue->has_element, NULL);
    return queue;
}

void bench_queue_destroy(bench_queue *queue) {
    pthread_cond_destroy(&queue->has_element);
    pthread_cond_destroy(&queue->has_room);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void bench_queue_push(bench_queue *queue, void *element) {
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity) pthread_cond_wait(&queue->has_room, &queue->lock);
    queue->elements[(queue->first + queue->count++) % queue->capacity] = element;
    pthread_cond_signal(&queue->has_element);
    pthread_mutex_unlock(&queue->lock);
}

void *bench_queue_pop(bench_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0) pthread_cond_wait(&queue->has_element, &queue->lock);
    void *element = queue->elements[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    pthread_cond_signal(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
    return element;
}
