/* What the keys do. */
#include <string.h>

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

static void open_log(struct app *app)
{
    if (app_top(app) == PANE_LOG) {
        close_top(app);
        return;
    }
    pane_log_show(app->panes[PANE_LOG], some_node(app));
    app_open(app, PANE_LOG);
}

static void enter(struct app *app)
{
    if (app_top(app) == PANE_FLIGHT) {
        flight_show(app);
        return;
    }
    if (app_top(app) != PANE_EVENTS) {
        if (app_top(app) < MAIN_PANES || app_top(app) == PANE_LOG)
            open_detail(app);
        return;
    }
    const struct list *l = &app->panes[PANE_EVENTS]->list;
    if (!l->count)
        return;
    pane_record_show(app->panes[PANE_RECORD], l->cursor);
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
    return app->session && !session_state_over(s.state) && s.state != SESSION_ENDING &&
           (s.state != SESSION_PAUSED || s.quanta > 0 || app->await != AWAIT_NOTHING);
}

static void back(struct app *app)
{
    if (close_top(app))
        return;
    if (app->find.active) {
        app->find = (struct find){ 0 };
        app_say(app, ROLE_DIM, "The find is over");
    } else {
        app->zoom = false;
    }
}

/* Keys that move the run. Returns false for others. */
static bool act_on_run(struct app *app, enum action action)
{
    bool running = status_now(app).state == SESSION_RUNNING;
    switch (action) {
    case ACTION_PAUSE:
        app_command(app, (struct command){ .kind = running ? COMMAND_PAUSE : COMMAND_RUN },
                    running ? AWAIT_PAUSE : AWAIT_NOTHING);
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
    default:
        return false;
    }
}

/* Keys that leave or start anew. Returns false for others. */
static bool act_on_program(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_RERUN:
        if (run_active(app))
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
    if (p->ops->act(p, &v, action)) {
        if (action == ACTION_FOLLOW && p == app->panes[PANE_EVENTS])
            app_say(app, ROLE_INFO, pane_events_following(p) ? "Following the newest event" : "Staying here");
        return;
    }
    if (flight_act_key(app, action))
        return;
    if (act_on_run(app, action) || act_on_node(app, action) || act_on_program(app, action) ||
        act_on_screen(app, action))
        return;
    if (action == ACTION_FIND && app->session)
        prompt_open(app, PROMPT_FIND);
    else if (action == ACTION_FIND_NEXT && app->session)
        find_next(app, false);
}
