#include "ui/keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hint.h"
#include "base/memory.h"

#define CTRL(c) ((c)&0x1f)

/* The words of the commands, where there is one; of several names of an action the first is what it is called. */
const struct action_word action_words[] = {
    { ACTION_PAUSE, "pause" },
    { ACTION_STEP, "step" },
    { ACTION_NEXT, "next" },
    { ACTION_STEP_N, "step-n" },
    { ACTION_CONTINUE, "run" },
    { ACTION_CONTINUE, "continue" },
    { ACTION_UNTIL, "until" },
    { ACTION_BREAKS, "break" },
    { ACTION_BREAKS, "breakpoints" },
    { ACTION_DELETE, "remove" },
    { ACTION_BACK_STEP, "step-back" },
    { ACTION_BACK_NEXT, "next-back" },
    { ACTION_BACK_RUN, "run-back" },
    { ACTION_VIEW, "view" },
    { ACTION_HEAD, "now" },
    { ACTION_TIMELINE, "timeline" },
    { ACTION_NARROW, "narrow" },
    { ACTION_WIDEN, "widen" },
    { ACTION_CHAIN, "chain" },
    { ACTION_WATCHES, "watch" },
    { ACTION_WATCHES, "watches" },
    { ACTION_FILTER, "filter" },
    { ACTION_FLIGHT, "flight" },
    { ACTION_FLIGHT_DROP, "drop" },
    { ACTION_FLIGHT_DELAY, "delay" },
    { ACTION_FLIGHT_COPY, "copy" },
    { ACTION_FLIGHT_EDIT, "edit" },
    { ACTION_FLIGHT_INJECT, "inject" },
    { ACTION_FLIGHT_LINK, "link" },
    { ACTION_FLIGHT_SAVE, "save-faults" },
    { ACTION_RERUN, "rerun" },
    { ACTION_ABORT, "abort" },
    { ACTION_ENTER, "enter" },
    { ACTION_FIND, "find" },
    { ACTION_FIND_NEXT, "find-next" },
    { ACTION_LOG, "log" },
    { ACTION_FOLLOW, "follow" },
    { ACTION_ZOOM, "zoom" },
    { ACTION_FOLD, "fold" },
    { ACTION_PROBLEMS, "warnings" },
    { ACTION_SORT_NEXT, "sort-next" },
    { ACTION_SORT_PREVIOUS, "sort-previous" },
    { ACTION_SORT_REVERSE, "sort-reverse" },
    { ACTION_EXPORT, "export" },
    { ACTION_COMMAND, "command" },
    { ACTION_BACK, "back" },
    { ACTION_NODE_STOP, "stop" },
    { ACTION_NODE_KILL, "kill" },
    { ACTION_NODE_RESTART, "restart" },
    { ACTION_PANE_NEXT, "pane-next" },
    { ACTION_PANE_PREVIOUS, "pane-previous" },
    { ACTION_PANE_1, "pane-nodes" },
    { ACTION_PANE_2, "pane-events" },
    { ACTION_PANE_3, "pane-health" },
    { ACTION_PANE_4, "pane-barrier" },
    { ACTION_PANE_5, "pane-detail" },
    { ACTION_DOWN, "down" },
    { ACTION_UP, "up" },
    { ACTION_RIGHT, "right" },
    { ACTION_LEFT, "left" },
    { ACTION_PAGE_DOWN, "page-down" },
    { ACTION_PAGE_UP, "page-up" },
    { ACTION_TOP, "top" },
    { ACTION_BOTTOM, "bottom" },
    { ACTION_QUIT, "quit" },
    { ACTION_QUIT_NOW, "quit-now" },
    { ACTION_SUSPEND, "suspend" },
    { ACTION_REDRAW, "redraw" },
    { ACTION_HELP, "help" },
    { ACTION_HELP, "keys" },
};
const size_t action_word_count = sizeof action_words / sizeof *action_words;

const char *action_name(enum action action)
{
    for (size_t i = 0; i < action_word_count; i++)
        if (action_words[i].action == action)
            return action_words[i].name;
    return NULL;
}

void keymap_init(struct keymap *m)
{
    m->rows = mem_array(key_table_count, sizeof *m->rows);
    for (size_t i = 0; i < key_table_count; i++) {
        const struct binding *b = &key_table[i];
        memcpy(m->rows[i].keys, b->keys, sizeof b->keys);
        snprintf(m->rows[i].names, sizeof m->rows[i].names, "%s", b->names ? b->names : "");
    }
}

void keymap_free(struct keymap *m)
{
    free(m->rows);
    m->rows = NULL;
}

/* The row that has a key, or -1. */
static int row_of_key(const struct keymap *m, uint32_t key)
{
    for (size_t i = 0; key && i < key_table_count; i++)
        for (int k = 0; k < KEYMAP_KEYS && m->rows[i].keys[k]; k++)
            if (m->rows[i].keys[k] == key)
                return (int)i;
    return -1;
}

enum action keymap_action(const struct keymap *m, uint32_t key)
{
    int row = row_of_key(m, key);
    return row < 0 ? ACTION_NONE : key_table[row].action;
}

const char *keymap_names(const struct keymap *m, const struct binding *b)
{
    return b >= key_table && b < key_table + key_table_count ? m->rows[b - key_table].names : b->names;
}

/* The row of the action whose name is so many bytes, or -1. */
static int row_named(const char *name, size_t len)
{
    for (size_t n = 0; n < action_word_count; n++)
        for (size_t i = 0;
             strlen(action_words[n].name) == len && !memcmp(action_words[n].name, name, len) && i < key_table_count;
             i++)
            if (key_table[i].action == action_words[n].action)
                return (int)i;
    return -1;
}

const char *keymap_text(const struct keymap *m, const char *text, bool format, char buf[KEYMAP_TEXT])
{
    size_t used = 0;
    if (!strchr(text, '{'))
        return text;
    for (const char *s = text; *s && used + 2 * KEY_NAME < KEYMAP_TEXT; s++) {
        size_t len = *s == '{' ? strcspn(s, "}") : 0;
        int row = len && s[len] ? row_named(s + 1, len - 1) : -1;
        if (row < 0) {
            buf[used++] = *s;
            continue;
        }
        char name[KEY_NAME];
        uint32_t key = m->rows[row].keys[0];
        const char *shown = key ? key_name(key, name) : NULL;
        used +=
            (size_t)(shown ? snprintf(buf + used, KEYMAP_TEXT - used, "%s%s", format && key == '%' ? "%" : "", shown)
                           : snprintf(buf + used, KEYMAP_TEXT - used, ":%s", action_name(key_table[row].action)));
        s += len;
    }
    buf[used] = '\0';
    return buf;
}

/* The row of the action of that name; -1 and told where there is none. */
static int row_of_name(const struct setting *s, struct problems *problems)
{
    struct hint hint = { .word = s->name };
    for (size_t n = 0; n < action_word_count; n++) {
        for (size_t i = 0; !strcmp(action_words[n].name, s->name) && i < key_table_count; i++)
            if (key_table[i].action == action_words[n].action)
                return (int)i;
        hint_consider(&hint, action_words[n].name, action_words[n].name);
    }
    problems_add(problems, SEVERITY_WARNING, s->at, s->name, "there is no action of this name%s",
                 hint_text(&hint).text);
    return -1;
}

static void remove_key(struct keymap_row *row, uint32_t key)
{
    int kept = 0;
    for (int k = 0; k < KEYMAP_KEYS; k++)
        if (row->keys[k] != key)
            row->keys[kept++] = row->keys[k];
    while (kept < KEYMAP_KEYS)
        row->keys[kept++] = INPUT_NONE;
}

/* Gives the row a key, taken from the row of the table that had it. */
static void take_key(struct keymap *m, int row, const struct setting *s, const char *word, struct problems *problems)
{
    uint32_t key = key_named(word);
    int owner = row_of_key(m, key), count = 0;
    while (count < KEYMAP_KEYS && m->rows[row].keys[count])
        count++;
    if (!key)
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name,
                     "unknown key '%s'; keys are characters, and words as Space, Enter, PgDn, F5, Ctrl-X",
                     shown(word).text);
    else if (key == CTRL('c') || key == CTRL('\\') || (owner >= 0 && !action_name(key_table[owner].action)))
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "the key %s always does what it does",
                     shown(word).text);
    else if (owner == row)
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "the key %s stands there twice",
                     shown(word).text);
    else if (owner >= 0 && m->rows[owner].own)
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "the key %s is that of '%s' already",
                     shown(word).text, action_name(key_table[owner].action));
    else if (count == KEYMAP_KEYS)
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "an action has at most %d keys", KEYMAP_KEYS);
    else {
        if (owner >= 0)
            remove_key(&m->rows[owner], key);
        m->rows[row].keys[count] = key;
        if (owner >= 0)
            problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "the key %s was that of '%s'%s", word,
                         action_name(key_table[owner].action),
                         m->rows[owner].keys[0] ? ", which has others" : ", which now has none");
    }
}

/* Keys that the table's names stand for: of the row, and of those behind it that have no names. */
static void name_row(struct keymap *m, size_t i)
{
    bool changed = false;
    size_t end = i + 1;
    while (end < key_table_count && !key_table[end].names && action_name(key_table[end].action))
        end++;
    for (size_t k = i; k < end; k++)
        changed |= memcmp(m->rows[k].keys, key_table[k].keys, sizeof key_table[k].keys) != 0 ||
                   m->rows[k].keys[KEYMAP_KEYS - 1];
    if (!changed || !key_table[i].names)
        return;
    struct buffer text = { 0 };
    for (size_t k = i; k < end; k++)
        for (int n = 0; n < KEYMAP_KEYS && m->rows[k].keys[n]; n++) {
            char name[KEY_NAME];
            buffer_format(&text, "%s%s", text.len ? " " : "", key_name(m->rows[k].keys[n], name));
        }
    size_t len = text.len < sizeof m->rows[i].names ? text.len : sizeof m->rows[i].names - 1;
    while (len && len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80)
        len--;
    memset(m->rows[i].names, 0, sizeof m->rows[i].names);
    memcpy(m->rows[i].names, buffer_string(&text), len);
    buffer_free(&text);
}

void keymap_set(struct keymap *m, const struct settings *settings, struct problems *problems)
{
    int *rows = mem_array(settings->count + 1, sizeof *rows);
    for (size_t i = 0; i < settings->count; i++) { /* first all give up what they had */
        rows[i] = row_of_name(&settings->items[i], problems);
        if (rows[i] < 0)
            continue;
        memset(m->rows[rows[i]].keys, 0, sizeof m->rows[rows[i]].keys);
        m->rows[rows[i]].own = true;
    }
    for (size_t i = 0; i < settings->count; i++)
        for (size_t w = 0; rows[i] >= 0 && w < settings->items[i].count; w++)
            take_key(m, rows[i], &settings->items[i], settings->items[i].words[w], problems);
    for (size_t i = 0; i < settings->count; i++) { /* where nothing did, what the table has is better than no key */
        const struct setting *s = &settings->items[i];
        struct keymap_row *row = rows[i] >= 0 ? &m->rows[rows[i]] : NULL;
        for (int k = 0; row && s->count && !row->keys[0] && k < 3; k++)
            if (row_of_key(m, key_table[rows[i]].keys[k]) < 0)
                row->keys[0] = key_table[rows[i]].keys[k];
    }
    for (size_t i = 0; i < key_table_count; i++)
        name_row(m, i);
    free(rows);
}
