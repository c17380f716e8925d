#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

#define SLICE_NS   INT64_C(4000000) /* of work before the front gets its turn */
#define NS_PER_SEC INT64_C(1000000000)
#define PACE_TICK_MS 10 /* a paced run moves at most this often */
#define ROUND_MESSAGES_MAX 1000000u /* of all nodes in one quantum: they are in memory until its barrier */

/* The first record is on disk before anything starts: by it the folder is known as a run's. */
static int begin_records(struct session *s, struct error *err)
{
    coordinator_publish_run(s->coordinator);
    return bus_barrier(s->bus, 0, err);
}

int session_check(const struct scenario *scenario, struct error *err)
{
    struct launcher *l = launcher_new(scenario, err);
    launcher_free(l);
    return l ? 0 : -1;
}

struct session *session_new(const struct scenario *scenario, const struct session_options *options, struct error *err)
{
    struct launcher *launcher = launcher_new(scenario, err);
    if (!launcher)
        return NULL;
    struct session *s = mem_alloc(sizeof *s);
    size_t n = (size_t)scenario->node_count;
    s->scenario = scenario;
    s->options = *options;
    s->launcher = launcher;
    s->failed_node = -1;
    s->pace = scenario->pace;
    s->bus = bus_new();
    s->pool = message_pool_new();
    s->granted = mem_array(n, sizeof *s->granted);
    s->timing = mem_array(n, sizeof *s->timing);
    s->coordinator = coordinator_new(scenario, s->bus, !options->no_skip);
    s->stop_at = coordinator_barrier_after(s->coordinator, options->until);
    if (results_open(&s->results, scenario, options->out_dir, s->bus, err) < 0 || begin_records(s, err) < 0) {
        if (s->results.folder)
            folder_discard(s->results.folder);
        s->state = SESSION_FAILED;
        session_free(s);
        return NULL;
    }
    for (int i = 0; i < scenario->node_count; i++) {
        struct node *node = launcher_node(launcher, i);
        node->metrics = metrics_buffer(s->results.metrics, i);
        node->pool = s->pool;
    }
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    if (s->results.events && !session_state_over(s->state)) {
        s->discard = true;
        session_end(s, SESSION_ABORTED, "aborted", 130, "lockstep was left while the run went on");
    }
    if (s->discard && !s->ran && folder_is_numbered(s->results.folder))
        folder_discard(s->results.folder); /* somebody has only looked at the scenario */
    coordinator_free(s->coordinator);
    launcher_free(s->launcher);
    message_pool_free(s->pool);
    results_close(&s->results);
    bus_free(s->bus);
    free(s->granted);
    free(s->timing);
    free(s);
}

static simtime now_of(const struct session *s)
{
    return coordinator_counts(s->coordinator)->now;
}

static void set_state(struct session *s, enum session_state to)
{
    int64_t now = clock_ns();
    if (s->state == SESSION_RUNNING && to != SESSION_RUNNING)
        s->wall_ns += now - s->running_since_ns;
    if (to == SESSION_RUNNING) {
        s->ran = true;
        s->running_since_ns = now;
        s->paced_from = (struct pace_mark){ now, now_of(s) };
        s->mark_count = 0;
    }
    s->state = to;
    struct buffer keys = { 0 };
    buffer_format(&keys, "\"state\":\"%s\"", session_state_name(to));
    wall_note(s->results.wall, now_of(s), "state", buffer_string(&keys));
    buffer_free(&keys);
}

/* The run ends here because of *err: of node i, or of the results where i is -1. */
static void fail(struct session *s, int i, const struct error *err)
{
    if (i >= 0) {
        const char *id = s->scenario->nodes[i].id, *cause = launcher_node(s->launcher, i)->failure.text;
        struct record r = { .t = now_of(s),
                            .kind = RECORD_NODE,
                            .src_node = i,
                            .dst_node = -1,
                            .src = { id, strlen(id) },
                            .state = { "failed", 6 },
                            .cause = { cause, strlen(cause) } };
        s->failed_node = i;
        bus_publish(s->bus, &r);
    }
    session_end(s, SESSION_FAILED, "failed", err->code, err->text);
}

/* What was recorded up to now is on disk when this returns. */
static bool keep_results(struct session *s)
{
    struct error err = { 0 };
    if (bus_barrier(s->bus, now_of(s), &err) == 0 && metrics_barrier(s->results.metrics, &err) == 0 &&
        wall_result(s->results.wall, &err) == 0)
        return true;
    fail(s, -1, &err);
    return false;
}

static void start_nodes(struct session *s, int64_t deadline)
{
    struct error err = { 0 };
    while (s->started < s->scenario->node_count) {
        int i = s->started++;
        struct node *n = launcher_node(s->launcher, i);
        if (launcher_start(n, &err) < 0) {
            fail(s, i, &err);
            return;
        }
        coordinator_answered(s->coordinator, i, n->answer.next);
        if (clock_ns() >= deadline)
            return;
    }
    if (!keep_results(s))
        return;
    s->limit = s->options.start_running ? s->stop_at : 0;
    set_state(s, s->options.start_running ? SESSION_RUNNING : SESSION_PAUSED);
}

/* Runs node i until it has done its quantum or the deadline has come. Returns the time at its end. */
static int64_t run_node(struct session *s, struct node *n, int64_t began, int64_t deadline, struct error *err)
{
    struct node_timing *timing = &s->timing[n->index];
    uint64_t events = n->events;
    int64_t now;
    do {
        int result = launcher_work(n, err);
        now = clock_ns();
        if (result == 0 && s->sent + n->answer.sent.count > ROUND_MESSAGES_MAX)
            error_set(err, EXIT_RUN_FAILED,
                      "nodes[%d] %s: with its messages there are more than %u in one quantum; choose a shorter quantum",
                      n->index, n->spec->id, ROUND_MESSAGES_MAX);
        if (err->code)
            break;
    } while (!n->answer.done && now < deadline);
    timing->total_ns += now - began;
    if (n->answer.done)
        s->sent += n->answer.sent.count;
    if (n->events != events)
        histogram_add(&timing->steps, (uint64_t)(now - began));
    return now;
}

/* The nodes' answers enter the network, in node order; then the barrier. */
static void finish_round(struct session *s)
{
    for (int g = 0; g < s->granted_count; g++) {
        struct node *n = launcher_node(s->launcher, s->granted[g]);
        coordinator_answered(s->coordinator, n->index, n->answer.next);
        for (size_t i = 0; i < n->answer.sent.count; i++)
            coordinator_send(s->coordinator, n->answer.sent.items[i]);
        n->answer.sent.count = 0;
    }
    coordinator_end(s->coordinator);
    s->in_round = false;
    keep_results(s);
}

static void begin_round(struct session *s)
{
    s->in_round = true;
    s->cursor = 0;
    s->granted_count = 0;
    s->sent = 0;
}

/* Goes on with the round, from `now` on the wall clock. */
static void run_round(struct session *s, int64_t now, int64_t deadline)
{
    struct error err = { 0 };
    for (; s->cursor < s->scenario->node_count; s->cursor++) {
        if (now >= deadline)
            return;
        struct node *n = launcher_node(s->launcher, s->cursor);
        bool granted = n->phase == NODE_BUSY; /* in an earlier slice: its messages were taken then */
        if (!granted && !coordinator_must_grant(s->coordinator, s->cursor))
            continue;
        if (!granted) {
            s->granted[s->granted_count++] = s->cursor;
            s->granted_ns = now;
            coordinator_take(s->coordinator, s->cursor, &n->inbox);
            if (launcher_grant(n, s->target, &err) < 0) {
                fail(s, s->cursor, &err);
                return;
            }
        }
        now = run_node(s, n, now, deadline, &err);
        if (err.code) {
            fail(s, n->phase == NODE_FAILED ? s->cursor : -1, &err);
            return;
        }
        if (!n->answer.done)
            return;
    }
    finish_round(s);
}

/* How far a paced run may have come by now. */
static simtime paced_limit(const struct session *s, int64_t wall)
{
    if (s->pace <= 0)
        return s->limit;
    double ahead = (double)(wall - s->paced_from.wall_ns) / 1e3 * s->pace;
    if (ahead >= (double)(s->limit - s->paced_from.now))
        return s->limit;
    simtime q = s->scenario->quantum, t = s->paced_from.now + (simtime)ahead;
    return t / q * q;
}

static void reach_limit(struct session *s)
{
    struct error err = { 0 };
    if (now_of(s) < s->stop_at) {
        set_state(s, SESSION_PAUSED);
        if (metrics_flush(s->results.metrics, &err) < 0)
            fail(s, -1, &err);
        return;
    }
    char time[SIMTIME_TEXT], cause[SIMTIME_TEXT + 20];
    if (s->stop_at == s->scenario->duration) {
        session_end(s, SESSION_FINISHED, "finished", EXIT_FINISHED, "");
        return;
    }
    simtime_format(s->stop_at, time);
    snprintf(cause, sizeof cause, "reached %s", time);
    session_end(s, SESSION_FINISHED, "until", EXIT_FINISHED, cause);
}

static void note_speed(struct session *s, int64_t wall)
{
    if (s->mark_count && wall - s->marks[s->mark_count - 1].wall_ns < NS_PER_SEC / (SPEED_MARKS - 1))
        return;
    if (s->mark_count == SPEED_MARKS) {
        memmove(s->marks, s->marks + 1, (SPEED_MARKS - 1) * sizeof s->marks[0]);
        s->mark_count--;
    }
    s->marks[s->mark_count++] = (struct pace_mark){ wall, now_of(s) };
}

static void run(struct session *s, int64_t now, int64_t deadline)
{
    note_speed(s, now);
    while (s->state == SESSION_RUNNING && now < deadline) {
        if (!s->in_round) {
            if (!coordinator_begin(s->coordinator, paced_limit(s, now), &s->target)) {
                if (now_of(s) >= s->limit)
                    reach_limit(s);
                break;
            }
            begin_round(s);
        }
        run_round(s, clock_ns(), deadline); /* barriers and the network are no node's time */
        now = clock_ns();
    }
}

void session_step(struct session *s)
{
    int64_t now = clock_ns(), deadline = now + SLICE_NS;
    switch (s->state) {
    case SESSION_LOADED:
        set_state(s, SESSION_STARTING);
        break;
    case SESSION_STARTING:
        start_nodes(s, deadline);
        break;
    case SESSION_RUNNING:
        run(s, now, deadline);
        break;
    case SESSION_PAUSED:
    case SESSION_FINISHED:
    case SESSION_FAILED:
    case SESSION_ABORTED:
        break;
    }
}

/* How long there is nothing to do: 0 now, -1 for ever, else milliseconds. */
static int idle_ms(const struct session *s)
{
    if (s->state == SESSION_PAUSED || session_state_over(s->state))
        return -1;
    if (s->state != SESSION_RUNNING || s->pace <= 0 || s->in_round || s->limit <= now_of(s))
        return 0;
    int64_t wall = clock_ns();
    if (paced_limit(s, wall) > now_of(s))
        return 0;
    simtime next = coordinator_barrier_after(s->coordinator, now_of(s) + 1);
    double us = (double)(next - s->paced_from.now) / s->pace - (double)(wall - s->paced_from.wall_ns) / 1e3;
    double ms = us / 1e3 + 1;
    return ms < PACE_TICK_MS ? PACE_TICK_MS : ms > INT_MAX ? INT_MAX : (int)ms;
}

unsigned session_wait(struct session *s, int input_fd, int timeout_ms)
{
    int idle = idle_ms(s);
    if (idle >= 0 && (timeout_ms < 0 || idle < timeout_ms))
        timeout_ms = idle;
    return loop_wait(s->options.loop, input_fd, timeout_ms);
}

static bool run_to(struct session *s, simtime limit)
{
    if (limit <= now_of(s) || (s->state != SESSION_PAUSED && s->state != SESSION_RUNNING))
        return false;
    s->limit = limit < s->stop_at ? limit : s->stop_at;
    if (s->state == SESSION_PAUSED)
        set_state(s, SESSION_RUNNING);
    return true;
}

static bool step_quanta(struct session *s, uint64_t count)
{
    simtime from = s->in_round ? s->target : now_of(s), q = s->scenario->quantum;
    if (s->state == SESSION_RUNNING && s->limit < s->stop_at)
        from = s->limit; /* steps that were asked for before these go first */
    uint64_t left = (uint64_t)((s->stop_at - from + q - 1) / q);
    return run_to(s, count >= left ? s->stop_at : coordinator_barrier_after(s->coordinator, from + (simtime)count * q));
}

static bool abort_run(struct session *s, const struct command *c)
{
    if (session_state_over(s->state))
        return false;
    const char *name = c->signal ? sigabbrev_np(c->signal) : NULL;
    char cause[80] = "aborted by the user";
    if (name)
        snprintf(cause, sizeof cause, "ended by SIG%s", name);
    s->discard = c->discard;
    session_end(s, SESSION_ABORTED, "aborted", c->signal ? 128 + c->signal : 130, cause);
    return true;
}

bool session_command(struct session *s, const struct command *c)
{
    switch (c->kind) {
    case COMMAND_RUN:
        return run_to(s, s->stop_at);
    case COMMAND_PAUSE:
        if (s->state != SESSION_RUNNING)
            return false;
        s->limit = s->in_round ? s->target : now_of(s);
        return true;
    case COMMAND_STEP:
        return step_quanta(s, c->count);
    case COMMAND_NEXT:
        return s->state == SESSION_PAUSED && run_to(s, coordinator_next_activity(s->coordinator));
    case COMMAND_RUN_TO:
        return run_to(s, coordinator_barrier_after(s->coordinator, c->time));
    case COMMAND_ABORT:
    case COMMAND_KILL:
        return abort_run(s, c);
    case COMMAND_PACE:
        s->pace = c->pace;
        s->paced_from = (struct pace_mark){ clock_ns(), now_of(s) };
        return !session_state_over(s->state);
    }
    return false;
}
