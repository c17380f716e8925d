#include "scenario/field_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "scenario/shellwords.h"

static bool refuse(const struct reader *r, const struct tree *v, const struct place *place, const char *text)
{
    place_tell(r->problems, SEVERITY_ERROR, v->mark, place, "%s", text);
    return false;
}

static string_list new_list(const struct reader *r, size_t count)
{
    return arena_alloc(r->arena, (count + 1) * sizeof(char *));
}

/* The text of a scalar as it is written; null where it can be none. */
static char *item_text(const struct reader *r, const struct tree *v, const struct place *place)
{
    if (v->kind >= TREE_LIST || (v->kind == TREE_NULL && v->len == 0)) {
        place_tell(r->problems, SEVERITY_ERROR, v->mark, place, "must be text, not %s", tree_kind_name(v));
        return NULL;
    }
    if (strlen(v->text) != v->len) {
        refuse(r, v, place, "has a NUL character");
        return NULL;
    }
    return arena_text(r->arena, v->text, v->len);
}

static bool read_items(const struct reader *r, const struct tree *v, const struct place *place, string_list *out)
{
    bool good = true;
    string_list list = new_list(r, v->count);
    for (size_t i = 0; i < v->count; i++) {
        struct place at = { .up = place, .index = i };
        list[i] = item_text(r, v->items[i], &at);
        good = list[i] && good;
    }
    if (good)
        *out = list;
    return good;
}

static bool is_test_word(const char *word)
{
    return strcmp(word, "CMD") == 0 || strcmp(word, "CMD-SHELL") == 0 || strcmp(word, "NONE") == 0;
}

bool field_read_list(const struct reader *r, enum field_kind kind, const struct tree *v, const struct place *place,
                     string_list *out)
{
    if (v->kind == TREE_LIST) {
        if (!v->count)
            return refuse(r, v, place, "is an empty list; remove it or add an item");
        if (!read_items(r, v, place, out))
            return false;
        if (kind == F_HEALTH && !is_test_word((*out)[0]))
            return refuse(r, v->items[0], place, "must begin with CMD, CMD-SHELL or NONE; for example [CMD, /healthy]");
        if (kind == F_COMMAND && !*(*out)[0])
            return refuse(r, v->items[0], place, "begins with an empty text; the program is missing");
        return true;
    }
    if (v->kind == TREE_MAP || kind == F_LIST) {
        place_tell(r->problems, SEVERITY_ERROR, v->mark, place, "must be a list, not %s", tree_kind_name(v));
        return false;
    }
    char *text = item_text(r, v, place);
    if (!text)
        return false;
    if (kind == F_HEALTH) {
        *out = new_list(r, 2);
        (*out)[0] = arena_text(r->arena, "CMD-SHELL", 9);
        (*out)[1] = text;
        return true;
    }
    const char *why;
    *out = shellwords_split(r->arena, text, &why);
    return *out || refuse(r, v, place, why);
}

/* KEY=VALUE, or KEY alone for an empty value. */
static void split_pair(const struct reader *r, const char *item, struct string_map *map, size_t i)
{
    size_t key = strcspn(item, "=");
    map->keys[i] = arena_text(r->arena, item, key);
    map->values[i] = arena_text(r->arena, item + key + (item[key] == '='), strlen(item + key + (item[key] == '=')));
}

static bool check_key(const struct reader *r, const struct tree *at, const struct place *place, const char *key)
{
    if (*key && !strchr(key, '='))
        return true;
    return refuse(r, at, place, "is no name for an environment variable");
}

/* The ith item of a list or map, whose place is *at then; NULL where it is one that counts no more. */
static const struct tree *item_at(const struct tree *v, size_t i, const struct place *place, struct place *at)
{
    const struct tree_entry *e = v->kind == TREE_MAP ? &v->entries[i] : NULL;
    *at = (struct place){ .up = place, .key = e ? e->key->text : NULL, .index = i };
    return !e ? v->items[i] : e->dropped ? NULL : e->value;
}

/* Its text; a map's value may be nothing. */
static char *text_or_empty(const struct reader *r, const struct tree *v, const struct tree *item,
                           const struct place *at)
{
    return v->kind == TREE_MAP && item->kind == TREE_NULL ? arena_text(r->arena, "", 0) : item_text(r, item, at);
}

bool field_read_pairs(const struct reader *r, const struct tree *v, const struct place *place, struct string_map *out)
{
    if (v->kind != TREE_MAP && v->kind != TREE_LIST)
        return refuse(r, v, place, "must be a map (`KEY: value`) or a list of KEY=value");
    struct string_map map = { new_list(r, v->count), new_list(r, v->count) };
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < v->count; i++) {
        struct place at;
        const struct tree *item = item_at(v, i, place, &at);
        if (!item)
            continue;
        char *text = text_or_empty(r, v, item, &at);
        good = text && good;
        if (text && v->kind == TREE_LIST) {
            split_pair(r, text, &map, n);
        } else if (text) {
            const struct tree *key = v->entries[i].key;
            good = (strlen(key->text) == key->len || refuse(r, key, &at, "has a NUL character")) && good;
            map.keys[n] = arena_text(r->arena, key->text, strlen(key->text));
            map.values[n] = text;
        }
        if (text)
            good = check_key(r, v->kind == TREE_MAP ? v->entries[i].key : item, &at, map.keys[n++]) && good;
    }
    if (good)
        *out = map;
    return good;
}

/* 1 … 65535, with /tcp, /udp or /sctp behind it where it is a container's. */
static bool is_port(const char *s, bool with_protocol)
{
    size_t digits = strspn(s, "0123456789");
    long n = digits && digits <= 5 ? strtol(s, NULL, 10) : 0;
    const char *rest = s + digits;
    bool end = !*rest || (with_protocol && (!strcmp(rest, "/tcp") || !strcmp(rest, "/udp") || !strcmp(rest, "/sctp")));
    return n >= 1 && n <= 65535 && end;
}

static bool add_port(const struct reader *r, const struct tree *v, const struct place *place, struct string_map *map,
                     size_t n, const char *host, const char *container)
{
    if ((*host && !is_port(host, false)) || !is_port(container, true))
        return refuse(r, v, place, "must be HOST:CONTAINER, two ports from 1 to 65535, for example \"5000:5000\"");
    map->keys[n] = arena_text(r->arena, host, strlen(host));
    map->values[n] = arena_text(r->arena, container, strlen(container));
    return true;
}

bool field_read_ports(const struct reader *r, const struct tree *v, const struct place *place, struct string_map *out)
{
    if (v->kind != TREE_MAP && v->kind != TREE_LIST)
        return refuse(r, v, place, "must be a list of \"HOST:CONTAINER\" or a map `CONTAINER: HOST`");
    if (v->count > 65535)
        return refuse(r, v, place, "has more ports than there are");
    struct string_map map = { new_list(r, v->count), new_list(r, v->count) };
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < v->count; i++) {
        struct place at;
        const struct tree *item = item_at(v, i, place, &at);
        if (!item)
            continue;
        char *text = text_or_empty(r, v, item, &at);
        char *colon = text && v->kind == TREE_LIST ? strchr(text, ':') : NULL;
        if (colon)
            *colon = '\0';
        const char *container = v->kind == TREE_MAP ? v->entries[i].key->text : colon ? colon + 1 : text;
        const char *host = v->kind == TREE_MAP || colon ? text : "";
        good = text && add_port(r, item, &at, &map, n, host, container) && good;
        n += good;
    }
    if (good)
        *out = map;
    return good;
}

/* HOST and where it is bound, from a map's entry: a text, or {bind, mode}. */
static char *volume_text(const struct reader *r, const struct tree_entry *e, const struct place *place)
{
    const struct tree *bind = e->value->kind == TREE_MAP ? tree_get(e->value, "bind") : e->value;
    const struct tree *mode = tree_get(e->value, "mode");
    if (!bind) {
        place_tell(r->problems, SEVERITY_ERROR, e->value->mark, place,
                   "needs where it is bound; for example `{bind: /app/models, mode: ro}`");
        return NULL;
    }
    char *target = item_text(r, bind, place);
    char *word = mode ? item_text(r, mode, place) : arena_text(r->arena, "", 0);
    if (!target || !word)
        return NULL;
    struct buffer text = { 0 };
    buffer_format(&text, "%s:%s%s%s", e->key->text, target, *word ? ":" : "", word);
    char *volume = arena_text(r->arena, text.data, text.len);
    buffer_free(&text);
    return volume;
}

static bool check_volume(const struct reader *r, const struct tree *v, const struct place *place, const char *text)
{
    const char *target = strchr(text, ':');
    const char *mode = target ? strchr(target + 1, ':') : NULL;
    if (!target || target == text || target[1] != '/' || (mode && strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0))
        return refuse(r, v, place,
                      "must be HOST:/CONTAINER or HOST:/CONTAINER:ro, for example \"./models:/app/models:ro\"");
    return true;
}

bool field_read_volumes(const struct reader *r, const struct tree *v, const struct place *place, string_list *out)
{
    if (v->kind != TREE_MAP && v->kind != TREE_LIST)
        return refuse(r, v, place, "must be a list of \"HOST:CONTAINER[:MODE]\" or a map `HOST: {bind, mode}`");
    string_list list = new_list(r, v->count);
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < v->count; i++) {
        struct place at;
        const struct tree *item = item_at(v, i, place, &at);
        if (!item)
            continue;
        list[n] = v->kind == TREE_MAP ? volume_text(r, &v->entries[i], &at) : item_text(r, item, &at);
        good = list[n] && check_volume(r, item, &at, list[n]) && good;
        n += list[n] != NULL;
    }
    if (good && n)
        *out = list;
    return good;
}
