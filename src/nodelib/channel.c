#include "nodelib/channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lockstep/node.h"

#define READ_SIZE (64u << 10)

static int fail(struct buffer *why, const char *what)
{
    buffer_format(why, "%s: %s", what, strerror(errno));
    return -1;
}

/* Takes stdin and stdout away from the rest of the process: what is printed goes to stderr, where it harms nothing. */
static int open_stdio(struct channel *c, struct buffer *why)
{
    c->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    c->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (c->in < 0 || c->out < 0)
        return fail(why, "stdin and stdout cannot be used");
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return fail(why, "/dev/null cannot be used");
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0 && dup2(nothing, STDOUT_FILENO) < 0)
        return fail(why, "stdout cannot be moved");
    close(nothing);
    return 0;
}

/* Waits for one connection and takes no other. */
static int accept_one(struct channel *c, int listener, struct buffer *why)
{
    if (listen(listener, 1) < 0)
        return fail(why, "cannot listen");
    do
        c->in = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (c->in < 0 && (errno == EINTR || errno == ECONNABORTED));
    c->out = c->in;
    return c->in < 0 ? fail(why, "cannot take the connection") : 0;
}

static int open_tcp(struct channel *c, struct buffer *why)
{
    const char *text = getenv("LOCKSTEP_PORT");
    char *end = NULL;
    long port = text ? strtol(text, &end, 10) : 0;
    if (port < 1 || port > 65535 || *end) {
        buffer_format(why, "the environment's LOCKSTEP_PORT is to be a port, 1 to 65535, not '%s'", text ? text : "");
        return -1;
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    const char *host = getenv("LOCKSTEP_HOST"); /* in a container others cannot reach 127.0.0.1 */
    int result = 0;
    if (inet_pton(AF_INET, host ? host : "127.0.0.1", &at.sin_addr) != 1) {
        buffer_format(why, "the environment's LOCKSTEP_HOST is to be an IPv4 address, not '%s'", host);
        result = -1;
    } else if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(listener, (const struct sockaddr *)&at, sizeof at) < 0) {
        int error = errno;
        buffer_format(why, "cannot listen on port %ld of %s: %s", port, host ? host : "127.0.0.1", strerror(error));
        result = -1;
    } else {
        result = accept_one(c, listener, why);
    }
    if (listener >= 0)
        close(listener);
    if (result == 0) /* an answer goes out at once, not with the next one */
        setsockopt(c->out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return result;
}

static int open_unix(struct channel *c, struct buffer *why)
{
    const char *path = getenv("LOCKSTEP_SOCKET");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (!path || !*path || strlen(path) >= sizeof at.sun_path) {
        buffer_format(why, "the environment's LOCKSTEP_SOCKET is to be a path of at most %zu bytes, not '%s'",
                      sizeof at.sun_path - 1, path ? path : "");
        return -1;
    }
    strcpy(at.sun_path, path);
    unlink(path); /* of a run before that was killed */
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;
    if (listener < 0 || bind(listener, (const struct sockaddr *)&at, sizeof at) < 0) {
        int error = errno;
        buffer_format(why, "cannot listen on '%s': %s", path, strerror(error));
        result = -1;
    } else {
        result = accept_one(c, listener, why);
        unlink(path);
    }
    if (listener >= 0)
        close(listener);
    return result;
}

int channel_open(struct channel *c, struct buffer *why)
{
    *c = (struct channel){ .in = -1, .out = -1 };
    const char *transport = getenv("LOCKSTEP_TRANSPORT");
    if (!transport || !*transport || strcmp(transport, "stdio") == 0)
        return open_stdio(c, why);
    if (strcmp(transport, "tcp") == 0)
        return open_tcp(c, why);
    if (strcmp(transport, "unix") == 0)
        return open_unix(c, why);
    buffer_format(why, "the environment's LOCKSTEP_TRANSPORT is to be stdio, tcp or unix, not '%s'", transport);
    return -1;
}

static char *find_line(struct channel *c, size_t *len)
{
    char *first = c->received.data + c->taken;
    size_t there = c->received.len - c->taken;
    char *end = there > c->scanned ? memchr(first + c->scanned, '\n', there - c->scanned) : NULL;
    if (!end) {
        c->scanned = there;
        return NULL;
    }
    *len = (size_t)(end - first);
    c->taken += *len + 1;
    c->scanned = 0;
    *end = '\0';
    return first;
}

int channel_line(struct channel *c, char **line, size_t *len, struct buffer *why)
{
    for (;;) {
        *line = c->received.data ? find_line(c, len) : NULL;
        size_t rest = c->received.len - c->taken;
        if ((*line ? *len : rest) > LOCKSTEP_LINE_MAX) {
            buffer_format(why, "a line is longer than %u bytes", LOCKSTEP_LINE_MAX);
            return -1;
        }
        if (*line)
            return 1;
        if (c->taken)
            buffer_drop(&c->received, c->taken);
        c->taken = 0;
        buffer_grow(&c->received, READ_SIZE);
        ssize_t n = read(c->in, c->received.data + c->received.len, READ_SIZE);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return 0;
        if (n < 0 && errno != EINTR)
            return fail(why, "cannot read");
        c->received.len += n > 0 ? (size_t)n : 0;
    }
}

int channel_flush(struct channel *c, struct buffer *out)
{
    size_t at = 0;
    while (at < out->len) {
        ssize_t n = write(c->out, out->data + at, out->len - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    out->len = 0;
    return 0;
}

void channel_close(struct channel *c)
{
    if (c->out >= 0 && c->out != c->in)
        close(c->out);
    if (c->in >= 0)
        close(c->in);
    buffer_free(&c->received);
    c->in = c->out = -1;
}
