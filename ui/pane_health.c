/* How the nodes do: what their processes take, work handled, queues, step times, share of the wall time. */
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"

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

#define NEVER (-1)

static const struct {
    const char *heading;
    int width, rank;
    int process_rank; /* where nodes are processes; the rank of others does not count then */
    bool left;
} columns[COLUMNS] = {
    [COLUMN_NODE] = { "node", 12, 0, 0, true },     [COLUMN_KIND] = { "kind", 7, 6, 6, true },
    [COLUMN_STATE] = { "state", 8, 0, 0, true },    [COLUMN_CHECK] = { "health", 9, NEVER, 1, true },
    [COLUMN_PID] = { "pid", 7, NEVER, 1, false },   [COLUMN_CPU] = { "cpu", 6, NEVER, 1, false },
    [COLUMN_MEMORY] = { "memory", 8, NEVER, 1, false }, [COLUMN_EVENTS] = { "events", 9, 1, 4, false },
    [COLUMN_IN] = { "in", 8, 2, 5, false },         [COLUMN_OUT] = { "out", 8, 2, 5, false },
    [COLUMN_DROPPED] = { "lost", 7, 7, 9, false },  [COLUMN_QUEUE] = { "queue", 6, 3, 8, false },
    [COLUMN_P50] = { "step p50", 8, 4, 2, false },  [COLUMN_P99] = { "p99", 8, 4, 2, false },
    [COLUMN_SHARE] = { "share", 7, 5, 7, false },   [COLUMN_METER] = { "", 10, 8, 10, true },
    [COLUMN_RESTARTS] = { "restarts", 8, 9, 3, false },
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
    cell(a, &x, y, widths, COLUMN_CHECK, checked ? view_health_role(s.health) : ROLE_DIM, checked ? s.health : WALL_HIDDEN);
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
    int widths[COLUMNS], x = 0;
    fit_columns(v, a->width + 1, widths);
    for (int c = 0; c < COLUMNS; c++)
        cell(a, &x, 0, widths, (enum column_id)c, ROLE_HEADING, columns[c].heading);
    struct area rows = area_sub(a, 0, 1, a->width, a->height - 1);
    list_show(&p->list, (uint64_t)v->scenario->node_count, rows.height, rows.y);
    if (v->usages)
        usages_expect(v->usages, rows.height < v->model->process_count ? rows.height : v->model->process_count);
    for (int y = 0; y < rows.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_node(v, &rows, y, (int)p->list.top + y, widths);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&rows, y, focus);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->scenario && p->list.cursor < (uint64_t)v->scenario->node_count ? (int)p->list.cursor : -1;
}

struct pane *pane_health_new(void)
{
    static const struct pane_ops ops = {
        .name = "Health",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .node = selected,
        .free = pane_free,
    };
    struct pane *p = mem_alloc(sizeof *p);
    p->ops = &ops;
    return p;
}
