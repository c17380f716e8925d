/* Settings of a person: a file of YAML that is a flat map, a name and words on each line. */
#ifndef LOCKSTEP_SETTINGS_H
#define LOCKSTEP_SETTINGS_H

#include "lockstep/error.h"

struct setting {
    const char *name;
    struct mark at, value_at; /* of the name, of its words */
    const char **words;       /* of a list its items; of a text what stands between its blanks */
    size_t count;
};

struct settings {
    struct setting *items; /* in the order of the file */
    size_t count;
    void *memory;
};

#define SETTINGS_MAX_BYTES (1u << 20) /* a larger file is refused */

/* Reads a file. What is wrong with it is added to *problems, as warnings: the rest is there all the same. Without a
 * file there are no settings, and that is no problem. Marks and words are good until settings_free. */
struct settings settings_load(const char *file, struct problems *problems);
void settings_free(struct settings *s);

#endif
