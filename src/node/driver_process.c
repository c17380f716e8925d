/* Nodes that are processes of their own, or servers that are there already: spoken to through pipes or a socket. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "lockstep/loop.h"
#include "node/guard.h"
#include "node/protocol.h"
#include "node/sockets.h"
#include "node/wire.h"

#define READ_MOST      (1u << 20)           /* bytes taken of a node's answer before others get their turn */
#define LOG_STEP       (64u << 10)          /* and of its log */
#define OUT_KEPT       (256u << 10)         /* a larger buffer is given back once it is sent */
#define RETRY_NS       INT64_C(1000000)     /* until the next try to connect, at first; then twice as long, up to … */
#define RETRY_MOST_NS  INT64_C(20000000)
#define LAST_STEPS     16 /* of its log, at most, before it is said to have failed */
#define LAST_WORDS_NS  INT64_C(2000000000)  /* how long the exit of a node that has closed its output is waited for */
#define BEHIND_NS      INT64_C(1000000000)  /* what comes so soon after an answer is of the node's own making */
#define LINE_SHOWN     40                   /* bytes of a line that has no end */

enum connection { CONNECTION_NONE, CONNECTION_TRYING, CONNECTION_OPEN };

struct process {
    struct node *node;
    struct protocol protocol;
    struct wire in;
    struct buffer out; /* not sent yet from `sent` on */
    size_t sent;
    int in_fd, out_fd, log_fd; /* -1: none; of a socket in_fd is out_fd */
    struct loop_watch *in_watch, *out_watch, *log_watch;
    bool log_has_news;
    bool is_paused;
    enum connection connection;
    int64_t retry_ns;
    int connect_error; /* errno of the last try */
    bool is_running;   /* its process was asked for, and has not exited */
    bool is_there;     /* … and somebody is in its group */
    bool has_exited;
    int status; /* of the exit */
    int64_t exit_ns, answered_ns; /* when that was known; when it answered last */
    unsigned answers; /* READY is one */
    struct error gone; /* n->gone is this, or NULL */
    bool is_wrong;     /* it is of what the node said, not of its end */
    int refused; /* errno: its command could not be run */
    char refused_what[GUARD_TEXT];
    int64_t eof_ns; /* when its output ended; 0: it has not */
};

static bool is_socket(const struct process *p)
{
    return p->node->spec->transport != TRANSPORT_STDIO;
}

static void note_ready(void *data)
{
    node_ready(((struct process *)data)->node);
}

static void note_log(void *data)
{
    struct process *p = data;
    p->log_has_news = true;
    node_ready(p->node);
}

static void close_fd(int *fd, struct loop_watch **watch)
{
    loop_unwatch(*watch);
    *watch = NULL;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_out(struct process *p)
{
    loop_unwatch(p->out_watch);
    p->out_watch = NULL;
    if (p->out_fd < 0)
        return;
    if (is_socket(p))
        shutdown(p->out_fd, SHUT_WR);
    else
        close(p->out_fd);
    p->out_fd = -1;
}

static void close_all(struct process *p)
{
    close_out(p);
    close_fd(&p->in_fd, &p->in_watch);
    close_fd(&p->log_fd, &p->log_watch);
    wire_free(&p->in);
    p->connection = CONNECTION_NONE;
}

static void forget_sent(struct process *p)
{
    p->sent = p->out.len = 0;
    if (p->out.capacity > OUT_KEPT)
        buffer_free(&p->out);
}

static void want_room(struct process *p, bool wanted)
{
    if (is_socket(p))
        loop_watch_for(p->in_watch, LOOP_READ | (wanted ? LOOP_WRITE : 0));
    else if (p->out_watch)
        loop_watch_for(p->out_watch, wanted ? LOOP_WRITE : 0);
    else if (wanted)
        p->out_watch = loop_watch(p->node->host->loop, p->out_fd, LOOP_WRITE, note_ready, p);
}

/* Sends what it takes now; the rest when there is room. That nobody reads any more is found out by reading. */
static void flush(struct process *p)
{
    if (p->connection != CONNECTION_OPEN || p->sent == p->out.len)
        return;
    while (p->out_fd >= 0 && p->sent < p->out.len) {
        ssize_t n = write(p->out_fd, p->out.data + p->sent, p->out.len - p->sent);
        if (n >= 0) {
            p->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            want_room(p, true);
            return;
        } else if (errno != EINTR) {
            close_out(p);
        }
    }
    if (p->out_fd >= 0)
        want_room(p, false);
    forget_sent(p);
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
    p->out_fd = in[1];
    if (pipe2(out, O_CLOEXEC) < 0)
        return -1;
    theirs[1] = out[1];
    p->in_fd = out[0];
    fcntl(p->out_fd, F_SETFL, O_NONBLOCK);
    fcntl(p->in_fd, F_SETFL, O_NONBLOCK);
    p->in_watch = loop_watch(p->node->host->loop, p->in_fd, LOOP_READ, note_ready, p);
    p->connection = CONNECTION_OPEN;
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

static int start(struct node *n, struct error *err)
{
    struct process *p = n->state;
    if (p) {
        wire_free(&p->in);
        buffer_free(&p->out);
    } else {
        p = n->state = mem_alloc(sizeof *p);
    }
    *p = (struct process){ .node = n, .in_fd = -1, .out_fd = -1, .log_fd = -1, .retry_ns = RETRY_NS };
    n->tail.len = 0;
    n->gone = NULL;
    protocol_init(&p->protocol, n, &p->out);
    if (launch(p, err) < 0) {
        close_all(p);
        return -1;
    }
    if (is_socket(p)) {
        p->connection = CONNECTION_TRYING;
        node_ready(n);
    }
    flush(p);
    return 0;
}

static int grant(struct node *n, simtime from, simtime until, struct error *err)
{
    struct process *p = n->state;
    (void)err; /* what is wrong is found when it is asked for its answer */
    protocol_advance(&p->protocol, n, from, until, &p->out);
    flush(p);
    if (n->gone || p->eof_ns || p->has_exited)
        node_ready(n); /* nothing will come any more that tells of it */
    return 0;
}

/* Goes on until the node accepts, or its time is over. */
static void try_to_connect(struct process *p)
{
    struct node *n = p->node;
    char path[200];
    if (p->in_fd < 0) {
        if (n->spec->transport == TRANSPORT_UNIX)
            socket_path(path, sizeof path, n->host->socket_dir, n->index);
        p->in_fd = n->spec->transport == TRANSPORT_UNIX ? socket_connect_path(path) : socket_connect_port(n->spec->port);
        if (p->in_fd >= 0)
            p->in_watch = loop_watch(n->host->loop, p->in_fd, LOOP_WRITE, note_ready, p);
    }
    int connected = p->in_fd >= 0 ? socket_connected(p->in_fd) : -1;
    if (connected > 0) {
        p->connection = CONNECTION_OPEN;
        p->out_fd = p->in_fd;
        loop_watch_for(p->in_watch, LOOP_READ);
        flush(p);
    } else if (connected < 0) {
        p->connect_error = errno;
        close_fd(&p->in_fd, &p->in_watch);
        n->again_ns = clock_ns() + p->retry_ns;
        node_look(n, n->again_ns);
        p->retry_ns = p->retry_ns * 2 < RETRY_MOST_NS ? p->retry_ns * 2 : RETRY_MOST_NS;
    }
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
        close_fd(&p->log_fd, &p->log_watch);
    }
    return false;
}

/* What it wrote last says why it failed. */
static void last_words(struct process *p)
{
    for (int i = 0; i < LAST_STEPS && read_log(p); i++)
        ;
}

/* Takes the lines that are whole. Returns -1 with *err set where the node has failed by them. */
static int take_lines(struct process *p, struct error *err)
{
    struct text line;
    int got;
    while ((got = wire_line(&p->in, &line, err)) > 0)
        if (protocol_take(&p->protocol, p->node, line, err) < 0)
            return -1;
    return got;
}

/* Reads what is there. Returns -1 with *err set where the node has failed by what it says. */
static int read_answer(struct process *p, struct error *err)
{
    struct node *n = p->node;
    bool heard = n->ending == END_NOT && !n->gone;
    size_t total = 0;
    while (p->in_fd >= 0 && total < READ_MOST) {
        size_t room;
        char *at = wire_room(&p->in, &room);
        ssize_t got = read(p->in_fd, at, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0) {
            p->eof_ns = clock_ns();
            if (is_socket(p))
                close_out(p);
            close_fd(&p->in_fd, &p->in_watch);
            return 0;
        }
        total += (size_t)got;
        if (n->spec->transport == TRANSPORT_TCP)
            socket_hurry(p->in_fd);
        if (!heard)
            continue; /* it is only kept from standing in a full pipe */
        wire_filled(&p->in, (size_t)got);
        if (take_lines(p, err) < 0)
            return -1;
        if ((size_t)got < room)
            return 0;
    }
    if (p->in_fd >= 0)
        node_ready(n);
    return 0;
}

/* What it was doing, for messages. */
static void doing(const struct process *p, char *out, size_t size)
{
    if (p->node->phase == NODE_STARTING)
        snprintf(out, size, "before it said READY");
    else if (p->node->phase == NODE_BUSY)
        snprintf(out, size, "before it had answered ADVANCE %lld", (long long)p->protocol.until);
    else
        snprintf(out, size, "after its answer to ADVANCE %lld", (long long)p->protocol.until);
}

static void say_closed(const struct process *p, struct error *err)
{
    char when[64];
    doing(p, when, sizeof when);
    error_set(err, EXIT_RUN_FAILED, "it closed its %s %s", is_socket(p) ? "connection" : "output", when);
}

static void say_exit(const struct process *p, struct error *err)
{
    char when[64];
    doing(p, when, sizeof when);
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
        *err = p->gone;
        return -1;
    }
    if (p->has_exited) {
        say_exit(p, err);
        return -1;
    }
    if (!p->eof_ns)
        return 0;
    if (p->is_running && clock_ns() < p->eof_ns + LAST_WORDS_NS) { /* its exit says more */
        n->again_ns = p->eof_ns + LAST_WORDS_NS;
        node_look(n, n->again_ns);
        return 0;
    }
    say_closed(p, err);
    return -1;
}

static bool is_ended_from_outside(const struct process *p)
{
    int signal = p->has_exited && WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

/* Whether a node that owes nothing went wrong right behind its answer. Whether that is known before its next grant or
 * after it is the machine's chance, so it counts from that grant on: the same barrier each time. */
static bool is_behind(const struct process *p)
{
    enum node_state phase = p->node->phase;
    int64_t when = p->has_exited ? p->exit_ns : p->eof_ns ? p->eof_ns : clock_ns();
    bool owes = p->protocol.expect != EXPECT_NOTHING || (phase != NODE_IDLE && phase != NODE_PAUSED && !p->node->answer.done);
    return !owes && when < p->answered_ns + BEHIND_NS && !is_ended_from_outside(p);
}

/* The node has failed, or will have at its next grant. */
static int fail_or_wait(struct process *p, bool by_words, struct error *err)
{
    last_words(p);
    if (!is_behind(p))
        return -1;
    p->gone = *err;
    p->node->gone = &p->gone;
    p->is_wrong |= by_words;
    return 0;
}

static int work(struct node *n, struct error *err)
{
    struct process *p = n->state;
    if (!p)
        return 0;
    bool awaited = p->protocol.expect != EXPECT_NOTHING;
    int result = 0;
    if (p->log_has_news && read_log(p))
        note_log(p); /* there may be more */
    if (p->connection == CONNECTION_TRYING && n->ending == END_NOT)
        try_to_connect(p);
    if (p->connection == CONNECTION_OPEN) {
        flush(p);
        result = read_answer(p, err);
    }
    if (n->ending != END_NOT)
        return 0;
    if (awaited && n->answer.done && p->protocol.expect == EXPECT_NOTHING) {
        p->answered_ns = clock_ns();
        p->answers++;
        if (read_log(p))
            note_log(p); /* what it wrote before its answer is of this quantum */
        node_ready(n);   /* that it may have ended behind it is another matter */
        return result < 0 ? fail_or_wait(p, true, err) : 0;
    }
    if (result < 0)
        return fail_or_wait(p, true, err);
    return judge(p, err) < 0 ? fail_or_wait(p, p->is_wrong, err) : 0;
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

/* What there is of an answer that is not whole, and what may be the reason. */
static void add_rest(const struct process *p, struct error *err)
{
    struct text rest = { p->in.data + p->in.start, wire_rest(&p->in) };
    struct buffer shown = { 0 };
    size_t used = strlen(err->text);
    char *at = err->text + used;
    size_t room = sizeof err->text - used;
    if (rest.len) {
        utf8_escape(&shown, rest.s, rest.len < LINE_SHOWN ? rest.len : LINE_SHOWN);
        snprintf(at, room, "; the line '%s%s' has no end (\\n)", buffer_string(&shown), rest.len > LINE_SHOWN ? "…" : "");
    } else if (p->protocol.expect == EXPECT_MESSAGES) {
        snprintf(at, room, "; DONE came, but not its second line, the messages ([] where there are none)");
    } else if (p->answers < 2) {
        snprintf(at, room, "; does it flush its output?");
    }
    buffer_free(&shown);
}

static void say_unconnected(const struct process *p, const char *time, struct error *err)
{
    const struct scenario_node *spec = p->node->spec;
    const char *why = strerror(p->connect_error);
    if (spec->transport == TRANSPORT_UNIX)
        error_set(err, EXIT_RUN_FAILED, "no connection to the Unix socket in LOCKSTEP_SOCKET within %s: %s", time, why);
    else
        error_set(err, EXIT_RUN_FAILED, "no connection to 127.0.0.1:%d within %s: %s%s", spec->port, time, why,
                  spec->command ? "; does it listen on the port in LOCKSTEP_PORT?" : "; is the server there?");
}

static void late(struct node *n, struct error *err)
{
    struct process *p = n->state;
    char time[40];
    bool starts = n->phase == NODE_STARTING;
    last_words(p);
    snprintf(time, sizeof time, "%g s", (double)(starts ? n->spec->timeout_start : n->spec->timeout_step) / 1e6);
    if (p->eof_ns) {
        say_closed(p, err);
    } else if (p->connection == CONNECTION_TRYING) {
        say_unconnected(p, time, err);
    } else {
        if (starts)
            error_set(err, EXIT_RUN_FAILED, "no READY within %s after INIT", time);
        else
            error_set(err, EXIT_RUN_FAILED, "no answer to ADVANCE %lld within %s", (long long)p->protocol.until, time);
        add_rest(p, err);
    }
}

static void end(struct node *n, enum ending how)
{
    struct process *p = n->state;
    struct guard *guard = n->host->guard;
    if (!p)
        return;
    if (how == END_ASK) {
        protocol_shutdown(&p->protocol, &p->out);
        flush(p);
        if (p->is_paused)
            guard_signal(guard, n->index, SIGCONT);
    } else if (how == END_INPUT || !p->is_there) {
        close_out(p);
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
    return n->spec->command ? !p->is_there : p->in_fd < 0;
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
    wire_free(&p->in);
    buffer_free(&p->out);
    free(p);
    n->state = NULL;
    n->gone = NULL;
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
    .queue = queue,
    .close = close_process,
};
