#include "ui/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

void canvas_clear(struct canvas *c)
{
    size_t count = (size_t)c->columns * (size_t)c->rows;
    for (size_t i = 0; i < count; i++)
        c->cells[i] = (struct cell){ .ch = { ' ' }, .width = 1 };
    c->cursor_x = c->cursor_y = -1;
}

void canvas_resize(struct canvas *c, int columns, int rows)
{
    c->columns = clamp(columns, 1, CANVAS_MAX_COLUMNS);
    c->rows = clamp(rows, 1, CANVAS_MAX_ROWS);
    free(c->cells);
    c->cells = mem_array((size_t)c->columns * (size_t)c->rows, sizeof *c->cells);
    canvas_clear(c);
}

void canvas_free(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){ 0 };
}

void canvas_save(const struct canvas *c, struct buffer *out)
{
    for (int y = 0; y < c->rows; y++) {
        size_t used = out->len;
        for (int x = 0; x < c->columns; x++) {
            const struct cell *cell = &c->cells[y * c->columns + x];
            for (int i = 0; cell->width && i < CELL_CHARS && cell->ch[i]; i++) {
                char bytes[4];
                buffer_add(out, bytes, utf8_encode(cell->ch[i], bytes));
            }
            if (cell->ch[0] != ' ' && cell->width)
                used = out->len;
        }
        out->len = used;
        buffer_add(out, "\n", 1);
    }
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *r, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count && c >= r[i].first; i++)
        if (c <= r[i].last)
            return true;
    return false;
}

int char_width(uint32_t c)
{
    static const struct range combining[] = {
        { 0x0300, 0x036f }, { 0x0483, 0x0489 },   { 0x0591, 0x05bd }, { 0x05bf, 0x05bf }, { 0x05c1, 0x05c2 },
        { 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 },   { 0x0610, 0x061a }, { 0x064b, 0x065f }, { 0x0670, 0x0670 },
        { 0x06d6, 0x06dc }, { 0x06df, 0x06e4 },   { 0x06e7, 0x06e8 }, { 0x06ea, 0x06ed }, { 0x0900, 0x0902 },
        { 0x093a, 0x093a }, { 0x093c, 0x093c },   { 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 },
        { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
        { 0x20d0, 0x20ff }, { 0x302a, 0x302d },   { 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
        { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
    };
    static const struct range wide[] = {
        { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },   { 0x2e80, 0x303e },   { 0x3041, 0x4dbf },
        { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
        { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff },
        { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
    };
    if (c < 0x300)
        return 1;
    if (in_ranges(combining, sizeof combining / sizeof *combining, c))
        return 0;
    return in_ranges(wide, sizeof wide / sizeof *wide, c) ? 2 : 1;
}

#define PIECE_MAX 12

/* What one character of a text becomes on the screen: itself, or an escape in ASCII. */
struct piece {
    size_t bytes; /* of the text that it stands for */
    int columns;
    uint32_t ch; /* 0: the escape */
    char escape[PIECE_MAX];
};

static struct piece next_piece(const char *s, size_t len, enum charset charset)
{
    struct piece p = { 0 };
    uint32_t c = (unsigned char)*s;
    p.bytes = c < 0x80 ? 1 : utf8_decode(s, len, &c);
    if (p.bytes && c >= 0x20 && c < 0x7f) {
        p.ch = c;
        p.columns = 1;
    } else if (p.bytes && utf8_is_safe(c) && charset != CHARSET_ASCII) {
        p.ch = c;
        p.columns = char_width(c);
    } else if (p.bytes && utf8_is_safe(c)) {
        p.columns = snprintf(p.escape, sizeof p.escape, "\\u%04x", (unsigned)c);
    } else {
        struct buffer b = { 0 };
        p.bytes = p.bytes ? p.bytes : 1;
        utf8_escape(&b, s, p.bytes);
        p.columns = snprintf(p.escape, sizeof p.escape, "%s", buffer_string(&b));
        buffer_free(&b);
    }
    if (p.columns >= PIECE_MAX)
        p.columns = PIECE_MAX - 1;
    return p;
}

size_t text_fit(const char *s, size_t len, int columns, enum charset charset)
{
    size_t used = 0;
    while (used < len) {
        struct piece p = next_piece(s + used, len - used, charset);
        if (used && p.columns > columns)
            break;
        columns -= p.columns;
        used += p.bytes;
    }
    return used;
}

int text_columns(const char *s, size_t len, enum charset charset)
{
    int columns = 0;
    while (len && columns < INT32_MAX / 2) {
        struct piece p = next_piece(s, len, charset);
        columns += p.columns;
        s += p.bytes;
        len -= p.bytes;
    }
    return columns;
}

struct area canvas_area(struct canvas *c)
{
    return (struct area){ c, 0, 0, c->columns, c->rows, GROUND_NONE };
}

struct area area_sub(const struct area *a, int x, int y, int width, int height)
{
    int left = clamp(x, 0, a->width), top = clamp(y, 0, a->height);
    int right = clamp(x + width, left, a->width), bottom = clamp(y + height, top, a->height);
    return (struct area){ a->canvas, a->x + left, a->y + top, right - left, bottom - top, a->ground };
}

/* NULL outside. */
static struct cell *cell_at(const struct area *a, int x, int y)
{
    if (x < 0 || y < 0 || x >= a->width || y >= a->height)
        return NULL;
    return &a->canvas->cells[(a->y + y) * a->canvas->columns + a->x + x];
}

/* Half of a wide character that is written over must not stay. */
static void clear_halves(const struct area *a, struct cell *cell)
{
    struct cell *row = &a->canvas->cells[(cell - a->canvas->cells) / a->canvas->columns * a->canvas->columns];
    if (cell->width == 0 && cell > row) {
        cell[-1].ch[0] = ' ';
        cell[-1].ch[1] = 0;
        cell[-1].width = 1;
    }
    if (cell->width == 2 && cell + 1 < row + a->canvas->columns) {
        cell[1].ch[0] = ' ';
        cell[1].width = 1;
    }
}

static void set_cell(const struct area *a, int x, int y, enum role role, uint32_t ch, int width)
{
    struct cell *cell = cell_at(a, x, y);
    if (!cell)
        return;
    clear_halves(a, cell);
    *cell = (struct cell){ .ch = { ch }, .width = (uint8_t)width, .role = (uint8_t)role, .ground = (uint8_t)a->ground };
    struct cell *right = width == 2 ? cell_at(a, x + 1, y) : NULL;
    if (right) {
        clear_halves(a, right);
        *right = (struct cell){ .width = 0, .role = (uint8_t)role, .ground = (uint8_t)a->ground };
    }
}

static void add_mark(const struct area *a, int x, int y, uint32_t mark)
{
    struct cell *cell = cell_at(a, x, y);
    if (cell && !cell->width)
        cell = cell_at(a, x - 1, y);
    for (int i = 1; cell && i < CELL_CHARS; i++)
        if (!cell->ch[i]) {
            cell->ch[i] = mark;
            return;
        }
}

void area_clear(const struct area *a)
{
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            set_cell(a, x, y, ROLE_TEXT, ' ', 1);
}

void area_paint(const struct area *a, int x, int y, int width, enum ground g)
{
    for (int i = 0; i < width; i++) {
        struct cell *cell = cell_at(a, x + i, y);
        if (cell)
            cell->ground = (uint8_t)g;
    }
}

const char *glyph_text(enum charset charset, enum glyph g)
{
    static const char *const glyphs[GLYPH_COUNT][3] = {
        [GLYPH_HORIZONTAL] = { "─", "─", "-" },  [GLYPH_VERTICAL] = { "│", "│", "|" },
        [GLYPH_TOP_LEFT] = { "╭", "┌", "+" },    [GLYPH_TOP_RIGHT] = { "╮", "┐", "+" },
        [GLYPH_BOTTOM_LEFT] = { "╰", "└", "+" }, [GLYPH_BOTTOM_RIGHT] = { "╯", "┘", "+" },
        [GLYPH_ELLIPSIS] = { "…", "~", "~" },    [GLYPH_ARROW] = { "→", "→", ">" },
        [GLYPH_ARROW_LOST] = { "⇢", "»", "!" },  [GLYPH_DOT] = { "●", "■", "*" },
        [GLYPH_RING] = { "○", "·", "o" },        [GLYPH_CROSS] = { "✗", "x", "x" },
        [GLYPH_OPEN] = { "▾", "▼", "v" },        [GLYPH_CLOSED] = { "▸", "►", ">" },
        [GLYPH_BAR_FULL] = { "━", "█", "#" },    [GLYPH_BAR_EMPTY] = { "─", "░", "." },
        [GLYPH_METER_FULL] = { "■", "■", "#" },  [GLYPH_METER_HALF] = { "▪", "■", "=" },
        [GLYPH_METER_EMPTY] = { "·", "·", "." }, [GLYPH_SEPARATOR] = { "·", "·", "|" },
        [GLYPH_WARNING] = { "▲", "▲", "!" },     [GLYPH_POINTER] = { "▌", "▌", ">" },
        [GLYPH_THUMB] = { "┃", "█", "#" },       [GLYPH_TURNING] = { "◐", "~", "~" },
        [GLYPH_PAUSED] = { "‖", "║", "=" },      [GLYPH_FROZEN] = { "■", "#", "#" },
        [GLYPH_CHECK] = { "✓", "√", "+" },       [GLYPH_MARKER] = { "▲", "▲", "^" },
        [GLYPH_LEVEL + 0] = { "▁", "░", "." },   [GLYPH_LEVEL + 1] = { "▂", "░", ":" },
        [GLYPH_LEVEL + 2] = { "▃", "▒", "-" },   [GLYPH_LEVEL + 3] = { "▄", "▒", "=" },
        [GLYPH_LEVEL + 4] = { "▅", "▓", "+" },   [GLYPH_LEVEL + 5] = { "▆", "▓", "*" },
        [GLYPH_LEVEL + 6] = { "▇", "█", "%" },   [GLYPH_LEVEL + 7] = { "█", "█", "#" },
    };
    return glyphs[g][charset];
}

struct pen pen_at(const struct area *a, int x, int y, int max)
{
    int end = max < 0 || max > a->width - x ? a->width : x + max;
    return (struct pen){ a, x, y, end, x >= end };
}

/* Takes back what stands in the last column and puts the ellipsis there. */
static void pen_cut(struct pen *p, int start)
{
    if (p->end > start)
        area_glyph(p->area, p->end - 1, p->y, ROLE_DIM, GLYPH_ELLIPSIS);
    p->x = p->end;
    p->full = true;
}

void pen_text(struct pen *p, enum role role, const char *s, size_t len)
{
    int start = p->x;
    while (len && !p->full) {
        struct piece piece = next_piece(s, len, p->area->canvas->charset);
        if (p->x + piece.columns > p->end) {
            if (p->x < p->end && piece.columns > 1)
                area_line(p->area, p->x, p->y, p->end - p->x, role, GLYPH_COUNT);
            pen_cut(p, start < p->end ? start : p->end - 1);
            return;
        }
        if (piece.ch && piece.columns == 0) {
            add_mark(p->area, p->x - 1, p->y, piece.ch);
        } else if (piece.ch) {
            set_cell(p->area, p->x, p->y, role, piece.ch, piece.columns);
        } else {
            for (int i = 0; i < piece.columns; i++)
                set_cell(p->area, p->x + i, p->y, ROLE_WARN, (unsigned char)piece.escape[i], 1);
        }
        p->x += piece.columns;
        s += piece.bytes;
        len -= piece.bytes;
    }
}

void pen_put(struct pen *p, enum role role, const char *s)
{
    pen_text(p, role, s, strlen(s));
}

void pen_glyph(struct pen *p, enum role role, enum glyph g)
{
    if (p->full || p->x >= p->end)
        return;
    p->x += area_glyph(p->area, p->x, p->y, role, g);
}

void pen_printf(struct pen *p, enum role role, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    pen_put(p, role, text);
}

int area_text(const struct area *a, int x, int y, int max, enum role role, const char *s, size_t len)
{
    struct pen p = pen_at(a, x, y, max);
    pen_text(&p, role, s, len);
    return p.x - x;
}

int area_put(const struct area *a, int x, int y, enum role role, const char *s)
{
    return area_text(a, x, y, -1, role, s, strlen(s));
}

int area_printf(const struct area *a, int x, int y, int max, enum role role, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return area_text(a, x, y, max, role, text, strlen(text));
}

void area_right(const struct area *a, int x, int y, int width, enum role role, const char *s)
{
    int columns = text_columns(s, strlen(s), a->canvas->charset);
    int pad = columns < width ? width - columns : 0;
    area_text(a, x + pad, y, width - pad, role, s, strlen(s));
}

int area_center(const struct area *a, int y, enum role role, const char *s)
{
    int columns = text_columns(s, strlen(s), a->canvas->charset);
    return area_put(a, columns < a->width ? (a->width - columns) / 2 : 0, y, role, s);
}

int area_glyph(const struct area *a, int x, int y, enum role role, enum glyph g)
{
    const char *s = glyph_text(a->canvas->charset, g);
    uint32_t c = (unsigned char)*s;
    if (c >= 0x80)
        utf8_decode(s, strlen(s), &c);
    set_cell(a, x, y, role, c, 1);
    return 1;
}

/* GLYPH_COUNT: blanks. */
void area_line(const struct area *a, int x, int y, int width, enum role role, enum glyph g)
{
    for (int i = 0; i < width; i++) {
        if (g == GLYPH_COUNT)
            set_cell(a, x + i, y, role, ' ', 1);
        else
            area_glyph(a, x + i, y, role, g);
    }
}

void area_box(const struct area *a, enum role role)
{
    int right = a->width - 1, bottom = a->height - 1;
    if (right < 1 || bottom < 1)
        return;
    area_line(a, 1, 0, right - 1, role, GLYPH_HORIZONTAL);
    area_line(a, 1, bottom, right - 1, role, GLYPH_HORIZONTAL);
    for (int y = 1; y < bottom; y++) {
        area_glyph(a, 0, y, role, GLYPH_VERTICAL);
        area_glyph(a, right, y, role, GLYPH_VERTICAL);
    }
    area_glyph(a, 0, 0, role, GLYPH_TOP_LEFT);
    area_glyph(a, right, 0, role, GLYPH_TOP_RIGHT);
    area_glyph(a, 0, bottom, role, GLYPH_BOTTOM_LEFT);
    area_glyph(a, right, bottom, role, GLYPH_BOTTOM_RIGHT);
}

static double fraction(double part)
{
    return part > 1 ? 1 : part > 0 ? part : 0; /* NaN too is nothing */
}

void area_progress(const struct area *a, int x, int y, int width, double part)
{
    int full = (int)(fraction(part) * width);
    full = full == 0 && part > 0 && width > 0 ? 1 : full;
    area_line(a, x, y, full, ROLE_BAR_FULL, GLYPH_BAR_FULL);
    area_line(a, x + full, y, width - full, ROLE_BAR_EMPTY, GLYPH_BAR_EMPTY);
}

void area_meter(const struct area *a, int x, int y, int width, double part, enum role role)
{
    int halves = (int)(fraction(part) * width * 2 + 0.5);
    if (halves == 0 && part > 0)
        halves = 1;
    area_line(a, x, y, width, ROLE_BAR_EMPTY, GLYPH_METER_EMPTY);
    area_line(a, x, y, halves / 2, role, GLYPH_METER_FULL);
    if (halves % 2)
        area_glyph(a, x + halves / 2, y, role, GLYPH_METER_HALF);
}

void area_scrollbar(const struct area *a, int y, int rows, uint64_t top, uint64_t count, enum role role)
{
    if (rows < 2 || count <= (uint64_t)rows)
        return;
    double part = (double)rows / (double)count;
    int size = (int)(part * rows);
    size = size < 1 ? 1 : size;
    int at = (int)((double)top / (double)(count - (uint64_t)rows) * (rows - size) + 0.5);
    for (int i = 0; i < size; i++)
        area_glyph(a, a->width - 1, y + at + i, role, GLYPH_THUMB);
}

static uint32_t lower(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Whether `text` stands at column x; *columns: how many it takes there. */
static bool matches_at(const struct area *a, int x, int y, const char *text, bool exact, int *columns)
{
    size_t len = strlen(text);
    int start = x;
    while (len) {
        const struct cell *cell = cell_at(a, x, y);
        uint32_t c = 0;
        size_t bytes = utf8_decode(text, len, &c);
        if (!cell || !bytes || (exact ? cell->ch[0] != c : lower(cell->ch[0]) != lower(c)))
            return false;
        x += cell->width ? cell->width : 1;
        text += bytes;
        len -= bytes;
    }
    *columns = x - start;
    return true;
}

void area_mark(const struct area *a, int y, const char *text)
{
    bool exact = false;
    for (const char *c = text; *c; c++)
        exact |= *c >= 'A' && *c <= 'Z';
    int columns;
    for (int x = 0; *text && x < a->width; x++)
        if (matches_at(a, x, y, text, exact, &columns))
            area_paint(a, x, y, columns, GROUND_MATCH);
}
