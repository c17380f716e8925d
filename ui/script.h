/* The front without a terminal: the steps of a file, drawn on a screen in memory. */
#ifndef UI_SCRIPT_H
#define UI_SCRIPT_H

#include "ui/ui.h"

/* Returns the exit code of the program. */
int script_run(const struct ui_options *options);

#endif
