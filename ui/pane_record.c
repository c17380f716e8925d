/* One record, whole: its line of the run's file, spread over as many lines as it takes. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/pane.h"

#define SHOWN_MAX (256u << 10) /* bytes of a record that are spread out */

struct pane_record {
    struct pane pane;
    uint64_t n;
};

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char n[FORMAT_TEXT], last[FORMAT_TEXT];
    uint64_t count = v->store ? store_count(v->store) : 0;
    buffer_format(out, ": record %s", format_count(((const struct pane_record *)p)->n, n));
    if (count)
        buffer_format(out, ", the last is %s", format_count(count - 1, last));
}

/* Of a message, what was done to it on its way. */
static void tell_changes(const struct session_delivery *d, struct buffer *text)
{
    char due[FORMAT_TEXT];
    if (d->edited) {
        buffer_format(text, "\nedited on its way by record %llu: ", (unsigned long long)d->edited);
        buffer_add(text, d->payload.s, d->payload.len < SHOWN_MAX ? d->payload.len : SHOWN_MAX);
    }
    if (d->delayed && !d->dropped)
        buffer_format(text, "\ndelayed on its way by record %llu: due %s", (unsigned long long)d->delayed,
                      format_typed(d->due, due));
    if (d->dropped)
        buffer_format(text, "\ndropped on its way by record %llu", (unsigned long long)d->dropped);
}

/* The record's line over several lines; false when it cannot be read. */
static bool spread(const struct pane *p, const struct view *v, struct buffer *text)
{
    uint64_t n = ((const struct pane_record *)p)->n;
    struct text line;
    struct record r;
    struct session_delivery d = { 0 };
    struct buffer changes = { 0 };
    if (v->session && session_read_message(v->session, n, &r, &d) == 0)
        tell_changes(&d, &changes);
    bool is_there = v->store && store_line(v->store, n, &line) == 0;
    if (is_there)
        json_pretty(text, line.s, line.len < SHOWN_MAX ? line.len : SHOWN_MAX);
    if (is_there && changes.len)
        buffer_add(text, changes.data, changes.len);
    buffer_free(&changes);
    return is_there;
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none, .width = width };
    struct buffer text = { 0 };
    uint64_t lines = spread(p, v, &text) ? json_draw(&nowhere, &text, 0) : 3;
    buffer_free(&text);
    return lines < CANVAS_MAX_ROWS ? (int)lines : CANVAS_MAX_ROWS;
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    (void)focus;
    struct buffer text = { 0 };
    if (!spread(p, v, &text)) {
        pane_empty(v, a, "This record cannot be read", NULL);
        return;
    }
    struct area nowhere = area_sub(a, 0, 0, a->width, 0);
    list_show(&p->list, json_draw(&nowhere, &text, 0), a->height, a->y);
    json_draw(a, &text, p->list.top);
    buffer_free(&text);
    for (int y = 0; y < a->height; y++)
        area_mark(a, y, v->find);
}

static bool export_line(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    struct text line;
    if (n == TABLE_HEADINGS)
        table_headings(row, "record");
    else if (n == 0 && v->store && store_line(v->store, ((const struct pane_record *)p)->n, &line) == 0)
        table_json(row, line.s, line.len);
    else
        return false;
    return true;
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_record *record = (struct pane_record *)p;
    uint64_t count = v->store ? store_count(v->store) : 0;
    if (action == ACTION_LEFT && record->n > 0)
        pane_record_show(p, record->n - 1);
    else if (action == ACTION_RIGHT && record->n + 1 < count)
        pane_record_show(p, record->n + 1);
    else
        return list_scroll(&p->list, action);
    return true;
}

void pane_record_show(struct pane *p, uint64_t n)
{
    ((struct pane_record *)p)->n = n;
    p->list.cursor = p->list.top = 0;
}

struct pane *pane_record_new(void)
{
    static const struct pane_ops ops = {
        .name = "Event",
        .title = title,
        .draw = draw,
        .act = act,
        .rows = rows,
        .export = export_line,
        .free = pane_free,
    };
    struct pane_record *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
