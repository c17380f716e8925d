/* The last lines: what is going on, what is being asked, how the run ended, and the keys that count now. */
#include <stdio.h>
#include <string.h>

#include "ui/format.h"
#include "ui/screen.h"

static void draw_prompt(const struct app *app, const struct area *a)
{
    const char *question = prompt_text(app->prompt);
    int x = 1 + area_put(a, 1, 0, ROLE_BRAND, question);
    if (prompt_is_question(app->prompt)) {
        a->canvas->cursor_x = a->x + x;
        a->canvas->cursor_y = a->y;
        return;
    }
    const struct editor *e = &app->editor;
    enum charset charset = a->canvas->charset;
    int room = a->width - x - 1;
    size_t from = 0; /* the part that ends at the cursor is what must be seen */
    while (from < e->cursor && text_columns(e->text + from, e->cursor - from, charset) >= (room > 1 ? room : 1))
        from += text_fit(e->text + from, e->cursor - from, 1, charset);
    area_text(a, x, 0, room, ROLE_STRONG, e->text + from, e->len - from);
    a->canvas->cursor_x = a->x + x + text_columns(e->text + from, e->cursor - from, charset);
    a->canvas->cursor_y = a->y;
}

/* On the right, where what stands on the left up to column `left` has left room; what counts least goes first. */
static void draw_counters(const struct view *v, const struct area *a, int left)
{
    char text[FORMAT_TEXT];
    const struct session_status *s = v->status;
    struct session_inference inference;
    struct buffer line = { 0 };
    session_inference(v->session, &inference);
    if (inference.count) {
        buffer_format(&line, "%s inferences, sample to result", format_count(inference.count, text));
        buffer_format(&line, " p50 %s", format_duration(inference.p50, text));
        buffer_format(&line, " p99 %s  ", format_duration(inference.p99, text));
    }
    size_t messages = line.len;
    buffer_format(&line, "%s messages  ", format_count(s->messages, text));
    size_t dropped = line.len;
    buffer_format(&line, "%s dropped  ", format_count(s->dropped, text));
    size_t in_flight = line.len;
    buffer_format(&line, "%s in flight", format_count(s->in_flight, text));
    int right = a->width - 1, room = right - left - 2, len = (int)line.len;
    size_t from = len <= room                   ? 0
                  : len - (int)messages <= room ? messages
                  : len - (int)dropped <= room  ? dropped
                                                : line.len;
    const char *words = buffer_string(&line);
    area_right(a, 0, 0, right, ROLE_DIM, words + from);
    if (s->dropped && from < line.len)
        area_text(a, right - (len - (int)dropped), 0, -1, ROLE_WARN, words + dropped, in_flight - dropped);
    buffer_free(&line);
}

static void draw_running(const struct view *v, struct pen *p)
{
    const struct session_status *s = v->status;
    char x[FORMAT_TEXT];
    if (s->waiting_for >= 0 && v->wall && s->waiting_s >= 0.5) {
        pen_put(p, ROLE_BUSY, "Waiting for ");
        pen_put(p, ROLE_STRONG, v->scenario->nodes[s->waiting_for].id);
        pen_printf(p, ROLE_BUSY, ", %s", format_wall(s->waiting_s, x));
    } else if (s->run_to != SIMTIME_NEVER) {
        pen_printf(p, ROLE_GOOD, "Running until %s", format_clock(s->run_to, x));
    } else {
        pen_put(p, ROLE_GOOD, "Running");
    }
}

static void draw_over(const struct view *v, struct pen *p)
{
    const struct session_status *s = v->status;
    enum role role = s->state == SESSION_FAILED ? ROLE_BAD : s->state == SESSION_ABORTED ? ROLE_WARN : ROLE_GOOD;
    char x[FORMAT_TEXT];
    pen_printf(p, role, "%s at %s", s->outcome ? s->outcome : "over", format_clock(s->now, x));
    if (s->cause && *s->cause) {
        pen_put(p, ROLE_TEXT, ": ");
        pen_put(p, ROLE_TEXT, s->cause);
    }
}

/* How the run ended, for whoever runs it from a script: on the last row, or behind the outcome where there is one row.
 */
static void draw_results(const struct view *v, const struct area *a, int left)
{
    const struct session_status *s = v->status;
    char x[FORMAT_TEXT];
    struct pen p = a->height > 1 ? pen_at(a, 1, a->height - 1, -1) : pen_at(a, left + 2, 0, -1);
    pen_printf(&p, s->exit_code ? ROLE_BAD : ROLE_DIM, "exit code %d", s->exit_code);
    if (v->wall) {
        pen_printf(&p, ROLE_DIM, "  in %s", format_wall(s->wall_s, x));
        pen_put(&p, ROLE_DIM, "  results in ");
        pen_put(&p, ROLE_TEXT, s->run_dir ? s->run_dir : "");
    }
}

/* Returns the column where it ends. */
static int draw_state(const struct view *v, const struct area *a)
{
    const struct session_status *s = v->status;
    struct pen p = pen_at(a, 1, 0, -1);
    char x[FORMAT_TEXT];
    if (!v->session) {
        pen_put(&p, ROLE_BAD, v->launch->code ? "The launch failed" : "This scenario cannot run");
        pen_put(&p, ROLE_TEXT, v->launch->code ? "; R tries again" : "; repair the file, then R reads it again");
    } else if (session_state_over(s->state)) {
        draw_over(v, &p);
    } else if (s->state == SESSION_RUNNING) {
        draw_running(v, &p);
    } else if (s->state == SESSION_PAUSED && s->quanta == 0) {
        pen_put(&p, ROLE_TEXT, "Ready to run");
    } else if (s->state == SESSION_PAUSED) {
        pen_printf(&p, ROLE_TEXT, "Paused after %s quant%s", format_count(s->quanta, x), s->quanta == 1 ? "um" : "a");
    } else {
        pen_put(&p, ROLE_BUSY, "Starting the nodes");
    }
    return p.x;
}

void status_draw(const struct app *app, const struct view *v, const struct area *a)
{
    if (app->prompt != PROMPT_NONE) {
        draw_prompt(app, a);
        return;
    }
    int x = 1;
    if (app->find.searching)
        x += area_printf(a, x, 0, -1, ROLE_BUSY, "Looking for '%s'", app->find.text);
    else if (app->message[0])
        x += area_text(a, x, 0, -1, app->message_role, app->message, strlen(app->message));
    else
        x = draw_state(v, a);
    if (v->session && session_state_over(v->status->state) && (a->height > 1 || !app->message[0]))
        draw_results(v, a, x);
    if (v->session && (a->height > 1 || !session_state_over(v->status->state)))
        draw_counters(v, a, x);
}

/* "Space p" stands in the bar as "Space". */
static int name_length(const struct binding *b)
{
    return (int)strcspn(b->names, " ");
}

static const char *label_of(const struct binding *b, unsigned context)
{
    return b->other && (context & b->other_in) ? b->other : b->label;
}

static int draw_key(const struct area *a, int x, const struct binding *b, unsigned context)
{
    x += area_text(a, x, 0, -1, ROLE_KEY, b->names, (size_t)name_length(b));
    area_put(a, ++x, 0, ROLE_LABEL, label_of(b, context));
    return x + (int)strlen(label_of(b, context)) + 2;
}

static bool stands_last(const struct binding *b)
{
    return b->action == ACTION_QUIT || b->action == ACTION_HELP;
}

void bar_draw(const struct app *app, const struct area *a)
{
    struct area bar = *a;
    bar.ground = GROUND_BAR;
    area_clear(&bar);
    unsigned context = app_context(app);
    if (app->prompt != PROMPT_NONE && app->prompt_error) {
        area_put(&bar, 1, 0, ROLE_BAD, app->prompt_error);
        return;
    }
    int last = 0;
    for (size_t i = 0; i < key_table_count; i++)
        if (stands_last(&key_table[i]) && (key_table[i].bar & context))
            last += name_length(&key_table[i]) + 3 + (int)strlen(key_table[i].label);
    int x = 1, end = a->width - last;
    for (int pass = 0; pass < 2; pass++) /* what counts in a special place comes first */
        for (size_t i = 0; i < key_table_count; i++) {
            const struct binding *b = &key_table[i];
            bool special = b->bar & context & ~(unsigned)(CONTEXT_PAUSED | CONTEXT_RUNNING | CONTEXT_OVER);
            if (!(b->bar & context) || !b->label || stands_last(b) || special == (pass > 0))
                continue;
            int width = name_length(b) + 1 + (int)strlen(label_of(b, context));
            if (x + width + 1 <= end)
                x = draw_key(&bar, x, b, context);
        }
    x = end > 1 ? end : 1;
    for (size_t i = 0; i < key_table_count; i++)
        if (stands_last(&key_table[i]) && (key_table[i].bar & context))
            x = draw_key(&bar, x, &key_table[i], context);
}
