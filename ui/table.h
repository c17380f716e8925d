/* What a pane shows, as rows of cells: for exporting it and for looking through it. Apart from how it is drawn. */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "lockstep/simtime.h"

#define TABLE_COLUMNS  32
#define TABLE_HEADINGS UINT64_MAX /* instead of a row's number: the names of the columns */

enum table_cell { TABLE_NOTHING, TABLE_TEXT, TABLE_NUMBER, TABLE_JSON };

/* A row that is being filled, cell by cell. Starts as zeros; the owner calls table_row_free. */
struct table_row {
    struct buffer text;
    int count;
    size_t ends[TABLE_COLUMNS]; /* in `text` */
    unsigned char kinds[TABLE_COLUMNS];
    bool heading; /* a heading among the rows: no row of its own where rows are data */
    bool part;    /* what goes on from the row before, and was told with it */
};

void table_clear(struct table_row *r);
void table_row_free(struct table_row *r);
void table_text(struct table_row *r, const char *s); /* NULL: nothing */
void table_text_n(struct table_row *r, const char *s, size_t len);
void table_json(struct table_row *r, const char *s, size_t len); /* one value; length 0: nothing */
void table_u64(struct table_row *r, uint64_t v);
void table_double(struct table_row *r, double v);
void table_time(struct table_row *r, simtime t); /* seconds; below 0 and never: nothing */
void table_nothing(struct table_row *r);
void table_headings(struct table_row *r, const char *names); /* with blanks between them */

const char *table_cell(const struct table_row *r, int i, size_t *len);
/* Whether a cell has the text; the case of ASCII letters counts where the text has a capital. */
bool table_matches(const struct table_row *r, const char *text);

enum table_form { TABLE_FORM_TEXT, TABLE_FORM_JSON, TABLE_FORM_CSV };
/* By the ending of a file's name. Returns false where it has none of the three. */
bool table_form_of(const char *file, enum table_form *form);

/* Writes tables as text. Starts as zeros, with `form` set. What others wrote is safe to show. */
struct table_writer {
    enum table_form form;
    int widths[TABLE_COLUMNS]; /* of text */
    struct table_row headings;
    uint64_t rows; /* so far */
};
void table_measure(struct table_writer *w, const struct table_row *r); /* text: before the first row, of some rows */
void table_begin(struct table_writer *w, struct buffer *out);
void table_write(struct table_writer *w, const struct table_row *r, struct buffer *out);
void table_end(struct table_writer *w, struct buffer *out);
void table_writer_free(struct table_writer *w);

#endif
