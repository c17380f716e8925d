/* One node: its state, its configuration, its last messages, the end of its log or of its metrics. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "ui/awaited.h"
#include "ui/format.h"
#include "ui/json_view.h"
#include "ui/last_messages.h"
#include "ui/log_view.h"
#include "ui/node_text.h"

enum section { SECTION_MESSAGES, SECTION_WRITTEN, SECTION_CONFIG, SECTIONS };

#define METRICS_TAIL 8192
#define LOG_TAIL     16384
#define LABEL_WIDTH  13
#define CONFIG_LEAST 4  /* rows, below watches */
#define STAMPS_WIDTH 60 /* in a narrower log the times are left out */

struct pane_detail {
    struct pane pane;
    int node;
    enum section focus;
    struct list lists[SECTIONS];
    struct last_messages *messages;
    struct log_view log;
    double mips; /* of its processor, lately; -1: not known */
};

static struct pane_detail *detail_of(struct pane *p)
{
    return (struct pane_detail *)p;
}

static const struct scenario_node *node_of(const struct pane_detail *d, const struct view *v)
{
    return v->scenario && d->node >= 0 && d->node < v->scenario->node_count ? &v->scenario->nodes[d->node] : NULL;
}

static bool is_process(const struct scenario_node *n)
{
    return n->implementation != IMPLEMENTATION_MODEL;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct pane_detail *d = (const struct pane_detail *)p;
    const struct scenario_node *n = node_of(d, v);
    if (n)
        buffer_format(out, " %s (%d of %d)", n->id, d->node + 1, v->scenario->node_count);
}

/* Being looked at is what has it asked for. */
static bool look_at_processor(struct pane_detail *d, const struct view *v)
{
    double mips, before = d->mips;
    d->mips = v->wall && v->session && session_processor(v->session, d->node, &mips) ? mips : -1;
    return d->mips < before || d->mips > before;
}

static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_detail *d = detail_of(p);
    const struct scenario_node *n = node_of(d, v);
    if (!n || !v->store || !v->session)
        return false;
    bool more = pane_watch_work(v, changed);
    *changed |= look_at_processor(d, v);
    *changed |= is_process(n) && log_view_is_old(&d->log, v, d->node);
    return last_messages_work(d->messages, v, d->node, changed) || more;
}

static struct pen label(const struct area *a, int *y, const char *name)
{
    area_text(a, 1, *y, 11, ROLE_DIM, name, strlen(name));
    return pen_at(a, LABEL_WIDTH, (*y)++, -1);
}

static const char *none_yet(const struct view *v)
{
    return session_state_over(v->status->state) ? "none" : "none yet";
}

static void draw_work(const struct view *v, const struct area *a, int *y, int node, const struct node_status *s)
{
    char x[FORMAT_TEXT], z[FORMAT_TEXT];
    struct pen pen = label(a, y, "events");
    pen_put(&pen, ROLE_TEXT, format_count(s->events, x));
    pen_printf(&pen, ROLE_DIM, "  queue %s", format_count(s->queue, x));
    pen = label(a, y, "messages");
    pen_printf(&pen, ROLE_TEXT, "%s in  %s out", format_count(s->messages_in, x), format_count(s->messages_out, z));
    if (s->dropped)
        pen_printf(&pen, ROLE_BAD, "  %s lost", format_count(s->dropped, x));
    pen = label(a, y, "step");
    uint64_t half = v->session ? session_step_ns(v->session, node, 0.50) : 0;
    bool known = v->wall && half;
    pen_printf(&pen, ROLE_TEXT, "p50 %s ", known ? format_ns(half, x) : WALL_HIDDEN);
    pen_put(&pen, ROLE_TEXT, known && a->width < 40 ? "" : " ");
    pen_printf(&pen, ROLE_TEXT, "p99 %s", known ? format_ns(session_step_ns(v->session, node, 0.99), x) : WALL_HIDDEN);
    pen = label(a, y, "wall time");
    known = v->wall && v->model->wall_total;
    pen_put(&pen, ROLE_TEXT, known ? format_ns(s->wall_ns, x) : WALL_HIDDEN);
    if (known)
        pen_printf(&pen, ROLE_DIM, "  %s", format_percent((double)s->wall_ns / (double)v->model->wall_total, x));
}

/* Of a node that is a process, or a container. */
static void draw_process(const struct view *v, const struct area *a, int *y, int node, const struct node_status *s)
{
    char x[FORMAT_TEXT], z[FORMAT_TEXT];
    struct usage usage = { .cpu = -1 };
    bool known = view_usage(v, node, usage_key(s), &usage);
    bool is_container = v->scenario->nodes[node].implementation == IMPLEMENTATION_DOCKER;
    struct pen pen = label(a, y, is_container ? "container" : "pid");
    if (s->container && v->wall)
        pen_put(&pen, ROLE_TEXT, s->container);
    else if (s->pid && v->wall)
        pen_printf(&pen, ROLE_TEXT, "%d", s->pid);
    else
        pen_put(&pen, ROLE_TEXT, s->pid || s->container ? WALL_HIDDEN : "none");
    if (known && usage.processes > 1)
        pen_printf(&pen, ROLE_DIM, "  %u processes", usage.processes);
    if (s->health && v->wall) {
        pen = label(a, y, "health");
        pen_put(&pen, view_health_role(s->health), s->health);
    }
    if (!s->pid && !s->container)
        return;
    pen = label(a, y, "takes");
    pen_printf(&pen, ROLE_TEXT, "cpu %s  %s", usage.cpu >= 0 ? format_load(usage.cpu, x) : WALL_HIDDEN,
               known ? format_bytes(usage.memory, z) : WALL_HIDDEN);
}

/* Of a node that has a clock of its own, and a processor. */
static void draw_clock(const struct pane_detail *d, const struct area *a, int *y, const struct node_status *s)
{
    char x[FORMAT_TEXT];
    struct pen pen = label(a, y, "own clock");
    pen_put(&pen, ROLE_TEXT, format_typed(s->clock, x));
    pen = label(a, y, "processor");
    if (d->mips >= 0)
        pen_printf(&pen, ROLE_TEXT, d->mips < 10 ? "%.2f MIPS" : "%.1f MIPS", d->mips);
    else
        pen_put(&pen, ROLE_TEXT, WALL_HIDDEN);
}

/* What would come behind the end of the run does not come. Of a run that ended before its time that is to be told. */
static const char *next_text(const struct view *v, const struct node_status *s, char buf[ARRIVAL_TEXT])
{
    if (session_state_over(v->status->state) || s->next == SIMTIME_NEVER)
        return "none";
    if (s->next >= v->scenario->duration)
        return "none before the end";
    if (v->status->is_over && s->next >= v->status->head)
        return view_arrival(v, ARRIVAL_NEVER, buf);
    return s->next < 0 ? "not told" : format_typed(s->next, buf);
}

/* Returns the rows used. */
static int draw_state(const struct pane_detail *d, const struct view *v, const struct area *a)
{
    struct node_status s = { .state = NODE_LOADED, .cause = "", .last_active = -1, .next = SIMTIME_NEVER };
    if (v->session)
        session_node(v->session, d->node, &s);
    char x[FORMAT_TEXT], next[ARRIVAL_TEXT];
    int y = 0;
    area_heading(a, y++, false, "State");
    struct pen pen = label(a, &y, "state");
    struct awaited awaited;
    pen_put(&pen, view_state_role(&s), view_state_words(v, &s));
    if (awaited_of(v, d->node, &s, &awaited)) {
        pen_put(&pen, awaited_role(&awaited), awaited.late ? ", late  " : "  ");
        awaited_put(&pen, awaited_role(&awaited), v, &awaited);
    }
    if (s.restarts) {
        pen = label(a, &y, "restarts");
        pen_printf(&pen, ROLE_WARN, "%u", s.restarts);
    }
    if (*s.cause)
        y += area_wrap(a, 1, y, a->width - 2, view_state_role(&s), s.cause);
    pen = label(a, &y, "last event");
    pen_put(&pen, ROLE_TEXT, s.last_active >= 0 ? format_typed(s.last_active, x) : none_yet(v));
    label(a, &y, "next event");
    y += area_wrap(a, LABEL_WIDTH, y - 1, a->width - LABEL_WIDTH, ROLE_TEXT, next_text(v, &s, next)) - 1;
    if (s.clock >= 0)
        draw_clock(d, a, &y, &s);
    if (is_process(&v->scenario->nodes[d->node]))
        draw_process(v, a, &y, d->node, &s);
    draw_work(v, a, &y, d->node, &s);
    return y;
}

static void draw_line(const struct area *a, int y, const char *s, size_t len, bool config)
{
    const char *tab = config ? memchr(s, '\t', len) : NULL;
    struct pen pen = pen_at(a, 1, y, -1);
    if (!config)
        pen_text(&pen, ROLE_TEXT, s, len);
    else if (!tab)
        json_line(&pen, s, len);
    if (!tab)
        return;
    pen_text(&pen, ROLE_DIM, s, (size_t)(tab - s));
    pen = pen_at(a, LABEL_WIDTH, y, -1);
    pen_text(&pen, ROLE_TEXT, tab + 1, len - (size_t)(tab + 1 - s));
}

/* Text, line by line, through a list's window. */
static void draw_text(const struct area *a, struct list *l, const char *s, size_t len, bool config)
{
    uint64_t lines = 0, line = 0;
    for (size_t i = 0; i < len; i++)
        lines += s[i] == '\n' || i + 1 == len;
    list_show(l, lines, a->height, a->y);
    while (len) {
        const char *newline = memchr(s, '\n', len);
        size_t n = newline ? (size_t)(newline - s) : len;
        size_t shown = n && s[n - 1] == '\r' ? n - 1 : n;
        if (line >= l->top && line - l->top < (uint64_t)a->height)
            draw_line(a, (int)(line - l->top), s, shown, config);
        line++;
        s += n + (newline != NULL);
        len -= n + (newline != NULL);
    }
}

static void draw_messages(struct pane_detail *d, const struct view *v, const struct area *a)
{
    struct list *l = &d->lists[SECTION_MESSAGES];
    area_heading(a, 0, d->focus == SECTION_MESSAGES, "Last messages; in: when they arrived");
    struct area rows = area_sub(a, 0, 1, a->width, a->height - 1);
    int count = last_messages_count(d->messages, d->node);
    const char *missing = last_messages_missing(d->messages, d->node);
    list_show(l, (uint64_t)count, rows.height, rows.y);
    if (!count)
        area_put(&rows, 1, 0, ROLE_DIM, missing ? missing : none_yet(v));
    for (int y = 0; y < rows.height && l->top + (uint64_t)y < l->count; y++)
        last_messages_draw(d->messages, v, &rows, y, (int)l->top + y);
}

static void draw_metrics(struct pane_detail *d, const struct view *v, const struct area *a)
{
    char text[METRICS_TAIL];
    size_t len = v->session ? session_metrics(v->session, d->node, text, sizeof text) : 0;
    struct list *l = &d->lists[SECTION_WRITTEN];
    bool at_end = l->top + (uint64_t)(l->rows > 0 ? l->rows : 0) >= l->count;
    area_heading(a, 0, d->focus == SECTION_WRITTEN, "Metrics, the last rows");
    struct area rows = area_sub(a, 0, 1, a->width, a->height - 1);
    if (!len)
        area_put(&rows, 1, 0, ROLE_DIM, none_yet(v));
    if (at_end && rows.height > 0)
        l->cursor = l->top = UINT64_MAX / 2;
    draw_text(&rows, l, text, len, false);
}

static void draw_log(struct pane_detail *d, const struct view *v, const struct area *a)
{
    struct list *l = &d->lists[SECTION_WRITTEN];
    area_heading(a, 0, d->focus == SECTION_WRITTEN, "Log, the last lines (l: all)");
    struct area rows = area_sub(a, 0, 1, a->width, a->height - 1);
    bool at_end = l->top + (uint64_t)(l->rows > 0 ? l->rows : 0) >= l->count;
    log_view_fit(&d->log, v, d->node, LOG_TAIL, &rows, rows.width >= STAMPS_WIDTH);
    if (!d->log.count)
        area_put(&rows, 1, 0, ROLE_DIM,
                 session_state_over(v->status->state) ? "nothing written" : "nothing written yet");
    if (at_end)
        l->cursor = l->top = d->log.count ? d->log.count - 1 : 0;
    list_show(l, d->log.count, rows.height, rows.y);
    log_view_draw(&d->log, v, &rows, at_end ? log_view_whole(&d->log, l->top, rows.height) : l->top);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    (void)focus;
    struct pane_detail *d = detail_of(p);
    const struct scenario_node *n = node_of(d, v);
    if (!n || !v->model) {
        pane_empty(v, a, "No node is selected", "choose one in the Nodes pane and press {enter}");
        return;
    }
    int left_width = a->width < 60 ? a->width / 2 : a->width < 110 ? 36 : 48;
    struct area left = area_sub(a, 0, 0, left_width, a->height);
    int used = draw_state(d, v, &left);
    struct area watches = area_sub(&left, 0, used, left_width, left.height - used - CONFIG_LEAST);
    used += pane_watch_node(v, &watches, d->node) - (a->height < 22); /* the blank row goes first */
    area_heading(&left, used + 1, d->focus == SECTION_CONFIG, "Configuration");
    struct area config = area_sub(&left, 0, used + 2, left.width, left.height - used - 2);
    struct buffer text = { 0 };
    node_text(n, &text);
    draw_text(&config, &d->lists[SECTION_CONFIG], text.data, text.len, true);
    buffer_free(&text);
    struct area right = area_sub(a, left_width + 1, 0, a->width - left_width - 1, a->height);
    for (int y = 0; y < a->height; y++)
        area_glyph(a, left_width, y, ROLE_BORDER, GLYPH_VERTICAL);
    struct area messages = area_sub(&right, 0, 0, right.width, (right.height + 1) / 2);
    struct area metrics = area_sub(&right, 0, messages.height, right.width, right.height - messages.height);
    draw_messages(d, v, &messages);
    if (is_process(n))
        draw_log(d, v, &metrics);
    else
        draw_metrics(d, v, &metrics);
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_detail *d = detail_of(p);
    int count = v->scenario ? v->scenario->node_count : 0;
    switch (action) {
    case ACTION_PANE_NEXT:
        d->focus = (d->focus + 1) % SECTIONS;
        return true;
    case ACTION_PANE_PREVIOUS:
        d->focus = (d->focus + SECTIONS - 1) % SECTIONS;
        return true;
    case ACTION_LEFT:
    case ACTION_RIGHT:
        if (count)
            pane_detail_show(p, (d->node + (action == ACTION_RIGHT ? 1 : count - 1)) % count);
        return true;
    default:
        return list_scroll(&d->lists[d->focus], action);
    }
}

/* Line n of a text, in two cells where what stands before a tab is a label; false behind the last one. */
static bool export_line(const char *s, size_t len, bool labelled, uint64_t n, struct table_row *row)
{
    for (uint64_t line = 0; len; line++) {
        const char *newline = memchr(s, '\n', len);
        size_t size = newline ? (size_t)(newline - s) : len;
        if (line == n) {
            const char *tab = labelled ? memchr(s, '\t', size) : NULL;
            size_t label = tab ? (size_t)(tab - s) : 0, behind = label + (tab != NULL);
            size_t shown = size && s[size - 1] == '\r' ? size - 1 : size;
            if (labelled)
                table_text_n(row, s, label);
            table_text_n(row, s + behind, shown - behind);
            return true;
        }
        s += size + (newline != NULL);
        len -= size + (newline != NULL);
    }
    return false;
}

/* Of the section that has the focus. */
static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    struct pane_detail *d = detail_of(p);
    const struct scenario_node *node = node_of(d, v);
    if (n == TABLE_HEADINGS) {
        table_headings(row, d->focus == SECTION_MESSAGES ? "time kind source destination type payload text"
                            : d->focus == SECTION_WRITTEN && node && is_process(node) ? "time text"
                            : d->focus == SECTION_WRITTEN                             ? "line"
                                                                                      : "name value");
        return true;
    }
    if (!node || (d->focus != SECTION_CONFIG && !v->session))
        return false;
    if (d->focus == SECTION_MESSAGES) {
        bool is_there = n < (uint64_t)last_messages_count(d->messages, d->node);
        if (is_there)
            last_messages_export(d->messages, v, (int)n, row);
        return is_there;
    }
    if (d->focus == SECTION_WRITTEN && is_process(node))
        return log_view_row(&d->log, n, row);
    if (d->focus == SECTION_WRITTEN) {
        char text[METRICS_TAIL];
        return export_line(text, session_metrics(v->session, d->node, text, sizeof text), false, n, row);
    }
    struct buffer text = { 0 };
    node_text(node, &text);
    bool is_there = export_line(text.data, text.len, true, n, row);
    buffer_free(&text);
    return is_there;
}

static void go(struct pane *p, const struct view *v, uint64_t n)
{
    struct pane_detail *d = detail_of(p);
    struct list *l = &d->lists[d->focus];
    (void)v;
    list_go(l, n);
    l->cursor = l->top; /* it has none of its own */
}

static int selected(const struct pane *p, const struct view *v)
{
    (void)v;
    return ((const struct pane_detail *)p)->node;
}

void pane_detail_show(struct pane *p, int node)
{
    struct pane_detail *d = detail_of(p);
    if (node == d->node)
        return;
    d->node = node;
    d->mips = -1;
    memset(d->lists, 0, sizeof d->lists);
}

static void free_detail(struct pane *p)
{
    log_view_free(&detail_of(p)->log);
    last_messages_free(detail_of(p)->messages);
    free(p);
}

struct pane *pane_detail_new(void)
{
    static const struct pane_ops ops = {
        .name = "Node",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .work = work,
        .export = export_row,
        .go = go,
        .free = free_detail,
    };
    struct pane_detail *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    p->node = -1;
    p->mips = -1;
    p->messages = last_messages_new();
    return &p->pane;
}
