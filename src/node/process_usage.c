#include "node/process_usage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"

#define USAGE_NS INT64_C(900000000) /* between two looks at what processes use */

/* What the processes of a node's group have used. */
struct usage {
    pid_t group;
    uint64_t ticks, memory;
    unsigned processes;
};

struct process_usages {
    struct node *const *nodes;
    size_t count;
    struct usage *items; /* by group, as of read_ns */
    int64_t read_ns;     /* 0: never yet */
};

struct process_usages *process_usages_new(struct node *const *nodes, int count)
{
    struct process_usages *u = mem_alloc(sizeof *u);
    u->nodes = nodes;
    u->count = (size_t)count;
    u->items = mem_array(u->count, sizeof *u->items);
    return u;
}

void process_usages_free(struct process_usages *u)
{
    if (!u)
        return;
    free(u->items);
    free(u);
}

static int compare_groups(const void *a, const void *b)
{
    const struct usage *x = a, *y = b;
    return x->group < y->group ? -1 : x->group > y->group;
}

static struct usage *find(const struct process_usages *u, pid_t group)
{
    struct usage key = { .group = group };
    return bsearch(&key, u->items, u->count, sizeof *u->items, compare_groups);
}

static void add(void *data, pid_t pid)
{
    struct procfs_stat process;
    struct usage *u = procfs_stat(pid, &process) ? find(data, process.group) : NULL;
    if (!u)
        return;
    u->ticks += process.cpu_ticks;
    u->memory += process.memory;
    u->processes++;
}

bool process_usages_of(struct process_usages *u, pid_t group, double *cpu_s, uint64_t *memory, unsigned *processes)
{
    int64_t now = clock_ns();
    if (group && (!u->read_ns || now >= u->read_ns + USAGE_NS)) { /* one walk for all nodes */
        u->read_ns = now;
        for (size_t i = 0; i < u->count; i++)
            u->items[i] = (struct usage){ .group = u->nodes[i]->pid };
        qsort(u->items, u->count, sizeof *u->items, compare_groups);
        procfs_each(add, u);
    }
    const struct usage *found = group ? find(u, group) : NULL;
    if (!found || !found->processes)
        return false;
    *cpu_s = (double)found->ticks / (double)procfs_ticks_per_second();
    *memory = found->memory;
    *processes = found->processes;
    return true;
}
