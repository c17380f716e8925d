#include "ui/route.h"

#include <string.h>

#define NEAR       2    /* a message that is lost on its link is dropped right behind its record */
#define READS_MOST 4000 /* until it is given up */

static int node_of(const struct scenario *scenario, struct text id)
{
    char name[80];
    if (!id.len || id.len >= sizeof name)
        return -1;
    memcpy(name, id.s, id.len);
    name[id.len] = '\0';
    return scenario_find_node(scenario, name);
}

/* Whether record n is the message. Of another message *other is its number. */
static bool is_message(struct store *store, uint64_t n, uint64_t id, struct record *r, uint64_t *other)
{
    *other = UINT64_MAX;
    if (store_read(store, n, r) != 0 || r->kind != RECORD_MESSAGE)
        return false;
    *other = r->id;
    return r->id == id;
}

/* Messages are numbered in the order of their records: by halves, each time to the next message behind the middle. */
static bool find_message(struct store *store, uint64_t drop, uint64_t id, struct record *r)
{
    uint64_t low = 0, high = drop, other;
    for (uint64_t back = 1; back <= NEAR && back <= drop; back++)
        if (is_message(store, drop - back, id, r, &other))
            return true;
    for (int reads = 0; low < high && reads < READS_MOST;) {
        uint64_t at = low + (high - low) / 2, middle = at;
        for (other = UINT64_MAX; at < high && other == UINT64_MAX && reads < READS_MOST; at++, reads++)
            if (is_message(store, at, id, r, &other))
                return true;
        if (other < id)
            low = at;
        else
            high = middle;
    }
    return false;
}

static struct text name_of(const struct scenario *scenario, int node)
{
    const char *id = node >= 0 ? scenario->nodes[node].id : "";
    return (struct text){ id, strlen(id) };
}

/* What the message says, before the next read. */
static void keep(struct route *route, const struct scenario *scenario, const struct record *message)
{
    route->src = node_of(scenario, message->src);
    route->dst = node_of(scenario, message->dst);
    if (route->dst >= 0)
        return;
    struct text name = message->dst;
    route->unknown_len = name.len < ROUTE_NAME ? name.len : ROUTE_NAME;
    while (route->unknown_len && route->unknown_len < name.len && (name.s[route->unknown_len] & 0xc0) == 0x80)
        route->unknown_len--; /* no part of a character */
    memcpy(route->unknown, name.s, route->unknown_len);
}

int route_fill(struct routes *routes, const struct scenario *scenario, struct store *store, uint64_t n,
               struct record *r)
{
    struct route *route = &routes->kept[n % ROUTES_KEPT];
    if (route->drop != n + 1) {
        bool found = find_message(store, n, r->id, r);
        *route = (struct route){ .drop = n + 1, .src = -1, .dst = -1 };
        if (found)
            keep(route, scenario, r);
        if (store_read(store, n, r) != 0)
            return -1;
    }
    r->src = name_of(scenario, route->src);
    r->dst = route->unknown_len ? (struct text){ route->unknown, route->unknown_len } : name_of(scenario, route->dst);
    return 0;
}
