/* What becomes of single nodes at a barrier: those that have failed, by their on_failure; those that are ended from
 * outside; those that are started anew. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "session/session_state.h"

#define OTHERS_NS INT64_C(1000000000) /* how long a failed node waits for the answers of those before it */
#define GONE_NS   INT64_C(1000000000) /* how long a node that is gone waits for the grant at which it fails */

static void note_node(struct session *s, int i, const char *event)
{
    struct buffer keys = { 0 };
    const struct node *n = node_of(s, i);
    buffer_format(&keys, "\"node\":\"%s\",\"pid\":%d", s->scenario->nodes[i].id, (int)n->pid);
    wall_note(s->results.wall, coordinator_counts(s->coordinator)->now, event, buffer_string(&keys));
    buffer_free(&keys);
}

void nodes_note_started(struct session *s)
{
    for (int r = 0; r < s->remote_count; r++)
        note_node(s, s->remotes[r], "ready");
}

/* Node i is to be started again, once nothing of it is left; until it is ready the run stands at its barrier. */
static void restart_later(struct session *s, int i, const char *cause)
{
    struct node_care *care = &s->care[i];
    coordinator_pause(s->coordinator, i, false);
    coordinator_thaw(s->coordinator, i);
    s->restarting += !care->restarting; /* it may have failed while it was started */
    care->restarting = true;
    care->since_ns = clock_ns();
    coordinator_publish_node(s->coordinator, i, "restarted", cause);
}

static void freeze(struct session *s, int i, const char *cause)
{
    s->restarting -= s->care[i].restarting;
    s->care[i].restarting = false;
    coordinator_publish_node(s->coordinator, i, "frozen", cause);
    coordinator_freeze(s->coordinator, i);
    launcher_freeze(node_of(s, i));
}

/* Its failure is dealt with. Where it owed an answer until now, that is time that it was waited for. */
static void tell(struct session *s, int i)
{
    if (s->care[i].outstanding && !s->care[i].told)
        s->timing[i].total_ns += clock_ns() - node_of(s, i)->asked_ns;
    s->failures_told += !s->care[i].told;
    s->care[i].told = true;
}

/* Node i was ended because a person wanted something of it. Returns whether that is done now; else it has failed. */
static bool obey_in_its_stead(struct session *s, int i)
{
    struct node_care *care = &s->care[i];
    if (!care->commanded)
        return false;
    care->commanded = false;
    commands_publish(s, &care->command);
    saved_add_node(s, &care->command, false);
    if (care->command.kind == COMMAND_NODE_KILL)
        return false;
    coordinator_failed(s->coordinator, i);
    if (care->command.kind == COMMAND_NODE_STOP)
        freeze(s, i, node_of(s, i)->failure.text);
    else
        restart_later(s, i, node_of(s, i)->failure.text);
    return true;
}

/* Who writes `on_failure: restart` may expect it of the launch too: there it would hide what is wrong with the node. */
static void add_launch_failed(const struct session *s, int i, struct error *why)
{
    size_t len = strlen(why->text);
    enum on_failure then = s->scenario->nodes[i].on_failure;
    if (why->code == EXIT_LAUNCH && then != ON_FAILURE_ABORT)
        snprintf(why->text + len, sizeof why->text - len,
                 "; `on_failure: %s` counts from its first READY on: mend how the node starts",
                 then == ON_FAILURE_RESTART ? "restart" : "continue");
}

/* Tells of the failure of node i, and does what its on_failure says. False where the run is over by that. */
static bool handle_failure(struct session *s, int i)
{
    const struct scenario_node *spec = &s->scenario->nodes[i];
    struct node *n = node_of(s, i);
    struct error why = n->failure;
    char cause[80];
    tell(s, i);
    note_node(s, i, "failed");
    if (obey_in_its_stead(s, i))
        return true;
    if (spec->on_failure == ON_FAILURE_ABORT ||
        (spec->on_failure == ON_FAILURE_RESTART && s->care[i].mended >= (unsigned)spec->restart_max) ||
        why.code == EXIT_LAUNCH) {
        coordinator_publish_node(s->coordinator, i, "failed", why.text);
        if (n->restarts)
            error_add(&why, "nodes[%d] %s, after %u restart%s", i, spec->id, n->restarts, n->restarts == 1 ? "" : "s");
        else
            error_add(&why, "nodes[%d] %s", i, spec->id);
        add_launch_failed(s, i, &why);
        s->failed_node = i;
        session_finish(s, SESSION_FAILED, "failed", why.code, why.text);
        return false;
    }
    coordinator_publish_node(s->coordinator, i, "failed", why.text);
    coordinator_failed(s->coordinator, i);
    launcher_look(s->launcher);
    if (spec->on_failure == ON_FAILURE_CONTINUE) {
        freeze(s, i, "on_failure: continue");
        return true;
    }
    snprintf(cause, sizeof cause, "on_failure: restart (%u of %d)", ++s->care[i].mended, spec->restart_max);
    restart_later(s, i, cause);
    return true;
}

/* Whether the run does not go on after node i has failed. */
static bool ends_run(const struct session *s, int i)
{
    const struct node_care *care = &s->care[i];
    bool is_wanted = care->commanded && care->command.kind != COMMAND_NODE_KILL;
    return s->scenario->nodes[i].on_failure == ON_FAILURE_ABORT && !is_wanted;
}

/* Where several nodes fail in one quantum the first of them is the cause of the run's end, not the one that was
 * quicker: for a moment those before node i are waited for. */
static bool others_may_be_first(struct session *s, int i)
{
    bool awaited = s->in_round && s->cursor < i;
    for (int r = 0; r < s->remote_count && s->remotes[r] < i && !awaited; r++) {
        enum node_state phase = node_of(s, s->remotes[r])->phase;
        awaited = phase == NODE_BUSY || phase == NODE_STARTING;
    }
    if (!awaited)
        return false;
    int64_t now = clock_ns();
    if (!s->first_failure_ns)
        s->first_failure_ns = now;
    node_look(node_of(s, i), s->first_failure_ns + OTHERS_NS);
    return now < s->first_failure_ns + OTHERS_NS;
}

/* Of the nodes before `end`. */
static bool handle_failures(struct session *s, int end)
{
    if (launcher_failures(s->launcher) == s->failures_told)
        return true;
    for (int i = 0; i < end; i++) {
        if (node_of(s, i)->phase != NODE_FAILED || s->care[i].told || (s->in_round && !ends_run(s, i)))
            continue;
        if ((ends_run(s, i) || node_of(s, i)->failure.code == EXIT_LAUNCH) && others_may_be_first(s, i))
            return true;
        s->first_failure_ns = 0;
        if (!handle_failure(s, i))
            return false; /* the round in which that happened leaves no trace of others */
    }
    return true;
}

bool nodes_handle_failures(struct session *s)
{
    return handle_failures(s, s->scenario->node_count);
}

bool nodes_handle_first_failures(struct session *s)
{
    int end = 0;
    while (end < s->scenario->node_count && !node_is_looked_at(node_of(s, end)))
        end++;
    return handle_failures(s, end);
}

bool nodes_hurry(const struct session *s)
{
    for (int r = 0; r < s->remote_count; r++) {
        const struct node *n = node_of(s, s->remotes[r]);
        if (n->gone && n->phase == NODE_IDLE && n->answer.next == NEXT_UNKNOWN)
            return true;
    }
    return false;
}

void nodes_note_gone(struct session *s)
{
    for (int r = 0; r < s->remote_count; r++) {
        struct node *n = node_of(s, s->remotes[r]);
        simtime until = now_of(s) + s->scenario->quantum;
        if (!n->gone || n->phase != NODE_IDLE || coordinator_is_due(s->coordinator, n->index, until))
            continue;
        node_look(n, n->gone_ns + GONE_NS);
        if (clock_ns() >= n->gone_ns + GONE_NS)
            launcher_fail(n, n->gone);
    }
}

/* A node is ended from outside, as if it had failed: killed, or told to end. */
void nodes_end(struct session *s, int i, const char *cause, bool is_asked)
{
    struct node *n = node_of(s, i);
    struct error why = { 0 };
    error_set(&why, EXIT_RUN_FAILED, "%s", cause);
    if (n->phase == NODE_FAILED || n->phase == NODE_FROZEN)
        return;
    if (is_asked)
        launcher_stop(n, &why);
    else
        launcher_fail(n, &why);
}

void nodes_restart(struct session *s, int i, const char *cause)
{
    if (s->care[i].restarting)
        return; /* as it is wanted */
    nodes_end(s, i, cause, false);
    tell(s, i);
    coordinator_failed(s->coordinator, i);
    restart_later(s, i, cause);
}

void nodes_stop(struct session *s, int i, const char *cause)
{
    nodes_end(s, i, cause, true);
    tell(s, i);
    coordinator_failed(s->coordinator, i);
    freeze(s, i, cause);
}

void nodes_warn(struct session *s, int i, const char *fmt, ...)
{
    char text[500];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    coordinator_warn_now(s->coordinator, i, (struct text){ text, strlen(text) });
}

bool nodes_act_first(struct session *s)
{
    if (!nodes_handle_failures(s))
        return false;
    faults_act(s);
    commands_obey(s);
    return nodes_handle_failures(s) && s->state == SESSION_PAUSED && !s->restarting;
}

/* What is left of node i must end before it can be started again; what SIGKILL does not end must not be waited for. */
static void wait_for_end(struct session *s, int i)
{
    struct node *n = node_of(s, i);
    struct error why = { 0 };
    int64_t limit = s->care[i].since_ns + s->scenario->nodes[i].timeout_stop * 1000 + LAUNCHER_GRACE_NS;
    node_look(n, limit);
    if (clock_ns() < limit)
        return;
    error_set(&why, EXIT_RUN_FAILED, "nodes[%d] %s: it cannot be started again: %s", i, s->scenario->nodes[i].id,
              s->scenario->nodes[i].implementation == IMPLEMENTATION_DOCKER
                  ? "its engine has not removed its container in time"
                  : "what is left of its process does not end, by SIGKILL neither");
    s->failed_node = i;
    session_fail(s, &why);
}

/* Goes on with node i, which is to be started again. Returns whether it is ready. */
static bool restart(struct session *s, int i)
{
    struct node_care *care = &s->care[i];
    struct node *n = node_of(s, i);
    struct error err = { 0 };
    int64_t due = care->since_ns + s->scenario->nodes[i].restart_backoff * 1000;
    if (n->phase == NODE_FAILED && !care->told)
        return false; /* it has failed once more, and that is to be dealt with first */
    if (n->phase == NODE_FAILED || n->phase == NODE_FROZEN) {
        if (!launcher_is_over(n)) {
            wait_for_end(s, i);
            return false;
        }
        if (clock_ns() < due) {
            n->again_ns = due;
            node_look(n, due);
            return false;
        }
        n->restarts++;
        n->start_time = coordinator_counts(s->coordinator)->now;
        care->told = false;
        launcher_start(n, &err); /* what fails is handled as every failure */
        note_node(s, i, "restarted");
    }
    if (n->phase == NODE_STARTING)
        return false;
    care->restarting = false;
    s->restarting--;
    if (n->phase == NODE_IDLE) {
        coordinator_answered(s->coordinator, i, n->answer.next);
        note_node(s, i, "ready");
    }
    return true;
}

bool nodes_are_settled(struct session *s)
{
    for (int i = 0; s->restarting && i < s->scenario->node_count; i++)
        if (s->care[i].restarting)
            restart(s, i);
    return !s->restarting;
}
