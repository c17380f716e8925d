/* Nodes that are processes of their own, or servers that are there already: spoken to through pipes or a socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "node/channel.h"
#include "node/child.h"
#include "node/socket_dir.h"

#define LAST_WORDS_NS INT64_C(2000000000) /* how long the exit of a node that has closed its output is waited for */

struct process {
    struct node *node;
    struct channel channel;
    struct child child;
    struct error gone; /* n->gone is this, or NULL */
    bool is_wrong;     /* it is of what the node said, not of its end */
};

static bool is_socket(const struct process *p)
{
    return p->node->spec->transport != TRANSPORT_STDIO;
}

static void close_all(struct process *p)
{
    channel_close(&p->channel);
    child_close(&p->child);
}

static int launch(struct process *p, struct error *err)
{
    struct node *n = p->node;
    int ours[3], theirs[3];
    if (n->spec->transport == TRANSPORT_UNIX) {
        char path[200];
        socket_path(path, sizeof path, n->host->socket_dir, n->index);
        unlink(path); /* of the process before */
    }
    if (!n->spec->command)
        return 0; /* a server that is there */
    if (child_open_pipes(&p->child, ours, theirs, !is_socket(p), err) < 0)
        return -1;
    if (!is_socket(p))
        channel_use(&p->channel, ours[1], ours[0]);
    return child_start(&p->child, 0, theirs, err);
}

static int start(struct node *n, struct error *err)
{
    struct process *p = n->state;
    if (p)
        channel_close(&p->channel);
    else
        p = n->state = mem_alloc(sizeof *p);
    child_open(&p->child, n);
    *p = (struct process){ .node = n, .child = p->child };
    n->gone = NULL;
    channel_open(&p->channel, n);
    if (launch(p, err) < 0) {
        close_all(p);
        return -1;
    }
    if (is_socket(p)) {
        char path[200];
        struct channel_address to = { .host = "127.0.0.1", .port = n->spec->port };
        if (n->spec->transport == TRANSPORT_UNIX) {
            socket_path(path, sizeof path, n->host->socket_dir, n->index);
            to.path = path;
        }
        channel_connect(&p->channel, &to);
    }
    return 0;
}

static int grant(struct node *n, simtime from, simtime until, struct error *err)
{
    struct process *p = n->state;
    (void)err; /* what is wrong is found when it is asked for its answer */
    channel_grant(&p->channel, from, until);
    if (n->gone || p->child.has_exited)
        node_ready(n); /* nothing will come any more that tells of it */
    return 0;
}

/* Whether the node has come to its end without being told to. */
static int judge(struct process *p, struct error *err)
{
    struct node *n = p->node;
    if (p->child.refused) {
        child_say_refused(&p->child, n->spec->command[0], err);
        return -1;
    }
    if (p->is_wrong) {
        if (!channel_judge_stray(&p->channel, err))
            *err = p->gone;
        return -1;
    }
    if (p->child.has_exited) {
        char when[64];
        channel_doing(&p->channel, when, sizeof when);
        child_say_exit(&p->child, when, err);
        return -1;
    }
    if (!p->channel.eof_ns)
        return 0;
    if (p->child.is_running && clock_ns() < p->channel.eof_ns + LAST_WORDS_NS) { /* its exit says more */
        n->again_ns = p->channel.eof_ns + LAST_WORDS_NS;
        node_look(n, n->again_ns);
        return 0;
    }
    channel_say_closed(&p->channel, err);
    return -1;
}

/* The node has failed; or, where it has only gone wrong behind its answer, will have at its next grant. */
static int fail_or_wait(struct process *p, bool by_words, struct error *err)
{
    int64_t eof = p->channel.eof_ns, when = p->child.has_exited ? p->child.exit_ns : eof ? eof : clock_ns();
    child_last_words(&p->child);
    if (child_is_ended_from_outside(&p->child) || !channel_is_behind(&p->channel, when))
        return -1;
    p->gone = *err;
    p->node->gone = &p->gone;
    p->node->gone_ns = clock_ns();
    p->is_wrong |= by_words;
    return 0;
}

static int work(struct node *n, struct error *err)
{
    struct process *p = n->state;
    if (!p)
        return 0;
    if (p->child.log_has_news)
        child_read_log(&p->child);
    enum heard heard = channel_work(&p->channel, n->ending != END_NOT || n->gone, err);
    if (n->ending != END_NOT)
        return 0;
    if (heard == HEARD_ANSWER || heard == HEARD_ANSWER_AND_WRONG) {
        child_read_log(&p->child); /* what it wrote before its answer is of this quantum */
        node_ready(n);             /* that it may have ended behind it is another matter */
    }
    if (heard == HEARD_WRONG || heard == HEARD_ANSWER_AND_WRONG)
        return fail_or_wait(p, true, err);
    return heard == HEARD_NOTHING && judge(p, err) < 0 ? fail_or_wait(p, p->is_wrong, err) : 0;
}

static void news(struct node *n, const struct guard_news *news)
{
    struct process *p = n->state;
    if (p)
        child_news(&p->child, news);
}

static void late(struct node *n, struct error *err)
{
    struct process *p = n->state;
    child_last_words(&p->child);
    channel_say_late(&p->channel, err);
}

static void end(struct node *n, enum ending how)
{
    struct process *p = n->state;
    if (!p)
        return;
    if (how == END_ASK)
        channel_shutdown(&p->channel);
    else if (how == END_INPUT || !p->child.is_there)
        channel_close_out(&p->channel);
    child_end(&p->child, how);
    if (how == END_KILL || (!p->child.is_there && how != END_ASK))
        close_all(p);
    node_ready(n);
}

static void pause_process(struct node *n, bool paused)
{
    struct process *p = n->state;
    child_pause(&p->child, paused);
}

static bool ended(const struct node *n)
{
    const struct process *p = n->state;
    if (!p)
        return true;
    return n->spec->command ? !p->child.is_there : p->channel.in_fd < 0;
}

static uint64_t queue(const struct node *n)
{
    (void)n; /* it does not say */
    return 0;
}

static void close_process(struct node *n)
{
    struct process *p = n->state;
    if (!p)
        return;
    close_all(p);
    free(p);
    n->state = NULL;
    n->gone = NULL;
}

static bool last_word(const struct node *n, struct error *out)
{
    const struct process *p = n->state;
    return p && child_last_word(&p->child, out);
}

const struct driver driver_process = {
    .name = "process",
    .is_remote = true,
    .start = start,
    .grant = grant,
    .work = work,
    .news = news,
    .late = late,
    .end = end,
    .pause = pause_process,
    .ended = ended,
    .last_word = last_word,
    .queue = queue,
    .close = close_process,
};
