#include "ui/awaited.h"

#include "ui/format.h"

#define LATE_S     1.0
#define LATE_TIMES 10

bool awaited_is_late(double waited_s, uint64_t p99_ns)
{
    return waited_s >= LATE_S && waited_s >= (double)p99_ns * LATE_TIMES / 1e9;
}

/* SHUTDOWN at first; each of these a quarter of timeouts.stop after the one before. */
const char *awaited_next_rung(double waited_s, double limit_s, double *in_s)
{
    static const char *const rungs[] = { "its input is closed", "SIGTERM", "SIGKILL" };
    for (int i = 0; i < 3; i++) {
        *in_s = limit_s * (i + 1) / 4 - waited_s;
        if (*in_s > 0)
            return rungs[i];
    }
    return NULL;
}

bool awaited_of(const struct view *v, int node, const struct node_status *n, struct awaited *out)
{
    const struct scenario_node *spec = &v->scenario->nodes[node];
    const struct session_status *s = v->status;
    bool ending = n->state == NODE_ENDING, starting = n->state == NODE_STARTING;
    *out = (struct awaited){ .waited_s = n->waiting_s };
    if (!v->session || !(ending || starting || n->state == NODE_BUSY || n->waiting_s > 0))
        return false;
    if ((ending && s->waiting_for >= 0) || node == s->waiting_for)
        out->waited_s = s->waiting_s; /* all are told to end at the same time */
    if (out->waited_s < HELD_S)
        return false;
    out->limit_s = (double)(ending ? spec->timeout_stop : starting ? spec->timeout_start : spec->timeout_step) / 1e6;
    if (!v->wall)
        return true;
    if (ending)
        out->next = v->killed ? NULL : awaited_next_rung(out->waited_s, out->limit_s, &out->next_s);
    out->late = ending || starting ? out->waited_s > out->limit_s / 4
                                   : awaited_is_late(out->waited_s, session_step_ns(v->session, node, 0.99));
    return true;
}

enum role awaited_role(const struct awaited *a)
{
    return a->late ? ROLE_WARN : ROLE_BUSY;
}

void awaited_put(struct pen *pen, enum role role, const struct view *v, const struct awaited *a)
{
    char text[FORMAT_TEXT];
    pen_put(pen, role, v->wall ? format_wall(a->waited_s, text) : WALL_HIDDEN);
    pen_printf(pen, ROLE_DIM, " of %s", format_spaced((simtime)(a->limit_s * 1e6 + 0.5), text));
}
