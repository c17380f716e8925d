/* What the keys do. */
#include <stdio.h>
#include <string.h>

#include "base/shell.h"
#include "lockstep/condition_words.h"
#include "ui/app.h"
#include "ui/flight.h"

void app_open(struct app *app, enum pane_id id)
{
    int max = (int)(sizeof app->open / sizeof *app->open);
    for (int i = 0; i < app->open_count; i++)
        if (app->open[i] == id) { /* it lies below: back to it */
            app->open_count = i + 1;
            return;
        }
    if (app->open_count < max)
        app->open[app->open_count++] = id;
    app->panes[id]->list.top = app->panes[id]->list.cursor = 0;
}

/* Closes the topmost, but not the problems of a scenario that cannot run. */
static bool close_top(struct app *app)
{
    if (!app->open_count || (!app->session && app_top(app) == PANE_PROBLEMS))
        return false;
    app->open_count--;
    return true;
}

void app_toggle(struct app *app, enum pane_id id)
{
    if (app_top(app) == id)
        close_top(app);
    else
        app_open(app, id);
}

static void focus_pane(struct app *app, enum pane_id id)
{
    if (!app->session && !app->scenario)
        return;
    while (app->open_count && app_top(app) != PANE_PROBLEMS)
        app->open_count--;
    if (app->session)
        app->open_count = 0;
    app->focus = id;
    if (id == PANE_HEALTH || id == PANE_BARRIER)
        app->bottom = id;
}

/* In the topmost pane, or where that knows no nodes, in the tree; -1: none is selected. */
static int selected_node(const struct app *app)
{
    struct view v = app_view(app);
    const struct pane *p = app->panes[app_top(app)], *nodes = app->panes[PANE_NODES];
    int node = p->ops->node ? p->ops->node(p, &v) : -1;
    return node >= 0 ? node : nodes->ops->node(nodes, &v);
}

static int some_node(const struct app *app)
{
    int node = selected_node(app);
    return node < 0 && app->scenario && app->scenario->node_count ? 0 : node;
}

static void open_detail(struct app *app)
{
    pane_detail_show(app->panes[PANE_DETAIL], some_node(app));
    app_open(app, PANE_DETAIL);
}

/* From Barrier a log is looked at to see why its node is late. */
static int awaited_node(struct app *app)
{
    struct view v = app_view(app);
    int before = some_node(app), node = pane_barrier_awaited(app->panes[PANE_BARRIER], &v);
    if (node < 0 && before >= 0)
        app_say(app, ROLE_INFO, "Nobody is waited for: this is the log of %s, which is selected",
                app->scenario->nodes[before].id);
    else if (node >= 0 && node != before)
        app_say(app, ROLE_INFO, "This is the log of %s, which is waited for", app->scenario->nodes[node].id);
    return node < 0 ? before : node;
}

static void open_log(struct app *app)
{
    if (app_top(app) == PANE_LOG) {
        close_top(app);
        return;
    }
    int node = app_top(app) == PANE_BARRIER ? awaited_node(app) : some_node(app);
    pane_log_show(app->panes[PANE_LOG], node);
    app_open(app, PANE_LOG);
}

/* The record that is selected in Events. */
static bool selected_record(const struct app *app, uint64_t *n)
{
    return pane_events_selected(app->panes[PANE_EVENTS], n);
}

static void open_chain(struct app *app)
{
    uint64_t n;
    if (app_top(app) == PANE_CHAIN) {
        close_top(app);
        return;
    }
    struct record r;
    bool selected = selected_record(app, &n) && store_read(session_store(app->session), n, &r) == 0;
    if (!selected || !session_has_chain(&r)) {
        app_say(app, ROLE_WARN,
                selected ? "Only messages, local events and own failures come of something" : "No event is selected");
        return;
    }
    pane_chain_show(app->panes[PANE_CHAIN], n);
    app_open(app, PANE_CHAIN);
}

/* To the event that is selected in a chain. */
static void leave_chain(struct app *app)
{
    uint64_t n = pane_chain_selected(app->panes[PANE_CHAIN]);
    close_top(app);
    app->focus = PANE_EVENTS;
    pane_events_go(app->panes[PANE_EVENTS], n);
}

/* To the event that a warning, or the failure of the run, is recorded as. */
static void leave_problems(struct app *app)
{
    struct view v = app_view(app);
    uint64_t n;
    if (!app->session)
        return;
    if (!pane_problems_selected(app->panes[PANE_PROBLEMS], &v, &n)) {
        app_say(app, ROLE_INFO, "No event of the moment that is shown tells of that");
        return;
    }
    app->open_count = 0;
    app->focus = PANE_EVENTS;
    pane_events_go(app->panes[PANE_EVENTS], n);
}

static void enter(struct app *app)
{
    if (app_top(app) == PANE_FLIGHT) {
        flight_show(app);
        return;
    }
    if (app_top(app) == PANE_CHAIN) {
        leave_chain(app);
        return;
    }
    if (app_top(app) == PANE_WATCHES) {
        watch_go(app);
        return;
    }
    if (app_top(app) == PANE_PROBLEMS) {
        leave_problems(app);
        return;
    }
    if (app_top(app) != PANE_EVENTS) {
        if (app_top(app) < MAIN_PANES || app_top(app) == PANE_LOG || app_top(app) == PANE_TIMELINE)
            open_detail(app);
        return;
    }
    uint64_t n;
    if (!pane_events_selected(app->panes[PANE_EVENTS], &n))
        return;
    pane_record_show(app->panes[PANE_RECORD], n);
    app_open(app, PANE_RECORD);
}

static void next_pane(struct app *app, int step)
{
    if (app->open_count)
        return;
    focus_pane(app, (enum pane_id)(((int)app->focus + step + MAIN_PANES) % MAIN_PANES));
}

/* Keys may come faster than steps: what they do depends on the run itself, not on what was drawn of it. */
static struct session_status status_now(const struct app *app)
{
    struct session_status s = app->status;
    if (app->session)
        session_status(app->session, &s);
    return s;
}

/* Whether there is something to lose. */
static bool run_active(const struct app *app)
{
    struct session_status s = status_now(app);
    return app->session && !s.is_over && s.state != SESSION_ENDING &&
           (s.state != SESSION_PAUSED || s.head > 0 || app->await != AWAIT_NOTHING);
}

static void back(struct app *app)
{
    if (export_cancel(app)) {
        app_say(app, ROLE_WARN, "The export was ended; nothing of it is left");
        return;
    }
    if (close_top(app))
        return;
    if (app->find.active) {
        find_end(app);
        app_say(app, ROLE_DIM, "The find is over");
    } else if (app->status.is_past && !app->status.is_recorded && !app->zoom) {
        app_command(app, (struct command){ .kind = COMMAND_HEAD }, AWAIT_NOTHING);
    } else {
        app->zoom = false;
    }
}

const char *filter_take(struct app *app, const char *text)
{
    struct view v = app_view(app);
    struct pane *events = app->panes[PANE_EVENTS];
    struct condition_error err;
    if (!text[strspn(text, " ")]) {
        if (pane_events_filtered(events))
            app_say(app, ROLE_DIM, "The filter is off: {filter} and the key Up bring it back");
        pane_events_filter(events, &v, NULL);
        return NULL;
    }
    struct condition *c = condition_parse(text, &err);
    if (!c)
        return prompt_refuse(app, &err);
    char buf[KEYMAP_TEXT];
    const char *why = filter_refuses(c, &app->config.keys, buf);
    if (why) {
        condition_free(c);
        snprintf(app->prompt_error_text, sizeof app->prompt_error_text, "%s", why);
        return app->prompt_error_text;
    }
    char hint[CONDITION_HINT];
    if (condition_hint(c, hint))
        app_say(app, ROLE_WARN, "%s", hint);
    snprintf(app->filter_last, sizeof app->filter_last, "%s", text);
    pane_events_filter(events, &v, filter_new(c));
    app->open_count = 0;
    app->focus = PANE_EVENTS;
    return NULL;
}

/* Keys that move what is shown of the run. Returns false for others. */
static bool act_on_time(struct app *app, enum action action)
{
    static const enum command_kind kinds[] = { [ACTION_BACK_STEP] = COMMAND_BACK,
                                               [ACTION_BACK_NEXT] = COMMAND_BACK_NEXT,
                                               [ACTION_BACK_RUN] = COMMAND_BACK_RUN,
                                               [ACTION_VIEW] = COMMAND_VIEW_RECORD,
                                               [ACTION_HEAD] = COMMAND_HEAD };
    if (action == ACTION_TIMELINE && app->session) {
        app_toggle(app, PANE_TIMELINE);
        return true;
    }
    if (app_top(app) == PANE_TIMELINE && (action == ACTION_LEFT || action == ACTION_RIGHT)) {
        struct view v = app_view(app);
        simtime to = pane_timeline_beside(app->panes[PANE_TIMELINE], &v, action == ACTION_LEFT);
        app_command(app, (struct command){ .kind = COMMAND_VIEW, .time = to }, AWAIT_NOTHING);
        return true;
    }
    if (action < ACTION_BACK_STEP || action > ACTION_HEAD)
        return false;
    struct command c = { .kind = kinds[action], .count = 1 };
    if (action == ACTION_VIEW && !selected_record(app, &c.count))
        app_say(app, ROLE_WARN, "No event is selected");
    else if (action == ACTION_HEAD && !app->status.is_past)
        app_say(app, ROLE_INFO, "This is the last moment");
    else
        app_command(app, c, AWAIT_NOTHING);
    return true;
}

/* While nodes start it is remembered whether the run is to go on then. Returns false for other keys, and otherwise. */
static bool act_on_start(struct app *app, enum action action)
{
    enum session_state state = status_now(app).state;
    if (!app->session || (action != ACTION_PAUSE && action != ACTION_CONTINUE) ||
        (state != SESSION_LOADED && state != SESSION_STARTING) || app->runs_at_once)
        return false;
    app->runs_when_ready = action == ACTION_CONTINUE || !app->runs_when_ready;
    app_say(app, ROLE_INFO,
            app->runs_when_ready ? "It runs as soon as all nodes are ready; {pause} takes that back"
                                 : "It is paused when all nodes are ready");
    app->start_told = true;
    return true;
}

/* While the run is about to pause the key takes that back: it goes on to where it was to pause before. */
static void pause_or_run(struct app *app)
{
    struct session_status now = status_now(app);
    bool is_running = now.state == SESSION_RUNNING, ends = app->run_to_before == SIMTIME_NEVER;
    if (is_running && app->pausing) {
        struct command goes_on = { .kind = ends ? COMMAND_RUN : COMMAND_RUN_TO, .time = app->run_to_before };
        if (app_command(app, goes_on, ends ? AWAIT_NOTHING : AWAIT_PAUSE))
            app_say(app, ROLE_INFO, "The run goes on: it does not pause here");
        return;
    }
    bool pauses = is_running || now.is_searching;
    app_command(app, (struct command){ .kind = pauses ? COMMAND_PAUSE : COMMAND_RUN },
                pauses ? AWAIT_PAUSE : AWAIT_NOTHING);
}

/* Keys that move the run. Returns false for others. */
static bool act_on_run(struct app *app, enum action action)
{
    if (act_on_start(app, action))
        return true;
    switch (action) {
    case ACTION_PAUSE:
        pause_or_run(app);
        return true;
    case ACTION_CONTINUE:
        app_command(app, (struct command){ .kind = COMMAND_RUN }, AWAIT_NOTHING);
        return true;
    case ACTION_STEP:
        app_command(app, (struct command){ .kind = COMMAND_STEP, .count = 1 }, AWAIT_PAUSE);
        return true;
    case ACTION_ABORT:
        if (app_command(app, (struct command){ .kind = COMMAND_ABORT }, AWAIT_OVER)) {
            app->aborted = true;
        }
        return true;
    case ACTION_NEXT:
        app_command(app, (struct command){ .kind = COMMAND_NEXT }, AWAIT_PAUSE);
        return true;
    case ACTION_STEP_N:
        if (app->find.active)
            find_next(app, true);
        else
            prompt_open(app, PROMPT_STEPS);
        return true;
    case ACTION_UNTIL:
        prompt_open(app, PROMPT_UNTIL);
        return true;
    case ACTION_FILTER:
        prompt_open(app, PROMPT_FILTER);
        return true;
    default:
        return false;
    }
}

/* Keys that do something to the selected node. Returns false for others. */
static bool act_on_node(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_NODE_STOP:
        prompt_ask_node(app, PROMPT_NODE_STOP, selected_node(app));
        return true;
    case ACTION_NODE_KILL:
        prompt_ask_node(app, PROMPT_NODE_KILL, selected_node(app));
        return true;
    case ACTION_NODE_RESTART:
        prompt_ask_node(app, PROMPT_NODE_RESTART, selected_node(app));
        return true;
    case ACTION_LOG:
        if (app->session)
            open_log(app);
        return true;
    case ACTION_CHAIN:
        if (app->session)
            open_chain(app);
        return true;
    case ACTION_WATCHES:
        if (app->session)
            app_toggle(app, PANE_WATCHES);
        return true;
    default:
        return false;
    }
}

/* Of a recorded run there is nothing to start, nor to read again where all of it is there. */
bool app_can_rerun(const struct app *app)
{
    return !app->session || !app->status.is_recorded || app->status.missing;
}

static void tell_how_to_repeat(struct app *app)
{
    struct buffer file = { 0 }, word = { 0 };
    buffer_format(&file, "%s/scenario.yaml", app->status.run_dir);
    shell_word(&word, buffer_string(&file));
    app_say(app, ROLE_INFO, "This run was recorded: its nodes run no more. To repeat it: lockstep %s",
            buffer_string(&word));
    buffer_free(&file);
    buffer_free(&word);
}

/* Keys that leave or start anew. Returns false for others. */
static bool act_on_program(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_RERUN:
        if (!app_can_rerun(app))
            tell_how_to_repeat(app);
        else if (run_active(app))
            prompt_open(app, PROMPT_RERUN);
        else
            app_end(app, THEN_RERUN, 0);
        return true;
    case ACTION_QUIT:
        if (run_active(app))
            prompt_open(app, PROMPT_QUIT);
        else
            app_end(app, THEN_QUIT, 0);
        return true;
    case ACTION_QUIT_NOW:
        app_end(app, THEN_QUIT, 0);
        return true;
    case ACTION_REDRAW:
        app->redraw = true;
        return true;
    default:
        return false;
    }
}

/* Keys that change what is in sight. Returns false for others. */
static bool act_on_screen(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        next_pane(app, action == ACTION_PANE_NEXT ? 1 : -1);
        return true;
    case ACTION_PANE_1:
    case ACTION_PANE_2:
    case ACTION_PANE_3:
    case ACTION_PANE_4:
        focus_pane(app, (enum pane_id)(action - ACTION_PANE_1));
        return true;
    case ACTION_PANE_5:
        if (app->session)
            open_detail(app);
        return true;
    case ACTION_ZOOM:
        app->zoom = !app->zoom;
        return true;
    case ACTION_ENTER:
        enter(app);
        return true;
    case ACTION_BACK:
        back(app);
        return true;
    case ACTION_HELP:
        if (app_top(app) != PANE_HELP)
            pane_help_show(app->panes[PANE_HELP], false);
        app_toggle(app, PANE_HELP);
        return true;
    case ACTION_PROBLEMS:
        app_toggle(app, PANE_PROBLEMS);
        return true;
    default:
        return false;
    }
}

void app_act(struct app *app, enum action action)
{
    struct view v = app_view(app);
    struct pane *p = app->panes[app_top(app)];
    if (action == ACTION_NONE)
        return;
    if (action == ACTION_FOLLOW && app_top(app) < MAIN_PANES)
        p = app->panes[PANE_EVENTS];
    if (action == ACTION_FOLD && app_top(app) < MAIN_PANES)
        p = app->panes[PANE_NODES];
    if (action == ACTION_BREAKS) {
        breaks_open(app);
        return;
    }
    if (action == ACTION_ENTER && app_top(app) == PANE_BREAKS) {
        breaks_edit(app);
        return;
    }
    if (p->ops->act(p, &v, action)) {
        if (action == ACTION_FOLLOW && p == app->panes[PANE_EVENTS])
            app_say(app, ROLE_INFO, pane_events_following(p) ? "Following the newest event" : "Staying here");
        return;
    }
    if (flight_act_key(app, action))
        return;
    if (act_on_run(app, action) || act_on_time(app, action) || act_on_node(app, action) ||
        act_on_program(app, action) || act_on_screen(app, action))
        return;
    if (action == ACTION_COMMAND || action == ACTION_EXPORT)
        line_prompt_open(app, action == ACTION_EXPORT ? PROMPT_EXPORT : PROMPT_COMMAND);
    else if (action == ACTION_FIND)
        prompt_open(app, PROMPT_FIND);
    else if (action == ACTION_FIND_NEXT)
        find_next(app, false);
}
