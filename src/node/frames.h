/* The two outputs of a container without a terminal, as an engine sends them over one connection: frames of a header of
 * 8 bytes (1 or 2 for output or error output, three zero bytes, the length in big-endian order) and that many bytes. */
#ifndef NODE_FRAMES_H
#define NODE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "lockstep/error.h"

enum frames_stream { FRAMES_INPUT, FRAMES_OUTPUT, FRAMES_ERRORS }; /* input: what some engines echo */

/* Keeps nothing of the data but its place in it. Zero-initialise. */
struct frames {
    unsigned char header[8];
    unsigned header_len; /* bytes of the header that have come */
    uint32_t left;       /* bytes of the frame that have not come */
};

/* Takes a piece, cut anywhere, and hands out what is in it in order, in pieces that point into it: a frame may come in
 * several, one without data in none. Returns -1 with *err set at a header that cannot be; the stream is of no use after
 * that. */
int frames_take(struct frames *f, const char *s, size_t len,
                void (*piece)(void *data, enum frames_stream stream, const char *s, size_t len), void *data,
                struct error *err);

/* Whether the stream may end here: not within a frame. */
static inline bool frames_whole(const struct frames *f)
{
    return !f->header_len && !f->left;
}

#endif
