/* The keys as they are for this person: those of the table, and what keys.yaml changes. */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include <stdbool.h>

#include "lockstep/settings.h"
#include "ui/keys.h"

#define KEYMAP_KEYS 4

struct keymap {
    struct keymap_row {
        uint32_t keys[KEYMAP_KEYS]; /* INPUT_NONE behind the last one */
        char names[60];             /* for bar and help, where the table has names for the row */
        bool own;                   /* told by keys.yaml */
    } * rows;                       /* as in key_table */
};

void keymap_init(struct keymap *m); /* as the table has it */
void keymap_free(struct keymap *m);
/* Gives actions the keys that the settings name; what does not do is told as warnings, and keeps the table's keys. */
void keymap_set(struct keymap *m, const struct settings *settings, struct problems *problems);
enum action keymap_action(const struct keymap *m, uint32_t key);
const char *keymap_names(const struct keymap *m, const struct binding *b); /* of a row of the table, or another */

#define KEYMAP_TEXT 320
/* A text in which {pause} stands for the key of that action: the first one, or :pause where it has none. With `format`
 * it is one for printf, and stays that. Where nothing stands so it is the text itself. */
const char *keymap_text(const struct keymap *m, const char *text, bool format, char buf[KEYMAP_TEXT]);

/* All names that keys.yaml may give keys to. */
struct action_word {
    enum action action;
    const char *name;
};
extern const struct action_word action_words[];
extern const size_t action_word_count;

/* "pause": what the action is called in keys.yaml; NULL: its keys are what they are. */
const char *action_name(enum action action);

#endif
