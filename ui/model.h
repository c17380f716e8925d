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

    int process_count; /* nodes outside the program */
    bool *is_process;  /* per node: whether it is one */

    /* As of the last refresh: */
    uint64_t *wall_ns; /* per node */
    uint64_t wall_total;
    double *waited_s; /* per node, of those that hold the barrier up; else 0 */
    bool *is_dead;    /* per node */
    int *by_barrier;  /* node indices: who is waited for, the longest first; the dead; then by share of the wall time */
    int awaited;      /* processes that are asked for something … */
    int answering;    /* … and all that can be */
    int dead_count;   /* failed or frozen: nothing more is to come of them */
    int tier_dead[TIERS];
    int first_failed; /* node, or -1 */
};

#define HELD_S 0.05 /* a node that takes longer is named; shorter ones would only flicker */

/* For a run of this scenario, which must outlive it. */
void model_init(struct model *m, const struct scenario *scenario);
void model_free(struct model *m);
/* Reads every node: a few times a second at most. Without `wall` the order by share is that of the scenario. */
void model_refresh(struct model *m, const struct session *session, const struct session_status *status, bool wall);

/* What the dead are called. */
const char *model_dead_word(const struct model *m);

/* Changes when a node outside the program has come into another state. */
uint64_t model_states(const struct model *m, const struct session *session);

#endif
