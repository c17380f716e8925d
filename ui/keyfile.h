/* The steps of --keys: what a person would do at the keys, from a file. */
#ifndef UI_KEYFILE_H
#define UI_KEYFILE_H

#include "lockstep/session.h"
#include "ui/input.h"

enum key_step_kind {
    KEY_STEP_KEY,
    KEY_STEP_TYPE,
    KEY_STEP_UNTIL_STATE,
    KEY_STEP_UNTIL_TIME,
    KEY_STEP_SEE,
    KEY_STEP_SCREEN,
    KEY_STEP_RESIZE,
    KEY_STEP_COMMAND,
    KEY_STEP_MOUSE
};

struct key_step {
    enum key_step_kind kind;
    int line;                 /* of the file, from 1 */
    uint32_t key;             /* KEY, MOUSE */
    char *text; /* TYPE: what is typed; SEE: what must be on the screen; SCREEN: the file; COMMAND: it; owned */
    enum session_state state; /* UNTIL_STATE */
    simtime time;             /* UNTIL_TIME */
    int columns, rows;        /* RESIZE */
    int x, y;                 /* MOUSE */
};

struct key_script {
    struct key_step *steps;
    size_t count, capacity;
};

/* Reads a file. Returns -1 with *err set (EXIT_USAGE; file and line of the first bad step). */
int key_script_load(const char *file, struct key_script *script, struct error *err);
void key_script_free(struct key_script *script);

#endif
