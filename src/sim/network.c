#include "sim/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/queue.h"
#include "base/random.h"

struct link {
    int dst;
    simtime latency;
    double loss;
    struct random random;
};

/* A link that is not configured and was changed: it draws as the others do. */
struct changed {
    int src;
    struct link link;
};

struct network {
    enum network_model model;
    struct link *links;  /* the configured ones, by source */
    int *first;          /* links of source i: first[i] … first[i + 1] - 1 */
    struct link others;  /* all that are not configured, together */
    struct changed *changed;
    size_t changed_count, changed_capacity;
    struct queue *under_way;
};

static void seed_links(struct network *n, const struct scenario *s)
{
    char text[200];
    for (int i = 0; i < s->link_count; i++)
        n->first[s->links[i].src + 1]++;
    for (int i = 0; i < s->node_count; i++)
        n->first[i + 1] += n->first[i];
    int *next = mem_array((size_t)s->node_count + 1, sizeof *next);
    for (int i = 0; i < s->link_count; i++) {
        const struct scenario_link *from = &s->links[i];
        struct link *l = &n->links[n->first[from->src] + next[from->src]++];
        *l = (struct link){ .dst = from->dst, .latency = from->latency, .loss = from->loss };
        snprintf(text, sizeof text, "%s_%s_%llu", s->nodes[from->src].id, s->nodes[from->dst].id,
                 (unsigned long long)s->seed);
        random_seed_text(&l->random, text);
    }
    free(next);
    n->others = (struct link){ .dst = -1, .latency = s->default_latency, .loss = s->default_loss };
    snprintf(text, sizeof text, "default_%llu", (unsigned long long)s->seed);
    random_seed_text(&n->others.random, text);
}

struct network *network_new(const struct scenario *s, size_t limit)
{
    struct network *n = mem_alloc(sizeof *n);
    n->model = s->network;
    n->under_way = queue_new(limit);
    if (n->model == NETWORK_LATENCY) {
        n->links = mem_array((size_t)s->link_count, sizeof *n->links);
        n->first = mem_array((size_t)s->node_count + 1, sizeof *n->first);
        seed_links(n, s);
    }
    return n;
}

void network_free(struct network *n)
{
    if (!n)
        return;
    for (struct event e; queue_pop(n->under_way, &e);)
        message_free(e.data);
    queue_free(n->under_way);
    free(n->links);
    free(n->first);
    free(n->changed);
    free(n);
}

static struct link *find_link(struct network *n, int src, int dst)
{
    for (int i = n->first[src]; i < n->first[src + 1]; i++)
        if (n->links[i].dst == dst)
            return &n->links[i];
    return &n->others;
}

static struct link *find_changed(struct network *n, int src, int dst)
{
    for (size_t i = 0; i < n->changed_count; i++)
        if (n->changed[i].src == src && n->changed[i].link.dst == dst)
            return &n->changed[i].link;
    return NULL;
}

void network_change(struct network *n, int src, int dst, simtime latency, double loss)
{
    if (n->model == NETWORK_DIRECT)
        return;
    struct link *l = find_link(n, src, dst);
    if (l == &n->others && !(l = find_changed(n, src, dst))) {
        n->changed = mem_grow(n->changed, n->changed_count, &n->changed_capacity, sizeof *n->changed);
        n->changed[n->changed_count++] = (struct changed){ src, { .dst = dst } };
        l = &n->changed[n->changed_count - 1].link;
    }
    l->latency = latency;
    l->loss = loss;
}

bool network_link(struct network *n, int src, int dst, simtime *latency, double *loss)
{
    if (n->model == NETWORK_DIRECT)
        return false;
    const struct link *l = find_link(n, src, dst), *changed = find_changed(n, src, dst);
    if (l == &n->others && changed)
        l = changed;
    *latency = l->latency;
    *loss = l->loss;
    return true;
}

enum network_fate network_send(struct network *n, struct message *m)
{
    if (n->model == NETWORK_DIRECT)
        return NETWORK_AT_ONCE;
    struct link *l = find_link(n, m->src, m->dst);
    struct random *random = &l->random;
    if (n->changed_count && l == &n->others) {
        struct link *changed = find_changed(n, m->src, m->dst);
        l = changed ? changed : l;
    }
    if (random_double(random) < l->loss)
        return NETWORK_LOST;
    simtime due = m->time + l->latency;
    if (queue_push(n->under_way, due, 0, m) < 0)
        return NETWORK_FULL;
    m->time = due;
    return NETWORK_TAKEN;
}

simtime network_next(struct network *n)
{
    const struct event *first = queue_first(n->under_way);
    return first ? first->time : SIMTIME_NEVER;
}

struct message *network_arrived(struct network *n, simtime now)
{
    struct event e;
    const struct event *first = queue_first(n->under_way);
    if (!first || first->time > now || !queue_pop(n->under_way, &e))
        return NULL;
    return e.data;
}

size_t network_count(const struct network *n)
{
    return queue_count(n->under_way);
}

const struct message *network_at(const struct network *n, size_t i)
{
    return queue_at(n->under_way, i)->data;
}

simtime network_due(const struct network *n, size_t i)
{
    return queue_at(n->under_way, i)->time;
}

struct message *network_remove(struct network *n, size_t i)
{
    struct message *m = queue_at(n->under_way, i)->data;
    queue_remove(n->under_way, i);
    return m;
}

void network_replace(struct network *n, size_t i, struct message *m)
{
    struct event *e = queue_at(n->under_way, i);
    message_free(e->data);
    e->data = m;
}

int network_hold(struct network *n, struct message *m)
{
    return queue_push(n->under_way, m->time, 0, m);
}
