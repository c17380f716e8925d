/* The faults of the scenario at their barriers; what a person has done to links is there as a fault from then on. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

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

void faults_open(struct session *s)
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

void faults_close(struct session *s)
{
    if (s->acts)
        free(s->acts->items);
    free(s->acts);
}

simtime faults_next(const struct session *s)
{
    const struct acts *a = s->acts;
    return a->next < a->count ? a->items[a->next].at : SIMTIME_NEVER;
}

/* A fault that finds a node where it cannot do its work says so: else one would look for its effect. */
static void warn_in_vain(struct session *s, int i, const char *action)
{
    enum node_state phase = node_of(s, i)->phase;
    const char *is = phase == NODE_PAUSED ? "paused already" : phase == NODE_IDLE ? "not paused" : "not running";
    nodes_warn(s, i, "the fault '%s' has no effect: the node is %s", action, is);
}

static void kill_node(struct session *s, int i, const char *cause)
{
    enum node_state phase = node_of(s, i)->phase;
    if (phase == NODE_FAILED || phase == NODE_FROZEN)
        warn_in_vain(s, i, "kill");
    else
        nodes_end(s, i, cause, false);
}

static void stop_node(struct session *s, int i, const char *cause)
{
    enum node_state phase = node_of(s, i)->phase;
    if (phase == NODE_FAILED || phase == NODE_FROZEN)
        warn_in_vain(s, i, "stop");
    else
        nodes_stop(s, i, cause);
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

static bool is_over(const struct acts *a, const struct scenario_fault *f)
{
    for (size_t i = 0; i < a->next; i++)
        if (a->items[i].fault == f && a->items[i].is_over)
            return true;
    return false;
}

/* What the link has of the scenario, and then of the faults that have begun and are not over, in their order. */
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
void faults_change_link(struct session *s, const struct scenario_fault *f)
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

/* As if a person had done it. */
static void act_by_hand(struct session *s, const struct scenario_fault *f)
{
    static const enum command_kind kinds[] = {
        [FAULT_KILL] = COMMAND_NODE_KILL, [FAULT_STOP] = COMMAND_NODE_STOP, [FAULT_RESTART] = COMMAND_NODE_RESTART
    };
    struct command c = { .kind = kinds[f->action], .node = f->node };
    if (!commands_act(s, &c))
        warn_in_vain(s, f->node, commands_word(c.kind));
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
        nodes_restart(s, f->node, "fault");
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

void faults_act(struct session *s)
{
    struct acts *a = s->acts;
    while (a->next < a->count && a->items[a->next].at <= coordinator_counts(s->coordinator)->now) {
        if (is_by_hand(a->items[a->next].fault) && (!nodes_handle_failures(s) || s->restarting))
            return; /* the rest once that is settled */
        act(s, &a->items[a->next++]);
    }
}
