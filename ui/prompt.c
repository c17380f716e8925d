/* Questions on the status line, and what becomes of the answers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ui/app.h"
#include "ui/flight.h"
#include "ui/format.h"

static const struct {
    const char *text; /* %s: the node, and what its failure leads to */
    bool question;
} prompts[] = {
    [PROMPT_NONE] = { "", false },
    [PROMPT_REFUSED] = { "%s", false },
    [PROMPT_FIND] = { "Find: ", false },
    [PROMPT_STEPS] = { "How many quanta: ", false },
    [PROMPT_UNTIL] = { "Run or go back to (2.5s, +1s, -100ms): ", false },
    [PROMPT_BREAK] = { "Break at (condition or time): ", false },
    [PROMPT_FILTER] = { "Filter (empty: all): ", false },
    [PROMPT_COMMAND] = { ":", false },
    [PROMPT_EXPORT] = { "Export %s to (.txt, .json, .csv): ", false },
    [PROMPT_OVERWRITE] = { "%s is there already. Overwrite it? (y/n) ", true },
    [PROMPT_QUIT] = { "The run is not over. End it and quit? (y/n) ", true },
    [PROMPT_RERUN] = { "The run is not over. End it and start anew? (y/n) ", true },
    [PROMPT_NODE_STOP] = { "Stop %s and go on without it? (y/n) ", true },
    [PROMPT_NODE_KILL] = { "Kill %s (on_failure: %s)? (y/n) ", true },
    [PROMPT_NODE_RESTART] = { "End %s and start it anew? (y/n) ", true },
};

/* It has ended, and the run goes on without it. */
static bool is_left_out(const struct app *app, int node)
{
    struct node_status n;
    if (app->session)
        session_node(app->session, node, &n);
    return app->session && n.state == NODE_FROZEN;
}

void prompt_format(const struct app *app, struct buffer *out)
{
    if (flight_is_prompt(app->prompt)) {
        flight_format(app, out);
        return;
    }
    const struct scenario_node *n = app->scenario ? &app->scenario->nodes[app->prompt_node] : NULL;
    const char *words[] = { n ? n->id : "", n ? on_failure_name(n->on_failure) : "" };
    if (app->prompt == PROMPT_REFUSED)
        words[0] = app->refused;
    else if (app->prompt == PROMPT_EXPORT)
        words[0] = app->panes[app_top(app)]->ops->name;
    else if (app->prompt == PROMPT_OVERWRITE)
        words[0] = app->export.name;
    int next = 0;
    const char *text = prompts[app->prompt].text;
    if (app->prompt == PROMPT_NODE_RESTART && is_left_out(app, app->prompt_node))
        text = "Start %s again? (y/n) ";
    for (const char *s = text; *s; s++) {
        if (s[0] == '%')
            buffer_text(out, words[next++]);
        else
            buffer_add(out, s, 1);
        s += s[0] == '%';
    }
}

bool prompt_is_question(enum prompt prompt)
{
    return prompts[prompt].question;
}

bool prompt_takes_text(enum prompt prompt)
{
    return prompt != PROMPT_NONE && prompt != PROMPT_REFUSED && !prompt_is_question(prompt);
}

static bool outlives_run(enum prompt prompt)
{
    return prompt == PROMPT_FIND || prompt == PROMPT_COMMAND || prompt == PROMPT_EXPORT || prompt == PROMPT_OVERWRITE ||
           prompt == PROMPT_BREAK || prompt == PROMPT_FILTER || prompt == PROMPT_REFUSED;
}

void prompt_look_at_end(struct app *app)
{
    if (app->prompt == PROMPT_NONE || outlives_run(app->prompt))
        return;
    enum prompt typed = app->prompt;
    app->prompt = PROMPT_NONE;
    if (prompt_is_question(typed))
        return;
    app_say(app, ROLE_WARN, "%s while you typed; {rerun} starts it anew",
            session_state_over(app->status.state) ? "The run has ended" : "The run began to end");
    prompt_refused(app, typed); /* the rest of what is being typed is for that prompt */
}

void prompt_refused(struct app *app, enum prompt prompt)
{
    app->refused_prompt = prompt;
    snprintf(app->refused, sizeof app->refused, "%s", app->message);
    app->message[0] = '\0';
    app->prompt = PROMPT_REFUSED;
    app->prompt_error = NULL;
    editor_set(&app->editor, "");
}

const char *prompt_refuse(struct app *app, const struct condition_error *err)
{
    struct editor *e = &app->editor;
    size_t column = 1;
    for (e->cursor = 0; e->cursor < e->len && column < err->column; column++)
        do
            e->cursor++;
        while (((unsigned char)e->text[e->cursor] & 0xc0) == 0x80);
    snprintf(app->prompt_error_text, sizeof app->prompt_error_text, "%s", err->text);
    return app->prompt_error_text;
}

void prompt_open(struct app *app, enum prompt prompt)
{
    bool in_list = prompt == PROMPT_FIND && app->panes[app_top(app)]->ops->go;
    bool ends = app->status.state == SESSION_ENDING && (prompt == PROMPT_STEPS || prompt == PROMPT_UNTIL);
    bool over = prompt == PROMPT_STEPS && session_state_over(app->status.state);
    if ((!app->session && !in_list) || ends || over) {
        app_say(app, ROLE_WARN,
                !app->session ? "There is no run; {rerun} reads the file again"
                : ends        ? "The run is ending already"
                              : "The run is over; {rerun} starts it anew");
        prompt_refused(app, prompt);
        return;
    }
    app->prompt = prompt;
    app->prompt_error = NULL;
    editor_set(&app->editor, "");
    line_prompt_unlist(&app->line);
}

/* Whether this can be done to the node now; else says why not. */
static bool can_be_asked(struct app *app, enum prompt what, int node)
{
    if (!app->session || node < 0) {
        app_say(app, ROLE_WARN,
                app->session ? "No node is selected: choose one in the Nodes pane"
                             : "There is no run; {rerun} reads the file again");
        return false;
    }
    const char *id = app->scenario->nodes[node].id;
    struct session_status s;
    struct node_status n;
    session_status(app->session, &s);
    session_node(app->session, node, &n);
    if (s.is_recorded)
        app_say(app, ROLE_WARN, "This run was recorded: its nodes run no more");
    else if (session_state_over(s.state))
        app_say(app, ROLE_WARN, "The run is over; {rerun} starts it anew");
    else if (s.is_past)
        app_say(app, ROLE_WARN, "This is the past; {now} goes to where %s is now", id);
    else if (s.state == SESSION_ENDING)
        app_say(app, ROLE_WARN, "The run is ending, and %s with it", id);
    else if (s.state != SESSION_PAUSED && s.state != SESSION_RUNNING)
        app_say(app, ROLE_WARN, "That is not possible while the run is %s", session_state_name(s.state));
    else if (n.state == NODE_FROZEN && what != PROMPT_NODE_RESTART)
        app_say(app, ROLE_WARN, "%s has ended: the run goes on without it; {restart} starts it again", id);
    else if (n.state == NODE_FAILED)
        app_say(app, ROLE_WARN, "%s has failed; what becomes of it is decided at the end of this quantum", id);
    else if (n.state == NODE_STARTING && what == PROMPT_NODE_RESTART)
        app_say(app, ROLE_WARN, "%s is being started again already", id);
    else
        return true;
    return false;
}

void prompt_ask_node(struct app *app, enum prompt prompt, int node)
{
    if (!can_be_asked(app, prompt, node)) {
        prompt_refused(app, prompt);
        return;
    }
    app->prompt_node = node;
    prompt_open(app, prompt);
}

#define ACT_MS                                                                                                         \
    2000 /* a paused run does what is wanted at once; where another end of the node came first, it never will */

/* What becomes of it at the barrier is a record; the status line tells of it until it is so. */
static void command_node(struct app *app, enum prompt question)
{
    static const enum command_kind kinds[] = { [PROMPT_NODE_STOP] = COMMAND_NODE_STOP,
                                               [PROMPT_NODE_KILL] = COMMAND_NODE_KILL,
                                               [PROMPT_NODE_RESTART] = COMMAND_NODE_RESTART };
    struct node_status n;
    struct command command = { .kind = kinds[question], .node = app->prompt_node };
    if (!can_be_asked(app, question, app->prompt_node))
        return;
    session_node(app->session, app->prompt_node, &n);
    if (!session_command(app->session, &command)) {
        app_say(app, ROLE_WARN, "That cannot be done to %s before the next barrier",
                app->scenario->nodes[app->prompt_node].id);
        return;
    }
    app->act = (struct node_act){ .pending = true,
                                  .kind = command.kind,
                                  .node = command.node,
                                  .restarts = n.restarts,
                                  .was_left_out = n.state == NODE_FROZEN,
                                  .asked_ms = clock_ms() };
}

void prompt_do_to_node(struct app *app, enum prompt prompt, int node)
{
    app->prompt_node = node;
    command_node(app, prompt);
}

void prompt_look_at_act(struct app *app)
{
    struct node_act *act = &app->act;
    const char *id = app->scenario->nodes[act->node].id;
    struct node_status n;
    session_node(app->session, act->node, &n);
    bool answers = n.state == NODE_IDLE || n.state == NODE_BUSY || n.state == NODE_PAUSED;
    bool is_new = n.restarts != act->restarts, is_out = n.state == NODE_FROZEN && (is_new || !act->was_left_out);
    bool paused = app->status.state == SESSION_PAUSED;
    if (!paused && app->status.state != SESSION_RUNNING)
        act->pending = false; /* the run is over, and with it what was wanted */
    else if (act->kind == COMMAND_NODE_RESTART && answers && is_new)
        app_say(app, ROLE_INFO, "%s was started anew", id);
    else if (act->kind == COMMAND_NODE_RESTART && is_out)
        app_say(app, ROLE_WARN, "%s failed when it was started anew; the run goes on without it", id);
    else if (act->kind == COMMAND_NODE_STOP && is_out)
        app_say(app, ROLE_INFO, "%s is stopped; the run goes on without it", id);
    else if (act->kind == COMMAND_NODE_KILL && is_out)
        app_say(app, ROLE_INFO, "%s was killed; the run goes on without it", id);
    else if (act->kind == COMMAND_NODE_KILL && answers && is_new)
        app_say(app, ROLE_INFO, "%s was killed, and started anew", id);
    else if (!paused || n.state == NODE_FAILED || n.state == NODE_STARTING || clock_ms() - act->asked_ms < ACT_MS)
        return;
    act->pending = false;
}

/* What is wrong with the number, or NULL and the command is given. */
static const char *take_steps(struct app *app, const char *text)
{
    char *end;
    text += strspn(text, " ");
    unsigned long long count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || count == 0)
        return "that is no whole number above 0";
    app_command(app, (struct command){ .kind = COMMAND_STEP, .count = count }, AWAIT_PAUSE);
    return NULL;
}

const char *until_take(struct app *app, const char *text)
{
    const char *why = NULL;
    simtime time;
    text += strspn(text, " ");
    simtime now = app->status.now;
    bool forward = *text == '+', back = *text == '-';
    if (simtime_parse(text + (forward || back), 1000000, &time, &why) != 0)
        return why;
    if (forward)
        time = time > SIMTIME_MAX - now ? SIMTIME_MAX : time + now;
    if (back)
        time = time > now ? 0 : now - time;
    bool is_past = time <= app->status.head || session_state_over(app->status.state) || app->status.is_recorded;
    if (is_past && app->status.state == SESSION_RUNNING)
        return "that time has passed; pause the run to look back";
    app_command(app, (struct command){ .kind = is_past ? COMMAND_VIEW : COMMAND_RUN_TO, .time = time },
                is_past ? AWAIT_NOTHING : AWAIT_PAUSE);
    if (is_past)
        app_say_over(app, time);
    return NULL;
}

static void accept(struct app *app)
{
    const char *text = app->editor.text;
    app->editor.selected = false; /* it may have to be mended */
    switch (app->prompt) {
    case PROMPT_FIND:
        find_start(app, text);
        break;
    case PROMPT_STEPS:
        app->prompt_error = take_steps(app, text);
        break;
    case PROMPT_UNTIL:
        app->prompt_error = until_take(app, text);
        break;
    case PROMPT_BREAK:
        app->prompt_error = breaks_take(app, text);
        break;
    case PROMPT_FILTER:
        app->prompt_error = filter_take(app, text);
        break;
    default:
        app->prompt_error = flight_accept(app);
        break;
    }
    if (!app->prompt_error)
        app->prompt = PROMPT_NONE;
}

static bool is_yes(enum prompt question, uint32_t key)
{
    static const uint32_t again[] = {
        [PROMPT_QUIT] = 'q',      [PROMPT_RERUN] = 'R',        [PROMPT_NODE_STOP] = 'x',
        [PROMPT_NODE_KILL] = 'X', [PROMPT_NODE_RESTART] = 'r',
    };
    return key == 'y' || key == 'Y' || key == INPUT_ENTER || key == again[question];
}

/* What says why something is not asked stays until it is closed, as long as the keys may be an answer that was typed
 * ahead: to a question one of a few keys, else a text. Any other key closes it and is for what is below. */
static bool refused_key(struct app *app, uint32_t key)
{
    bool question = prompt_is_question(app->refused_prompt);
    bool closes = key == INPUT_ESC || key == INPUT_ENTER || key == 3;
    bool answers = question ? is_yes(app->refused_prompt, key) || key == 'n' || key == 'N'
                            : (key >= ' ' && key < INPUT_FIRST) || key == INPUT_TAB || editor_key(&app->editor, key);
    if (closes || question || !answers)
        app->prompt = PROMPT_NONE;
    return closes || answers;
}

static void answer(struct app *app, uint32_t key)
{
    enum prompt question = app->prompt;
    bool of_node = question >= PROMPT_NODE_STOP;
    bool quit_now = key == 'Q' && !of_node;
    app->prompt = PROMPT_NONE;
    if (!is_yes(question, key) && !quit_now)
        return;
    if (of_node)
        command_node(app, question);
    else
        app_end(app, question == PROMPT_QUIT || quit_now ? THEN_QUIT : THEN_RERUN, 0);
}

bool prompt_key(struct app *app, uint32_t key)
{
    if (app->prompt == PROMPT_REFUSED)
        return refused_key(app, key);
    if (app->prompt == PROMPT_COMMAND || app->prompt == PROMPT_EXPORT) {
        line_prompt_key(app, key);
        return true;
    }
    if (app->prompt == PROMPT_OVERWRITE) {
        export_answer(app, key);
        return true;
    }
    if (prompt_is_question(app->prompt)) {
        answer(app, key);
        return true;
    }
    app->prompt_error = NULL;
    if (key == INPUT_TAB && line_prompt_completes(app)) {
        line_prompt_complete(app);
        return true;
    }
    line_prompt_unlist(&app->line);
    if (key == INPUT_ESC || key == 3)
        app->prompt = PROMPT_NONE;
    else if (key == INPUT_ENTER)
        accept(app);
    else if (key == INPUT_UP && app->prompt == PROMPT_FILTER)
        editor_set(&app->editor, app->filter_last);
    else
        return editor_key(&app->editor, key);
    return true;
}
