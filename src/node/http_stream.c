#include "node/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "node/http_connection.h"
#include "node/http_head.h"

#define REFUSAL_MAX (64u << 10) /* bytes of a body that comes instead of a stream */
#define READ_HEAD   (16u << 10)

struct http_stream {
    const struct http_peer *peer;
    struct http_connection *connection; /* NULL: given up */
    struct loop *loop;
    int limit_ms;
    void (*ready)(void *data);
    void *data;
    enum http_stream_state state;
    struct http_answer answer;
    struct buffer out; /* the request, not sent yet from `sent` on */
    size_t sent;
    struct buffer in; /* the head and what came right behind it, not read yet from `taken` on */
    size_t taken;
    struct http_head head;
    bool has_head;
    bool ended; /* the other side has ended what it sends */
    struct loop_watch *watch;
    unsigned events;
    struct loop_timer *timer; /* the limit until it is open; then: there is more that the socket does not tell of */
};

static void free_stream(struct http_stream *s)
{
    loop_timer_free(s->timer);
    buffer_free(&s->answer.body);
    buffer_free(&s->out);
    buffer_free(&s->in);
    free(s);
}

/* The state has changed for good, or to open; the connection of one that is not open is given up. */
static void settle(struct http_stream *s, enum http_stream_state state)
{
    s->state = state;
    loop_timer_set(s->timer, -1);
    if (state == HTTP_STREAM_OPEN)
        return;
    loop_unwatch(s->watch);
    s->watch = NULL;
    http_connection_close(s->connection);
    s->connection = NULL;
}

static void fail(struct http_stream *s, enum http_failure failure, const char *why)
{
    if (s->state == HTTP_STREAM_FAILED)
        return;
    s->answer.failure = http_say(s->peer, failure, &s->answer.error, why);
    settle(s, HTTP_STREAM_FAILED);
}

/* Sends what is left of the request. */
static void send_request(struct http_stream *s)
{
    while (s->state == HTTP_STREAM_OPENING && s->sent < s->out.len) {
        ptrdiff_t n = http_connection_send(s->connection, s->out.data + s->sent, s->out.len - s->sent);
        if (n == 0)
            break;
        if (n > 0)
            s->sent += (size_t)n;
        else
            s->sent = s->out.len; /* the engine may have said no and gone: what it said can still be read */
    }
    if (s->state == HTTP_STREAM_OPENING)
        loop_watch_for(s->watch, LOOP_READ | (s->sent < s->out.len ? LOOP_WRITE : 0u));
}

/* Acts on the head, and on the body of a refusal, as far as they are there. */
static void look_at_answer(struct http_stream *s)
{
    const char *why;
    int got = s->has_head ? 1 : http_head_parse(&s->head, s->in.data, s->in.len, &why);
    if (got < 0) {
        struct buffer text = { 0 };
        buffer_format(&text, "what answered there is no container engine: %s", why);
        fail(s, HTTP_WRONG, buffer_string(&text));
        buffer_free(&text);
    }
    if (got == 0 && s->ended)
        fail(s, HTTP_BROKEN, s->in.len ? "the connection ended within the answer's head"
                                       : "the engine closed the connection without an answer");
    if (got <= 0)
        return;
    s->has_head = true;
    s->answer.status = s->head.status;
    s->taken = s->head.len;
    bool raw = s->head.status == 200 && s->head.length < 0 && !s->head.chunked; /* engines before Upgrade was known */
    if (s->head.status == 101 || raw) {
        settle(s, HTTP_STREAM_OPEN);
        return;
    }
    if (s->head.status < 300) {
        fail(s, HTTP_WRONG, "the engine answered with a document where a stream was asked for");
        return;
    }
    got = http_head_body(&s->head, s->in.data + s->taken, s->in.len - s->taken, s->ended, &s->answer.body);
    if (got < 0)
        fail(s, HTTP_BROKEN, "the engine refuses, and what it says about that does not come to its end");
    else if (got > 0)
        settle(s, HTTP_STREAM_REFUSED);
    else if (s->in.len - s->taken > REFUSAL_MAX)
        fail(s, HTTP_WRONG, "the engine refuses, and what it says about that is larger than 64 KiB");
}

static void read_answer(struct http_stream *s)
{
    while (s->state == HTTP_STREAM_OPENING) {
        buffer_grow(&s->in, READ_HEAD);
        ptrdiff_t n = http_connection_receive(s->connection, s->in.data + s->in.len, READ_HEAD);
        if (n == 0)
            return;
        if (n > 0)
            s->in.len += (size_t)n;
        s->ended = n < 0;
        look_at_answer(s);
    }
}

/* Once it is open: there may be more than the socket tells of, in libcurl, in TLS, behind the head. */
static void look_again(struct http_stream *s)
{
    if (s->events & LOOP_READ)
        loop_timer_set(s->timer, 0);
}

/* For what is wanted; an end would be told for ever. */
static void watch(struct http_stream *s)
{
    loop_watch_for(s->watch, s->ended ? s->events & ~(unsigned)LOOP_READ : s->events);
}

static void stream_ready(void *data)
{
    struct http_stream *s = data;
    if (s->state == HTTP_STREAM_OPENING) {
        send_request(s);
        read_answer(s);
        if (s->state == HTTP_STREAM_OPENING) {
            return;
        }
        if (s->state == HTTP_STREAM_OPEN) {
            watch(s);
            look_again(s);
        }
    } else if (s->watch) {
        watch(s); /* an error may have stopped it */
    }
    s->ready(s->data);
}

static void stream_time(void *data)
{
    struct http_stream *s = data;
    if (s->state == HTTP_STREAM_OPENING) {
        s->answer.failure = http_say_late(s->peer, s->watch != NULL, s->answer.status, s->limit_ms, &s->answer.error);
        settle(s, HTTP_STREAM_FAILED);
    }
    s->ready(s->data);
}

static void stream_connected(void *data, enum http_failure failure, const struct error *err)
{
    struct http_stream *s = data;
    if (failure) {
        s->answer.failure = failure;
        s->answer.error = *err;
        settle(s, HTTP_STREAM_FAILED);
        s->ready(s->data);
        return;
    }
    s->watch = loop_watch(s->loop, http_connection_fd(s->connection), LOOP_READ, stream_ready, s);
    send_request(s);
}

/* The http is freed before its stream. */
static void stream_dropped(void *data)
{
    struct http_stream *s = data;
    s->connection = NULL;
    http_stream_close(s);
}

static void write_request(struct http_stream *s, const struct http_request *r)
{
    const struct http_peer *p = r->peer;
    buffer_format(&s->out, "POST %s HTTP/1.1\r\n", r->path);
    if (p->socket)
        buffer_text(&s->out, "Host: localhost\r\n");
    else
        buffer_format(&s->out, "Host: %s:%d\r\n", p->host, p->port);
    buffer_format(&s->out, "User-Agent: lockstep/%s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n",
                  LOCKSTEP_VERSION, r->body ? r->body_len : 0);
    if (r->body && r->content_type)
        buffer_format(&s->out, "Content-Type: %s\r\n", r->content_type);
    buffer_text(&s->out, "\r\n");
    buffer_add(&s->out, r->body, r->body ? r->body_len : 0);
}

struct http_stream *http_stream_open(struct http *h, const struct http_request *r, void (*ready)(void *data))
{
    struct http_stream *s = mem_alloc(sizeof *s);
    *s = (struct http_stream){ .peer = r->peer, .loop = http_loop(h), .limit_ms = r->limit_ms, .ready = ready,
                               .data = r->data, .events = LOOP_READ };
    write_request(s, r);
    s->timer = loop_timer(s->loop, stream_time, s);
    loop_timer_set(s->timer, r->limit_ms ? r->limit_ms : -1);
    s->connection = http_connection_open(h, r->peer, r->path, stream_connected, stream_dropped, s);
    return s;
}

enum http_stream_state http_stream_state(const struct http_stream *s)
{
    return s->state;
}

struct http_answer *http_stream_answer(struct http_stream *s)
{
    return &s->answer;
}

void http_stream_watch(struct http_stream *s, unsigned events)
{
    s->events = events;
    if (s->state != HTTP_STREAM_OPEN)
        return;
    watch(s);
    loop_timer_set(s->timer, -1);
    look_again(s);
}

static ptrdiff_t read_early(struct http_stream *s, char *to, size_t size)
{
    size_t n = s->in.len - s->taken;
    n = n < size ? n : size;
    memcpy(to, s->in.data + s->taken, n);
    s->taken += n;
    if (s->taken == s->in.len) {
        buffer_free(&s->in);
        s->taken = 0;
    }
    return (ptrdiff_t)n;
}

ptrdiff_t http_stream_read(struct http_stream *s, char *to, size_t size)
{
    ptrdiff_t n;
    if (s->state != HTTP_STREAM_OPEN)
        return s->state == HTTP_STREAM_OPENING ? 0 : HTTP_STREAM_BROKEN;
    if (s->taken < s->in.len) {
        look_again(s);
        return read_early(s, to, size);
    }
    if (s->ended)
        return HTTP_STREAM_END;
    n = http_connection_receive(s->connection, to, size);
    if (n > 0) {
        look_again(s);
        return n;
    }
    loop_timer_set(s->timer, -1);
    if (n == HTTP_STREAM_BROKEN)
        fail(s, HTTP_BROKEN, http_connection_words(s->connection));
    if (n != HTTP_STREAM_END)
        return n;
    s->ended = true;
    watch(s);
    return HTTP_STREAM_END;
}

ptrdiff_t http_stream_write(struct http_stream *s, const char *from, size_t len)
{
    if (s->state != HTTP_STREAM_OPEN)
        return s->state == HTTP_STREAM_OPENING ? 0 : HTTP_STREAM_BROKEN;
    return http_connection_send(s->connection, from, len);
}

void http_stream_end(struct http_stream *s)
{
    if (s->state == HTTP_STREAM_OPEN)
        shutdown(http_connection_fd(s->connection), SHUT_WR);
}

void http_stream_close(struct http_stream *s)
{
    if (!s)
        return;
    loop_unwatch(s->watch); /* before libcurl closes what it watches */
    http_connection_close(s->connection);
    free_stream(s);
}
