/* The last messages of one node, and its other records, the latest first: each by when it came to the node. They are
 * found in slices. */
#ifndef UI_LAST_MESSAGES_H
#define UI_LAST_MESSAGES_H

#include "ui/pane.h"

struct last_messages;
struct last_messages *last_messages_new(void);
void last_messages_free(struct last_messages *m);

/* Looks on. Returns whether there is more to look at; *changed is set where there is something new to draw. */
bool last_messages_work(struct last_messages *m, const struct view *v, int node, bool *changed);
/* How many there are; 0 of another node than was looked at last. */
int last_messages_count(const struct last_messages *m, int node);
/* Why there are none yet, where that is not because there were none; NULL: it is. */
const char *last_messages_missing(const struct last_messages *m, int node);
/* Draws the ith, or makes a row of a table of it: time, kind, source, destination, type, payload, text. */
void last_messages_draw(const struct last_messages *m, const struct view *v, const struct area *a, int y, int i);
void last_messages_export(const struct last_messages *m, const struct view *v, int i, struct table_row *row);

#endif
