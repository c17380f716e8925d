/* Looks for a text through all records of the run, a slice at a time, around its end; or in the log that is open. */
#include <stdio.h>
#include <string.h>

#include "ui/app.h"

#define SLICE 10000 /* records that are looked through at a time */

/* From record `at` on; beyond the last one: around the end (backward: around the start). */
static void begin(struct app *app, bool backward, uint64_t at)
{
    struct find *f = &app->find;
    uint64_t count = store_count(session_store(app->session));
    f->searching = count > 0;
    f->backward = backward;
    f->wrapped = at >= count;
    f->at = !f->wrapped ? at : backward && count ? count - 1 : 0;
    f->start = !f->wrapped ? at : backward ? 0 : count;
    if (!count)
        app_say(app, ROLE_WARN, "There are no events yet");
}

static void say_found(struct app *app, bool around)
{
    const struct find *f = &app->find;
    if (around)
        app_say(app, ROLE_INFO, f->backward ? "Found '%s', around the start" : "Found '%s', around the end", f->text);
    else
        app_say(app, ROLE_INFO, "Found '%s'; n the next, N the one before, Esc ends", f->text);
}

/* The log is in memory: there is nothing to wait for. */
static void find_in_log(struct app *app, bool backward)
{
    bool around;
    app->find.backward = backward;
    app->find.searching = false;
    if (pane_log_find(app->panes[PANE_LOG], app->find.text, backward, &around))
        say_found(app, around);
    else
        app_say(app, ROLE_WARN, "No match for '%s' in this log", app->find.text);
}

void find_start(struct app *app, const char *text)
{
    struct find *f = &app->find;
    f->active = *text != '\0';
    f->searching = false;
    snprintf(f->text, sizeof f->text, "%s", text);
    if (!f->active)
        return;
    if (app_top(app) == PANE_LOG) {
        find_in_log(app, false);
        return;
    }
    if (app_top(app) >= MAIN_PANES)
        app->open_count = 0;
    app->focus = PANE_EVENTS;
    begin(app, false, app->panes[PANE_EVENTS]->list.cursor);
}

void find_next(struct app *app, bool backward)
{
    uint64_t cursor = app->panes[PANE_EVENTS]->list.cursor;
    if (!app->find.active) {
        app_say(app, ROLE_WARN, "Nothing is being looked for: / finds a text");
        return;
    }
    if (app_top(app) == PANE_LOG) {
        find_in_log(app, backward);
        return;
    }
    if (app_top(app) == PANE_RECORD)
        app->open_count--;
    begin(app, backward, !backward ? cursor + 1 : cursor ? cursor - 1 : UINT64_MAX);
}

static void found(struct app *app, uint64_t n)
{
    struct find *f = &app->find;
    f->searching = false;
    pane_events_go(app->panes[PANE_EVENTS], n);
    say_found(app, f->wrapped);
}

/* At an end of the records: around it once, or that was it. */
static void around(struct app *app, uint64_t count)
{
    struct find *f = &app->find;
    if (f->wrapped || !count) {
        f->searching = false;
        app_say(app, ROLE_WARN, "No match for '%s'", f->text);
        return;
    }
    f->wrapped = true;
    f->at = f->backward ? count - 1 : 0;
}

bool find_work(struct app *app)
{
    struct find *f = &app->find;
    if (!f->searching)
        return false;
    struct store *store = session_store(app->session);
    uint64_t count = store_count(store);
    struct store_query query = { .text = f->text };
    switch (store_find(store, &query, f->backward, SLICE, &f->at)) {
    case STORE_FOUND:
        found(app, f->at);
        break;
    case STORE_NOT_FOUND:
        around(app, count);
        break;
    case STORE_MORE:
        if (f->wrapped && (f->backward ? f->at < f->start : f->at > f->start))
            around(app, count);
        break;
    }
    app->dirty = true;
    return f->searching;
}
