#include "ui/table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/utf8.h"
#include "ui/canvas.h"

#define WIDTH_MOST 60 /* to which a column of text is made even; longer cells stand out */

void table_clear(struct table_row *r)
{
    r->text.len = 0;
    r->count = 0;
    r->heading = r->part = false;
}

void table_row_free(struct table_row *r)
{
    buffer_free(&r->text);
    *r = (struct table_row){ 0 };
}

static void end_cell(struct table_row *r, enum table_cell kind)
{
    if (r->count < TABLE_COLUMNS) {
        r->ends[r->count] = r->text.len;
        r->kinds[r->count++] = (unsigned char)kind;
    }
}

void table_text_n(struct table_row *r, const char *s, size_t len)
{
    buffer_add(&r->text, s, len);
    end_cell(r, len ? TABLE_TEXT : TABLE_NOTHING);
}

void table_text(struct table_row *r, const char *s)
{
    table_text_n(r, s, s ? strlen(s) : 0);
}

void table_json(struct table_row *r, const char *s, size_t len)
{
    buffer_add(&r->text, s, len);
    end_cell(r, len ? TABLE_JSON : TABLE_NOTHING);
}

void table_u64(struct table_row *r, uint64_t v)
{
    buffer_u64(&r->text, v);
    end_cell(r, TABLE_NUMBER);
}

void table_double(struct table_row *r, double v)
{
    buffer_format(&r->text, "%.6f", v);
    end_cell(r, TABLE_NUMBER);
}

void table_time(struct table_row *r, simtime t)
{
    char text[SIMTIME_TEXT];
    if (t < 0 || t == SIMTIME_NEVER) {
        table_nothing(r);
        return;
    }
    buffer_add(&r->text, text, simtime_format_seconds(t, text));
    end_cell(r, TABLE_NUMBER);
}

void table_nothing(struct table_row *r)
{
    end_cell(r, TABLE_NOTHING);
}

void table_headings(struct table_row *r, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, " ");
        table_text_n(r, names, len);
        names += len + (names[len] == ' ');
    }
}

const char *table_cell(const struct table_row *r, int i, size_t *len)
{
    size_t from = i ? r->ends[i - 1] : 0;
    *len = r->ends[i] - from;
    return *len ? r->text.data + from : "";
}

bool table_matches(const struct table_row *r, const char *text)
{
    size_t wanted = strlen(text), len;
    bool exact = false;
    for (const char *c = text; *c; c++)
        exact |= *c >= 'A' && *c <= 'Z';
    for (int i = 0; wanted && i < r->count; i++) {
        const char *cell = table_cell(r, i, &len);
        for (size_t k = 0; k + wanted <= len; k++)
            if (exact ? !memcmp(cell + k, text, wanted) : !strncasecmp(cell + k, text, wanted))
                return true;
    }
    return false;
}

bool table_form_of(const char *file, enum table_form *form)
{
    static const char *const endings[] = {
        [TABLE_FORM_TEXT] = ".txt", [TABLE_FORM_JSON] = ".json", [TABLE_FORM_CSV] = ".csv"
    };
    size_t len = strlen(file);
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(endings[i]);
        if (len > n && !strcasecmp(file + len - n, endings[i])) {
            *form = (enum table_form)i;
            return true;
        }
    }
    return false;
}

static int shown_width(const struct table_row *r, int i)
{
    size_t len;
    const char *cell = table_cell(r, i, &len);
    return text_columns(cell, len, CHARSET_UNICODE);
}

void table_measure(struct table_writer *w, const struct table_row *r)
{
    if (r->heading || r->part)
        return;
    for (int i = 0; i < r->count; i++) {
        int width = shown_width(r, i);
        width = width < WIDTH_MOST ? width : WIDTH_MOST;
        w->widths[i] = width > w->widths[i] ? width : w->widths[i];
    }
}

static void fill(struct buffer *out, int columns)
{
    for (int i = 0; i < columns; i++)
        buffer_add(out, " ", 1);
}

/* Numbers to the right, as on the screen. */
static void write_text(const struct table_writer *w, const struct table_row *r, struct buffer *out)
{
    size_t len, start = out->len;
    for (int i = 0; i < r->count; i++) {
        const char *cell = table_cell(r, i, &len);
        int room = r->heading ? 0 : w->widths[i] - shown_width(r, i);
        bool right = r->kinds[i] == TABLE_NUMBER;
        fill(out, right ? room : 0);
        utf8_escape(out, cell, len);
        fill(out, i + 1 < r->count ? (right ? 0 : room) + 2 : 0);
    }
    while (out->len > start && out->data[out->len - 1] == ' ')
        out->len--;
    buffer_text(out, "\n");
}

static void write_csv(const struct table_row *r, struct buffer *out)
{
    struct buffer text = { 0 };
    for (int i = 0; i < r->count; i++) {
        size_t len;
        const char *cell = table_cell(r, i, &len);
        text.len = 0;
        utf8_escape(&text, cell, len);
        const char *s = buffer_string(&text);
        bool quoted = strpbrk(s, ",\"") || *s == ' ' || (text.len && s[text.len - 1] == ' ');
        buffer_text(out, i ? "," : "");
        buffer_text(out, quoted ? "\"" : "");
        for (; *s; s++) {
            if (*s == '"')
                buffer_add(out, "\"", 1);
            buffer_add(out, s, 1);
        }
        buffer_text(out, quoted ? "\"" : "");
    }
    buffer_text(out, "\n");
    buffer_free(&text);
}

static void write_json(const struct table_writer *w, const struct table_row *r, struct buffer *out)
{
    buffer_text(out, w->rows ? ",\n{" : "\n{");
    for (int i = 0; i < r->count && i < w->headings.count; i++) {
        size_t len;
        const char *name = table_cell(&w->headings, i, &len);
        buffer_text(out, i ? ", " : "");
        json_quote(out, name, len);
        buffer_text(out, ": ");
        const char *cell = table_cell(r, i, &len);
        if (r->kinds[i] == TABLE_NOTHING)
            buffer_text(out, "null");
        else if (r->kinds[i] == TABLE_TEXT)
            json_quote(out, cell, len);
        else
            buffer_add(out, cell, len);
    }
    buffer_text(out, "}");
}

void table_begin(struct table_writer *w, struct buffer *out)
{
    table_measure(w, &w->headings);
    if (w->form == TABLE_FORM_JSON)
        buffer_text(out, "[");
    else if (w->form == TABLE_FORM_CSV)
        write_csv(&w->headings, out);
    else if (w->headings.count > 1) /* above a single column it would say nothing */
        write_text(w, &w->headings, out);
}

void table_write(struct table_writer *w, const struct table_row *r, struct buffer *out)
{
    if (r->part || (r->heading && w->form != TABLE_FORM_TEXT))
        return;
    if (w->form == TABLE_FORM_TEXT)
        write_text(w, r, out);
    else if (w->form == TABLE_FORM_CSV)
        write_csv(r, out);
    else
        write_json(w, r, out);
    w->rows += !r->heading;
}

void table_end(struct table_writer *w, struct buffer *out)
{
    if (w->form == TABLE_FORM_JSON)
        buffer_text(out, w->rows ? "\n]\n" : "]\n");
}

void table_writer_free(struct table_writer *w)
{
    table_row_free(&w->headings);
    *w = (struct table_writer){ 0 };
}
