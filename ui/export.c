#include "ui/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ui/app.h"
#include "ui/format.h"

#define SLICE_MS    8
#define AT_ONCE     64 /* rows, between two looks at the clock */
#define SLICE_BYTES (256u << 10)
#define MEASURED    200 /* rows whose widths those of a text's columns are */

static void discard(struct export *e)
{
    if (e->fd >= 0)
        close(e->fd);
    if (e->draft)
        unlink(e->draft);
    free(e->name);
    free(e->file);
    free(e->draft);
    table_writer_free(&e->writer);
    table_row_free(&e->row);
    *e = (struct export){ .fd = -1 };
}

bool export_cancel(struct app *app)
{
    struct export *e = &app->export;
    bool was = e->active;
    if (was || e->name)
        discard(e);
    return was;
}

static void fail(struct app *app, int error)
{
    app_say(app, ROLE_BAD, "%.120s: %s; nothing was exported", app->export.name, strerror(error));
    discard(&app->export);
}

/* Beside the file, so that it can take its place at once. Returns -1 with errno set. */
static int open_draft(struct export *e)
{
    struct buffer name = { 0 };
    mode_t mask = umask(0);
    umask(mask);
    buffer_format(&name, "%s.XXXXXX", e->file);
    buffer_string(&name);
    e->fd = mkostemp(name.data, O_CLOEXEC);
    if (e->fd >= 0) {
        fchmod(e->fd, 0666 & ~mask);
        e->draft = mem_text(name.data);
    }
    buffer_free(&name);
    return e->fd;
}

static bool row_at(struct app *app, uint64_t n)
{
    struct export *e = &app->export;
    struct pane *p = app->panes[e->pane];
    struct view v = app_view(app);
    table_clear(&e->row);
    return p->ops->export(p, &v, n, &e->row);
}

static bool write_all(struct export *e, const struct buffer *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(e->fd, text->data + done, text->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static void start(struct app *app)
{
    struct export *e = &app->export;
    struct stat st;
    char *target = realpath(e->name, NULL);
    e->file = target ? target : mem_text(e->name);
    bool is_file = stat(e->file, &st) != 0 || S_ISREG(st.st_mode);
    int fd = is_file ? open_draft(e) : (e->fd = open(e->file, O_WRONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd < 0) {
        fail(app, errno);
        return;
    }
    struct buffer text = { 0 };
    table_form_of(e->name, &e->writer.form);
    row_at(app, TABLE_HEADINGS);
    table_measure(&e->writer, &e->row);
    e->writer.headings = e->row;
    e->row = (struct table_row){ 0 };
    for (uint64_t n = 0; n < MEASURED && n < e->end && row_at(app, n); n++)
        table_measure(&e->writer, &e->row);
    table_begin(&e->writer, &text);
    e->active = true;
    e->is_past = app->status.is_past;
    e->now = app->status.now;
    if (!write_all(e, &text))
        fail(app, errno);
    buffer_free(&text);
}

const char *export_begin(struct app *app, const char *name)
{
    struct export *e = &app->export;
    struct stat st;
    enum table_form form;
    name += strspn(name, " ");
    if (!*name)
        return "a file's name is missing";
    if (!table_form_of(name, &form))
        return "the name's ending says the form: .txt, .json or .csv";
    if (!app->panes[app_top(app)]->ops->export)
        return "this pane cannot be exported";
    if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        return "that is a folder";
    discard(e);
    e->name = mem_text(name);
    e->pane = app_top(app);
    /* Those lists grow while the run goes on: as far as they were in sight. */
    uint64_t count = e->pane < MAIN_PANES ? app->panes[e->pane]->list.count : 0;
    e->end = count && count < EXPORT_ROWS ? count : EXPORT_ROWS;
    if (stat(name, &st) == 0)
        app->prompt = PROMPT_OVERWRITE;
    else
        start(app);
    return NULL;
}

void export_answer(struct app *app, uint32_t key)
{
    app->prompt = PROMPT_NONE;
    if (key != 'y' && key != 'Y' && key != INPUT_ENTER) {
        discard(&app->export);
        return;
    }
    app->export.overwrite = true;
    start(app);
}

/* The file may have come since. Returns -1 with errno set. */
static int put_in_place(struct export *e)
{
    struct stat st;
    if (!e->draft)
        return 0;
    if (!e->overwrite && lstat(e->file, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    if (rename(e->draft, e->file) != 0)
        return -1;
    free(e->draft);
    e->draft = NULL;
    return 0;
}

static void finish(struct app *app)
{
    struct export *e = &app->export;
    char rows[FORMAT_TEXT], all[FORMAT_TEXT];
    struct buffer text = { 0 };
    table_end(&e->writer, &text);
    bool written = write_all(e, &text);
    buffer_free(&text);
    int fd = e->fd;
    e->fd = -1;
    if ((close(fd) != 0) | !written || put_in_place(e) != 0) {
        fail(app, errno);
        return;
    }
    uint64_t count = e->pane < MAIN_PANES ? app->panes[e->pane]->list.count : 0;
    format_count(e->writer.rows, rows);
    if (e->next >= EXPORT_ROWS && count > EXPORT_ROWS)
        app_say(app, ROLE_WARN, "Exported to %.120s: the first %s rows of %s", e->name, rows, format_count(count, all));
    else
        app_say(app, ROLE_INFO, "Exported to %.120s: %s row%s", e->name, rows, e->writer.rows == 1 ? "" : "s");
    discard(e);
}

bool export_work(struct app *app)
{
    struct export *e = &app->export;
    int64_t limit = clock_ms() + SLICE_MS;
    bool more = true;
    struct buffer text = { 0 };
    if (!e->active)
        return false;
    if (app->status.is_past != e->is_past || (e->is_past && app->status.now != e->now)) {
        export_cancel(app);
        app_say(app, ROLE_WARN, "The export was given up: another moment of the run is shown now");
        return false;
    }
    while (more && text.len < SLICE_BYTES && clock_ms() <= limit)
        for (int i = 0; i < AT_ONCE && (more = e->next < e->end && row_at(app, e->next)); i++) {
            table_write(&e->writer, &e->row, &text);
            e->next++;
        }
    bool written = write_all(e, &text);
    buffer_free(&text);
    char rows[FORMAT_TEXT];
    if (!written)
        fail(app, errno);
    else if (!more)
        finish(app);
    else
        app_say(app, ROLE_BUSY, "Exporting to %.120s: %s rows so far; {back} ends it", e->name,
                format_count(e->writer.rows, rows));
    return e->active;
}
