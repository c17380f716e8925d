/* The keys, out of the one table, and what the marks mean; or the commands, out of theirs. */
#include <string.h>

#include "base/memory.h"
#include "ui/commands.h"
#include "ui/pane.h"

struct pane_help {
    struct pane pane;
    bool commands; /* instead of the keys */
};

#define NAMES_WIDTH    11
#define COMMANDS_WIDTH 14
#define COLUMN_WIDTH   66

/* Draws line `line` of the help at row y, or nothing when y is outside. Counts lines. */
struct sheet {
    const struct area *area;
    bool commands;
    const struct keymap *keys; /* NULL: lines are only counted */
    int first;                 /* line at the area's top */
    int line;
    size_t row;      /* of the table … */
    int line_of_row; /* … and where it stands */
    int half, split; /* the last heading's line up to `half` */
};

static int next_row(struct sheet *s)
{
    int y = s->line++ - s->first;
    return y >= 0 && y < s->area->height ? y : -1;
}

static void put_heading(struct sheet *s, const char *text)
{
    if (s->line > 0)
        next_row(s);
    if (s->line <= s->half)
        s->split = s->line;
    int y = next_row(s);
    if (y >= 0)
        area_put(s->area, 1, y, ROLE_HEADING, text);
}

static void put_key(struct sheet *s, enum role role, const char *names, const char *text)
{
    int y = next_row(s);
    if (y < 0)
        return;
    area_text(s->area, 2, y, NAMES_WIDTH, role, names, strlen(names));
    area_put(s->area, 2 + NAMES_WIDTH + 1, y, ROLE_TEXT, text);
}

static void put_marks(struct sheet *s)
{
    enum charset charset = s->area->canvas->charset;
    put_heading(s, "Marks");
    put_key(s, ROLE_GOOD, glyph_text(charset, GLYPH_DOT), "the node did something since the screen before");
    put_key(s, ROLE_DIM, glyph_text(charset, GLYPH_RING), "it had nothing to do; or it was ended with the run");
    put_key(s, ROLE_INFO, glyph_text(charset, GLYPH_CHECK), "it has come to the end of the run");
    put_key(s, ROLE_BAD, glyph_text(charset, GLYPH_CROSS), "it failed; the reason stands beside it");
    put_key(s, ROLE_BAD, glyph_text(charset, GLYPH_FROZEN), "left out: it failed, or was stopped; the run goes on");
    put_key(s, ROLE_WARN, glyph_text(charset, GLYPH_PAUSED), "paused by a fault of the scenario");
    put_key(s, ROLE_BUSY, glyph_text(charset, GLYPH_TURNING), "starting, ending, or busy for longer");
    put_key(s, ROLE_WARN, glyph_text(charset, GLYPH_WARNING), "late: it takes longer than usual; or it will fail");
    put_key(s, ROLE_BAD, glyph_text(charset, GLYPH_ARROW_LOST), "a message that will not arrive");
}

static void put_command(struct sheet *s, const struct command_row *row)
{
    int y = next_row(s);
    struct buffer usage = { 0 };
    command_usage(row, &usage);
    if (y >= 0)
        area_text(s->area, 2, y, -1, ROLE_KEY, usage.data, usage.len);
    if (usage.len > COMMANDS_WIDTH)
        y = next_row(s);
    if (y >= 0)
        area_put(s->area, 2 + COMMANDS_WIDTH + 1, y, ROLE_TEXT, row->help);
    buffer_free(&usage);
}

static void draw_commands(struct sheet *s)
{
    put_heading(s, "Commands");
    for (size_t i = 0; i < command_table.count; i++) {
        if (i == s->row)
            s->line_of_row = s->line;
        if (s->line <= s->half) /* any row may begin the second column */
            s->split = s->line;
        put_command(s, &command_table.rows[i]);
    }
}

static void draw_sheet(struct sheet *s)
{
    if (s->commands) {
        draw_commands(s);
        return;
    }
    for (size_t i = 0; i < key_table_count; i++) {
        const struct binding *b = &key_table[i];
        if (b->group)
            put_heading(s, b->group);
        if (i == s->row)
            s->line_of_row = s->line;
        if (b->names && b->help)
            put_key(s, ROLE_KEY, s->keys ? keymap_names(s->keys, b) : b->names, b->help);
    }
    put_marks(s);
}

/* How many lines there are, and where the second of two columns starts. */
static int count_lines(const struct pane *p, int *split)
{
    bool commands = ((const struct pane_help *)p)->commands;
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none };
    struct sheet s = { .area = &nowhere, .commands = commands };
    draw_sheet(&s);
    struct sheet again = { .area = &nowhere, .commands = commands, .half = (s.line + 1) / 2 };
    draw_sheet(&again);
    *split = again.split;
    return s.line;
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    (void)v;
    int split, lines = count_lines(p, &split);
    return width >= 2 * COLUMN_WIDTH ? lines - split : lines;
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    (void)focus;
    int split, lines = count_lines(p, &split);
    bool two = a->width >= 2 * COLUMN_WIDTH;
    list_show(&p->list, (uint64_t)(two ? lines - split : lines), a->height, a->y);
    int top = (int)p->list.top;
    struct area left =
        area_sub(a, 0, 0, two ? a->width / 2 : a->width, two && split - top < a->height ? split - top : a->height);
    struct area right = area_sub(a, a->width / 2, 0, two ? a->width / 2 : 0, a->height);
    bool commands = ((const struct pane_help *)p)->commands;
    draw_sheet(&(struct sheet){ .area = &left, .commands = commands, .keys = v->keys, .first = top });
    draw_sheet(&(struct sheet){ .area = &right, .commands = commands, .keys = v->keys, .first = split + top });
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    (void)v;
    if (action == ACTION_PANE_NEXT || action == ACTION_PANE_PREVIOUS) {
        pane_help_show(p, !((const struct pane_help *)p)->commands);
        return true;
    }
    return list_scroll(&p->list, action);
}

/* Row n of the keys or commands. */
static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    bool commands = ((const struct pane_help *)p)->commands;
    if (n == TABLE_HEADINGS) {
        table_headings(row, commands ? "command help" : "keys help");
    } else if (commands && n < command_table.count) {
        struct buffer usage = { 0 };
        command_usage(&command_table.rows[n], &usage);
        table_text_n(row, usage.data, usage.len);
        table_text(row, command_table.rows[n].help);
        buffer_free(&usage);
    } else if (!commands && n < key_table_count) {
        row->part = !key_table[n].names || !key_table[n].help;
        table_text(row, keymap_names(v->keys, &key_table[n]));
        table_text(row, key_table[n].help);
    } else {
        return false;
    }
    return true;
}

static void go(struct pane *p, const struct view *v, uint64_t n)
{
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none };
    struct sheet s = { .area = &nowhere, .commands = ((struct pane_help *)p)->commands, .row = (size_t)n };
    int split, lines = count_lines(p, &split);
    draw_sheet(&s);
    bool two = (uint64_t)lines != p->list.count, right = two && s.line_of_row >= split;
    list_go(&p->list, (uint64_t)(right ? s.line_of_row - split : s.line_of_row));
    p->list.cursor = p->list.top;
    (void)v;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    (void)v;
    buffer_text(out, ((const struct pane_help *)p)->commands ? " commands; Tab: keys" : " keys; Tab: commands");
}

void pane_help_show(struct pane *p, bool commands)
{
    ((struct pane_help *)p)->commands = commands;
    p->list.top = p->list.cursor = 0;
}

struct pane *pane_help_new(void)
{
    static const struct pane_ops ops = {
        .name = "Help",
        .title = title,
        .draw = draw,
        .act = act,
        .rows = rows,
        .export = export_row,
        .go = go,
        .free = pane_free,
    };
    struct pane_help *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    return &p->pane;
}
