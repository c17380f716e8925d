/* The whole screen, drawn from the state of the front. */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "ui/app.h"
#include "ui/canvas.h"

/* Draws everything anew; notes the layout in the app, for the mouse. */
void screen_draw(struct app *app, struct canvas *c);

/* The parts. */
void header_draw(const struct view *v, const struct area *a);                        /* pane_header.c */
void status_draw(const struct app *app, const struct view *v, const struct area *a); /* pane_status.c */
int status_rows_wanted(const struct app *app, int columns);
void bar_draw(struct app *app, const struct area *a);

#endif
