/* What can go wrong, said so that the reader can act: one failure (struct error), or all problems of a file
 * (struct problems). */
#ifndef LOCKSTEP_ERROR_H
#define LOCKSTEP_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__GNUC__)
#define LOCKSTEP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define LOCKSTEP_PRINTF(fmt, args)
#endif

/* The exit codes of the program. An abort by a signal is 128 + its number. */
enum exit_code { EXIT_FINISHED = 0, EXIT_RUN_FAILED = 1, EXIT_USAGE = 2, EXIT_INVALID = 3, EXIT_LAUNCH = 4 };

/* One failure. Zero-initialise it; `code` is 0 while nothing has failed. */
struct error {
    int code;        /* enum exit_code, or 128 + a signal */
    char text[1000]; /* one line without its newline; cut at a character where it is longer */
};

/* As `{ 0 }`, without touching all of it: for places that are passed millions of times. */
static inline void error_clear(struct error *e)
{
    e->code = 0;
    e->text[0] = '\0';
}

/* Says what failed; a failure that is already there is kept (the first cause counts). */
void error_set(struct error *e, int code, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);
/* Puts "WHAT: " before the text, on the way up. */
void error_add(struct error *e, const char *fmt, ...) LOCKSTEP_PRINTF(2, 3);

/* A place in a file. The file's name is borrowed. Line and column count from 1; line 0: the file as a whole. */
struct mark {
    const char *file;
    int line, column;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* One problem of a scenario: where, which field, what is wrong and what to do. Owns its strings. */
struct problem {
    enum severity severity;
    char *file;
    int line, column; /* from 1; 0: the file as a whole */
    char *path;       /* "nodes[1].implementation"; "" for the file as a whole */
    char *text;
};

/* All problems that were found, in the order of their places once sorted. Zero-initialise it. */
struct problems {
    struct problem *items;
    size_t count, capacity;
    size_t errors, warnings; /* all that were found, those beyond PROBLEMS_KEPT too */
};

#define PROBLEMS_KEPT 1000 /* more are counted, not kept */

void problems_add(struct problems *list, enum severity severity, struct mark at, const char *path, const char *fmt, ...)
    LOCKSTEP_PRINTF(5, 6);
/* By file, line and column; equal places keep their order. */
void problems_sort(struct problems *list);
/* Its path; "" where its file is an option that names it: "--set simulation.seed". */
const char *problem_path(const struct problem *p);
/* One line without newline: "FILE:LINE:COLUMN: PATH: TEXT", warnings with "warning: " before the path. Control
 * characters are escaped. Returns the length that the whole line has, as snprintf does. */
int problem_format(const struct problem *p, char *buf, size_t size);
/* Every problem as a line, then a line that says how many more there were, if any. */
void problems_print(const struct problems *list, FILE *to);
void problems_clear(struct problems *list);

#endif
