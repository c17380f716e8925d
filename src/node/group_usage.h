/* What the processes of nodes use of the machine, by process group. It is read from /proc for all nodes at once, when
 * what is known is a second old. */
#ifndef NODE_GROUP_USAGE_H
#define NODE_GROUP_USAGE_H

#include "node/node.h"

struct group_usages;

struct group_usages *group_usages_new(struct node *const *nodes, int count); /* which are borrowed */
void group_usages_free(struct group_usages *u);                              /* NULL is fine */

/* Of this node's group: processor time so far, resident bytes, how many processes. False where there is none. */
bool group_usages_of(struct group_usages *u, const struct node *n, double *cpu_s, uint64_t *memory,
                     unsigned *processes);

#endif
