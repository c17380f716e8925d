/* One message in flight, whole. It stays to be read when it has arrived. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/pane.h"

struct pane_message {
    struct pane pane;
    uint64_t id;
    bool is_gone;
    enum session_arrival arrival;
    struct buffer text; /* over several lines */
};

/* Reads it anew, where it is still in flight. */
static void refresh(struct pane_message *p, const struct view *v)
{
    struct session_message m;
    struct buffer line = { 0 };
    p->is_gone = !v->session || !session_flight_find(v->session, p->id, &m);
    if (p->is_gone)
        return;
    p->arrival = session_arrival(v->session, m.dst, m.due);
    buffer_format(&line, "{\"id\":%llu,\"src\":\"%s\",\"dst\":\"%s\",\"type\":", (unsigned long long)m.id,
                  v->scenario->nodes[m.src].id, v->scenario->nodes[m.dst].id);
    json_quote(&line, m.type.s, m.type.len);
    buffer_format(&line, ",\"size\":%llu,\"sent\":%lld,\"due\":%lld,\"payload\":", (unsigned long long)m.size,
                  (long long)m.sent, (long long)m.due);
    if (m.payload.len)
        buffer_add(&line, m.payload.s, m.payload.len);
    else
        buffer_text(&line, "null");
    buffer_text(&line, "}");
    p->text.len = 0;
    json_pretty(&p->text, line.data, line.len);
    buffer_free(&line);
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct pane_message *m = (const struct pane_message *)p;
    char n[FORMAT_TEXT], text[ARRIVAL_TEXT];
    buffer_format(out, " %s%s", format_count(m->id, n), m->is_gone ? ", in flight no more" : " in flight");
    if (!m->is_gone && m->arrival > ARRIVAL_WAITS)
        buffer_format(out, ", %s", view_arrival(v, m->arrival, text));
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    struct pane_message *m = (struct pane_message *)p;
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none, .width = width };
    refresh(m, v);
    uint64_t lines = json_draw(&nowhere, &m->text, 0);
    return lines < CANVAS_MAX_ROWS ? (int)lines : CANVAS_MAX_ROWS;
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_message *m = (struct pane_message *)p;
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none, .width = a->width };
    (void)focus;
    refresh(m, v);
    list_show(&p->list, json_draw(&nowhere, &m->text, 0), a->height, a->y);
    json_draw(a, &m->text, p->list.top);
    for (int y = 0; y < a->height; y++)
        area_mark(a, y, v->find);
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    (void)v;
    return list_scroll(&p->list, action);
}

void pane_message_show(struct pane *p, uint64_t id)
{
    struct pane_message *m = (struct pane_message *)p;
    m->id = id;
    m->text.len = 0;
    p->list.cursor = p->list.top = 0;
}

static void free_message(struct pane *p)
{
    buffer_free(&((struct pane_message *)p)->text);
    free(p);
}

struct pane *pane_message_new(void)
{
    static const struct pane_ops ops = {
        .name = "Message",
        .title = title,
        .draw = draw,
        .act = act,
        .rows = rows,
        .free = free_message,
    };
    struct pane_message *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
