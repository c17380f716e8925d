/* The one table of commands, and the prompt that takes them. */
#ifndef UI_COMMANDS_H
#define UI_COMMANDS_H

#include "ui/canvas.h"
#include "ui/command_line.h"
#include "ui/recall.h"

extern const struct command_table command_table;

/* Beside the editor, for prompts with completion. Starts as zeros. */
struct line_prompt {
    struct recall history; /* of commands */
    struct candidates candidates;
    bool listed; /* what fits is shown */
    char error[480];     /* where prompt_error points to */
};

void line_prompt_key(struct app *app, uint32_t key); /* of the command line and of an export's file */
/* Whether Tab completes what is typed now; goes on with it; and ends the list of what fits. */
bool line_prompt_completes(const struct app *app);
void line_prompt_complete(struct app *app);
void line_prompt_unlist(struct line_prompt *p);
void line_prompt_free(struct line_prompt *p);
/* Does what a line says. Returns false with *err told where it is refused. */
bool command_do(struct app *app, const char *line, struct command_error *err);

/* Above the status line: what Tab lists. `body`: the panes' part of the screen. */
void line_prompt_draw(const struct app *app, const struct area *body);
/* What the command that is being typed is for, instead of the key bar. Returns false where that is not known yet. */
bool line_prompt_bar(const struct app *app, const struct area *bar);

#endif
