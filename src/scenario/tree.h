/* YAML as a tree of values that know their places. The parser behind it is the only user of libyaml.
 *
 * A tree lives in an arena. Aliases share values, so a tree is never larger than its text; what it would be with every
 * alias written out is counted and limited. A shared value must not be changed: tree_copy first. */
#ifndef SCENARIO_TREE_H
#define SCENARIO_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "lockstep/error.h"

#define TREE_DEPTH  64          /* lists and maps inside each other */
#define TREE_VALUES 1000000     /* aliases counted as often as they are used */
#define TREE_BYTES  (64u << 20) /* of text, counted likewise */

enum tree_kind { TREE_NULL, TREE_BOOL, TREE_NUMBER, TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree_entry {
    struct tree *key; /* a scalar */
    struct tree *value;
    bool raised;  /* stood at the top of the file, one level above */
    bool set;     /* came from an override */
    bool asked;   /* the path of an override names it */
    bool dropped; /* lost to an override: as if it were not there */
};

struct tree {
    enum tree_kind kind;
    struct mark mark;
    const char *text; /* scalars: without quotes and escapes, NUL-terminated; may hold NULs */
    size_t len;
    const char *number; /* numbers: as JSON writes them; NULL: infinite or not a number */
    bool truth;
    size_t count;               /* of items or entries */
    struct tree **items;        /* lists */
    struct tree_entry *entries; /* maps; lists that were a map of named items keep them, else NULL */
    size_t values, bytes;       /* with aliases written out, itself included */
    int height;                 /* 0: scalar */
};

/* Reads one YAML document; text[len] must be NUL. Every problem found goes to *problems; NULL where there is no tree.
 * `file` is borrowed by all marks. */
struct tree *tree_parse(const char *text, size_t len, const char *file, struct arena *arena, struct problems *problems);

struct tree *tree_scalar(struct arena *arena, struct mark mark, const char *text,
                         size_t len); /* resolved as if plain */
struct tree *tree_text(struct arena *arena, struct mark mark, const char *text, size_t len);
struct tree *tree_map(struct arena *arena, struct mark mark); /* empty */
/* A copy whose items or entries can be changed; what they point to stays shared. */
struct tree *tree_copy(struct arena *arena, const struct tree *t);
struct tree_entry *tree_add(struct arena *arena, struct tree *map, struct tree *key, struct tree *value);

/* The entry of a key, NULL where there is none; the last one counts. */
struct tree_entry *tree_find(const struct tree *map, const char *key);
struct tree *tree_get(const struct tree *map, const char *key); /* its value, NULL where there is none or it is null */

bool tree_is(const struct tree *t, const char *text);     /* a scalar that reads so */
const char *tree_kind_name(const struct tree *t);         /* "a list", "a number", … */
void tree_json(struct buffer *out, const struct tree *t); /* one line; every number must be finite */

#endif
