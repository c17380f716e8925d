/* Requests to container engines and the raw streams that come of some: HTTP/1.1 over Unix sockets, TCP and TLS, all at
 * once on the main loop, without ever waiting. The only user of libcurl.
 *
 * All callbacks come during loop_wait. Those named `piece` and `ready` only note facts: they call nothing of this file.
 * `done` may send and cancel requests and open and close streams, but not http_free.
 *
 * After a fork the child makes an http of its own, on a loop of its own, after its fork. Of its parent's http and loop
 * it uses nothing, not even http_free or loop_free: both would speak for the parent on connections that are shared (TLS
 * says goodbye, epoll forgets). It closes their descriptors, and that is all. Fork before the first request to a host
 * by name: names are looked up in a thread, which a fork may meet while it holds a lock. */
#ifndef NODE_HTTP_H
#define NODE_HTTP_H

#include "base/buffer.h"
#include "lockstep/error.h"
#include "lockstep/loop.h"
#include "node/http_peer.h"

#define HTTP_ANSWER_MAX (16u << 20) /* bytes of a body, where a request says nothing else */
#define HTTP_CONNECT_MS 10000       /* for the connection alone, TLS included */
#define HTTP_IP_TEXT    46
#define HTTP_HEADER_TEXT 40

struct http;
struct http *http_new(struct loop *l, struct error *err); /* NULL with *err set: libcurl is not fit for use */
void http_free(struct http *h); /* drops requests and streams under way, without a word; NULL is fine */

/* Why there is no answer. */
enum http_failure {
    HTTP_ANSWERED,
    HTTP_UNREACHABLE, /* nothing was sent: nobody listens, permission denied, TLS does not come about */
    HTTP_LATE,        /* the limit has passed; what was asked may have been done */
    HTTP_BROKEN,      /* the connection ended too early; what was asked may have been done */
    HTTP_WRONG,       /* what came is no HTTP/1.1, or more than is allowed */
};

struct http_answer {
    enum http_failure failure;
    int status;         /* whatever the engine says is an answer: 200, 404, 500 */
    struct buffer body; /* what no `piece` has had; who wants to keep it takes it out */
    char header[HTTP_HEADER_TEXT]; /* the value of the one that was asked for, cut short; "" */
    char ip[HTTP_IP_TEXT]; /* the address that has answered, by its number; "" over a Unix socket */
    struct error error;    /* unless HTTP_ANSWERED: "ADDRESS: why; what to do" */
};

/* All is borrowed until `done` has been called, or the request cancelled. */
struct http_request {
    const struct http_peer *peer;
    const char *method;
    const char *path; /* with query, percent-encoded: http_escape */
    const char *body; /* NULL: none */
    size_t body_len;
    const char *content_type; /* of the body */
    int limit_ms;             /* for all of it; 0: none */
    size_t answer_max;        /* 0: HTTP_ANSWER_MAX; what `piece` gets is not counted */
    const char *header;       /* the name of one whose value is wanted; NULL: none */
    /* NULL, or: gets the body of a 2xx answer as it comes, instead of the answer. */
    void (*piece)(void *data, const char *s, size_t len);
    /* Called once, after which the request is gone; never within http_send. */
    void (*done)(void *data, struct http_answer *answer);
    void *data;
};

/* Only GET and HEAD use a connection that is open already: it may have died unnoticed, and then the request is sent
 * again, which nothing else must be. */
struct http_call;
struct http_call *http_send(struct http *h, const struct http_request *r);
void http_cancel(struct http_call *c); /* before `done`, which is then not called; NULL is fine */

/* Appends s so that it can be a part of a path, or a value of a query. */
void http_escape(struct buffer *out, const char *s);

/* A stream: a POST whose connection is the container's from then on (attach, exec start). */
enum http_stream_state {
    HTTP_STREAM_OPENING,
    HTTP_STREAM_OPEN,
    HTTP_STREAM_REFUSED, /* the engine said no: status and body */
    HTTP_STREAM_FAILED   /* the failure and its error */
};
struct http_stream;

/* Of the request: peer, which it needs until it is closed; path, body and content_type, which it copies; limit_ms,
 * until it is open; data, for `ready`. That is called when the state has changed and then when there is something to
 * read, or room to write where that is wanted. */
struct http_stream *http_stream_open(struct http *h, const struct http_request *r, void (*ready)(void *data));
enum http_stream_state http_stream_state(const struct http_stream *s);
/* What came instead of a stream, or why an open one has broken; of no use in the other states. */
struct http_answer *http_stream_answer(struct http_stream *s);

/* What `ready` is called for: a set of loop_events, LOOP_READ at first. */
void http_stream_watch(struct http_stream *s, unsigned events);

#define HTTP_STREAM_END    (-1) /* the other side sends no more */
#define HTTP_STREAM_BROKEN (-2) /* the state is HTTP_STREAM_FAILED */
/* Bytes read, at least 1; or 0: none are there now; or one of the above. Who stops before 0 is called again. */
ptrdiff_t http_stream_read(struct http_stream *s, char *to, size_t size);
/* Bytes taken; 0: there is no room now; HTTP_STREAM_BROKEN: nobody reads any more, what came before can
 * still be read. */
ptrdiff_t http_stream_write(struct http_stream *s, const char *from, size_t len);
/* Nothing more will be written; what is taken already arrives. Over TLS the other side sees an end without a goodbye,
 * which engines take for the end, too (libcurl has no other). */
void http_stream_end(struct http_stream *s);
void http_stream_close(struct http_stream *s); /* NULL is fine */

#endif
