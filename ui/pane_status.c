/* The last lines: what is going on, what is being asked, how the run ended, and the keys that count now. */
#include <stdio.h>
#include <string.h>

#include "ui/awaited.h"
#include "ui/format.h"
#include "ui/screen.h"

static void draw_prompt(const struct app *app, const struct area *a)
{
    struct buffer question = { 0 };
    prompt_format(app, &question);
    int x = 1 + area_put(a, 1, 0, ROLE_BRAND, buffer_string(&question));
    buffer_free(&question);
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
    struct area text = *a;
    text.ground = e->selected ? GROUND_SELECT : a->ground;
    area_text(&text, x, 0, room, ROLE_STRONG, e->text + from, e->len - from);
    a->canvas->cursor_x = a->x + x + text_columns(e->text + from, e->cursor - from, charset);
    a->canvas->cursor_y = a->y;
}

/* On the right, where what stands on the left up to column `left` has left room; what counts least goes first. */
static void draw_counters(const struct view *v, const struct area *a, int left)
{
    char x[FORMAT_TEXT], y[FORMAT_TEXT], z[FORMAT_TEXT], keys[KEYMAP_TEXT];
    const struct session_status *s = v->status;
    struct session_inference inference;
    struct {
        char text[120];
        enum role role;
    } parts[5] = { 0 };
    session_inference(v->session, &inference);
    if (inference.count)
        snprintf(parts[0].text, sizeof parts[0].text, "%s inferences, sample to result p50 %s p99 %s",
                 format_count(inference.count, x), format_typed(inference.p50, y), format_typed(inference.p99, z));
    snprintf(parts[1].text, sizeof parts[1].text, "%s messages", format_count(s->messages, x));
    snprintf(parts[2].text, sizeof parts[2].text, "%s dropped", format_count(s->dropped, x));
    snprintf(parts[3].text, sizeof parts[3].text, "%s in flight", format_count(s->in_flight, x));
    uint64_t warnings = s->warnings + s->troubles;
    if (warnings)
        snprintf(parts[4].text, sizeof parts[4].text, "%s warning%s: %s", format_count(warnings, x),
                 warnings == 1 ? "" : "s", keymap_text(v->keys, "{warnings}", false, keys));
    parts[2].role = s->dropped ? ROLE_WARN : ROLE_DIM;
    parts[0].role = parts[1].role = parts[3].role = ROLE_DIM;
    parts[4].role = ROLE_WARN;
    int right = a->width - 1;
    for (int i = 4; i >= 0; i--) {
        int width = (int)strlen(parts[i].text);
        if (!width)
            continue;
        int beside = i == 3 ? (int)strlen(parts[2].text) + 2 : 0; /* these two stand together or not at all */
        if (right - width - beside < left + 2)
            break;
        area_put(a, right - width, 0, parts[i].role, parts[i].text);
        right -= width + 2;
    }
}

#define TOLD_S 0.5 /* a node that takes longer is named on the status line */

/* "waiting for gw, 1.3 s of 30 s". False where nobody takes so long. */
static bool draw_waiting(const struct view *v, struct pen *p, double least_s, const char *words)
{
    const struct session_status *s = v->status;
    struct node_status n;
    struct awaited awaited;
    if (s->waiting_for < 0 || s->waiting_s < least_s)
        return false;
    session_node(v->session, s->waiting_for, &n);
    if (!awaited_of(v, s->waiting_for, &n, &awaited))
        return false;
    pen_put(p, awaited_role(&awaited), words);
    pen_put(p, ROLE_STRONG, v->scenario->nodes[s->waiting_for].id);
    pen_put(p, awaited_role(&awaited), ", ");
    awaited_put(p, awaited_role(&awaited), v, &awaited);
    if (n.activity)
        pen_printf(p, ROLE_DIM, ": %s", n.activity);
    return true;
}

static void draw_ending(const struct app *app, const struct view *v, struct pen *p)
{
    const char *words = app->then == THEN_QUIT    ? "Ending, then leaving"
                        : app->then == THEN_RERUN ? "Ending, then starting anew"
                                                  : "Ending";
    pen_put(p, ROLE_BUSY, words);
    if (!draw_waiting(v, p, TOLD_S, ": waiting for "))
        return;
    if (app->killed)
        pen_put(p, ROLE_TEXT, "; it was killed");
    else
        pen_put(p, ROLE_TEXT, app->interrupts ? "; Ctrl-C once more kills it" : "; Ctrl-C kills it");
}

static void draw_running(const struct view *v, struct pen *p)
{
    const struct session_status *s = v->status;
    char x[FORMAT_TEXT];
    if (v->pausing) {
        pen_put(p, ROLE_BUSY, "Pausing at the end of this quantum");
        draw_waiting(v, p, 0, ": waiting for ");
    } else if (s->run_to != SIMTIME_NEVER) {
        pen_printf(p, ROLE_GOOD, "Running until %s", format_typed(s->run_to, x));
        draw_waiting(v, p, TOLD_S, ": waiting for ");
    } else if (!draw_waiting(v, p, TOLD_S, "Waiting for ")) {
        pen_put(p, ROLE_GOOD, "Running");
    }
}

/* What a person wants of a node, until it is so. */
static void draw_act(const struct app *app, const struct view *v, struct pen *p)
{
    static const char *const wanted[] = { [COMMAND_NODE_STOP] = "will be stopped",
                                          [COMMAND_NODE_KILL] = "will be killed",
                                          [COMMAND_NODE_RESTART] = "will be started anew" };
    static const char *const begun[] = { [COMMAND_NODE_STOP] = "is being stopped",
                                         [COMMAND_NODE_KILL] = "was killed",
                                         [COMMAND_NODE_RESTART] = "is being started anew" };
    const struct node_act *act = &app->act;
    struct node_status n;
    session_node(v->session, act->node, &n);
    bool has_begun = n.state == NODE_FAILED || n.state == NODE_STARTING || n.restarts != act->restarts;
    pen_put(p, ROLE_STRONG, v->scenario->nodes[act->node].id);
    pen_printf(p, ROLE_BUSY, " %s", has_begun ? begun[act->kind] : wanted[act->kind]);
    if (!has_begun && v->status->state == SESSION_RUNNING)
        pen_put(p, ROLE_BUSY, " at the end of this quantum");
    draw_waiting(v, p, 0, ": waiting for ");
}

/* "failed at 1s: nodes[1] gw: …" */
static void outcome_text(const struct session_status *s, struct buffer *out)
{
    char x[FORMAT_TEXT];
    bool launch = s->exit_code == EXIT_LAUNCH && s->quanta == 0;
    if (launch)
        buffer_text(out, "the launch failed");
    else
        buffer_format(out, "%s at %s", s->outcome ? s->outcome : "over", format_typed(s->now, x));
    if (s->cause && *s->cause)
        buffer_format(out, ": %s", s->cause);
}

#define OUTCOME_ROWS 3 /* at most */
#define TOLD_ROWS    3

static int rows_of(const char *text, int columns, int most)
{
    if (columns < 20)
        return 1;
    struct canvas none = { 0 };
    struct area nowhere = { .canvas = &none, .width = columns };
    int rows = area_wrap(&nowhere, 1, 0, columns - 2, ROLE_TEXT, text);
    return rows < 1 ? 1 : rows < most ? rows : most;
}

static int outcome_rows(const struct session_status *s, int columns)
{
    struct buffer text = { 0 };
    outcome_text(s, &text);
    int rows = rows_of(buffer_string(&text), columns, OUTCOME_ROWS);
    buffer_free(&text);
    return rows;
}

/* What was told, why a question cannot be asked, or what is wrong with an answer: all of it is to be read. Of the last
 * the prompt has the first row, and the key bar is its last one. */
static int told_rows(const struct app *app, int columns)
{
    const char *wrong = app->prompt_error ? app->prompt_error : "";
    const char *told = app->prompt == PROMPT_REFUSED ? app->refused : app->prompt == PROMPT_NONE ? app->message : wrong;
    bool ending = app->status.outcome && !session_state_over(app->status.state);
    return ending ? 1 : rows_of(told, columns, TOLD_ROWS);
}

/* The row from which on it stands below the outcome. */
static int told_from(const struct app *app, const struct area *a)
{
    int from = a->height - told_rows(app, a->width);
    return from > 0 ? from : a->height > 1 ? a->height - 1 : 1;
}

int status_rows_wanted(const struct app *app, int columns)
{
    int told = told_rows(app, columns);
    if (!app->session || !app->status.outcome)
        return told;
    return outcome_rows(&app->status, columns) + told;
}

/* From row `y` on, over `rows`. Returns the column where it ends on the first of them. */
static int draw_outcome(const struct view *v, const struct area *a, int y, int rows)
{
    const struct session_status *s = v->status;
    bool failed = !strcmp(s->outcome, "failed"), aborted = !strcmp(s->outcome, "aborted");
    enum role role = failed ? ROLE_BAD : aborted ? ROLE_WARN : ROLE_GOOD;
    struct buffer text = { 0 };
    outcome_text(s, &text);
    const char *words = buffer_string(&text);
    struct pen pen = pen_at(a, 1, y, rows > 1 ? a->width - 2 : -1);
    if (rows > 1) {
        struct area part = area_sub(a, 0, y, a->width, rows);
        area_wrap(&part, 1, 0, a->width - 2, role, words);
        pen.x = a->width;
    } else {
        pen_put(&pen, role, words);
    }
    buffer_free(&text);
    return pen.x;
}

/* How the run ended, for whoever runs it from a script: on the last row, or behind the outcome where there is one row.
 */
static void draw_results(const struct view *v, const struct area *a, int left)
{
    const struct session_status *s = v->status;
    char x[FORMAT_TEXT];
    struct pen p = a->height > 1 ? pen_at(a, 1, a->height - 1, -1) : pen_at(a, left + 2, 0, -1);
    pen_printf(&p, s->exit_code ? ROLE_BAD : ROLE_DIM, "exit code %d", s->exit_code);
    if (v->wall && s->wall_s > 0)
        pen_printf(&p, ROLE_DIM, "  in %s", format_wall(s->wall_s, x));
    if (v->wall && s->failed_node >= 0 && !s->is_recorded) { /* S looks back now, and this later */
        struct buffer command = { 0 };
        session_replay_command(v->session, &command);
        pen_put(&p, ROLE_TEXT, "  ");
        pen_put(&p, ROLE_TEXT, buffer_string(&command));
        buffer_free(&command);
    } else if (v->wall) {
        pen_put(&p, ROLE_DIM, "  results in ");
        pen_put(&p, ROLE_TEXT, s->run_dir ? s->run_dir : "");
    }
}

static void draw_past(const struct view *v, struct pen *p)
{
    const struct session_status *s = v->status;
    char x[FORMAT_TEXT], y[FORMAT_TEXT], keys[KEYMAP_TEXT];
    if (s->is_searching)
        pen_put(p, ROLE_BUSY,
                keymap_text(v->keys, "Looking for where it would have stopped; {pause} gives up", false, keys));
    else if (s->missing && (s->now >= s->head || s->now == 0))
        pen_put(p, ROLE_WARN, s->missing);
    else
        pen_printf(p, ROLE_INFO, "%s %s of %s", s->is_recorded ? "Recorded:" : "Viewing", format_typed(s->now, x),
                   format_typed(s->head, y));
}

/* Returns the column where it ends. */
static int draw_state(const struct app *app, const struct view *v, const struct area *a)
{
    const struct session_status *s = v->status;
    struct pen p = pen_at(a, 1, 0, -1);
    char x[FORMAT_TEXT], keys[KEYMAP_TEXT];
    if (!v->session) {
        pen_put(&p, ROLE_BAD, v->launch->code ? "The launch failed" : "This scenario cannot run");
        pen_put(
            &p, ROLE_TEXT,
            keymap_text(v->keys,
                        v->launch->code ? "; {rerun} tries again" : "; repair the file, then {rerun} reads it again",
                        false, keys));
    } else if (session_state_over(s->state)) {
        return draw_outcome(v, a, 0, told_from(app, a));
    } else if (s->is_past) {
        draw_past(v, &p);
    } else if (s->state == SESSION_ENDING) {
        draw_ending(app, v, &p);
    } else if (app->act.pending) {
        draw_act(app, v, &p);
    } else if (s->state == SESSION_RUNNING) {
        draw_running(v, &p);
    } else if (draw_waiting(v, &p, TOLD_S,
                            s->state == SESSION_PAUSED ? "Starting anew: waiting for "
                                                       : "Starting the nodes: waiting for ")) {
        return p.x;
    } else if (s->state == SESSION_PAUSED && s->quanta == 0) {
        pen_put(&p, ROLE_TEXT, "Ready to run");
    } else if (s->state == SESSION_PAUSED) {
        pen_printf(&p, ROLE_TEXT, "Paused after %s quant%s", format_count(s->quanta, x), s->quanta == 1 ? "um" : "a");
    } else {
        pen_put(&p, ROLE_BUSY, "Starting the nodes");
    }
    return p.x;
}

/* From row `y` on, over several where there is room. Returns the column where it ends. */
static int draw_told(const struct area *a, int y, enum role role, const char *text)
{
    struct area part = area_sub(a, 0, y, a->width, a->height - y);
    if (part.height == 1 || rows_of(text, a->width, TOLD_ROWS) == 1)
        return 1 + area_text(a, 1, y, -1, role, text, strlen(text));
    area_wrap(&part, 1, 0, a->width - 2, role, text);
    return a->width;
}

void status_draw(const struct app *app, const struct view *v, const struct area *a)
{
    if (app->prompt == PROMPT_REFUSED) {
        draw_told(a, 0, ROLE_WARN, app->refused);
        return;
    }
    if (app->prompt != PROMPT_NONE) {
        draw_prompt(app, a);
        return;
    }
    bool over = v->session && session_state_over(v->status->state), tall = a->height > 1;
    bool told = app->find.searching || app->message[0];
    int x = 1, y = over && tall ? told_from(app, a) : 0; /* why it has failed stays, whatever else is told */
    if (app->find.searching)
        x += area_printf(a, x, y, -1, ROLE_BUSY, "Looking for '%s'", app->find.text);
    else if (app->message[0])
        x = draw_told(a, y, app->message_role, app->message);
    if (!told || y > 0)
        x = draw_state(app, v, a);
    if (v->session && v->status->state == SESSION_ENDING && tall)
        draw_outcome(v, a, 1, a->height - 1);
    if (over && !told)
        draw_results(v, a, x);
    if (v->session && (tall || !over))
        draw_counters(v, a, x);
}

/* At a prompt the keys are always the same. */
static const char *names_of(const struct app *app, const struct binding *b)
{
    return app->prompt == PROMPT_NONE ? keymap_names(&app->config.keys, b) : b->names;
}

/* "Space p" stands in the bar as "Space". */
static int name_length(const struct app *app, const struct binding *b)
{
    return (int)strcspn(names_of(app, b), " ");
}

static uint32_t first_key(const struct app *app, const struct binding *b)
{
    bool of_table = b >= key_table && b < key_table + key_table_count && app->prompt == PROMPT_NONE;
    return of_table ? app->config.keys.rows[b - key_table].keys[0] : b->keys[0];
}

static const char *label_of(const struct binding *b, unsigned context)
{
    return b->other && (context & b->other_in) ? b->other : b->label;
}

static int draw_key(struct app *app, const struct area *a, int x, const struct binding *b, unsigned context)
{
    int from = x;
    x += area_text(a, x, 0, -1, ROLE_KEY, names_of(app, b), (size_t)name_length(app, b));
    area_put(a, ++x, 0, ROLE_LABEL, label_of(b, context));
    x += (int)strlen(label_of(b, context));
    if (app->bar_count < BAR_KEYS)
        app->bar[app->bar_count++] = (struct bar_key){ a->x + from, a->x + x, first_key(app, b) };
    return x + 2;
}

/* The keys that always have their room. */
static bool stands_last(const struct binding *b, unsigned context)
{
    bool leads_to_warnings = b->action == ACTION_PROBLEMS && !(context & CONTEXT_WARNINGS);
    return b->action == ACTION_QUIT || b->action == ACTION_HELP || leads_to_warnings;
}

#define ORDINARY                                                                                                       \
    (CONTEXT_PAUSED | CONTEXT_RUNNING | CONTEXT_STARTING | CONTEXT_ENDING | CONTEXT_OVER | CONTEXT_PROCESSES |         \
     CONTEXT_NODES_LIVE)
#define EARLIER ((unsigned)(CONTEXT_PAST | CONTEXT_BEFORE_END))

/* What counts in a special place comes first, then what leads through the past. */
static int rank_of(const struct binding *b, unsigned context)
{
    unsigned special = b->bar & context & ~(unsigned)ORDINARY;
    return special & ~EARLIER ? 0 : special ? 1 : 2;
}

struct place_key {
    enum action action;
    const char *label;
};

/* Keys that do, in a list, what others do elsewhere. Returns the column behind them. */
static int draw_place_keys(struct app *app, const struct area *bar, unsigned context, const struct place_key *keys,
                           size_t count)
{
    int x = 1;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < key_table_count; i++) {
            if (key_table[i].action != keys[k].action || !name_length(app, &key_table[i]))
                continue;
            struct binding shown = { .names = names_of(app, &key_table[i]), .label = keys[k].label };
            shown.keys[0] = first_key(app, &key_table[i]);
            x = draw_key(app, bar, x, &shown, context);
        }
    return x;
}

static void draw_break_keys(struct app *app, const struct area *bar, unsigned context)
{
    static const struct place_key keys[] = { { ACTION_BREAKS, "add" },
                                             { ACTION_ENTER, "edit" },
                                             { ACTION_PAUSE, "on/off" },
                                             { ACTION_NODE_STOP, "remove" },
                                             { ACTION_BACK, "back" } };
    draw_place_keys(app, bar, context, keys, sizeof keys / sizeof *keys);
}

/* Over the key bar, and over rows of the status above it as far as it takes them. */
static void draw_prompt_error(const struct app *app, const struct area *bar)
{
    struct area part = *bar;
    int rows = rows_of(app->prompt_error, bar->width, app->layout.status.height);
    part.y -= rows - 1;
    part.height = rows;
    area_clear(&part);
    if (rows == 1)
        area_put(&part, 1, 0, ROLE_BAD, app->prompt_error);
    else
        area_wrap(&part, 1, 0, part.width - 2, ROLE_BAD, app->prompt_error);
}

/* Those that count here, and behind them, as far as there is room, what becomes of a text that is selected. */
static void draw_keys(struct app *app, const struct area *bar, unsigned context)
{
    int last = 0;
    for (size_t i = 0; i < key_table_count; i++)
        if (stands_last(&key_table[i], context) && (key_table[i].bar & context))
            last += name_length(app, &key_table[i]) + 3 + (int)strlen(key_table[i].label);
    static const struct place_key of_warnings[] = { { ACTION_ENTER, "its event" }, { ACTION_LOG, "its log" } };
    bool is_warned = (context & CONTEXT_WARNINGS) && (context & CONTEXT_TROUBLED);
    int x = is_warned ? draw_place_keys(app, bar, context, of_warnings, app->model.process_count ? 2 : 1) : 1;
    int end = bar->width - last;
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < key_table_count; i++) {
            const struct binding *b = &key_table[i];
            bool is_vain = b->action == ACTION_RERUN && !app_can_rerun(app);
            if (!(b->bar & context) || !b->label || !name_length(app, b) || stands_last(b, context) ||
                rank_of(b, context) != rank || is_vain)
                continue;
            int width = name_length(app, b) + 1 + (int)strlen(label_of(b, context));
            if (x + width + 2 <= end)
                x = draw_key(app, bar, x, b, context);
        }
    const char *of_selected = "typing replaces it, Backspace or an arrow edits it";
    if (x + (int)strlen(of_selected) > end)
        of_selected = "typing replaces, arrows edit";
    if (app->prompt != PROMPT_NONE && app->editor.selected)
        area_put(bar, x, 0, ROLE_LABEL, of_selected);
    x = end > 1 ? end : 1;
    for (size_t i = 0; i < key_table_count; i++)
        if (stands_last(&key_table[i], context) && (key_table[i].bar & context))
            x = draw_key(app, bar, x, &key_table[i], context);
}

void bar_draw(struct app *app, const struct area *a)
{
    struct area bar = *a;
    bar.ground = GROUND_BAR;
    area_clear(&bar);
    app->bar_count = 0;
    unsigned context = app_context(app);
    if (prompt_is_question(app->prompt)) {
        static const struct binding answers[] = { { .keys = { 'y' }, .names = "y", .label = "yes" },
                                                  { .keys = { 'n' }, .names = "n", .label = "no" } };
        int at = draw_key(app, &bar, 1, &answers[0], context);
        draw_key(app, &bar, at, &answers[1], context);
        return;
    }
    if (app->prompt == PROMPT_REFUSED) {
        static const struct binding close = { .keys = { INPUT_ENTER }, .names = "Enter", .label = "close" };
        int at = draw_key(app, &bar, 1, &close, context);
        area_put(&bar, at, 0, ROLE_LABEL, "an answer that was typed ahead does nothing");
        return;
    }
    if (app->prompt == PROMPT_NONE && app_top(app) == PANE_BREAKS) {
        draw_break_keys(app, &bar, context);
        return;
    }
    if (app->prompt != PROMPT_NONE && app->prompt_error) {
        draw_prompt_error(app, &bar);
        return;
    }
    if (line_prompt_bar(app, &bar))
        return;
    draw_keys(app, &bar, context);
}
