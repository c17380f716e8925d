/* The chain of a message: what its sender had been handed before it sent it, and what its receiver sent when it had
 * been handed it, over several nodes in both directions. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/pane.h"

#define LINKS_MOST  300 /* records of a chain */
#define LOOKS_MOST  100 /* questions what came of a record, or what it came of: each takes a millisecond or so */
#define DEPTH_MOST  12  /* steps in each direction */
#define BRANCH_MOST 8   /* records that one led to, or came of */

struct link {
    uint64_t n;
    int depth; /* below 0: before the message, above: behind it */
};

struct pane_chain {
    struct pane pane;
    uint64_t n;
    bool known;
    struct link links[LINKS_MOST];
    int count, looks;
};

static struct pane_chain *chain_of(struct pane *p)
{
    return (struct pane_chain *)p;
}

static bool has(const struct pane_chain *c, uint64_t n)
{
    for (int i = 0; i < c->count; i++)
        if (c->links[i].n == n)
            return true;
    return false;
}

/* What one record is linked with, in a direction; nothing once the chain is as long as may be. */
static size_t look(struct pane_chain *c, struct session *s, uint64_t n, bool forward, int depth,
                   uint64_t found[BRANCH_MOST])
{
    if (depth > DEPTH_MOST || c->count >= LINKS_MOST || c->looks >= LOOKS_MOST)
        return 0;
    c->looks++;
    return session_chain(s, n, forward, found, BRANCH_MOST);
}

static void add(struct pane_chain *c, uint64_t n, int depth)
{
    if (c->count < LINKS_MOST && !has(c, n))
        c->links[c->count++] = (struct link){ n, depth };
}

/* What came of record n, each followed by what came of it. */
static void add_after(struct pane_chain *c, struct session *s, uint64_t n, int depth)
{
    uint64_t found[BRANCH_MOST];
    size_t count = look(c, s, n, true, depth, found);
    for (size_t i = 0; i < count; i++) {
        bool is_new = !has(c, found[i]);
        add(c, found[i], depth);
        if (is_new)
            add_after(c, s, found[i], depth + 1);
    }
}

/* What record n came of, each behind what it came of itself. */
static void add_before(struct pane_chain *c, struct session *s, uint64_t n, int depth)
{
    uint64_t found[BRANCH_MOST];
    size_t count = look(c, s, n, false, depth, found);
    for (size_t i = count; i > 0; i--) { /* they come the latest first */
        if (!has(c, found[i - 1]))
            add_before(c, s, found[i - 1], depth + 1);
        add(c, found[i - 1], -depth);
    }
}

static void find_links(struct pane_chain *c, const struct view *v)
{
    struct session *s = (struct session *)(uintptr_t)v->session; /* it reads its records, no more */
    c->count = c->looks = 0;
    c->known = true;
    add_before(c, s, c->n, 1);
    for (int i = 0; i < c->count; i++)
        if (c->links[i].n == c->n)
            return; /* it came of itself: a history that is not whole */
    add(c, c->n, 0);
    c->pane.list.cursor = (uint64_t)(c->count - 1);
    add_after(c, s, c->n, 1);
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char n[FORMAT_TEXT];
    (void)v;
    const struct pane_chain *c = (const struct pane_chain *)p;
    buffer_format(out, " of record %s%s", format_count(c->n, n),
                  c->count >= LINKS_MOST || c->looks >= LOOKS_MOST ? ", its nearer part" : "");
}

static void put_id(struct pen *pen, const struct view *v, struct text id)
{
    char name[80] = "";
    if (id.len < sizeof name)
        memcpy(name, id.s, id.len);
    pen_text(pen, theme_node_role(scenario_find_node(v->scenario, name)), id.s, id.len);
}

static void draw_link(const struct view *v, const struct area *a, int y, const struct link *l)
{
    struct record r;
    struct session_delivery came;
    char text[FORMAT_TEXT];
    struct pen pen = pen_at(a, 0, y, -1);
    if (session_read_message(v->session, l->n, &r, &came) != 0)
        return;
    pen_printf(&pen, ROLE_TIME, "%11s ", format_stamp(r.t, text));
    pen_put(&pen, l->depth ? ROLE_DIM : ROLE_KEY, l->depth < 0 ? "  " : l->depth ? "  " : "> ");
    for (int d = 1; d < l->depth && d < 12; d++)
        pen_put(&pen, ROLE_DIM, "  ");
    put_id(&pen, v, r.src);
    if (r.kind == RECORD_NODE) {
        pen_put(&pen, ROLE_BAD, "  ");
        pen_text(&pen, ROLE_BAD, r.state.s, r.state.len);
        pen_put(&pen, ROLE_TEXT, "  ");
        pen_text(&pen, ROLE_TEXT, r.cause.s, r.cause.len);
        return;
    }
    if (r.dst.len) {
        pen_put(&pen, ROLE_DIM, " ");
        pen_glyph(&pen, ROLE_DIM, came.due == SIMTIME_NEVER ? GLYPH_ARROW_LOST : GLYPH_ARROW);
        pen_put(&pen, ROLE_DIM, " ");
        put_id(&pen, v, r.dst);
    }
    pen_put(&pen, ROLE_TEXT, "  ");
    pen_text(&pen, r.kind == RECORD_LOCAL ? ROLE_DIM : theme_type_role(r.type.s, r.type.len), r.type.s, r.type.len);
    pen_put(&pen, ROLE_TEXT, "  ");
    if (came.edited || came.delayed || came.dropped)
        pen_printf(&pen, came.dropped ? ROLE_BAD : ROLE_WARN, "%s  ", view_fate(&r, &came));
    json_compact(&pen, came.payload.s, came.payload.len);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_chain *c = chain_of(p);
    if (!v->session || !v->store)
        return;
    if (!c->known && !session_deliveries_known(v->session)) {
        area_put(a, 2, 1, ROLE_DIM, "Reading what was done to messages");
        return;
    }
    if (!c->known)
        find_links(c, v);
    list_show(&p->list, (uint64_t)c->count, a->height, a->y);
    for (int y = 0; y < a->height && p->list.top + (uint64_t)y < (uint64_t)c->count; y++) {
        draw_link(v, a, y, &c->links[p->list.top + (uint64_t)y]);
        area_mark(a, y, v->find);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(a, y, focus);
    }
    if (c->count == 1 && a->height > 3)
        area_put(a, 2, 2, ROLE_DIM, "Its sender had been handed nothing, and nothing came of it");
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    struct pane_chain *c = (struct pane_chain *)(uintptr_t)p;
    (void)width;
    if (!c->known && v->session && session_deliveries_known(v->session))
        find_links(c, v);
    return c->count < 4 ? 4 : c->count;
}

uint64_t pane_chain_selected(const struct pane *p)
{
    const struct pane_chain *c = (const struct pane_chain *)p;
    return c->count ? c->links[p->list.cursor].n : c->n;
}

void pane_chain_show(struct pane *p, uint64_t n)
{
    struct pane_chain *c = chain_of(p);
    c->n = n;
    c->known = false;
    c->count = 0;
}

struct pane *pane_chain_new(void)
{
    static const struct pane_ops ops = {
        .name = "Chain",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .rows = rows,
        .free = pane_free,
    };
    struct pane_chain *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
