/* What is wrong with the scenario, or why its launch failed: all problems, the selected one with its place. */
#include <string.h>

#include "base/memory.h"
#include "ui/pane.h"
#include "ui/source.h"

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    (void)p;
    if (v->problems->errors)
        buffer_format(out, " %zu error%s", v->problems->errors, v->problems->errors == 1 ? "" : "s");
    if (v->problems->warnings)
        buffer_format(out, "%s %zu warning%s", v->problems->errors ? "," : "", v->problems->warnings,
                      v->problems->warnings == 1 ? "" : "s");
}

static enum role severity_role(const struct problem *problem)
{
    return problem->severity == SEVERITY_ERROR ? ROLE_BAD : ROLE_WARN;
}

static void draw_row(const struct area *a, int y, const struct problem *problem)
{
    char place[40] = "";
    if (problem->line)
        snprintf(place, sizeof place, "%d:%d", problem->line, problem->column);
    area_right(a, 0, y, 8, ROLE_TIME, place);
    bool error = problem->severity == SEVERITY_ERROR;
    area_glyph(a, 9, y, severity_role(problem), error ? GLYPH_CROSS : GLYPH_WARNING);
    struct pen pen = pen_at(a, 11, y, -1);
    if (problem->path && *problem->path) {
        pen_put(&pen, ROLE_INFO, problem->path);
        pen_put(&pen, ROLE_DIM, "  ");
    }
    pen_put(&pen, ROLE_TEXT, problem->text);
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
    if (problem->path && *problem->path) {
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
    area_put(a, 2, y + 1, ROLE_DIM, "R reads the file again and tries once more.");
    return y + 3;
}

static void draw(struct pane *p, const struct view *v, const struct area *whole, bool focus)
{
    int used = draw_launch(v, whole);
    struct area area = area_sub(whole, 0, used, whole->width, whole->height - used), *a = &area;
    if (!v->problems->count) {
        list_show(&p->list, 0, a->height, a->y);
        if (!used)
            pane_empty(a, "No problems and no warnings", NULL);
        return;
    }
    int below = a->height >= 8 ? (a->height + 1) / 2 : 0;
    int wanted = v->problems->count < 500 ? (int)v->problems->count : 500;
    int rows = wanted < a->height - below ? wanted : a->height - below;
    list_show(&p->list, v->problems->count, rows, a->y);
    for (int y = 0; y < rows; y++) {
        draw_row(a, y, &v->problems->items[p->list.top + (uint64_t)y]);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(a, y, focus);
    }
    struct area bottom = area_sub(a, 0, rows, a->width, a->height - rows);
    if (bottom.height < 3)
        return;
    char text[80];
    snprintf(text, sizeof text, "%llu of %zu", (unsigned long long)p->list.cursor + 1, v->problems->count);
    area_heading(&bottom, 0, false, text);
    draw_selected(&bottom, &v->problems->items[p->list.cursor]);
}

struct pane *pane_problems_new(void)
{
    static const struct pane_ops ops = {
        .name = "Problems",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .free = pane_free,
    };
    struct pane *p = mem_alloc(sizeof *p);
    p->ops = &ops;
    return p;
}
