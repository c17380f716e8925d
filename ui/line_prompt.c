/* Prompts with completion, and a history for commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lockstep/condition_words.h"
#include "ui/app.h"
#include "ui/complete_condition.h"
#include "ui/flight.h"

#define CTRL(c) ((c)&0x1f)

void line_prompt_unlist(struct line_prompt *p)
{
    candidates_free(&p->candidates);
    p->listed = false;
}

void line_prompt_free(struct line_prompt *p)
{
    line_prompt_unlist(p);
    recall_free(&p->history);
}

void line_prompt_open(struct app *app, enum prompt prompt)
{
    if (prompt == PROMPT_EXPORT && !app->panes[app_top(app)]->ops->export) {
        app_say(app, ROLE_WARN, "This pane cannot be exported");
        prompt_refused(app, prompt);
        return;
    }
    app->prompt = prompt;
    app->prompt_error = NULL;
    editor_set(&app->editor, "");
    recall_rest(&app->line.history);
    line_prompt_unlist(&app->line);
}

/* Moves the cursor to where it is wrong. */
static void tell(struct app *app, const struct command_error *err)
{
    struct editor *e = &app->editor;
    snprintf(app->line.error, sizeof app->line.error, "column %zu: %s", err->column, err->text);
    app->prompt_error = app->line.error;
    editor_key(e, INPUT_HOME);
    for (size_t i = 1; i < err->column; i++)
        editor_key(e, INPUT_RIGHT);
}

static void accept(struct app *app)
{
    struct command_error err;
    if (app->prompt == PROMPT_EXPORT) {
        app->prompt = PROMPT_NONE;
        app->prompt_error = export_begin(app, app->editor.text);
        if (app->prompt_error)
            app->prompt = PROMPT_EXPORT;
        return;
    }
    recall_add(&app->line.history, app->editor.text);
    app->prompt = PROMPT_NONE;
    if (command_do(app, app->editor.text, &err))
        return;
    app->prompt = PROMPT_COMMAND; /* to be mended */
    tell(app, &err);
}

/* Whether an argument follows the word that was completed: a command's name, or its first argument. */
static bool goes_on(const struct app *app, const char *word)
{
    const struct command_row *of_line = command_of_line(&command_table, app->editor.text);
    const struct command_row *row = of_line ? of_line : command_find(&command_table, word);
    return row && row->arguments[of_line ? 1 : 0].kind != ARGUMENT_NONE;
}

/* What stands before the cursor, from byte `from` on, becomes `len` bytes of the word. */
static void put_word(struct editor *e, size_t from, const char *word, size_t len, const char *behind)
{
    struct buffer text = { 0 };
    if (from + len + strlen(behind) + strlen(e->text + e->cursor) >= sizeof e->text)
        return;
    buffer_add(&text, e->text, from);
    buffer_add(&text, word, len);
    buffer_format(&text, "%s%s", behind, e->text + e->cursor);
    editor_set(e, buffer_string(&text));
    buffer_free(&text);
    while (e->cursor > from + len + strlen(behind))
        editor_key(e, INPUT_LEFT);
}

static void complete_file(const struct editor *e, struct candidates *c)
{
    char *word = mem_text_n(e->text, e->cursor);
    candidates_file(word, c);
    free(word);
}

/* What the condition at a prompt may ask for; false: none is being typed. */
static bool asks_condition(const struct app *app, unsigned *needs)
{
    *needs = app->prompt == PROMPT_BREAK ? CONDITION_ANY : 0;
    return app->prompt == PROMPT_BREAK || app->prompt == PROMPT_FILTER ||
           (app->prompt == PROMPT_FIND && app_top(app) != PANE_LOG);
}

static bool is_route(enum prompt prompt)
{
    return prompt == PROMPT_FLIGHT_INJECT || prompt == PROMPT_FLIGHT_LINK;
}

static bool is_file(enum prompt prompt)
{
    return prompt == PROMPT_EXPORT || prompt == PROMPT_FLIGHT_SAVE;
}

bool line_prompt_completes(const struct app *app)
{
    unsigned needs;
    return app->prompt == PROMPT_COMMAND || is_file(app->prompt) || is_route(app->prompt) ||
           asks_condition(app, &needs);
}

#define MESSAGES_LOOKED_AT 1000 /* the next to arrive */

/* The number at the begin of the text; nothing behind it. */
static void complete_message(const struct app *app, const char *text, size_t cursor, struct candidates *c)
{
    *c = (struct candidates){ .from = strspn(text, " "), .behind = "" };
    c->from = c->from < cursor ? c->from : cursor;
    if (!app->session || memchr(text + c->from, ' ', cursor - c->from))
        return;
    struct session_message *page = mem_array(MESSAGES_LOOKED_AT, sizeof *page);
    size_t count = session_flight(app->session, 0, page, MESSAGES_LOOKED_AT);
    for (size_t i = 0; i < count; i++) {
        char id[24];
        snprintf(id, sizeof id, "%llu", (unsigned long long)page[i].id);
        candidates_consider(c, text + c->from, cursor - c->from, id);
    }
    free(page);
    candidates_done(c, false);
}

/* Of a command's argument that takes the rest of the line, as far as the command line by itself does not know it. */
static void complete_rest(const struct app *app, struct known *known, struct candidates *c)
{
    const struct editor *e = &app->editor;
    const struct argument_form *of = c->of;
    size_t from = c->from;
    if (!of)
        return;
    known->needs = of->needs;
    known->is_break = of->is_break;
    if (of->kind == ARGUMENT_CONDITION)
        condition_complete(known, e->text + from, e->cursor - from, c);
    else if (of->kind == ARGUMENT_MESSAGE)
        complete_message(app, e->text + from, e->cursor - from, c);
    else if (of->kind == ARGUMENT_ROUTE)
        candidates_route(app->scenario, of->words, e->text + from, e->cursor - from, c);
    else
        return;
    c->from += from;
}

static void find_candidates(const struct app *app, struct candidates *c)
{
    const struct editor *e = &app->editor;
    struct known known = { .scenario = app->scenario,
                           .store = app->session ? session_store(app->session) : NULL,
                           .is_break = app->prompt == PROMPT_BREAK };
    if (asks_condition(app, &known.needs)) {
        condition_complete(&known, e->text, e->cursor, c);
    } else if (is_file(app->prompt)) {
        complete_file(e, c);
    } else if (is_route(app->prompt)) {
        const char *words = app->prompt == PROMPT_FLIGHT_LINK ? FLIGHT_LINK_WORDS : NULL;
        candidates_route(app->scenario, words, e->text, e->cursor, c);
    } else {
        command_complete(&command_table, app->scenario, e->text, e->cursor, c);
        complete_rest(app, &known, c);
    }
}

void line_prompt_complete(struct app *app)
{
    struct line_prompt *p = &app->line;
    struct editor *e = &app->editor;
    struct candidates *c = &p->candidates;
    line_prompt_unlist(p);
    find_candidates(app, c);
    size_t typed = e->cursor - c->from;
    const char *behind = c->behind                                                                     ? c->behind
                         : c->count == 1 && app->prompt == PROMPT_COMMAND && goes_on(app, c->items[0]) ? " "
                                                                                                       : "";
    e->selected = false;
    if (!c->count)
        app->prompt_error = "nothing fits here";
    else if (c->count == 1)
        put_word(e, c->from, c->items[0], c->common, e->text[e->cursor] ? "" : behind);
    else if (c->common > typed)
        put_word(e, c->from, c->items[0], c->common, "");
    p->listed = c->count > 1;
    if (!p->listed)
        candidates_free(c);
}

static void recall(struct app *app, bool back)
{
    if (app->prompt != PROMPT_COMMAND)
        return;
    const char *line = recall_move(&app->line.history, back, app->editor.text);
    if (line)
        editor_set(&app->editor, line);
}

void line_prompt_key(struct app *app, uint32_t key)
{
    app->prompt_error = NULL;
    if (key == INPUT_TAB) {
        line_prompt_complete(app);
        return;
    }
    line_prompt_unlist(&app->line);
    switch (key) {
    case INPUT_ESC:
    case CTRL('c'):
        app->prompt = PROMPT_NONE;
        break;
    case INPUT_ENTER:
        accept(app);
        break;
    case INPUT_UP:
    case CTRL('p'):
        recall(app, true);
        break;
    case INPUT_DOWN:
    case CTRL('n'):
        recall(app, false);
        break;
    default:
        editor_key(&app->editor, key);
        break;
    }
}

#define LISTED_ROWS 8 /* of candidates, at most */

/* Of a path the part behind its folder, as the folder stands at the prompt already. */
static const char *name_of(const struct candidates *c, int n)
{
    const char *item = c->items[n];
    size_t len = strlen(item);
    for (size_t i = len > 1 && !c->behind ? len - 1 : 0; i > 0; i--)
        if (item[i - 1] == '/')
            return item + i;
    return item;
}

void line_prompt_draw(const struct app *app, const struct area *body)
{
    const struct candidates *c = &app->line.candidates;
    if (app->prompt == PROMPT_NONE || !app->line.listed || !c->count)
        return;
    enum charset charset = body->canvas->charset;
    int widest = 1, count = (int)c->count;
    for (int i = 0; i < count; i++) {
        const char *name = name_of(c, i);
        int width = text_columns(name, strlen(name), charset);
        widest = width > widest ? width : widest;
    }
    widest = widest > body->width - 4 ? body->width - 4 : widest;
    int across = (body->width - 4 + 2) / (widest + 2), rows = (count + across - 1) / across;
    int most = body->height - 2 < LISTED_ROWS ? body->height - 2 : LISTED_ROWS;
    bool cut = rows > most;
    rows = cut ? most : rows;
    struct area frame = area_sub(body, 0, body->height - rows - 2, body->width, rows + 2);
    area_clear(&frame);
    area_box(&frame, ROLE_BORDER_FOCUS);
    area_printf(&frame, 2, 0, -1, ROLE_TITLE_FOCUS, cut ? " the first %d of %d " : " %d ", cut ? across * rows : count,
                count);
    struct area inside = area_sub(&frame, 2, 1, frame.width - 4, rows);
    for (int i = 0; i < count && i < across * rows; i++) {
        const char *name = name_of(c, i);
        area_text(&inside, i % across * (widest + 2), i / across, widest, ROLE_TEXT, name, strlen(name));
    }
}

bool line_prompt_bar(const struct app *app, const struct area *bar)
{
    const struct command_row *row =
        app->prompt == PROMPT_COMMAND ? command_of_line(&command_table, app->editor.text) : NULL;
    if (!row)
        return false;
    struct buffer usage = { 0 };
    command_usage(row, &usage);
    struct pen pen = pen_at(bar, 1, 0, -1);
    pen_put(&pen, ROLE_KEY, buffer_string(&usage));
    pen_put(&pen, ROLE_LABEL, "  ");
    pen_put(&pen, ROLE_LABEL, row->help);
    buffer_free(&usage);
    return true;
}
