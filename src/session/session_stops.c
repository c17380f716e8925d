/* What a session does about breakpoints: at a barrier it pauses or ends. */
#include <stdio.h>

#include "base/json.h"
#include "session/session_state.h"

static void look(const struct condition_nodes *nodes, int node, struct condition_node *out)
{
    const struct session *s = ((const struct node_look *)nodes)->session;
    *out = (struct condition_node){ node_state_name(launcher_node(s->launcher, node)->phase), s->timing[node].last_ns };
}

void stops_open(struct session *s)
{
    if (!s->options.breakpoints)
        return;
    s->look = (struct node_look){ { look }, s };
    for (int i = 0; i < s->scenario->node_count; i++)
        s->timing[i].last_ns = -1; /* not known yet */
    breakpoints_attach(s->options.breakpoints, s->scenario, &s->look.nodes);
    bus_attach(s->bus, breakpoints_sink(s->options.breakpoints));
}

void stops_close(struct session *s)
{
    if (s->look.session)
        breakpoints_detach(s->options.breakpoints);
}

/* What is about the person at the keys is in wall.jsonl. */
static void note_hit(struct session *s, const struct breakpoint_hit *hit)
{
    struct buffer keys = { 0 };
    buffer_text(&keys, "\"text\":");
    json_quote(&keys, hit->text, strlen(hit->text));
    if (!hit->is_time && !hit->is_log)
        buffer_format(&keys, ",\"record\":%llu", (unsigned long long)hit->record);
    wall_note(s->results.wall, now_of(s), "breakpoint", buffer_string(&keys));
    buffer_free(&keys);
}

void stops_heed(struct session *s)
{
    struct breakpoints *b = s->options.breakpoints;
    if (!b || !breakpoints_take(b, now_of(s), s->results.index.records))
        return;
    const struct breakpoint_hit *hit = breakpoints_hit(b);
    char cause[sizeof s->verdict.text];
    if (hit->is_log)
        snprintf(cause, sizeof cause, "log of %.900s", hit->line);
    else if (hit->is_time)
        snprintf(cause, sizeof cause, "reached %.900s", hit->text);
    else
        snprintf(cause, sizeof cause, "record %llu: %.900s", (unsigned long long)hit->record, hit->text);
    note_hit(s, hit);
    switch (hit->action) {
    case BREAKPOINT_NOTE:
        break;
    case BREAKPOINT_COMMAND: /* once it is done the front lets the run go on */
    case BREAKPOINT_PAUSE:
        s->limit = now_of(s);
        s->until_record = 0;
        break;
    case BREAKPOINT_ABORT:
        session_finish(s, SESSION_ABORTED, "aborted", 130, cause);
        break;
    case BREAKPOINT_END:
        session_finish(s, SESSION_FINISHED, "until", EXIT_FINISHED, cause);
        break;
    }
}

simtime stops_next(const struct session *s)
{
    if (!s->options.breakpoints)
        return SIMTIME_NEVER;
    simtime next = breakpoints_next_time(s->options.breakpoints, now_of(s));
    return next > s->scenario->duration ? SIMTIME_NEVER : coordinator_barrier_after(s->coordinator, next);
}
