/* The way to lockstep: lines in, bytes out, over whichever transport the environment names. */
#ifndef NODELIB_CHANNEL_H
#define NODELIB_CHANNEL_H

#include "base/buffer.h"

struct channel {
    int in, out; /* the same one for sockets; -1: none */
    struct buffer received;
    size_t taken;   /* bytes of it that were handed out */
    size_t scanned; /* bytes behind those that hold no newline */
};

/* Opens it: for sockets, waits for lockstep to connect. Returns -1 with a reason in *why, which the caller frees. */
int channel_open(struct channel *c, struct buffer *why);
/* The next line without its newline, NUL-terminated and good until the next call. Returns 1; 0 at the end of input (of
 * what is no whole line then, nothing is said); -1 with a reason in *why. */
int channel_line(struct channel *c, char **line, size_t *len, struct buffer *why);
/* Writes all of `out` and empties it. Returns -1 where lockstep no longer listens. */
int channel_flush(struct channel *c, struct buffer *out);
void channel_close(struct channel *c);

#endif
