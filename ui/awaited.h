/* What is awaited of a node, since when, and what follows where it does not come. */
#ifndef UI_AWAITED_H
#define UI_AWAITED_H

#include "ui/pane.h"

struct awaited {
    double waited_s, limit_s;
    bool late;        /* for longer than it usually takes */
    const char *next; /* while it ends: what is done next, "SIGTERM"; NULL: nothing more */
    double next_s;    /* until then */
};

/* Whether something is awaited of node i for long enough to be told. */
bool awaited_of(const struct view *v, int node, const struct node_status *n, struct awaited *out);
/* An answer to a grant is late that has taken a second and ten times what 99 in 100 take. */
bool awaited_is_late(double waited_s, uint64_t p99_ns);
/* How a node is told to end, `waited_s` after it was told first. Returns what comes next and *in_s until then; NULL: it
 * was killed. */
const char *awaited_next_rung(double waited_s, double limit_s, double *in_s);
/* "1.3 s of 30 s". */
void awaited_put(struct pen *pen, enum role role, const struct view *v, const struct awaited *a);
enum role awaited_role(const struct awaited *a);

#endif
