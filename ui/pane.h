/* A pane: a const model in, a canvas or a command out. */
#ifndef UI_PANE_H
#define UI_PANE_H

#include "lockstep/session.h"
#include "ui/canvas.h"
#include "ui/filter.h"
#include "ui/keymap.h"
#include "ui/list.h"
#include "ui/model.h"
#include "ui/table.h"
#include "ui/usage.h"
#include "ui/watch.h"

/* What panes read. Everything is borrowed; `session` and what hangs on it is NULL where there is no run. */
struct view {
    const char *file; /* the scenario's */
    const struct scenario *scenario;
    const struct problems *problems;
    const struct error *launch; /* why the launch failed; its code is 0 where it did not */
    const struct session *session;
    struct store *store; /* reading moves its buffer, no more */
    const struct session_status *status;
    struct breakpoints *breakpoints;
    const struct model *model;
    const struct keymap *keys;
    const char *find;      /* text that is being looked for; "": none */
    simtime since;         /* what was active since then has a mark: the frame before, or the last quantum at rest */
    bool wall;             /* show what depends on the wall clock; else a dash */
    bool killed;           /* its nodes were told to end at once */
    bool pausing;          /* it pauses once this quantum is over */
    struct watches *watches;
    struct usages *usages; /* drawing reads anew what is too old */
};

struct pane;
struct pane_ops {
    const char *name;
    /* Appends what stands behind the name in the frame's title; may be NULL. */
    void (*title)(const struct pane *p, const struct view *v, struct buffer *out);
    /* Draws the inside of the frame. */
    void (*draw)(struct pane *p, const struct view *v, const struct area *a, bool focus);
    /* Returns whether the action was the pane's. */
    bool (*act)(struct pane *p, const struct view *v, enum action action);
    /* The node that is selected, or -1; may be NULL. */
    int (*node)(const struct pane *p, const struct view *v);
    /* A bounded slice of work beside drawing; returns whether there is more to do, and sets *changed when what is
     * drawn has. May be NULL. */
    bool (*work)(struct pane *p, const struct view *v, bool *changed);
    /* Row `n` of what it shows, or TABLE_HEADINGS, into an empty row: of a list the row that it shows there. Returns
     * false behind the last one. NULL: it has none. */
    bool (*export)(struct pane *p, const struct view *v, uint64_t n, struct table_row *row);
    /* Find looks through these rows, and not through the run's records: their row n is selected by this. */
    void (*go)(struct pane *p, const struct view *v, uint64_t n);
    /* The rows that it would like to have at a width; for popups. */
    int (*rows)(const struct pane *p, const struct view *v, int width);
    void (*free)(struct pane *p);
};

/* The first member of every pane. */
struct pane {
    const struct pane_ops *ops;
    struct list list;
};

struct pane *pane_nodes_new(void);
struct pane *pane_events_new(void);
struct pane *pane_health_new(void);
struct pane *pane_barrier_new(void);
struct pane *pane_detail_new(void);
struct pane *pane_problems_new(void);
struct pane *pane_help_new(void);
struct pane *pane_record_new(void);
struct pane *pane_log_new(void);
struct pane *pane_flight_new(void);
struct pane *pane_message_new(void);
struct pane *pane_timeline_new(void);
struct pane *pane_chain_new(void);
struct pane *pane_breaks_new(void);
struct pane *pane_watch_new(void);

void pane_events_go(struct pane *p, uint64_t n); /* selects record n; ends following */
bool pane_events_following(const struct pane *p);
bool pane_events_selected(const struct pane *p, uint64_t *n); /* false: there is none */
/* Shows only what the filter holds for; takes it. NULL: everything again. */
void pane_events_filter(struct pane *p, const struct view *v, struct filter *filter);
struct filter *pane_events_filtered(const struct pane *p); /* or NULL */
void pane_help_show(struct pane *p, bool commands); /* instead of the keys */
void pane_detail_show(struct pane *p, int node);
void pane_record_show(struct pane *p, uint64_t n);
void pane_log_show(struct pane *p, int node);
bool pane_flight_selected(const struct pane *p, uint64_t *id); /* false: there is none */
void pane_message_show(struct pane *p, uint64_t id);
/* The record of what is selected; false: it has none, or it lies behind the moment that is shown. */
bool pane_problems_selected(const struct pane *p, const struct view *v, uint64_t *n);
void pane_chain_show(struct pane *p, uint64_t n);
uint64_t pane_chain_selected(const struct pane *p); /* a record */
/* The record that has the selected value; false: there is none. */
bool pane_watch_selected(const struct pane *p, const struct view *v, uint64_t *n);
void pane_watch_show(struct pane *p, int watch); /* selects its column */
int pane_watch_node(const struct view *v, const struct area *a, int node); /* one node's values; returns the rows */
bool pane_watch_work(const struct view *v, bool *changed);
simtime pane_timeline_at(const struct pane *p, int screen_x); /* the end of the cell there; -1: there is none */
/* The time that is a cell before or behind the one that is shown. */
simtime pane_timeline_beside(const struct pane *p, const struct view *v, bool before);
/* Looks on from the last match, around its end. Returns how many rows match, and which of them this one is, from 1. */
uint64_t pane_log_find(struct pane *p, const char *text, bool backward, bool *around, uint64_t *rank);
/* These sort by the column whose heading is there. */
void pane_health_click(struct pane *p, int x);
void pane_nodes_click(struct pane *p, int x);
/* Who is waited for: the selected one, or where that is not, the one that is so longest, which is selected then. -1:
 * nobody is. */
int pane_barrier_awaited(struct pane *p, const struct view *v);
void pane_nodes_select(struct pane *p, const struct view *v, int node);

/* Verbs of panes that are a list and nothing else: `go`, `act` that moves the cursor, and `free`. */
void pane_go(struct pane *p, const struct view *v, uint64_t n);
bool pane_move(struct pane *p, const struct view *v, enum action action);
void pane_free(struct pane *p);

/* Shared drawing. */

/* An empty pane's words, in its middle; lines that do not fit are left out. {pause} in the hint is the key of that
 * action. */
void pane_empty(const struct view *v, const struct area *a, const char *line, const char *hint);
/* What became of a message on its way, in a word or two; "": it arrives as it was sent, or it is none. */
const char *view_fate(const struct record *r, const struct session_delivery *d);
/* What becomes of a message that is due, but for ARRIVAL_DUE; briefly, in 10 columns, or where there is room. */
#define ARRIVAL_TEXT 100
const char *view_arrival_word(enum session_arrival arrival);
const char *view_arrival(const struct view *v, enum session_arrival arrival, char buf[ARRIVAL_TEXT]);
/* Text over as many lines as it takes, broken at blanks. Returns how many. */
int area_wrap(const struct area *a, int x, int y, int width, enum role role, const char *text);
/* A heading with a rule behind it. */
void area_heading(const struct area *a, int y, bool focus, const char *text);
/* Whether a list that has so many rows spends one of them on the headings of its columns. */
bool pane_has_heading(int rows);
/* What the column of a node's id takes in a list that is this wide and shows a route, which is two of them. */
int view_id_width(const struct view *v, int width);
/* The ground of a list's row, painted over its whole width. */
void pane_select(const struct area *a, int y, bool focus);
/* The run has ended before its time, and with it nodes that had not failed. */
bool view_ended_early(const struct view *v);
enum role view_health_role(const char *health); /* of node_status */
/* What a node's state is called here: what became of it tells more than the state's name in some. The short word takes
 * 8 columns at most. */
const char *view_state_word(const struct view *v, const struct node_status *n);
const char *view_state_words(const struct view *v, const struct node_status *n);
enum role view_state_role(const struct node_status *n);
/* It has ended, or gone wrong, behind its answer: it fails once it is granted again. */
bool view_will_fail(const struct node_status *n);
/* What its process takes of the machine, where that is to be seen and known. */
bool view_usage(const struct view *v, int node, int key, struct usage *out);
/* What a value that depends on the wall clock is shown as where it must not be seen. */
#define WALL_HIDDEN "-"

#endif
