/* Nodes in containers: made, watched and removed through the API of their engine, never by waiting for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/docker.h"

#define AGAIN_NS     INT64_C(50000000) /* until a removal that did not come about is asked for again */
#define REMOVALS_MAX 40
#define DOUBT_MAX    20 /* of them, where it may be created only now */
#define GIVE_UP_NS   INT64_C(4200000000) /* beyond timeouts.stop: the engine is not waited for any longer */
#define HEALTH_NS    INT64_C(30000000000) /* between two health checks, where nobody says */
#define CHECK_NS     INT64_C(500000000)   /* until a check that was due must be known */
#define DEAF_NS      INT64_C(5000000000)  /* between two looks, at most, while the engine tells nothing by itself */
#define DEAF_LEAST_NS INT64_C(500000000)
#define UNSEEN_NS    INT64_C(3000000000) /* without a look the engine is not asked any more what is used */

/* Its work is called then, if not before. */
static void wake_at(struct docker *d, int64_t ns)
{
    struct node *n = d->node;
    if (!n->again_ns || ns < n->again_ns)
        n->again_ns = ns;
    node_look(n, n->again_ns);
}

/* --- While it runs --- */

static void look(struct docker *d)
{
    if (d->look.call || d->look.done || !*d->id)
        return;
    d->node->must_look = false;
    exchange_drop(&d->look);
    buffer_format(&d->look.path, "/containers/%s/json", d->id);
    exchange_send(&d->look, d->engine, "GET", DOCKER_ANSWER_MS);
}

static int judge_health(const struct docker *d, struct error *err)
{
    if (!d->state.is_unhealthy)
        return 0;
    error_set(err, EXIT_RUN_FAILED, "its container is unhealthy%s%s%s", d->state.is_paused ? " while it is paused" : "",
              *d->state.health_output ? "; the last check said: " : "", d->state.health_output);
    return -1;
}

/* Podman says it with 500 where it is removed while it is looked for. */
static bool is_gone(const struct http_answer *a)
{
    char words[300];
    if (a->failure != HTTP_ANSWERED || (a->status != 404 && a->status != 500))
        return false;
    engine_words(a, words, sizeof words);
    return a->status == 404 || strstr(words, "no such container");
}

/* Once it was seen to have ended: whether it is time to look once more, which is then the last time. */
static bool is_settled(struct docker *d)
{
    if (!d->seen_ns || d->end_ns)
        return false;
    if (clock_ns() >= docker_settled_ns(d))
        return true;
    wake_at(d, docker_settled_ns(d));
    return false;
}

static int judge_end(struct docker *d, struct error *err)
{
    d->seen_ns = d->seen_ns ? d->seen_ns : clock_ns();
    if (!d->end_ns && !is_settled(d))
        return 0;
    d->end_ns = d->end_ns ? d->end_ns : d->seen_ns;
    docker_say_end(d, err);
    return -1;
}

/* What has become of the container, where something has happened to it. -1 with *err set: that is its failure. */
static int take_look(struct docker *d, struct error *err)
{
    if (d->node->must_look || is_settled(d))
        look(d);
    if (!d->look.done)
        return 0;
    d->look.done = false;
    if (d->node->must_look) /* something has happened since it was asked */
        node_ready(d->node);
    if (!is_gone(&d->look.answer) && (!exchange_ok(&d->look, "inspect container", err) ||
                                      container_state_read(&d->state, &d->look.answer.body, err) < 0))
        return -1;
    if (is_gone(&d->look.answer) || d->state.is_removed) {
        d->was_removed = true;
        error_set(err, EXIT_RUN_FAILED, "its container was removed by someone else");
        return -1;
    }
    d->node->health = container_health(&d->state);
    if (d->state.is_running)
        return judge_health(d, err);
    return judge_end(d, err);
}

/* Where it was refused, it goes on as it did: one that would be paused runs, and one that does not go on is
 * of no use. */
static void note_still(struct docker *d)
{
    struct error err = { 0 };
    d->still.done = false;
    if (exchange_ok(&d->still, d->stands_still ? "pause container" : "unpause container", &err))
        return;
    buffer_format(&d->node->log, "%s\n", err.text);
    if (d->stands_still) {
        d->is_pause_refused = true;
        d->stands_still = false;
    } else if (d->still.answer.failure != HTTP_ANSWERED || !strstr(err.text, "not paused")) {
        d->stuck = err;
        d->node->must_look = true; /* what has become of it may be the better cause */
    }
    node_ready(d->node);
}

/* It is paused by a fault, or frozen while the run rests: one request after the other. */
static void hold_or_let_go(struct docker *d)
{
    bool still = d->node->ending == END_NOT && (d->is_paused || d->is_frozen);
    if (d->still.done)
        note_still(d);
    d->is_pause_refused &= still;
    if (d->still.call || still == d->stands_still || d->is_pause_refused || d->step != DOCKER_RUN)
        return;
    d->stands_still = still;
    exchange_drop(&d->still);
    buffer_format(&d->still.path, "/containers/%s/%s", d->id, still ? "pause" : "unpause");
    exchange_send(&d->still, d->engine, "POST", DOCKER_ANSWER_MS);
}

static bool is_stuck(const struct docker *d, struct error *err)
{
    if (!d->stuck.code || d->node->must_look || d->look.call || d->look.done)
        return false;
    *err = d->stuck;
    return true;
}

/* Also one that is no text of lines: it is not asked for again at once. */
static void close_stats_unseen(struct docker *d)
{
    int64_t now = clock_ns();
    if (!d->stats.call)
        return;
    if (d->is_stats_wrong || now >= d->asked_ns + UNSEEN_NS) {
        d->stats_again_ns = d->is_stats_wrong ? now + UNSEEN_NS : 0;
        d->is_stats_wrong = false;
        exchange_drop(&d->stats);
        wire_free(&d->stats_lines);
        d->usage.is_known = false;
    } else {
        wake_at(d, d->asked_ns + UNSEEN_NS);
    }
}

/* Podman leaves it to systemd to call for a check when one is due; where there is none, nobody does. An engine that has
 * made none when the first is long over is asked for each. */
static void call_for_check(struct docker *d)
{
    int64_t now = clock_ns(), interval = d->state.health_interval_ns ? d->state.health_interval_ns : HEALTH_NS;
    if (!d->state.has_health || d->checks_itself || d->stands_still)
        return;
    if (d->check.done) {
        d->check.done = false;
        d->node->must_look = true;
        d->checks_itself = d->check.answer.failure == HTTP_ANSWERED && d->check.answer.status == 404;
        node_ready(d->node);
    } else if (!d->check_ns) {
        d->check_ns = now + interval + CHECK_NS;
        d->was_checked = false;
    } else if (now >= d->check_ns && !d->check.call) {
        if (!d->was_checked && !d->look.call) { /* the first time: what does it know by now? */
            d->was_checked = true;
            d->node->must_look = true;
            node_ready(d->node);
            d->check_ns = now + CHECK_NS;
        } else if (d->state.health_checks && !d->is_asked_for_checks) {
            d->checks_itself = true;
        } else {
            d->is_asked_for_checks = true;
            exchange_drop(&d->check);
            buffer_format(&d->check.path, "/libpod/containers/%s/healthcheck", d->id);
            exchange_send(&d->check, d->engine, "GET", DOCKER_ANSWER_MS);
            d->check_ns = now + interval;
        }
    }
    if (!d->check.call) /* else its answer wakes it, however late that is */
        wake_at(d, d->check_ns);
}

/* What the engine does not tell by itself it is asked for, as often as it makes health checks at least. */
static void look_while_deaf(struct docker *d)
{
    int64_t now = clock_ns(), every = d->state.health_interval_ns;
    every = !every || every > DEAF_NS ? DEAF_NS : every < DEAF_LEAST_NS ? DEAF_LEAST_NS : every;
    if (engine_is_heard(d->engine)) {
        d->deaf_ns = 0;
        return;
    }
    d->node->must_look |= d->deaf_ns && now >= d->deaf_ns;
    if (!d->deaf_ns || now >= d->deaf_ns)
        d->deaf_ns = now + every;
    wake_at(d, d->deaf_ns);
}

/* READY counts once the container is healthy, where it has a check for that. */
static void wait_for_health(struct docker *d)
{
    struct node *n = d->node;
    if (n->phase != NODE_STARTING)
        return;
    d->is_ready |= n->answer.done;
    n->answer.done = d->is_ready && (!d->state.has_health || d->state.is_healthy);
    n->activity = d->is_ready && !n->answer.done ? "READY; waiting until it is healthy" : NULL;
}

/* Its output has ended: what the engine says of it is the better cause. */
static int judge(struct docker *d, struct error *err)
{
    if (d->gone.code && d->node->phase == NODE_BUSY) {
        if (!d->is_wrong || !channel_judge_stray(&d->channel, err))
            *err = d->gone;
        if ((d->end_ns || d->exec_code >= 0) && !d->is_wrong) { /* as if it had been seen only now */
            *err = (struct error){ 0 };
            if (d->end_ns)
                docker_say_end(d, err);
            else
                docker_exec_say_end(d, err);
        }
        return -1;
    }
    if (!d->channel.eof_ns || d->look.call || d->look.done || d->gone.code || d->seen_ns)
        return 0;
    int64_t now = clock_ns();
    bool is_late = now >= d->channel.eof_ns + DOCKER_ENDS_NS;
    if (d->channel.answers && docker_exec_end(d, is_late, err))
        return -1;
    if (is_late) {
        channel_say_closed(&d->channel, err);
        return -1;
    }
    if (now >= d->look_ns) {
        d->look_ns = now + AGAIN_NS;
        look(d);
        if (*d->exec_id && d->channel.answers)
            docker_exec_ask(d);
    }
    wake_at(d, d->look_ns);
    return 0;
}

static int fail_or_wait(struct docker *d, bool by_words, struct error *err)
{
    int64_t when = d->channel.eof_ns ? d->channel.eof_ns : d->end_ns ? d->end_ns : clock_ns();
    if (container_was_killed(&d->state) || d->was_removed || !channel_is_behind(&d->channel, when))
        return -1;
    d->gone = *err;
    d->node->gone = &d->gone;
    d->node->gone_ns = clock_ns();
    d->is_wrong |= by_words;
    return 0;
}

static int take_news(struct docker *d, struct error *err)
{
    struct node *n = d->node;
    enum heard heard = channel_work(&d->channel, n->gone != NULL, err);
    bool answered = heard == HEARD_ANSWER || heard == HEARD_ANSWER_AND_WRONG;
    hold_or_let_go(d);
    close_stats_unseen(d);
    call_for_check(d);
    look_while_deaf(d);
    stream_drain(&d->output);
    wait_for_health(d);
    if (answered)
        node_ready(n); /* that it may have ended behind it is another matter */
    if (heard == HEARD_WRONG || heard == HEARD_ANSWER_AND_WRONG)
        return fail_or_wait(d, true, err);
    if (answered && n->answer.done)
        return 0;
    if (take_look(d, err) < 0)
        return fail_or_wait(d, false, err);
    if (is_stuck(d, err))
        return -1;
    wait_for_health(d);
    return judge(d, err) < 0 ? fail_or_wait(d, d->is_wrong, err) : 0;
}

static int run_step(struct docker *d, struct error *err)
{
    if (d->held.code) {
        if (take_look(d, err) < 0 && (d->end_ns || d->was_removed))
            return -1; /* nothing runs in a container that has ended: that is the better cause */
        *err = (struct error){ 0 };
        return d->look.call || d->seen_ns ? 0 : docker_exec_judge(d, err);
    }
    return take_news(d, err) < 0 && !docker_exec_hold(d, err) ? -1 : 0;
}

/* --- Its end --- */

static void be_gone(struct docker *d)
{
    docker_forget(d);
    d->step = DOCKER_GONE;
}

/* What it wrote last is still to come. */
static void hear_out(struct docker *d)
{
    channel_close(&d->channel);
    stream_hear_out(&d->output);
    stream_hear_out(&d->exec);
}

static void remove_container(struct docker *d)
{
    hear_out(d);
    exchange_drop(&d->exchange);
    exchange_drop(&d->look);
    exchange_drop(&d->exec_look);
    d->step = DOCKER_REMOVE;
    d->removals++;
    docker_request(d, "DELETE", "remove container", "/containers/%s?force=1&v=1", *d->id ? d->id : d->name);
}

/* What an engine is asked to create it may have created although it has not said so: that is awaited. */
static void begin_removal(struct docker *d)
{
    if (d->step == DOCKER_CREATE && d->exchange.call)
        return;
    if (d->step == DOCKER_CREATE && d->exchange.answer.failure == HTTP_ANSWERED)
        container_id_read(&d->exchange.answer.body, d->id, sizeof d->id);
    else if (d->step == DOCKER_CREATE)
        d->is_in_doubt = d->exchange.answer.failure != HTTP_UNREACHABLE;
    if (*d->id || d->is_in_doubt)
        remove_container(d);
    else
        be_gone(d);
}

static void leave(struct docker *d, const char *why)
{
    char what[300];
    if (*d->id)
        snprintf(what, sizeof what, "container %.*s of %s", DOCKER_SHORT_ID, d->id, d->node->spec->id);
    else
        snprintf(what, sizeof what, "container %s of %s", d->name, d->node->spec->id);
    engine_leave(d->engine, what, why);
    be_gone(d);
}

static void judge_removal(struct docker *d)
{
    struct error err = { 0 };
    struct node *n = d->node;
    int status = d->exchange.answer.failure == HTTP_ANSWERED ? d->exchange.answer.status : 0;
    bool is_late = d->is_in_doubt && d->removals < DOUBT_MAX;
    d->exchange.done = false;
    if ((status == 404 && !is_late) || exchange_removed(&d->exchange, d->what, &err)) {
        d->removed_ns = clock_ns();
        return;
    }
    snprintf(d->refusal, sizeof d->refusal, "%s", err.text);
    if (d->removals < REMOVALS_MAX) { /* another is under way, or the engine is busy with it */
        d->again_ns = clock_ns() + AGAIN_NS;
        wake_at(d, d->again_ns);
    } else {
        buffer_format(&n->log, "%s\n", err.text);
        leave(d, err.text);
    }
}

/* Removes it at last; an engine that takes longer than the node may is not waited for. */
static void removal_step(struct docker *d)
{
    char why[120];
    int64_t now = clock_ns(), limit = d->node->ending_ns + d->node->spec->timeout_stop * 1000 + GIVE_UP_NS;
    int64_t hurry = engine_limit_ns(d->engine);
    limit = hurry < limit ? hurry : limit;
    if (d->step == DOCKER_REMOVE)
        hear_out(d);
    if (d->step == DOCKER_REMOVE && d->exchange.done)
        judge_removal(d);
    if (d->step == DOCKER_GONE)
        return;
    wake_at(d, d->removed_ns ? d->removed_ns + DOCKER_ENDS_NS : limit);
    if (d->removed_ns) {
        if ((stream_is_silent(&d->output) && stream_is_silent(&d->exec)) || now >= d->removed_ns + DOCKER_ENDS_NS)
            be_gone(d);
    } else if (now >= limit) {
        snprintf(why, sizeof why, "no answer of the engine to '%s' in time", d->what);
        leave(d, *d->refusal ? d->refusal : why);
    } else if (d->step != DOCKER_REMOVE) {
        begin_removal(d);
    } else if (!d->exchange.call && now >= d->again_ns) {
        remove_container(d);
    }
}

static void end_step(struct docker *d)
{
    struct error err = { 0 };
    if (d->step == DOCKER_GONE)
        return;
    if (d->step != DOCKER_RUN) {
        removal_step(d);
        return;
    }
    hold_or_let_go(d);
    channel_work(&d->channel, true, &err);
    stream_drain(&d->output);
    error_clear(&err);
    if (d->output.ended && !d->end_ns && !d->look.call && !d->look.done) { /* it may run on for long */
        int64_t now = clock_ns();
        d->node->must_look |= now >= d->look_ns;
        d->look_ns = now >= d->look_ns ? now + AGAIN_NS : d->look_ns;
        wake_at(d, d->look_ns);
    }
    if (take_look(d, &err) < 0 && (d->end_ns || d->was_removed))
        remove_container(d);
}

static int work(struct node *n, struct error *err)
{
    struct docker *d = n->state;
    if (!d)
        return 0;
    if (n->ending != END_NOT) {
        end_step(d);
        return 0;
    }
    if (d->step == DOCKER_GONE)
        return 0;
    int64_t again = engine_listen(d->engine);
    if (again != INT64_MAX)
        wake_at(d, again);
    return d->step == DOCKER_RUN ? run_step(d, err) : docker_start_step(d, err);
}

static void end(struct node *n, enum ending how)
{
    struct docker *d = n->state;
    if (!d || d->step == DOCKER_GONE || d->step == DOCKER_REMOVE)
        return;
    if (d->step != DOCKER_RUN || how == END_KILL) {
        begin_removal(d);
    } else if (how == END_ASK) {
        channel_shutdown(&d->channel);
        hold_or_let_go(d);
    } else if (how == END_INPUT) {
        channel_close_out(&d->channel);
    } else {
        docker_request(d, "POST", "end container", "/containers/%s/kill?signal=SIGTERM", d->id);
    }
    node_ready(n);
}

/* --- The rest of the verbs --- */

static int grant(struct node *n, simtime from, simtime until, struct error *err)
{
    struct docker *d = n->state;
    (void)err; /* what is wrong is found when it is asked for its answer */
    channel_grant(&d->channel, from, until);
    if (n->gone || d->channel.eof_ns)
        node_ready(n);
    return 0;
}

static void news(struct node *n, const struct guard_news *news)
{
    (void)n; /* its processes are the engine's */
    (void)news;
}

static void late(struct node *n, struct error *err)
{
    const struct docker *d = n->state;
    double s = (double)(n->phase == NODE_STARTING ? n->spec->timeout_start : n->spec->timeout_step) / 1e6;
    if (d->seen_ns)
        docker_say_end(d, err);
    else if (d->step == DOCKER_PREPARE && d->image)
        docker_say_unprepared(d, s, err);
    else if (d->step != DOCKER_RUN)
        error_set(err, EXIT_RUN_FAILED, "no answer of the engine to '%s' within %g s", d->what, s);
    else if (d->is_ready && n->phase == NODE_STARTING)
        error_set(err, EXIT_RUN_FAILED, "READY, but not healthy within %g s%s%s", s,
                  *d->state.health_output ? "; the last check said: " : "", d->state.health_output);
    else
        channel_say_late(&d->channel, err);
}

static void pause_container(struct node *n, bool paused)
{
    struct docker *d = n->state;
    d->is_paused = paused;
    hold_or_let_go(d);
}

static void freeze(struct node *n, bool frozen)
{
    struct docker *d = n->state;
    if (!d || !n->spec->docker.freeze)
        return;
    d->is_frozen = frozen;
    hold_or_let_go(d);
}

static void take_stats(void *data, struct text line)
{
    container_usage_read(&((struct docker *)data)->usage, line.s, line.len);
}

static void note_stats(void *data, const char *s, size_t len)
{
    struct docker *d = data;
    if (d->is_stats_wrong || wire_take(&d->stats_lines, s, len, take_stats, d) == 0)
        return;
    d->is_stats_wrong = true; /* it is closed by the next step */
    node_ready(d->node);
}

/* The engine is asked as long as somebody looks at it, and once a second says what it knows. */
static bool usage(struct node *n, double *cpu_s, uint64_t *memory, unsigned *processes)
{
    struct docker *d = n->state;
    if (!d || d->step != DOCKER_RUN || n->ending != END_NOT)
        return false;
    d->asked_ns = clock_ns();
    if (!d->stats.call && d->asked_ns >= d->stats_again_ns) {
        exchange_drop(&d->stats);
        wire_free(&d->stats_lines);
        d->is_stats_wrong = false;
        buffer_format(&d->stats.path, "/containers/%s/stats?stream=1", d->id);
        exchange_stream(&d->stats, d->engine, "GET", (struct text){ 0 }, note_stats, d);
        wake_at(d, d->asked_ns + UNSEEN_NS);
    }
    *cpu_s = d->usage.cpu_s;
    *memory = d->usage.memory;
    *processes = d->usage.processes;
    return d->usage.is_known;
}

static bool ended(const struct node *n)
{
    const struct docker *d = n->state;
    return !d || d->step == DOCKER_GONE;
}

static uint64_t queue(const struct node *n)
{
    (void)n; /* it does not say */
    return 0;
}

static void close_docker(struct node *n)
{
    struct docker *d = n->state;
    if (!d)
        return;
    docker_forget(d);
    free(d);
    n->state = NULL;
    n->gone = NULL;
}

const struct driver driver_docker = {
    .name = "docker",
    .is_remote = true,
    .start = docker_start,
    .grant = grant,
    .work = work,
    .news = news,
    .late = late,
    .end = end,
    .pause = pause_container,
    .freeze = freeze,
    .usage = usage,
    .ended = ended,
    .queue = queue,
    .close = close_docker,
};
