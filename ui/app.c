#include "ui/app.h"
#include "ui/format.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"

const int app_watched_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT, 0 };

static bool alive(const struct app *app)
{
    return app->session && !app->status.is_over;
}

/* Commands may have come since it was drawn: the run itself is asked. */
static bool is_ending(const struct app *app)
{
    struct session_status s = { .state = SESSION_LOADED };
    if (app->session)
        session_status(app->session, &s);
    return s.state == SESSION_ENDING;
}

void app_say(struct app *app, enum role role, const char *fmt, ...)
{
    va_list args;
    char keys[KEYMAP_TEXT];
    va_start(args, fmt);
    vsnprintf(app->message, sizeof app->message, keymap_text(&app->config.keys, fmt, true, keys), args);
    va_end(args);
    app->message_role = role;
    app->start_told = false; /* it is about something else */
    app->message_ms = clock_ms();
    app->dirty = true;
}

struct view app_view(const struct app *app)
{
    return (struct view){
        .file = app->options->run_dir ? app->options->run_dir : app->options->file,
        .scenario = app->scenario,
        .problems = &app->problems,
        .launch = &app->launch,
        .session = app->session,
        .store = app->session ? session_store(app->session) : NULL,
        .status = &app->status,
        .breakpoints = app->options->session.breakpoints,
        .model = app->scenario ? &app->model : NULL,
        .find = app->find.active && !app->find.condition ? app->find.text : "",
        .keys = &app->config.keys,
        .since = app->since,
        .wall = app->wall && !app->status.is_past,
        .killed = app->killed,
        .pausing = app->pausing,
        .watches = app->watches,
        .usages = app->usages,
    };
}

enum pane_id app_top(const struct app *app)
{
    return app->open_count ? app->open[app->open_count - 1] : app->focus;
}

/* Of the keys for messages in flight only those that act here: a run takes changes where it stands, at its head. */
static unsigned flight_context(const struct app *app)
{
    const struct session_status *s = &app->status;
    unsigned saved = s->is_recorded ? 0 : CONTEXT_FLIGHT_SAVED;
    if (s->is_past || s->state != SESSION_PAUSED)
        return CONTEXT_FLIGHT | saved;
    return CONTEXT_FLIGHT | saved | CONTEXT_FLIGHT_OPEN |
           (session_flight_count(app->session) ? CONTEXT_FLIGHT_MESSAGE : 0);
}

static bool is_troubled(const struct app *app)
{
    return app->status.warnings || app->status.troubles || app->status.failure;
}

/* Of a run, and what is in sight of it. */
static unsigned place_context(const struct app *app, enum pane_id top)
{
    unsigned find = app->find.active ? CONTEXT_FINDING : 0;
    unsigned place = top == PANE_DETAIL    ? CONTEXT_DETAIL
                     : top == PANE_LOG     ? CONTEXT_LOG
                     : top == PANE_FLIGHT  ? flight_context(app)
                     : top == PANE_WATCHES ? CONTEXT_WATCHES
                                           : 0;
    unsigned nodes = app->model.process_count && top != PANE_LOG && top != PANE_FLIGHT ? CONTEXT_PROCESSES : 0;
    place |= top == PANE_TIMELINE ? CONTEXT_TIMELINE : 0;
    place |= top == PANE_BARRIER && app->model.process_count ? CONTEXT_BARRIER : 0;
    if (app->status.is_past)
        return (session_state_over(app->status.state) ? CONTEXT_OVER : CONTEXT_PAUSED) | CONTEXT_PAST |
               (app->status.now < app->status.head ? CONTEXT_BEFORE_END : 0) | find | place | nodes;
    if (session_state_over(app->status.state))
        return CONTEXT_OVER | find | place | nodes;
    if (app->status.state == SESSION_ENDING)
        return CONTEXT_ENDING | find | place | nodes;
    if (app->status.state == SESSION_STARTING || app->status.state == SESSION_LOADED)
        return CONTEXT_STARTING | find | place | nodes;
    nodes |= nodes ? CONTEXT_NODES_LIVE : 0;
    return (app->status.state == SESSION_PAUSED ? CONTEXT_PAUSED : CONTEXT_RUNNING) | find | place | nodes;
}

unsigned app_context(const struct app *app)
{
    enum pane_id top = app_top(app);
    if (app->prompt != PROMPT_NONE)
        return CONTEXT_PROMPT | (line_prompt_completes(app) ? CONTEXT_COMPLETES : 0);
    if (top == PANE_HELP || top == PANE_RECORD || top == PANE_CHAIN || top == PANE_BREAKS || top == PANE_MESSAGE)
        return CONTEXT_POPUP;
    if (!app->session)
        return CONTEXT_BROKEN;
    unsigned place = top == PANE_PROBLEMS ? CONTEXT_WARNINGS : place_context(app, top);
    return place | (is_troubled(app) ? CONTEXT_TROUBLED : 0);
}

static struct scenario *load_scenario(const struct ui_options *o, struct problems *problems)
{
    if (!o->run_dir)
        return scenario_load(o->file, o->overrides, o->override_count, problems);
    struct buffer file = { 0 };
    buffer_format(&file, "%s/scenario.yaml", o->run_dir);
    struct scenario *s = scenario_load_recorded(buffer_string(&file), problems);
    buffer_free(&file);
    return s;
}

static void add_config_problems(struct app *app)
{
    for (size_t i = 0; i < app->config.problems.count; i++) {
        const struct problem *p = &app->config.problems.items[i];
        struct mark mark = { p->file, p->line, p->column };
        problems_add(&app->problems, SEVERITY_WARNING, mark, p->path, "%s", p->text);
    }
}

void app_say_over(struct app *app, simtime t)
{
    char text[FORMAT_TEXT];
    if (t > app->status.head)
        app_say(app, ROLE_WARN, "The run was over before %s: this is its end", format_typed(t, text));
}

static void load(struct app *app, bool start_running)
{
    app->runs_at_once = start_running;
    const struct ui_options *o = app->options;
    app->scenario = load_scenario(o, &app->problems);
    size_t of_scenario = app->problems.warnings;
    add_config_problems(app);
    app->open_count = 0;
    app->since = app->drawn = -1;
    if (app->scenario) {
        model_init(&app->model, app->scenario);
        app->usages = usages_new(app->scenario->node_count);
        watches_begin(app->watches, app->scenario);
        struct session_options session = o->session;
        session.start_running = start_running;
        session.loop = app->loop;
        app->session = o->run_dir ? session_open_run(app->scenario, o->run_dir, &session, &app->launch)
                                  : session_new(app->scenario, &session, &app->launch);
    }
    if (app->session && o->at)
        session_command(app->session, &(struct command){ .kind = COMMAND_VIEW, .time = o->at });
    if (app->session)
        app_refresh(app);
    else
        app_open(app, PANE_PROBLEMS);
    if (app->session)
        app_say_over(app, o->at);
    if (app->session && app->problems.warnings)
        app_say(app, ROLE_WARN, "%zu warning%s in %s: {warnings} shows them", app->problems.warnings,
                app->problems.warnings == 1 ? "" : "s",
                app->problems.warnings == of_scenario ? "the scenario"
                : of_scenario                         ? "the scenario and your settings"
                                                      : "your settings");
    app->dirty = true;
}

static void unload(struct app *app)
{
    session_free(app->session);
    app->session = NULL;
    model_free(&app->model);
    usages_free(app->usages);
    app->usages = NULL;
    watches_begin(app->watches, NULL);
    scenario_free(app->scenario);
    app->scenario = NULL;
    problems_clear(&app->problems);
    app->launch = (struct error){ 0 };
    app->status = (struct session_status){ .waiting_for = -1, .run_to = SIMTIME_NEVER };
}

static void make_panes(struct app *app)
{
    static struct pane *(*const makers[PANES])(void) = {
        [PANE_NODES] = pane_nodes_new,     [PANE_EVENTS] = pane_events_new,     [PANE_HEALTH] = pane_health_new,
        [PANE_BARRIER] = pane_barrier_new, [PANE_DETAIL] = pane_detail_new,     [PANE_PROBLEMS] = pane_problems_new,
        [PANE_LOG] = pane_log_new,         [PANE_TIMELINE] = pane_timeline_new, [PANE_CHAIN] = pane_chain_new,
        [PANE_RECORD] = pane_record_new,   [PANE_HELP] = pane_help_new,         [PANE_BREAKS] = pane_breaks_new,
        [PANE_FLIGHT] = pane_flight_new,   [PANE_MESSAGE] = pane_message_new,   [PANE_WATCHES] = pane_watch_new,
    };
    for (int i = 0; i < PANES; i++)
        app->panes[i] = makers[i]();
}

static void free_panes(struct app *app)
{
    for (int i = 0; i < PANES; i++)
        app->panes[i]->ops->free(app->panes[i]);
}

void app_init(struct app *app, const struct ui_options *options, struct loop *loop)
{
    *app = (struct app){ .options = options, .loop = loop, .wall = !options->keys_file, .bottom = PANE_HEALTH };
    app->export.fd = -1;
    app->status = (struct session_status){ .waiting_for = -1, .run_to = SIMTIME_NEVER };
    config_load(&app->config, !options->keys_file);
    recall_open(&app->line.history, !options->keys_file);
    make_panes(app);
    app->watches = watches_new();
    load(app, options->session.start_running);
}

void app_free(struct app *app)
{
    find_end(app);
    export_cancel(app);
    unload(app);
    watches_free(app->watches);
    free_panes(app);
    line_prompt_free(&app->line);
    config_free(&app->config);
}

void app_rerun(struct app *app)
{
    export_cancel(app);
    unload(app);
    free_panes(app);
    make_panes(app);
    app->await = AWAIT_NOTHING;
    app->then = THEN_STAY;
    app->interrupts = 0;
    app->aborted = app->killed = app->pausing = app->runs_when_ready = app->start_told = false;
    app->act = (struct node_act){ 0 };
    app->tallied_state = SESSION_LOADED;
    find_end(app);
    app->message[0] = '\0';
    load(app, false);
}

#define MESSAGE_MS 5000 /* what was said to a key is gone after that where the run goes on */

/* Looks whether what keys have asked for is so by now. */
static void look_at_wishes(struct app *app)
{
    const struct session_status *now = &app->status;
    bool over = session_state_over(now->state);
    if (over || (app->await == AWAIT_PAUSE && now->state == SESSION_PAUSED && now->run_to == SIMTIME_NEVER &&
                 !now->is_searching))
        app->await = AWAIT_NOTHING;
    if (now->state != SESSION_RUNNING)
        app->pausing = false;
    if (app->act.pending)
        prompt_look_at_act(app);
    breaks_look(app);
    if (app->message[0] && app->wall && now->state == SESSION_RUNNING && clock_ms() - app->message_ms > MESSAGE_MS) {
        app->message[0] = '\0';
        app->dirty = true;
    }
}

/* What was asked for, or refused, while the nodes started. */
static void look_at_start(struct app *app)
{
    if (app->start_told)
        app->message[0] = '\0';
    if (app->runs_when_ready && app->status.state == SESSION_PAUSED)
        app_command(app, (struct command){ .kind = COMMAND_RUN }, AWAIT_NOTHING);
    app->runs_when_ready = app->start_told = false;
}

void app_refresh(struct app *app)
{
    if (!app->session)
        return;
    struct session_status before = app->status;
    session_status(app->session, &app->status);
    const struct session_status *now = &app->status;
    if (before.state != now->state || before.quanta != now->quanta || before.records != now->records ||
        before.now != now->now || before.is_past != now->is_past || before.is_searching != now->is_searching ||
        before.is_reading != now->is_reading || before.waiting_for != now->waiting_for)
        app->dirty = true;
    uint64_t states = now->state == SESSION_PAUSED ? model_states(&app->model, app->session) : app->states;
    app->dirty |= states != app->states;
    app->states = states;
    bool over = session_state_over(now->state);
    look_at_wishes(app);
    if (before.state == SESSION_STARTING && now->state != SESSION_STARTING)
        look_at_start(app);
    if ((over || now->state == SESSION_ENDING) && !session_state_over(before.state) && before.state != SESSION_ENDING)
        prompt_look_at_end(app);
    if (!over)
        return;
    if (!session_state_over(before.state))
        app->message[0] = '\0';
    if (app->then == THEN_QUIT)
        app->leaving = true;
    else if (app->then == THEN_RERUN)
        app_rerun(app);
}

#define TALLY_MS 250 /* between two readings of all nodes while the run goes on */
#define WORK_MS  100 /* between two slices of a pane's work then: the run's own work comes first */

void app_tally(struct app *app)
{
    const struct session_status *s = &app->status;
    bool moving = s->state == SESSION_RUNNING || s->state == SESSION_STARTING || s->state == SESSION_ENDING ||
                  s->waiting_for >= 0;
    int64_t ms = clock_ms();
    if (!app->session || (moving && s->state == app->tallied_state && ms - app->tallied_ms < TALLY_MS))
        return;
    if (!moving && !app->tallied_moving && s->state == app->tallied_state && s->quanta == app->tallied_quanta &&
        app->states == app->tallied_states)
        return;
    model_refresh(&app->model, app->session, s, app->wall);
    bool was_over = session_state_over(app->tallied_state) || app->tallied_state == SESSION_ENDING;
    if (s->outcome && !was_over && app->model.first_failed >= 0) { /* Enter then shows what there is to know */
        struct view v = app_view(app);
        pane_nodes_select(app->panes[PANE_NODES], &v, app->model.first_failed);
    }
    app->tallied_ms = ms;
    app->tallied_moving = moving;
    app->tallied_states = app->states;
    app->tallied_state = s->state;
    app->tallied_quanta = s->quanta;
}

/* It does so when its nodes have answered: until then there is no looking back. */
static void say_pausing(struct app *app)
{
    int node = app->status.waiting_for;
    app_say(app, ROLE_WARN, "The run pauses at the end of this quantum%s%.64s%s; {step-back} looks back then",
            node < 0 ? "" : " (waits for ", node < 0 ? "" : app->scenario->nodes[node].id, node < 0 ? "" : ")");
}

bool app_command(struct app *app, struct command command, enum await await)
{
    struct session_status before = { .run_to = SIMTIME_NEVER };
    if (app->session)
        session_status(app->session, &before);
    if (!app->session || !session_command(app->session, &command)) {
        if (!app->session)
            app_say(app, ROLE_WARN, "There is no run; {rerun} reads the file again");
        else if (command.kind >= COMMAND_BACK && app->status.now == 0 && !app->status.missing)
            app_say(app, ROLE_INFO, "This is the begin");
        else if (command.kind >= COMMAND_BACK && !app->status.is_past && app->pausing)
            say_pausing(app);
        else if (command.kind >= COMMAND_BACK && !app->status.is_past && app->status.state == SESSION_RUNNING)
            app_say(app, ROLE_WARN, "The run goes on; {pause} pauses it, then {step-back} looks back");
        else if (command.kind >= COMMAND_BACK)
            app_say(app, ROLE_BAD, "The history of this run cannot be read");
        else if (app->status.is_recorded)
            app_say(app, ROLE_INFO,
                    command.kind < COMMAND_ABORT ? "The recording ends here"
                                                 : "This run was recorded: its nodes run no more");
        else if (session_state_over(app->status.state))
            app_say(app, ROLE_WARN, "The run is over; {rerun} starts it anew");
        else if (app->status.state == SESSION_ENDING)
            app_say(app, ROLE_WARN, "The run is ending already");
        else {
            app_say(app, ROLE_WARN, "That is not possible while the run is %s", session_state_name(app->status.state));
            app->start_told = true;
        }
        return false;
    }
    app->await = await;
    if (command.kind == COMMAND_PAUSE && !app->pausing)
        app->run_to_before = before.run_to;
    app->pausing = command.kind == COMMAND_PAUSE;
    app->dirty = true;
    return true;
}

/* How the run ended, or stands, is what counts for who leaves. */
static void go_to_head(struct app *app)
{
    if (app->status.is_past && session_command(app->session, &(struct command){ .kind = COMMAND_HEAD }))
        session_status(app->session, &app->status);
}

void app_end(struct app *app, enum then then, int signal)
{
    app->then = then;
    go_to_head(app);
    if (is_ending(app)) {
        app->await = then == THEN_STAY ? app->await : AWAIT_OVER;
        return;
    }
    if (alive(app) &&
        app_command(
            app, (struct command){ .kind = COMMAND_ABORT, .signal = signal, .discard = then != THEN_STAY && !signal },
            AWAIT_OVER))
        return;
    if (then == THEN_RERUN)
        app_rerun(app);
    else if (then == THEN_QUIT)
        app->leaving = true;
}

static void kill_nodes(struct app *app, int signal)
{
    if (!alive(app))
        return;
    session_command(app->session, &(struct command){ .kind = COMMAND_KILL, .signal = signal });
    app->killed = true;
}

static void force(struct app *app, int signal)
{
    go_to_head(app);
    kill_nodes(app, signal);
    app->then = THEN_QUIT;
    app->leaving = !alive(app);
}

/* The first asks for a clean end, the second does not wait for any node. Where the run is ending already for another
 * reason, the first stops the waiting. */
static void interrupt(struct app *app)
{
    go_to_head(app);
    if (!alive(app)) {
        app->leaving = true;
    } else if (app->interrupts == 0 && is_ending(app)) {
        app->interrupts++;
        kill_nodes(app, SIGINT);
    } else if (app->interrupts++ == 0) {
        app_end(app, app->then, SIGINT);
    } else {
        force(app, SIGINT);
    }
}

static void take_signal(struct app *app, int signal)
{
    switch (signal) {
    case SIGINT:
        interrupt(app);
        break;
    case SIGTERM:
    case SIGHUP:
        if (signal == SIGHUP && app->hung_up)
            break;
        if (app->signal)
            force(app, signal);
        else
            app_end(app, THEN_QUIT, signal);
        app->signal = signal;
        break;
    case SIGQUIT:
        app->signal = signal;
        force(app, signal);
        break;
    case SIGTSTP:
        app->suspend = true;
        break;
    default: /* SIGWINCH, SIGCONT */
        app->redraw = true;
        break;
    }
    app->dirty = true;
}

void app_signals(struct app *app)
{
    for (int signal; (signal = loop_signal(app->loop)) != 0;)
        take_signal(app, signal);
}

void app_hang_up(struct app *app)
{
    if (!app->signal)
        take_signal(app, SIGHUP);
    app->hung_up = true;
}

#define CATCH_UP_BYTES (16 << 20) /* of a recorded run, at once */

bool app_work(struct app *app)
{
    bool more = find_work(app);
    if (app->status.is_recorded) {
        more |= store_catch_up(session_store(app->session), CATCH_UP_BYTES);
        more |= session_look_for_troubles(app->session, &app->dirty);
    }
    more |= export_work(app);
    struct pane *top = app->panes[app_top(app)], *events = app->panes[PANE_EVENTS];
    int64_t ms = clock_ms();
    bool due = app->status.state != SESSION_RUNNING || ms - app->worked_ms >= WORK_MS;
    app->worked_ms = due ? ms : app->worked_ms;
    if (top->ops->work && due) {
        struct view v = app_view(app);
        bool again = top->ops->work(top, &v, &app->dirty);
        more |= again && app->status.state != SESSION_RUNNING;
    }
    if (due && top != events) { /* its filter goes on below what is open */
        struct view v = app_view(app);
        more |= events->ops->work(events, &v, &app->dirty) && app->status.state != SESSION_RUNNING;
    }
    return more;
}

/* Of what is pasted, characters go to a prompt; nothing of it does anything. */
static bool is_text(uint32_t key)
{
    return key >= ' ' && key < INPUT_FIRST;
}

void app_input(struct app *app, const struct input *in)
{
    if (in->is_pasted && !(is_text(in->key) && prompt_takes_text(app->prompt)))
        return;
    app->dirty = true;
    app->message[0] = '\0';
    if (mouse_takes(in->key)) {
        struct input key = { .key = mouse_act(app, in) };
        if (key.key)
            app_input(app, &key);
        return;
    }
    enum action action = keymap_action(&app->config.keys, in->key);
    if (action == ACTION_INTERRUPT && app->prompt == PROMPT_NONE)
        interrupt(app);
    else if (action == ACTION_FORCE)
        take_signal(app, SIGQUIT);
    else if (action == ACTION_SUSPEND)
        app->suspend = true;
    else if (app->prompt == PROMPT_NONE || (!prompt_key(app, in->key) && app->prompt == PROMPT_NONE))
        app_act(app, action);
}

bool app_settled(const struct app *app)
{
    if (app->leaving || !app->session)
        return app->leaving || !app->export.active;
    enum session_state s = app->status.state;
    bool waits = app->find.searching || app->export.active || app->await != AWAIT_NOTHING || breaks_pending(app) ||
                 app->status.is_searching || app->status.is_reading;
    return !waits && app->then == THEN_STAY && s != SESSION_LOADED && s != SESSION_STARTING &&
           (s != SESSION_PAUSED || (app->status.waiting_for < 0 && !app->act.pending));
}

int app_exit_code(const struct app *app)
{
    if (app->signal)
        return 128 + app->signal;
    if (app->launch.code)
        return app->launch.code;
    if (app->status.is_recorded)
        return EXIT_FINISHED;
    if (!app->session)
        return app->problems.errors ? EXIT_INVALID : EXIT_FINISHED;
    bool untouched =
        app->status.quanta == 0 && !app->interrupts && !app->aborted && app->status.state != SESSION_FAILED;
    return untouched || !session_state_over(app->status.state) ? EXIT_FINISHED : app->status.exit_code;
}
