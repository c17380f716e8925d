/* Renode's External Control port: binary requests and replies, in little-endian order. Knows no descriptor.
 *
 * Seen of Renode 1.16.1 and 1.15.3: the port says nothing on connect. Each request has one reply; events may come
 * before it. Some breaches end the connection without a reply, and after a fatal one the port is closed for good. While
 * a RunFor lasts nothing comes; where the processor has crashed, nothing ever. */
#ifndef NODE_EXTERNAL_CONTROL_H
#define NODE_EXTERNAL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define EXTERNAL_CONTROL_MAX  (64u << 10) /* bytes of a text or of data in a reply */
#define EXTERNAL_CONTROL_TEXT 4096u       /* bytes of a text that are kept */

enum external_control_command { EXTERNAL_CONTROL_RUN_FOR = 1, EXTERNAL_CONTROL_GET_TIME = 2 };

enum external_control_kind {
    EXTERNAL_CONTROL_NONE,
    EXTERNAL_CONTROL_ACCEPTED,      /* the handshake */
    EXTERNAL_CONTROL_DONE,          /* `command` is done: the time of a RunFor has passed */
    EXTERNAL_CONTROL_TIME,          /* GetTime's: `time` */
    EXTERNAL_CONTROL_FAILED,        /* `command` has failed; `text` says why */
    EXTERNAL_CONTROL_FATAL,         /* the connection is of no use any more; `text` says why */
    EXTERNAL_CONTROL_NOT_ACTIVATED, /* `command` was not in the handshake */
    EXTERNAL_CONTROL_VIOLATION      /* what came is no reply; `text` says what it is */
};

/* Zero-initialise for each connection; the owner calls external_control_free. */
struct external_control {
    enum external_control_kind kind; /* of the last reply */
    int command;                     /* as it came; 0 where the kind has none */
    uint64_t time;                   /* virtual, in microseconds */
    struct buffer text;              /* one line, safe to show, NUL-terminated */
    uint64_t events;                 /* that were passed over */
    /* For external_control.c alone: */
    unsigned char head[10]; /* of the reply that is being read */
    unsigned head_len;
    uint32_t left; /* bytes of its text or data that have not come */
    bool in_body;
    struct buffer body;
};

/* Each appends one request. The handshake asks for RunFor and GetTime alone: versions refuse what they do not know. */
void external_control_handshake(struct buffer *out);
void external_control_run_for(struct buffer *out, uint64_t microseconds);
void external_control_get_time(struct buffer *out);

/* Takes bytes, cut anywhere, up to the end of one reply: *used of them. Returns 1 where a reply is there, 0 where all
 * bytes are taken and more must come, -1 at a violation, and ever after. */
int external_control_feed(struct external_control *e, const char *bytes, size_t len, size_t *used);
void external_control_free(struct external_control *e);

#endif
