/* What a command line may go on with. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "ui/command_line.h"

#define BLANKS " \t"

void candidates_consider(struct candidates *c, const char *word, size_t word_len, const char *item)
{
    if (strncmp(item, word, word_len) != 0 || c->count >= CANDIDATES_MOST)
        return;
    c->items = mem_grow(c->items, c->count, &c->capacity, sizeof *c->items);
    c->items[c->count++] = mem_text(item);
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Never in the midst of a character. */
static void find_common(struct candidates *c)
{
    c->common = c->count ? strlen(c->items[0]) : 0;
    for (size_t i = 1; i < c->count; i++) {
        size_t n = 0;
        while (n < c->common && c->items[i][n] == c->items[0][n])
            n++;
        c->common = n;
    }
    while (c->count && c->common > 0 && ((unsigned char)c->items[0][c->common] & 0xc0) == 0x80)
        c->common--;
}

void candidates_done(struct candidates *c, bool sorted)
{
    if (sorted && c->count)
        qsort(c->items, c->count, sizeof *c->items, compare_items);
    find_common(c);
}

static bool is_folder(const char *folder, const char *name)
{
    struct buffer path = { 0 };
    struct stat st;
    buffer_format(&path, "%s%s", folder, name);
    bool is = stat(buffer_string(&path), &st) == 0 && S_ISDIR(st.st_mode);
    buffer_free(&path);
    return is;
}

/* Names that a terminal line cannot hold are left out, hidden ones where the word does not begin with a dot. */
static bool is_shown(const char *name, const char *begun)
{
    if (!strcmp(name, ".") || !strcmp(name, "..") || (*name == '.' && *begun != '.'))
        return false;
    for (size_t i = 0, len = strlen(name), n; i < len; i += n) {
        uint32_t c;
        n = utf8_decode(name + i, len - i, &c);
        if (!n || !utf8_is_safe(c))
            return false;
    }
    return true;
}

void candidates_file(const char *word, struct candidates *out)
{
    const char *slash = strrchr(word, '/'), *begun = slash ? slash + 1 : word;
    char *folder = mem_text_n(word, (size_t)(begun - word));
    DIR *dir = opendir(*folder ? folder : ".");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!is_shown(e->d_name, begun) || strncmp(e->d_name, begun, strlen(begun)) != 0)
            continue;
        struct buffer item = { 0 };
        buffer_format(&item, "%s%s%s", folder, e->d_name, is_folder(*folder ? folder : "./", e->d_name) ? "/" : "");
        candidates_consider(out, word, strlen(word), buffer_string(&item));
        buffer_free(&item);
    }
    if (dir)
        closedir(dir);
    free(folder);
    candidates_done(out, true);
}

/* In the order of the table. */
static void complete_name(const struct command_table *t, const char *word, size_t len, struct candidates *out)
{
    for (size_t i = 0; i < t->count; i++)
        candidates_consider(out, word, len, t->rows[i].name);
}

static void complete_word(const char *words, const char *word, size_t len, struct candidates *out)
{
    while (*(words += strspn(words, BLANKS))) {
        size_t n = strcspn(words, BLANKS);
        char *item = mem_text_n(words, n);
        candidates_consider(out, word, len, item);
        free(item);
        words += n;
    }
}

static void complete_node(const struct scenario *scenario, const char *word, size_t len, struct candidates *out)
{
    for (int i = 0; scenario && i < scenario->node_count; i++)
        candidates_consider(out, word, len, scenario->nodes[i].id);
}

static bool is_one_of(const char *words, const char *word, size_t len)
{
    struct candidates fit = { 0 };
    complete_word(words, word, len, &fit);
    bool is_one = fit.count == 1 && strlen(fit.items[0]) == len;
    candidates_free(&fit);
    return is_one;
}

void candidates_route(const struct scenario *scenario, const char *words, const char *text, size_t cursor,
                      struct candidates *out)
{
    *out = (struct candidates){ .behind = " " };
    size_t at = 0, before = 0, before_len = 0, len;
    int place = 0; /* of the word: 0 the source, 1 the destination */
    for (;; place++) {
        at += strspn(text + at, BLANKS);
        at = at < cursor ? at : cursor;
        len = strcspn(text + at, BLANKS);
        if (at + len >= cursor)
            break;
        before = at;
        before_len = len;
        at += len;
    }
    out->from = at;
    if (place < 2)
        complete_node(scenario, text + at, cursor - at, out);
    else if (words && (place == 2 || !is_one_of(words, text + before, before_len)))
        complete_word(words, text + at, cursor - at, out);
    candidates_done(out, false);
}

static bool takes_rest(enum argument_kind kind)
{
    return kind >= ARGUMENT_FILE;
}

/* The form of the argument that begins at `at`, behind the command's name; NULL: there is none. */
static const struct argument_form *form_at(const struct command_row *row, const char **at, const char *end)
{
    for (int i = 0; i < COMMAND_ARGUMENTS && row->arguments[i].kind != ARGUMENT_NONE; i++) {
        const struct argument_form *form = &row->arguments[i];
        while (*at < end && strchr(BLANKS, **at))
            (*at)++;
        const char *stop = *at + strcspn(*at, BLANKS);
        if (takes_rest(form->kind) || stop >= end)
            return form;
        *at = stop;
    }
    return NULL;
}

void command_complete(const struct command_table *t, const struct scenario *scenario, const char *line, size_t cursor,
                      struct candidates *out)
{
    *out = (struct candidates){ 0 };
    char *text = mem_text_n(line, cursor);
    const char *at = text + strspn(text, BLANKS ":"), *end = text + cursor;
    const char *name_end = at + strcspn(at, BLANKS);
    const struct command_row *row = name_end < end ? command_of_line(t, text) : NULL;
    const struct argument_form *form = NULL;
    if (row) {
        at = name_end;
        form = form_at(row, &at, end);
    }
    out->from = (size_t)(at - text);
    out->of = form;
    if (name_end >= end || (form && form->kind == ARGUMENT_COMMAND))
        complete_name(t, at, (size_t)(end - at), out);
    else if (form && form->kind == ARGUMENT_FILE)
        candidates_file(at, out);
    else if (form && form->kind == ARGUMENT_WORD)
        complete_word(form->words, at, (size_t)(end - at), out);
    else if (form && form->kind == ARGUMENT_NODE)
        complete_node(scenario, at, (size_t)(end - at), out);
    candidates_done(out, false);
    free(text);
}

void candidates_free(struct candidates *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->items[i]);
    free(c->items);
    *c = (struct candidates){ 0 };
}
