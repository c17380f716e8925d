/* The lines that were typed at a prompt, the latest last, kept in a file from run to run. */
#ifndef UI_RECALL_H
#define UI_RECALL_H

#include <stdbool.h>
#include <stddef.h>

#define RECALL_MOST 500

/* Starts as zeros: then it is kept in no file. */
struct recall {
    char *file; /* owned; NULL: none */
    char *lines[RECALL_MOST];
    size_t count;
    size_t at; /* the one that is shown; `count`: none */
    char *own; /* what was being typed before one was shown */
};

/* The file: $LOCKSTEP_HISTORY; else, where `usual`, $XDG_STATE_HOME/lockstep/history or
 * ~/.local/state/lockstep/history. One that is not there, or cannot be read, is as an empty one. */
void recall_open(struct recall *h, bool usual);
void recall_free(struct recall *h);
/* Adds a line, unless it is empty or the last one again; and writes the file, whole or not at all: lines that another
 * program has added since are kept. What cannot be written is not told. */
void recall_add(struct recall *h, const char *line);
/* The line before or behind the one that is shown, or NULL where there is none. `typed`: what stands at the prompt. */
const char *recall_move(struct recall *h, bool back, const char *typed);
void recall_rest(struct recall *h); /* nothing is shown any more */

#endif
