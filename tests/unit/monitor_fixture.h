/* For the tests of the monitor: what Renode says on a connection, whole and in pieces. */
#ifndef TESTS_UNIT_MONITOR_FIXTURE_H
#define TESTS_UNIT_MONITOR_FIXTURE_H

#include "check.h"

#include "node/monitor.h"

#define CONNECT "\xff\xfd\x00\xff\xfb\x01\xff\xfb\x03\xff\xfc\""
#define BANNER  "Renode, version 1.16.1 (d66b0c2a-202611221045)\n\r\n\r(monitor) "

/* A connection: what is asked on it, and what comes. */
struct talk {
    struct monitor m;
    struct buffer out, stream;
};

static inline void talk_end(struct talk *t)
{
    monitor_free(&t->m);
    buffer_free(&t->out);
    buffer_free(&t->stream);
}

enum cut { WHOLE, BYTES, RANDOM, CUTS };

static inline size_t cut_length(enum cut cut, size_t left, uint64_t *random)
{
    size_t n = cut == WHOLE ? left : cut == BYTES ? 1 : test_random(random) % (test_random(random) % 40 + 1) + 1;
    return n < left ? n : left;
}

/* Feeds it all, each piece in a block of its own. Returns the last result that was not 0; a reply is only told once. */
static inline int feed(struct monitor *m, const struct buffer *stream, enum cut cut, uint64_t *random)
{
    int result = 0;
    for (size_t at = 0, n; at < stream->len; at += n) {
        n = cut_length(cut, stream->len - at, random);
        char *piece = malloc(n);
        memcpy(piece, stream->data + at, n);
        int now = monitor_feed(m, piece, n);
        free(piece);
        assert_true(!result || now <= 0);
        result = now ? now : result;
    }
    return result;
}

static inline void add_sync(struct buffer *stream, uint64_t serial, const char *prompt)
{
    buffer_format(stream, "echo \"lockstep-%llu\"\n\rlockstep-%llu\r\r\n%s", (unsigned long long)serial,
                  (unsigned long long)serial, prompt);
}

/* What a new connection brings up to the first echo, for a first client. */
static inline void add_begin(struct buffer *stream)
{
    buffer_add(stream, CONNECT, sizeof CONNECT - 1);
    buffer_text(stream, BANNER "\n\r(monitor) ");
    add_sync(stream, 1, "(monitor) ");
}

#endif
