/* What a session tells of itself and of its nodes. */
#include <string.h>

#include "session/session_state.h"

const char *session_state_name(enum session_state s)
{
    static const char *const names[] = {
        [SESSION_LOADED] = "LOADED",     [SESSION_STARTING] = "STARTING", [SESSION_PAUSED] = "PAUSED",
        [SESSION_RUNNING] = "RUNNING",   [SESSION_ENDING] = "ENDING",     [SESSION_FINISHED] = "FINISHED",
        [SESSION_FAILED] = "FAILED",     [SESSION_ABORTED] = "ABORTED",
    };
    return names[s];
}

static double speed_of(const struct session *s)
{
    if (s->state != SESSION_RUNNING || !s->mark_count)
        return 0;
    int64_t wall = clock_ns() - s->marks[0].wall_ns;
    simtime virtual = coordinator_counts(s->coordinator)->now - s->marks[0].now;
    return wall > 0 ? (double)virtual * 1e3 / (double)wall : 0;
}

static bool owes_answer(const struct node *n)
{
    return n->phase == NODE_BUSY || n->phase == NODE_STARTING || (n->phase == NODE_IDLE && n->is_checked);
}

/* The first of the nodes outside the program that something is awaited of. */
static void note_waiting(const struct session *s, struct session_status *out)
{
    for (int r = 0; r < s->remote_count && out->waiting_for < 0; r++) {
        const struct node *n = launcher_node(s->launcher, s->remotes[r]);
        bool is_ending = s->state == SESSION_ENDING && n->phase == NODE_ENDING;
        if (!owes_answer(n) && !is_ending)
            continue;
        out->waiting_for = n->index;
        out->waiting_s = (double)(clock_ns() - (is_ending ? n->ending_ns : n->asked_ns)) / 1e9;
    }
}

const char *failure_of(const struct session *s)
{
    const struct past_end *end = s->viewing.past ? past_known_end(s->viewing.past) : NULL;
    if (s->outcome)
        return strcmp(s->outcome, "failed") == 0 ? s->verdict.text : NULL;
    return end && end->state == SESSION_FAILED ? end->cause : NULL;
}

void session_status(const struct session *s, struct session_status *out)
{
    if (s->viewing.is_past) {
        viewing_status(s, out);
        out->failure = failure_of(s);
        return;
    }
    const struct coordinator_counts *c = coordinator_counts(s->coordinator);
    int64_t wall = s->wall_ns + (s->state == SESSION_RUNNING ? clock_ns() - s->running_since_ns : 0);
    *out = (struct session_status){ .state = s->state,
                                    .now = c->now,
                                    .end = s->stop_at,
                                    .quanta = c->quanta,
                                    .quanta_skipped = c->skipped,
                                    .records = s->results.index.records,
                                    .messages = c->messages,
                                    .dropped = c->dropped,
                                    .warnings = c->warnings,
                                    .troubles = troubles_count(s),
                                    .in_flight = c->in_flight,
                                    .wall_s = (double)wall / 1e9,
                                    .speed = speed_of(s),
                                    .pace = s->pace,
                                    .run_to = SIMTIME_NEVER,
                                    .outcome = s->outcome,
                                    .cause = s->verdict.text,
                                    .failure = failure_of(s),
                                    .exit_code = s->verdict.code,
                                    .failed_node = s->failed_node,
                                    .run_dir = folder_path(s->results.folder),
                                    .waiting_for = -1,
                                    .is_over = session_state_over(s->state),
                                    .is_searching = s->viewing.search.is_active,
                                    .is_reading = past_flight_is_reading(s) || deliveries_are_reading(s),
                                    .head = c->now };
    if (s->state == SESSION_RUNNING && s->limit < s->stop_at)
        out->run_to = s->limit;
    if (s->in_round && s->cursor < s->scenario->node_count) {
        out->waiting_for = s->cursor;
        out->waiting_s = (double)(clock_ns() - s->granted_ns) / 1e9;
    } else {
        note_waiting(s, out);
    }
}

void session_node(const struct session *s, int i, struct node_status *out)
{
    if (s->viewing.is_past) {
        viewing_node((struct session *)s, i, out); /* which reads its log anew, no more */
        return;
    }
    struct node *n = launcher_node(s->launcher, i);
    const struct node_timing *timing = &s->timing[i];
    struct coordinator_traffic traffic;
    coordinator_traffic(s->coordinator, i, &traffic);
    *out = (struct node_status){ .state = n->phase,
                                 .cause = n->gone && !n->failure.code ? n->gone->text : n->failure.text,
                                 .next = traffic.next,
                                 .last_active = n->last_active,
                                 .events = n->events,
                                 .messages_in = traffic.in,
                                 .messages_out = traffic.out,
                                 .dropped = traffic.dropped,
                                 .queue = n->driver->queue(n) + traffic.waiting,
                                 .wall_ns = (uint64_t)timing->total_ns,
                                 .restarts = n->restarts,
                                 .pid = n->pid,
                                 .container = n->container,
                                 .health = n->health,
                                 .clock = n->clock,
                                 .activity = n->activity && *n->activity ? n->activity : NULL,
                                 .tail = node_tail(n) };
    if (n->driver->is_remote && owes_answer(n))
        out->waiting_s = (double)(clock_ns() - n->asked_ns) / 1e9;
}

size_t session_log(const struct session *s, int i, char *buf, size_t size)
{
    if (s->viewing.is_past)
        return viewing_log(s, i, buf, size);
    return logs_tail(s->results.logs, i, buf, size);
}

bool session_usage(const struct session *s, int i, struct session_usage *out)
{
    return !s->viewing.is_past && launcher_usage(s->launcher, i, &out->cpu_s, &out->memory, &out->processes);
}

bool session_processor(const struct session *s, int i, double *mips)
{
    if (s->viewing.is_past)
        return false;
    struct node *n = launcher_node(s->launcher, i);
    return n->driver->processor && n->driver->processor(n, mips);
}

uint64_t session_step_ns(const struct session *s, int i, double share)
{
    return s->viewing.is_past ? 0 : histogram_quantile(&s->timing[i].steps, share);
}

size_t session_metrics(const struct session *s, int i, char *buf, size_t size)
{
    if (s->viewing.is_past)
        return viewing_metrics(s, i, buf, size);
    return metrics_tail(s->results.metrics, i, buf, size);
}

struct store *session_store(struct session *s)
{
    return s->results.store;
}

void session_inference(const struct session *s, struct session_inference *out)
{
    if (s->viewing.is_past)
        viewing_inference(s, out);
    else
        latencies_summarize(s->results.latencies, out);
}

void session_drop_reasons(const struct session *s, struct buffer *out)
{
    if (s->results.drops)
        drops_words(s->results.drops, out);
}

const char *session_summary(const struct session *s)
{
    return s->results.summary.len ? s->results.summary.data : NULL;
}
