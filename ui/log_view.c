#include "ui/log_view.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ui/format.h"

#define READ_MS    200 /* between two readings while the run goes on, at least */
#define STAMP_MOST 40  /* bytes of "[     1.000000 s] " */

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const unsigned char *s = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ s[i]) * 1099511628211u; /* FNV-1a */
    return h;
}

/* Changes when the node has written something, or the run has moved on. */
static uint64_t sight_of(const struct view *v, int node)
{
    struct node_status n;
    uint64_t h = 14695981039346656037u;
    session_node(v->session, node, &n);
    h = mix(h, n.tail, strlen(n.tail));
    h = mix(h, &v->status->quanta, sizeof v->status->quanta);
    h = mix(h, &v->status->records, sizeof v->status->records);
    return mix(h, &n.restarts, sizeof n.restarts);
}

bool log_view_is_old(const struct log_view *l, const struct view *v, int node)
{
    if (!v->session)
        return false;
    if (!l->is_read || l->node != node)
        return true;
    bool soon = v->status->state == SESSION_RUNNING && clock_ms() - l->read_ms < READ_MS;
    return !soon && l->seen != sight_of(v, node);
}

/* A tab would be shown escaped: blanks stand for it. */
static void take_text(struct log_view *l, const char *s, size_t len)
{
    l->text.len = 0;
    for (size_t i = 0; i < len;) {
        const char *tab = memchr(s + i, '\t', len - i);
        size_t n = tab ? (size_t)(tab - s) - i : len - i;
        buffer_add(&l->text, s + i, n);
        if (tab)
            buffer_text(&l->text, "    ");
        i += n + (tab != NULL);
    }
}

#define TAIL_CUT 500 /* bytes; a longer one may begin in the midst of a line */

/* Of the last that a node wrote, what stands behind the line that may be cut; all of it where nothing does. */
static const char *whole_lines(const char *tail)
{
    const char *newline = strlen(tail) > TAIL_CUT ? strchr(tail, '\n') : NULL;
    return newline && newline[1] ? newline + 1 : tail;
}

static void read_log(struct log_view *l, const struct view *v, int node, size_t most)
{
    char *text = mem_alloc(most + 1);
    struct node_status n;
    l->seen = sight_of(v, node);
    size_t len = session_log(v->session, node, text, most + 1);
    session_node(v->session, node, &n);
    if (len)
        take_text(l, text, len);
    else /* nothing, or one line that is longer than what was asked for */
        take_text(l, whole_lines(n.tail), strlen(whole_lines(n.tail)));
    free(text);
    l->node = node;
    l->is_read = true;
    l->read_ms = clock_ms();
    l->width = 0;
}

/* "[     1.000000 s] ": where the line's own text begins, and the stamp's digits. */
static size_t split_stamp(const char *line, size_t len, struct log_row *row)
{
    const char *end = len && *line == '[' ? memmem(line, len < STAMP_MOST ? len : STAMP_MOST, " s] ", 4) : NULL;
    if (!end)
        return 0;
    const char *digits = line + 1 + strspn(line + 1, " ");
    if (digits < end) {
        row->stamp_from += (size_t)(digits - line);
        row->stamp_len = (size_t)(end - digits);
    }
    return (size_t)(end + 4 - line);
}

static void add_row(struct log_view *l, struct log_row row)
{
    l->rows = mem_grow(l->rows, l->count, &l->capacity, sizeof *l->rows);
    l->rows[l->count++] = row;
}

static void break_lines(struct log_view *l, int columns, enum charset charset)
{
    const char *text = l->text.data;
    l->count = 0;
    for (size_t at = 0; at < l->text.len;) {
        const char *newline = memchr(text + at, '\n', l->text.len - at);
        size_t end = newline ? (size_t)(newline - text) : l->text.len, next = end + 1;
        struct log_row row = { .stamp_from = at };
        at += split_stamp(text + at, end - at, &row);
        if (end > at && text[end - 1] == '\r')
            end--;
        do {
            row.from = at;
            row.len = end > at ? text_fit(text + at, end - at, columns, charset) : 0;
            add_row(l, row);
            row.stamp_len = 0;
            row.goes_on = true;
            at += row.len;
        } while (at < end);
        at = next;
    }
}

static int stamp_width(const struct view *v)
{
    char text[FORMAT_TEXT];
    return (int)strlen(format_stamp(v->scenario->duration, text));
}

void log_view_fit(struct log_view *l, const struct view *v, int node, size_t most, const struct area *a, bool stamps)
{
    if (log_view_is_old(l, v, node))
        read_log(l, v, node, most);
    if (!l->is_read || (l->width == a->width && l->stamps == stamps))
        return;
    int columns = a->width - 1 - (stamps ? stamp_width(v) + 2 : 0);
    break_lines(l, columns > 4 ? columns : 4, a->canvas->charset);
    l->width = a->width;
    l->stamps = stamps;
}

uint64_t log_view_whole(const struct log_view *l, uint64_t top, int rows)
{
    uint64_t end = top + (uint64_t)(rows > 0 ? rows : 0);
    for (uint64_t row = top; row < end && row < l->count; row++)
        if (!l->rows[row].goes_on)
            return row;
    return top;
}

void log_view_draw(const struct log_view *l, const struct view *v, const struct area *a, uint64_t top)
{
    int stamp = l->stamps ? stamp_width(v) : 0, x = l->stamps ? stamp + 2 : 0;
    for (int y = 0; y < a->height && top + (uint64_t)y < l->count; y++) {
        const struct log_row *row = &l->rows[top + (uint64_t)y];
        char digits[STAMP_MOST + 1];
        snprintf(digits, sizeof digits, "%.*s", (int)row->stamp_len, l->text.data + row->stamp_from);
        if (stamp && row->stamp_len)
            area_right(a, 1, y, stamp, ROLE_TIME, digits);
        area_text(a, x + 1, y, -1, ROLE_TEXT, l->text.data + row->from, row->len);
    }
}

bool log_view_row(const struct log_view *l, uint64_t row, struct table_row *out)
{
    if (row >= l->count)
        return false;
    const struct log_row *r = &l->rows[row];
    size_t end = r->from + r->len;
    out->part = r->goes_on;
    for (uint64_t next = row + 1; next < l->count && l->rows[next].goes_on; next++)
        end = l->rows[next].from + l->rows[next].len;
    table_text_n(out, l->text.data + r->stamp_from, r->stamp_len);
    table_text_n(out, l->text.data + r->from, end - r->from);
    return true;
}

bool log_view_matches(const struct log_view *l, size_t row, const char *text)
{
    const struct log_row *r = &l->rows[row];
    size_t len = strlen(text);
    bool exact = false;
    for (const char *c = text; *c; c++)
        exact |= *c >= 'A' && *c <= 'Z';
    for (size_t i = 0; len && i + len <= r->len; i++) {
        const char *at = l->text.data + r->from + i;
        if (exact ? !memcmp(at, text, len) : !strncasecmp(at, text, len))
            return true;
    }
    return false;
}

void log_view_free(struct log_view *l)
{
    buffer_free(&l->text);
    free(l->rows);
    *l = (struct log_view){ 0 };
}
