/* The words of the language of conditions (condition.h): for who completes one that is being typed, and what one that
 * was taken may have been meant to say. */
#ifndef LOCKSTEP_CONDITION_WORDS_H
#define LOCKSTEP_CONDITION_WORDS_H

#include "lockstep/condition.h"

enum condition_place {
    CONDITION_AT_NOTHING, /* nothing that can be listed */
    CONDITION_AT_FIELD,
    CONDITION_AT_KEY, /* of a payload's member */
    CONDITION_AT_OPERATOR,
    CONDITION_AT_VALUE
};

/* Where the values of a field come from. */
enum condition_values {
    CONDITION_VALUES_NONE,  /* numbers and times */
    CONDITION_VALUES_WORDS, /* condition_word lists them */
    CONDITION_VALUES_NODES, /* ids of nodes */
    CONDITION_VALUES_SEEN   /* texts that the records have */
};

/* What the end of a text is to become. */
struct condition_spot {
    enum condition_place place;
    size_t from; /* the byte where its word begins, the end where it has not begun; of a key: of the key alone … */
    size_t path; /* … and where "payload" begins */
    const char *field; /* of OPERATOR and VALUE: its name in the language ("payload" for its members, too); else NULL */
    enum condition_values values; /* of VALUE */
};

/* For a condition that is typed up to byte `len`; also for a field with a condition, and for a breakpoint with words
 * before it. Any bytes will do. */
struct condition_spot condition_spot(const char *text, size_t len);

#define CONDITION_ANY (CONDITION_HISTORY | CONDITION_NODE | CONDITION_WALL) /* of breakpoints */

/* The words that may stand there, from 0; NULL behind the last one. Fields that need more than `needs` (of enum
 * condition_needs) are left out. One that ends in a dot or a parenthesis goes on right there. */
const char *condition_word(const struct condition_spot *spot, unsigned needs, int i);

/* Whether a text can stand in a condition without quotes; as a payload's key: with `is_key`. */
bool condition_is_word(const char *s, size_t len, bool is_key);

/* What a condition that is good as it stands was perhaps meant to say, in one line: `type == drop` asks for messages
 * that a node calls so, and not for drops. False: nothing. */
#define CONDITION_HINT 120
bool condition_hint(const struct condition *c, char out[CONDITION_HINT]);
bool condition_text_hint(const char *text, char out[CONDITION_HINT]); /* of its text; NULL is fine */

#endif
