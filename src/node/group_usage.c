#include "node/group_usage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"

#define FRESH_NS INT64_C(900000000) /* between two looks */

/* What the processes of a group have used. */
struct usage {
    pid_t group;
    uint64_t ticks, memory;
    unsigned processes;
};

struct group_usages {
    struct node *const *nodes;
    int count;
    int64_t looked_ns;    /* 0: never yet */
    struct usage items[]; /* by group, as of then */
};

struct group_usages *group_usages_new(struct node *const *nodes, int count)
{
    struct group_usages *u = mem_alloc(sizeof *u + (size_t)count * sizeof u->items[0]);
    u->nodes = nodes;
    u->count = count;
    return u;
}

void group_usages_free(struct group_usages *u)
{
    free(u);
}

static int compare_groups(const void *a, const void *b)
{
    const struct usage *x = a, *y = b;
    return x->group < y->group ? -1 : x->group > y->group;
}

static struct usage *usage_of(struct group_usages *u, pid_t group)
{
    struct usage key = { .group = group };
    return bsearch(&key, u->items, (size_t)u->count, sizeof u->items[0], compare_groups);
}

static void add_usage(void *data, pid_t pid)
{
    struct procfs_stat process;
    struct usage *u = procfs_stat(pid, &process) ? usage_of(data, process.group) : NULL;
    if (!u)
        return;
    u->ticks += process.cpu_ticks;
    u->memory += process.memory;
    u->processes++;
}

/* One walk for all nodes. */
static void look(struct group_usages *u, int64_t now)
{
    u->looked_ns = now;
    for (int i = 0; i < u->count; i++)
        u->items[i] = (struct usage){ .group = u->nodes[i]->pid };
    qsort(u->items, (size_t)u->count, sizeof u->items[0], compare_groups);
    procfs_each(add_usage, u);
}

bool group_usages_of(struct group_usages *u, const struct node *n, double *cpu_s, uint64_t *memory, unsigned *processes)
{
    int64_t now = clock_ns();
    if (!n->pid)
        return false;
    if (!u->looked_ns || now >= u->looked_ns + FRESH_NS)
        look(u, now);
    const struct usage *found = usage_of(u, n->pid);
    if (!found || !found->processes)
        return false;
    *cpu_s = (double)found->ticks / (double)procfs_ticks_per_second();
    *memory = found->memory;
    *processes = found->processes;
    return true;
}
