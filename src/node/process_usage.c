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
    struct usage *last;  /* of the nodes, in their order: the last that was found of each */
    int64_t read_ns;
    bool is_asked; /* somebody wants to know at all */
    bool is_known; /* as of read_ns, until that expires */
};

struct process_usages *process_usages_new(struct node *const *nodes, int count)
{
    struct process_usages *u = mem_alloc(sizeof *u);
    u->nodes = nodes;
    u->count = (size_t)count;
    u->items = mem_array(u->count, sizeof *u->items);
    u->last = mem_array(u->count, sizeof *u->last);
    return u;
}

void process_usages_free(struct process_usages *u)
{
    if (!u)
        return;
    free(u->items);
    free(u->last);
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

/* One walk for all nodes. A process that has not begun its program yet, or has ended it, has no memory. */
static void read_all(struct process_usages *u)
{
    u->read_ns = clock_ns();
    u->is_known = true;
    for (size_t i = 0; i < u->count; i++)
        u->items[i] = (struct usage){ .group = u->nodes[i]->pid };
    qsort(u->items, u->count, sizeof *u->items, compare_groups);
    procfs_each(add, u);
    for (size_t i = 0; i < u->count; i++) {
        const struct usage *found = u->nodes[i]->pid ? find(u, u->nodes[i]->pid) : NULL;
        if (found && found->memory)
            u->last[i] = *found;
    }
}

static const struct usage *last_of(const struct process_usages *u, const struct node *n)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->nodes[i] == n)
            return &u->last[i];
    return NULL;
}

bool process_usages_of(struct process_usages *u, const struct node *n, double *cpu_s, uint64_t *memory,
                       unsigned *processes)
{
    u->is_asked = true;
    if (n->pid && (!u->is_known || clock_ns() >= u->read_ns + USAGE_NS))
        read_all(u);
    const struct usage *found = n->pid ? find(u, n->pid) : last_of(u, n);
    if (!found || !found->memory)
        return false;
    *cpu_s = (double)found->ticks / (double)procfs_ticks_per_second();
    *memory = found->memory;
    *processes = found->processes;
    return true;
}

void process_usages_expire(struct process_usages *u)
{
    u->is_known = false;
}

void process_usages_last(struct process_usages *u)
{
    if (u && u->is_asked)
        read_all(u);
}
