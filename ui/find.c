/* Looks for a text through the list that has the focus or the log that is open; or through all records of the run, a
 * slice at a time. Around the end. */
#include <stdio.h>
#include <string.h>

#include "lockstep/condition_words.h"
#include "ui/app.h"
#include "ui/format.h"

#define SLICE 10000 /* records that are looked through at a time */

static uint64_t selected(const struct app *app)
{
    uint64_t n = 0;
    pane_events_selected(app->panes[PANE_EVENTS], &n);
    return n;
}

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
        app_say(app, ROLE_INFO, "Found '%s'; {find-next} the next, {step-n} the one before, {back} ends", f->text);
}

/* Where all matches are counted: "Found 'gw', 3 of 17". */
static void say_rank(struct app *app, uint64_t rank, uint64_t count, bool around)
{
    const struct find *f = &app->find;
    char x[FORMAT_TEXT], y[FORMAT_TEXT];
    app_say(app, ROLE_INFO,
            !around       ? "Found '%s', %s of %s; {find-next} the next, {step-n} the one before, {back} ends"
            : f->backward ? "Found '%s', %s of %s, around the start"
                          : "Found '%s', %s of %s, around the end",
            f->text, format_count(rank, x), format_count(count, y));
}

/* The log is in memory: there is nothing to wait for. */
static void find_in_log(struct app *app, bool backward)
{
    bool around;
    uint64_t rank = 0;
    app->find.backward = backward;
    app->find.searching = false;
    uint64_t count = pane_log_find(app->panes[PANE_LOG], app->find.text, backward, &around, &rank);
    if (count)
        say_rank(app, rank, count, around);
    else
        app_say(app, ROLE_WARN, "No match for '%s' in this log", app->find.text);
}

void find_end(struct app *app)
{
    condition_free(app->find.condition);
    app->find = (struct find){ 0 };
}

/* A text that is a condition with a comparison or a function in it is taken as one. */
static struct condition *condition_in(const char *text)
{
    struct condition_error err;
    return strpbrk(text, "=<>(") ? condition_parse(text, &err) : NULL;
}

/* A condition that goes by more than the record itself is no text that somebody looks for. */
static bool refuse(struct app *app)
{
    char text[KEYMAP_TEXT];
    const char *why = app->find.condition ? filter_refuses(app->find.condition, &app->config.keys, text) : NULL;
    if (!why)
        return false;
    app_say(app, ROLE_WARN, "%s", why);
    find_end(app);
    return true;
}

/* The list that has the focus, where it is one that find looks through; else NULL. */
static struct pane *list_of(const struct app *app)
{
    struct pane *p = app->panes[app_top(app)];
    return p->ops->go && p->ops->export ? p : NULL;
}

struct matches {
    uint64_t count;
    uint64_t first, last, before, behind; /* rows; before and behind the present one */
    uint64_t rank_before, rank_behind;    /* from 1; 0: there is none */
};

static struct matches look_through(struct app *app, struct pane *p, uint64_t at, bool inclusive)
{
    struct matches m = { 0 };
    struct view v = app_view(app);
    struct table_row row = { 0 };
    for (uint64_t n = 0; p->ops->export(p, &v, n, &row); n++, table_clear(&row)) {
        if (row.part || !table_matches(&row, app->find.text))
            continue;
        m.first = m.count++ ? m.first : n;
        m.last = n;
        if (n < at) {
            m.before = n;
            m.rank_before = m.count;
        } else if ((n > at || inclusive) && !m.rank_behind) {
            m.behind = n;
            m.rank_behind = m.count;
        }
    }
    table_row_free(&row);
    return m;
}

/* Lists are in memory: all matches are counted. Returns whether there is one. */
static bool find_in_list(struct app *app, struct pane *p, bool backward, bool inclusive)
{
    struct find *f = &app->find;
    struct view v = app_view(app);
    bool has_cursor = p->ops->go == pane_go, was_here = f->in_list == p;
    uint64_t at = has_cursor ? p->list.cursor : was_here ? f->row : 0;
    struct matches m = look_through(app, p, at, inclusive || (!has_cursor && !was_here));
    f->searching = false;
    f->in_list = m.count ? p : NULL;
    if (!m.count)
        return false;
    bool around = backward ? !m.rank_before : !m.rank_behind;
    f->row = backward ? (around ? m.last : m.before) : around ? m.first : m.behind;
    uint64_t n = backward ? (around ? m.count : m.rank_before) : around ? 1 : m.rank_behind;
    p->ops->go(p, &v, f->row);
    f->backward = backward;
    say_rank(app, n, m.count, around);
    return true;
}

/* Returns whether that was all: what lies above the panes is not left for the events. */
static bool done_in_list(struct app *app, bool backward, bool inclusive)
{
    struct pane *p = list_of(app);
    if (p && find_in_list(app, p, backward, inclusive))
        return true;
    if (app->session && (!p || app_top(app) < MAIN_PANES))
        return false;
    app_say(app, ROLE_WARN, "No match for '%s' here", app->find.text);
    return true;
}

void find_start(struct app *app, const char *text)
{
    struct find *f = &app->find;
    find_end(app);
    f->active = *text != '\0';
    snprintf(f->text, sizeof f->text, "%s", text);
    if (!f->active)
        return;
    if (app_top(app) != PANE_LOG)
        f->condition = condition_in(text);
    if (refuse(app))
        return;
    if (app_top(app) == PANE_LOG) {
        find_in_log(app, false);
        return;
    }
    f->in_list = NULL;
    if (!f->condition && done_in_list(app, false, true))
        return;
    if (app_top(app) >= MAIN_PANES)
        app->open_count = 0;
    app->focus = PANE_EVENTS;
    begin(app, false, selected(app));
}

void find_next(struct app *app, bool backward)
{
    uint64_t cursor = selected(app);
    if (!app->find.active || (!app->session && !list_of(app))) {
        app_say(app, ROLE_WARN, "Nothing is being looked for: {find} finds a text");
        return;
    }
    if (app_top(app) == PANE_LOG) {
        find_in_log(app, backward);
        return;
    }
    if (!app->find.condition && done_in_list(app, backward, false))
        return;
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
        char hint[CONDITION_HINT];
        bool is_told = f->condition && condition_hint(f->condition, hint);
        app_say(app, ROLE_WARN, "No match for '%s'%s%s", f->text, is_told ? ": " : "", is_told ? hint : "");
        return;
    }
    f->wrapped = true;
    f->at = f->backward ? count - 1 : 0;
}

/* Of the find and of the filter; NULL: there is none. */
struct both {
    struct condition *find;
    struct store_query filter;
};

static bool hold_both(void *data, const struct record *r)
{
    const struct both *both = data;
    return (!both->find || condition_matches(both->find, r, NULL)) &&
           (!both->filter.holds || both->filter.holds(both->filter.data, r));
}

static bool exclude_both(void *data, struct text payload)
{
    const struct both *both = data;
    return (both->find && condition_excludes(both->find, payload)) ||
           (both->filter.excludes && both->filter.excludes(both->filter.data, payload));
}

/* `both` must live as long as the query. */
static void make_query(const struct app *app, struct both *both, struct store_query *q)
{
    const struct find *f = &app->find;
    struct filter *filter = pane_events_filtered(app->panes[PANE_EVENTS]);
    *both = (struct both){ .find = f->condition };
    *q = (struct store_query){ 0 };
    if (filter) { /* what it takes to be shown at all */
        filter_query(filter, &both->filter);
        *q = both->filter;
    }
    q->text = f->condition ? NULL : f->text;
    if (filter || f->condition) {
        q->holds = hold_both;
        q->excludes = exclude_both;
        q->data = both;
    }
    if (f->condition)
        filter_scope(f->condition, q);
}

bool find_work(struct app *app)
{
    struct find *f = &app->find;
    if (!f->searching)
        return false;
    struct store *store = session_store(app->session);
    uint64_t count = store_count(store);
    struct store_query query;
    struct both both;
    make_query(app, &both, &query);
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
