#include "session/session_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/log_search.h"
#include "session/session_state.h"
#include "sim/barrier.h"

#define SLICE          512        /* records between two looks at the clock */
#define CATCH_UP_BYTES (16 << 20) /* of a recorded run, at once */

/* A condition of its own: what count and changed know of the run that goes on must not be disturbed. */
struct probe {
    struct condition *condition;
    int id; /* of the breakpoint; 0: it is none */
    unsigned needs;
    uint64_t hits, from_hit; /* so far; of them, the first that counts */
};

/* Where node.state is from, in the past. */
struct past_look {
    struct condition_nodes nodes; /* first */
    struct session *session;
    const struct record *record;
};

/* The state that a record of a node tells of: at its barrier's end the node may have come to another one. */
static const char *told_state(const struct record *r)
{
    for (int i = 0; r->kind == RECORD_NODE && i < NODE_STATES; i++)
        if (text_is(r->state, node_state_name((enum node_state)i)))
            return node_state_name((enum node_state)i);
    return NULL;
}

static void look(const struct condition_nodes *nodes, int node, struct condition_node *out)
{
    const struct past_look *l = (const struct past_look *)nodes;
    struct past *p = viewing_survey(l->session);
    *out = (struct condition_node){ .state = told_state(l->record), .step_ns = -1 };
    if (out->state || !p || !past_seek_record(p, l->record->n))
        return;
    int64_t state = past_node(p, node)->v[MOMENT_STATE];
    out->state = state >= 0 && state < NODE_STATES ? node_state_name((enum node_state)state) : NULL;
}

void search_end(struct session *s)
{
    struct search *f = &s->viewing.search;
    for (size_t i = 0; i < f->count; i++)
        condition_free(f->probes[i].condition);
    free(f->probes);
    log_search_free(f->logs);
    *f = (struct search){ 0 };
}

static bool add_probe(struct search *f, const char *text, int id, uint64_t from_hit)
{
    struct condition_error err;
    struct condition *c = condition_parse(text, &err);
    if (!c)
        return false;
    f->probes = mem_resize(f->probes, (f->count + 1) * sizeof *f->probes);
    f->probes[f->count++] = (struct probe){ c, id, condition_needs(c), 0, from_hit };
    f->from_begin |= from_hit > 1 || (condition_needs(c) & CONDITION_HISTORY);
    return true;
}

/* A time at which one pauses, or the barrier behind a line of a log, if that is nearer than those before. */
static void consider_stop(struct search *f, int id, simtime t, const char *line)
{
    bool is_nearer = f->backward ? t < f->from && t > f->stop : t > f->from && t < f->stop;
    if (is_nearer && (f->backward ? t >= f->target : t <= f->target)) {
        f->stop = t;
        f->stop_id = id;
        snprintf(f->stop_line, sizeof f->stop_line, "%s", line);
    }
}

static void add_log(struct session *s, const struct breakpoint *b)
{
    struct search *f = &s->viewing.search;
    struct log_probe *probe = breakpoints_log_probe(s->options.breakpoints, b->id);
    if (!f->logs)
        f->logs = log_search_new(s, f->backward, f->from, f->target);
    if (probe && f->logs)
        log_search_add(f->logs, b->id, probe, b->from_hit);
    else
        log_probe_free(probe);
}

static uint64_t records_until(struct session *s, simtime t)
{
    struct past *p = viewing_survey(s);
    return p && t >= 0 && past_seek(p, t) ? (uint64_t)past_run(p)->v[MOMENT_RECORDS] : 0;
}

static void choose_records(struct session *s)
{
    struct search *f = &s->viewing.search;
    simtime from = f->from;
    f->first = f->backward ? records_until(s, f->stop >= 0 ? f->stop : f->target - 1) : records_until(s, from);
    f->end = f->backward ? records_until(s, from - 1) : records_until(s, f->stop < f->target ? f->stop : f->target);
    f->at = f->from_begin ? 0 : f->backward ? f->end : f->first;
    f->found = UINT64_MAX;
}

bool search_breakpoints(struct session *s, bool backward, simtime target, const struct command *rest)
{
    struct search *f = &s->viewing.search;
    struct breakpoints *all = s->options.breakpoints;
    struct breakpoint b;
    search_end(s);
    *f = (struct search){ .backward = backward,
                          .target = target,
                          .from = s->viewing.is_past ? s->viewing.at : now_of(s),
                          .stop = backward ? -1 : SIMTIME_NEVER,
                          .rest = *rest };
    for (size_t i = 0; all && breakpoints_get(all, i, &b); i++) {
        if (!b.enabled || b.action <= BREAKPOINT_COMMAND || b.action == BREAKPOINT_END)
            continue;
        if (b.is_log)
            add_log(s, &b);
        else if (b.is_time)
            consider_stop(f, b.id, barrier_after(s->scenario, b.time), "");
        else
            add_probe(f, b.condition, b.id, b.from_hit);
    }
    choose_records(s);
    f->is_active = f->count > 0 || f->stop_id > 0 || f->logs;
    return f->is_active;
}

bool search_condition(struct session *s, const char *text)
{
    struct search *f = &s->viewing.search;
    search_end(s);
    *f = (struct search){ .target = SIMTIME_NEVER, .stop = SIMTIME_NEVER, .rest = { .kind = COMMAND_HEAD } };
    if (!add_probe(f, text, 0, 1))
        return false;
    f->end = UINT64_MAX;
    f->found = UINT64_MAX;
    f->is_active = true;
    return true;
}

/* The first of those that hold for a record; each is asked, as some go by what was before. */
static int probe_holding(struct session *s, const struct record *r)
{
    struct search *f = &s->viewing.search;
    struct past_look l = { { look }, s, r };
    int holding = -1;
    for (size_t i = 0; i < f->count; i++) {
        struct probe *p = &f->probes[i];
        if (condition_matches(p->condition, r, p->needs & CONDITION_NODE ? &l.nodes : NULL) &&
            ++p->hits >= p->from_hit && holding < 0)
            holding = (int)i;
    }
    return holding;
}

static void arrive(struct session *s, uint64_t record, int id)
{
    struct past *p = viewing_survey(s);
    simtime t = p && past_seek_record(p, record) ? past_run(p)->v[MOMENT_NOW] : SIMTIME_NEVER;
    if (!id)
        breakpoints_note_where(s->options.breakpoints, condition_text(s->viewing.search.probes[0].condition), t,
                               record);
    search_end(s);
    viewing_show(s, t);
    breakpoints_note_past(s->options.breakpoints, id, t, record, NULL);
}

/* Nowhere: then the moment that is shown stays. */
static bool is_nowhere(struct session *s)
{
    const struct search *f = &s->viewing.search;
    if (f->count != 1 || f->probes[0].id || f->stop_id)
        return false;
    breakpoints_note_where(s->options.breakpoints, condition_text(f->probes[0].condition), 0, UINT64_MAX);
    search_end(s);
    viewing_limit_store(s);
    return true;
}

/* Nothing was found up to where it was looked for. */
static void arrive_at_end(struct session *s)
{
    struct search f = s->viewing.search;
    bool is_stop = f.stop_id > 0 && (f.backward ? f.stop >= f.target : f.stop <= f.target);
    s->viewing.search = (struct search){ .probes = f.probes, .count = f.count, .logs = f.logs };
    search_end(s);
    viewing_show(s, is_stop ? f.stop : f.target);
    if (is_stop)
        breakpoints_note_past(s->options.breakpoints, f.stop_id, f.stop, UINT64_MAX, *f.stop_line ? f.stop_line : NULL);
    else if (f.rest.kind != COMMAND_HEAD)
        session_command(s, &f.rest);
}

/* Backward it is the first match of the last barrier that has one, as the run would have stopped for that. */
static void note_found(struct session *s, uint64_t n, int id)
{
    struct search *f = &s->viewing.search;
    struct past *p = viewing_survey(s);
    simtime t = p && past_seek_record(p, n) ? past_run(p)->v[MOMENT_NOW] : 0;
    if (f->from_begin && f->found != UINT64_MAX && t == f->found_at)
        return;
    if (!f->from_begin && t > 0) { /* nothing before that barrier counts any more */
        uint64_t first = records_until(s, t - 1);
        f->first = first > f->first ? first : f->first;
    }
    f->found = n;
    f->found_id = id;
    f->found_at = t;
}

/* One record; returns false once the search is over. */
static bool look_at(struct session *s, uint64_t n)
{
    struct search *f = &s->viewing.search;
    struct record r;
    if (!viewing_read(s, n, &r))
        return true;
    r.src_node = s->scenario ? viewing_node_named(s, r.src) : -1;
    int probe = probe_holding(s, &r);
    if (probe < 0 || n < f->first || n >= f->end)
        return true;
    if (f->backward) {
        note_found(s, n, f->probes[probe].id);
        return true;
    }
    arrive(s, n, f->probes[probe].id);
    return false;
}

/* Returns whether there is more to look at. */
static bool look_on(struct session *s)
{
    struct search *f = &s->viewing.search;
    bool down = f->backward && !f->from_begin;
    uint64_t all = store_count(s->results.store), end = f->end < all ? f->end : all;
    for (int i = 0; i < SLICE; i++) {
        if (down ? f->at <= f->first : f->at >= end)
            return false;
        uint64_t n = down ? --f->at : f->at++;
        if (!look_at(s, n))
            return true; /* it is over */
    }
    return true;
}

/* The nearest line of a log is a stop, and what lies beyond it need not be looked at. */
static void look_at_logs(struct session *s, int64_t deadline_ns)
{
    struct search *f = &s->viewing.search;
    struct log_found found;
    if (log_search_work(f->logs, deadline_ns))
        return;
    if (log_search_found(f->logs, &found))
        consider_stop(f, found.id, found.t, found.line);
    log_search_free(f->logs);
    f->logs = NULL;
    choose_records(s);
}

void search_work(struct session *s, int64_t deadline_ns)
{
    struct search *f = &s->viewing.search;
    if (f->logs) {
        look_at_logs(s, deadline_ns);
        return;
    }
    if (store_catch_up(s->results.store, CATCH_UP_BYTES))
        return; /* first all records of a recorded run are found */
    store_limit(s->results.store, UINT64_MAX);
    bool more = f->count > 0;
    while (f->is_active && more && clock_ns() < deadline_ns)
        more = look_on(s);
    if (f->is_active && !more && f->found != UINT64_MAX)
        arrive(s, f->found, f->found_id);
    else if (f->is_active && !more && !is_nowhere(s))
        arrive_at_end(s);
    if (f->is_active)
        viewing_limit_store(s);
}
