/* What theme.yaml changes of the colours and attributes of theme.h. */
#ifndef UI_THEME_USER_H
#define UI_THEME_USER_H

#include <stdbool.h>

#include "lockstep/settings.h"
#include "ui/theme.h"

/* Starts as zeros: then nothing is changed. */
struct theme {
    struct theme_change {
        bool has_color, has_attributes;
        int color;                              /* of 256, or THEME_DEFAULT */
        unsigned attributes;                    /* of enum attribute */
    } roles[ROLE_COUNT], grounds[GROUND_COUNT]; /* grounds have a colour only */
};

/* What does not do is told as warnings, and changes nothing. */
void theme_set(struct theme *t, const struct settings *settings, struct problems *problems);
/* As theme_look, with what `t` changes. */
struct look theme_look_of(const struct theme *t, enum role role, enum ground ground, int colors);

const char *theme_role_name(enum role role);
const char *theme_ground_name(enum ground ground); /* NULL: it cannot be changed */

#endif
