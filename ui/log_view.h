/* The end of what a node wrote to stderr, as rows of a width. Everything in it is the node's: it is only ever drawn
 * escaped. */
#ifndef UI_LOG_VIEW_H
#define UI_LOG_VIEW_H

#include "ui/pane.h"

struct log_row {
    size_t from, len;             /* in the text; without the stamp */
    size_t stamp_from, stamp_len; /* the virtual time of its line; length 0 on the rows that a line goes on with */
    bool goes_on;                 /* its line began on a row above */
};

/* Starts as zeros. */
struct log_view {
    int node, width;
    bool stamps, is_read;
    uint64_t seen; /* what told that there is something new */
    int64_t read_ms;
    struct buffer text;
    struct log_row *rows;
    size_t count, capacity;
};

/* Whether the node may have written more than was read. */
bool log_view_is_old(const struct log_view *l, const struct view *v, int node);
/* Reads it anew where it is old, `most` bytes at most, and breaks it into rows. */
void log_view_fit(struct log_view *l, const struct view *v, int node, size_t most, const struct area *a, bool stamps);
/* The first row from `top` on where a line begins; `top` itself where none does among so many rows. */
uint64_t log_view_whole(const struct log_view *l, uint64_t top, int rows);
void log_view_draw(const struct log_view *l, const struct view *v, const struct area *a, uint64_t top);
/* The line that begins on a row, time and text; false behind the last one. */
bool log_view_row(const struct log_view *l, uint64_t row, struct table_row *out);
bool log_view_matches(const struct log_view *l, size_t row, const char *text);
void log_view_free(struct log_view *l);

#endif
