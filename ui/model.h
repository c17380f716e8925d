/* What the screen shows of a run beyond what the session tells at once: the tree of nodes by tier, and totals over all
 * nodes that are refreshed now and then only. */
#ifndef UI_MODEL_H
#define UI_MODEL_H

#include "lockstep/session.h"

#define TIERS 3

struct model {
    int node_count, id_width;  /* of the longest id */
    int *by_tier;              /* node indices, tier after tier, each in scenario order */
    int tier_start[TIERS + 1]; /* where in by_tier a tier starts */

    uint64_t *wall_ns; /* per node, as of the last refresh */
    uint64_t wall_total;
    int *by_share; /* node indices, the largest share of wall time first */
    int failed;
    int tier_failed[TIERS];
    int first_failed; /* node, or -1 */
};

/* For a run of this scenario, which must outlive it. */
void model_init(struct model *m, const struct scenario *scenario);
void model_free(struct model *m);
/* Reads every node: a few times a second at most. Without `wall` the order by share is that of the scenario. */
void model_refresh(struct model *m, const struct session *session, bool wall);

#endif
