#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "session/session_state.h"

static void note_node_times(struct session *s)
{
    for (int i = 0; i < s->scenario->node_count; i++) {
        struct node_status n;
        struct buffer keys = { 0 };
        session_node(s, i, &n);
        buffer_format(&keys,
                      "\"node\":\"%s\",\"wall_ns\":%" PRIu64 ",\"step_p50_ns\":%" PRIu64 ",\"step_p99_ns\":%" PRIu64,
                      s->scenario->nodes[i].id, n.wall_ns, session_step_ns(s, i, 0.50), session_step_ns(s, i, 0.99));
        wall_note(s->results.wall, coordinator_counts(s->coordinator)->now, "node", buffer_string(&keys));
        buffer_free(&keys);
    }
}

static void format_summary(struct session *s)
{
    struct session_status status;
    session_status(s, &status);
    int n = s->scenario->node_count;
    const char *failed_stderr = "";
    struct buffer last_in = { 0 }, last_out = { 0 }, replay = { 0 };
    if (s->failed_node >= 0) {
        session_last_messages(s, s->failed_node, &last_in, &last_out);
        session_replay_command(s, &replay);
    }
    struct summary_node *nodes = mem_array((size_t)n, sizeof *nodes);
    for (int i = 0; i < n; i++) {
        struct node_status node;
        session_node(s, i, &node);
        failed_stderr = i == s->failed_node ? node.tail : failed_stderr;
        nodes[i] = (struct summary_node){ .id = s->scenario->nodes[i].id,
                                          .kind = implementation_name(s->scenario->nodes[i].implementation),
                                          .state = node_state_name(node.state),
                                          .cause = node.cause,
                                          .messages_in = node.messages_in,
                                          .messages_out = node.messages_out,
                                          .restarts = node.restarts,
                                          .step_p50_ns = session_step_ns(s, i, 0.50),
                                          .step_p99_ns = session_step_ns(s, i, 0.99) };
    }
    struct summary summary = { .outcome = s->outcome,
                               .cause = s->verdict.text,
                               .exit_code = s->verdict.code,
                               .scenario = s->scenario,
                               .failed_node = s->failed_node >= 0 ? s->scenario->nodes[s->failed_node].id : NULL,
                               .failed_stderr = failed_stderr,
                               .last_in = buffer_string(&last_in),
                               .last_out = buffer_string(&last_out),
                               .replay = buffer_string(&replay),
                               .now = status.now,
                               .wall_s = status.wall_s,
                               .quanta = status.quanta,
                               .quanta_skipped = status.quanta_skipped,
                               .records = s->results.index.records,
                               .messages = status.messages,
                               .dropped = status.dropped,
                               .in_flight = status.in_flight,
                               .warnings = status.warnings,
                               .events_sha256 = s->results.sha256,
                               .nodes = nodes };
    latencies_summarize(s->results.latencies, &summary.inference);
    s->results.summary.len = 0;
    summary_format(&s->results.summary, &summary);
    buffer_string(&s->results.summary);
    buffer_free(&last_in);
    buffer_free(&last_out);
    buffer_free(&replay);
    free(nodes);
}

/* A run whose results cannot be written has failed, whatever else it was; the first failure is the cause. */
static void fail_results(struct session *s, const struct error *err)
{
    if (s->verdict.code == EXIT_LAUNCH)
        return;
    s->state = SESSION_FAILED;
    s->outcome = "failed";
    s->verdict = *err;
}

void session_finish(struct session *s, enum session_state state, const char *outcome, int exit_code, const char *cause)
{
    if (s->outcome)
        return; /* it is over already, for the reason that came first */
    viewing_leave(s); /* what is told of the run from now on is how it ends */
    if (s->state == SESSION_RUNNING)
        s->wall_ns += clock_ns() - s->running_since_ns;
    s->state = SESSION_ENDING;
    s->ending = state;
    s->outcome = outcome;
    s->in_round = false;
    s->outstanding = 0;
    s->starting = false;
    error_set(&s->verdict, exit_code, "%s", cause);
    s->verdict.code = exit_code;
    launcher_rest(s->launcher, false);
    launcher_end(s->launcher, END_ASK);
    if (launcher_has_ended(s->launcher))
        session_conclude(s);
}

/* A run that was well is a failed one by what came to light at its end. */
static void add_to_verdict(struct session *s, const char *text)
{
    if (s->ending == SESSION_FINISHED) {
        s->ending = SESSION_FAILED;
        s->outcome = "failed";
        s->verdict = (struct error){ 0 };
        error_set(&s->verdict, EXIT_RUN_FAILED, "%s", text);
    } else {
        size_t len = strlen(s->verdict.text);
        snprintf(s->verdict.text + len, sizeof s->verdict.text - len, "; %s", text);
    }
}

/* What nodes have left behind was ended and is told, and so is what engines keep. */
static void judge_orphans(struct session *s)
{
    const char *names, *loss = launcher_guard_loss(s->launcher);
    unsigned count = launcher_orphans(s->launcher, &names);
    const char *kept = launcher_left(s->launcher);
    char text[1000];
    if (loss && !strstr(s->verdict.text, loss))
        add_to_verdict(s, loss);
    if (*kept) {
        snprintf(text, sizeof text,
                 "left on a container engine: %s; `lockstep clean` removes it once the engine is ready for that", kept);
        add_to_verdict(s, text);
    }
    if (!count)
        return;
    snprintf(text, sizeof text, "%u process%s left behind by nodes: %s; a node must end what it starts", count,
             count == 1 ? " was" : "es were", names);
    add_to_verdict(s, text);
}

/* Nodes that did not end as they should when they were told to, or had ended before, when nobody needed
 * them any more. */
static void warn_of_ends(struct session *s)
{
    for (int r = 0; r < s->remote_count; r++) {
        struct error how = { 0 };
        const struct node *n = launcher_node(s->launcher, s->remotes[r]);
        if (n->phase == NODE_FINISHED && n->driver->last_word && n->driver->last_word(n, &how))
            coordinator_warn_now(s->coordinator, n->index, (struct text){ how.text, strlen(how.text) });
    }
}

/* What was found of nodes as they were told to end, and makes a run a failed one. */
static void judge_breaches(struct session *s)
{
    for (int r = 0; r < s->remote_count; r++) {
        const struct node *n = launcher_node(s->launcher, s->remotes[r]);
        struct error breach = n->breach;
        if (!breach.code)
            continue;
        error_add(&breach, "nodes[%d] %s", n->index, n->spec->id);
        add_to_verdict(s, breach.text);
        s->failed_node = s->failed_node < 0 ? n->index : s->failed_node;
    }
}

void session_conclude(struct session *s)
{
    struct results *r = &s->results;
    struct error err = { 0 };
    simtime now = coordinator_counts(s->coordinator)->now;
    judge_orphans(s);
    judge_breaches(s);
    if (s->ending == SESSION_FINISHED)
        warn_of_ends(s);
    s->state = s->ending;
    coordinator_publish_end(s->coordinator, s->outcome, s->verdict.text);
    if (bus_barrier(s->bus, now, &err) < 0)
        fail_results(s, &err);
    if (metrics_flush(r->metrics, &err) < 0)
        fail_results(s, &err);
    if (logs_result(r->logs, &err) < 0)
        fail_results(s, &err);
    session_note_moment(s);
    history_end_of_run(r->history, s->state, s->verdict.code, s->failed_node, s->outcome, s->verdict.text);
    if (history_flush(r->history, &err) < 0)
        fail_results(s, &err);
    events_end(r->events, r->sha256);
    r->events = NULL;
    note_node_times(s);
    struct buffer keys = { 0 };
    buffer_format(&keys, "\"outcome\":\"%s\"", s->outcome);
    wall_note(r->wall, now, "end", buffer_string(&keys));
    buffer_free(&keys);
    if (wall_result(r->wall, &err) < 0)
        fail_results(s, &err);
    format_summary(s);
    if (summary_finish(r->summary_fd, r->folder, r->summary.data, r->summary.len, &err) < 0) {
        fail_results(s, &err);
        format_summary(s);
    }
}
