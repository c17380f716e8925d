/* What a person does to messages in flight and to links: by keys, and by commands for whoever reads a line. */
#ifndef UI_FLIGHT_H
#define UI_FLIGHT_H

#include "ui/app.h"

#define FLIGHT_LINK_WORDS "latency loss"

/* A command with what stands behind its name. `run` gives it to the run, says in the message line what was done, and
 * returns NULL; or it returns why it was refused, which is good until the next one. */
struct flight_command {
    const char *name;
    const char *usage; /* of its arguments */
    const char *help;
    const char *(*run)(struct app *app, const char *args);
};
extern const struct flight_command flight_commands[];
extern const size_t flight_command_count;

/* Keys of the pane. False for others. */
bool flight_act_key(struct app *app, enum action action);
void flight_show(struct app *app); /* the selected message, whole */

/* Its questions on the status line. */
bool flight_is_prompt(enum prompt prompt);
void flight_format(const struct app *app, struct buffer *out);
const char *flight_accept(struct app *app); /* takes what was typed; returns what is wrong with it, or NULL */

#endif
