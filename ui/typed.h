/* The bytes that a terminal sends become keys and mouse events, however they are cut on their way: a line may hold back
 * the rest of a sequence for as long as it likes, and no part of one must act as keys. Apart from any terminal: the
 * caller reads, and says what time it is (ms, of a clock that never goes back). */
#ifndef UI_TYPED_H
#define UI_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "ui/input.h"

#define TYPED_ROOM      1024
#define TYPED_SEQUENCES 40

#define TYPED_ESCAPE_MS 50   /* an ESC with nothing behind it for so long is the key … */
#define TYPED_REST_MS   1000 /* … but what follows may still be its rest; what was begun is waited for so long */
#define TYPED_PASTE_MS  5000 /* a paste is over when nothing has come for so long: its end may be lost */

/* Begins as zero. */
struct typed {
    unsigned char bytes[TYPED_ROOM]; /* that have come and are no key yet */
    size_t len;
    int64_t came_ms; /* the last of them */
    bool escaped;    /* the last key was an ESC with nothing behind it … */
    int64_t escaped_ms;
    bool is_paste;     /* what comes now, up to the terminal's word that it ends */
    bool is_rest;      /* … and the ESC in front of `bytes` is that one, put back */
    mbstate_t partial; /* the character whose first bytes have come */
    struct {
        const char *bytes;
        uint32_t key;
    } sequences[TYPED_SEQUENCES]; /* of this terminal */
    int sequence_count;
};

/* What this terminal sends for a key (borrowed); left alone where it is NULL or a single character. */
void typed_learn(struct typed *t, const char *sequence, uint32_t key);
/* The same for each key that the database of terminals has a name for: "kcuu1", "kf12". `sequence_of` returns what the
 * terminal sends for it (borrowed by *t), or NULL. */
void typed_learn_keys(struct typed *t, const char *(*sequence_of)(const char *name));
/* Where `size` further bytes may be put, which typed_came() then takes. */
unsigned char *typed_room(struct typed *t, size_t *size);
void typed_came(struct typed *t, size_t count, int64_t ms);
/* The next key, or one of INPUT_CLICK, INPUT_WHEEL_UP, INPUT_WHEEL_DOWN with its place. `ms`: when it was last looked
 * for further bytes, at the latest. Returns false where more must come, or time pass. */
bool typed_next(struct typed *t, int64_t ms, struct input *in);
/* How long until typed_next() is worth being asked, though nothing comes; -1: for ever. */
int typed_wait(const struct typed *t, int64_t ms);

#endif
