#include "node/tcp_client.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/sockets.h"

#define RETRY_NS INT64_C(10000000)
#define AGAIN_NS INT64_C(100000000)

static void note_ready(void *data)
{
    node_ready(((struct tcp_client *)data)->node);
}

static void close_socket(struct tcp_client *c)
{
    loop_unwatch(c->watch);
    c->watch = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->is_open = false;
}

void tcp_client_open(struct tcp_client *c, struct node *n, int port)
{
    if (c->node)
        tcp_client_close(c);
    *c = (struct tcp_client){ .node = n, .port = port, .fd = -1 };
    node_ready(n);
}

static void look_again(struct tcp_client *c, int64_t in_ns)
{
    c->next_ns = clock_ns() + in_ns;
    c->node->again_ns = c->next_ns;
    node_look(c->node, c->next_ns);
}

void tcp_client_again(struct tcp_client *c)
{
    close_socket(c);
    look_again(c, AGAIN_NS);
}

static void go_on_connecting(struct tcp_client *c)
{
    struct node *n = c->node;
    if (c->fd < 0 && clock_ns() < c->next_ns)
        return;
    if (c->fd < 0 && (c->fd = socket_connect_port("127.0.0.1", c->port)) >= 0)
        c->watch = loop_watch(n->host->loop, c->fd, LOOP_WRITE, note_ready, c);
    int connected = c->fd >= 0 ? socket_connected(c->fd) : -1;
    if (connected > 0) {
        c->is_open = true;
        loop_watch_for(c->watch, LOOP_READ);
    } else if (connected < 0) {
        c->connect_error = errno;
        close_socket(c);
        look_again(c, RETRY_NS);
    }
}

void tcp_client_send(struct tcp_client *c)
{
    while (c->is_open && c->sent < c->out.len) {
        ssize_t n = write(c->fd, c->out.data + c->sent, c->out.len - c->sent);
        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            loop_watch_for(c->watch, LOOP_READ | LOOP_WRITE);
            return;
        } else if (errno != EINTR) {
            break; /* reading tells the end */
        }
    }
    if (!c->is_open)
        return;
    loop_watch_for(c->watch, LOOP_READ);
    c->sent = c->out.len = 0;
}

void tcp_client_work(struct tcp_client *c)
{
    if (c->node && !c->is_open && !c->has_ended && c->node->ending == END_NOT)
        go_on_connecting(c);
    if (c->sent < c->out.len)
        tcp_client_send(c);
}

ssize_t tcp_client_read(struct tcp_client *c, char *to, size_t room)
{
    if (!c->is_open)
        return c->has_ended ? -1 : 0;
    ssize_t got;
    do
        got = read(c->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        socket_hurry(c->fd);
        return got;
    }
    if (got < 0 && errno == EAGAIN)
        return 0;
    c->has_ended = true;
    close_socket(c);
    return -1;
}

void tcp_client_close(struct tcp_client *c)
{
    if (!c->node)
        return;
    close_socket(c);
    buffer_free(&c->out);
    *c = (struct tcp_client){ .fd = -1 };
}
