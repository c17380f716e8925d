/* The terminal: shows a canvas, reads keys and the mouse, and is as it was before once it is closed, also after a
 * crash. There is one; it is open from term_open to term_close. */
#ifndef UI_TERM_H
#define UI_TERM_H

#include <stdbool.h>

#include "lockstep/error.h"
#include "ui/canvas.h"
#include "ui/input.h"
#include "ui/theme_user.h"

/* Returns -1 with *err set where there is no terminal to draw on. */
int term_open(bool color, bool ascii, struct error *err);
void term_use_theme(const struct theme *theme); /* borrowed; NULL: none */
void term_close(void);

int term_fd(void);                       /* to wait on for input */
enum charset term_charset(void);         /* what its locale and font can show */
void term_size(int *columns, int *rows); /* asked anew */
void term_show(const struct canvas *c);  /* sends what changed since the last call */
void term_redraw(void);                  /* the next term_show draws everything */
/* The next key, without waiting for one. Returns false when there is none. */
bool term_key(struct input *in);
/* How many ms until term_key() is worth being called though no input comes, as an ESC may be the begin of more; -1: for
 * ever. */
int term_wait(void);
bool term_gone(void); /* nobody is at the other end any more */
/* Gives the terminal back and stops the process (`group`: its whole process group, as the terminal's own key does)
 * until it is continued. */
void term_suspend(bool group);

#endif
