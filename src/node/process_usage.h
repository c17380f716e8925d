/* What the machine spends on the processes of nodes, by their process groups, as /proc tells. */
#ifndef NODE_PROCESS_USAGE_H
#define NODE_PROCESS_USAGE_H

#include "node/node.h"

struct process_usages;
/* Nodes outside the program; the list is borrowed. */
struct process_usages *process_usages_new(struct node *const *nodes, int count);
void process_usages_free(struct process_usages *u); /* NULL is fine */

/* Of the group of one of these nodes: processor time so far, resident bytes, how many processes they are. Read for all
 * nodes at once, when what is known is a second old. Of a node whose process is gone what was known last. False where
 * there is none. */
bool process_usages_of(struct process_usages *u, const struct node *n, double *cpu_s, uint64_t *memory,
                       unsigned *processes);
void process_usages_expire(struct process_usages *u); /* what is asked for next is read anew */
/* The nodes are about to end: reads once more what somebody may ask for. NULL is fine. */
void process_usages_last(struct process_usages *u);

#endif
