#include "lockstep/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "scenario/tree.h"

/* NULL where there is nothing to be read; what is wrong is told then, but for a file that is not there. */
static char *read_file(const char *file, size_t *len, struct problems *problems)
{
    struct mark mark = { .file = file };
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *text = NULL;
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            problems_add(problems, SEVERITY_WARNING, mark, "", "cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        problems_add(problems, SEVERITY_WARNING, mark, "", "is no file that settings could be in");
    } else if (st.st_size > (off_t)SETTINGS_MAX_BYTES) {
        problems_add(problems, SEVERITY_WARNING, mark, "", "is larger than 1 MiB; these are no settings");
    } else {
        ssize_t n;
        text = mem_alloc((size_t)st.st_size + 1);
        *len = 0;
        while (*len < (size_t)st.st_size && (n = read(fd, text + *len, (size_t)st.st_size - *len)) != 0) {
            if (n < 0 && errno != EINTR) {
                problems_add(problems, SEVERITY_WARNING, mark, "", "cannot be read: %s", strerror(errno));
                break;
            }
            *len += n > 0 ? (size_t)n : 0;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* Of a text without a value: none. `~` alone is YAML's null, and a key's name. */
static void take_words(struct arena *arena, const struct tree *value, struct setting *s)
{
    size_t len = value->kind == TREE_NULL && value->text && *value->text != '~' ? 0 : value->len;
    const char *at = value->text;
    s->words = arena_alloc(arena, (len / 2 + 1) * sizeof *s->words);
    for (const char *end = at + len; len && at < end;) {
        size_t n = 0;
        while (at + n < end && at[n] != ' ' && at[n] != '\t' && at[n] != '\n' && at[n])
            n++;
        if (n)
            s->words[s->count++] = arena_text(arena, at, n);
        at += n + 1;
    }
}

/* Returns false where an item is no word. */
static bool take_items(struct arena *arena, const struct tree *list, struct setting *s)
{
    s->words = arena_alloc(arena, (list->count + 1) * sizeof *s->words);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind >= TREE_LIST)
            return false;
        s->words[s->count++] = list->items[i]->text;
    }
    return true;
}

static void take_entries(struct settings *s, struct arena *arena, const struct tree *root, struct problems *problems)
{
    s->items = arena_alloc(arena, (root->count + 1) * sizeof *s->items);
    for (size_t i = 0; i < root->count; i++) {
        const struct tree *key = root->entries[i].key, *value = root->entries[i].value;
        struct setting setting = { .name = key->text, .at = key->mark, .value_at = value->mark };
        if (value->kind == TREE_MAP || (value->kind == TREE_LIST && !take_items(arena, value, &setting))) {
            problems_add(problems, SEVERITY_WARNING, value->mark, key->text, "write words here, not %s",
                         tree_kind_name(value));
            continue;
        }
        if (value->kind < TREE_LIST)
            take_words(arena, value, &setting);
        s->items[s->count++] = setting;
    }
}

/* Nothing but blanks and comments. */
static bool is_empty(const char *text)
{
    for (text += strspn(text, " \t\r\n"); *text == '#'; text += strspn(text, " \t\r\n"))
        text += strcspn(text, "\n");
    return !*text;
}

struct settings settings_load(const char *file, struct problems *problems)
{
    struct settings s = { 0 };
    struct problems found = { 0 };
    size_t len = 0;
    char *text = read_file(file, &len, problems);
    if (!text || (is_empty(text) && strlen(text) == len)) {
        free(text);
        return s;
    }
    struct arena *arena = arena_new();
    s.memory = arena;
    file = arena_text(arena, file, strlen(file));
    struct tree *root = tree_parse(arena_text(arena, text, len), len, file, arena, &found);
    free(text);
    for (size_t i = 0; i < found.count; i++) {
        const struct problem *p = &found.items[i];
        problems_add(problems, SEVERITY_WARNING, (struct mark){ file, p->line, p->column }, p->path, "%s", p->text);
    }
    problems_clear(&found);
    if (root && root->kind == TREE_MAP)
        take_entries(&s, arena, root, problems);
    else if (root && root->kind != TREE_NULL)
        problems_add(problems, SEVERITY_WARNING, root->mark, "", "settings are lines `NAME: WORDS`, not %s",
                     tree_kind_name(root));
    return s;
}

void settings_free(struct settings *s)
{
    if (s->memory)
        arena_free(s->memory);
    *s = (struct settings){ 0 };
}
