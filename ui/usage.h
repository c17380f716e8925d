/* What nodes' processes take of the machine. Read for nodes that are drawn, once a second at most; a screen that stands
 * still reads nothing. */
#ifndef UI_USAGE_H
#define UI_USAGE_H

#include "lockstep/session.h"

struct usages;

struct usage {
    double cpu; /* share of one processor over the last second or so; below 0: not known yet */
    uint64_t memory;
    unsigned processes;
};

struct usages *usages_new(int nodes);
void usages_free(struct usages *u); /* NULL is fine */
/* How many nodes are in sight: reading costs, and the more of it the more seldom. */
void usages_expect(struct usages *u, int nodes);
/* By what it is told whether it is still the same process, or container; 0: there is none. */
int usage_key(const struct node_status *s);
/* The memory that the process of node i had last, now that it is gone. */
bool usage_last(const struct session *session, int i, struct usage *out);
/* Of node i, whose process has this key. `moving`: the run goes on; what is read after it has stopped stays. False:
 * nothing is known. */
bool usages_get(struct usages *u, const struct session *session, int i, int key, bool moving, struct usage *out);

#endif
