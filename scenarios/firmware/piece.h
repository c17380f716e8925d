/* A piece of somebody else's text: bytes and how many, without a NUL. `at` is NULL where there is none. */
#ifndef FIRMWARE_PIECE_H
#define FIRMWARE_PIECE_H

#include <stddef.h>

struct piece {
    const char *at;
    size_t len;
};

#endif
