/* What streams need of http.c: a connection, made by libcurl, that somebody else speaks on. */
#ifndef NODE_HTTP_CONNECTION_H
#define NODE_HTTP_CONNECTION_H

#include "node/http.h"

/* Connects, with TLS where the peer has certificates. `connected` is called once: HTTP_ANSWERED, or why not. `dropped`
 * is called when the http is freed, which ends the connection. */
struct http_connection;
struct http_connection *http_connection_open(struct http *h, const struct http_peer *peer, const char *path,
                                             void (*connected)(void *data, enum http_failure failure,
                                                               const struct error *err),
                                             void (*dropped)(void *data), void *data);
int http_connection_fd(const struct http_connection *c); /* libcurl's; to be watched */
/* As http_stream_write and http_stream_read. */
ptrdiff_t http_connection_send(struct http_connection *c, const char *from, size_t len);
ptrdiff_t http_connection_receive(struct http_connection *c, char *to, size_t size);
const char *http_connection_words(const struct http_connection *c); /* why it is broken */
void http_connection_close(struct http_connection *c);              /* NULL is fine */

struct loop *http_loop(const struct http *h);

/* Errors in the words of all requests. Each returns the failure. */
enum http_failure http_say(const struct http_peer *p, enum http_failure failure, struct error *err, const char *why);
enum http_failure http_say_late(const struct http_peer *p, bool connected, int status, int after_ms, struct error *err);

#endif
