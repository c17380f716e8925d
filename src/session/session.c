#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

#define SLICE_NS     INT64_C(4000000) /* of work before the front gets its turn */
#define NS_PER_SEC   INT64_C(1000000000)
#define PACE_TICK_MS 10           /* a paced run moves at most this often */
#define LEAVE_MS     10           /* between two looks at the end of nodes when nobody waits for it any more */
#define LOG_KEPT     (256u << 10) /* a larger buffer of a node's log is given back */

/* The first record is on disk before anything starts: by it the folder is known as a run's. */
static int begin_records(struct session *s, struct error *err)
{
    coordinator_publish_run(s->coordinator);
    return bus_barrier(s->bus, 0, err);
}

struct session *session_new(const struct scenario *scenario, const struct session_options *options, struct error *err)
{
    struct launcher *launcher = launcher_new(scenario);
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
    s->care = mem_array(n, sizeof *s->care);
    s->remotes = mem_array(n, sizeof *s->remotes);
    s->coordinator = coordinator_new(scenario, s->bus, !options->no_skip);
    s->stop_at = coordinator_barrier_after(s->coordinator, options->until);
    s->viewing.directory = -1;
    faults_open(s);
    saved_open(s);
    if (results_open(&s->results, scenario, options, s->bus, err) < 0 || begin_records(s, err) < 0) {
        if (s->results.folder)
            folder_discard(s->results.folder);
        s->state = SESSION_FAILED;
        session_free(s);
        return NULL;
    }
    stops_open(s);
    for (int i = 0; i < scenario->node_count; i++) {
        struct node *node = launcher_node(launcher, i);
        node->metrics = metrics_buffer(s->results.metrics, i);
        node->pool = s->pool;
        if (node->driver->is_remote)
            s->remotes[s->remote_count++] = i;
    }
    return s;
}

/* Ends the run at once, and waits for that: there are limits to how long it takes. */
static void leave(struct session *s)
{
    if (s->state != SESSION_ENDING) {
        s->discard = true;
        session_finish(s, SESSION_ABORTED, "aborted", 130, "lockstep was left while the run went on");
    }
    launcher_end(s->launcher, END_KILL);
    while (!session_state_over(s->state)) {
        loop_wait(s->options.loop, -1, LEAVE_MS);
        session_step(s);
    }
}

void session_free(struct session *s)
{
    if (!s)
        return;
    if (s->results.events && !session_state_over(s->state))
        leave(s);
    stops_close(s);
    if (s->discard && !s->ran && folder_is_numbered(s->results.folder))
        folder_discard(s->results.folder); /* somebody has only looked at the scenario */
    commands_close(s);
    faults_close(s);
    saved_close(s);
    viewing_free(s);
    deliveries_free(s->deliveries);
    coordinator_free(s->coordinator);
    launcher_free(s->launcher);
    message_pool_free(s->pool);
    results_close(&s->results);
    bus_free(s->bus);
    free(s->granted);
    free(s->timing);
    free(s->care);
    free(s->remotes);
    free(s);
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
    launcher_rest(s->launcher, to == SESSION_PAUSED);
    struct buffer keys = { 0 };
    buffer_format(&keys, "\"state\":\"%s\"", session_state_name(to));
    wall_note(s->results.wall, now_of(s), "state", buffer_string(&keys));
    buffer_free(&keys);
}

void session_fail(struct session *s, const struct error *err)
{
    session_finish(s, SESSION_FAILED, "failed", err->code, err->text);
}

bool session_keep_results(struct session *s)
{
    struct error err;
    error_clear(&err);
    if (bus_barrier(s->bus, now_of(s), &err) == 0 && metrics_barrier(s->results.metrics, &err) == 0 &&
        wall_result(s->results.wall, &err) == 0 && logs_result(s->results.logs, &err) == 0) {
        session_note_moment(s); /* how long the files are by now is part of it */
        if (history_flush(s->results.history, &err) == 0 && session_note_flight(s, &err) == 0)
            return true;
    }
    session_fail(s, &err);
    return false;
}

void session_keep_log(struct session *s, struct node *n)
{
    if (!n->log.len)
        return;
    logs_write(s->results.logs, n->index, now_of(s), n->log.data, n->log.len);
    breakpoints_log(s->options.breakpoints, n->index, n->log.data, n->log.len, s->results.index.records);
    n->log.len = 0;
    if (n->log.capacity > LOG_KEPT)
        buffer_free(&n->log);
}

/* Takes what has come for nodes outside the program, and keeps what they wrote. False where the run is over by that. */
static bool collect(struct session *s)
{
    bool news = launcher_collect(s->launcher);
    const char *loss = launcher_guard_loss(s->launcher);
    for (int r = 0; news && r < s->remote_count; r++)
        session_keep_log(s, launcher_node(s->launcher, s->remotes[r]));
    if (!loss || s->state == SESSION_ENDING)
        return true;
    struct error why = { 0 };
    error_set(&why, EXIT_RUN_FAILED, "%s", loss);
    session_fail(s, &why);
    return false;
}

static bool open_launcher(struct session *s)
{
    struct error err = { 0 };
    char *folder = realpath(folder_path(s->results.folder), NULL); /* nodes may have another working directory */
    s->is_open = launcher_open(s->launcher, s->options.loop, folder ? folder : "", &err) == 0;
    free(folder);
    if (!s->is_open)
        session_fail(s, &err);
    return s->is_open;
}

/* True once it is known that nothing stands in the way of any. */
static bool check_nodes(struct session *s)
{
    int node;
    struct error err = { 0 };
    if (!collect(s))
        return false;
    int can = launcher_check(s->launcher, &node, &err);
    s->is_checked = can > 0;
    if (can >= 0)
        return s->is_checked;
    coordinator_publish_node(s->coordinator, node, "failed", err.text);
    error_add(&err, "nodes[%d] %s", node, s->scenario->nodes[node].id);
    s->failed_node = node;
    session_fail(s, &err);
    return false;
}

/* Tells all to start that were not told, as far as the slice goes. True once all were. */
static bool tell_to_start(struct session *s, int64_t deadline)
{
    struct error err = { 0 };
    if (!s->is_open && !open_launcher(s))
        return false;
    if (!s->is_checked && !check_nodes(s))
        return false;
    while (s->started < s->scenario->node_count) {
        if (launcher_start(launcher_node(s->launcher, s->started++), &err) < 0 && !nodes_handle_failures(s))
            return false;
        if (s->started < s->scenario->node_count && clock_ns() >= deadline)
            return false;
    }
    return true;
}

static void start_nodes(struct session *s, int64_t deadline)
{
    if (!s->starting && !tell_to_start(s, deadline))
        return;
    s->starting = true;
    if (!collect(s) || !nodes_handle_failures(s))
        return;
    for (int r = 0; r < s->remote_count; r++)
        if (launcher_node(s->launcher, s->remotes[r])->phase == NODE_STARTING)
            return;
    s->starting = false;
    for (int i = 0; i < s->scenario->node_count; i++)
        if (launcher_node(s->launcher, i)->phase == NODE_IDLE)
            coordinator_answered(s->coordinator, i, launcher_node(s->launcher, i)->answer.next);
    nodes_note_started(s);
    if (!session_keep_results(s))
        return;
    s->limit = s->options.start_running ? s->stop_at : 0;
    set_state(s, s->options.start_running ? SESSION_RUNNING : SESSION_PAUSED);
}

/* How far a paced run may have come by now. */
static simtime paced_limit(const struct session *s, int64_t wall)
{
    if (s->pace <= 0 || nodes_hurry(s))
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
            session_fail(s, &err);
        return;
    }
    char time[SIMTIME_TEXT], cause[SIMTIME_TEXT + 20];
    if (s->stop_at == s->scenario->duration) {
        session_finish(s, SESSION_FINISHED, "finished", EXIT_FINISHED, "");
        return;
    }
    simtime_format(s->stop_at, time);
    snprintf(cause, sizeof cause, "reached %s", time);
    session_finish(s, SESSION_FINISHED, "until", EXIT_FINISHED, cause);
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

/* What is to be done at a barrier before the run may go on. False where it may not yet. */
static bool settle(struct session *s)
{
    if (s->state == SESSION_RUNNING)
        nodes_note_gone(s);
    if (s->state == SESSION_RUNNING && launcher_is_looking(s->launcher) && !s->command_count) {
        nodes_handle_first_failures(s);
        return false; /* what was asked of nodes at a pause is told of the barrier of the pause */
    }
    if (!nodes_handle_failures(s))
        return false;
    if (s->state == SESSION_RUNNING || s->command_count)
        faults_act(s);
    if (s->state == SESSION_RUNNING || s->state == SESSION_PAUSED)
        commands_obey(s);
    stops_heed(s);
    if (s->state == SESSION_ENDING || session_state_over(s->state))
        return false;
    if (!nodes_handle_failures(s) || !nodes_are_settled(s) || !nodes_handle_failures(s))
        return false;
    if (s->state == SESSION_RUNNING && bus_has_news(s->bus) && !session_keep_results(s))
        return false; /* what has happened at this barrier belongs to it, not to the next one */
    return !s->restarting && !(s->state == SESSION_RUNNING && launcher_is_looking(s->launcher));
}

/* Begins a round where there is something to do before the limit. */
static bool next_round(struct session *s, int64_t now)
{
    simtime limit = paced_limit(s, now), act = faults_next(s), stop = stops_next(s), before = now_of(s);
    act = stop < act ? stop : act;
    bool begun = coordinator_begin(s->coordinator, act < limit ? act : limit, &s->target);
    if (now_of(s) > before && coordinator_counts(s->coordinator)->waiting)
        session_note_moment(s); /* messages have arrived behind idle quanta */
    if (begun) {
        round_begin(s);
        return true;
    }
    if (now_of(s) >= act)
        return true; /* the faults of this barrier act before the run pauses or ends at it */
    if (now_of(s) >= s->limit)
        reach_limit(s);
    return false;
}

static void run(struct session *s, int64_t now, int64_t deadline)
{
    note_speed(s, now);
    while (s->state == SESSION_RUNNING && now < deadline) {
        if (!s->in_round && (!settle(s) || s->state != SESSION_RUNNING || !next_round(s, now)))
            break;
        if (s->in_round)
            round_go_on(s, clock_ns(), deadline); /* barriers and the network are no node's time */
        if (s->outstanding)
            break; /* there is nothing to do but wait */
        now = clock_ns();
    }
}

void session_step(struct session *s)
{
    int64_t now = clock_ns(), deadline = now + SLICE_NS;
    if (s->viewing.search.is_active)
        search_work(s, deadline);
    if (past_flight_is_reading(s))
        past_flight_work(s, deadline);
    if (deliveries_are_reading(s))
        deliveries_work(s, deadline);
    switch (s->state) {
    case SESSION_LOADED:
        set_state(s, SESSION_STARTING);
        break;
    case SESSION_STARTING:
        start_nodes(s, deadline);
        break;
    case SESSION_RUNNING:
        if (collect(s))
            run(s, now, deadline);
        break;
    case SESSION_PAUSED:
        if (collect(s) && settle(s))
            session_keep_results(s); /* what a person did, or a node that died, is to be seen at once */
        break;
    case SESSION_ENDING:
        collect(s);
        if (launcher_has_ended(s->launcher))
            session_conclude(s);
        break;
    case SESSION_FINISHED:
    case SESSION_FAILED:
    case SESSION_ABORTED:
        break;
    }
}

/* Until something of the nodes outside the program is to be looked at, in ms; -1: nothing. */
static int remote_ms(const struct session *s)
{
    int64_t next = launcher_next_ns(s->launcher);
    if (next == INT64_MAX)
        return -1;
    int64_t ms = (next - clock_ns() + 999999) / 1000000;
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* How long there is nothing to do: 0 now, -1 for ever, else milliseconds. */
static int idle_ms(const struct session *s)
{
    if (s->viewing.search.is_active || past_flight_is_reading(s) || deliveries_are_reading(s))
        return 0;
    if (session_state_over(s->state))
        return -1;
    if (s->state == SESSION_PAUSED)
        return s->command_count ? 0 : remote_ms(s);
    if (s->state == SESSION_RUNNING && !s->in_round && (s->restarting || launcher_is_looking(s->launcher)))
        return s->command_count ? 0 : remote_ms(s);
    if (s->state == SESSION_ENDING || s->starting || (s->is_open && !s->is_checked) ||
        (s->in_round && s->outstanding && s->cursor == s->scenario->node_count))
        return remote_ms(s);
    if (s->state != SESSION_RUNNING || s->pace <= 0 || s->in_round || s->limit <= now_of(s))
        return 0;
    int64_t wall = clock_ns();
    if (paced_limit(s, wall) > now_of(s))
        return 0;
    simtime next = coordinator_barrier_after(s->coordinator, now_of(s) + 1);
    double us = (double)(next - s->paced_from.now) / s->pace - (double)(wall - s->paced_from.wall_ns) / 1e3;
    double ms = us / 1e3 + 1;
    int pace_ms = ms < PACE_TICK_MS ? PACE_TICK_MS : ms > INT_MAX ? INT_MAX : (int)ms;
    int nodes_ms = remote_ms(s); /* the next quantum may be far */
    return nodes_ms >= 0 && nodes_ms < pace_ms ? nodes_ms : pace_ms;
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

/* Where a node does not say when its next event is, every quantum might have one: the first that leaves
 * a record has. */
static bool to_next_event(struct session *s)
{
    if (s->state != SESSION_PAUSED)
        return false;
    if (coordinator_knows_next(s->coordinator))
        return run_to(s, coordinator_next_activity(s->coordinator));
    s->until_record = s->results.index.records + 1;
    return run_to(s, s->stop_at);
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
    if (s->state == SESSION_ENDING) {
        if (c->kind == COMMAND_KILL)
            launcher_end(s->launcher, END_KILL);
        return c->kind == COMMAND_KILL;
    }
    const char *name = c->signal ? sigabbrev_np(c->signal) : NULL;
    char cause[80] = "aborted by the user";
    if (name)
        snprintf(cause, sizeof cause, "ended by SIG%s", name);
    s->discard = c->discard;
    session_finish(s, SESSION_ABORTED, "aborted", c->signal ? 128 + c->signal : 130, cause);
    if (c->kind == COMMAND_KILL)
        launcher_end(s->launcher, END_KILL);
    return true;
}

static bool run_command(struct session *s, const struct command *c)
{
    if (c->kind <= COMMAND_KILL) /* one that moves the run takes the place of one before */
        s->until_record = 0;
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
        return to_next_event(s);
    case COMMAND_RUN_TO:
        return run_to(s, coordinator_barrier_after(s->coordinator, c->time));
    case COMMAND_ABORT:
    case COMMAND_KILL:
        return abort_run(s, c);
    case COMMAND_PACE:
        s->pace = c->pace;
        s->paced_from = (struct pace_mark){ clock_ns(), now_of(s) };
        return !session_state_over(s->state);
    case COMMAND_NODE_STOP:
    case COMMAND_NODE_KILL:
    case COMMAND_NODE_RESTART:
    case COMMAND_NODE_TEXT:
        return commands_take(s, c);
    case COMMAND_MESSAGE_DROP:
    case COMMAND_MESSAGE_DELAY:
    case COMMAND_MESSAGE_COPY:
    case COMMAND_MESSAGE_EDIT:
    case COMMAND_MESSAGE_INJECT:
    case COMMAND_LINK:
        return flight_take_command(s, c);
    default:
        return false;
    }
}

bool session_command(struct session *s, const struct command *c)
{
    s->refusal[0] = '\0';
    bool taken;
    struct command rest = *c;
    bool done = viewing_command(s, &rest, &taken);
    if (!taken && done)
        done = run_command(s, &rest);
    if (!done && !s->refusal[0] && s->viewing.is_recorded)
        snprintf(s->refusal, sizeof s->refusal, "this run was recorded: its nodes run no more");
    else if (!done && !s->refusal[0] && s->viewing.is_past)
        snprintf(s->refusal, sizeof s->refusal, "an earlier moment of the run is shown; go to its head first");
    else if (!done && !s->refusal[0])
        snprintf(s->refusal, sizeof s->refusal, "that is not possible while the run is %s",
                 session_state_name(s->state));
    return done;
}
