#include "compare/words.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "compare/keys.h"

#define SHOWN       400 /* bytes of a line */
#define SHOWN_VALUE 200 /* bytes of a value */
#define KEYS_SHOWN  24  /* that differ; others are counted */
#define BEFORE      60  /* bytes before the first that differs, where a line is not told by its keys */
#define WIDTH       28  /* of keys */

static const char *const marks[] = { "A", "B" };
static const char *const colors[] = { "\033[31m", "\033[32m" };

/* Where a cut does not part a character. */
static size_t whole(const char *s, size_t at)
{
    for (int i = 0; i < 3 && at && ((unsigned char)s[at] & 0xc0) == 0x80; i++)
        at--;
    return at;
}

/* A part of others' text, escaped, and cut where it is long. */
static void print_text(FILE *to, const char *s, size_t len, size_t most)
{
    struct buffer safe = { 0 };
    size_t shown = len <= most ? len : whole(s, most);
    utf8_escape(&safe, s, shown);
    fputs(buffer_string(&safe), to);
    if (shown < len)
        fprintf(to, "… (%zu bytes)", len);
    buffer_free(&safe);
}

static void print_side(FILE *to, int side, bool color)
{
    fprintf(to, "%s%s%s ", color ? colors[side] : "", marks[side], color ? "\033[0m" : "");
}

/* Both lines, the second below the first, from shortly before where they part where they are too long to show. */
static void print_lines(FILE *to, const struct differing_line *l, bool color)
{
    size_t longest = l->text[0].len > l->text[1].len ? l->text[0].len : l->text[1].len;
    for (int side = 0; side < 2; side++) {
        const struct buffer *t = &l->text[side];
        size_t from = longest > SHOWN && l->same > BEFORE ? l->same - BEFORE : 0;
        fputs("    ", to);
        print_side(to, side, color);
        from = from < t->len ? whole(t->data, from) : 0;
        if (from)
            fprintf(to, "… from byte %zu on: …", from);
        if (l->there[side])
            print_text(to, t->data + from, t->len - from, SHOWN);
        else
            fputs("(it has nothing here: it ends before)", to);
        fputs("\n", to);
    }
}

struct key_list {
    FILE *to;
    bool color;
    int differ;
};

static void print_value(FILE *to, const struct json_span *v)
{
    if (v->s)
        print_text(to, v->s, v->len, SHOWN_VALUE);
    else
        fputs("(it has none)", to);
}

static void print_key(void *data, const char *path, const struct json_span *a, const struct json_span *b, bool same)
{
    struct key_list *list = data;
    struct buffer name = { 0 };
    list->differ += !same;
    if (!same && list->differ > KEYS_SHOWN)
        return;
    utf8_escape(&name, path, strlen(path));
    fprintf(list->to, "    %s %-*s ", same ? " " : "*", WIDTH, buffer_string(&name));
    if (!same)
        print_side(list->to, 0, list->color);
    else
        fputs("  ", list->to);
    print_value(list->to, a);
    if (!same) {
        fprintf(list->to, "\n      %-*s ", WIDTH, "");
        print_side(list->to, 1, list->color);
        print_value(list->to, b);
    }
    fputs("\n", list->to);
    buffer_free(&name);
}

/* Nothing where the lines are no JSON: they were shown as they are. */
static void print_keys(FILE *to, const struct differing_line *l, bool color)
{
    struct key_list list = { .to = to, .color = color };
    struct text a = { l->text[0].data, l->text[0].len }, b = { l->text[1].data, l->text[1].len };
    int differ = l->there[0] && l->there[1] ? keys_compare(a, b, print_key, &list) : -1;
    if (differ == 0)
        fputs("    The same values, written in another way: in another order, or with blanks.\n", to);
    if (differ > KEYS_SHOWN)
        fprintf(to, "    * and %d more\n", differ - KEYS_SHOWN);
}

static void print_time(FILE *to, simtime t)
{
    char text[SIMTIME_TEXT];
    simtime_format(t, text);
    fputs(text, to);
}

static void print_event(FILE *to, const struct difference *d, bool color)
{
    simtime t[2];
    int64_t n[2];
    bool at_barrier, there[2];
    for (int side = 0; side < 2; side++)
        there[side] = difference_place(d, side, &t[side], &at_barrier, &n[side]);
    int side = there[0] ? 0 : 1;
    fprintf(to, "The first record that differs: %" PRId64 ", at ", n[side]);
    print_time(to, t[side]);
    fprintf(to, " (quantum %" PRId64 ")", t[side] / d->run[side]->quantum);
    if (there[0] && there[1] && t[0] != t[1]) {
        fputs(" in A, ", to);
        print_time(to, t[1]);
        fprintf(to, " (quantum %" PRId64 ") in B", t[1] / d->run[1]->quantum);
    }
    fputs("\n", to);
    for (int i = 0; i < d->before_count; i++) {
        fputs("      ", to);
        print_text(to, d->before[i].data, d->before[i].len, SHOWN);
        fputs("\n", to);
    }
    print_lines(to, &d->record, color);
    print_keys(to, &d->record, color);
}

static void print_files(FILE *to, const struct difference *d, bool color)
{
    fprintf(to, "%" PRIu64 " of %" PRIu64 " metrics files differ%s", d->files_differ, d->files,
            d->same_events ? ", with the same events:\n" : ":\n");
    for (uint64_t i = 0; i < d->files_differ && i < DIFFERENCE_FILES; i++) {
        const struct differing_file *f = &d->file[i];
        fputs("  ", to);
        print_text(to, f->name, strlen(f->name), SHOWN);
        if (f->there[0] && f->there[1]) {
            fprintf(to, ", line %" PRId64 ":\n", f->row);
            print_lines(to, &f->line, color);
        } else {
            fprintf(to, ": only %s has it\n", marks[f->there[1]]);
        }
    }
    if (d->files_differ > DIFFERENCE_FILES)
        fprintf(to, "  and %" PRIu64 " more\n", d->files_differ - DIFFERENCE_FILES);
}

static void print_run_value(FILE *to, const char *key, const struct json_span *v)
{
    int64_t number;
    char text[SIMTIME_TEXT];
    bool is_time = !strcmp(key, "quantum") || !strcmp(key, "duration");
    if (is_time && v->s && v->kind == JSON_NUMBER && json_span_whole(v, &number) == 0) {
        simtime_format(number, text);
        fputs(text, to);
    } else if (!strcmp(key, "digest") && v->s && v->kind == JSON_STRING) {
        print_text(to, v->s + 1, v->len > 14 ? 12 : v->len - 2, 12);
    } else {
        print_value(to, v);
    }
}

static const char *const run_keys[] = { "scenario", "seed", "quantum", "duration", "nodes", "digest" };
#define RUN_KEYS (sizeof run_keys / sizeof *run_keys)

static bool run_differs(const struct difference *d, const char *key, struct json_span v[2])
{
    for (int side = 0; side < 2; side++)
        v[side] = recorded_member(&d->run[side]->run, key);
    if (!v[0].s || !v[1].s)
        return v[0].s != v[1].s;
    return v[0].len != v[1].len || memcmp(v[0].s, v[1].s, v[0].len) != 0;
}

/* What differs in the first lines is no difference by itself. */
static void print_note(FILE *to, const struct difference *d)
{
    int differ = 0;
    for (size_t i = 0; i < RUN_KEYS; i++) {
        struct json_span v[2];
        if (!run_differs(d, run_keys[i], v))
            continue;
        fprintf(to, "%s%s (A ", differ++ ? ", " : "Note: the runs differ in ", run_keys[i]);
        print_run_value(to, run_keys[i], &v[0]);
        fputs(", B ", to);
        print_run_value(to, run_keys[i], &v[1]);
        fputs(")", to);
    }
    fputs(differ ? "\n" : "Note: the first lines of the runs are written in another way\n", to);
}

static void print_run(FILE *to, const struct difference *d, int side, bool color)
{
    const struct recorded *r = d->run[side], *other = d->run[!side];
    char time[SIMTIME_TEXT];
    struct json_span outcome = recorded_member(&r->end, "outcome");
    simtime_format(r->over, time);
    print_side(to, side, color);
    print_text(to, r->path, strlen(r->path), SIZE_MAX);
    fprintf(to, ": %" PRIu64 " records, over at %s (", r->records, time);
    if (outcome.s && outcome.kind == JSON_STRING)
        print_text(to, outcome.s + 1, outcome.len - 2, SHOWN_VALUE);
    fputs(")", to);
    if (r->records > other->records)
        fprintf(to, "; %" PRIu64 " records more", r->records - other->records);
    if (r->over > other->over) {
        simtime_format(r->over - other->over, time);
        fprintf(to, "; longer by %s", time);
    }
    fputs("\n", to);
}

/* How to look at both there; a run that has nothing there is shown at the time of the other. */
static bool look(const struct difference *d, int side, struct buffer *out)
{
    simtime t;
    bool at_barrier;
    int64_t n;
    if (!difference_place(d, side, &t, &at_barrier, &n) && !difference_place(d, !side, &t, &at_barrier, &n))
        return false;
    recorded_look(d->run[side], t, at_barrier, out);
    return true;
}

void words_print(FILE *to, const struct difference *d, bool color)
{
    if (!d->same_run_line)
        print_note(to, d);
    if (difference_none(d)) {
        fprintf(to, "The same: %" PRIu64 " records and %" PRIu64 " metrics file%s\n", d->run[0]->records, d->files,
                d->files == 1 ? "" : "s");
        return;
    }
    print_run(to, d, 0, color);
    print_run(to, d, 1, color);
    if (!d->same_events)
        print_event(to, d, color);
    if (d->files_differ)
        print_files(to, d, color);
    for (int side = 0; side < 2; side++) {
        struct buffer command = { 0 };
        if (look(d, side, &command)) {
            fputs(side ? "  " : "To look there:\n  ", to);
            print_text(to, buffer_string(&command), command.len, SIZE_MAX);
            fputs("\n", to);
        }
        buffer_free(&command);
    }
}

/* The same as JSON. */

static void add_text(struct buffer *b, const char *s, size_t len)
{
    json_quote(b, s ? s : "", len);
}

/* A line as the value that it is, else as a text; null where there is none. */
static void add_line(struct buffer *b, const struct buffer *line, bool there)
{
    struct json_text t;
    struct json_span v;
    json_text_begin(&t, line->data, line->len);
    if (!there)
        buffer_text(b, "null");
    else if (line->len <= KEYS_MOST && json_text_value(&t, &v) && json_text_end(&t))
        buffer_add(b, line->data, line->len);
    else
        add_text(b, line->data, line->len <= KEYS_MOST ? line->len : KEYS_MOST);
}

static void add_run(struct buffer *b, const struct difference *d, int side)
{
    const struct recorded *r = d->run[side];
    struct json_span outcome = recorded_member(&r->end, "outcome");
    buffer_format(b, "\"%s\": {\"run\": ", side ? "b" : "a");
    add_text(b, r->path, strlen(r->path));
    buffer_format(b, ", \"records\": %" PRIu64 ", \"over_us\": %" PRId64 ", \"outcome\": ", r->records, r->over);
    buffer_add(b, outcome.s ? outcome.s : "null", outcome.s ? outcome.len : 4);
    buffer_text(b, ", \"replay\": ");
    struct buffer command = { 0 };
    bool known = look(d, side, &command);
    if (known && !difference_none(d))
        add_text(b, command.data, command.len);
    else
        buffer_text(b, "null");
    buffer_text(b, "},\n");
    buffer_free(&command);
}

static void add_run_line(struct buffer *b, const struct difference *d)
{
    bool any = false;
    buffer_text(b, "  \"run_differs\": [");
    for (size_t i = 0; i < RUN_KEYS; i++) {
        struct json_span v[2];
        if (!run_differs(d, run_keys[i], v))
            continue;
        buffer_format(b, "%s\"%s\"", any ? ", " : "", run_keys[i]);
        any = true;
    }
    buffer_text(b, "],\n");
}

struct key_array {
    struct buffer *out;
    bool any;
};

static void add_key(void *data, const char *path, const struct json_span *a, const struct json_span *b, bool same)
{
    struct key_array *keys = data;
    (void)a, (void)b;
    if (same)
        return;
    buffer_text(keys->out, keys->any ? ", " : "");
    add_text(keys->out, path, strlen(path));
    keys->any = true;
}

static void add_event(struct buffer *b, const struct difference *d)
{
    simtime t;
    int64_t n;
    bool at_barrier;
    int side = difference_place(d, 0, &t, &at_barrier, &n) ? 0 : 1;
    difference_place(d, side, &t, &at_barrier, &n);
    buffer_format(b, "{\"record\": %" PRId64 ", \"time_us\": %" PRId64 ", \"quantum\": %" PRId64 ",\n    \"before\": [",
                  n, t, t / d->run[side]->quantum);
    for (int i = 0; i < d->before_count; i++) {
        buffer_text(b, i ? ", " : "");
        add_line(b, &d->before[i], true);
    }
    buffer_text(b, "],\n    \"a\": ");
    add_line(b, &d->record.text[0], d->record.there[0]);
    buffer_text(b, ",\n    \"b\": ");
    add_line(b, &d->record.text[1], d->record.there[1]);
    buffer_text(b, ",\n    \"keys\": [");
    struct text x = { d->record.text[0].data, d->record.text[0].len },
                y = { d->record.text[1].data, d->record.text[1].len };
    keys_compare(x, y, add_key, &(struct key_array){ .out = b });
    buffer_text(b, "]}");
}

static void add_files(struct buffer *b, const struct difference *d)
{
    for (uint64_t i = 0; i < d->files_differ && i < DIFFERENCE_FILES; i++) {
        const struct differing_file *f = &d->file[i];
        buffer_text(b, i ? ",\n    {\"file\": " : "\n    {\"file\": ");
        add_text(b, f->name, strlen(f->name));
        buffer_format(b, ", \"line\": %" PRId64 ", \"a\": ", f->row);
        for (int side = 0; side < 2; side++) {
            const struct buffer *text = &f->line.text[side];
            buffer_text(b, side ? ", \"b\": " : "");
            if (f->line.there[side])
                add_text(b, text->data, text->len <= KEYS_MOST ? text->len : KEYS_MOST);
            else
                buffer_text(b, "null");
        }
        buffer_text(b, "}");
    }
}

void words_json(FILE *to, const struct difference *d)
{
    struct buffer b = { 0 };
    buffer_format(&b, "{\n  \"same\": %s,\n  ", difference_none(d) ? "true" : "false");
    add_run(&b, d, 0);
    buffer_text(&b, "  ");
    add_run(&b, d, 1);
    add_run_line(&b, d);
    buffer_text(&b, "  \"first\": ");
    if (d->same_events)
        buffer_text(&b, "null");
    else
        add_event(&b, d);
    buffer_format(&b, ",\n  \"metrics_files\": %" PRIu64 ",\n  \"metrics_differ\": %" PRIu64 ",\n  \"metrics\": [",
                  d->files, d->files_differ);
    add_files(&b, d);
    buffer_text(&b, "]\n}\n");
    fwrite(b.data, 1, b.len, to);
    buffer_free(&b);
}
