/* Nodes that are processes of their own, or servers that are there already: spoken to through pipes or a socket. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "node/channel.h"
#include "node/guard.h"
#include "node/sockets.h"

#define LOG_STEP      (64u << 10) /* bytes taken of a node's log before others get their turn */
#define LAST_STEPS    16          /* of its log, at most, before it is said to have failed */
#define LAST_WORDS_NS INT64_C(2000000000) /* how long the exit of a node that has closed its output is waited for */

struct process {
    struct node *node;
    struct channel channel;
    int log_fd; /* -1: none */
    struct loop_watch *log_watch;
    bool log_has_news;
    bool is_paused;
    bool is_running;   /* its process was asked for, and has not exited */
    bool is_there;     /* … and somebody is in its group */
    bool has_exited;
    int status;      /* of the exit */
    int64_t exit_ns; /* when it was known */
    struct error gone; /* n->gone is this, or NULL */
    bool is_wrong;     /* it is of what the node said, not of its end */
    int refused; /* errno: its command could not be run */
    char refused_what[GUARD_TEXT];
};

static bool is_socket(const struct process *p)
{
    return p->node->spec->transport != TRANSPORT_STDIO;
}

static void note_log(void *data)
{
    struct process *p = data;
    p->log_has_news = true;
    node_ready(p->node);
}

static void close_log(struct process *p)
{
    loop_unwatch(p->log_watch);
    p->log_watch = NULL;
    if (p->log_fd >= 0)
        close(p->log_fd);
    p->log_fd = -1;
}

static void close_all(struct process *p)
{
    channel_close(&p->channel);
    close_log(p);
}

/* Where the node's stderr comes from; of a node with a socket its stdout too. */
static int open_log(struct process *p, int *theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    p->log_fd = ends[0];
    p->log_watch = loop_watch(p->node->host->loop, p->log_fd, LOOP_READ, note_log, p);
    *theirs = ends[1];
    return 0;
}

static int open_stdio(struct process *p, int theirs[3])
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return -1;
    theirs[0] = in[0];
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[1]);
        return -1;
    }
    theirs[1] = out[1];
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    channel_use(&p->channel, out[0], in[1]);
    return open_log(p, &theirs[2]);
}

static int open_socket(struct process *p, int theirs[3])
{
    theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (theirs[0] < 0 || open_log(p, &theirs[1]) < 0)
        return -1;
    theirs[2] = fcntl(theirs[1], F_DUPFD_CLOEXEC, 0);
    return theirs[2] < 0 ? -1 : 0;
}

static int launch(struct process *p, struct error *err)
{
    struct node *n = p->node;
    int theirs[3] = { -1, -1, -1 };
    if (n->spec->transport == TRANSPORT_UNIX) {
        char path[200];
        socket_path(path, sizeof path, n->host->socket_dir, n->index);
        unlink(path); /* of the process before */
    }
    if (!n->spec->command)
        return 0; /* a server that is there */
    if (guard_is_lost(n->host->guard)) {
        error_set(err, EXIT_RUN_FAILED, "it cannot be started: the guard process of lockstep was ended from outside");
        return -1;
    }
    int result = is_socket(p) ? open_socket(p, theirs) : open_stdio(p, theirs);
    if (result < 0) {
        error_set(err, EXIT_RUN_FAILED, "cannot make the pipes to its process: %s", strerror(errno));
    } else {
        guard_start(n->host->guard, n->index, theirs);
        p->is_running = p->is_there = true;
    }
    for (int i = 0; i < 3; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    return result;
}

static void keep_tail(struct node *n)
{
    if (n->tail.len > NODE_TAIL)
        buffer_drop(&n->tail, n->tail.len - NODE_TAIL);
}

/* Takes some of it; whether there may be more. */
static bool read_log(struct process *p)
{
    struct node *n = p->node;
    p->log_has_news = false;
    if (p->log_fd < 0)
        return false;
    buffer_grow(&n->log, LOG_STEP);
    ssize_t got = read(p->log_fd, n->log.data + n->log.len, LOG_STEP);
    if (got > 0) {
        size_t kept = (size_t)got < NODE_TAIL ? (size_t)got : NODE_TAIL;
        buffer_add(&n->tail, n->log.data + n->log.len + ((size_t)got - kept), kept);
        keep_tail(n);
        n->log.len += (size_t)got;
        return true;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_log(p);
    }
    return false;
}

/* What it wrote last says why it failed. */
static void last_words(struct process *p)
{
    for (int i = 0; i < LAST_STEPS && read_log(p); i++)
        ;
}

static int start(struct node *n, struct error *err)
{
    struct process *p = n->state;
    if (p) {
        last_words(p); /* of the one before */
        close_all(p);
    } else {
        p = n->state = mem_alloc(sizeof *p);
    }
    *p = (struct process){ .node = n, .log_fd = -1 };
    n->tail.len = 0;
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
    if (n->gone || p->has_exited)
        node_ready(n); /* nothing will come any more that tells of it */
    return 0;
}

static void say_exit(const struct process *p, struct error *err)
{
    char when[64];
    channel_doing(&p->channel, when, sizeof when);
    if (WIFSIGNALED(p->status)) {
        const char *name = sigabbrev_np(WTERMSIG(p->status));
        if (name)
            error_set(err, EXIT_RUN_FAILED, "its process was ended by SIG%s %s", name, when);
        else
            error_set(err, EXIT_RUN_FAILED, "its process was ended by signal %d %s", WTERMSIG(p->status), when);
    } else {
        error_set(err, EXIT_RUN_FAILED, "its process ended with exit code %d %s", WEXITSTATUS(p->status), when);
    }
}

/* Whether the node has come to its end without being told to. */
static int judge(struct process *p, struct error *err)
{
    struct node *n = p->node;
    if (p->refused) {
        error_set(err, EXIT_RUN_FAILED, "cannot %s '%s': %s%s", p->refused_what, n->spec->command[0], strerror(p->refused),
                  p->refused == ENOEXEC ? "; a script needs a first line such as #!/bin/sh" : "");
        return -1;
    }
    if (p->is_wrong) {
        if (!channel_judge_stray(&p->channel, err))
            *err = p->gone;
        return -1;
    }
    if (p->has_exited) {
        say_exit(p, err);
        return -1;
    }
    if (!p->channel.eof_ns)
        return 0;
    if (p->is_running && clock_ns() < p->channel.eof_ns + LAST_WORDS_NS) { /* its exit says more */
        n->again_ns = p->channel.eof_ns + LAST_WORDS_NS;
        node_look(n, n->again_ns);
        return 0;
    }
    channel_say_closed(&p->channel, err);
    return -1;
}

static bool is_ended_from_outside(const struct process *p)
{
    int signal = p->has_exited && WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

/* The node has failed; or, where it has only gone wrong behind its answer, will have at its next grant. */
static int fail_or_wait(struct process *p, bool by_words, struct error *err)
{
    int64_t eof = p->channel.eof_ns, when = p->has_exited ? p->exit_ns : eof ? eof : clock_ns();
    last_words(p);
    if (is_ended_from_outside(p) || !channel_is_behind(&p->channel, when))
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
    if (p->log_has_news && read_log(p))
        note_log(p); /* there may be more */
    enum heard heard = channel_work(&p->channel, n->ending != END_NOT || n->gone, err);
    if (n->ending != END_NOT)
        return 0;
    if (heard == HEARD_ANSWER || heard == HEARD_ANSWER_AND_WRONG) {
        if (read_log(p))
            note_log(p); /* what it wrote before its answer is of this quantum */
        node_ready(n);   /* that it may have ended behind it is another matter */
    }
    if (heard == HEARD_WRONG || heard == HEARD_ANSWER_AND_WRONG)
        return fail_or_wait(p, true, err);
    return heard == HEARD_NOTHING && judge(p, err) < 0 ? fail_or_wait(p, p->is_wrong, err) : 0;
}

static void news(struct node *n, const struct guard_news *news)
{
    struct process *p = n->state;
    if (!p)
        return;
    switch (news->kind) {
    case GUARD_STARTED:
        n->pid = news->pid;
        break;
    case GUARD_REFUSED:
        p->is_running = p->is_there = false;
        n->pid = 0;
        p->refused = news->error;
        snprintf(p->refused_what, sizeof p->refused_what, "%s", news->name);
        break;
    case GUARD_EXITED:
        p->is_running = false;
        p->has_exited = true;
        p->status = news->status;
        p->exit_ns = clock_ns();
        n->pid = 0;
        if (n->ending != END_NOT) /* it has ended as it was told; whom it left in its group need not be waited for */
            guard_signal(n->host->guard, n->index, SIGTERM);
        break;
    case GUARD_GONE:
        p->is_running = p->is_there = false;
        n->pid = 0;
        break;
    default:
        break;
    }
}

static void late(struct node *n, struct error *err)
{
    struct process *p = n->state;
    last_words(p);
    channel_say_late(&p->channel, err);
}

static void end(struct node *n, enum ending how)
{
    struct process *p = n->state;
    struct guard *guard = n->host->guard;
    if (!p)
        return;
    if (how == END_ASK) {
        channel_shutdown(&p->channel);
        if (p->is_paused)
            guard_signal(guard, n->index, SIGCONT);
    } else if (how == END_INPUT || !p->is_there) {
        channel_close_out(&p->channel);
    } else {
        guard_signal(guard, n->index, how == END_TERM ? SIGTERM : SIGKILL);
        guard_signal(guard, n->index, SIGCONT); /* one that stands still ends too */
    }
    if (how == END_KILL || (!p->is_there && how != END_ASK))
        close_all(p);
    node_ready(n);
}

static void pause_process(struct node *n, bool paused)
{
    ((struct process *)n->state)->is_paused = paused;
    guard_signal(n->host->guard, n->index, paused ? SIGSTOP : SIGCONT);
}

static bool ended(const struct node *n)
{
    const struct process *p = n->state;
    if (!p)
        return true;
    return n->spec->command ? !p->is_there : p->channel.in_fd < 0;
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

/* Not of what it was made to end by. */
static bool last_word(const struct node *n, struct error *out)
{
    const struct process *p = n->state;
    if (!p || !p->has_exited || is_ended_from_outside(p) || (WIFEXITED(p->status) && !WEXITSTATUS(p->status)))
        return false;
    if (WIFEXITED(p->status))
        error_set(out, EXIT_RUN_FAILED, "its process ended with exit code %d, not 0", WEXITSTATUS(p->status));
    else
        error_set(out, EXIT_RUN_FAILED, "its process was ended by SIG%s", sigabbrev_np(WTERMSIG(p->status)));
    return true;
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
