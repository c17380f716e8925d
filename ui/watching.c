/* Watches by keys and commands. */
#include <stdlib.h>
#include <string.h>

#include "ui/app.h"

const char *watch_take(struct app *app, const char *text)
{
    struct condition_error err;
    int watch = watches_add(app->watches, text, &err);
    if (watch < 0)
        return prompt_refuse(app, &err);
    pane_watch_show(app->panes[PANE_WATCHES], watch);
    if (app->session && app_top(app) != PANE_WATCHES)
        app_open(app, PANE_WATCHES);
    return NULL;
}

bool watch_remove(struct app *app, const char *which)
{
    int count = watches_count(app->watches);
    char *end;
    if (!strcmp(which, "all")) {
        while (watches_count(app->watches))
            watches_remove(app->watches, 0);
        return true;
    }
    long n = strtol(which, &end, 10);
    if (end == which || *end || n < 1 || n > count)
        return false;
    watches_remove(app->watches, (int)n - 1);
    return true;
}

void watch_go(struct app *app)
{
    struct view v = app_view(app);
    struct pane *events = app->panes[PANE_EVENTS];
    struct filter *filter = pane_events_filtered(events);
    uint64_t n;
    if (!pane_watch_selected(app->panes[PANE_WATCHES], &v, &n)) {
        app_say(app, ROLE_WARN,
                watches_count(app->watches) ? "This node has no such value yet"
                                            : "Nothing is watched yet: :watch payload.temperature");
        return;
    }
    if (filter && !filter_holds(filter, v.store, n))
        pane_events_filter(events, &v, NULL); /* it would not be in sight */
    app->open_count--;
    app->focus = PANE_EVENTS;
    pane_events_go(events, n);
}
