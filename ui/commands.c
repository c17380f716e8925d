/* The table of commands, and what those do that are more than a key. */
#include "ui/commands.h"

#include <stdio.h>
#include <string.h>

#include "lockstep/condition_words.h"
#include "ui/app.h"
#include "ui/flight.h"

static bool run_pause(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)call, (void)err;
    struct session_status now = { .state = SESSION_LOADED };
    if (app->session)
        session_status(app->session, &now);
    if (now.state == SESSION_PAUSED && !now.is_searching)
        app_say(app, ROLE_INFO, "The run is paused already");
    else
        app_command(app, (struct command){ .kind = COMMAND_PAUSE }, AWAIT_PAUSE);
    return true;
}

static bool run_step(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    uint64_t count = call->count ? call->values[0].count : 1;
    app_command(app, (struct command){ .kind = COMMAND_STEP, .count = count }, AWAIT_PAUSE);
    return true;
}

/* What is wrong with the rest of the line, for those whose questions take it as well; a column in it is that of the
 * rest. */
static bool answered(const char *why, const struct command_value *v, struct command_error *err)
{
    size_t column = 1;
    int skip = 0;
    if (!why)
        return true;
    if (sscanf(why, "column %zu: %n", &column, &skip) < 1 || !skip)
        column = 1;
    return command_refuse(err, v->column + column - 1, "%s", why + skip);
}

static bool run_until(struct app *app, const struct command_call *call, struct command_error *err)
{
    return answered(until_take(app, call->values[0].text), &call->values[0], err);
}

static bool run_break(struct app *app, const struct command_call *call, struct command_error *err)
{
    app->break_id = 0;
    if (call->count)
        return answered(breaks_take(app, call->values[0].text), &call->values[0], err);
    app_open(app, PANE_BREAKS);
    return true;
}

static bool run_filter(struct app *app, const struct command_call *call, struct command_error *err)
{
    const char *text = call->count ? call->values[0].text : "";
    return answered(filter_take(app, text), &call->values[0], err);
}

static bool run_watch(struct app *app, const struct command_call *call, struct command_error *err)
{
    if (call->count)
        return answered(watch_take(app, call->values[0].text), &call->values[0], err);
    if (app->session)
        app_open(app, PANE_WATCHES);
    return true;
}

static bool run_unwatch(struct app *app, const struct command_call *call, struct command_error *err)
{
    const struct command_value *v = &call->values[0];
    return watch_remove(app, v->text) ||
           command_refuse(err, v->column, "there is no such watch; expected its number, or all");
}

static bool run_step_back(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    uint64_t count = call->count ? call->values[0].count : 1;
    app_command(app, (struct command){ .kind = COMMAND_BACK, .count = count }, AWAIT_NOTHING);
    return true;
}

static bool run_bisect(struct app *app, const struct command_call *call, struct command_error *err)
{
    const struct command_value *v = &call->values[0];
    struct condition_error wrong;
    struct condition *c = condition_parse(v->text, &wrong);
    condition_free(c);
    if (!c)
        return answered(wrong.text, v, err);
    app_command(app, (struct command){ .kind = COMMAND_VIEW_WHERE, .text = v->text }, AWAIT_NOTHING);
    return true;
}

static bool run_flight(struct app *app, const struct command_call *call, struct command_error *err)
{
    for (size_t i = 0; i < flight_command_count; i++)
        if (!strcmp(flight_commands[i].name, call->row->name))
            return answered(flight_commands[i].run(app, call->values[0].text), &call->values[0], err);
    return true;
}

static bool run_uart(struct app *app, const struct command_call *call, struct command_error *err)
{
    struct command c = { .kind = COMMAND_NODE_TEXT, .node = call->values[0].node, .text = call->values[1].text };
    const char *id = app->scenario->nodes[c.node].id;
    if (app->scenario->nodes[c.node].implementation != IMPLEMENTATION_RENODE)
        return command_refuse(err, call->values[0].column, "%s is no node in Renode: it has no UART", id);
    if (app_command(app, c, AWAIT_NOTHING))
        app_say(app, ROLE_INFO, "Typed to %s", id);
    return true;
}

static bool run_pace(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    double pace = call->values[0].number;
    if (!app_command(app, (struct command){ .kind = COMMAND_PACE, .pace = pace }, app->await))
        return true;
    if (pace > 0)
        app_say(app, ROLE_INFO, "At %g times real time from now on", pace);
    else
        app_say(app, ROLE_INFO, "As fast as it goes from now on");
    return true;
}

static bool run_stop(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    prompt_do_to_node(app, PROMPT_NODE_STOP, call->values[0].node);
    return true;
}

static bool run_kill(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    prompt_do_to_node(app, PROMPT_NODE_KILL, call->values[0].node);
    return true;
}

static bool run_restart(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    prompt_do_to_node(app, PROMPT_NODE_RESTART, call->values[0].node);
    return true;
}

static bool is_there(struct app *app)
{
    if (!app->session)
        app_say(app, ROLE_WARN, "There is no run; {rerun} reads the file again");
    return app->session;
}

static bool run_node(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    if (is_there(app)) {
        pane_detail_show(app->panes[PANE_DETAIL], call->values[0].node);
        app_open(app, PANE_DETAIL);
    }
    return true;
}

static bool run_log(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    if (is_there(app)) {
        pane_log_show(app->panes[PANE_LOG], call->values[0].node);
        app_open(app, PANE_LOG);
    }
    return true;
}

static bool run_find(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    find_start(app, call->values[0].text);
    return true;
}

static bool run_find_previous(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)call, (void)err;
    find_next(app, true);
    return true;
}

#define PANE_WORDS "nodes events health barrier detail" /* in the order of their keys */

static bool run_pane(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    app_act(app, (enum action)(ACTION_PANE_1 + call->values[0].word));
    return true;
}

static bool run_export(struct app *app, const struct command_call *call, struct command_error *err)
{
    const char *why = export_begin(app, call->values[0].text);
    return !why || command_refuse(err, call->values[0].column, "%s", why);
}

static bool run_help(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)err;
    const struct command_row *row = call->count ? command_find(&command_table, call->values[0].text) : NULL;
    if (row) {
        struct buffer usage = { 0 };
        command_usage(row, &usage);
        app_say(app, ROLE_INFO, "%s: %s", buffer_string(&usage), row->help);
        buffer_free(&usage);
        return true;
    }
    pane_help_show(app->panes[PANE_HELP], true);
    app_open(app, PANE_HELP);
    return true;
}

static bool run_keys(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)call, (void)err;
    pane_help_show(app->panes[PANE_HELP], false);
    app_open(app, PANE_HELP);
    return true;
}

/* In the order of the help. */
/* clang-format off */
#define ONE(of, called)   { { .kind = (of), .name = (called) } }
#define MAYBE(of, called) { { .kind = (of), .name = (called), .optional = true } }
#define CONDITION(is_optional, called, asks) \
    { { .kind = ARGUMENT_CONDITION, .name = (called), .optional = (is_optional), .needs = (asks) } }

static const struct command_row rows[] = {
    { "run", "continue c", .help = "run on to the end", .action = ACTION_CONTINUE },
    { "pause", NULL, .help = "pause at the end of this quantum", .run = run_pause },
    { "step", "s", MAYBE(ARGUMENT_COUNT, "N"), .help = "one quantum, or N", .run = run_step },
    { "next", NULL, .help = "to the next quantum in which something happens", .action = ACTION_NEXT },
    { "until", "u", ONE(ARGUMENT_TIME, "T"), .help = "run until a time, or go back to it: 2.5s, +1s, -1s",
      .run = run_until },
    { "break", "b",
      { { .kind = ARGUMENT_CONDITION, .name = "COND", .optional = true, .needs = CONDITION_ANY, .is_break = true } },
      .help = "pause at a condition or a time; or the list",
      .run = run_break },
    { "step-back", NULL, MAYBE(ARGUMENT_COUNT, "N"), .help = "one quantum back, or N: the run as it was",
      .run = run_step_back },
    { "next-back", NULL, .help = "back to where something happened before", .action = ACTION_BACK_NEXT },
    { "run-back", NULL, .help = "back to the breakpoint before, or to the begin", .action = ACTION_BACK_RUN },
    { "view", NULL, .help = "to the moment of the selected event", .action = ACTION_VIEW },
    { "now", NULL, .help = "to the last moment, where the nodes are", .action = ACTION_HEAD },
    { "bisect", NULL, CONDITION(false, "COND", CONDITION_ANY), .help = "to the first quantum in which a condition held",
      .run = run_bisect },
    { "timeline", NULL, .help = "each node over time", .action = ACTION_TIMELINE },
    { "chain", NULL, .help = "what a message came of, and what came of it", .action = ACTION_CHAIN },
    { "watch", NULL, CONDITION(true, "FIELD", 0), .help = "a field's value per node [where COND]; or the list",
      .run = run_watch },
    { "unwatch", NULL, ONE(ARGUMENT_TEXT, "N|all"), .help = "remove a watch, or all", .run = run_unwatch },
    { "pace", NULL, ONE(ARGUMENT_NUMBER, "X"), .help = "X times real time; 0: as fast as it goes",
      .run = run_pace },
    { "abort", NULL, .help = "end the run here, cleanly", .action = ACTION_ABORT },
    { "rerun", NULL, .help = "read the file again, start anew, paused", .action = ACTION_RERUN },
    { "stop", NULL, ONE(ARGUMENT_NODE, "NODE"), .help = "stop a node; the run goes on without it", .run = run_stop },
    { "kill", NULL, ONE(ARGUMENT_NODE, "NODE"), .help = "kill a node: a failure; its on_failure decides",
      .run = run_kill },
    { "restart", NULL, ONE(ARGUMENT_NODE, "NODE"), .help = "end a node and start it anew; also a stopped one",
      .run = run_restart },
    { "uart", NULL, { { .kind = ARGUMENT_NODE, .name = "NODE" }, { .kind = ARGUMENT_TEXT, .name = "LINE" } },
      .help = "type a line to the UART of a node in Renode", .run = run_uart },
    { "flight", NULL, .help = "the messages in flight, and back", .action = ACTION_FLIGHT },
    { "drop", NULL, ONE(ARGUMENT_MESSAGE, "ID"), .help = "a message in flight will not arrive", .run = run_flight },
    { "delay", NULL, ONE(ARGUMENT_MESSAGE, "ID T"), .help = "it arrives so much later, or at a time: 7 to 2.5s",
      .run = run_flight },
    { "copy", NULL, ONE(ARGUMENT_MESSAGE, "ID"), .help = "it arrives once more", .run = run_flight },
    { "edit", NULL, ONE(ARGUMENT_MESSAGE, "ID JSON"), .help = "its payload is another one", .run = run_flight },
    { "inject", NULL, ONE(ARGUMENT_ROUTE, "SRC DST TYPE [JSON] [at T]"),
      .help = "a new message arrives, now or at a time", .run = run_flight },
    { "link", NULL,
      { { .kind = ARGUMENT_ROUTE, .name = "SRC DST [latency T] [loss P]", .words = FLIGHT_LINK_WORDS } },
      .help = "a link's latency and loss from now on",
      .run = run_flight },
    { "save-faults", NULL, ONE(ARGUMENT_FILE, "FILE"), .help = "save what was done by hand, to repeat it in batch",
      .run = run_flight },
    { "node", NULL, ONE(ARGUMENT_NODE, "NODE"), .help = "the details of a node", .run = run_node },
    { "log", NULL, ONE(ARGUMENT_NODE, "NODE"), .help = "what a node wrote", .run = run_log },
    { "pane", NULL, { { .kind = ARGUMENT_WORD, .name = "NAME", .words = PANE_WORDS } },
      .help = "go to a pane: " PANE_WORDS,
      .run = run_pane },
    { "sort-next", NULL, .help = "sort by the next column", .action = ACTION_SORT_NEXT },
    { "sort-previous", NULL, .help = "sort by the column before", .action = ACTION_SORT_PREVIOUS },
    { "sort-reverse", NULL, .help = "the other way around", .action = ACTION_SORT_REVERSE },
    { "export", NULL, ONE(ARGUMENT_FILE, "FILE"),
      .help = "write what the pane shows: .txt, .json or .csv", .run = run_export },
    { "find", NULL, CONDITION(false, "TEXT", 0), .help = "find a text in the focused list, or in all events",
      .run = run_find },
    { "find-next", NULL, .help = "the next match", .action = ACTION_FIND_NEXT },
    { "find-previous", NULL, .help = "the match before", .run = run_find_previous },
    { "filter", NULL, CONDITION(true, "COND", 0), .help = "only events for which a condition holds; or all",
      .run = run_filter },
    { "follow", NULL, .help = "follow the newest event or line, or stay", .action = ACTION_FOLLOW },
    { "zoom", NULL, .help = "the pane alone on the screen, and back", .action = ACTION_ZOOM },
    { "fold", NULL, .help = "fold or unfold the tier", .action = ACTION_FOLD },
    { "warnings", NULL, .help = "problems and warnings, and back", .action = ACTION_PROBLEMS },
    { "back", NULL, .help = "close what is open, end the find", .action = ACTION_BACK },
    { "redraw", NULL, .help = "draw the screen anew", .action = ACTION_REDRAW },
    { "help", NULL, MAYBE(ARGUMENT_COMMAND, "COMMAND"), .help = "the commands, or what one does",
      .run = run_help },
    { "keys", NULL, .help = "the keys", .run = run_keys },
    { "quit", "q", .help = "quit (asks while the run is not over)", .action = ACTION_QUIT },
    { "quit-now", "quit! q!", .help = "quit at once, still cleanly", .action = ACTION_QUIT_NOW },
};
/* clang-format on */
const struct command_table command_table = { rows, sizeof rows / sizeof *rows };

bool command_do(struct app *app, const char *line, struct command_error *err)
{
    struct command_call call;
    if (!command_parse(&command_table, app->scenario, line, &call, err))
        return false;
    if (!call.row)
        return true;
    if (call.row->run)
        return call.row->run(app, &call, err);
    app_act(app, call.row->action);
    return true;
}
