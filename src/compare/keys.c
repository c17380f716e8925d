#include "compare/keys.h"

#include "base/json_path.h"
#include "base/memory.h"

#include <stdlib.h>

struct walk {
    keys_told *told;
    void *data;
    struct buffer path;
    char *name; /* of the member that is looked for; room for all of a text */
    int differ;
};

static bool is_same(const struct json_span *a, const struct json_span *b)
{
    return a->s && b->s && a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

static void tell(struct walk *w, const struct json_span *a, const struct json_span *b, bool same)
{
    w->differ += !same;
    w->told(w->data, buffer_string(&w->path), a, b, same);
}

static void walk(struct walk *w, const struct json_span *a, const struct json_span *b, bool is_whole);

/* A step down, and back. */
static void walk_into(struct walk *w, const char *key, size_t len, const struct json_span *a, const struct json_span *b,
                      bool is_whole)
{
    size_t before = w->path.len;
    if (is_same(a, b) && !is_whole)
        return;
    buffer_text(&w->path, before ? "." : "");
    buffer_add(&w->path, key, len);
    walk(w, a, b, false);
    w->path.len = before;
}

/* The members or elements of `in` that `other` has too, or has not. */
static void walk_items(struct walk *w, const struct json_span *in, const struct json_span *other, bool missing_only,
                       bool is_whole)
{
    struct json_text t;
    struct json_span name, value, there;
    bool more, is_list = in->kind == JSON_ARRAY;
    json_text_begin(&t, in->s, in->len);
    json_text_open(&t);
    for (uint32_t i = 0; json_text_item(&t, is_list ? NULL : &name, &more) && more && json_text_value(&t, &value);
         i++) {
        char digits[16];
        size_t len =
            is_list ? (size_t)snprintf(digits, sizeof digits, "%u", i) : json_span_unescape(&name, w->name, KEYS_MOST);
        const char *key = is_list ? digits : w->name;
        struct json_step step = json_step(key, len);
        bool found = json_find(other->s, other->len, &step, 1, &there);
        static const struct json_span none;
        if (!found && missing_only)
            walk_into(w, key, len, &none, &value, is_whole);
        else if (!missing_only)
            walk_into(w, key, len, &value, found ? &there : &none, is_whole);
    }
}

static void walk(struct walk *w, const struct json_span *a, const struct json_span *b, bool is_whole)
{
    bool deeper = a->s && b->s && a->kind == b->kind && (a->kind == JSON_OBJECT || a->kind == JSON_ARRAY);
    int before = w->differ;
    if (!is_whole && (is_same(a, b) || !deeper)) {
        tell(w, a, b, is_same(a, b));
        return;
    }
    walk_items(w, a, b, false, is_whole);
    walk_items(w, b, a, true, is_whole);
    if (!is_whole && w->differ == before)
        tell(w, a, b, false); /* the same values in another order, or with blanks */
}

static bool take(struct text text, struct json_span *out)
{
    struct json_text t;
    json_text_begin(&t, text.s, text.len);
    return text.len <= KEYS_MOST && json_text_value(&t, out) && json_text_end(&t) && out->kind == JSON_OBJECT;
}

int keys_compare(struct text a, struct text b, keys_told *told, void *data)
{
    struct json_span in_a, in_b;
    struct walk w = { .told = told, .data = data };
    if (!take(a, &in_a) || !take(b, &in_b))
        return -1;
    w.name = mem_alloc(KEYS_MOST + 1);
    walk(&w, &in_a, &in_b, true);
    buffer_free(&w.path);
    free(w.name);
    return w.differ;
}
