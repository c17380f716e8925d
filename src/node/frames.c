#include "node/frames.h"

#include <string.h>

static uint32_t length(const unsigned char *h)
{
    return (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
}

static int check(const unsigned char *h, struct error *err)
{
    if (h[0] <= FRAMES_ERRORS && !h[1] && !h[2] && !h[3])
        return 0;
    error_set(err, EXIT_RUN_FAILED,
              "what came from the engine is no frame of a container's output (it begins with %02x %02x %02x %02x %02x "
              "%02x %02x %02x); does the container have a terminal?",
              h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]);
    return -1;
}

int frames_take(struct frames *f, const char *s, size_t len,
                void (*piece)(void *data, enum frames_stream stream, const char *s, size_t len), void *data,
                struct error *err)
{
    while (len) {
        size_t n = f->left ? f->left : sizeof f->header - f->header_len;
        if (n > len)
            n = len;
        if (f->left) {
            piece(data, (enum frames_stream)f->header[0], s, n);
            f->left -= (uint32_t)n;
        } else {
            memcpy(f->header + f->header_len, s, n);
            f->header_len += (unsigned)n;
            if (f->header_len == sizeof f->header) {
                if (check(f->header, err) < 0)
                    return -1;
                f->header_len = 0;
                f->left = length(f->header);
            }
        }
        s += n;
        len -= n;
    }
    return 0;
}
