/* Words for messages: what the reader may have meant, and texts cut to a length that a line can hold. */
#ifndef BASE_HINT_H
#define BASE_HINT_H

#include <stddef.h>

/* The nearest of the candidates seen so far. Start with { .word = what was written }. */
struct hint {
    const char *word;
    const char *best; /* NULL: nothing is near */
    int distance;
};

/* Compares with `candidate`; where that is the nearest so far, `meaning` is what is proposed. Where none is near, one
 * that begins with the word, or has it among its own, is. `meaning` is borrowed. */
void hint_consider(struct hint *h, const char *candidate, const char *meaning);

/* "; did you mean 'docker'?", or "" where nothing is near. For the argument list of one call. */
struct shown {
    char text[200];
};
struct shown hint_text(const struct hint *h);

/* The same for a long option, "--bach" or "--bach=1", that is none of getopt's table. */
struct option;
struct shown hint_option(const char *written, const struct option *longs);

/* A text for a message, cut with "…" where it is long. */
struct shown shown(const char *text);

#endif
