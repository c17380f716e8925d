#include "lockstep/condition_words.h"

#include <string.h>
#include <strings.h>

#include "bus/bus.h"
#include "sim/condition_parser.h"

static const char payload[] = "payload";

/* Behind the quoted text that begins at `at`; `len` + 1 where it has no end. */
static size_t behind_quoted(const char *s, size_t at, size_t len)
{
    char quote = s[at++];
    for (; at < len && s[at] != quote; at++)
        if (s[at] == '\\' && at + 1 < len && (s[at + 1] == quote || s[at + 1] == '\\'))
            at++;
    return at < len ? at + 1 : len + 1;
}

/* Behind the word that begins at `from`; that of a field goes on over quoted keys. The last key begins at *key. */
static size_t behind_word(const char *s, size_t from, size_t len, bool is_field, size_t *key)
{
    size_t at = *key = from;
    while (at < len) {
        if (is_field && at > from && at == *key && (s[at] == '"' || s[at] == '\'')) {
            at = behind_quoted(s, at, len);
            continue;
        }
        if (parser_ends_word(s[at]))
            break;
        if (s[at++] == '.')
            *key = at;
    }
    return at;
}

static const struct field_row *field_named(const char *s, size_t len)
{
    size_t n = strlen(payload);
    if (len > n && !memcmp(s, payload, n) && s[n] == '.')
        return &condition_fields[FIELD_PAYLOAD];
    for (int i = 0; i < CONDITION_FIELDS; i++)
        if (strlen(condition_fields[i].name) == len && !memcmp(condition_fields[i].name, s, len))
            return &condition_fields[i];
    return NULL;
}

/* A text on its way to its end. */
struct scan {
    const char *s;
    size_t at, len;
    enum condition_place place;    /* of what comes next */
    const struct field_row *field; /* before the operator and the value; NULL: none that is known */
};

static struct condition_spot spot_here(const struct scan *scan, enum condition_place place, size_t from)
{
    struct condition_spot spot = { .place = place, .from = from };
    if (place != CONDITION_AT_OPERATOR && place != CONDITION_AT_VALUE)
        return spot;
    if (!scan->field)
        return (struct condition_spot){ .from = from };
    spot.field = scan->field->name;
    enum field_class class = scan->field->class;
    bool is_node = scan->field == &condition_fields[FIELD_SRC] || scan->field == &condition_fields[FIELD_DST];
    if (place == CONDITION_AT_VALUE)
        spot.values = is_node                                            ? CONDITION_VALUES_NODES
                      : class == CLASS_TEXT                              ? CONDITION_VALUES_SEEN
                      : class == CLASS_KIND || class == CLASS_NODE_STATE ? CONDITION_VALUES_WORDS
                                                                         : CONDITION_VALUES_NONE;
    return spot;
}

/* A word that stands before a breakpoint's condition, or any that is none here, is followed by a field. Returns whether
 * the text ends with the word. */
static bool take_word(struct scan *scan, struct condition_spot *spot)
{
    size_t from = scan->at, key;
    bool is_value = scan->place == CONDITION_AT_VALUE || scan->place == CONDITION_AT_NOTHING;
    scan->at = behind_word(scan->s, from, scan->len, !is_value, &key);
    if (scan->at >= scan->len && !is_value) {
        bool is_key = key > from && field_named(scan->s + from, key - from) == &condition_fields[FIELD_PAYLOAD];
        *spot = spot_here(scan, is_key ? CONDITION_AT_KEY : CONDITION_AT_FIELD, is_key ? key : from);
        spot->path = from;
        return true;
    }
    if (scan->at >= scan->len) {
        *spot = spot_here(scan, scan->place, from);
        return true;
    }
    if (is_value) {
        scan->place = CONDITION_AT_NOTHING;
        return false;
    }
    scan->field = field_named(scan->s + from, scan->at - from);
    scan->place = scan->field ? CONDITION_AT_OPERATOR : CONDITION_AT_FIELD;
    return false;
}

static bool take_quoted(struct scan *scan, struct condition_spot *spot)
{
    size_t from = scan->at;
    bool is_value = scan->place == CONDITION_AT_VALUE;
    scan->at = behind_quoted(scan->s, from, scan->len);
    if (scan->at >= scan->len) {
        *spot = spot_here(scan, is_value ? CONDITION_AT_VALUE : CONDITION_AT_NOTHING, from);
        return true;
    }
    scan->place = is_value ? CONDITION_AT_NOTHING : CONDITION_AT_FIELD; /* behind `do "…"` */
    return false;
}

static bool take_sign(struct scan *scan, struct condition_spot *spot)
{
    size_t from = scan->at;
    char c = scan->s[scan->at++];
    char next = scan->at < scan->len ? scan->s[scan->at] : '\0';
    bool is_not = c == '!' && next != '=' && (scan->place != CONDITION_AT_OPERATOR || next);
    if (c == ')') {
        scan->place = CONDITION_AT_NOTHING;
        scan->field = NULL;
    } else if (c == '(' || c == '&' || c == '|' || is_not) {
        scan->place = CONDITION_AT_FIELD;
        scan->field = NULL;
    } else {
        scan->at += next == '=' || (c == '=' && next == '~');
        scan->place = CONDITION_AT_VALUE;
        *spot = spot_here(scan, CONDITION_AT_OPERATOR, from);
        return scan->at >= scan->len;
    }
    return false;
}

struct condition_spot condition_spot(const char *text, size_t len)
{
    struct scan scan = { .s = text, .len = strnlen(text, len), .place = CONDITION_AT_FIELD };
    struct condition_spot spot;
    for (;;) {
        while (scan.at < scan.len && parser_is_blank(text[scan.at]))
            scan.at++;
        if (scan.at >= scan.len)
            break;
        char c = text[scan.at];
        bool at_end = c == '"' || c == '\'' ? take_quoted(&scan, &spot)
                      : parser_ends_word(c) ? take_sign(&scan, &spot)
                                            : take_word(&scan, &spot);
        if (at_end)
            return spot;
    }
    spot = spot_here(&scan, scan.place, scan.len);
    spot.path = scan.len;
    return spot;
}

/* A field by its number; behind those of records what else can stand there. */
static const char *field_word(unsigned needs, int i)
{
    for (int f = 0; f < CONDITION_FIELDS; f++) {
        const struct field_row *row = &condition_fields[f];
        if ((row->needs & ~needs) == 0 && i-- == 0)
            return f == FIELD_PAYLOAD ? "payload." : row->name;
    }
    if (!(needs & CONDITION_HISTORY))
        return NULL;
    return i == 0 ? "changed(" : i == 1 ? "count(" : NULL;
}

static const char *operator_word(const char *field, int i)
{
    enum field_class class = field_named(field, strlen(field))->class;
    for (int o = 0; o < CONDITION_OPERATORS; o++) {
        bool is_for_texts = condition_operators[o].comparison == COMPARE_LIKE;
        if ((!is_for_texts || (class != CLASS_TIME && class != CLASS_NUMBER)) && i-- == 0)
            return condition_operators[o].text;
    }
    return NULL;
}

const char *condition_word(const struct condition_spot *spot, unsigned needs, int i)
{
    if (spot->place == CONDITION_AT_FIELD)
        return field_word(needs, i);
    if (spot->place == CONDITION_AT_OPERATOR)
        return operator_word(spot->field, i);
    if (spot->place != CONDITION_AT_VALUE || spot->values != CONDITION_VALUES_WORDS)
        return NULL;
    if (field_named(spot->field, strlen(spot->field))->class == CLASS_KIND)
        return i < RECORD_KINDS ? record_kind_name((enum record_kind)i) : NULL;
    return i < CONDITION_NODE_STATES ? condition_node_states[i] : NULL;
}

bool condition_is_word(const char *s, size_t len, bool is_key)
{
    for (size_t i = 0; i < len; i++)
        if (parser_ends_word(s[i]) || (is_key && s[i] == '.'))
            return false;
    return len > 0;
}

/* The kind of records that a comparison of the type is spelt as; NULL: none. */
static const char *kind_as_type(const struct test *t)
{
    const char *found = NULL;
    bool is_named = t->op == TEST_COMPARE && t->field == FIELD_TYPE &&
                    (t->comparison == COMPARE_EQ || t->comparison == COMPARE_LIKE);
    for (int k = 0; is_named && k < RECORD_KINDS && !found; k++) {
        const char *name = record_kind_name((enum record_kind)k);
        found = strcasecmp(name, t->constant.text.s) == 0 ? name : NULL;
    }
    for (const struct test *part = t->first; part && !found; part = part->next)
        found = kind_as_type(part);
    return found;
}

bool condition_hint(const struct condition *c, char out[CONDITION_HINT])
{
    const char *kind = kind_as_type(c->tree);
    if (kind)
        snprintf(out, CONDITION_HINT, "type is a message's own, from its node; %s records are kind == %s", kind, kind);
    return kind != NULL;
}

bool condition_text_hint(const char *text, char out[CONDITION_HINT])
{
    struct condition_error err;
    struct condition *c = text ? condition_parse(text, &err) : NULL;
    bool is_told = c && condition_hint(c, out);
    condition_free(c);
    return is_told;
}
