/* What becomes of single nodes at a barrier: failures, by the node's on_failure; the scenario's faults; what a person does
 * to a node. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "session/session_state.h"

#define OTHERS_NS    INT64_C(1000000000) /* how long a failed node waits for the answers of those before it */
#define GONE_NS      INT64_C(1000000000) /* how long a node that is gone waits for the grant at which it fails */

/* A fault, or the end of one. */
struct act {
    simtime at; /* the barrier */
    const struct scenario_fault *fault;
    bool is_over; /* the link gets back what it had */
};

struct acts {
    struct act *items;
    size_t next, count, capacity;
};

static void add_act(struct session *s, simtime at, const struct scenario_fault *fault, bool is_over)
{
    struct acts *a = s->acts;
    simtime barrier = coordinator_barrier_after(s->coordinator, at);
    if (barrier >= s->scenario->duration)
        return; /* the run ends there */
    a->items = mem_grow(a->items, a->count, &a->capacity, sizeof *a->items);
    a->items[a->count++] = (struct act){ barrier, fault, is_over };
}

/* By time, then as in the file; what ends comes before what begins. */
static int compare_acts(const void *a, const void *b)
{
    const struct act *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->is_over != y->is_over)
        return x->is_over ? -1 : 1;
    return x->fault < y->fault ? -1 : x->fault > y->fault;
}

void nodes_open(struct session *s)
{
    s->acts = mem_alloc(sizeof *s->acts);
    for (int i = 0; i < s->scenario->fault_count; i++) {
        const struct scenario_fault *f = &s->scenario->faults[i];
        add_act(s, f->at, f, false);
        if (f->action == FAULT_LINK && f->duration > 0 && f->at < SIMTIME_MAX - f->duration)
            add_act(s, f->at + f->duration, f, true);
    }
    if (s->acts->count)
        qsort(s->acts->items, s->acts->count, sizeof *s->acts->items, compare_acts);
}

void nodes_close(struct session *s)
{
    for (int i = 0; i < s->command_count; i++)
        free(s->command_texts[i]);
    if (s->acts)
        free(s->acts->items);
    free(s->acts);
}

simtime nodes_next_act(const struct session *s)
{
    const struct acts *a = s->acts;
    return a->next < a->count ? a->items[a->next].at : SIMTIME_NEVER;
}

static struct node *node_of(const struct session *s, int i)
{
    return launcher_node(s->launcher, i);
}

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

/* Its failure is dealt with. */
static void tell(struct session *s, int i)
{
    s->failures_told += !s->care[i].told;
    s->care[i].told = true;
}

static void publish_command(struct session *s, const struct command *c);

/* Node i was ended because a person wanted something of it. Returns whether that is done now; else it has failed. */
static bool obey_in_its_stead(struct session *s, int i)
{
    struct node_care *care = &s->care[i];
    if (!care->commanded)
        return false;
    care->commanded = false;
    publish_command(s, &care->command);
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

/* Where several nodes fail in one quantum the first of them is the cause of the run's end, not the one that was quicker:
 * for a moment those before node i are waited for. */
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

bool nodes_handle_failures(struct session *s)
{
    if (launcher_failures(s->launcher) == s->failures_told)
        return true;
    for (int i = 0; i < s->scenario->node_count; i++) {
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

static const char *const command_words[] = {
    [COMMAND_NODE_STOP] = "stop",
    [COMMAND_NODE_KILL] = "kill",
    [COMMAND_NODE_RESTART] = "restart",
    [COMMAND_NODE_TEXT] = "uart",
};
static const char *const command_causes[] = { [COMMAND_NODE_STOP] = "stopped by the user",
                                              [COMMAND_NODE_KILL] = "killed by the user",
                                              [COMMAND_NODE_RESTART] = "restarted by the user" };

/* A node is ended from outside, as if it had failed: killed, or told to end. */
static void end_node(struct session *s, int i, const char *cause, bool is_asked)
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

void nodes_warn(struct session *s, int i, const char *fmt, ...)
{
    char text[500];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    coordinator_warn_now(s->coordinator, i, (struct text){ text, strlen(text) });
}

/* A fault that finds a node where it cannot do its work says so: else one would look for its effect. */
static void warn_in_vain(struct session *s, int i, const char *action)
{
    enum node_state phase = node_of(s, i)->phase;
    nodes_warn(s, i, "the fault '%s' has no effect: the node is %s", action,
         phase == NODE_PAUSED ? "paused already" : phase == NODE_IDLE ? "not paused" : "not running");
}

static void kill_node(struct session *s, int i, const char *cause)
{
    enum node_state phase = node_of(s, i)->phase;
    if (phase == NODE_FAILED || phase == NODE_FROZEN)
        warn_in_vain(s, i, "kill");
    else
        end_node(s, i, cause, false);
}

static void pause_node(struct session *s, int i, bool paused, const char *cause)
{
    struct node *n = node_of(s, i);
    if (n->phase != (paused ? NODE_IDLE : NODE_PAUSED)) {
        warn_in_vain(s, i, paused ? "pause" : "resume");
        return;
    }
    launcher_pause(n, paused);
    coordinator_pause(s->coordinator, i, paused);
    coordinator_publish_node(s->coordinator, i, paused ? "paused" : "resumed", cause);
}

static void restart_node(struct session *s, int i, const char *cause)
{
    if (s->care[i].restarting)
        return; /* as it is wanted */
    end_node(s, i, cause, false);
    tell(s, i);
    coordinator_failed(s->coordinator, i);
    restart_later(s, i, cause);
}

static void stop_node(struct session *s, int i, const char *cause)
{
    struct node *n = node_of(s, i);
    if (n->phase == NODE_FAILED || n->phase == NODE_FROZEN) {
        warn_in_vain(s, i, "stop");
        return;
    }
    end_node(s, i, cause, true);
    tell(s, i);
    coordinator_failed(s->coordinator, i);
    freeze(s, i, cause);
}

static bool is_over(const struct acts *a, const struct scenario_fault *f)
{
    for (size_t i = 0; i < a->next; i++)
        if (a->items[i].fault == f && a->items[i].is_over)
            return true;
    return false;
}

/* What the link has of the scenario, and on top of that of the faults that have begun and are not over, in their order. */
static void change_link(struct session *s, int src, int dst, const char *cause)
{
    const struct scenario *scenario = s->scenario;
    const struct acts *a = s->acts;
    simtime latency = scenario->default_latency;
    double loss = scenario->default_loss;
    for (int i = 0; i < scenario->link_count; i++)
        if (scenario->links[i].src == src && scenario->links[i].dst == dst) {
            latency = scenario->links[i].latency;
            loss = scenario->links[i].loss;
        }
    for (size_t i = 0; i < a->next; i++) {
        const struct scenario_fault *f = a->items[i].fault;
        if (f->action != FAULT_LINK || f->src != src || f->dst != dst || a->items[i].is_over || is_over(a, f))
            continue;
        latency = f->latency < 0 ? latency : f->latency;
        loss = f->loss < 0 ? loss : f->loss;
    }
    coordinator_change_link(s->coordinator, src, dst, latency, loss, cause);
}

/* What a person does is there as an act from then on; the same as a fault of the scenario is there already. */
void nodes_change_link(struct session *s, const struct scenario_fault *f)
{
    struct acts *a = s->acts;
    if (!a->next || a->items[a->next - 1].fault != f) {
        a->items = mem_grow(a->items, a->count, &a->capacity, sizeof *a->items);
        memmove(a->items + a->next + 1, a->items + a->next, (a->count - a->next) * sizeof *a->items);
        a->items[a->next++] = (struct act){ now_of(s), f, false };
        a->count++;
    }
    change_link(s, f->src, f->dst, "command");
}

static bool obey(struct session *s, const struct command *c);

/* As if a person had done it. */
static void act_by_hand(struct session *s, const struct scenario_fault *f)
{
    static const enum command_kind kinds[] = { [FAULT_KILL] = COMMAND_NODE_KILL,
                                               [FAULT_STOP] = COMMAND_NODE_STOP,
                                               [FAULT_RESTART] = COMMAND_NODE_RESTART };
    struct command c = { .kind = kinds[f->action], .node = f->node };
    if (!obey(s, &c))
        warn_in_vain(s, f->node, command_words[c.kind]);
}

static void act_on_link(struct session *s, const struct act *a)
{
    const struct scenario_fault *f = a->fault;
    if (f->by_user && !a->is_over)
        flight_act(s, f);
    else
        change_link(s, f->src, f->dst, "fault");
}

static void act(struct session *s, const struct act *a)
{
    const struct scenario_fault *f = a->fault;
    if (f->by_user && f->node >= 0) {
        act_by_hand(s, f);
        return;
    }
    switch (f->action) {
    case FAULT_KILL:
        kill_node(s, f->node, "killed by a fault of the scenario");
        break;
    case FAULT_PAUSE:
    case FAULT_RESUME:
        pause_node(s, f->node, f->action == FAULT_PAUSE, "fault");
        break;
    case FAULT_RESTART:
        restart_node(s, f->node, "fault");
        break;
    case FAULT_STOP:
        stop_node(s, f->node, "stopped by a fault of the scenario");
        break;
    case FAULT_DROP:
    case FAULT_DELAY:
    case FAULT_COPY:
    case FAULT_EDIT:
    case FAULT_INJECT:
        flight_act(s, f);
        break;
    case FAULT_LINK:
        act_on_link(s, a);
        break;
    }
}

/* What repeats an act of a person, who saw what came of all that was before. */
static bool is_by_hand(const struct scenario_fault *f)
{
    return f->by_user || (f->action >= FAULT_DROP && f->action <= FAULT_INJECT);
}

void nodes_act(struct session *s)
{
    struct acts *a = s->acts;
    while (a->next < a->count && a->items[a->next].at <= coordinator_counts(s->coordinator)->now) {
        if (is_by_hand(a->items[a->next].fault) && (!nodes_handle_failures(s) || s->restarting))
            return; /* the rest once that is settled */
        act(s, &a->items[a->next++]);
    }
}

static void publish_command(struct session *s, const struct command *c)
{
    struct buffer text = { 0 };
    buffer_format(&text, "%s %s", command_words[c->kind], s->scenario->nodes[c->node].id);
    if (c->kind == COMMAND_NODE_TEXT) {
        buffer_format(&text, "%s%s: ", c->uart ? " " : "", c->uart ? c->uart : "");
        json_quote(&text, c->text, strlen(c->text));
    }
    coordinator_publish_command(s->coordinator, buffer_string(&text));
    buffer_free(&text);
}

/* Whether it is a line that this node can be given. */
static bool can_type(const struct session *s, const struct command *c)
{
    struct node *n = node_of(s, c->node);
    bool runs = n->phase == NODE_IDLE || n->phase == NODE_BUSY || n->phase == NODE_PAUSED;
    size_t len = c->text ? strlen(c->text) : COMMAND_TEXT_MAX + 1;
    if (!runs || !n->driver->type || len > COMMAND_TEXT_MAX || utf8_check(c->text, len) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)c->text[i] < ' ' || c->text[i] == 0x7f)
            return false;
    return n->driver->type(n, c->uart, NULL);
}

/* A node that owes an answer may owe it for long: it is ended now, and at the barrier comes of that what was wanted. */
static bool end_now(struct session *s, const struct command *c)
{
    enum node_state phase = node_of(s, c->node)->phase;
    if (phase != NODE_BUSY && phase != NODE_STARTING)
        return false;
    s->care[c->node].command = *c;
    s->care[c->node].commanded = true;
    end_node(s, c->node, command_causes[c->kind], c->kind == COMMAND_NODE_STOP);
    return true;
}

/* A name as the scenario has it, which outlives the command. */
static const char *uart_of(const struct renode_config *r, const char *name)
{
    for (int i = 0; name && r->uarts && r->uarts[i]; i++)
        if (!strcmp(r->uarts[i], name))
            return r->uarts[i];
    return name ? r->uart : NULL;
}

bool nodes_take_command(struct session *s, const struct command *c)
{
    bool moves = s->state == SESSION_PAUSED || s->state == SESSION_RUNNING;
    if (!moves || c->node < 0 || c->node >= s->scenario->node_count || s->command_count == SESSION_COMMANDS)
        return false;
    if (node_of(s, c->node)->phase == NODE_FROZEN && c->kind != COMMAND_NODE_RESTART)
        return false;
    if (c->kind == COMMAND_NODE_TEXT ? !can_type(s, c) : end_now(s, c))
        return c->kind != COMMAND_NODE_TEXT;
    s->command_texts[s->command_count] = mem_text(c->text);
    s->commands[s->command_count] = *c;
    s->commands[s->command_count++].uart = uart_of(&s->scenario->nodes[c->node].renode, c->uart);
    return true;
}

/* False where it cannot be done: the node has failed since. */
static bool obey(struct session *s, const struct command *c)
{
    enum node_state phase = node_of(s, c->node)->phase;
    bool is_frozen = phase == NODE_FROZEN && c->kind == COMMAND_NODE_RESTART && !s->care[c->node].restarting;
    if (phase != NODE_IDLE && phase != NODE_PAUSED && !is_frozen)
        return false;
    if (c->kind == COMMAND_NODE_TEXT && !node_of(s, c->node)->driver->type(node_of(s, c->node), c->uart, c->text))
        return false;
    publish_command(s, c);
    if (c->kind == COMMAND_NODE_STOP)
        stop_node(s, c->node, command_causes[c->kind]);
    else if (c->kind == COMMAND_NODE_KILL)
        end_node(s, c->node, command_causes[c->kind], false);
    else if (c->kind == COMMAND_NODE_RESTART)
        restart_node(s, c->node, command_causes[c->kind]);
    return true;
}

void nodes_obey(struct session *s)
{
    bool goes_on = true;
    for (int i = 0; i < s->command_count; i++) {
        s->commands[i].text = s->command_texts[i];
        if (goes_on && obey(s, &s->commands[i]))
            saved_add_node(s, &s->commands[i], true);
        else if (goes_on && s->commands[i].kind == COMMAND_NODE_TEXT)
            nodes_warn(s, s->commands[i].node, "a line that was typed to %s is lost: the node does not take it now",
                       s->commands[i].uart ? s->commands[i].uart : "its UART");
        free(s->command_texts[i]);
        goes_on = goes_on && nodes_handle_failures(s);
    }
    s->command_count = 0;
}

bool nodes_act_first(struct session *s)
{
    if (!nodes_handle_failures(s))
        return false;
    nodes_act(s);
    nodes_obey(s);
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
