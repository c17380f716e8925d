#include "ui/usage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define READ_MS         1000 /* between two readings of a node, at least */
#define COST_SHARE      20   /* readings take one part in so many of the time at most */
#define WINDOW_MS       900  /* over which the processor's share is taken … */
#define WINDOW_LEAST_MS 250  /* … the first time over this */

struct reading {
    int key; /* of what was read; 0: nothing was */
    bool moving, there;
    int64_t read_ms, base_ms; /* when it was read last, and where the share is counted from */
    double base_cpu_s;
    struct usage shown;
};

struct usages {
    struct reading *items;
    int64_t cost_us; /* of one reading */
    int in_sight;
};

struct usages *usages_new(int nodes)
{
    struct usages *u = mem_alloc(sizeof *u);
    u->items = mem_array((size_t)nodes, sizeof *u->items);
    u->in_sight = 1;
    return u;
}

void usages_free(struct usages *u)
{
    if (u)
        free(u->items);
    free(u);
}

void usages_expect(struct usages *u, int nodes)
{
    u->in_sight = nodes > 0 ? nodes : 1;
}

static int64_t interval_ms(const struct usages *u)
{
    int64_t fair = u->cost_us * u->in_sight * COST_SHARE / 1000;
    return fair > READ_MS ? fair : READ_MS;
}

static void read_one(struct usages *u, const struct session *session, int i, int64_t now)
{
    struct reading *r = &u->items[i];
    struct session_usage usage;
    int64_t before = clock_us();
    r->read_ms = now;
    r->there = session_usage(session, i, &usage);
    u->cost_us = clock_us() - before;
    if (!r->there)
        return;
    r->shown.memory = usage.memory;
    r->shown.processes = usage.processes;
    int64_t window = now - r->base_ms;
    if (r->base_ms && window < (r->shown.cpu < 0 ? WINDOW_LEAST_MS : WINDOW_MS))
        return;
    double spent = usage.cpu_s - r->base_cpu_s;
    if (r->base_ms) /* of a child that has ended nothing is counted any more: below 0 is no share */
        r->shown.cpu = (spent > 0 ? spent : 0) * 1000 / (double)window;
    r->base_ms = now;
    r->base_cpu_s = usage.cpu_s;
}

int usage_key(const struct node_status *s)
{
    unsigned h = 2166136261u; /* FNV-1a */
    if (!s->container)
        return s->pid;
    for (const char *c = s->container; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619u;
    return (int)(h >> 1) | 1;
}

bool usage_last(const struct session *session, int i, struct usage *out)
{
    struct session_usage last;
    if (!session_usage(session, i, &last))
        return false;
    *out = (struct usage){ .cpu = -1, .memory = last.memory };
    return true;
}

bool usages_get(struct usages *u, const struct session *session, int i, int key, bool moving, struct usage *out)
{
    struct reading *r = &u->items[i];
    int64_t now = clock_ms();
    if (!key)
        return false;
    bool is_new = r->key != key;
    if (is_new)
        *r = (struct reading){ .key = key, .shown = { .cpu = -1 } };
    if (is_new || now - r->read_ms >= interval_ms(u) || (r->moving && !moving))
        read_one(u, session, i, now);
    r->moving = moving;
    *out = r->shown;
    return r->there;
}
