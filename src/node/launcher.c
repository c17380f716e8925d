#include "node/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"
#include "lockstep/loop.h"
#include "node/engine.h"
#include "node/guard.h"
#include "node/orphans.h"
#include "node/process_usage.h"
#include "node/socket_dir.h"

#define FILES_PER_NODE   4   /* descriptors that a node outside the program needs, and some while it is started */
#define FILES_BESIDES    200 /* that the program needs for other things */
#define REST_NS          INT64_C(1000000000) /* standing still for a step is not worth freezing containers for */
#define ENGINES_GRACE_NS INT64_C(2000000000) /* and beyond that, for what was made for containers */
#define RUNGS            4 /* of the ladder, from END_ASK to END_KILL; each takes a share of timeouts.stop */

struct launcher {
    const struct scenario *scenario;
    struct node *nodes;
    struct node_host host;
    struct loop_watch *guard_watch;
    bool guard_has_news;
    int remote_count;
    struct node **remotes;         /* those outside the program */
    struct process_usages *usages; /* of those */
    struct node **taken;           /* those that were ready, while they work */
    int64_t end_limit_ns;          /* once told to end: when they must have, or it is the guard that does not answer */
    bool sweeping, swept;          /* once all have ended: what they left behind */
    const char *guard_loss;        /* why the guard is no longer there; NULL: it is */
    struct orphans orphans;        /* those that were found then */
    unsigned immortal;             /* processes that are there still */
    struct buffer identity;        /* of this process (base/procfs.h) */
    int64_t check_ns;              /* since when it is looked whether all can be started; 0: not yet */
    int64_t rest_ns;               /* when nodes are to be frozen; 0: the run goes on, or they are */
    bool frozen;
    const char *left; /* what could not be removed of the containers; NULL: not known yet */
};

/* What is not named is illegal. */
#define TO(state) ((state) + 1)
static const int lifecycle[NODE_STATES][NODE_EVENTS] = {
    [NODE_LOADED] = { [NODE_EVENT_START] = TO(NODE_STARTING), [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_STARTING] = { [NODE_EVENT_READY] = TO(NODE_IDLE),
                        [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                        [NODE_EVENT_STOP] = TO(NODE_ENDING) },
    [NODE_IDLE] = { [NODE_EVENT_GRANT] = TO(NODE_BUSY),
                    [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                    [NODE_EVENT_PAUSE] = TO(NODE_PAUSED),
                    [NODE_EVENT_STOP] = TO(NODE_ENDING) },
    [NODE_BUSY] = { [NODE_EVENT_DONE] = TO(NODE_IDLE),
                    [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                    [NODE_EVENT_STOP] = TO(NODE_ENDING) },
    [NODE_PAUSED] = { [NODE_EVENT_RESUME] = TO(NODE_IDLE),
                      [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                      [NODE_EVENT_STOP] = TO(NODE_ENDING) },
    [NODE_ENDING] = { [NODE_EVENT_ENDED] = TO(NODE_FINISHED) },
    [NODE_FINISHED] = { 0 },
    [NODE_FAILED] = { [NODE_EVENT_FREEZE] = TO(NODE_FROZEN), [NODE_EVENT_START] = TO(NODE_STARTING) },
    [NODE_FROZEN] = { [NODE_EVENT_START] = TO(NODE_STARTING) },
};

static bool takes(const struct node *n, enum node_event event)
{
    return lifecycle[n->phase][event] != 0;
}

static void move(struct node *n, enum node_event event)
{
    if (!takes(n, event)) {
        fprintf(stderr, "lockstep: node %s: event %d is illegal while %s\n", n->spec->id, (int)event,
                node_state_name(n->phase));
        abort();
    }
    n->phase = (enum node_state)(lifecycle[n->phase][event] - 1);
    n->host->turns += event != NODE_EVENT_GRANT && event != NODE_EVENT_DONE;
}

/* By implementation. */
static const struct driver *const drivers[] = {
    [IMPLEMENTATION_MODEL] = &driver_model,
    [IMPLEMENTATION_PROCESS] = &driver_process,
    [IMPLEMENTATION_DOCKER] = &driver_docker,
    [IMPLEMENTATION_RENODE] = &driver_renode,
};

struct launcher *launcher_new(const struct scenario *s)
{
    struct launcher *l = mem_alloc(sizeof *l);
    l->scenario = l->host.scenario = s;
    l->host.look_ns = INT64_MAX;
    l->nodes = mem_array((size_t)s->node_count, sizeof *l->nodes);
    for (int i = 0; i < s->node_count; i++) {
        const struct scenario_node *spec = &s->nodes[i];
        l->nodes[i] = (struct node){ .scenario = s,
                                     .spec = spec,
                                     .index = i,
                                     .driver = drivers[spec->implementation],
                                     .host = &l->host,
                                     .last_active = -1,
                                     .clock = -1 };
        l->remote_count += l->nodes[i].driver->is_remote;
    }
    l->remotes = mem_array((size_t)l->remote_count, sizeof(struct node *));
    l->usages = process_usages_new(l->remotes, l->remote_count);
    l->taken = mem_array((size_t)l->remote_count, sizeof(struct node *));
    l->host.ready = mem_array((size_t)l->remote_count, sizeof(struct node *));
    for (int i = 0, r = 0; i < s->node_count; i++)
        if (l->nodes[i].driver->is_remote)
            l->remotes[r++] = &l->nodes[i];
    return l;
}

static void note_guard(void *data)
{
    ((struct launcher *)data)->guard_has_news = true;
}

/* Lets this process have the descriptors that so many nodes need; the nodes themselves get what it was started with. */
static int raise_limit(int nodes, uint64_t *before, struct error *err)
{
    struct rlimit r;
    rlim_t needed = (rlim_t)nodes * FILES_PER_NODE + FILES_BESIDES;
    getrlimit(RLIMIT_NOFILE, &r);
    *before = r.rlim_cur;
    if (r.rlim_cur >= needed)
        return 0;
    if (r.rlim_max < needed) {
        error_set(
            err, EXIT_LAUNCH,
            "%d nodes outside the program need up to %llu open files, and only %llu are allowed; raise the hard limit "
            "(ulimit -Hn)",
            nodes, (unsigned long long)needed, (unsigned long long)r.rlim_max);
        return -1;
    }
    r.rlim_cur = needed;
    setrlimit(RLIMIT_NOFILE, &r);
    return 0;
}

int launcher_open(struct launcher *l, struct loop *loop, const char *run_dir, struct error *err)
{
    bool sockets = false;
    l->host.loop = loop;
    if (!l->remote_count)
        return 0;
    for (int i = 0; i < l->remote_count; i++)
        sockets |= l->remotes[i]->spec->transport == TRANSPORT_UNIX || l->remotes[i]->driver == &driver_renode;
    if (sockets && !(l->host.socket_dir = socket_dir_name(err)))
        return -1;
    procfs_identity(&l->identity, getpid());
    buffer_string(&l->identity);
    struct guard_setup setup = { .scenario = l->scenario, .run_dir = run_dir, .socket_dir = l->host.socket_dir };
    if (raise_limit(l->remote_count, &setup.open_files, err) < 0 || !(l->host.guard = guard_new(&setup, err)))
        return -1;
    if (sockets && socket_dir_make(l->host.socket_dir, err) < 0)
        return -1; /* the guard is there: what is made from now on is removed, whatever comes */
    l->guard_watch = loop_watch(loop, guard_fd(l->host.guard), LOOP_READ, note_guard, l);
    for (int i = 0; i < l->remote_count && !l->host.engines; i++)
        if (l->remotes[i]->driver == &driver_docker &&
            !(l->host.engines = engines_new(loop, l->scenario, l->nodes, l->identity.data, err)))
            return -1;
    return 0;
}

int launcher_check(struct launcher *l, int *node, struct error *err)
{
    l->check_ns = l->check_ns ? l->check_ns : clock_ns();
    return docker_check(l->remotes, l->remote_count, l->check_ns, node, err);
}

void launcher_free(struct launcher *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->scenario->node_count; i++) {
        struct node *n = &l->nodes[i];
        if (n->driver)
            n->driver->close(n);
        message_list_free(&n->inbox);
        message_list_free(&n->answer.sent);
        buffer_free(&n->answer.warnings);
        buffer_free(&n->log);
        buffer_free(&n->tail);
    }
    engines_free(l->host.engines);
    if (l->host.guard && (l->left || !l->host.engines)) /* the engines were asked already */
        guard_spare_engines(l->host.guard);
    loop_unwatch(l->guard_watch);
    guard_free(l->host.guard);
    buffer_free(&l->identity);
    if (l->host.socket_dir)
        socket_dir_remove(l->host.socket_dir);
    free(l->host.socket_dir);
    free(l->host.ready);
    free(l->taken);
    process_usages_free(l->usages);
    free(l->remotes);
    orphans_free(&l->orphans);
    free(l->nodes);
    free(l);
}

struct node *launcher_node(struct launcher *l, int i)
{
    return &l->nodes[i];
}

bool launcher_has_remote(const struct launcher *l)
{
    return l->remote_count > 0;
}

void node_ready(struct node *n)
{
    if (n->is_ready)
        return;
    n->is_ready = true;
    n->host->ready[n->host->ready_count++] = n;
}

void node_look(struct node *n, int64_t ns)
{
    if (ns < n->host->look_ns)
        n->host->look_ns = ns;
}

static void tell_to_end(struct node *n, enum ending how)
{
    if (!n->driver->end || n->ending >= how)
        return;
    if (n->ending == END_NOT)
        n->ending_ns = clock_ns();
    n->ending = how;
    n->deadline_ns = 0;
    n->driver->end(n, how);
    node_look(n, 0);
}

static void end_node(struct node *n, const struct error *why, enum ending how)
{
    bool is_launch = n->phase == NODE_STARTING && !n->restarts, is_restart = n->phase == NODE_STARTING && n->restarts;
    move(n, NODE_EVENT_FAIL);
    n->failure = *why;
    n->host->failures++;
    if (is_launch)
        n->failure.code = EXIT_LAUNCH;
    else if (is_restart && n->failure.code == EXIT_LAUNCH)
        n->failure.code = EXIT_RUN_FAILED; /* a try of its restart.max */
    n->deadline_ns = 0;
    n->is_checked = false;
    tell_to_end(n, how);
}

void launcher_fail(struct node *n, const struct error *why)
{
    end_node(n, why, END_KILL);
}

void launcher_stop(struct node *n, const struct error *why)
{
    end_node(n, why, END_ASK);
}

const char *launcher_guard_loss(const struct launcher *l)
{
    return l->guard_loss;
}

uint64_t launcher_turns(const struct launcher *l)
{
    return l->host.turns;
}

uint64_t launcher_failures(const struct launcher *l)
{
    return l->host.failures;
}

static int failed(struct node *n, struct error *err)
{
    launcher_fail(n, err);
    error_add(err, "nodes[%d] %s", n->index, n->spec->id);
    return -1;
}

static void await(struct node *n, simtime timeout)
{
    n->asked_ns = clock_ns();
    n->deadline_ns = n->asked_ns + timeout * 1000;
    node_look(n, n->deadline_ns);
}

static void ask(struct node *n, simtime timeout)
{
    n->answer.done = false;
    if (n->driver->is_remote)
        await(n, timeout);
}

int launcher_start(struct node *n, struct error *err)
{
    move(n, NODE_EVENT_START);
    n->failure = (struct error){ 0 };
    n->ending = END_NOT;
    ask(n, n->spec->timeout_start);
    if (n->driver->start(n, err) < 0)
        return failed(n, err);
    if (n->answer.done)
        move(n, NODE_EVENT_READY);
    return 0;
}

int launcher_grant(struct node *n, simtime from, simtime until, struct error *err)
{
    move(n, NODE_EVENT_GRANT);
    ask(n, n->spec->timeout_step);
    return n->driver->grant(n, from, until, err) < 0 ? failed(n, err) : 0;
}

int launcher_work(struct node *n, struct error *err)
{
    bool asked = n->phase == NODE_BUSY || n->phase == NODE_STARTING;
    if (n->driver->work(n, err) < 0)
        return failed(n, err);
    if (!asked && !n->is_checked)
        n->deadline_ns = 0;
    if (!asked || !n->answer.done)
        return 0;
    move(n, n->phase == NODE_BUSY ? NODE_EVENT_DONE : NODE_EVENT_READY);
    n->deadline_ns = 0;
    return 0;
}

/* Whether what a node says still counts. */
static bool is_heard(const struct node *n)
{
    return n->phase == NODE_STARTING || n->phase == NODE_IDLE || n->phase == NODE_BUSY || n->phase == NODE_PAUSED;
}

void launcher_poll(struct node *n)
{
    struct error err;
    error_clear(&err);
    if (is_heard(n))
        launcher_work(n, &err);
    else
        n->driver->work(n, &err); /* it is read on, so that it can end; what it says is of no news */
}

static void lose_guard(struct launcher *l)
{
    struct error why = { 0 };
    if (!l->guard_loss)
        l->guard_loss = "the guard process of lockstep was ended from outside, and all processes with it";
    error_set(&why, EXIT_RUN_FAILED, "%s", l->guard_loss);
    l->swept = true;
    loop_unwatch(l->guard_watch);
    l->guard_watch = NULL;
    for (int i = 0; i < l->remote_count; i++) {
        struct node *n = l->remotes[i];
        n->driver->news(n, &(struct guard_news){ .kind = GUARD_GONE, .node = n->index });
        if (is_heard(n))
            launcher_fail(n, &why);
    }
}

static void take_news(struct launcher *l)
{
    l->guard_has_news = false;
    for (struct guard_news news; guard_news(l->host.guard, &news);) {
        if (news.kind == GUARD_ORPHAN) {
            orphans_add(&l->orphans, &news);
        } else if (news.kind == GUARD_SWEPT) {
            l->swept = true;
            l->immortal = (unsigned)news.status;
        } else if (news.kind == GUARD_LOST) {
            lose_guard(l);
        } else {
            struct node *n = &l->nodes[news.node];
            n->driver->news(n, &news);
            node_ready(n);
        }
    }
}

static int64_t rung_ns(const struct node *n, enum ending rung)
{
    return n->ending_ns + n->spec->timeout_stop * 1000 / RUNGS * (rung - END_ASK);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b && b < a ? b : a;
}

/* What time has brought for a node. Returns when to look again. */
static int64_t look_at_clock(struct node *n, int64_t now)
{
    if (n->again_ns && now >= n->again_ns) {
        n->again_ns = 0;
        node_ready(n);
    }
    if (n->deadline_ns && now >= n->deadline_ns)
        launcher_poll(n); /* its answer may be here: we ourselves may have stood still */
    if (n->deadline_ns && now >= n->deadline_ns) {
        struct error err = { 0 };
        n->driver->late(n, &err);
        launcher_fail(n, &err);
    }
    bool climbs = n->ending != END_NOT && n->ending != END_KILL && !n->driver->ended(n);
    if (climbs && now >= rung_ns(n, n->ending + 1))
        tell_to_end(n, n->ending + 1);
    int64_t next = earlier(earlier(INT64_MAX, n->again_ns), n->deadline_ns);
    return climbs && n->ending != END_KILL ? earlier(next, rung_ns(n, n->ending + 1)) : next;
}

static void freeze_all(struct launcher *l, bool frozen)
{
    l->frozen = frozen;
    l->rest_ns = 0;
    for (int i = 0; i < l->remote_count; i++)
        if (l->remotes[i]->driver->freeze)
            l->remotes[i]->driver->freeze(l->remotes[i], frozen);
}

void launcher_rest(struct launcher *l, bool rests)
{
    l->rest_ns = 0;
    if (!rests && l->frozen)
        freeze_all(l, false);
    if (rests) {
        process_usages_expire(l->usages);
        launcher_look(l);
    }
    for (int i = 0; rests && i < l->remote_count; i++)
        if (l->remotes[i]->driver->freeze) {
            l->rest_ns = clock_ns() + REST_NS;
            node_look(l->remotes[i], l->rest_ns);
        }
}

void launcher_look(struct launcher *l)
{
    for (int i = 0; i < l->remote_count; i++) {
        struct node *n = l->remotes[i];
        if (!n->driver->check || n->phase != NODE_IDLE || n->is_checked)
            continue;
        n->driver->check(n);
        if (n->is_checked)
            await(n, n->spec->timeout_step);
    }
}

bool launcher_is_looking(const struct launcher *l)
{
    for (int i = 0; i < l->remote_count; i++)
        if (node_is_looked_at(l->remotes[i]))
            return true;
    return false;
}

static void look_at_clocks(struct launcher *l)
{
    int64_t now = clock_ns();
    if (now < l->host.look_ns)
        return;
    l->host.look_ns = l->rest_ns && l->rest_ns > now ? l->rest_ns : INT64_MAX;
    if (l->rest_ns && l->rest_ns <= now)
        freeze_all(l, true);
    for (int i = 0; i < l->remote_count; i++)
        node_look(l->remotes[i], look_at_clock(l->remotes[i], now));
}

bool launcher_collect(struct launcher *l)
{
    if (!l->remote_count) {
        if (clock_ns() >= l->host.look_ns)
            l->host.look_ns = INT64_MAX; /* the session looks itself after models that are to be started again */
        return false;
    }
    if (l->guard_has_news || (l->host.guard && guard_has_kept(l->host.guard)))
        take_news(l);
    look_at_clocks(l);
    int count = l->host.ready_count;
    struct node **ready = l->host.ready;
    l->host.ready = l->taken; /* for those that become ready meanwhile */
    l->host.ready_count = 0;
    l->taken = ready;
    for (int i = 0; i < count; i++) {
        ready[i]->is_ready = false;
        launcher_poll(ready[i]);
    }
    return count > 0;
}

int64_t launcher_next_ns(const struct launcher *l)
{
    return l->host.ready_count || l->guard_has_news ? 0 : l->host.look_ns;
}

void launcher_freeze(struct node *n)
{
    move(n, NODE_EVENT_FREEZE);
}

void launcher_pause(struct node *n, bool paused)
{
    move(n, paused ? NODE_EVENT_PAUSE : NODE_EVENT_RESUME);
    if (n->driver->pause)
        n->driver->pause(n, paused);
}

bool launcher_is_over(const struct node *n)
{
    return !n->driver->ended || n->driver->ended(n);
}

bool launcher_usage(struct launcher *l, int i, double *cpu_s, uint64_t *memory, unsigned *processes)
{
    struct node *n = &l->nodes[i];
    if (n->driver->usage)
        return n->driver->usage(n, cpu_s, memory, processes);
    return process_usages_of(l->usages, n, cpu_s, memory, processes);
}

void launcher_end(struct launcher *l, enum ending how)
{
    int64_t now = clock_ns(), grace = LAUNCHER_GRACE_NS + (l->host.engines ? ENGINES_GRACE_NS : 0);
    if (!l->end_limit_ns) {
        process_usages_last(l->usages);
        l->end_limit_ns = now + grace;
    }
    for (int i = 0; i < l->remote_count; i++) {
        int64_t limit = now + l->remotes[i]->spec->timeout_stop * 1000 + grace;
        l->end_limit_ns = limit > l->end_limit_ns ? limit : l->end_limit_ns;
    }
    for (int i = 0; i < l->scenario->node_count; i++) {
        struct node *n = &l->nodes[i];
        if (takes(n, NODE_EVENT_STOP))
            move(n, NODE_EVENT_STOP);
        if (n->driver->is_remote)
            tell_to_end(n, how);
    }
    if (how == END_KILL && l->host.engines)
        engines_hurry(l->host.engines);
}

static bool all_have_ended(struct launcher *l)
{
    bool all = true;
    for (int i = 0; i < l->scenario->node_count; i++) {
        struct node *n = &l->nodes[i];
        bool over = launcher_is_over(n);
        if (over && n->phase == NODE_ENDING)
            move(n, NODE_EVENT_ENDED);
        all &= over;
    }
    return all;
}

bool launcher_has_ended(struct launcher *l)
{
    bool all = all_have_ended(l), is_late = l->host.guard && clock_ns() >= l->end_limit_ns;
    if (all && l->host.engines && !l->left)
        all = engines_end(l->host.engines, is_late, &l->left);
    if (all && l->host.guard && !l->sweeping && !l->swept) {
        guard_sweep(l->host.guard);
        int64_t limit = clock_ns() + LAUNCHER_GRACE_NS;
        l->end_limit_ns =
            limit > l->end_limit_ns ? limit : l->end_limit_ns; /* an engine may have had all of the time */
        l->sweeping = true;
    } else if (is_late && !l->swept) {
        l->guard_loss = "the guard process of lockstep did not end what nodes had left behind, and was ended with it";
        guard_give_up(l->host.guard);
    }
    if (l->host.guard && l->end_limit_ns < l->host.look_ns)
        l->host.look_ns = l->end_limit_ns;
    return all && (!l->host.guard || l->swept);
}

const char *launcher_left(const struct launcher *l)
{
    return l->left ? l->left : "";
}

unsigned launcher_orphans(struct launcher *l, const char **text)
{
    *text = orphans_text(&l->orphans, l->scenario, l->immortal);
    return (unsigned)l->orphans.count + l->immortal;
}
