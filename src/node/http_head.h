/* The head of an HTTP/1.1 response, and its body where that is short: for the one request whose connection becomes a
 * raw stream behind it. Pure; no connection. */
#ifndef NODE_HTTP_HEAD_H
#define NODE_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define HTTP_HEAD_MAX (64u << 10) /* bytes, with those of interim responses */

struct http_head {
    int status;
    size_t len;     /* bytes, with the empty line */
    int64_t length; /* Content-Length; -1: none */
    bool chunked;
};

/* What there is of one at the beginning of s: 1 all of it, 0 not yet, -1 none: *why says so (static text). Interim
 * responses (1xx but 101) before it are counted in its length. */
int http_head_parse(struct http_head *h, const char *s, size_t len, const char **why);

/* The body that begins at s, its chunks put together, appended to *out: 1 where it is whole, 0 not yet (nothing is
 * appended), -1 where it cannot be. `ended`: no more will come. */
int http_head_body(const struct http_head *h, const char *s, size_t len, bool ended, struct buffer *out);

#endif
