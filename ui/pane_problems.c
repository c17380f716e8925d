/* What is wrong with the scenario, or why its launch failed: all problems, the selected one with its place; and behind
 * them what the run has warned of so far, and to which nodes that are not there it has sent. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/route.h"
#include "ui/source.h"

#define WARNINGS_MOST 10000 /* of the run, that are listed: the first ones */
#define SLICE         4096  /* records that are looked through at a time */
#define PAIRS_MOST    100   /* of nodes and names of no node that they send to, that are listed */

struct pane_problems {
    struct pane pane;
    uint64_t *warnings; /* their records, in order */
    size_t count, capacity;
    uint64_t read;    /* the records before this one were looked through */
    uint64_t of_kind; /* of those that were found, the records of kind warning */
    struct {
        char *names; /* "source destination" */
        uint64_t drop;
    } pairs[PAIRS_MOST]; /* of the drops that were found: the first of each */
    size_t pair_count;
    struct routes routes;
};

static const struct pane_problems *problems_of(const struct pane *p)
{
    return (const struct pane_problems *)p;
}

static bool is_trouble(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_WARNING || text_is(r->cause, "unknown destination");
}

/* Reads a record that was found; of a drop with the route of its message. */
static bool read_trouble(const struct pane_problems *w, const struct view *v, uint64_t n, struct record *r)
{
    struct routes *routes = (struct routes *)&w->routes; /* which is what it knows, no more */
    return store_read(v->store, n, r) == 0 &&
           (r->kind != RECORD_DROP || route_fill(routes, v->scenario, v->store, n, r) == 0);
}

/* Whether it is the first from this node to this name. */
static bool is_new_pair(struct pane_problems *w, uint64_t n, const struct record *r)
{
    struct buffer pair = { 0 };
    buffer_format(&pair, "%.*s %.*s", (int)r->src.len, r->src.s, (int)r->dst.len, r->dst.s);
    bool is_new = w->pair_count < PAIRS_MOST;
    for (size_t i = 0; i < w->pair_count && is_new; i++)
        is_new = strcmp(w->pairs[i].names, buffer_string(&pair)) != 0;
    if (is_new) {
        w->pairs[w->pair_count].names = mem_text(buffer_string(&pair));
        w->pairs[w->pair_count++].drop = n;
    }
    buffer_free(&pair);
    return is_new;
}

static bool is_looking(const struct pane_problems *w, const struct view *v, uint64_t end)
{
    bool more = w->of_kind < v->status->warnings || (v->status->dropped && w->pair_count < PAIRS_MOST);
    return w->read < end && more && w->count < WARNINGS_MOST;
}

/* Looks for the warnings of the run, as long as it may have more than were found. */
static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_problems *w = (struct pane_problems *)p;
    struct store_query query = { .holds = is_trouble, .kinds = 1u << RECORD_WARNING | 1u << RECORD_DROP };
    uint64_t end = v->store ? store_count(v->store) : 0, stop = w->read + SLICE;
    while (w->read < stop && is_looking(w, v, end)) {
        struct record r;
        uint64_t n = w->read;
        enum store_found found = store_find(v->store, &query, false, stop - n, &n);
        w->read = found == STORE_FOUND ? n + 1 : found == STORE_MORE ? n : end;
        if (found != STORE_FOUND || !read_trouble(w, v, n, &r))
            continue;
        if (r.kind == RECORD_WARNING)
            w->of_kind++;
        else if (!is_new_pair(w, n, &r))
            continue;
        w->warnings = mem_grow(w->warnings, w->count, &w->capacity, sizeof *w->warnings);
        w->warnings[w->count++] = n;
        *changed = true;
    }
    return is_looking(w, v, end);
}

/* Of the moment that is shown: those that are recorded by then. */
static size_t warnings_by_now(const struct pane_problems *w, const struct view *v)
{
    size_t count = v->store ? w->count : 0;
    while (count && w->warnings[count - 1] >= store_count(v->store))
        count--;
    return count;
}

static uint64_t pairs_by_now(const struct pane_problems *w, const struct view *v)
{
    size_t count = v->store ? w->pair_count : 0;
    while (count && w->pairs[count - 1].drop >= store_count(v->store))
        count--;
    return count;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char x[FORMAT_TEXT];
    if (v->problems->errors)
        buffer_format(out, " %zu error%s", v->problems->errors, v->problems->errors == 1 ? "" : "s");
    if (v->problems->warnings)
        buffer_format(out, "%s %zu warning%s", v->problems->errors ? "," : "", v->problems->warnings,
                      v->problems->warnings == 1 ? "" : "s");
    uint64_t of_run = v->session ? v->status->warnings + pairs_by_now(problems_of(p), v) : 0;
    if (of_run && v->problems->count)
        buffer_format(out, ", %s of the run", format_count(of_run, x));
    else if (of_run)
        buffer_format(out, " %s warning%s of the run", format_count(of_run, x), of_run == 1 ? "" : "s");
    if (problems_of(p)->count >= WARNINGS_MOST)
        buffer_format(out, ", the first %s", format_count(WARNINGS_MOST, x));
}

static enum role severity_role(const struct problem *problem)
{
    return problem->severity == SEVERITY_ERROR ? ROLE_BAD : ROLE_WARN;
}

#define PLACE_WIDTH 8
#define PLACE_MOST  24
#define PLACE_ROOM  80

/* "12:5"; of a file that is not the scenario's with its name in front. */
static const char *place_of(const struct view *v, const struct problem *problem, char text[PLACE_ROOM])
{
    const char *file = problem->file ? problem->file : "", *slash = strrchr(file, '/');
    bool other = *file && *file != '-' && v->file && strcmp(file, v->file) != 0; /* nor an option */
    int len = other ? snprintf(text, PLACE_ROOM, "%.50s", slash ? slash + 1 : file) : 0;
    text[len] = '\0';
    if (problem->line)
        snprintf(text + len, PLACE_ROOM - (size_t)len, "%s%d:%d", len ? ":" : "", problem->line, problem->column);
    return text;
}

/* As wide as the widest place is, and the times of warnings. */
static int place_width(const struct pane_problems *w, const struct view *v)
{
    char text[PLACE_ROOM];
    int width = w->count ? (int)strlen(format_stamp(v->scenario->duration, text)) : PLACE_WIDTH;
    for (size_t i = 0; i < v->problems->count; i++) {
        int place = (int)strlen(place_of(v, &v->problems->items[i], text)) + 1;
        width = place > width ? place : width;
    }
    return width < PLACE_MOST ? width : PLACE_MOST;
}

static void draw_row(const struct view *v, const struct area *a, int y, int width, const struct problem *problem)
{
    char place[PLACE_ROOM];
    area_right(a, 0, y, width, ROLE_TIME, place_of(v, problem, place));
    bool error = problem->severity == SEVERITY_ERROR;
    area_glyph(a, width + 1, y, severity_role(problem), error ? GLYPH_CROSS : GLYPH_WARNING);
    struct pen pen = pen_at(a, width + 3, y, -1);
    if (problem->path && *problem->path) {
        pen_put(&pen, ROLE_INFO, problem->path);
        pen_put(&pen, ROLE_DIM, "  ");
    }
    pen_put(&pen, ROLE_TEXT, problem->text);
}

static enum role node_role(const struct view *v, struct text id)
{
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)id.len, id.len ? id.s : "");
    return theme_node_role(scenario_find_node(v->scenario, name));
}

/* What a record of the run warns of. */
static void warning_text(const struct record *r, struct buffer *out)
{
    if (r->kind == RECORD_DROP)
        buffer_format(out, "sends to %.*s, which is no node of the scenario: dropped, this and all like it",
                      (int)r->dst.len, r->dst.s);
    else
        buffer_add(out, r->cause.s, r->cause.len);
}

/* The same of a warning of the run: its time instead of its place, and the node. */
static void draw_warning(const struct pane_problems *w, const struct view *v, const struct area *a, int y, int width,
                         uint64_t n)
{
    struct record r;
    struct buffer text = { 0 };
    char stamp[FORMAT_TEXT];
    if (!read_trouble(w, v, n, &r))
        return;
    warning_text(&r, &text);
    area_right(a, 0, y, width, ROLE_TIME, format_stamp(r.t, stamp));
    area_glyph(a, width + 1, y, ROLE_WARN, GLYPH_WARNING);
    struct pen pen = pen_at(a, width + 3, y, -1);
    pen_text(&pen, node_role(v, r.src), r.src.s, r.src.len);
    pen_put(&pen, ROLE_DIM, "  ");
    pen_text(&pen, ROLE_TEXT, text.data, text.len);
    buffer_free(&text);
}

static void draw_selected_warning(const struct pane_problems *w, const struct view *v, const struct area *a, uint64_t n)
{
    struct record r;
    char x[FORMAT_TEXT];
    if (!read_trouble(w, v, n, &r))
        return;
    struct pen pen = pen_at(a, 2, 1, a->width - 3);
    pen_text(&pen, node_role(v, r.src), r.src.s, r.src.len);
    pen_printf(&pen, ROLE_DIM, "  at %s", format_typed(r.t, x));
    pen_printf(&pen, ROLE_DIM, "  record %s of the run", format_count(n, x));
    struct buffer text = { 0 };
    warning_text(&r, &text);
    area_wrap(a, 2, 2, a->width - 3, ROLE_WARN, buffer_string(&text));
    buffer_free(&text);
}

#define BEFORE        5 /* lines of the file before a problem, and as many behind it */
#define CONTEXT_LINES (2 * BEFORE + 1)

/* The columns of the screen before character `column` (from 1) of a line. */
static int columns_before(const struct source_line *line, int column, enum charset charset)
{
    size_t bytes = 0;
    for (int i = 1; i < column && bytes < line->len; i++) {
        bytes++;
        while (bytes < line->len && ((unsigned char)line->text[bytes] & 0xc0) == 0x80)
            bytes++;
    }
    return text_columns(line->text, bytes, charset);
}

/* The line of the file with a caret under the column, and some lines around it. */
static void draw_source(const struct area *a, int y, const struct problem *problem)
{
    struct source_line lines[CONTEXT_LINES];
    int room = a->height - y - 1;
    int before = (room - 1) / 2 < BEFORE ? (room - 1) / 2 : BEFORE;
    int first = problem->line > before ? problem->line - before : 1;
    int count = source_read(problem->file, first, problem->line - first + 1 + before, lines);
    for (int i = 0; i < count && y < a->height; i++, y++) {
        bool here = first + i == problem->line;
        area_printf(a, 0, y, 7, here ? ROLE_STRONG : ROLE_DIM, "%6d", first + i);
        area_glyph(a, 7, y, ROLE_BORDER, GLYPH_VERTICAL);
        area_text(a, 9, y, -1, here ? ROLE_TEXT : ROLE_DIM, lines[i].text, lines[i].len);
        if (!here || !problem->column)
            continue;
        y++;
        area_glyph(a, 7, y, ROLE_BORDER, GLYPH_VERTICAL);
        area_put(a, 9 + columns_before(&lines[i], problem->column, a->canvas->charset), y, severity_role(problem), "^");
    }
}

static void draw_selected(const struct area *a, const struct problem *problem)
{
    int y = 1, width = a->width - 3;
    char place[60] = "";
    if (problem->line)
        snprintf(place, sizeof place, ":%d:%d", problem->line, problem->column);
    struct pen pen = pen_at(a, 2, y++, width);
    pen_put(&pen, ROLE_DIM, problem->file);
    pen_put(&pen, ROLE_DIM, place);
    if (*problem_path(problem)) {
        pen = pen_at(a, 2, y++, width);
        pen_put(&pen, ROLE_INFO, problem->path);
    }
    y += area_wrap(a, 2, y, width, severity_role(problem), problem->text);
    if (problem->line && y + 2 < a->height)
        draw_source(a, y + 1, problem);
}

static int draw_launch(const struct view *v, const struct area *a)
{
    if (!v->launch->code)
        return 0;
    int y = 1;
    area_put(a, 2, y++, ROLE_BAD, "The launch failed");
    y += area_wrap(a, 2, y, a->width - 3, ROLE_TEXT, v->launch->text);
    char keys[KEYMAP_TEXT];
    area_put(a, 2, y + 1, ROLE_DIM,
             keymap_text(v->keys, "{rerun} reads the file again and tries once more.", false, keys));
    return y + 3;
}

/* There is nothing to list. */
static void draw_none(const struct view *v, const struct area *a)
{
    if (!v->session || !v->status->failure) {
        pane_empty(v, a, "No problems and no warnings", v->session ? "neither of the scenario nor of the run" : NULL);
        return;
    }
    area_put(a, 2, 1, ROLE_LABEL, "The scenario has no problems, and the run gave no warnings");
    area_put(a, 2, 3, ROLE_BAD, "The run failed");
    area_wrap(a, 2, 4, a->width - 3, ROLE_TEXT, v->status->failure);
}

static void draw_rows(struct pane *p, const struct view *v, const struct area *a, int rows, bool focus)
{
    const struct pane_problems *w = problems_of(p);
    int width = place_width(w, v);
    for (int y = 0; y < rows; y++) {
        uint64_t i = p->list.top + (uint64_t)y;
        if (i < v->problems->count)
            draw_row(v, a, y, width, &v->problems->items[i]);
        else
            draw_warning(w, v, a, y, width, w->warnings[i - v->problems->count]);
        if (i == p->list.cursor)
            pane_select(a, y, focus);
    }
}

static void draw(struct pane *p, const struct view *v, const struct area *whole, bool focus)
{
    const struct pane_problems *w = problems_of(p);
    int used = draw_launch(v, whole);
    struct area area = area_sub(whole, 0, used, whole->width, whole->height - used), *a = &area;
    size_t problems = v->problems->count, count = problems + warnings_by_now(w, v);
    if (!count) {
        list_show(&p->list, 0, a->height, a->y);
        if (!used)
            draw_none(v, a);
        return;
    }
    int below = a->height >= 8 ? (a->height + 1) / 2 : 0;
    int wanted = count < 500 ? (int)count : 500;
    int rows = wanted < a->height - below ? wanted : a->height - below;
    list_show(&p->list, count, rows, a->y);
    draw_rows(p, v, a, rows, focus);
    struct area bottom = area_sub(a, 0, rows, a->width, a->height - rows);
    if (bottom.height < 3)
        return;
    char text[80];
    snprintf(text, sizeof text, "%llu of %zu", (unsigned long long)p->list.cursor + 1, count);
    area_heading(&bottom, 0, false, text);
    if (p->list.cursor < problems)
        draw_selected(&bottom, &v->problems->items[p->list.cursor]);
    else
        draw_selected_warning(w, v, &bottom, w->warnings[p->list.cursor - problems]);
}

static void export_warning(const struct pane_problems *w, const struct view *v, uint64_t n, struct table_row *row)
{
    struct record r = { 0 };
    struct buffer text = { 0 };
    if (!read_trouble(w, v, n, &r))
        return;
    warning_text(&r, &text);
    table_text(row, "warning of the run");
    table_nothing(row);
    table_nothing(row);
    table_nothing(row);
    table_time(row, r.t);
    table_text_n(row, r.src.s, r.src.len);
    table_text_n(row, text.data, text.len);
    buffer_free(&text);
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    const struct pane_problems *w = problems_of(p);
    size_t problems = v->problems->count;
    if (n == TABLE_HEADINGS) {
        table_headings(row, "severity file line column time where text");
        return true;
    }
    if (n >= problems + warnings_by_now(w, v))
        return false;
    if (n >= problems) {
        export_warning(w, v, w->warnings[n - problems], row);
        return true;
    }
    const struct problem *problem = &v->problems->items[n];
    table_text(row, problem->severity == SEVERITY_ERROR ? "error" : "warning");
    table_text(row, problem->file);
    table_u64(row, (uint64_t)problem->line);
    table_u64(row, (uint64_t)problem->column);
    table_nothing(row);
    table_text(row, problem->path);
    table_text(row, problem->text);
    return true;
}

static void free_problems(struct pane *p)
{
    struct pane_problems *w = (struct pane_problems *)p;
    for (size_t i = 0; i < w->pair_count; i++)
        free(w->pairs[i].names);
    free(w->warnings);
    free(w);
}

struct pane *pane_problems_new(void)
{
    static const struct pane_ops ops = {
        .name = "Problems",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .work = work,
        .export = export_row,
        .go = pane_go,
        .free = free_problems,
    };
    struct pane_problems *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
