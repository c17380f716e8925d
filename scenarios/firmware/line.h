/* Bytes become lines. A line that is longer than the room for it is left out whole, however long it is. */
#ifndef FIRMWARE_LINE_H
#define FIRMWARE_LINE_H

#include <stdbool.h>

#include "piece.h"

#define LINE_MAX_LENGTH 1024

enum line_event {
    LINE_GOES_ON, /* nothing yet */
    LINE_WHOLE,   /* line_piece is a line, until the next byte is added */
    LINE_TOO_LONG /* the end of a line that was left out */
};

/* Zeroed at the start. */
struct line {
    char data[LINE_MAX_LENGTH];
    size_t len;
    bool is_over, is_too_long;
};

/* A line ends with \n or \r; empty ones are not told. */
enum line_event line_add(struct line *line, char byte);
struct piece line_piece(const struct line *line);

#endif
