#include "ui/complete_condition.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_path.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "lockstep/breakpoint.h"
#include "lockstep/condition_words.h"

/* At each end of the run, which takes some milliseconds: */
#define LOOKED_AT   2000      /* records … */
#define BYTES_MOST  (2 << 20) /* … and of payloads */
#define WORDS_MOST  200       /* of what records have */
#define WORD_LENGTH 100       /* bytes: what is longer is no word that somebody types */

struct completion {
    struct candidates *out;
    const char *word; /* what is typed of it */
    size_t len;
    bool is_key;
    struct buffer item;
};

/* As a word, or in quotes: those that were typed already, if any. */
static void write_word(struct completion *c, const char *s, size_t len)
{
    char typed = c->len ? *c->word : '\0', quote = typed == '\'' ? typed : '"';
    bool is_bare = typed != '"' && typed != '\'' && condition_is_word(s, len, c->is_key);
    c->item.len = 0;
    if (is_bare) {
        buffer_add(&c->item, s, len);
        return;
    }
    buffer_add(&c->item, &quote, 1);
    for (size_t i = 0; i < len; i++) {
        if (s[i] == quote || s[i] == '\\')
            buffer_text(&c->item, "\\");
        buffer_add(&c->item, s + i, 1);
    }
    buffer_add(&c->item, &quote, 1);
}

/* Whether a line can hold it, and somebody would type it. */
static bool is_fit(const char *s, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c;
        n = utf8_decode(s + i, len - i, &c);
        if (!n || !utf8_is_safe(c))
            return false;
    }
    return len > 0 && len <= WORD_LENGTH;
}

static void add_seen(struct completion *c, const char *s, size_t len)
{
    if (c->out->count >= WORDS_MOST || !is_fit(s, len))
        return;
    write_word(c, s, len);
    const char *item = buffer_string(&c->item);
    bool gets_quotes = *item != *s && c->len && len >= c->len && !memcmp(s, c->word, c->len);
    for (size_t i = 0; i < c->out->count; i++)
        if (!strcmp(c->out->items[i], item))
            return;
    candidates_consider(c->out, c->word, gets_quotes ? 0 : c->len, item);
}

static void add_member(void *data, const struct json_span *name, const struct json_span *value)
{
    (void)value;
    if (name->len >= 2 && !name->escapes)
        add_seen(data, name->s + 1, name->len - 2);
}

/* Of `count` records from `from` on, or from there backwards, what the field is, or where keys are wanted, what it has
 * for keys. */
static void add_of_records(struct completion *c, struct condition *field, struct store *store, uint64_t from,
                           uint64_t count, bool backward)
{
    struct buffer value = { 0 };
    struct record r = { 0 };
    for (uint64_t i = 0, bytes = 0; i < count && bytes < BYTES_MOST; i++, bytes += r.payload.len) {
        value.len = 0;
        if (store_read(store, backward ? from - i : from + i, &r) < 0 || !condition_value(field, &r, &value))
            continue;
        if (c->is_key)
            json_members(buffer_string(&value), value.len, add_member, c);
        else
            add_seen(c, buffer_string(&value), value.len);
    }
    buffer_free(&value);
}

static void add_from_store(struct completion *c, const char *field_text, struct store *store)
{
    struct condition_error err;
    uint64_t count = store ? store_count(store) : 0, first = count < LOOKED_AT ? count : LOOKED_AT;
    uint64_t last = count - first < LOOKED_AT ? count - first : LOOKED_AT;
    struct condition *field = count ? condition_parse_field(field_text, &err) : NULL;
    if (!field)
        return;
    add_of_records(c, field, store, 0, first, false);
    add_of_records(c, field, store, count - 1, last, true);
    condition_free(field);
}

/* "payload.a.": the keys of what "payload.a" is. */
static void add_keys(struct completion *c, const char *text, const struct condition_spot *spot, struct store *store)
{
    char *path = mem_text_n(text + spot->path, spot->from - spot->path - 1);
    add_from_store(c, path, store);
    free(path);
}

void condition_complete(const struct known *known, const char *text, size_t cursor, struct candidates *out)
{
    struct condition_spot spot = condition_spot(text, cursor);
    bool is_value = spot.place == CONDITION_AT_VALUE, is_seen = is_value && spot.values == CONDITION_VALUES_SEEN;
    *out = (struct candidates){ .from = spot.from, .behind = "" };
    struct completion c = {
        .out = out, .word = text + spot.from, .len = cursor - spot.from, .is_key = spot.place == CONDITION_AT_KEY
    };
    const char *word;
    bool leads = known->is_break && spot.place == CONDITION_AT_FIELD && breakpoint_takes_word(text, spot.from);
    for (int i = 0; leads && (word = breakpoint_word(i)); i++)
        candidates_consider(out, c.word, c.len, word);
    for (int i = 0; (word = condition_word(&spot, known->needs, i)); i++)
        candidates_consider(out, c.word, c.len, word);
    for (int i = 0;
         is_value && spot.values == CONDITION_VALUES_NODES && known->scenario && i < known->scenario->node_count; i++) {
        const char *id = known->scenario->nodes[i].id;
        write_word(&c, id, strlen(id));
        candidates_consider(out, c.word, c.len, buffer_string(&c.item));
    }
    if (is_seen)
        add_from_store(&c, spot.field, known->store);
    else if (c.is_key)
        add_keys(&c, text, &spot, known->store);
    candidates_done(out, is_seen || c.is_key);
    bool is_word = out->count == 1 && (spot.place == CONDITION_AT_FIELD || spot.place == CONDITION_AT_OPERATOR);
    if (is_word && !strchr(".(", out->items[0][strlen(out->items[0]) - 1]))
        out->behind = " ";
    buffer_free(&c.item);
}
