/* Field tables: what a map in a scenario may hold and where it goes. Reading, defaults, hints and the canonical text
 * all come from the same rows. */
#ifndef SCENARIO_SCHEMA_H
#define SCENARIO_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockstep/simtime.h"
#include "scenario/place.h"
#include "scenario/tree.h"

enum field_kind {
    F_TEXT,    /* char * */
    F_BOOL,    /* bool */
    F_INT,     /* int */
    F_SEED,    /* uint64_t, 0 … 2^63-1 */
    F_REAL,    /* double */
    F_TIME,    /* simtime; also read as NAME_us, NAME_ms, NAME_s and NAME_sec */
    F_SIZE,    /* int64_t, bytes */
    F_ENUM,    /* int; the index in choices */
    F_LIST,    /* string_list */
    F_COMMAND, /* string_list; one text is split as a shell splits words */
    F_HEALTH,  /* string_list; one text is for the container's shell */
    F_PAIRS,   /* struct string_map; a map or a list of KEY=VALUE */
    F_PORTS,   /* struct string_map; a list of HOST:CONTAINER or a map CONTAINER: HOST */
    F_VOLUMES, /* string_list; a list of HOST:CONTAINER[:MODE] or a map HOST: {bind, mode} */
    F_SECTION, /* a map with a table of its own, whose rows count from the same struct */
    F_KEPT     /* read by others; only known here */
};

/* Another word for a choice. */
struct synonym {
    const char *word;
    int value;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t at;                      /* offset in the struct */
    const char *aliases;            /* other names, with blanks between */
    const char *called;             /* what it may be called elsewhere, with blanks between: unknown, but hinted */
    const char *fallback;           /* as it would be written; NULL: what is there stays */
    const char *required;           /* an example to show where the field is missing; NULL: it may be missing */
    const char *const *choices;     /* ended by NULL; "" is a value without a word */
    const struct synonym *synonyms; /* ended by a NULL word */
    const struct table *section;
    double min, max; /* of numbers; both 0: not negative. min: also of times (us) and sizes */
    unsigned only;   /* set of `1 << implementation` that it has an effect for; 0: all */
    bool positive;   /* of times: more than 0 */
    bool is_path;    /* relative ones start at base_dir */
    const char *help;
};

#define TABLE_FIELDS 40 /* at most */

struct table {
    const struct field *fields;
    size_t count;
    bool open;                 /* unknown fields are no concern of the program's */
    const char *const *deeper; /* "config.interval", …: what may be written a level too high; NULL: nothing */
};

/* What reading needs. */
struct reader {
    struct problems *problems;
    struct arena *arena; /* holds what the structs point to */
    unsigned only;       /* `1 << implementation`; 0: rows for some implementations only are read too */
    const char *only_name;
};

/* Sets every row's fallback. */
void schema_defaults(const struct table *table, struct arena *arena, void *into);

/* Reads the map's values into the struct, which holds the defaults; tells every problem. Where an override gives a
 * field that the file gives under another name, the file's is dropped from the map. Rows without effect under
 * reader->only are not read, and the user is told once for the map. */
void schema_read(const struct reader *reader, const struct table *table, struct tree *map, const struct place *place,
                 void *into);

/* The row that a key names, NULL where there is none; *unit is what a plain number counts, in microseconds. */
const struct field *schema_row(const struct table *table, const char *key, simtime *unit);
/* The entry that gives a field, under whatever name; the override where there is one. */
struct tree_entry *schema_find(const struct table *table, const struct tree *map, const char *name);
/* The index of a word among a field's choices and synonyms, or -1. */
int schema_choice(const struct field *field, const char *word);

/* Reads one value as its row says; false with the problem told. `unit`: as schema_row gives it. */
bool field_read(const struct reader *reader, const struct field *field, const struct tree *value, simtime unit,
                const struct place *place, void *into);

#endif
