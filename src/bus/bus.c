#include "bus/bus.h"

#include <stdlib.h>

#include "base/memory.h"

struct bus {
    struct sink **sinks;
    size_t count, capacity;
    uint64_t next, kept; /* serials: of the next record, and of the first behind the last barrier */
};

struct bus *bus_new(void)
{
    return mem_alloc(sizeof(struct bus));
}

void bus_free(struct bus *b)
{
    if (!b)
        return;
    free(b->sinks);
    free(b);
}

void bus_attach(struct bus *b, struct sink *sink)
{
    b->sinks = mem_grow(b->sinks, b->count, &b->capacity, sizeof *b->sinks);
    b->sinks[b->count++] = sink;
}

void bus_publish(struct bus *b, struct record *r)
{
    r->n = b->next++;
    for (size_t i = 0; i < b->count; i++)
        b->sinks[i]->record(b->sinks[i], r);
}

bool bus_has_news(const struct bus *b)
{
    return b->next != b->kept;
}

int bus_barrier(struct bus *b, simtime now, struct error *err)
{
    int result = 0;
    b->kept = b->next;
    for (size_t i = 0; i < b->count; i++)
        if (b->sinks[i]->barrier && b->sinks[i]->barrier(b->sinks[i], now, err) < 0)
            result = -1;
    return result;
}

const char *record_kind_name(enum record_kind kind)
{
    static const char *const names[RECORD_KINDS] = {
        [RECORD_RUN] = "run",   [RECORD_MESSAGE] = "message", [RECORD_LOCAL] = "local",
        [RECORD_DROP] = "drop", [RECORD_NODE] = "node",       [RECORD_LINK] = "link",
        [RECORD_COMMAND] = "command", [RECORD_WARNING] = "warning", [RECORD_END] = "end",
    };
    return names[kind];
}
