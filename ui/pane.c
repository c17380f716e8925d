#include "ui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/format.h"

void pane_empty(const struct view *v, const struct area *a, const char *line, const char *hint)
{
    char keys[KEYMAP_TEXT];
    int y = a->height > 3 ? a->height / 2 - 1 : 0;
    area_center(a, y, ROLE_LABEL, line);
    if (hint && y + 1 < a->height)
        area_center(a, y + 1, ROLE_DIM, keymap_text(v->keys, hint, false, keys));
}

void pane_select(const struct area *a, int y, bool focus)
{
    area_paint(a, 0, y, a->width, focus ? GROUND_SELECT : GROUND_SELECT_DIM);
}

#define ROWS_LEAST 5 /* below the headings */

bool pane_has_heading(int rows)
{
    return rows > ROWS_LEAST;
}

int view_id_width(const struct view *v, int width)
{
    int most = width < 70 ? 8 : width < 110 ? 12 : 20;
    return v->model->id_width > most ? most : v->model->id_width;
}

/* What the session says of a node that was stopped. */
static bool is_stopped(const struct node_status *n)
{
    return n->state == NODE_FROZEN && !strncmp(n->cause, "stopped by ", 11); /* the user, or a fault */
}

bool view_will_fail(const struct node_status *n)
{
    return (n->state == NODE_IDLE || n->state == NODE_PAUSED) && *n->cause;
}

bool view_ended_early(const struct view *v)
{
    return v->status->outcome && strcmp(v->status->outcome, "finished") != 0;
}

const char *view_state_word(const struct view *v, const struct node_status *n)
{
    (void)v;
    if (view_will_fail(n))
        return "fails";
    return is_stopped(n) ? "stopped" : node_state_word(n->state);
}

const char *view_state_words(const struct view *v, const struct node_status *n)
{
    if (view_will_fail(n))
        return "fails at its next grant";
    return n->state == NODE_FROZEN && !is_stopped(n) ? "failed, left out" : view_state_word(v, n);
}

enum role view_state_role(const struct node_status *n)
{
    if (view_will_fail(n))
        return ROLE_WARN;
    switch (n->state) {
    case NODE_BUSY:
    case NODE_STARTING:
    case NODE_ENDING:
        return ROLE_BUSY;
    case NODE_PAUSED:
        return ROLE_WARN;
    case NODE_IDLE:
        return ROLE_GOOD;
    case NODE_FAILED:
        return ROLE_BAD;
    case NODE_FROZEN:
        return is_stopped(n) ? ROLE_WARN : ROLE_BAD;
    case NODE_FINISHED:
        return ROLE_INFO;
    case NODE_LOADED:
        break;
    }
    return ROLE_DIM;
}

enum role view_health_role(const char *health)
{
    return !strcmp(health, "healthy") ? ROLE_GOOD : !strcmp(health, "unhealthy") ? ROLE_BAD : ROLE_BUSY;
}

bool view_usage(const struct view *v, int node, int key, struct usage *out)
{
    enum session_state s = v->status->state;
    bool moving = s == SESSION_RUNNING || s == SESSION_STARTING || s == SESSION_ENDING;
    if (!v->wall || !v->session)
        return false;
    if (!key)
        return session_state_over(s) && usage_last(v->session, node, out);
    return usages_get(v->usages, v->session, node, key, moving, out);
}

int area_wrap(const struct area *a, int x, int y, int width, enum role role, const char *text)
{
    int lines = 0;
    for (size_t len = strlen(text); len; lines++) {
        size_t fit = text_fit(text, len, width, a->canvas->charset), next = fit;
        if (fit < len) {
            size_t blank = fit;
            while (blank > 0 && text[blank] != ' ')
                blank--;
            fit = blank ? blank : fit;
            next = blank ? blank + 1 : fit;
        }
        area_text(a, x, y + lines, width, role, text, fit);
        text += next;
        len -= next;
    }
    return lines;
}

void area_heading(const struct area *a, int y, bool focus, const char *text)
{
    area_line(a, 0, y, a->width, ROLE_BORDER, GLYPH_HORIZONTAL);
    struct pen pen = pen_at(a, 1, y, a->width - 1);
    pen_put(&pen, focus ? ROLE_TITLE_FOCUS : ROLE_HEADING, " ");
    pen_put(&pen, focus ? ROLE_TITLE_FOCUS : ROLE_HEADING, text);
    pen_put(&pen, ROLE_TEXT, " ");
}

void pane_go(struct pane *p, const struct view *v, uint64_t n)
{
    (void)v;
    list_go(&p->list, n);
}

bool pane_move(struct pane *p, const struct view *v, enum action action)
{
    (void)v;
    return list_act(&p->list, action);
}

void pane_free(struct pane *p)
{
    free(p);
}

const char *view_fate(const struct record *r, const struct session_delivery *d)
{
    if (r->kind != RECORD_MESSAGE)
        return "";
    if (d->due == SIMTIME_NEVER)
        return d->dropped ? "dropped" : "lost";
    if (d->edited && d->delayed)
        return "edited, delayed";
    return d->edited ? "edited" : d->delayed ? "delayed" : "";
}

const char *view_arrival_word(enum session_arrival arrival)
{
    static const char *const words[] = { [ARRIVAL_DUE] = "",
                                         [ARRIVAL_WAITS] = "waits",
                                         [ARRIVAL_HELD] = "held",
                                         [ARRIVAL_LOST] = "node ended",
                                         [ARRIVAL_NEVER] = "never" };
    return words[arrival];
}

const char *view_arrival(const struct view *v, enum session_arrival arrival, char buf[ARRIVAL_TEXT])
{
    char end[FORMAT_TEXT];
    const struct session_status *s = v->status;
    bool is_early = s->is_over && s->head < s->end;
    switch (arrival) {
    case ARRIVAL_HELD:
        return "kept until it is resumed";
    case ARRIVAL_LOST:
        return "to a node that has ended";
    case ARRIVAL_NEVER:
        snprintf(buf, ARRIVAL_TEXT, "not reached: the run %s at %s", is_early ? "ended" : "ends",
                 format_typed(is_early ? s->head : s->end, end));
        return buf;
    case ARRIVAL_WAITS:
        return "waits for its node";
    case ARRIVAL_DUE:
        break;
    }
    return "";
}
