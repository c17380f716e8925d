/* The records of the run, read from its file: only those that are in sight. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "ui/filter.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/pane.h"
#include "ui/route.h"

/* Without a filter the list's places are the records' numbers. With one they are those of the hits that are known, of
 * which more and more may come before: what is selected, and what stands on top, is kept by number. */
struct pane_events {
    struct pane pane;
    bool follow;
    struct filter *filter;
    uint64_t at, top; /* with a filter: the record that is selected, or near which it is to be; and the one on top */
    uint64_t shown;   /* the cursor's place that goes with `at` */
    struct routes routes;
};

/* Takes over what the keys or the mouse have done to the list. */
static void take_cursor(struct pane_events *p)
{
    if (p->pane.list.cursor != p->shown)
        filter_select(p->filter, p->pane.list.cursor, &p->at);
    p->shown = p->pane.list.cursor;
}

/* Puts the list's places where the records are by now. Returns how many there are. */
static uint64_t place_list(struct pane_events *p, uint64_t records)
{
    struct list *l = &p->pane.list;
    filter_fit(p->filter, records);
    take_cursor(p);
    uint64_t count = filter_count(p->filter), cursor = filter_rank(p->filter, p->at);
    cursor = cursor < count ? cursor : count ? count - 1 : 0;
    if (p->follow && count)
        cursor = count - 1;
    if (p->follow && count)
        filter_select(p->filter, cursor, &p->at);
    l->top = filter_rank(p->filter, p->top);
    l->cursor = p->shown = cursor;
    return count;
}

/* The record in a row of the list. */
static bool record_at(const struct pane_events *p, uint64_t place, uint64_t *n)
{
    *n = place;
    return !p->filter || filter_select(p->filter, place, n);
}

/* Reads record n, a drop with the route of its message. */
static int read_record(struct pane_events *p, const struct view *v, uint64_t n, struct record *r)
{
    if (store_read(v->store, n, r) != 0)
        return -1;
    return r->kind == RECORD_DROP ? route_fill(&p->routes, v->scenario, v->store, n, r) : 0;
}

/* Where the columns of a row are; 0: there is no room for it. */
struct columns {
    int time, id, type, size, latency;
    int gap; /* between them */
};

static struct columns columns_for(const struct view *v, int width)
{
    struct columns c = { 0 };
    char stamp[FORMAT_TEXT];
    c.time = (int)strlen(format_stamp(v->scenario->duration, stamp));
    c.id = view_id_width(v, width);
    c.id = c.id < (int)strlen("dst") ? (int)strlen("dst") : c.id; /* the heading stands above them */
    c.gap = width < 70 ? 1 : 2;
    c.type = width < 46 ? 0 : 9;
    c.size = width < 86 ? 0 : 8;
    c.latency = width < 104 ? 0 : 9;
    return c;
}

static enum role id_role(const struct view *v, struct text id)
{
    char name[80];
    if (id.len >= sizeof name)
        return ROLE_TEXT;
    memcpy(name, id.s, id.len);
    name[id.len] = '\0';
    return theme_node_role(scenario_find_node(v->scenario, name));
}

static void draw_id(const struct view *v, const struct area *a, int x, int y, int width, struct text id)
{
    if (id.len)
        area_text(a, x, y, width, id_role(v, id), id.s, id.len);
}

/* What stands behind the route, for kinds that are no messages. */
static void draw_words(struct pen *pen, const struct view *v, const struct record *r)
{
    char count[FORMAT_TEXT];
    switch (r->kind) {
    case RECORD_RUN:
        pen_printf(pen, ROLE_DIM, "%s", v->scenario->name);
        pen_printf(pen, ROLE_DIM, "  seed %llu", (unsigned long long)v->scenario->seed);
        pen_printf(pen, ROLE_DIM, "  %s", format_typed(v->scenario->duration, count));
        pen_printf(pen, ROLE_DIM, "  %s nodes", format_count((uint64_t)v->scenario->node_count, count));
        break;
    case RECORD_DROP:
        pen_text(pen, ROLE_BAD, r->cause.s, r->cause.len);
        pen_printf(pen, ROLE_DIM, "  message %s", format_count(r->id, count));
        break;
    case RECORD_LINK:
        if (r->latency >= 0)
            pen_printf(pen, ROLE_TEXT, "latency %s  ", format_typed(r->latency, count));
        pen_printf(pen, ROLE_TEXT, "loss %g  ", r->loss);
        pen_text(pen, ROLE_DIM, r->cause.s, r->cause.len);
        break;
    case RECORD_NODE:
    case RECORD_END:
        pen_text(pen, r->kind == RECORD_END ? ROLE_STRONG : ROLE_WARN, r->state.s, r->state.len);
        pen_put(pen, ROLE_TEXT, "  ");
        pen_text(pen, ROLE_TEXT, r->cause.s, r->cause.len);
        break;
    case RECORD_COMMAND:
    case RECORD_WARNING:
        pen_text(pen, r->kind == RECORD_WARNING ? ROLE_WARN : ROLE_TEXT, r->cause.s, r->cause.len);
        break;
    case RECORD_MESSAGE:
    case RECORD_LOCAL:
        json_compact(pen, r->payload.s, r->payload.len);
        break;
    }
}

/* Returns the columns that it takes. */
static int draw_type(const struct area *a, int x, int y, int width, const struct record *r)
{
    if (r->kind == RECORD_MESSAGE || r->kind == RECORD_LOCAL) {
        enum role role = r->kind == RECORD_LOCAL ? ROLE_DIM : theme_type_role(r->type.s, r->type.len);
        return area_text(a, x, y, width, role, r->type.s, r->type.len);
    }
    static const struct {
        const char *word;
        enum role role;
    } words[RECORD_KINDS] = {
        [RECORD_RUN] = { "run", ROLE_INFO },         [RECORD_DROP] = { "DROP", ROLE_BAD },
        [RECORD_NODE] = { "NODE", ROLE_WARN },       [RECORD_LINK] = { "LINK", ROLE_WARN },
        [RECORD_COMMAND] = { "COMMAND", ROLE_INFO }, [RECORD_WARNING] = { "WARNING", ROLE_WARN },
        [RECORD_END] = { "end", ROLE_INFO },
    };
    const char *word = words[r->kind].word;
    return word ? area_text(a, x, y, width, words[r->kind].role, word, strlen(word)) : 0;
}

static void draw_record(const struct view *v, const struct area *a, int y, const struct record *r,
                        const struct columns *c)
{
    char text[FORMAT_TEXT], size[FORMAT_TEXT];
    int x = 0;
    area_right(a, x, y, c->time, ROLE_TIME, format_stamp(r->t, text));
    x += c->time + c->gap;
    if (!r->src.len && !c->size) { /* little room, and no route: what it says stands there */
        x += draw_type(a, x, y, -1, r) + 2;
        struct pen words = pen_at(a, x, y, -1);
        draw_words(&words, v, r);
        return;
    }
    draw_id(v, a, x, y, c->id, r->src);
    x += c->id + 1;
    bool lost = r->kind == RECORD_DROP || (r->kind == RECORD_MESSAGE && r->due == SIMTIME_NEVER);
    if (r->dst.len)
        area_glyph(a, x, y, lost ? ROLE_BAD : ROLE_DIM, lost ? GLYPH_ARROW_LOST : GLYPH_ARROW);
    x += 2;
    draw_id(v, a, x, y, c->id, r->dst);
    x += c->id + c->gap;
    if (c->type) {
        draw_type(a, x, y, c->type, r);
        x += c->type + 1;
    }
    bool is_traffic = r->kind == RECORD_MESSAGE || r->kind == RECORD_LOCAL || r->kind == RECORD_DROP;
    if (!is_traffic) { /* it has neither size nor latency, but much to say */
        struct pen words = pen_at(a, x + (c->size ? 1 : 0), y, -1);
        draw_words(&words, v, r);
        return;
    }
    if (c->size) {
        snprintf(size, sizeof size, "%.16s B", format_count(r->size, text));
        if (r->kind == RECORD_MESSAGE)
            area_right(a, x, y, c->size, ROLE_DIM, size);
        x += c->size + 2;
    }
    if (c->latency) {
        if (lost && r->kind == RECORD_MESSAGE)
            area_right(a, x, y, c->latency, ROLE_BAD, "lost");
        else if (r->kind == RECORD_MESSAGE && r->latency > 0)
            area_right(a, x, y, c->latency, ROLE_DIM, format_typed(r->latency, text));
        x += c->latency + 2;
    }
    struct pen pen = pen_at(a, x, y, -1);
    draw_words(&pen, v, r);
}

/* The fields of conditions, as far as there are such: each can be typed at the filter as it stands here. */
static void draw_headings(const struct area *a, const struct columns *c)
{
    int x = 0;
    area_right(a, x, 0, c->time, ROLE_HEADING, "time");
    x += c->time + c->gap;
    area_put(a, x, 0, ROLE_HEADING, "src");
    x += c->id + 3;
    area_put(a, x, 0, ROLE_HEADING, "dst");
    x += c->id + c->gap;
    if (c->type) {
        area_put(a, x, 0, ROLE_HEADING, "type");
        x += c->type + 1;
    }
    if (c->size) {
        area_right(a, x, 0, c->size, ROLE_HEADING, "size");
        x += c->size + 2;
    }
    if (c->latency) {
        area_right(a, x, 0, c->latency, ROLE_HEADING, "latency");
        x += c->latency + 2;
    }
    area_put(a, x, 0, ROLE_HEADING, "payload");
}

/* The selected record, whole as far as it fits: a rule that says what it is, then its payload. A message has its own
 * number, by which it is told of everywhere, and that of its record. */
static void draw_preview(const struct pane *p, const struct view *v, const struct area *a)
{
    struct record r;
    struct session_delivery d;
    uint64_t number;
    char n[FORMAT_TEXT], t[FORMAT_TEXT];
    area_line(a, 0, 0, a->width, ROLE_BORDER, GLYPH_HORIZONTAL);
    if (!pane_events_selected(p, &number) || session_read_message(v->session, number, &r, &d) != 0)
        return;
    struct pen pen = pen_at(a, 1, 0, a->width - 2);
    pen_printf(&pen, ROLE_LABEL, " %s ", record_kind_name(r.kind));
    if (r.kind == RECORD_MESSAGE) {
        pen_printf(&pen, ROLE_LABEL, "%s ", format_count(r.id, n));
        pen_printf(&pen, ROLE_DIM, " sent %s", format_typed(r.t, t));
        if (d.due == SIMTIME_NEVER)
            pen_put(&pen, ROLE_BAD, d.dropped ? "  dropped " : "  never arrives ");
        else
            pen_printf(&pen, ROLE_DIM, "  due %s ", format_typed(d.due, t));
        if (d.due != SIMTIME_NEVER && (d.edited || d.delayed))
            pen_printf(&pen, ROLE_WARN, " %s ", view_fate(&r, &d));
    }
    if (pen.x + (int)strlen(format_count(number, n)) + 9 <= pen.end) /* a part of the number is another one */
        pen_printf(&pen, ROLE_DIM, " record %s ", n);
    struct text line = r.payload;
    if (!line.len && store_line(v->store, number, &line) != 0)
        return;
    struct area text = area_sub(a, 1, 1, a->width - 1, a->height - 1);
    json_flow(&text, line.s, line.len);
}

static void title_filter(const struct pane_events *p, uint64_t records, struct buffer *out)
{
    char count[FORMAT_TEXT], at[FORMAT_TEXT];
    uint64_t hits = filter_count(p->filter), n;
    const char *more = filter_complete(p->filter, records) ? "" : "+";
    if (p->follow)
        buffer_format(out, " %s%s", format_count(hits, count), more);
    else /* the list has not been drawn yet */
        buffer_format(out, " %s of %s%s",
                      format_count(pane_events_selected(&p->pane, &n) ? filter_rank(p->filter, n) + 1 : 0, at),
                      format_count(hits, count), more);
    buffer_format(out, " in %s%s, filter: ", format_count(records, count), p->follow ? ", follow" : "");
    const char *text = filter_text(p->filter);
    utf8_escape(out, text, strlen(text));
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char count[FORMAT_TEXT], at[FORMAT_TEXT];
    if (!v->store)
        return;
    uint64_t records = store_count(v->store);
    const struct pane_events *events = (const struct pane_events *)p;
    if (events->filter) {
        filter_fit(events->filter, records);
        title_filter(events, records, out);
        return;
    }
    if (pane_events_following(p))
        buffer_format(out, " %s, follow", format_count(records, count));
    else
        buffer_format(out, " %s of %s", format_count(p->list.cursor < records ? p->list.cursor + 1 : records, at),
                      format_count(records, count)); /* fewer than when it was drawn, where it is an earlier moment */
}

/* Why there is nothing to see. */
static void draw_nothing(const struct pane_events *p, const struct view *v, const struct area *a)
{
    uint64_t records = v->store ? store_count(v->store) : 0;
    if (!p->filter)
        pane_empty(v, a, "No events yet", v->session ? "{pause} runs, {next} steps to the next event" : NULL);
    else if (filter_complete(p->filter, records))
        pane_empty(v, a, "No event matches the filter", "{filter} and an empty text end it");
    else
        pane_empty(v, a, "No event that matches the filter yet", "looking further");
}

static void draw_rows(struct pane *p, const struct view *v, const struct area *rows, const struct columns *c,
                      bool focus)
{
    for (int y = 0; y < rows->height && p->list.top + (uint64_t)y < p->list.count; y++) {
        struct record r;
        uint64_t n;
        if (record_at((struct pane_events *)p, p->list.top + (uint64_t)y, &n) &&
            read_record((struct pane_events *)p, v, n, &r) == 0)
            draw_record(v, rows, y, &r, c);
        else
            area_put(rows, 0, y, ROLE_BAD, "this record cannot be read");
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(rows, y, focus);
        area_mark(rows, y, v->find);
    }
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_events *events = (struct pane_events *)p;
    char keys[KEYMAP_TEXT];
    uint64_t count = v->store ? store_count(v->store) : 0;
    if (events->filter)
        count = place_list(events, count);
    else if (events->follow && count)
        p->list.cursor = count - 1;
    int preview = a->height >= 14 ? 3 : a->height >= 8 ? 2 : 0;
    int heading = pane_has_heading(a->height - preview);
    struct area rows = area_sub(a, 0, heading, a->width, a->height - preview - heading);
    list_show(&p->list, count, rows.height, rows.y);
    events->shown = p->list.cursor;
    if (count)
        record_at(events, p->list.top, &events->top);
    if (!count) {
        draw_nothing(events, v, a);
        return;
    }
    struct columns c = columns_for(v, a->width);
    if (heading)
        draw_headings(a, &c);
    draw_rows(p, v, &rows, &c, focus);
    if (!events->filter && count <= 1 && v->status->state == SESSION_PAUSED && rows.height > 4)
        area_center(&rows, rows.height / 2, ROLE_DIM,
                    keymap_text(v->keys, "No messages yet: {pause} runs, {next} steps to the next event", false, keys));
    if (preview) {
        struct area bottom = area_sub(a, 0, a->height - preview, a->width, preview);
        draw_preview(p, v, &bottom);
    }
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_events *events = (struct pane_events *)p;
    (void)v;
    if (action == ACTION_FOLLOW) {
        events->follow = !events->follow;
        return true;
    }
    if (action == ACTION_CLICK) {
        events->follow = false;
        return true;
    }
    if (events->filter && v->store && (action == ACTION_TOP || action == ACTION_BOTTOM)) {
        uint64_t count = store_count(v->store); /* what is known of may begin and end elsewhere */
        events->at = action == ACTION_TOP || !count ? 0 : count - 1;
        filter_go(events->filter, events->at);
        events->shown = p->list.cursor;
    } else if (!list_act(&p->list, action)) {
        return false;
    }
    if (action == ACTION_BOTTOM)
        events->follow = true;
    else if (action != ACTION_DOWN && action != ACTION_PAGE_DOWN && action != ACTION_WHEEL_DOWN)
        events->follow = false;
    if (events->filter)
        take_cursor(events);
    return true;
}

static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_events *events = (struct pane_events *)p;
    if (!events->filter || !v->store || filter_complete(events->filter, store_count(v->store)))
        return false;
    bool more = filter_work(events->filter, v->store, events->follow, changed);
    *changed |= !more;
    return more;
}

bool pane_events_selected(const struct pane *p, uint64_t *n)
{
    const struct pane_events *events = (const struct pane_events *)p;
    if (!events->filter) {
        *n = p->list.cursor;
        return p->list.count > 0;
    }
    uint64_t count = filter_count(events->filter), place = filter_rank(events->filter, events->at);
    if (p->list.cursor != events->shown)
        place = p->list.cursor; /* moved since it was drawn */
    else if (events->follow || place >= count)
        place = count - 1;
    return count && filter_select(events->filter, place, n);
}

void pane_events_filter(struct pane *p, const struct view *v, struct filter *filter)
{
    struct pane_events *events = (struct pane_events *)p;
    uint64_t n, count = v->store ? store_count(v->store) : 0;
    bool selected = pane_events_selected(p, &n);
    events->at = events->follow && count ? count - 1 : selected ? n : events->at;
    filter_free(events->filter);
    events->filter = filter;
    if (filter) {
        filter_go(filter, events->at);
        events->top = events->at;
        events->shown = p->list.cursor;
    } else {
        list_go(&p->list, events->at);
    }
}

struct filter *pane_events_filtered(const struct pane *p)
{
    return ((const struct pane_events *)p)->filter;
}

static bool export_record(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    struct record r;
    if (n == TABLE_HEADINGS) {
        table_headings(row, "time kind source destination type bytes due latency payload text");
        return true;
    }
    if (!v->store || n >= store_count(v->store) || !record_at((const struct pane_events *)p, n, &n))
        return false;
    if (read_record((struct pane_events *)p, v, n, &r) != 0) {
        table_text(row, "this record cannot be read");
        return true;
    }
    bool is_message = r.kind == RECORD_MESSAGE;
    table_time(row, r.t);
    table_text(row, record_kind_name(r.kind));
    table_text_n(row, r.src.s, r.src.len);
    table_text_n(row, r.dst.s, r.dst.len);
    table_text_n(row, r.type.s, r.type.len);
    if (is_message)
        table_u64(row, r.size);
    else
        table_nothing(row);
    table_time(row, is_message ? r.due : -1);
    table_time(row, is_message && r.due == SIMTIME_NEVER ? -1 : r.latency);
    table_json(row, r.payload.s, r.payload.len);
    struct buffer text = { 0 };
    buffer_add(&text, r.state.s, r.state.len);
    buffer_text(&text, r.state.len && r.cause.len ? ": " : "");
    buffer_add(&text, r.cause.s, r.cause.len);
    table_text_n(row, text.data, text.len);
    buffer_free(&text);
    return true;
}

bool pane_events_following(const struct pane *p)
{
    return ((const struct pane_events *)p)->follow;
}

void pane_events_go(struct pane *p, uint64_t n)
{
    struct pane_events *events = (struct pane_events *)p;
    bool followed = events->follow; /* what stands on top then is whatever came while it was last drawn */
    events->follow = false;
    if (!events->filter && followed)
        list_go_centred(&p->list, n);
    else if (!events->filter)
        list_go(&p->list, n);
    if (!events->filter)
        return;
    uint64_t rows = p->list.rows > 0 ? (uint64_t)p->list.rows : 1;
    filter_go(events->filter, n);
    events->at = n;
    events->shown = p->list.cursor;
    uint64_t place = filter_rank(events->filter, n), top = filter_rank(events->filter, events->top);
    if (followed || place < top || place >= top + rows)
        filter_select(events->filter, place > rows / 2 ? place - rows / 2 : 0, &events->top);
}

static void free_events(struct pane *p)
{
    filter_free(((struct pane_events *)p)->filter);
    free(p);
}

struct pane *pane_events_new(void)
{
    static const struct pane_ops ops = {
        .name = "Events",
        .title = title,
        .draw = draw,
        .act = act,
        .work = work,
        .export = export_record,
        .free = free_events,
    };
    struct pane_events *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    p->follow = true;
    return &p->pane;
}
