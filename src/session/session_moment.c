/* What is noted of a run at a barrier, for its history. */
#include "session/session_state.h"
#include "sim/flight.h"

static void run_moment(const struct session *s, struct moment_run *out)
{
    const struct coordinator_counts *c = coordinator_counts(s->coordinator);
    struct session_inference inference = { 0 };
    if (latencies_are_few(s->results.latencies))
        latencies_summarize(s->results.latencies, &inference);
    *out = (struct moment_run){ .v = { [MOMENT_NOW] = c->now,
                                       [MOMENT_SKIPPED] = (int64_t)c->skipped,
                                       [MOMENT_RECORDS] = (int64_t)s->results.index.records,
                                       [MOMENT_MESSAGES] = (int64_t)c->messages,
                                       [MOMENT_DROPPED] = (int64_t)c->dropped,
                                       [MOMENT_IN_FLIGHT] = (int64_t)c->in_flight,
                                       [MOMENT_WARNINGS] = (int64_t)c->warnings,
                                       [MOMENT_INFERENCES] = (int64_t)inference.count,
                                       [MOMENT_INFERENCE_P50] = inference.p50,
                                       [MOMENT_INFERENCE_P99] = inference.p99,
                                       [MOMENT_INFERENCE_MAX] = inference.max } };
}

static void note_node(struct session *s, int i)
{
    const struct node *n = launcher_node(s->launcher, i);
    struct coordinator_traffic traffic;
    coordinator_traffic(s->coordinator, i, &traffic);
    struct moment_node m = { .v = { [MOMENT_STATE] = n->phase,
                                    [MOMENT_NEXT] = traffic.next,
                                    [MOMENT_LAST_ACTIVE] = n->last_active,
                                    [MOMENT_EVENTS] = (int64_t)n->events,
                                    [MOMENT_IN] = (int64_t)traffic.in,
                                    [MOMENT_OUT] = (int64_t)traffic.out,
                                    [MOMENT_LOST] = (int64_t)traffic.dropped,
                                    [MOMENT_QUEUE] = (int64_t)(n->driver->queue(n) + traffic.waiting),
                                    [MOMENT_RESTARTS] = n->restarts,
                                    [MOMENT_METRICS] = (int64_t)metrics_size(s->results.metrics, i),
                                    [MOMENT_LOG] = (int64_t)logs_size(s->results.logs, i) } };
    history_node(s->results.history, i, &m, n->gone && !n->failure.code ? n->gone->text : n->failure.text);
}

/* In a quantum only those that were granted it can have changed, those outside the program, and those that messages
 * have arrived for; else, by whatever it was, any. A message that is dropped counts with its sender, whenever that sent
 * it. */
static void note_nodes(struct session *s)
{
    uint64_t turns = launcher_turns(s->launcher);
    uint64_t dropped = coordinator_counts(s->coordinator)->dropped;
    bool any = turns != s->noted_turns || dropped != s->noted_dropped || s->state != SESSION_RUNNING;
    s->noted_turns = turns;
    s->noted_dropped = dropped;
    for (int g = 0; !any && g < s->granted_count; g++)
        note_node(s, s->granted[g]);
    for (int r = 0; !any && r < s->remote_count; r++)
        note_node(s, s->remotes[r]);
    for (int i = 0; i < s->scenario->node_count; i++)
        if (any || coordinator_waiting(s->coordinator, i))
            note_node(s, i);
}

void session_note_moment(struct session *s)
{
    struct moment_run run;
    run_moment(s, &run);
    history_begin(s->results.history, &run);
    note_nodes(s);
    history_end(s->results.history);
}

static void note_message(void *history, const struct message *m)
{
    flight_history_message(history, m);
}

_Static_assert(FLIGHT_MESSAGES_MAX >= COORDINATOR_IN_FLIGHT_MAX, "what may be in flight is an entry of flight.bin");

int session_note_flight(struct session *s, struct error *err)
{
    struct flight_history *h = s->results.flight;
    const struct coordinator_counts *c = coordinator_counts(s->coordinator);
    if (!flight_history_is_due(h, s->results.index.records, c->in_flight))
        return 0;
    flight_history_begin(h, c->now, s->results.index.records);
    for (int i = 0; i < s->scenario->node_count; i++)
        if (coordinator_is_paused(s->coordinator, i))
            flight_history_paused(h, i);
    flight_visit(s->coordinator, note_message, h);
    return flight_history_end(h, err);
}
