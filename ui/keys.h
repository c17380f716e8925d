/* The one key table: what every key does, and with it the key bar and the help. */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "ui/input.h"

enum action {
    ACTION_NONE,
    ACTION_PAUSE,
    ACTION_STEP,
    ACTION_NEXT,
    ACTION_STEP_N, /* find previous while a find is active */
    ACTION_CONTINUE,
    ACTION_UNTIL,
    ACTION_BACK_STEP,
    ACTION_BACK_NEXT,
    ACTION_BACK_RUN,
    ACTION_VIEW,
    ACTION_HEAD,
    ACTION_TIMELINE,
    ACTION_CHAIN,
    ACTION_WATCHES,
    ACTION_NARROW,
    ACTION_WIDEN,
    ACTION_BREAKS,
    ACTION_DELETE,
    ACTION_ABORT,
    ACTION_NODE_STOP,
    ACTION_NODE_KILL,
    ACTION_NODE_RESTART,
    ACTION_LOG,
    ACTION_FLIGHT, /* messages in flight; what follows acts on them */
    ACTION_FLIGHT_DROP,
    ACTION_FLIGHT_DELAY,
    ACTION_FLIGHT_COPY,
    ACTION_FLIGHT_EDIT,
    ACTION_FLIGHT_INJECT,
    ACTION_FLIGHT_LINK,
    ACTION_FLIGHT_SAVE,
    ACTION_RERUN,
    ACTION_QUIT,
    ACTION_QUIT_NOW,
    ACTION_PANE_NEXT,
    ACTION_PANE_PREVIOUS,
    ACTION_PANE_1,
    ACTION_PANE_2,
    ACTION_PANE_3,
    ACTION_PANE_4,
    ACTION_PANE_5,
    ACTION_ZOOM,
    ACTION_ENTER,
    ACTION_BACK,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_TOP,
    ACTION_BOTTOM,
    ACTION_FOLD,
    ACTION_FIND,
    ACTION_FIND_NEXT,
    ACTION_FILTER,
    ACTION_FOLLOW,
    ACTION_PROBLEMS,
    ACTION_COMMAND,
    ACTION_EXPORT,
    ACTION_SORT_NEXT,
    ACTION_SORT_PREVIOUS,
    ACTION_SORT_REVERSE,
    ACTION_HELP,
    ACTION_REDRAW,
    ACTION_INTERRUPT,
    ACTION_SUSPEND,
    ACTION_FORCE,
    ACTION_CLICK,
    ACTION_WHEEL_UP,
    ACTION_WHEEL_DOWN
};

/* Where the user is; the key bar shows what counts there. */
enum context {
    CONTEXT_PAUSED = 1 << 0,
    CONTEXT_RUNNING = 1 << 1,
    CONTEXT_OVER = 1 << 2,
    CONTEXT_BROKEN = 1 << 3, /* no run: problems, or the launch failed */
    CONTEXT_FINDING = 1 << 4,
    CONTEXT_DETAIL = 1 << 5,
    CONTEXT_POPUP = 1 << 6,
    CONTEXT_WARNINGS = 1 << 7, /* the problems of a scenario that runs */
    CONTEXT_PROMPT = 1 << 8,   /* something is being asked */
    CONTEXT_ENDING = 1 << 9,
    CONTEXT_LOG = 1 << 10,
    CONTEXT_PROCESSES = 1 << 11,  /* some nodes are processes, and this is no place that counts more … */
    CONTEXT_NODES_LIVE = 1 << 12, /* … and they can be stopped and restarted */
    CONTEXT_STARTING = 1 << 13,
    CONTEXT_PAST = 1 << 14, /* an earlier moment of the run is shown, or one of a recorded run … */
    CONTEXT_TIMELINE = 1 << 15,
    CONTEXT_BEFORE_END = 1 << 19, /* … from which it goes on to later ones */
    CONTEXT_FLIGHT = 1 << 20,     /* messages in flight are in sight … */
    CONTEXT_WATCHES = 1 << 21,
    CONTEXT_FLIGHT_OPEN = 1 << 22,    /* … of a run that takes changes … */
    CONTEXT_FLIGHT_MESSAGE = 1 << 23, /* … and there is one to be changed */
    CONTEXT_FLIGHT_SAVED = 1 << 24,   /* what was done by hand can be saved: the run is none that was recorded */
    CONTEXT_COMPLETES = 1 << 25,      /* something is being asked, and Tab completes the answer */
    CONTEXT_BARRIER = 1 << 26,        /* who is waited for is in sight, and some nodes are processes */
    CONTEXT_TROUBLED = 1 << 27        /* the run has failed, or warns of something */
};

struct binding {
    uint32_t keys[3];
    enum action action;
    const char *names; /* of the keys, for bar and help; NULL: stands in neither */
    const char *help;
    const char *label; /* in the key bar */
    unsigned bar;      /* contexts in whose key bar it stands */
    const char *other; /* the label in the contexts `other_in` */
    unsigned other_in;
    const char *group; /* heading of the help that starts here */
};

extern const struct binding key_table[];
extern const size_t key_table_count;

enum action key_action(uint32_t key);
/* "Space", "F5", "Ctrl-C", "s": the key of that name, or INPUT_NONE. Case counts only for single characters. */
uint32_t key_named(const char *name);
#define KEY_NAME 16 /* bytes */
const char *key_name(uint32_t key, char buf[KEY_NAME]); /* the other way around */

#endif
