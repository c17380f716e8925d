/* The `:` command line: one table of commands drives reading a line, completing it, the list in the help and the man
 * page. Knows nothing of the screen; the table itself is in commands.c. */
#ifndef UI_COMMAND_LINE_H
#define UI_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "lockstep/scenario.h"
#include "ui/keys.h"

#define COMMAND_ARGUMENTS 4

enum argument_kind {
    ARGUMENT_NONE,
    ARGUMENT_NODE,    /* the id of a node */
    ARGUMENT_TIME,    /* "2.5s", or from here: "+1s", "-1s" */
    ARGUMENT_COUNT,   /* a whole number above 0 */
    ARGUMENT_NUMBER,  /* 0 or more */
    ARGUMENT_WORD,    /* one of `words` */
    ARGUMENT_COMMAND, /* the name of a command */
    /* From here on the rest of the line: */
    ARGUMENT_FILE,      /* completed as the name of a file */
    ARGUMENT_CONDITION, /* completed as a condition */
    ARGUMENT_MESSAGE,   /* begins with the number of a message in flight */
    ARGUMENT_ROUTE,     /* begins with the ids of two nodes; `words` may follow */
    ARGUMENT_TEXT       /* any */
};

struct argument_form {
    enum argument_kind kind;
    const char *name;  /* in usage lines: "NODE", "T" */
    bool optional;     /* and then all behind it are */
    const char *words; /* of ARGUMENT_WORD and ARGUMENT_ROUTE, with blanks between them; NULL: none */
    unsigned needs;    /* of ARGUMENT_CONDITION: of enum condition_needs, what it may ask for */
    bool is_break;     /* of ARGUMENT_CONDITION: a breakpoint's words may stand before it */
};

struct command_call;
struct command_error;
struct app;

/* A command. It either does what a key's action does, or has a function of its own. */
struct command_row {
    const char *name;
    const char *aliases; /* with blanks between them; NULL: none */
    struct argument_form arguments[COMMAND_ARGUMENTS];
    const char *help;   /* a line, without a full stop */
    enum action action; /* where `run` is NULL */
    /* Returns false with *err told where an argument does not do; what the run does not take now is said by
     * app_say. */
    bool (*run)(struct app *app, const struct command_call *call, struct command_error *err);
};

struct command_table {
    const struct command_row *rows;
    size_t count;
};

/* An argument as it was read. */
struct command_value {
    const char *text; /* of the whole rest of the line for TEXT and FILE, else of the word; in `call` */
    size_t column;    /* where it stands, in characters from 1 */
    int node;         /* NODE */
    int word;         /* WORD: which of them */
    simtime time;     /* TIME */
    bool relative;    /* TIME: began with + or - */
    uint64_t count;   /* COUNT */
    double number;    /* NUMBER */
};

#define COMMAND_LINE_MAX 4096 /* bytes, NUL included */

struct command_call {
    const struct command_row *row;
    int count; /* of arguments that were given */
    struct command_value values[COMMAND_ARGUMENTS];
    char text[COMMAND_LINE_MAX]; /* that the values point into */
};

struct command_error {
    size_t column; /* in characters, from 1 */
    char text[400];
};

/* Says what is wrong where. Returns false, for `return`. */
bool command_refuse(struct command_error *err, size_t column, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);

/* Reads a line, with or without its ':'. An empty one gives a call without a row. `scenario` may be NULL: no nodes are
 * known then. Returns false with *err told. */
bool command_parse(const struct command_table *t, const struct scenario *scenario, const char *line,
                   struct command_call *call, struct command_error *err);

/* The command whose name the line begins with, once that is written out; else NULL. */
const struct command_row *command_of_line(const struct command_table *t, const char *line);
const struct command_row *command_find(const struct command_table *t, const char *name);

/* What a line may go on with: whole words, sorted as they are to be shown. */
struct candidates {
    char **items; /* owned, as their array */
    size_t count, capacity;
    size_t from;                    /* the byte of the line from which on the word is replaced */
    size_t common;                  /* bytes that all have in common */
    const char *behind;             /* follows the item where it is the only one; NULL: that is not known */
    const struct argument_form *of; /* the argument that they are of; NULL: none */
};
#define CANDIDATES_MOST 1000

/* For the word that ends at byte `cursor` of the line. Of a condition, and of what begins with a message or a route,
 * `from` and `of` only. */
void command_complete(const struct command_table *t, const struct scenario *scenario, const char *line, size_t cursor,
                      struct candidates *out);
/* For the word that ends at byte `cursor` of a text that begins with two nodes. */
void candidates_route(const struct scenario *scenario, const char *words, const char *text, size_t cursor,
                      struct candidates *out);
void candidates_file(const char *word, struct candidates *out); /* names of files; `out->from` is left alone */
void candidates_free(struct candidates *c);
/* Takes an item where it begins as the word does; in the end finds what all have in common. */
void candidates_consider(struct candidates *c, const char *word, size_t word_len, const char *item);
void candidates_done(struct candidates *c, bool sorted);

/* "step [N]"; "until T". */
void command_usage(const struct command_row *row, struct buffer *out);
/* The table as the man page has it: an mdoc list. */
void command_manual(const struct command_table *t, struct buffer *out);

#endif
