#include "line.h"

enum line_event line_add(struct line *line, char byte)
{
    if (line->is_over) {
        line->is_over = line->is_too_long = false;
        line->len = 0;
    }
    if (byte == '\n' || byte == '\r') {
        line->is_over = true;
        return line->is_too_long ? LINE_TOO_LONG : line->len ? LINE_WHOLE : LINE_GOES_ON;
    }
    if (line->len == sizeof line->data)
        line->is_too_long = true;
    else
        line->data[line->len++] = byte;
    return LINE_GOES_ON;
}

struct piece line_piece(const struct line *line)
{
    return (struct piece){ line->data, line->len };
}
