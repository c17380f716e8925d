/* Breakpoints at the keys: adding and editing them, and what is told when one was reached. */
#include <string.h>

#include "lockstep/condition_words.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/format.h"

static struct breakpoints *all_of(const struct app *app)
{
    return app->options->session.breakpoints;
}

void breaks_open(struct app *app)
{
    prompt_open(app, PROMPT_BREAK);
    if (app->prompt != PROMPT_BREAK)
        return;
    app->break_id = 0;
    app_open(app, PANE_BREAKS);
    size_t count = breakpoints_count(all_of(app));
    app->panes[PANE_BREAKS]->list.cursor = count ? count - 1 : 0;
}

void breaks_edit(struct app *app)
{
    struct breakpoint b;
    if (!breakpoints_get(all_of(app), (size_t)app->panes[PANE_BREAKS]->list.cursor, &b))
        return;
    prompt_open(app, PROMPT_BREAK);
    app->break_id = b.id;
    editor_offer(&app->editor, b.text);
}

/* A time from here, "+1s", as one from the start; others stay as they are. False: it is over. */
static bool make_absolute(const struct app *app, const char *text, char *out, size_t size)
{
    const char *why;
    simtime time;
    text += strspn(text, " ");
    snprintf(out, size, "%s", text);
    if (simtime_parse(text, 1000000, &time, &why) < 0)
        return true;
    if (*text == '+') {
        time = time > SIMTIME_MAX - app->status.now ? SIMTIME_MAX : time + app->status.now;
        char absolute[SIMTIME_TEXT];
        simtime_format(time, absolute);
        snprintf(out, size, "%s", absolute);
    }
    return time > app->status.now || session_state_over(app->status.state);
}

/* Of the one that was made or changed: what it may have been meant to say. */
static void say_hint(struct app *app)
{
    char hint[CONDITION_HINT];
    struct breakpoint b;
    size_t i = app->break_id ? 0 : breakpoints_count(all_of(app)) - 1; /* a new one is the last */
    while (breakpoints_get(all_of(app), i, &b) && app->break_id && b.id != app->break_id)
        i++;
    if (condition_text_hint(b.condition, hint))
        app_say(app, ROLE_WARN, "%s", hint);
}

const char *breaks_take(struct app *app, const char *text)
{
    char absolute[sizeof app->editor.text + SIMTIME_TEXT];
    struct condition_error err;
    if (!text[strspn(text, " ")])
        return NULL;
    if (!make_absolute(app, text, absolute, sizeof absolute))
        return "that time has passed";
    bool good = true;
    if (app->break_id)
        good = breakpoints_change(all_of(app), app->break_id, absolute, &err);
    else
        good = breakpoints_add(all_of(app), absolute, BREAKPOINT_PAUSE, &err) >= 0;
    if (!good)
        return prompt_refuse(app, &err);
    if (!app->break_id)
        app->panes[PANE_BREAKS]->list.cursor = breakpoints_count(all_of(app)) - 1;
    say_hint(app);
    return NULL;
}

bool breaks_pending(const struct app *app)
{
    return app->session && breakpoints_hit(all_of(app))->serial != app->break_seen;
}

static void say_hit(struct app *app, const struct breakpoint_hit *hit)
{
    char n[FORMAT_TEXT], others[40] = "";
    if (hit->others)
        snprintf(others, sizeof others, ", and %d more", hit->others);
    if (!hit->id && hit->is_time)
        app_say(app, ROLE_WARN, "Nowhere up to %s: %.150s", format_typed(app->status.head, n), hit->text);
    else if (!hit->id)
        app_say(app, ROLE_INFO, "First with record %s: %.150s", format_count(hit->record, n), hit->text);
    else if (hit->is_log)
        app_say(app, ROLE_INFO, "%s %d%s: %.150s", hit->action == BREAKPOINT_NOTE ? "Noted" : "Break", hit->id, others,
                hit->line);
    else if (hit->is_time)
        app_say(app, ROLE_INFO, "Break %d: reached %.150s%s", hit->id, hit->text, others);
    else if (hit->action == BREAKPOINT_NOTE)
        app_say(app, ROLE_INFO, "Noted record %s%s: %.150s", format_count(hit->record, n), others, hit->text);
    else
        app_say(app, ROLE_INFO, "Break %d, record %s%s: %.150s", hit->id, format_count(hit->record, n), others,
                hit->text);
}

/* Those of breakpoints that were reached, one after the other; then the run goes on, where no other one pauses it. */
static void do_commands(struct app *app, const struct breakpoint_hit *hit)
{
    char lines[BREAKPOINT_COMMANDS_MAX];
    bool goes_on = hit->action == BREAKPOINT_COMMAND;
    snprintf(lines, sizeof lines, "%s", hit->commands);
    for (char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct command_error err;
        *end = '\0';
        if (!command_do(app, line, &err)) {
            app_say(app, ROLE_WARN, "Break %d: %.100s: column %zu: %.150s", hit->id, line, err.column, err.text);
            return; /* and pauses: what was wanted was not done */
        }
    }
    struct session_status now = { .state = SESSION_LOADED };
    if (app->session)
        session_status(app->session, &now);
    if (goes_on && now.state == SESSION_PAUSED &&
        app_command(app, (struct command){ .kind = COMMAND_RUN }, AWAIT_NOTHING))
        session_status(app->session, &app->status);
}

void breaks_look(struct app *app)
{
    const struct breakpoint_hit *hit = breakpoints_hit(all_of(app));
    bool over = session_state_over(app->status.state);
    bool of_record = !hit->is_time && !hit->is_log;
    if (!breaks_pending(app) || (hit->record >= app->status.records && of_record && !over))
        return; /* its record is not to be read before the barrier is over */
    if (*hit->commands && app->status.state == SESSION_RUNNING)
        return; /* it pauses at once: commands are for a run that stands */
    app->break_seen = hit->serial;
    say_hit(app, hit);
    bool goes_on = hit->action <= BREAKPOINT_COMMAND;
    do_commands(app, hit);
    if (goes_on || !of_record)
        return;
    struct pane *events = app->panes[PANE_EVENTS];
    struct view v = app_view(app);
    struct filter *filter = pane_events_filtered(events);
    if (filter && !filter_holds(filter, v.store, hit->record))
        pane_events_filter(events, &v, NULL); /* it would not be in sight */
    pane_events_go(events, hit->record);
    app->focus = PANE_EVENTS;
    if (app->open_count && app_top(app) == PANE_BREAKS && app->prompt == PROMPT_NONE)
        app->open_count--; /* it would stand before the record */
}
