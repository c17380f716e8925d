#include "trace/hasher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK  (256u * 1024u)
#define BLOCKS 8 /* in flight between the program and the thread */

struct hasher {
    struct digest *digest; /* the thread's while it runs */
    char *blocks[BLOCKS];
    size_t used; /* bytes in the block that is being filled */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned filled, hashed; /* blocks so far, under the lock; filled - hashed < BLOCKS */
    bool ended;              /* under the lock */
};

struct hasher *hasher_new(void)
{
    struct hasher *h = mem_alloc(sizeof *h);
    h->digest = digest_new();
    h->blocks[0] = mem_alloc(BLOCK);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    return h;
}

static void *hash_blocks(void *arg)
{
    struct hasher *h = arg;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (h->hashed == h->filled && !h->ended)
            pthread_cond_wait(&h->changed, &h->lock);
        if (h->hashed == h->filled)
            break;
        const char *block = h->blocks[h->hashed % BLOCKS];
        pthread_mutex_unlock(&h->lock);
        digest_add(h->digest, block, BLOCK);
        pthread_mutex_lock(&h->lock);
        h->hashed++;
        pthread_cond_signal(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static bool start_thread(struct hasher *h)
{
    for (int i = 1; i < BLOCKS; i++)
        if (!h->blocks[i])
            h->blocks[i] = mem_alloc(BLOCK);
    return pthread_create(&h->thread, NULL, hash_blocks, h) == 0;
}

/* The present block is full. */
static void hand_over(struct hasher *h)
{
    if (!h->threaded && !(h->threaded = start_thread(h))) {
        digest_add(h->digest, h->blocks[0], BLOCK); /* no thread to be had: then here */
        h->used = 0;
        return;
    }
    pthread_mutex_lock(&h->lock);
    h->filled++;
    pthread_cond_signal(&h->changed);
    while (h->filled - h->hashed >= BLOCKS)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
    h->used = 0;
}

void hasher_add(struct hasher *h, const char *data, size_t len)
{
    while (len) {
        size_t n = BLOCK - h->used < len ? BLOCK - h->used : len;
        memcpy(h->blocks[h->filled % BLOCKS] + h->used, data, n);
        h->used += n;
        data += n;
        len -= n;
        if (h->used == BLOCK)
            hand_over(h);
    }
}

void hasher_end(struct hasher *h, char hex[DIGEST_HEX])
{
    if (h->threaded) {
        pthread_mutex_lock(&h->lock);
        h->ended = true;
        pthread_cond_signal(&h->changed);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
    }
    digest_add(h->digest, h->blocks[h->filled % BLOCKS], h->used);
    digest_end(h->digest, hex);
    for (int i = 0; i < BLOCKS; i++)
        free(h->blocks[i]);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    free(h);
}
