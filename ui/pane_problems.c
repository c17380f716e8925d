/* What is wrong: why the run has failed; what is wrong with the scenario, or why its launch failed; and behind that
 * what the run has warned of so far, and to which nodes that are not there it has sent. The selected one with its
 * place. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/source.h"

#define WARNINGS_MOST 10000 /* of the run, that are listed: the first ones */
#define SLICE         4096  /* records that are looked through at a time */

struct pane_problems {
    struct pane pane;
    uint64_t *warnings; /* their records, in order */
    size_t count, capacity;
    uint64_t read;   /* the records before this one were looked through */
    bool had_failed; /* the run, when this was drawn last */
};

static const struct pane_problems *problems_of(const struct pane *p)
{
    return (const struct pane_problems *)p;
}

static bool is_warning(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_WARNING;
}

static bool is_failed(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_NODE && text_is(r->state, "failed");
}

static bool is_looking(const struct pane_problems *w, const struct view *v, uint64_t end)
{
    return w->read < end && w->count < v->status->warnings && w->count < WARNINGS_MOST;
}

/* Looks for the warnings of the run, as long as it has more than were found. */
static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_problems *w = (struct pane_problems *)p;
    struct store_query query = { .kinds = 1u << RECORD_WARNING, .holds = is_warning };
    uint64_t end = v->store ? store_count(v->store) : 0, stop = w->read + SLICE;
    while (w->read < stop && is_looking(w, v, end)) {
        uint64_t n = w->read;
        enum store_found found = store_find(v->store, &query, false, stop - n, &n);
        w->read = found == STORE_FOUND ? n + 1 : found == STORE_MORE ? n : end;
        if (found != STORE_FOUND)
            continue;
        w->warnings = mem_grow(w->warnings, w->count, &w->capacity, sizeof *w->warnings);
        w->warnings[w->count++] = n;
        *changed = true;
    }
    return is_looking(w, v, end);
}

/* How many of the warnings stand before a record. */
static size_t warnings_before(const struct pane_problems *w, uint64_t record)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->warnings[middle] < record)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- The list --- */

/* A row: the failure of the run, a problem of the scenario, or something that the run went on with. */
struct entry {
    bool is_failure;
    const struct problem *problem;
    const struct session_trouble *trouble;
    uint64_t record; /* of a warning, and of a trouble */
};

static bool has_failed(const struct view *v)
{
    return v->session && v->status->failure;
}

static size_t troubles_of(const struct view *v)
{
    return v->session ? v->status->troubles : 0;
}

/* Of the moment that is shown: what is recorded by then. */
static size_t count_entries(const struct pane_problems *w, const struct view *v)
{
    size_t warnings = v->store ? warnings_before(w, store_count(v->store)) : 0;
    return has_failed(v) + v->problems->count + warnings + troubles_of(v);
}

/* What was selected stays so when a row comes before it; the first row gives way. */
static void keep_selected(struct pane_problems *w, const struct view *v)
{
    w->pane.list.cursor += w->pane.list.cursor && has_failed(v) && !w->had_failed;
    w->had_failed = has_failed(v);
}

/* Errors first: the scenario cannot run because of them. */
static const struct problem *problem_at(const struct problems *problems, size_t i)
{
    bool error = i < problems->errors;
    size_t left = error ? i : i - problems->errors;
    for (size_t k = 0; k < problems->count; k++)
        if ((problems->items[k].severity == SEVERITY_ERROR) == error && left-- == 0)
            return &problems->items[k];
    return NULL;
}

/* Row i, which is there. What the run went on with is in the order of its records. */
static struct entry entry_at(const struct pane_problems *w, const struct view *v, size_t i)
{
    if (has_failed(v) && i-- == 0)
        return (struct entry){ .is_failure = true };
    if (i < v->problems->count)
        return (struct entry){ .problem = problem_at(v->problems, i) };
    i -= v->problems->count;
    size_t low = 0, high = troubles_of(v); /* how many troubles stand before it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct session_trouble *t = session_trouble(v->session, middle);
        size_t at = warnings_before(w, t->record) + middle;
        if (at == i)
            return (struct entry){ .trouble = t, .record = t->record };
        if (at < i)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct entry){ .record = w->warnings[i - low] };
}

/* What is told of the run. */
struct told {
    simtime t;
    struct text node;
    struct buffer text; /* the caller frees it */
    uint64_t record;
};

static struct text text_of(const char *s)
{
    return (struct text){ s, strlen(s) };
}

/* Of an entry that is no problem of the scenario. False where its record cannot be read. */
static bool tell(const struct view *v, const struct entry *e, struct told *out)
{
    const struct session_trouble *u = e->trouble;
    struct record r;
    *out = (struct told){ .t = v->status->head, .record = e->record };
    if (e->is_failure) {
        buffer_text(&out->text, v->status->failure);
    } else if (u && u->unknown) {
        out->t = u->t;
        out->node = text_of(u->node >= 0 ? v->scenario->nodes[u->node].id : "");
        buffer_format(&out->text, "sends to %s, which is no node of the scenario: dropped, this and all like it",
                      u->unknown);
    } else if (store_read(v->store, e->record, &r) == 0) {
        out->t = r.t;
        out->node = r.src;
        if (u)
            buffer_text(&out->text, u->is_restarted ? "failed and was restarted: " : "failed and was left out: ");
        buffer_add(&out->text, r.cause.s, r.cause.len);
    } else {
        return false;
    }
    return true;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char x[FORMAT_TEXT];
    if (v->problems->errors)
        buffer_format(out, " %zu error%s", v->problems->errors, v->problems->errors == 1 ? "" : "s");
    if (v->problems->warnings)
        buffer_format(out, "%s %zu warning%s", v->problems->errors ? "," : "", v->problems->warnings,
                      v->problems->warnings == 1 ? "" : "s");
    uint64_t of_run = v->session ? v->status->warnings + troubles_of(v) : 0;
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
    bool of_run = count_entries(w, v) > v->problems->count;
    int width = of_run ? (int)strlen(format_stamp(v->scenario->duration, text)) : PLACE_WIDTH;
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

#define FAILED "The run failed"

static enum role node_role(const struct view *v, struct text id)
{
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)id.len, id.len ? id.s : "");
    return theme_node_role(scenario_find_node(v->scenario, name));
}

/* The same of the run: a time instead of a place, and the node. */
static void draw_told(const struct view *v, const struct area *a, int y, int width, const struct entry *e)
{
    struct told told;
    char stamp[FORMAT_TEXT];
    if (!tell(v, e, &told))
        return;
    area_right(a, 0, y, width, ROLE_TIME, format_stamp(told.t, stamp));
    area_glyph(a, width + 1, y, e->is_failure ? ROLE_BAD : ROLE_WARN, e->is_failure ? GLYPH_CROSS : GLYPH_WARNING);
    struct pen pen = pen_at(a, width + 3, y, -1);
    if (e->is_failure)
        pen_put(&pen, ROLE_BAD, FAILED);
    else
        pen_text(&pen, node_role(v, told.node), told.node.s, told.node.len);
    pen_put(&pen, ROLE_DIM, "  ");
    pen_text(&pen, ROLE_TEXT, told.text.data, told.text.len);
    buffer_free(&told.text);
}

/* The node that the row is about, or -1. */
static int entry_node(const struct view *v, const struct entry *e)
{
    struct told told;
    char name[80];
    if (e->problem)
        return -1;
    if (e->is_failure)
        return v->status->failed_node;
    if (e->trouble)
        return e->trouble->node;
    if (!tell(v, e, &told))
        return -1;
    snprintf(name, sizeof name, "%.*s", (int)told.node.len, told.node.len ? told.node.s : "");
    buffer_free(&told.text);
    return scenario_find_node(v->scenario, name);
}

/* The last lines that a failed node wrote to stderr, as many as there is room for. */
static void draw_tail(const struct view *v, const struct area *a, int y, int node)
{
    struct node_status n;
    if (node < 0 || y + 1 >= a->height)
        return;
    session_node(v->session, node, &n);
    size_t from = strlen(n.tail);
    for (int room = a->height - y - 1; from && room > 0; room--) {
        from--; /* the newline, or the last character */
        while (from && n.tail[from - 1] != '\n')
            from--;
    }
    if (!*n.tail)
        return;
    struct pen pen = pen_at(a, 2, y++, a->width - 3);
    pen_put(&pen, ROLE_DIM, "the last that it wrote to stderr:");
    for (const char *line = n.tail + from; *line && y < a->height; y++) {
        size_t len = strcspn(line, "\n");
        area_text(a, 4, y, a->width - 5, ROLE_TEXT, line, len);
        line += len + (line[len] == '\n');
    }
}

static void draw_selected_told(const struct view *v, const struct area *a, const struct entry *e)
{
    struct told told;
    char x[FORMAT_TEXT];
    if (!tell(v, e, &told))
        return;
    struct pen pen = pen_at(a, 2, 1, a->width - 3);
    pen_text(&pen, node_role(v, told.node), told.node.s, told.node.len);
    pen_printf(&pen, ROLE_DIM, "  at %s", format_typed(told.t, x));
    pen_printf(&pen, ROLE_DIM, "  record %s of the run", format_count(told.record, x));
    int y = 2 + area_wrap(a, 2, 2, a->width - 3, ROLE_WARN, buffer_string(&told.text));
    buffer_free(&told.text);
    if (e->trouble && !e->trouble->unknown && !e->trouble->is_restarted)
        draw_tail(v, a, y + 1, e->trouble->node);
}

/* What can be done about it. */
static void failure_advice(const struct view *v, struct buffer *out)
{
    const struct session_status *s = v->status;
    char keys[KEYMAP_TEXT];
    const char *look = s->is_past && s->now < s->head ? "{now} shows the end of the run"
                       : s->head > 0                  ? "{step-back} looks at the quantum before"
                                                      : NULL;
    const char *more[] = { look, s->is_recorded ? NULL : "{rerun} starts anew from the file",
                           s->failed_node >= 0 ? "{log} shows the node's log" : NULL };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (more[i])
            buffer_format(out, "%s%s", out->len ? ", " : "", keymap_text(v->keys, more[i], false, keys));
}

static void draw_selected_failure(const struct view *v, const struct area *a)
{
    char x[FORMAT_TEXT];
    struct buffer advice = { 0 };
    struct pen pen = pen_at(a, 2, 1, a->width - 3);
    pen_put(&pen, ROLE_BAD, FAILED);
    pen_printf(&pen, ROLE_DIM, "  at %s", format_typed(v->status->head, x));
    int y = 2 + area_wrap(a, 2, 2, a->width - 3, ROLE_TEXT, v->status->failure);
    failure_advice(v, &advice);
    y += 1 + area_wrap(a, 2, y + 1, a->width - 3, ROLE_DIM, buffer_string(&advice));
    buffer_free(&advice);
    draw_tail(v, a, y + 1, v->status->failed_node);
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

static void draw_rows(struct pane *p, const struct view *v, const struct area *a, int rows, bool focus)
{
    const struct pane_problems *w = problems_of(p);
    int width = place_width(w, v);
    for (int y = 0; y < rows; y++) {
        uint64_t i = p->list.top + (uint64_t)y;
        struct entry e = entry_at(w, v, i);
        if (e.problem)
            draw_row(v, a, y, width, e.problem);
        else
            draw_told(v, a, y, width, &e);
        if (i == p->list.cursor)
            pane_select(a, y, focus);
    }
}

static void draw(struct pane *p, const struct view *v, const struct area *whole, bool focus)
{
    const struct pane_problems *w = problems_of(p);
    keep_selected((struct pane_problems *)p, v);
    int used = draw_launch(v, whole);
    struct area area = area_sub(whole, 0, used, whole->width, whole->height - used), *a = &area;
    size_t count = count_entries(w, v);
    if (!count) {
        list_show(&p->list, 0, a->height, a->y);
        if (!used)
            pane_empty(v, a, "No problems and no warnings",
                       v->session ? "neither of the scenario nor of the run" : NULL);
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
    struct entry e = entry_at(w, v, p->list.cursor);
    if (e.problem)
        draw_selected(&bottom, e.problem);
    else if (e.is_failure)
        draw_selected_failure(v, &bottom);
    else
        draw_selected_told(v, &bottom, &e);
}

static int selected_node(const struct pane *p, const struct view *v)
{
    const struct pane_problems *w = problems_of(p);
    if (!v->session || p->list.cursor >= count_entries(w, v))
        return -1;
    struct entry e = entry_at(w, v, p->list.cursor);
    return entry_node(v, &e);
}

bool pane_problems_selected(const struct pane *p, const struct view *v, uint64_t *n)
{
    const struct pane_problems *w = problems_of(p);
    if (!v->store || p->list.cursor >= count_entries(w, v))
        return false;
    struct entry e = entry_at(w, v, p->list.cursor);
    *n = e.record;
    if (!e.is_failure)
        return !e.problem;
    uint64_t count = store_count(v->store);
    struct store_query query = { .holds = is_failed, .kinds = 1u << RECORD_NODE };
    *n = count ? count - 1 : 0; /* the failure that ends a run is among its last records */
    return count && v->status->failed_node >= 0 && store_find(v->store, &query, true, SLICE, n) == STORE_FOUND;
}

static void export_told(const struct view *v, const struct entry *e, struct table_row *row)
{
    struct told told;
    if (!tell(v, e, &told))
        return;
    table_text(row, e->is_failure ? "failure of the run" : "warning of the run");
    table_nothing(row);
    table_nothing(row);
    table_nothing(row);
    table_time(row, told.t);
    table_text_n(row, told.node.s, told.node.len);
    table_text_n(row, told.text.data, told.text.len);
    buffer_free(&told.text);
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    const struct pane_problems *w = problems_of(p);
    if (n == TABLE_HEADINGS) {
        table_headings(row, "severity file line column time where text");
        return true;
    }
    if (n >= count_entries(w, v))
        return false;
    struct entry e = entry_at(w, v, n);
    if (!e.problem) {
        export_told(v, &e, row);
        return true;
    }
    table_text(row, e.problem->severity == SEVERITY_ERROR ? "error" : "warning");
    table_text(row, e.problem->file);
    table_u64(row, (uint64_t)e.problem->line);
    table_u64(row, (uint64_t)e.problem->column);
    table_nothing(row);
    table_text(row, e.problem->path);
    table_text(row, e.problem->text);
    return true;
}

static void free_problems(struct pane *p)
{
    struct pane_problems *w = (struct pane_problems *)p;
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
        .node = selected_node,
        .work = work,
        .export = export_row,
        .go = pane_go,
        .free = free_problems,
    };
    struct pane_problems *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
