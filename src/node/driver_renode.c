/* Nodes that are firmware in Renode (renode.io): a process for each, set up over its monitor. In a quantum the messages
 * to the firmware are written to its UART while it stands still, then its time passes, then what it has written is read
 * from a file: an order in which nothing depends on the wall clock. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/renode.h"

#define READ_STEP (16u << 10)

/* Until the quantum that is run, or "while it was started". */
static void doing(const struct renode *r, char *out, size_t size)
{
    if (!r->has_clock)
        snprintf(out, size, "while it was started");
    else if (r->stage == RENODE_READY || r->checks_rest)
        snprintf(out, size, "between two quanta");
    else
        snprintf(out, size, "before its quantum to %" PRId64 " was over", r->protocol.until);
}

static int launch(struct renode *r, struct error *err)
{
    child_open(&r->child, r->node);
    tcp_client_close(&r->monitor_client);
    tcp_client_close(&r->control_client);
    r->port_is_taken = false;
    r->log_rest.len = 0;
    r->closed_ns = 0;
    return renode_launch(r, err);
}

static int start(struct node *n, struct error *err)
{
    struct renode *r = n->state;
    if (!r)
        r = n->state = mem_alloc(sizeof *r);
    r->node = n;
    renode_uarts_open(r);
    r->has_clock = r->checks_rest = n->is_checked = r->clock_is_told = r->counts = r->cannot_count = false;
    r->counted_ns = r->counted_us = 0;
    r->counted = 0;
    r->mips = -1;
    r->launches = 0;
    r->checked_us = -1;
    error_clear(&r->failure);
    *r->cpu_abort = *r->log_error = '\0';
    r->abort_is_whole = false;
    n->gone = NULL;
    return launch(r, err);
}

static int grant(struct node *n, simtime from, simtime until, struct error *err)
{
    struct renode *r = n->state;
    (void)err;
    r->protocol.from = r->protocol.earliest = from;
    r->protocol.until = until;
    r->ran_us = until - from;
    r->ahead_us = from - r->clock_us; /* less by what had passed before it was ready, more by its pauses */
    *r->log_error = '\0';
    for (size_t i = 0; i < n->inbox.count; i++) {
        struct message *m = n->inbox.items[i];
        simtime time = m->time < from ? from : m->time; /* where it waited for a paused node, whose clock stood */
        uart_input(&r->uarts[0].input, m, time - r->ahead_us, m->src >= 0 ? n->scenario->nodes[m->src].id : "",
                   n->spec->id);
        n->events++;
        if (m->time > n->last_active)
            n->last_active = m->time;
        message_free(m);
    }
    n->inbox.count = 0;
    if (r->stage != RENODE_READY)
        return 0; /* its clock is being read: on with it then */
    renode_write_or_run(r);
    if (n->gone || r->child.has_exited)
        node_ready(n);
    return 0;
}

/* --- What Renode says --- */

static void begin_handshake(struct renode *r)
{
    r->stage = RENODE_HANDSHAKE;
    r->node->activity = "connecting to its External Control port";
    tcp_client_open(&r->control_client, r->node, r->control_port);
    external_control_handshake(&r->control_client.out);
    external_control_free(&r->control);
    r->control = (struct external_control){ 0 };
}

static int take_monitor(struct renode *r, struct error *err)
{
    struct buffer why = { 0 };
    int64_t clock;
    switch (r->stage) {
    case RENODE_SETTING_UP: {
        int done = renode_take_setup(r, err);
        if (done > 0 && r->by_monitor)
            renode_ask_clock(r);
        else if (done > 0)
            begin_handshake(r);
        return done < 0 ? -1 : 0;
    }
    case RENODE_WRITING:
    case RENODE_RUNNING:
        if (monitor_error(&r->monitor.reply, &why, NULL)) {
            error_set(err, EXIT_RUN_FAILED, "Renode refuses %s: %s",
                      r->stage == RENODE_WRITING ? "to write to its UART" : "to run", buffer_string(&why));
            buffer_free(&why);
            return -1;
        }
        buffer_free(&why);
        if (r->stage == RENODE_RUNNING)
            return renode_time_has_passed(r, err);
        renode_write_or_run(r);
        return 0;
    case RENODE_CHECKING:
        clock = monitor_time(&r->monitor.reply);
        if (clock >= 0)
            return renode_take_clock(r, clock, err);
        r->clock_is_told = true;
        error_set(err, EXIT_RUN_FAILED, "Renode does not say its time when it is asked for currentTime");
        return -1;
    case RENODE_COUNTING:
        renode_take_count(r);
        return 0;
    default:
        return 0;
    }
}

static int take_control(struct renode *r, struct error *err)
{
    const struct external_control *e = &r->control;
    switch (e->kind) {
    case EXTERNAL_CONTROL_ACCEPTED:
        if (r->stage == RENODE_HANDSHAKE)
            renode_ask_clock(r);
        return 0;
    case EXTERNAL_CONTROL_DONE:
        return r->stage == RENODE_RUNNING ? renode_time_has_passed(r, err) : 0;
    case EXTERNAL_CONTROL_TIME:
        return r->stage == RENODE_CHECKING ? renode_take_clock(r, (int64_t)e->time, err) : 0;
    case EXTERNAL_CONTROL_NOT_ACTIVATED:
        error_set(err, EXIT_RUN_FAILED, "its External Control port has not activated command %d", e->command);
        return -1;
    case EXTERNAL_CONTROL_NONE:
        return 0;
    case EXTERNAL_CONTROL_FAILED:
    case EXTERNAL_CONTROL_FATAL:
    case EXTERNAL_CONTROL_VIOLATION:
        break;
    }
    error_set(err, EXIT_RUN_FAILED, "its External Control port %s: %s",
              e->kind == EXTERNAL_CONTROL_VIOLATION ? "says what is no answer" : "says",
              e->text.data ? e->text.data : "");
    return -1;
}

static int read_monitor(struct renode *r, struct error *err)
{
    char piece[READ_STEP];
    for (ssize_t got; (got = tcp_client_read(&r->monitor_client, piece, sizeof piece)) > 0;)
        if (monitor_feed(&r->monitor, piece, (size_t)got) > 0 && take_monitor(r, err) < 0)
            return -1;
    return 0;
}

static int read_control(struct renode *r, struct error *err)
{
    char piece[READ_STEP];
    for (ssize_t got; (got = tcp_client_read(&r->control_client, piece, sizeof piece)) > 0;)
        for (size_t at = 0, used; at < (size_t)got; at += used) {
            int result = external_control_feed(&r->control, piece + at, (size_t)got - at, &used);
            if (result == 0)
                break;
            if (take_control(r, err) < 0)
                return -1;
            if (result < 0)
                return 0;
        }
    return 0;
}

static int take_exit(struct renode *r, const char *when, struct error *err)
{
    renode_read_log(r);
    if (renode_may_launch_again(r)) {
        if (!r->child.is_there)
            return launch(r, err);
        child_signal(&r->child, SIGKILL); /* first nobody of it may be left */
        return 0;
    }
    child_say_exit(&r->child, when, err);
    if (r->port_is_taken && !r->has_clock)
        error_add(err, "somebody else listens on port %d", r->monitor_client.port);
    else if (r->stage == RENODE_CONNECTING)
        error_add(err, "Renode, on port %d", r->monitor_client.port);
    renode_add_log(r, err);
    return -1;
}

/* Whether Renode has come to its end without being told to. */
static int judge(struct renode *r, struct error *err)
{
    struct node *n = r->node;
    char when[80];
    if (r->failure.code && clock_ns() >= r->failed_ns + RENODE_LAST_WORDS_NS)
        return -1;
    doing(r, when, sizeof when);
    if (r->child.refused) {
        child_say_refused(&r->child, n->spec->renode.program, err);
        return -1;
    }
    if (r->child.has_exited)
        return take_exit(r, when, err);
    const char *which = r->monitor_client.has_ended   ? "monitor"
                        : r->control_client.has_ended ? "External Control"
                                                      : NULL;
    if (!which)
        return 0;
    r->closed_ns = r->closed_ns ? r->closed_ns : clock_ns();
    if (r->child.is_running && clock_ns() < r->closed_ns + RENODE_LAST_WORDS_NS) { /* its exit says more */
        n->again_ns = r->closed_ns + RENODE_LAST_WORDS_NS;
        node_look(n, n->again_ns);
        return 0;
    }
    renode_last_words(r);
    error_set(err, EXIT_RUN_FAILED, "Renode closed its %s connection %s", which, when);
    renode_add_log(r, err);
    return -1;
}

static int work(struct node *n, struct error *err)
{
    struct renode *r = n->state;
    if (!r)
        return 0;
    if (r->child.log_has_news)
        renode_read_log(r);
    tcp_client_work(&r->monitor_client);
    tcp_client_work(&r->control_client);
    if (r->stage == RENODE_CONNECTING && r->monitor_client.is_open && !renode_is_ours(r)) {
        tcp_client_again(&r->monitor_client);
    } else if (r->stage == RENODE_CONNECTING && r->monitor_client.is_open) {
        r->stage = RENODE_SETTING_UP;
        monitor_begin(&r->monitor, &r->monitor_client.out);
        renode_ask_setup(r);
    }
    int result = read_monitor(r, err) < 0 || read_control(r, err) < 0 ? -1 : 0;
    if (n->ending != END_NOT)
        return 0; /* what it says then is no failure */
    return result < 0 || judge(r, err) < 0 ? renode_fail(r, err) : 0;
}

static void news(struct node *n, const struct guard_news *news)
{
    struct renode *r = n->state;
    if (!r)
        return;
    child_news(&r->child, news);
    if (n->ending != END_NOT && r->child.has_exited)
        renode_uarts_end(r);
}

/* What it has no answer to; "" where that is the time itself. */
static const char *const silences[] = {
    [RENODE_CONNECTING] = "",
    [RENODE_SETTING_UP] = "",
    [RENODE_HANDSHAKE] = "",
    [RENODE_READY] = "",
    [RENODE_WRITING] = ": Renode does not take what is written to its UART",
    [RENODE_RUNNING] = "",
    [RENODE_CHECKING] = ": Renode does not say what its clock stands at",
    [RENODE_COUNTING] = ": Renode does not say what its processor has done",
    [RENODE_QUITTING] = "",
};

static void late(struct node *n, struct error *err)
{
    struct renode *r = n->state;
    char command[200], limit[40];
    renode_last_words(r);
    if (r->failure.code) {
        *err = r->failure;
        return;
    }
    int64_t us = r->has_clock ? n->spec->timeout_step : n->spec->timeout_start;
    snprintf(limit, sizeof limit, "%g s", (double)us / 1e6);
    renode_command(r, command, sizeof command);
    switch (r->stage) {
    case RENODE_CONNECTING:
        error_set(err, EXIT_RUN_FAILED, "Renode's monitor does not listen on port %d within %s", r->monitor_client.port,
                  limit);
        break;
    case RENODE_SETTING_UP:
        error_set(err, EXIT_RUN_FAILED, "Renode has no answer to '%s' within %s", command, limit);
        break;
    case RENODE_HANDSHAKE:
        error_set(err, EXIT_RUN_FAILED,
                  "its External Control port does not answer on port %d within %s; "
                  "`time_control: monitor` does without it",
                  r->control_port, limit);
        break;
    default:
        if (n->is_checked) {
            error_set(err, EXIT_RUN_FAILED, "Renode does not say within %s what its %s", limit,
                      r->stage == RENODE_COUNTING ? "processor has done" : "clock stands at");
            renode_add_log(r, err);
        } else if (*r->cpu_abort)
            error_set(err, EXIT_RUN_FAILED,
                      "its processor has crashed: %s; the %" PRId64 " us to %" PRId64 " were not over within %s",
                      r->cpu_abort, r->ran_us, r->protocol.until, limit);
        else
            error_set(err, EXIT_RUN_FAILED, "the %" PRId64 " us to %" PRId64 " were not over within %s%s", r->ran_us,
                      r->protocol.until, limit, silences[r->stage]);
    }
}

static void end(struct node *n, enum ending how)
{
    struct renode *r = n->state;
    if (!r)
        return;
    renode_uarts_end(r);
    bool is_busy = r->stage != RENODE_READY && r->stage != RENODE_COUNTING && !r->checks_rest;
    if (how == END_ASK && (is_busy || !r->monitor_client.is_open))
        child_signal(&r->child, SIGTERM); /* its monitor does not listen then */
    if (how == END_INPUT) {
        tcp_client_close(&r->monitor_client);
        tcp_client_close(&r->control_client);
    }
    child_end(&r->child, how);
    if (how == END_ASK && r->stage == RENODE_READY)
        renode_end(r);
    node_ready(n);
}

static void pause_renode(struct node *n, bool paused)
{
    struct renode *r = n->state;
    n->is_checked = false; /* a process that stands still says nothing */
    child_pause(&r->child, paused);
}

static bool type(struct node *n, const char *uart, const char *text)
{
    struct renode *r = n->state;
    return r && renode_uarts_type(r, uart, text);
}

static bool ended(const struct node *n)
{
    const struct renode *r = n->state;
    return !r || !r->child.is_there;
}

static bool last_word(const struct node *n, struct error *out)
{
    const struct renode *r = n->state;
    return r && child_last_word(&r->child, out);
}

static uint64_t queue(const struct node *n)
{
    (void)n; /* it does not say */
    return 0;
}

static void close_renode(struct node *n)
{
    struct renode *r = n->state;
    if (!r)
        return;
    tcp_client_close(&r->monitor_client);
    tcp_client_close(&r->control_client);
    child_close(&r->child);
    renode_uarts_close(r);
    monitor_free(&r->monitor);
    external_control_free(&r->control);
    buffer_free(&r->log_rest);
    buffer_free(&r->setup);
    buffer_free(&r->messages);
    free(r);
    n->state = NULL;
    n->gone = NULL;
}

const struct driver driver_renode = {
    .name = "renode",
    .is_remote = true,
    .start = start,
    .grant = grant,
    .work = work,
    .news = news,
    .late = late,
    .end = end,
    .pause = pause_renode,
    .type = type,
    .check = renode_check,
    .processor = renode_processor,
    .ended = ended,
    .last_word = last_word,
    .queue = queue,
    .close = close_renode,
};
