#include "node/docker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define READ_STEP (64u << 10)  /* bytes at a time */
#define READ_MOST (256u << 10) /* bytes taken for a log before others get their turn */

static void note_ready(void *data)
{
    node_ready(((struct stream *)data)->docker->node);
}

void stream_open(struct stream *s, struct docker *d, bool talks, const char *path, const char *body)
{
    *s = (struct stream){ .docker = d, .talks = talks };
    buffer_format(&s->path, "%s%s", d->engine->api, path);
    buffer_text(&s->body, body);
    s->http = http_stream_open(engines_http(d->engine->all),
                               &(struct http_request){ .peer = &d->engine->peer,
                                                       .path = buffer_string(&s->path),
                                                       .body = s->body.len ? s->body.data : NULL,
                                                       .body_len = s->body.len,
                                                       .content_type = "application/json",
                                                       .limit_ms = 30000,
                                                       .data = s },
                               note_ready);
}

int stream_is_open(struct stream *s, const char *what, struct error *err)
{
    char words[700];
    switch (http_stream_state(s->http)) {
    case HTTP_STREAM_OPENING:
        return 0;
    case HTTP_STREAM_OPEN:
        return 1;
    case HTTP_STREAM_REFUSED:
        engine_words(http_stream_answer(s->http), words, sizeof words);
        error_set(err, EXIT_RUN_FAILED, "%s: %s", what, words);
        return -1;
    case HTTP_STREAM_FAILED:
        error_set(err, EXIT_RUN_FAILED, "%s: %s", what, http_stream_answer(s->http)->error.text);
        return -1;
    }
    return -1;
}

static void keep_first(struct docker *d, const char *text, size_t len)
{
    size_t used = strlen(d->exec_said), room = sizeof d->exec_said - 1 - used, n = len < room ? len : room;
    memcpy(d->exec_said + used, text, n);
    d->exec_said[used + n] = '\0';
}

static void take_piece(void *data, enum frames_stream stream, const char *text, size_t len)
{
    struct stream *s = data;
    struct node *n = s->docker->node;
    if (s == &s->docker->exec && !s->docker->channel.answers)
        keep_first(s->docker, text, len);
    if (stream == FRAMES_OUTPUT && s->talks) {
        if (!s->is_over)
            buffer_add(&s->in, text, len);
        return;
    }
    buffer_add(&n->log, text, len);
    node_keep_tail(n, text, len);
}

/* Takes a piece of what it says. Returns whether there was one. */
static bool read_piece(struct stream *s)
{
    char piece[READ_STEP];
    if (!s->http || s->ended || http_stream_state(s->http) != HTTP_STREAM_OPEN)
        return false;
    ptrdiff_t got = http_stream_read(s->http, piece, sizeof piece);
    if (got > 0 && frames_take(&s->frames, piece, (size_t)got, take_piece, s, &s->broken) < 0)
        s->ended = true;
    if (got < 0)
        s->ended = true;
    return got > 0;
}

void stream_drain(struct stream *s)
{
    size_t pieces = 0;
    if (s->talks && !s->is_over)
        return;
    while (read_piece(s) && ++pieces < READ_MOST / READ_STEP)
        ;
    if (pieces == READ_MOST / READ_STEP)
        note_ready(s);
}

void stream_hear_out(struct stream *s)
{
    if (!s->is_over && s->http)
        http_stream_watch(s->http, LOOP_READ);
    s->is_over = true;
    buffer_free(&s->in);
    s->taken = 0;
    stream_drain(s);
}

bool stream_is_silent(const struct stream *s)
{
    return !s->http || s->ended || http_stream_state(s->http) != HTTP_STREAM_OPEN;
}

void stream_close(struct stream *s)
{
    http_stream_close(s->http);
    buffer_free(&s->path);
    buffer_free(&s->body);
    buffer_free(&s->in);
    *s = (struct stream){ .docker = s->docker, .ended = true };
}

/* --- What the channel does with it --- */

static ssize_t talk_read(void *data, char *to, size_t room)
{
    struct stream *s = data;
    while (s->taken == s->in.len) {
        s->taken = s->in.len = 0;
        if (!read_piece(s)) {
            errno = EAGAIN;
            return s->ended ? 0 : -1;
        }
    }
    size_t len = s->in.len - s->taken < room ? s->in.len - s->taken : room;
    memcpy(to, s->in.data + s->taken, len);
    s->taken += len;
    return (ssize_t)len;
}

static ssize_t talk_write(void *data, const char *from, size_t len)
{
    struct stream *s = data;
    ptrdiff_t taken = http_stream_write(s->http, from, len);
    errno = taken == 0 ? EAGAIN : EPIPE;
    return taken > 0 ? taken : -1;
}

static void talk_want_room(void *data, bool wanted)
{
    struct stream *s = data;
    http_stream_watch(s->http, LOOP_READ | (wanted ? LOOP_WRITE : 0u));
}

static void talk_end(void *data)
{
    http_stream_end(((struct stream *)data)->http);
}

void stream_talk(struct stream *s)
{
    static const struct channel_io io = {
        .read = talk_read, .write = talk_write, .want_room = talk_want_room, .end = talk_end
    };
    channel_use_io(&s->docker->channel, &io, s);
}
