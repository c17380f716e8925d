/* How the nodes do: what their processes take, work handled, queues, step times, share of the wall time. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/sort.h"

/* A column, from the left; those with the highest `rank` go first where the pane is narrow. */
enum column_id {
    COLUMN_NODE,
    COLUMN_KIND,
    COLUMN_STATE,
    COLUMN_CHECK,
    COLUMN_PID,
    COLUMN_CPU,
    COLUMN_MEMORY,
    COLUMN_EVENTS,
    COLUMN_IN,
    COLUMN_OUT,
    COLUMN_DROPPED,
    COLUMN_QUEUE,
    COLUMN_P50,
    COLUMN_P99,
    COLUMN_SHARE,
    COLUMN_METER,
    COLUMN_RESTARTS,
    COLUMNS
};

struct pane_health {
    struct pane pane;
    struct sort sort;
    int widths[COLUMNS]; /* as drawn last, by column */
};

#define NEVER (-1)

static const struct {
    const char *heading;
    int width, rank;
    int process_rank; /* where nodes are processes; the rank of others does not count then */
    bool left;
} columns[COLUMNS] = {
    [COLUMN_NODE] = { "node", 12, 0, 0, true },
    [COLUMN_KIND] = { "kind", 7, 6, 8, true },
    [COLUMN_STATE] = { "state", 8, 0, 0, true },
    [COLUMN_CHECK] = { "health", 9, NEVER, 1, true },
    [COLUMN_PID] = { "pid", 7, NEVER, 5, false }, /* the node's details have it too */
    [COLUMN_CPU] = { "cpu", 6, NEVER, 2, false },
    [COLUMN_MEMORY] = { "memory", 8, NEVER, 2, false },
    [COLUMN_EVENTS] = { "events", 9, 1, 6, false },
    [COLUMN_IN] = { "in", 8, 2, 1, false },
    [COLUMN_OUT] = { "out", 8, 2, 1, false },
    [COLUMN_DROPPED] = { "lost", 7, 7, 7, false },
    [COLUMN_QUEUE] = { "queue", 6, 3, 9, false },
    [COLUMN_P50] = { "step p50", 8, 4, 3, false },
    [COLUMN_P99] = { "p99", 8, 4, 3, false },
    [COLUMN_SHARE] = { "share", 7, 5, 8, false },
    [COLUMN_METER] = { "", 10, 8, 10, true },
    [COLUMN_RESTARTS] = { "restarts", 8, 9, 4, false },
};
#define RANKS     11
#define METER_MIN 4
#define METER_MAX 20 /* beyond its usual width */

/* Whether a node has a health check: by its scenario, or its container's image. */
static bool has_check(const struct view *v)
{
    for (int i = 0; i < v->scenario->node_count; i++) {
        struct node_status s = { 0 };
        if (v->scenario->nodes[i].implementation != IMPLEMENTATION_DOCKER)
            continue;
        if (v->session)
            session_node(v->session, i, &s);
        if (s.health || v->scenario->nodes[i].docker.healthcheck.command)
            return true;
    }
    return false;
}

/* The widths that fit; 0: left out. */
static void fit_columns(const struct view *v, int room, int widths[COLUMNS])
{
    int id = v->model->id_width < 4 ? 4 : v->model->id_width > 20 ? 20 : v->model->id_width;
    memset(widths, 0, COLUMNS * sizeof *widths);
    for (int rank = 0; rank < RANKS; rank++)
        for (int c = 0; c < COLUMNS; c++) {
            if ((v->model->process_count ? columns[c].process_rank : columns[c].rank) != rank)
                continue;
            if (c == COLUMN_CHECK && !has_check(v))
                continue;
            int width = c == COLUMN_NODE ? id : columns[c].width;
            widths[c] = width + 1 <= room ? width : 0;
            room -= widths[c] ? widths[c] + 1 : 0;
        }
    if (!widths[COLUMN_METER] && widths[COLUMN_SHARE] && room > METER_MIN)
        widths[COLUMN_METER] = room - 1;
    else if (widths[COLUMN_METER] && room > 0)
        widths[COLUMN_METER] += room < METER_MAX ? room : METER_MAX;
}

static void cell(const struct area *a, int *x, int y, const int widths[COLUMNS], enum column_id c, enum role role,
                 const char *text)
{
    if (!widths[c])
        return;
    if (columns[c].left)
        area_text(a, *x, y, widths[c], role, text, strlen(text));
    else
        area_right(a, *x, y, widths[c], role, text);
    *x += widths[c] + 1;
}

static void count_cell(const struct area *a, int *x, int y, const int widths[COLUMNS], enum column_id c, uint64_t n,
                       enum role role)
{
    char text[FORMAT_TEXT];
    cell(a, x, y, widths, c, n ? role : ROLE_DIM, format_brief(n, widths[c], text));
}

static void time_cell(const struct area *a, int *x, int y, const int widths[COLUMNS], enum column_id c, uint64_t ns,
                      bool wall)
{
    char text[FORMAT_TEXT];
    cell(a, x, y, widths, c, ns && wall ? ROLE_TEXT : ROLE_DIM, ns && wall ? format_ns(ns, text) : WALL_HIDDEN);
}

/* A model has none of these. */
static void process_cells(const struct view *v, const struct area *a, int *x, int y, const int widths[COLUMNS],
                          int node, const struct node_status *s)
{
    char text[FORMAT_TEXT];
    struct usage usage;
    bool known = widths[COLUMN_CPU] && view_usage(v, node, usage_key(s), &usage);
    bool has_pid = (s->pid || s->container) && v->wall;
    if (s->container)
        snprintf(text, sizeof text, "%.7s", s->container);
    else
        snprintf(text, sizeof text, "%d", s->pid);
    cell(a, x, y, widths, COLUMN_PID, has_pid ? ROLE_TEXT : ROLE_DIM, has_pid ? text : WALL_HIDDEN);
    bool has_cpu = known && usage.cpu >= 0;
    cell(a, x, y, widths, COLUMN_CPU, has_cpu ? ROLE_TEXT : ROLE_DIM,
         has_cpu ? format_load(usage.cpu, text) : WALL_HIDDEN);
    cell(a, x, y, widths, COLUMN_MEMORY, known ? ROLE_TEXT : ROLE_DIM,
         known ? format_bytes(usage.memory, text) : WALL_HIDDEN);
}

static void draw_node(const struct view *v, const struct area *a, int y, int node, const int widths[COLUMNS])
{
    const struct scenario_node *n = &v->scenario->nodes[node];
    struct node_status s = { .state = NODE_LOADED, .cause = "" };
    if (v->session)
        session_node(v->session, node, &s);
    char text[FORMAT_TEXT];
    double share = v->wall && v->model->wall_total ? (double)v->model->wall_ns[node] / (double)v->model->wall_total : 0;
    int x = 0;
    bool dead = s.state == NODE_FAILED || s.state == NODE_FROZEN;
    cell(a, &x, y, widths, COLUMN_NODE, dead ? view_state_role(&s) : theme_node_role(node), n->id);
    cell(a, &x, y, widths, COLUMN_KIND, ROLE_DIM, implementation_name(n->implementation));
    cell(a, &x, y, widths, COLUMN_STATE, view_state_role(&s), view_state_word(v, &s));
    bool checked = v->wall && s.health;
    cell(a, &x, y, widths, COLUMN_CHECK, checked ? view_health_role(s.health) : ROLE_DIM,
         checked ? s.health : WALL_HIDDEN);
    process_cells(v, a, &x, y, widths, node, &s);
    count_cell(a, &x, y, widths, COLUMN_EVENTS, s.events, ROLE_TEXT);
    count_cell(a, &x, y, widths, COLUMN_IN, s.messages_in, ROLE_TEXT);
    count_cell(a, &x, y, widths, COLUMN_OUT, s.messages_out, ROLE_TEXT);
    count_cell(a, &x, y, widths, COLUMN_DROPPED, s.dropped, ROLE_BAD);
    count_cell(a, &x, y, widths, COLUMN_QUEUE, s.queue, ROLE_TEXT);
    time_cell(a, &x, y, widths, COLUMN_P50, v->session ? session_step_ns(v->session, node, 0.50) : 0, v->wall);
    time_cell(a, &x, y, widths, COLUMN_P99, v->session ? session_step_ns(v->session, node, 0.99) : 0, v->wall);
    bool known = v->wall && v->model->wall_total;
    cell(a, &x, y, widths, COLUMN_SHARE, known ? ROLE_TEXT : ROLE_DIM,
         known ? format_percent(share, text) : WALL_HIDDEN);
    if (widths[COLUMN_METER]) {
        area_meter(a, x, y, widths[COLUMN_METER], share, ROLE_BAR_FULL);
        x += widths[COLUMN_METER] + 1;
    }
    count_cell(a, &x, y, widths, COLUMN_RESTARTS, s.restarts, ROLE_WARN);
}

static sort_key_of key_of;

static bool can_sort(const void *pane, int column)
{
    return column != COLUMN_METER && ((const struct pane_health *)pane)->widths[column] > 0;
}

static bool is_text(int column)
{
    return columns[column].left;
}

static void draw_headings(const struct pane_health *h, const struct area *a)
{
    int x = 0;
    for (int c = 0; c < COLUMNS; c++) {
        int from = x, width = h->widths[c], len = (int)strlen(columns[c].heading);
        bool sorted = c == h->sort.column;
        cell(a, &x, 0, h->widths, (enum column_id)c, sorted ? ROLE_TITLE_FOCUS : ROLE_HEADING, columns[c].heading);
        if (sorted && width) /* in the gap between the columns, where there is no other room */
            area_glyph(a, columns[c].left ? from + (len < width ? len : width) : from + width - len - 1, 0,
                       ROLE_TITLE_FOCUS, h->sort.down ? GLYPH_OPEN : GLYPH_UP);
    }
}

static int node_at(const struct pane_health *h, uint64_t row)
{
    return row < (uint64_t)h->sort.count ? h->sort.order[row] : (int)row;
}

/* The selected node stays that, but for a list that is seen from its top. */
static void sort_rows(struct pane *p, const struct view *v)
{
    struct pane_health *h = (struct pane_health *)p;
    int node = node_at(h, p->list.cursor);
    if (sort_update(&h->sort, v, NULL, v->scenario->node_count, key_of, NULL) && p->list.cursor > 0)
        list_go(&p->list, (uint64_t)sort_row_of(&h->sort, node));
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    (void)p;
    if (v->model && v->model->dead_count)
        buffer_format(out, ", %d %s", v->model->dead_count, model_dead_word(v->model));
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    if (!v->scenario || !v->model)
        return;
    struct pane_health *h = (struct pane_health *)p;
    fit_columns(v, a->width + 1, h->widths);
    draw_headings(h, a);
    sort_rows(p, v);
    struct area rows = area_sub(a, 0, 1, a->width, a->height - 1);
    list_show(&p->list, (uint64_t)v->scenario->node_count, rows.height, rows.y);
    if (v->usages)
        usages_expect(v->usages, rows.height < v->model->process_count ? rows.height : v->model->process_count);
    for (int y = 0; y < rows.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_node(v, &rows, y, node_at(h, p->list.top + (uint64_t)y), h->widths);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&rows, y, focus);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    if (!v->scenario || p->list.cursor >= (uint64_t)v->scenario->node_count)
        return -1;
    return node_at((const struct pane_health *)p, p->list.cursor);
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_health *h = (struct pane_health *)p;
    (void)v;
    if (!sort_act(&h->sort, action, COLUMNS, can_sort, is_text, h))
        return list_act(&p->list, action);
    p->list.cursor = p->list.top = 0;
    return true;
}

static struct sort_key key_of(const struct view *v, int node, int column)
{
    const struct scenario_node *n = &v->scenario->nodes[node];
    struct node_status s = { .state = NODE_LOADED, .cause = "" };
    struct usage usage = { 0 };
    if (v->session)
        session_node(v->session, node, &s);
    switch ((enum column_id)column) {
    case COLUMN_NODE:
        return (struct sort_key){ .text = n->id };
    case COLUMN_KIND:
        return (struct sort_key){ .text = implementation_name(n->implementation) };
    case COLUMN_STATE:
        return (struct sort_key){ .text = view_state_word(v, &s) };
    case COLUMN_CHECK:
        return (struct sort_key){ .text = v->wall && s.health ? s.health : "" };
    case COLUMN_PID:
        return (struct sort_key){ .number = v->wall ? s.pid : 0 };
    case COLUMN_CPU:
        return (struct sort_key){ .number = view_usage(v, node, usage_key(&s), &usage) ? usage.cpu : -1 };
    case COLUMN_MEMORY:
        return (struct sort_key){ .number = view_usage(v, node, usage_key(&s), &usage) ? (double)usage.memory : -1 };
    case COLUMN_EVENTS:
        return (struct sort_key){ .number = (double)s.events };
    case COLUMN_IN:
        return (struct sort_key){ .number = (double)s.messages_in };
    case COLUMN_OUT:
        return (struct sort_key){ .number = (double)s.messages_out };
    case COLUMN_DROPPED:
        return (struct sort_key){ .number = (double)s.dropped };
    case COLUMN_QUEUE:
        return (struct sort_key){ .number = (double)s.queue };
    case COLUMN_P50:
    case COLUMN_P99:
        return (struct sort_key){
            .number = v->wall && v->session
                          ? (double)session_step_ns(v->session, node, column == COLUMN_P50 ? 0.50 : 0.99)
                          : 0
        };
    case COLUMN_RESTARTS:
        return (struct sort_key){ .number = s.restarts };
    case COLUMN_SHARE:
    case COLUMN_METER:
    case COLUMNS:
        break;
    }
    return (struct sort_key){ .number = v->wall ? (double)v->model->wall_ns[node] : 0 };
}

/* What depends on the wall clock. */
static void export_wall(const struct view *v, int node, const struct node_status *s, struct table_row *row)
{
    const struct model *m = v->model;
    if (!v->wall || !v->session) {
        for (int i = 0; i < 4; i++)
            table_nothing(row);
        return;
    }
    table_double(row, (double)session_step_ns(v->session, node, 0.50) / 1e9);
    table_double(row, (double)session_step_ns(v->session, node, 0.99) / 1e9);
    table_double(row, (double)s->wall_ns / 1e9);
    table_double(row, m->wall_total ? (double)m->wall_ns[node] / (double)m->wall_total : 0);
}

static void export_process(const struct view *v, int node, const struct node_status *s, struct table_row *row)
{
    struct usage usage;
    bool known = view_usage(v, node, usage_key(s), &usage);
    char pid[16] = "";
    if (s->pid)
        snprintf(pid, sizeof pid, "%d", s->pid);
    table_text(row, v->wall ? s->health : NULL);
    table_text(row, !v->wall ? NULL : s->container ? s->container : pid);
    if (known && usage.cpu >= 0)
        table_double(row, usage.cpu);
    else
        table_nothing(row);
    if (known)
        table_u64(row, usage.memory);
    else
        table_nothing(row);
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    if (n == TABLE_HEADINGS) {
        table_headings(row, "node kind state health pid cpu memory_bytes events in out lost queue step_p50_s "
                            "step_p99_s wall_s share restarts");
        return true;
    }
    if (!v->scenario || !v->model || n >= (uint64_t)v->scenario->node_count)
        return false;
    int node = node_at((const struct pane_health *)p, n);
    struct node_status s = { .state = NODE_LOADED, .cause = "" };
    if (v->session)
        session_node(v->session, node, &s);
    table_text(row, v->scenario->nodes[node].id);
    table_text(row, implementation_name(v->scenario->nodes[node].implementation));
    table_text(row, view_state_word(v, &s));
    export_process(v, node, &s, row);
    table_u64(row, s.events);
    table_u64(row, s.messages_in);
    table_u64(row, s.messages_out);
    table_u64(row, s.dropped);
    table_u64(row, s.queue);
    export_wall(v, node, &s, row);
    table_u64(row, s.restarts);
    return true;
}

void pane_health_click(struct pane *p, int x)
{
    struct pane_health *h = (struct pane_health *)p;
    int from = 0;
    for (int c = 0; c < COLUMNS; c++) {
        int width = h->widths[c];
        if (width && x >= from && x <= from + width && can_sort(h, c)) { /* with the gap behind it */
            sort_by(&h->sort, c, is_text(c));
            p->list.cursor = p->list.top = 0;
        }
        from += width ? width + 1 : 0;
    }
}

static void free_health(struct pane *p)
{
    sort_free(&((struct pane_health *)p)->sort);
    free(p);
}

struct pane *pane_health_new(void)
{
    static const struct pane_ops ops = {
        .name = "Health",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .export = export_row,
        .go = pane_go,
        .free = free_health,
    };
    struct pane_health *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    p->sort.column = SORT_NONE;
    return &p->pane;
}
