/* Writes what a pane shows into a file: .txt, .json or .csv, a slice at a time, so that keys and the run go on. */
#ifndef UI_EXPORT_H
#define UI_EXPORT_H

#include <stdio.h>

#include "ui/layout.h"
#include "ui/table.h"

#define EXPORT_ROWS 1000000 /* at most */

struct app;

/* Starts as zeros. */
struct export
{
    bool active;
    enum pane_id pane;
    char *name;  /* as it was given; owned, as the two below */
    char *file;  /* what is written in the end: a link's target */
    char *draft; /* what is written until then; NULL: the file itself, as it is a device or a pipe */
    int fd;
    bool overwrite;
    uint64_t next, end; /* rows */
    simtime now;        /* the moment that was shown when it began, … */
    bool is_past;       /* … and whether that was an earlier one */
    struct table_writer writer;
    struct table_row row;
};

/* What the focused pane shows; asks where the file is there already. Returns NULL, or what is wrong with the name. */
const char *export_begin(struct app *app, const char *name);
void export_answer(struct app *app, uint32_t key); /* to whether the file is to be overwritten */
/* Returns whether there is more to do. */
bool export_work(struct app *app);
/* Nothing is left of what was begun. Returns whether something was. */
bool export_cancel(struct app *app);

#endif
