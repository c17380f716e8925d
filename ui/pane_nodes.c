/* The nodes, as a tree by tier. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/awaited.h"
#include "ui/format.h"
#include "ui/sort.h"

#define CAUSE_LEAST 12 /* columns; in fewer nothing can be read */
#define MARK        4  /* columns of a node's mark, and what stands before it */

/* Widths of the columns, 0 for those that have no room. */
struct columns {
    int id, state, type, events;
};

struct pane_nodes {
    struct pane pane;
    bool folded[TIERS];
    struct sort sort;       /* within the tiers */
    struct columns columns; /* as drawn last … */
    int width;              /* … in this */
};

enum sorted_by { BY_ID, BY_STATE, BY_TYPE, BY_EVENTS, SORTED_BY };
static const char *const sorted_words[SORTED_BY] = { "id", "state", "type", "events" };

/* A row of the tree: a tier's heading (node -1), or a node. */
struct row {
    int tier, node;
};

static const struct pane_nodes *nodes_of(const struct pane *p)
{
    return (const struct pane_nodes *)p;
}

static int tier_size(const struct model *m, int tier)
{
    return m->tier_start[tier + 1] - m->tier_start[tier];
}

static int node_at(const struct pane_nodes *p, const struct model *m, int place)
{
    return p->sort.count == m->node_count ? p->sort.order[place] : m->by_tier[place];
}

static int row_count(const struct pane_nodes *p, const struct model *m)
{
    int rows = 0;
    for (int tier = 0; tier < TIERS; tier++)
        if (tier_size(m, tier))
            rows += 1 + (p->folded[tier] ? 0 : tier_size(m, tier));
    return rows;
}

static struct row row_at(const struct pane_nodes *p, const struct model *m, uint64_t index)
{
    uint64_t first = 0;
    for (int tier = 0; tier < TIERS; tier++) {
        uint64_t size = (uint64_t)tier_size(m, tier);
        if (!size)
            continue;
        uint64_t shown = p->folded[tier] ? 0 : size;
        if (index == first)
            return (struct row){ tier, -1 };
        if (index <= first + shown)
            return (struct row){ tier, node_at(p, m, m->tier_start[tier] + (int)(index - first - 1)) };
        first += 1 + shown;
    }
    return (struct row){ -1, -1 };
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct sort *sort = &nodes_of(p)->sort;
    char count[FORMAT_TEXT];
    if (!v->model || !v->scenario)
        return;
    buffer_format(out, " %s", format_count((uint64_t)v->scenario->node_count, count));
    if (v->model->dead_count)
        buffer_format(out, ", %d %s", v->model->dead_count, model_dead_word(v->model));
    if (sort->column != SORT_NONE)
        buffer_format(out, " by %s%s", sorted_words[sort->column],
                      sort->down == (sort->column == BY_EVENTS) ? "" : sort->down ? ", down" : ", up");
}

static void draw_tier(const struct pane_nodes *p, const struct view *v, const struct area *a, int y, int tier)
{
    struct pen pen = pen_at(a, 0, y, -1);
    char count[FORMAT_TEXT];
    pen_glyph(&pen, ROLE_DIM, p->folded[tier] ? GLYPH_CLOSED : GLYPH_OPEN);
    pen_put(&pen, ROLE_STRONG, " ");
    pen_put(&pen, ROLE_STRONG, tier_name((enum tier)tier));
    pen_printf(&pen, ROLE_DIM, "  %s", format_count((uint64_t)tier_size(v->model, tier), count));
    if (v->model->tier_dead[tier])
        pen_printf(&pen, ROLE_BAD, ", %d %s", v->model->tier_dead[tier], model_dead_word(v->model));
}

#define HEADING_ID 5 /* columns of "node", and of the mark that it is sorted by */

static struct columns columns_for(const struct view *v, int width)
{
    struct columns c = { .state = 8, .id = v->model->id_width };
    int room = width - MARK;
    c.id = c.id > 24 ? 24 : c.id;
    if (c.id > room - c.state - 1)
        c.id = room - c.state - 1 > 8 ? room - c.state - 1 : 8;
    room -= c.id + 1 + c.state + 1;
    if (room >= 8) {
        int short_of = c.id < HEADING_ID ? HEADING_ID - c.id : 0;
        c.id += room - short_of >= 8 ? short_of : 0;
        room -= room - short_of >= 8 ? short_of : 0;
        c.type = 8;
        room -= 9;
    }
    c.events = room >= 6 ? (room > 12 ? 12 : room) : 0;
    return c;
}

/* What a node's state looks like; those that do what they should show whether they just did something. */
static enum glyph mark_of(const struct view *v, int node, const struct node_status *s, bool active, enum role *role)
{
    struct awaited awaited;
    *role = view_state_role(s);
    if (awaited_of(v, node, s, &awaited)) {
        *role = awaited_role(&awaited);
        return awaited.late ? GLYPH_WARNING : GLYPH_TURNING;
    }
    if (view_will_fail(s))
        return GLYPH_WARNING;
    switch (s->state) {
    case NODE_FAILED:
        return GLYPH_CROSS;
    case NODE_FROZEN:
        return GLYPH_FROZEN;
    case NODE_PAUSED:
        return GLYPH_PAUSED;
    case NODE_STARTING:
    case NODE_ENDING:
        return GLYPH_TURNING;
    case NODE_FINISHED:
        if (view_ended_early(v))
            *role = ROLE_DIM;
        return view_ended_early(v) ? GLYPH_RING : GLYPH_CHECK;
    case NODE_LOADED:
    case NODE_IDLE:
    case NODE_BUSY:
        break;
    }
    *role = active ? ROLE_GOOD : ROLE_DIM;
    return active ? GLYPH_DOT : GLYPH_RING;
}

static void draw_node(const struct view *v, const struct area *a, int y, int node, const struct columns *c)
{
    const struct scenario_node *n = &v->scenario->nodes[node];
    struct node_status s = { .state = NODE_LOADED, .cause = "", .last_active = -1 };
    if (v->session)
        session_node(v->session, node, &s);
    bool active = s.last_active >= 0 && s.last_active >= v->since;
    bool failed = s.state == NODE_FAILED || s.state == NODE_FROZEN || view_will_fail(&s);
    enum role role;
    enum glyph mark = mark_of(v, node, &s, active, &role);
    area_glyph(a, 2, y, role, mark);
    int x = MARK;
    area_text(a, x, y, c->id, failed ? view_state_role(&s) : theme_node_role(node), n->id, strlen(n->id));
    x += c->id + 1;
    const char *word = view_state_word(v, &s), *cause = s.cause;
    area_text(a, x, y, c->state, view_state_role(&s), word, strlen(word));
    x += c->state + 1;
    if (s.activity && s.state == NODE_STARTING && a->width - x >= CAUSE_LEAST) {
        area_text(a, x + 1, y, -1, ROLE_DIM, s.activity, strlen(s.activity));
        return;
    }
    if (failed && *cause && a->width - x >= CAUSE_LEAST) {
        area_text(a, x + 1, y, -1, view_state_role(&s), cause, strlen(cause));
        return;
    }
    if (c->type)
        area_text(a, x, y, c->type, ROLE_DIM, n->type, strlen(n->type));
    char count[FORMAT_TEXT];
    if (c->events)
        area_right(a, a->width - c->events, y, c->events, s.events ? ROLE_TEXT : ROLE_DIM,
                   format_brief(s.events, c->events, count));
}

/* Where a column begins, and its width; 0: it is not there. */
static int place_of(const struct columns *c, int width, int column, int *x)
{
    switch ((enum sorted_by)column) {
    case BY_ID:
        *x = MARK;
        return c->id;
    case BY_STATE:
        *x = MARK + c->id + 1;
        return c->state;
    case BY_TYPE:
        *x = MARK + c->id + 1 + c->state + 1;
        return c->type;
    case BY_EVENTS:
    case SORTED_BY:
        break;
    }
    *x = width - c->events;
    return c->events;
}

static void draw_headings(const struct pane_nodes *p, const struct area *a)
{
    static const char *const headings[SORTED_BY] = { "node", "state", "type", "events" };
    for (int c = 0; c < SORTED_BY; c++) {
        int x, width = place_of(&p->columns, a->width, c, &x), len = (int)strlen(headings[c]);
        bool sorted = c == p->sort.column, right = c == BY_EVENTS;
        if (!width)
            continue;
        x += right && len < width ? width - len : 0;
        area_text(a, x, 0, width, sorted ? ROLE_TITLE_FOCUS : ROLE_HEADING, headings[c], (size_t)len);
        if (sorted)
            area_glyph(a, right ? x - 1 : x + len, 0, ROLE_TITLE_FOCUS, p->sort.down ? GLYPH_OPEN : GLYPH_UP);
    }
}

static int tier_of(const struct view *v, int node)
{
    return (int)v->scenario->nodes[node].tier;
}

static struct sort_key key_of(const struct view *v, int node, int column)
{
    struct node_status s = { .state = NODE_LOADED, .cause = "" };
    if (v->session)
        session_node(v->session, node, &s);
    switch ((enum sorted_by)column) {
    case BY_ID:
        return (struct sort_key){ .text = v->scenario->nodes[node].id };
    case BY_STATE:
        return (struct sort_key){ .text = view_state_word(v, &s) };
    case BY_TYPE:
        return (struct sort_key){ .text = v->scenario->nodes[node].type };
    case BY_EVENTS:
    case SORTED_BY:
        break;
    }
    return (struct sort_key){ .number = (double)s.events };
}

/* The selected node stays that. */
static void sort_rows(struct pane *p, const struct view *v)
{
    struct pane_nodes *nodes = (struct pane_nodes *)p;
    int node = row_at(nodes, v->model, p->list.cursor).node;
    if (sort_update(&nodes->sort, v, v->model->by_tier, v->model->node_count, key_of, tier_of) && node >= 0)
        pane_nodes_select(p, v, node);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_nodes *nodes = (struct pane_nodes *)p;
    if (!v->model || !v->scenario)
        return;
    sort_rows(p, v);
    nodes->columns = columns_for(v, a->width);
    nodes->width = a->width;
    /* an id and its state explain themselves */
    int heading = nodes->columns.type && pane_has_heading(a->height);
    struct area rows = area_sub(a, 0, heading, a->width, a->height - heading);
    if (heading)
        draw_headings(nodes, a);
    list_show(&p->list, (uint64_t)row_count(nodes, v->model), rows.height, rows.y);
    for (int y = 0; y < rows.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        struct row row = row_at(nodes, v->model, p->list.top + (uint64_t)y);
        if (row.node < 0)
            draw_tier(nodes, v, &rows, y, row.tier);
        else
            draw_node(v, &rows, y, row.node, &nodes->columns);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&rows, y, focus);
    }
}

static uint64_t heading_row(const struct pane_nodes *p, const struct model *m, int tier)
{
    uint64_t at = 0;
    for (int before = 0; before < tier; before++)
        if (tier_size(m, before))
            at += 1 + (p->folded[before] ? 0 : (uint64_t)tier_size(m, before));
    return at;
}

static void fold(struct pane *p, const struct view *v, enum action action)
{
    struct pane_nodes *nodes = (struct pane_nodes *)p;
    struct row row = row_at(nodes, v->model, p->list.cursor);
    if (row.tier < 0)
        return;
    bool to = action == ACTION_LEFT ? true : action == ACTION_RIGHT ? false : !nodes->folded[row.tier];
    nodes->folded[row.tier] = to;
    if (to)
        p->list.cursor = heading_row(nodes, v->model, row.tier);
}

void pane_nodes_select(struct pane *p, const struct view *v, int node)
{
    struct pane_nodes *nodes = (struct pane_nodes *)p;
    int tier = (int)v->scenario->nodes[node].tier;
    nodes->folded[tier] = false;
    for (int r = v->model->tier_start[tier]; r < v->model->tier_start[tier + 1]; r++)
        if (node_at(nodes, v->model, r) == node)
            list_go(&p->list, heading_row(nodes, v->model, tier) + 1 + (uint64_t)(r - v->model->tier_start[tier]));
}

static bool can_sort(const void *pane, int column)
{
    (void)pane, (void)column;
    return true;
}

static bool is_text(int column)
{
    return column != BY_EVENTS;
}

void pane_nodes_click(struct pane *p, int x)
{
    struct pane_nodes *nodes = (struct pane_nodes *)p;
    for (int c = 0; c < SORTED_BY; c++) {
        int from, width = place_of(&nodes->columns, nodes->width, c, &from);
        if (width && x >= from && x <= from + width) { /* with the gap behind it */
            sort_by(&nodes->sort, c, is_text(c));
            return;
        }
    }
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    if (!v->model || !v->scenario)
        return false;
    if (sort_act(&((struct pane_nodes *)p)->sort, action, SORTED_BY, can_sort, is_text, p))
        return true;
    switch (action) {
    case ACTION_FOLD:
    case ACTION_LEFT:
    case ACTION_RIGHT:
        fold(p, v, action);
        return true;
    case ACTION_ENTER:
        if (row_at(nodes_of(p), v->model, p->list.cursor).node >= 0)
            return false;
        fold(p, v, ACTION_FOLD);
        return true;
    default:
        return list_act(&p->list, action);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->model ? row_at(nodes_of(p), v->model, p->list.cursor).node : -1;
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    if (n == TABLE_HEADINGS) {
        table_headings(row, "tier node state type kind events cause");
        return true;
    }
    if (!v->model || !v->scenario || n >= (uint64_t)row_count(nodes_of(p), v->model))
        return false;
    struct row at = row_at(nodes_of(p), v->model, n);
    table_text(row, tier_name((enum tier)at.tier));
    row->heading = at.node < 0;
    if (row->heading)
        return true;
    const struct scenario_node *node = &v->scenario->nodes[at.node];
    struct node_status s = { .state = NODE_LOADED, .cause = "" };
    if (v->session)
        session_node(v->session, at.node, &s);
    table_text(row, node->id);
    table_text(row, view_state_word(v, &s));
    table_text(row, node->type);
    table_text(row, implementation_name(node->implementation));
    table_u64(row, s.events);
    table_text(row, s.cause);
    return true;
}

static void free_nodes(struct pane *p)
{
    sort_free(&((struct pane_nodes *)p)->sort);
    free(p);
}

struct pane *pane_nodes_new(void)
{
    static const struct pane_ops ops = {
        .name = "Nodes",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .export = export_row,
        .go = pane_go,
        .free = free_nodes,
    };
    struct pane_nodes *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    p->sort.column = SORT_NONE;
    p->pane.list.cursor = 1; /* the first node, below its tier */
    return &p->pane;
}
