#include "node/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "node/sockets.h"

#define READ_MOST     (1u << 20)          /* bytes taken of a node's answer before others get their turn */
#define OUT_KEPT      (256u << 10)        /* a larger buffer is given back once it is sent */
#define RETRY_NS      INT64_C(1000000)    /* until the next try to connect, at first; then twice as long, up to … */
#define RETRY_MOST_NS INT64_C(20000000)
#define BEHIND_NS     INT64_C(1000000000) /* what comes so soon after an answer is of the node's own making */
#define LINE_SHOWN    40                  /* bytes of a line that has no end */

static void note_ready(void *data)
{
    node_ready(((struct channel *)data)->node);
}

static void close_in(struct channel *c)
{
    loop_unwatch(c->in_watch);
    c->in_watch = NULL;
    if (c->in_fd >= 0)
        close(c->in_fd);
    c->in_fd = -1;
}

void channel_close_out(struct channel *c)
{
    if (c->io && !c->out_ended)
        c->io->end(c->data);
    c->out_ended = true;
    loop_unwatch(c->out_watch);
    c->out_watch = NULL;
    if (c->out_fd < 0)
        return;
    if (c->is_socket)
        shutdown(c->out_fd, SHUT_WR);
    else
        close(c->out_fd);
    c->out_fd = -1;
}

void channel_close(struct channel *c)
{
    if (!c->io)
        channel_close_out(c);
    close_in(c);
    c->io = NULL;
    wire_free(&c->in);
    buffer_free(&c->stray);
    buffer_free(&c->out);
    c->sent = 0;
    c->connection = CONNECTION_NONE;
}

static void forget_sent(struct channel *c)
{
    c->sent = c->out.len = 0;
    if (c->out.capacity > OUT_KEPT)
        buffer_free(&c->out);
}

static void want_room(struct channel *c, bool wanted)
{
    if (c->io)
        c->io->want_room(c->data, wanted);
    else if (c->is_socket)
        loop_watch_for(c->in_watch, LOOP_READ | (wanted ? LOOP_WRITE : 0));
    else if (c->out_watch)
        loop_watch_for(c->out_watch, wanted ? LOOP_WRITE : 0);
    else if (wanted)
        c->out_watch = loop_watch(c->node->host->loop, c->out_fd, LOOP_WRITE, note_ready, c);
}

static bool takes_more(const struct channel *c)
{
    return c->io ? !c->out_ended : c->out_fd >= 0;
}

/* Sends what it takes now; the rest when there is room. That nobody reads any more is found out by reading. */
static void flush(struct channel *c)
{
    if (c->connection != CONNECTION_OPEN || c->sent == c->out.len)
        return;
    while (takes_more(c) && c->sent < c->out.len) {
        const char *from = c->out.data + c->sent;
        size_t len = c->out.len - c->sent;
        ssize_t n = c->io ? c->io->write(c->data, from, len) : write(c->out_fd, from, len);
        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            want_room(c, true);
            return;
        } else if (errno != EINTR) {
            channel_close_out(c);
        }
    }
    if (takes_more(c))
        want_room(c, false);
    forget_sent(c);
}

void channel_open(struct channel *c, struct node *n)
{
    *c = (struct channel){ .node = n, .in_fd = -1, .out_fd = -1, .retry_ns = RETRY_NS };
    protocol_init(&c->protocol, n, &c->out);
}

void channel_use(struct channel *c, int in_fd, int out_fd)
{
    c->in_fd = in_fd;
    c->out_fd = out_fd;
    c->in_watch = loop_watch(c->node->host->loop, in_fd, LOOP_READ, note_ready, c);
    c->connection = CONNECTION_OPEN;
    flush(c);
}

void channel_use_io(struct channel *c, const struct channel_io *io, void *data)
{
    c->io = io;
    c->data = data;
    c->connection = CONNECTION_OPEN;
    flush(c);
}

bool channel_is_open(const struct channel *c)
{
    return c->connection == CONNECTION_OPEN && (c->io ? !c->eof_ns : c->in_fd >= 0);
}

void channel_connect(struct channel *c, const struct channel_address *to)
{
    c->is_socket = true;
    c->port = to->port;
    c->is_relayed = to->is_relayed;
    snprintf(c->path, sizeof c->path, "%s", to->path ? to->path : "");
    snprintf(c->host, sizeof c->host, "%s", to->host ? to->host : "");
    c->connection = CONNECTION_TRYING;
    node_ready(c->node);
}

void channel_grant(struct channel *c, simtime from, simtime until)
{
    protocol_advance(&c->protocol, c->node, from, until, &c->out);
    flush(c);
    if (c->eof_ns)
        node_ready(c->node); /* nothing will come any more that tells of it */
}

void channel_shutdown(struct channel *c)
{
    protocol_shutdown(&c->protocol, &c->out);
    flush(c);
}

static void try_later(struct channel *c)
{
    struct node *n = c->node;
    close_in(c);
    c->connection = CONNECTION_TRYING;
    n->again_ns = clock_ns() + c->retry_ns;
    node_look(n, n->again_ns);
    c->retry_ns = c->retry_ns * 2 < RETRY_MOST_NS ? c->retry_ns * 2 : RETRY_MOST_NS;
}

/* Goes on until the node accepts, or its time is over. Returns -1 with *err set where it never will. */
static int try_to_connect(struct channel *c, struct error *err)
{
    struct node *n = c->node;
    if (c->in_fd < 0 &&
        (c->in_fd = *c->path ? socket_connect_path(c->path) : socket_connect_port(c->host, c->port)) >= 0)
        c->in_watch = loop_watch(n->host->loop, c->in_fd, LOOP_WRITE, note_ready, c);
    int connected = c->in_fd >= 0 ? socket_connected(c->in_fd) : -1;
    if (connected > 0) {
        c->connection = CONNECTION_OPEN;
        c->out_fd = c->in_fd;
        loop_watch_for(c->in_watch, LOOP_READ);
    } else if (connected < 0) {
        c->connect_error = errno;
        if (!*c->path && c->connect_error == EADDRNOTAVAIL) {
            close_in(c);
            c->connection = CONNECTION_NONE;
            error_set(err, EXIT_RUN_FAILED, "no connection to %s:%d: %s", c->host, c->port, strerror(c->connect_error));
            return -1;
        }
        try_later(c);
    }
    return 0;
}

/* Nobody listened behind the one that had accepted: from the beginning. */
static void connect_again(struct channel *c)
{
    c->connect_error = ECONNREFUSED;
    c->out_fd = -1;
    c->out.len = c->sent = 0;
    try_later(c);
    protocol_init(&c->protocol, c->node, &c->out);
}

/* Takes the lines that are whole. Returns -1 with *err set where the node has failed by them. */
static int take_lines(struct channel *c, struct error *err)
{
    struct text line;
    int got;
    while ((got = wire_line(&c->in, &line, err)) > 0) {
        if (c->protocol.expect == EXPECT_NOTHING) {
            c->stray.len = 0;
            buffer_add(&c->stray, line.s, line.len);
        }
        if (protocol_take(&c->protocol, c->node, line, err) < 0)
            return -1;
    }
    return got;
}

/* Reads what is there. Returns -1 with *err set where the node has failed by what it says. */
static int read_answer(struct channel *c, bool mute, struct error *err)
{
    size_t total = 0;
    while (channel_is_open(c) && total < READ_MOST) {
        size_t room;
        char *at = wire_room(&c->in, &room);
        ssize_t got = c->io ? c->io->read(c->data, at, room) : read(c->in_fd, at, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0 && c->is_relayed && !c->was_heard && c->node->ending == END_NOT) {
            connect_again(c);
            return 0;
        }
        if (got <= 0) {
            c->eof_ns = clock_ns();
            if (c->is_socket)
                channel_close_out(c);
            close_in(c);
            return 0;
        }
        total += (size_t)got;
        c->was_heard = true;
        if (c->is_socket && !*c->path)
            socket_hurry(c->in_fd);
        if (mute)
            continue;
        wire_filled(&c->in, (size_t)got);
        if (take_lines(c, err) < 0)
            return -1;
        if ((size_t)got < room && !c->io)
            return 0;
    }
    if (channel_is_open(c))
        node_ready(c->node);
    return 0;
}

enum heard channel_work(struct channel *c, bool mute, struct error *err)
{
    bool awaited = c->protocol.expect != EXPECT_NOTHING;
    if (c->connection == CONNECTION_TRYING && c->node->ending == END_NOT && try_to_connect(c, err) < 0)
        return HEARD_WRONG;
    if (c->connection != CONNECTION_OPEN)
        return HEARD_NOTHING;
    flush(c);
    bool wrong = read_answer(c, mute, err) < 0;
    if (!awaited || !c->node->answer.done || c->protocol.expect != EXPECT_NOTHING)
        return wrong ? HEARD_WRONG : HEARD_NOTHING;
    c->answered_ns = clock_ns();
    c->answers++;
    return wrong ? HEARD_ANSWER_AND_WRONG : HEARD_ANSWER;
}

bool channel_is_behind(const struct channel *c, int64_t when_ns)
{
    enum node_state phase = c->node->phase;
    bool rests = phase == NODE_IDLE || phase == NODE_PAUSED || c->node->answer.done;
    return rests && c->protocol.expect == EXPECT_NOTHING && when_ns < c->answered_ns + BEHIND_NS;
}

bool channel_judge_stray(struct channel *c, struct error *err)
{
    struct text line = { c->stray.data, c->stray.len };
    return c->stray.len && c->protocol.expect == EXPECT_DONE && protocol_take(&c->protocol, c->node, line, err) < 0;
}

void channel_doing(const struct channel *c, char *out, size_t size)
{
    if (c->node->phase == NODE_STARTING)
        snprintf(out, size, "before it said READY");
    else if (c->node->phase == NODE_BUSY)
        snprintf(out, size, "before it had answered ADVANCE %lld", (long long)c->protocol.until);
    else if (!c->protocol.until)
        snprintf(out, size, "after READY");
    else
        snprintf(out, size, "after its answer to ADVANCE %lld", (long long)c->protocol.until);
}

void channel_say_closed(const struct channel *c, struct error *err)
{
    char when[64];
    channel_doing(c, when, sizeof when);
    error_set(err, EXIT_RUN_FAILED, "it closed its %s %s", c->is_socket ? "connection" : "output", when);
}

/* What there is of an answer that is not whole, and what may be the reason. */
static void add_rest(const struct channel *c, struct error *err)
{
    size_t used = strlen(err->text), room = sizeof err->text - used, rest = wire_rest(&c->in);
    struct buffer shown = { 0 };
    if (rest) {
        utf8_escape(&shown, c->in.data + c->in.start, rest < LINE_SHOWN ? rest : LINE_SHOWN);
        snprintf(err->text + used, room, "; the line '%s%s' has no end (\\n)", buffer_string(&shown),
                 rest > LINE_SHOWN ? "…" : "");
    } else if (c->protocol.expect == EXPECT_MESSAGES) {
        snprintf(err->text + used, room,
                 "; DONE came, but not its second line, the messages ([] where there are none)");
    } else if (c->answers < 2) {
        snprintf(err->text + used, room, "; does it flush its output?");
    }
    buffer_free(&shown);
}

static void say_unconnected(const struct channel *c, const char *time, struct error *err)
{
    const struct scenario_node *spec = c->node->spec;
    const char *why = strerror(c->connect_error);
    if (*c->path)
        error_set(err, EXIT_RUN_FAILED, "no connection to the Unix socket in LOCKSTEP_SOCKET within %s: %s", time, why);
    else
        error_set(err, EXIT_RUN_FAILED, "no connection to %s:%d within %s: %s%s", c->host, c->port, time, why,
                  spec->command || spec->implementation == IMPLEMENTATION_DOCKER
                      ? "; does it listen on the port in LOCKSTEP_PORT?"
                      : "; is the server there?");
}

void channel_say_late(const struct channel *c, struct error *err)
{
    const struct node *n = c->node;
    char time[40];
    bool starts = n->phase == NODE_STARTING;
    snprintf(time, sizeof time, "%g s", (double)(starts ? n->spec->timeout_start : n->spec->timeout_step) / 1e6);
    if (c->eof_ns) {
        channel_say_closed(c, err);
    } else if (c->connection == CONNECTION_TRYING) {
        say_unconnected(c, time, err);
    } else {
        if (starts)
            error_set(err, EXIT_RUN_FAILED, "no READY within %s after INIT", time);
        else
            error_set(err, EXIT_RUN_FAILED, "no answer to ADVANCE %lld within %s", (long long)c->protocol.until, time);
        add_rest(c, err);
    }
}
