/* What a person has set for all runs: keys.yaml and theme.yaml. */
#ifndef UI_CONFIG_H
#define UI_CONFIG_H

#include "ui/keymap.h"
#include "ui/theme_user.h"

struct config {
    struct keymap keys;
    struct theme theme;
    struct problems problems; /* all of them warnings */
};

/* From the folder $LOCKSTEP_CONFIG; else, where `usual`, $XDG_CONFIG_HOME/lockstep or ~/.config/lockstep. */
void config_load(struct config *c, bool usual);
void config_free(struct config *c);

#endif
