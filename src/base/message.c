#include "base/message.h"

#include <stdlib.h>

#include "base/memory.h"

#define POOLED_ROOM 128 /* bytes; messages with more are not kept */

struct message_pool {
    struct message *free;
};

struct message_pool *message_pool_new(void)
{
    return mem_alloc(sizeof(struct message_pool));
}

void message_pool_free(struct message_pool *p)
{
    if (!p)
        return;
    for (struct message *m = p->free, *next; m; m = next) {
        next = m->next_free;
        free(m);
    }
    free(p);
}

struct message *message_new(struct message_pool *pool, size_t room)
{
    struct message *m;
    if (room > POOLED_ROOM)
        pool = NULL;
    if (pool && pool->free) {
        m = pool->free;
        pool->free = m->next_free;
    } else {
        m = mem_resize(NULL, sizeof *m + (pool ? POOLED_ROOM : room));
    }
    *m = (struct message){ .pool = pool, .latency = -1 };
    return m;
}

void message_free(struct message *m)
{
    if (m && m->pool) {
        m->next_free = m->pool->free;
        m->pool->free = m;
    } else {
        free(m);
    }
}

void message_list_add(struct message_list *list, struct message *m)
{
    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof(struct message *));
    list->items[list->count++] = m;
}

void message_list_free(struct message_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        message_free(list->items[i]);
    free(list->items);
    *list = (struct message_list){ 0 };
}
