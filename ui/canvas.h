/* A screen in memory: cells with a character, a role and a ground. Everything is drawn here; the terminal (term.h) and
 * the screens that tests compare are made from it. Drawing outside an area is cut off, never an error. */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "ui/theme.h"

#define CELL_CHARS 3 /* a character and two combining marks; more marks are left out */

struct cell {
    uint32_t ch[CELL_CHARS]; /* 0 after the last one */
    uint8_t width;           /* 1 or 2; 0: covered by the wide character on its left */
    uint8_t role, ground;
    uint8_t unused; /* always 0, so that cells compare as bytes */
};

enum charset { CHARSET_UNICODE, CHARSET_CONSOLE /* the Linux console's font */, CHARSET_ASCII };

struct canvas {
    int columns, rows;
    enum charset charset;
    int cursor_x, cursor_y; /* the terminal's cursor; -1: hidden */
    struct cell *cells;
};

#define CANVAS_MAX_COLUMNS 1000
#define CANVAS_MAX_ROWS    500

void canvas_resize(struct canvas *c, int columns, int rows); /* clamped to 1 … the limits; empties it */
void canvas_clear(struct canvas *c);
void canvas_free(struct canvas *c);
void canvas_save(const struct canvas *c, struct buffer *out); /* the rows as UTF-8 text, without trailing blanks */

/* Columns that a character takes: 0 (combining), 1 or 2. The same on every machine. */
int char_width(uint32_t codepoint);
/* How many bytes of s[0..len) fit into `columns`, shown as area_text shows them. At least one character. */
size_t text_fit(const char *s, size_t len, int columns, enum charset charset);
int text_columns(const char *s, size_t len, enum charset charset);

/* A part of a canvas, with its own coordinates. */
struct area {
    struct canvas *canvas;
    int x, y, width, height;
    enum ground ground; /* of what is drawn */
};

struct area canvas_area(struct canvas *c);
struct area area_sub(const struct area *a, int x, int y, int width, int height); /* cut to a */
void area_clear(const struct area *a);                                           /* blanks on the area's ground */
void area_paint(const struct area *a, int x, int y, int width, enum ground g);   /* the ground below what is there */

enum glyph {
    GLYPH_HORIZONTAL,
    GLYPH_VERTICAL,
    GLYPH_TOP_LEFT,
    GLYPH_TOP_RIGHT,
    GLYPH_BOTTOM_LEFT,
    GLYPH_BOTTOM_RIGHT,
    GLYPH_ELLIPSIS,
    GLYPH_ARROW,
    GLYPH_ARROW_LOST,
    GLYPH_DOT,
    GLYPH_RING,
    GLYPH_CROSS,
    GLYPH_CHECK,
    GLYPH_OPEN,
    GLYPH_CLOSED,
    GLYPH_BAR_FULL,
    GLYPH_BAR_EMPTY,
    GLYPH_METER_FULL,
    GLYPH_METER_HALF,
    GLYPH_METER_EMPTY,
    GLYPH_SEPARATOR,
    GLYPH_WARNING,
    GLYPH_POINTER,
    GLYPH_THUMB,
    GLYPH_TURNING,
    GLYPH_PAUSED,
    GLYPH_FROZEN,
    GLYPH_MARKER, /* below what it points at */
    GLYPH_LEVEL,  /* this and the following: how much of something, from little to most */
    GLYPH_LEVEL_LAST = GLYPH_LEVEL + 7,
    GLYPH_COUNT
};
const char *glyph_text(enum charset charset, enum glyph g);

/* Text from anywhere: control and other harmful characters are shown escaped. At most `max` columns (negative: to the
 * area's edge); what is longer ends in an ellipsis. Returns the columns used. */
int area_text(const struct area *a, int x, int y, int max, enum role role, const char *s, size_t len);
int area_put(const struct area *a, int x, int y, enum role role, const char *s);
int area_printf(const struct area *a, int x, int y, int max, enum role role, const char *fmt, ...)
    LOCKSTEP_PRINTF(6, 7);
void area_right(const struct area *a, int x, int y, int width, enum role role, const char *s); /* ends at x+width */
int area_center(const struct area *a, int y, enum role role, const char *s);
int area_glyph(const struct area *a, int x, int y, enum role role, enum glyph g);
void area_line(const struct area *a, int x, int y, int width, enum role role, enum glyph g);
void area_box(const struct area *a, enum role role);
/* A bar of `width` columns, `part` (0 … 1) of it full. */
void area_progress(const struct area *a, int x, int y, int width, double part);
void area_meter(const struct area *a, int x, int y, int width, double part, enum role role);
/* A thumb on the right border of a box whose `rows` rows, from y on, show `rows` of `count` from `top` on. */
void area_scrollbar(const struct area *a, int y, int rows, uint64_t top, uint64_t count, enum role role);
/* Puts the match ground under every place in row y where `text` stands (capitals count where text has one). */
void area_mark(const struct area *a, int y, const char *text);

/* A place to write on, piece after piece, up to a column where what does not fit is cut with an ellipsis. */
struct pen {
    const struct area *area;
    int x, y, end;
    bool full;
};
struct pen pen_at(const struct area *a, int x, int y, int max);
void pen_text(struct pen *p, enum role role, const char *s, size_t len);
void pen_put(struct pen *p, enum role role, const char *s);
void pen_glyph(struct pen *p, enum role role, enum glyph g);
void pen_printf(struct pen *p, enum role role, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);

#endif
