/* From where to where a dropped message was sent: its drop has only its number, what it was is in an earlier record. */
#ifndef UI_ROUTE_H
#define UI_ROUTE_H

#include "lockstep/scenario.h"
#include "lockstep/store.h"

#define ROUTES_KEPT 128
#define ROUTE_NAME  80 /* bytes of an unknown name, at most */

/* Those that were found last, of one run. Begins as zero. */
struct routes {
    struct route {
        uint64_t drop;            /* its record + 1; 0: none is kept here */
        int src, dst;             /* nodes; -1: not found */
        char unknown[ROUTE_NAME]; /* where the message was sent to, if that is no node */
        size_t unknown_len;
    } kept[ROUTES_KEPT];
};

/* Fills in source and destination of record n, a drop that was read from the store, and reads it anew; they are
 * borrowed from the scenario (the name of an unknown destination from `routes`), and empty where its message is not
 * found. Returns -1 where the record cannot be read. */
int route_fill(struct routes *routes, const struct scenario *scenario, struct store *store, uint64_t n,
               struct record *r);

#endif
