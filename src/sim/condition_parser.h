/* The parts of the conditions' parser that other expressions of the same language are made of. */
#ifndef SIM_CONDITION_PARSER_H
#define SIM_CONDITION_PARSER_H

#include "base/hint.h"
#include "sim/condition_tree.h"

struct parser {
    struct condition *c;
    struct condition_error *err;
    const char *at;
    char *word_end;    /* of c->words, as far as it is in use */
    const char *after; /* what a condition is expected behind; NULL: nothing yet */
    struct test **last_kept;
    int depth;
};

/* The text as `rule` reads it, to its end. NULL with *err set where it does not. */
struct condition *parser_run(const char *text, struct condition_error *err, struct test *(*rule)(struct parser *p));
/* Keeps the first that went wrong, with its column. Returns false. */
bool parser_fail(struct parser *p, const char *at, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);
bool parser_is_blank(char c);
bool parser_ends_word(char c); /* also the text's end */
void parser_blanks(struct parser *p);                /* over them */
bool parser_field(struct parser *p, struct test *t); /* a field, into a test */
struct test *parser_condition(struct parser *p);     /* a condition; NULL where there is none */
struct shown parser_shown(const char *at);           /* what stands at the place, for a message */

#endif
