#include "compare/difference.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct comparing {
    struct difference *d;
    const struct stop *stop;
    struct error *err;
    enum parting result; /* of the files so far */
    bool of_second;      /* the second run's nodes: files that the first has too were compared */
};

/* The line in which two files differ that are the same for so many bytes. Returns where it begins, from their begin. */
static int64_t read_lines(struct stretch a, struct stretch b, int64_t same, struct differing_line *out)
{
    int64_t begin = stretch_line_begin(a.fd, a.at, a.at + same) - a.at;
    a.at += begin;
    b.at += begin;
    out->there[0] = stretch_line(a, DIFFERENCE_LINE, &out->text[0]);
    out->there[1] = stretch_line(b, DIFFERENCE_LINE, &out->text[1]);
    out->same = (size_t)(same - begin);
    return begin;
}

/* The lines before the one that begins at `begin`. */
static void read_before(struct difference *d, struct stretch s, int64_t begin)
{
    int64_t first = s.at, at[DIFFERENCE_CONTEXT];
    int count = 0;
    for (s.at += begin; count < DIFFERENCE_CONTEXT && s.at > first;)
        s.at = at[count++] = stretch_line_begin(s.fd, first, s.at - 1);
    for (int i = count - 1; i >= 0; i--) {
        s.at = at[i];
        stretch_line(s, DIFFERENCE_LINE, &d->before[d->before_count++]);
    }
}

static enum parting failed(struct error *err, const char *what)
{
    error_set(err, EXIT_INVALID, "cannot read %s: %s", what, strerror(errno));
    return PART_FAILED;
}

static enum parting compare_events(struct difference *d, const struct stop *stop, struct error *err)
{
    struct stretch a = d->run[0]->events, b = d->run[1]->events;
    int64_t same;
    enum parting result = stretch_compare(a, b, stop, &same);
    d->same_events = result == PART_SAME;
    if (result == PART_FAILED)
        return failed(err, "the two events.jsonl");
    if (result == PART_DIFFER)
        read_before(d, a, read_lines(a, b, same, &d->record));
    return result;
}

static struct differing_file *next_file(struct difference *d, const char *name)
{
    struct differing_file *f = d->files_differ < DIFFERENCE_FILES ? &d->file[d->files_differ] : NULL;
    d->files_differ++;
    if (f)
        f->name = mem_text(name);
    return f;
}

/* Rows end in \r\n; one that both have is not shown. */
static void drop_returns(struct differing_line *l)
{
    for (int i = 0; i < 2; i++)
        if (!l->there[i] || !l->text[i].len || l->text[i].data[l->text[i].len - 1] != '\r')
            return;
    l->text[0].len--;
    l->text[1].len--;
}

static enum parting compare_file(struct comparing *c, const char *name, struct stretch a, struct stretch b)
{
    int64_t same;
    enum parting result = stretch_compare(a, b, c->stop, &same);
    if (result == PART_FAILED)
        return failed(c->err, name);
    struct differing_file *f = result == PART_DIFFER ? next_file(c->d, name) : NULL;
    if (f) {
        a.end = a.at + read_lines(a, b, same, &f->line);
        f->row = stretch_lines(a) + 1;
        f->there[0] = f->there[1] = true;
        drop_returns(&f->line);
    }
    return result;
}

static void compare_metrics(void *data, const char *id)
{
    struct comparing *c = data;
    struct stretch s[2];
    struct buffer name = { 0 };
    bool there[2] = { false, false };
    if (c->result == PART_FAILED || c->result == PART_STOPPED)
        return;
    buffer_format(&name, "%s_metrics.csv", id);
    for (int i = 0; i < 2 && c->result != PART_FAILED; i++)
        if (recorded_file(c->d->run[i], buffer_string(&name), &s[i], &there[i], c->err) < 0) {
            c->result = PART_FAILED;
            there[i] = false;
        }
    bool is_new = c->result != PART_FAILED && !(c->of_second && there[0]);
    c->d->files += is_new && (there[0] || there[1]);
    if (is_new && there[0] && there[1]) {
        c->result = compare_file(c, name.data, s[0], s[1]);
    } else if (is_new && there[0] != there[1]) {
        struct differing_file *f = next_file(c->d, name.data);
        for (int i = 0; i < 2 && f; i++)
            f->there[i] = there[i];
    }
    for (int i = 0; i < 2; i++)
        if (there[i])
            close(s[i].fd);
    buffer_free(&name);
}

enum parting difference_find(struct difference *d, const struct recorded *a, const struct recorded *b,
                             const struct stop *stop, struct error *err)
{
    *d = (struct difference){ .run = { a, b } };
    d->same_run_line = a->run.len == b->run.len && memcmp(a->run.data, b->run.data, a->run.len) == 0;
    struct comparing c = { .d = d, .stop = stop, .err = err };
    enum parting result = compare_events(d, stop, err);
    if (result == PART_FAILED || result == PART_STOPPED)
        return result;
    recorded_nodes(a, compare_metrics, &c);
    c.of_second = true;
    if (!d->same_run_line)
        recorded_nodes(b, compare_metrics, &c);
    if (c.result == PART_FAILED || c.result == PART_STOPPED)
        return c.result;
    return difference_none(d) ? PART_SAME : PART_DIFFER;
}

static void free_line(struct differing_line *l)
{
    buffer_free(&l->text[0]);
    buffer_free(&l->text[1]);
}

void difference_free(struct difference *d)
{
    free_line(&d->record);
    for (int i = 0; i < DIFFERENCE_CONTEXT; i++)
        buffer_free(&d->before[i]);
    for (int i = 0; i < DIFFERENCE_FILES; i++) {
        free(d->file[i].name);
        free_line(&d->file[i].line);
    }
}

/* What happens at a barrier, not in a quantum. */
static bool is_at_barrier(const struct buffer *record)
{
    static const char *const kinds[] = { "node", "link", "command", "warning", "end" };
    struct json_span kind = recorded_member(record, "kind");
    for (size_t i = 0; kind.s && i < sizeof kinds / sizeof *kinds; i++)
        if (kind.kind == JSON_STRING && json_span_is(&kind, kinds[i], strlen(kinds[i])))
            return true;
    return false;
}

/* The time in the first column. */
static bool row_time(struct buffer *row, simtime *t)
{
    char *end;
    const char *text = buffer_string(row);
    errno = 0;
    *t = strtoll(text, &end, 10);
    return end > text && *end == ',' && !errno && *t >= 0;
}

bool difference_place(const struct difference *d, int side, simtime *t, bool *at_barrier, int64_t *n)
{
    const struct buffer *record = &d->record.text[side];
    *n = -1;
    *at_barrier = false;
    if (!d->same_events) {
        *t = recorded_number(record, "t", 0);
        *n = recorded_number(record, "n", -1);
        *at_barrier = is_at_barrier(record);
        return d->record.there[side];
    }
    bool known = false;
    for (uint64_t i = 0; i < d->files_differ && i < DIFFERENCE_FILES; i++) {
        simtime at;
        struct buffer copy = { 0 };
        buffer_add(&copy, d->file[i].line.text[side].data, d->file[i].line.text[side].len);
        if (d->file[i].line.there[side] && row_time(&copy, &at) && (!known || at < *t)) {
            *t = at;
            known = true;
        }
        buffer_free(&copy);
    }
    return known;
}
