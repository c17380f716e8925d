/* Messages in flight, the next to arrive first: only those that are in sight are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/pane.h"

struct pane_flight {
    struct pane pane;
    bool is_selected;
    uint64_t id;    /* that is */
    uint64_t place; /* where the cursor stood when that was found */
};

/* Where the columns of a row are; 0: there is no room for it. */
struct columns {
    int due, left, serial, id, type, size;
};

static struct columns columns_for(const struct view *v, int width)
{
    struct columns c = { 0 };
    char stamp[FORMAT_TEXT];
    c.due = (int)strlen(format_stamp(v->scenario->duration, stamp));
    c.id = view_id_width(v, width);
    c.left = width < 96 ? 0 : 11;
    c.serial = 7;
    c.type = width < 46 ? 0 : 9;
    c.size = width < 74 ? 0 : 7;
    return c;
}

#define FATE_TEXT 40

static bool begins_with(struct text text, const char *word)
{
    return text.len > strlen(word) && !memcmp(text.s, word, strlen(word));
}

/* What a person or a fault has made of it: "copied, edited", or "". */
static const char *fate_of(const struct view *v, const struct session_message *m, char buf[FATE_TEXT])
{
    struct record r, before = { .kind = RECORD_MESSAGE };
    struct session_delivery d;
    if (session_read_message(v->session, m->record, &r, &d) != 0 || r.kind != RECORD_MESSAGE || r.id != m->id)
        return "";
    const char *fate = view_fate(&r, &d), *made = "";
    if (m->record && store_read(v->store, m->record - 1, &before) == 0 && before.kind == RECORD_COMMAND)
        made = begins_with(before.cause, "inject ") ? "injected" : begins_with(before.cause, "copy ") ? "copied" : "";
    snprintf(buf, FATE_TEXT, "%s%s%s", made, *made && *fate ? ", " : "", fate);
    return buf;
}

/* Draws one row, or, without a message, the heading. */
static void draw_row(const struct view *v, const struct area *a, int y, const struct session_message *m,
                     const struct columns *c)
{
    char text[FORMAT_TEXT], size[FORMAT_TEXT], fate[FATE_TEXT];
    enum session_arrival arrival = m ? session_arrival(v->session, m->dst, m->due) : ARRIVAL_DUE;
    bool waits = arrival != ARRIVAL_DUE;
    int x = 0;
    area_right(a, x, y, c->due,
               !m      ? ROLE_LABEL
               : waits ? ROLE_BUSY
                       : ROLE_TIME,
               m ? format_stamp(m->due, text) : "due");
    x += c->due;
    if (c->left)
        area_right(a, x, y, c->left,
                   !m      ? ROLE_LABEL
                   : waits ? ROLE_BUSY
                           : ROLE_DIM,
                   !m      ? "in"
                   : waits ? view_arrival_word(arrival)
                           : format_typed(m->due - v->status->now, text));
    x += c->left;
    area_right(a, x, y, c->serial, m ? ROLE_DIM : ROLE_LABEL, m ? format_count(m->id, text) : "id");
    if (m && *fate_of(v, m, fate))
        area_put(a, x + c->serial, y, ROLE_WARN, "*");
    x += c->serial + 2;
    if (m) {
        const char *src = v->scenario->nodes[m->src].id, *dst = v->scenario->nodes[m->dst].id;
        area_text(a, x, y, c->id, theme_node_role(m->src), src, strlen(src));
        area_glyph(a, x + c->id + 1, y, ROLE_DIM, GLYPH_ARROW);
        area_text(a, x + c->id + 3, y, c->id, theme_node_role(m->dst), dst, strlen(dst));
    } else {
        area_put(a, x, y, ROLE_LABEL, "route");
    }
    x += 2 * c->id + 5;
    if (c->type && m)
        area_text(a, x, y, c->type, theme_type_role(m->type.s, m->type.len), m->type.s, m->type.len);
    else if (c->type)
        area_put(a, x, y, ROLE_LABEL, "type");
    x += c->type;
    if (c->size) {
        snprintf(size, sizeof size, "%.16s B", m ? format_count(m->size, text) : "");
        area_right(a, x, y, c->size, m ? ROLE_DIM : ROLE_LABEL, m ? size : "size");
    }
    x += c->size + 2;
    struct pen pen = pen_at(a, x, y, -1);
    if (m)
        json_compact(&pen, m->payload.s, m->payload.len);
    else
        pen_put(&pen, ROLE_LABEL, "payload");
}

/* The selected message, whole as far as it fits. */
static void draw_preview(const struct view *v, const struct area *a, const struct session_message *m)
{
    char n[FORMAT_TEXT], sent[FORMAT_TEXT], due[FORMAT_TEXT], text[ARRIVAL_TEXT], fate[FATE_TEXT];
    enum session_arrival arrival = session_arrival(v->session, m->dst, m->due);
    area_line(a, 0, 0, a->width, ROLE_BORDER, GLYPH_HORIZONTAL);
    struct pen pen = pen_at(a, 1, 0, a->width - 2);
    pen_printf(&pen, ROLE_LABEL, " message %s ", format_count(m->id, n));
    pen_printf(&pen, ROLE_DIM, " sent %s  due %s ", format_typed(m->sent, sent), format_typed(m->due, due));
    const char *made = fate_of(v, m, fate);
    if (*made)
        pen_printf(&pen, ROLE_WARN, " %s ", made);
    if (arrival > ARRIVAL_WAITS) {
        const char *why = view_arrival(v, arrival, text), *when = strstr(why, " at ");
        bool fits = !when || pen.x + (int)strlen(why) + 2 <= pen.end; /* the end of the run is told above, too */
        pen_printf(&pen, ROLE_WARN, " %.*s ", fits ? (int)strlen(why) : (int)(when - why), why);
    }
    struct area rows = area_sub(a, 1, 1, a->width - 1, a->height - 1);
    if (m->payload.len)
        json_flow(&rows, m->payload.s, m->payload.len);
    else
        area_put(&rows, 0, 0, ROLE_DIM, "no payload");
}

/* What is selected is a message, not a row: the cursor goes with it, unless it was moved. Where the message is in
 * flight no more, the one in its place is selected. Returns where the cursor is to be. */
static uint64_t cursor_of(const struct pane_flight *f, const struct view *v, uint64_t count)
{
    uint64_t cursor = f->pane.list.cursor;
    uint64_t rank = f->is_selected && cursor == f->place ? session_flight_rank(v->session, f->id) : UINT64_MAX;
    cursor = rank != UINT64_MAX ? rank : cursor;
    return cursor < count ? cursor : count ? count - 1 : 0;
}

/* The message at the cursor is selected from now on: keys may act on it before it is drawn. */
static void take(struct pane_flight *f, const struct view *v)
{
    struct session_message m;
    f->is_selected = v->session && session_flight(v->session, f->pane.list.cursor, &m, 1) == 1;
    f->place = f->pane.list.cursor;
    if (f->is_selected)
        f->id = m.id;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char count[FORMAT_TEXT], at[FORMAT_TEXT];
    if (!v->session || session_flight_missing(v->session))
        return;
    uint64_t all = session_flight_count(v->session);
    if (all)
        buffer_format(out, " %s of %s", format_count(cursor_of((const struct pane_flight *)p, v, all) + 1, at),
                      format_count(all, count));
    else
        buffer_format(out, " %s", format_count(all, count));
}

static void draw_nothing(const struct view *v, const struct area *a)
{
    const char *missing = v->session ? session_flight_missing(v->session) : NULL;
    bool is_paused = v->status->state == SESSION_PAUSED;
    const char *keys = v->status->is_past ? "{next} steps to the next event"
                                          : "{inject} puts a message in, {next} steps to the next event";
    if (missing)
        pane_empty(v, a, "What was in flight is not known", missing);
    else
        pane_empty(v, a, "Nothing is in flight", is_paused ? keys : NULL);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_flight *f = (struct pane_flight *)p;
    uint64_t count = v->session ? session_flight_count(v->session) : 0;
    int heading = a->height >= 6, preview = a->height >= 14 ? 4 : a->height >= 8 ? 2 : 0;
    int rows = a->height - heading - preview;
    p->list.cursor = cursor_of(f, v, count);
    list_show(&p->list, count, rows, a->y + heading);
    take(f, v);
    if (!count || rows <= 0) {
        draw_nothing(v, a);
        return;
    }
    struct session_message *page = mem_array((size_t)rows, sizeof *page);
    size_t got = session_flight(v->session, p->list.top, page, (size_t)rows);
    struct columns c = columns_for(v, a->width);
    if (heading)
        draw_row(v, a, 0, NULL, &c);
    for (size_t i = 0; i < got; i++) {
        int y = heading + (int)i;
        draw_row(v, a, y, &page[i], &c);
        if (p->list.top + i == p->list.cursor) {
            struct area bottom = area_sub(a, 0, a->height - preview, a->width, preview);
            pane_select(a, y, focus);
            if (preview)
                draw_preview(v, &bottom, &page[i]);
        }
        area_mark(a, y, v->find);
    }
    free(page);
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    bool moves = list_act(&p->list, action);
    if (moves)
        take((struct pane_flight *)p, v);
    return moves;
}

bool pane_flight_selected(const struct pane *p, uint64_t *id)
{
    const struct pane_flight *f = (const struct pane_flight *)p;
    *id = f->id;
    return f->is_selected;
}

struct pane *pane_flight_new(void)
{
    static const struct pane_ops ops = {
        .name = "In flight",
        .title = title,
        .draw = draw,
        .act = act,
        .free = pane_free,
    };
    struct pane_flight *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
