/* The state of the front: the run, what is open on the screen, and what the user is being asked. Apart from drawing
 * (screen.h) and from where keys come from (ui.c, keyfile.h). */
#ifndef UI_APP_H
#define UI_APP_H

#include "ui/commands.h"
#include "ui/config.h"
#include "ui/editor.h"
#include "ui/export.h"
#include "ui/layout.h"
#include "ui/pane.h"
#include "ui/ui.h"

/* What the front's loop watches: for loop_new. */
extern const int app_watched_signals[];

enum prompt {
    PROMPT_NONE,
    PROMPT_REFUSED, /* it says why a question cannot be asked; an answer typed ahead for that one is no keys */
    PROMPT_FIND,
    PROMPT_STEPS,
    PROMPT_UNTIL,
    PROMPT_BREAK,
    PROMPT_FILTER,
    PROMPT_COMMAND,
    PROMPT_EXPORT,
    PROMPT_OVERWRITE,
    PROMPT_FLIGHT_DELAY, /* flight.c: this … */
    PROMPT_FLIGHT_EDIT,
    PROMPT_FLIGHT_INJECT,
    PROMPT_FLIGHT_LINK,
    PROMPT_FLIGHT_SAVE, /* … to this */
    PROMPT_QUIT,
    PROMPT_RERUN,
    PROMPT_NODE_STOP,
    PROMPT_NODE_KILL,
    PROMPT_NODE_RESTART
};

#define BAR_KEYS 32

/* What a command is to bring about. */
enum await { AWAIT_NOTHING, AWAIT_PAUSE, AWAIT_OVER };

/* What follows once the run is over. */
enum then { THEN_STAY, THEN_RERUN, THEN_QUIT };

struct find {
    char text[EDITOR_TEXT];
    struct condition *condition; /* that the text is; NULL: it is a text */
    bool active; /* n and N go on with it */
    bool searching, backward, wrapped;
    uint64_t at, start;
    const struct pane *in_list; /* where the last match was, in row `row`; NULL: in none */
    uint64_t row;
};

/* What a person wants of a node, until it is so. */
struct node_act {
    bool pending;
    enum command_kind kind;
    int node;
    unsigned restarts; /* before */
    bool was_left_out; /* before */
    int64_t asked_ms;
};

/* What is being asked about messages in flight. */
struct flight_ask {
    uint64_t id;   /* of the message */
    char why[500]; /* why the last answer or command was refused */
};

struct app {
    const struct ui_options *options;
    struct loop *loop; /* borrowed */
    bool wall;         /* show what depends on the wall clock */

    struct config config;
    struct problems problems; /* of the scenario, and behind them those of the config */
    struct scenario *scenario; /* NULL: not valid */
    struct session *session;   /* NULL: none could be started */
    struct error launch;
    struct model model;
    struct watches *watches;      /* of all runs */
    struct usages *usages;        /* NULL where there is no scenario */
    struct session_status status; /* zero where there is no session */

    struct pane *panes[PANES];
    enum pane_id focus, bottom; /* of the main panes */
    enum pane_id open[4];       /* what is open above them, the topmost last */
    int open_count;
    bool zoom;
    struct layout layout; /* as drawn last */
    struct bar_key {
        int from, to; /* columns */
        uint32_t key;
    } bar[BAR_KEYS]; /* that are shown in the key bar */
    int bar_count;

    enum prompt prompt;
    int prompt_node; /* that is to be stopped, killed, restarted */
    struct node_act act;
    bool pausing; /* at the end of this quantum, by a key … */
    simtime run_to_before; /* … and where it was to pause before that, or SIMTIME_NEVER */
    struct editor editor;
    struct line_prompt line;
    struct export export;
    char refused[256];        /* why */
    enum prompt refused_prompt; /* what was to be asked */
    const char *prompt_error; /* what is wrong with what was typed; static, what is below, or NULL */
    char prompt_error_text[sizeof(struct condition_error)];
    char filter_last[EDITOR_TEXT]; /* the last filter, for the key Up */
    int break_id;                  /* the breakpoint that is being edited; 0: a new one */
    uint64_t break_seen;           /* the last hit that was told */
    struct flight_ask flight;
    struct find find;
    char message[256];
    enum role message_role;
    int64_t message_ms; /* when it was said */

    enum await await;
    enum then then;
    int interrupts; /* Ctrl-C so far in this run */
    bool runs_at_once;                /* this run is not paused when its nodes are ready */
    bool runs_when_ready, start_told; /* asked for while the nodes start; the message is about that they do */
    bool aborted;   /* this run, by its key */
    bool killed;    /* its nodes were told to end at once */
    int signal;     /* that asked to leave, or 0 */
    bool hung_up;   /* nobody is at the terminal any more: SIGHUP then asks once, however often it comes */
    bool leaving, suspend, redraw;
    bool dirty; /* the screen is not what it should be */

    int64_t tallied_ms, worked_ms;
    enum session_state tallied_state; /* of what the last tally was */
    bool tallied_moving;
    uint64_t tallied_quanta, tallied_states;
    uint64_t states;      /* of the nodes while the run stands: one may end then too */
    simtime since, drawn; /* virtual times: since when marks tell of activity, and of the last frame */
};

/* Loads the scenario and starts the run. Options and loop are borrowed. */
void app_init(struct app *app, const struct ui_options *options, struct loop *loop);
void app_free(struct app *app);
/* Takes the run's state; to be called after every step of it. Goes on with what waited for its end. */
void app_refresh(struct app *app);
/* Reads what all nodes have in common for the panes: while the run goes on a few times a second only, else exactly. */
void app_tally(struct app *app);
/* A bounded slice of find and other work that is not the run's. Returns whether there is more of it. */
bool app_work(struct app *app);
void app_input(struct app *app, const struct input *in);
void app_signals(struct app *app); /* those that the loop has seen */
void app_hang_up(struct app *app); /* nobody is at the terminal any more */
/* Whether nothing is under way that a key has set going and that ends by itself: for scripts that wait for it. */
bool app_settled(const struct app *app);
int app_exit_code(const struct app *app);

struct view app_view(const struct app *app);
enum pane_id app_top(const struct app *app); /* the pane that takes the keys */
unsigned app_context(const struct app *app); /* of enum context */
/* What stands in the format as {pause} is shown as the key of that action. */
void app_say(struct app *app, enum role role, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);
void app_say_over(struct app *app, simtime t); /* that a moment which is asked for lies behind the end of the run, if so */

/* For the files that app.c is split into. */
bool app_can_rerun(const struct app *app);
void app_rerun(struct app *app);
bool app_command(struct app *app, struct command command, enum await await);
void app_act(struct app *app, enum action action); /* actions.c */
bool mouse_takes(uint32_t key);                    /* mouse.c: whether it is no key, but the mouse */
/* Returns the key that is clicked on in the key bar, and then does nothing; else INPUT_NONE. */
uint32_t mouse_act(struct app *app, const struct input *in);
void app_open(struct app *app, enum pane_id id);
void app_toggle(struct app *app, enum pane_id id);
void app_end(struct app *app, enum then then, int signal); /* the run, cleanly; then what follows */
void prompt_open(struct app *app, enum prompt prompt);     /* prompt.c */
/* In place of a question that cannot be asked, with what app_say() has just told as the reason. */
void prompt_refused(struct app *app, enum prompt prompt);
bool prompt_key(struct app *app, uint32_t key);
void prompt_format(const struct app *app, struct buffer *out);
bool prompt_is_question(enum prompt prompt);
bool prompt_takes_text(enum prompt prompt);
void prompt_look_at_end(struct app *app); /* the run ends: closes what is asked about it */
void prompt_look_at_act(struct app *app); /* whether what was wanted of a node is done */
void prompt_ask_node(struct app *app, enum prompt prompt, int node);
/* Of a condition: the message for prompt_error; the cursor goes to the place. */
const char *prompt_refuse(struct app *app, const struct condition_error *err);
void prompt_do_to_node(struct app *app, enum prompt prompt, int node); /* without asking */
void line_prompt_open(struct app *app, enum prompt prompt);            /* line_prompt.c */
void breaks_open(struct app *app); /* breaks.c: the list, and the question for a new one */
void breaks_edit(struct app *app);
const char *breaks_take(struct app *app, const char *text); /* what is wrong with it, or NULL */
void breaks_look(struct app *app);                          /* whether one was reached */
bool breaks_pending(const struct app *app);
const char *until_take(struct app *app, const char *text); /* what is wrong with the time, or NULL */
const char *filter_take(struct app *app, const char *text); /* actions.c; what is wrong with it, or NULL */
const char *watch_take(struct app *app, const char *text);  /* watching.c; what is wrong with it, or NULL */
bool watch_remove(struct app *app, const char *which);      /* a number from 1, or "all"; false: there is none */
void watch_go(struct app *app);                             /* to the record of the selected value */
void find_start(struct app *app, const char *text); /* find.c */
void find_end(struct app *app);
void find_next(struct app *app, bool backward);
bool find_work(struct app *app);

#endif
