/* The evaluation of a condition on a record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bus/bus.h"
#include "sim/condition_tree.h"

#define NEAR 4e-15 /* relative: a number that json_number_read calls near is not further off */

/* What a condition is asked about. */
struct asked {
    struct condition *c;
    const struct record *r;
    const struct condition_nodes *nodes;
    struct condition_node node; /* where node_known */
    bool node_known;
};

static bool in_order(int order, enum comparison comparison)
{
    switch (comparison) {
    case COMPARE_EQ:
        return order == 0;
    case COMPARE_NE:
        return order != 0;
    case COMPARE_LT:
        return order < 0;
    case COMPARE_LE:
        return order <= 0;
    case COMPARE_GT:
        return order > 0;
    case COMPARE_GE:
        return order >= 0;
    case COMPARE_LIKE:
        break;
    }
    return false;
}

/* regexec is told where the text ends; but not everybody's believes that, so that it is given one with a NUL there. */
static bool like(struct condition *c, const regex_t *regex, struct text t)
{
    struct buffer *b = &c->scratch;
    regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)t.len };
    if (t.s != b->data) { /* else it is there already, without its escapes */
        b->len = 0;
        buffer_add(b, t.s, t.len);
    }
    b->len = t.len;
    return regexec(regex, buffer_string(b), 1, &range, REG_STARTEND) == 0;
}

static int order_texts(struct text a, struct text b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.s, b.s, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool is_text(struct text a, struct text b)
{
    return a.len == b.len && memcmp(a.s, b.s, a.len) == 0;
}

static bool compare_text(struct condition *c, const struct test *t, struct text value)
{
    switch (t->comparison) {
    case COMPARE_EQ:
        return is_text(value, t->constant.text);
    case COMPARE_NE:
        return !is_text(value, t->constant.text);
    case COMPARE_LIKE:
        return like(c, t->regex, value);
    default:
        return in_order(order_texts(value, t->constant.text), t->comparison);
    }
}

static bool compare_whole(const struct test *t, int64_t value)
{
    const struct json_number *n = &t->constant.number;
    if (n->is_whole)
        return in_order((value > n->whole) - (value < n->whole), t->comparison);
    return in_order(((double)value > n->value) - ((double)value < n->value), t->comparison);
}

static int order_numbers(const struct json_span *span, struct json_number *value, const struct json_number *to)
{
    if (value->is_whole && to->is_whole)
        return (value->whole > to->whole) - (value->whole < to->whole);
    if (value->is_near && fabs(value->value - to->value) <= NEAR * fabs(to->value))
        json_number_exact(span->s, span->len, value);
    return (value->value > to->value) - (value->value < to->value);
}

/* The characters of a JSON string. One with escapes is good until the next one with escapes. False: it is no string. */
static bool characters(struct condition *c, const struct json_span *span, struct text *out)
{
    if (!span->escapes) {
        *out = (struct text){ span->s + 1, span->len - 2 };
        return true;
    }
    struct json_text t;
    struct json_span string;
    json_text_begin(&t, span->s, span->len);
    if (!json_text_value(&t, &string) || string.len != span->len)
        return false;
    c->scratch.len = 0;
    if (c->scratch.capacity < span->len)
        buffer_grow(&c->scratch, span->len);
    *out = (struct text){ c->scratch.data, json_span_unescape(&string, c->scratch.data, c->scratch.capacity) };
    return true;
}

static bool compare_number(const struct test *t, const struct json_span *span)
{
    struct json_number n;
    if (!json_number_read(span->s, span->len, &n))
        return false;
    if (t->constant.sort != SORT_NUMBER)
        return t->comparison == COMPARE_NE;
    return in_order(order_numbers(span, &n, &t->constant.number), t->comparison);
}

static bool compare_json(struct condition *c, const struct test *t, const struct json_span *span)
{
    const struct constant *k = &t->constant;
    bool unequal = t->comparison == COMPARE_NE, equality = unequal || t->comparison == COMPARE_EQ;
    struct text text = { span->s, span->len };
    if (span->kind == JSON_STRING && !characters(c, span, &text))
        return false;
    if (t->comparison == COMPARE_LIKE)
        return like(c, t->regex, text);
    switch (span->kind) {
    case JSON_STRING:
        return (k->sort == SORT_TEXT || equality) && compare_text(c, t, text);
    case JSON_NUMBER:
        return compare_number(t, span);
    case JSON_BOOL:
        return equality && (k->sort == SORT_BOOL && k->truth == (*span->s == 't')) != unequal;
    case JSON_NULL:
        return equality && (k->sort == SORT_NULL) != unequal;
    default:
        return unequal;
    }
}

/* A payload that is not there is JSON's null, as in events.jsonl. */
static bool find_payload(const struct record *r, const struct test *t, struct json_span *out)
{
    if (r->payload.len && t->probe)
        return json_probe_find(t->probe, r->payload.s, r->payload.len, out);
    if (r->payload.len)
        return json_find(r->payload.s, r->payload.len, NULL, 0, out);
    *out = (struct json_span){ .kind = JSON_NULL, .s = "null", .len = 4 };
    return t->steps == 0;
}

static const struct condition_node *node_of(struct asked *a)
{
    if (!a->node_known) {
        a->node_known = true;
        a->node = (struct condition_node){ .step_ns = -1 };
        if (a->nodes && a->r->src_node >= 0)
            a->nodes->look(a->nodes, a->r->src_node, &a->node);
    }
    return &a->node;
}

static struct text text_of(const char *s)
{
    return (struct text){ s, s ? strlen(s) : 0 };
}

/* A field that is a text; empty where it is not there. */
static struct text text_field(struct asked *a, enum field field)
{
    switch (field) {
    case FIELD_SRC:
        return a->r->src;
    case FIELD_DST:
        return a->r->dst;
    case FIELD_TYPE:
        return a->r->type;
    case FIELD_STATE:
        return a->r->state;
    case FIELD_CAUSE:
        return a->r->cause;
    case FIELD_NODE_STATE:
        return text_of(node_of(a)->state);
    case FIELD_KIND:
        return text_of(record_kind_name(a->r->kind));
    default:
        return (struct text){ 0 };
    }
}

static bool compare_payload(struct condition *c, const struct record *r, const struct test *t)
{
    struct json_span span;
    return find_payload(r, t, &span) && compare_json(c, t, &span);
}

/* Most that are asked about have a number there which is far off, or nothing. */
static bool compare_glancing(struct condition *c, const struct record *r, const struct test *t)
{
    if (!r->payload.len)
        return false;
    enum json_order order = json_probe_order(t->probe, r->payload.s, r->payload.len, &t->constant.number);
    if (order == JSON_UNSURE)
        return compare_payload(c, r, t);
    return order != JSON_NOT_THERE && in_order((int)order - JSON_SAME, t->comparison);
}

static bool compare(struct asked *a, const struct test *t)
{
    const struct record *r = a->r;
    int64_t ns, us;
    switch (t->field) {
    case FIELD_TIME:
        return compare_whole(t, r->t);
    case FIELD_LATENCY:
        return r->latency >= 0 && compare_whole(t, r->latency);
    case FIELD_SIZE:
        return compare_whole(t, (int64_t)r->size);
    case FIELD_ID:
        return compare_whole(t, (int64_t)r->id);
    case FIELD_STEP_TIME:
        ns = node_of(a)->step_ns;
        us = t->constant.number.whole;
        return ns >= 0 && in_order(ns / 1000 != us ? (ns / 1000 > us ? 1 : -1) : ns % 1000 > 0, t->comparison);
    case FIELD_PAYLOAD:
        return t->is_glancing ? compare_glancing(a->c, r, t) : compare_payload(a->c, r, t);
    default: {
        struct text text = text_field(a, t->field);
        return text.len && compare_text(a->c, t, text);
    }
    }
}

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
    const unsigned char *s = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ s[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t hash_begin(uint64_t kind)
{
    return hash(UINT64_C(14695981039346656037), &kind, sizeof kind);
}

/* Of the field's value, never 0; false where the record has none. Equal numbers are one value, however they are
 * written. */
static bool hash_value(struct asked *a, const struct test *t, uint64_t *out)
{
    struct json_span span;
    struct json_number n;
    struct text text;
    int64_t whole = t->field == FIELD_SIZE ? (int64_t)a->r->size : 0;
    if (t->field == FIELD_PAYLOAD) {
        if (!find_payload(a->r, t, &span))
            return false;
        text = (struct text){ span.s, span.len };
        *out = hash_begin(span.kind);
        if (span.kind == JSON_STRING && !characters(a->c, &span, &text))
            return false;
        if (span.kind == JSON_NUMBER && json_number_read(span.s, span.len, &n)) {
            if (n.is_near)
                json_number_exact(span.s, span.len, &n);
            n.value = n.value == 0 ? 0 : n.value;
            text = (struct text){ (const char *)&n.value, sizeof n.value };
        }
        *out = hash(*out, text.s, text.len) | 1;
        return true;
    }
    text = t->field == FIELD_SIZE ? (struct text){ (const char *)&whole, sizeof whole } : text_field(a, t->field);
    *out = hash(hash_begin(0), text.s, text.len) | 1;
    return text.len > 0;
}

static struct seen *find_seen(struct seen *places, size_t count, uint64_t source)
{
    size_t at = (size_t)(source >> 7) & (count - 1);
    while (places[at].source && places[at].source != source)
        at = (at + 1) & (count - 1);
    return &places[at];
}

static struct seen *place_of(struct test *t, uint64_t source)
{
    if (t->seen_count * 2 >= t->seen_places) {
        size_t count = t->seen_places ? 2 * t->seen_places : 64;
        struct seen *places = mem_array(count, sizeof *places);
        for (size_t i = 0; i < t->seen_places; i++)
            if (t->seen[i].source)
                *find_seen(places, count, t->seen[i].source) = t->seen[i];
        free(t->seen);
        t->seen = places;
        t->seen_places = count;
    }
    struct seen *place = find_seen(t->seen, t->seen_places, source);
    t->seen_count += !place->source;
    place->source = source;
    return place;
}

static bool has_field(struct asked *a, const struct test *t)
{
    struct json_span span;
    switch (t->field) {
    case FIELD_TIME:
    case FIELD_SIZE:
    case FIELD_ID:
        return true;
    case FIELD_LATENCY:
        return a->r->latency >= 0;
    case FIELD_STEP_TIME:
        return node_of(a)->step_ns >= 0;
    case FIELD_PAYLOAD:
        return find_payload(a->r, t, &span);
    default:
        return text_field(a, t->field).len > 0;
    }
}

static bool holds(struct asked *a, const struct test *t)
{
    if (!(t->kinds & 1u << a->r->kind))
        return false;
    struct json_span span;
    const struct test *part;
    switch (t->op) {
    case TEST_ALL:
        for (part = t->first; part; part = part->next)
            if (!holds(a, part))
                return false;
        return true;
    case TEST_ANY:
        for (part = t->first; part; part = part->next)
            if (holds(a, part))
                return true;
        return false;
    case TEST_NOT:
        return !holds(a, t->first);
    case TEST_COMPARE:
        return compare(a, t);
    case TEST_THERE:
        return find_payload(a->r, t, &span) && span.kind != JSON_NULL && !(span.kind == JSON_BOOL && *span.s == 'f');
    case TEST_COUNT:
        return compare_whole(t, (int64_t)t->count);
    case TEST_CHANGED:
        return t->count != 0;
    case TEST_FIELD:
        return has_field(a, t) && (!t->first || holds(a, t->first));
    }
    return false;
}

/* What count and changed remember; inner ones first. */
static void remember(struct asked *a)
{
    for (struct test *t = a->c->kept; t; t = t->next_kept) {
        uint64_t value;
        if (t->op == TEST_COUNT) {
            t->count += holds(a, t->first);
            continue;
        }
        t->count = 0;
        if (!(t->kinds & 1u << a->r->kind) || !hash_value(a, t, &value))
            continue;
        struct seen *last = place_of(t, hash(hash_begin(1), a->r->src.s, a->r->src.len) | 1);
        t->count = last->value && last->value != value;
        last->value = value;
    }
}

bool condition_matches(struct condition *c, const struct record *r, const struct condition_nodes *nodes)
{
    struct asked a;
    if (c->tree->is_glancing)
        return c->tree->kinds & 1u << r->kind && compare_glancing(c, r, c->tree);
    a.c = c;
    a.r = r;
    a.nodes = nodes;
    a.node_known = false;
    if (c->kept)
        remember(&a);
    return holds(&a, c->tree);
}

bool condition_excludes(const struct condition *c, struct text payload)
{
    const struct test *t = c->glance;
    if (!t)
        return false;
    if (!payload.len)
        return t->path->index == JSON_NO_INDEX;
    enum json_order order = json_probe_order(t->probe, payload.s, payload.len, &t->constant.number);
    if (order == JSON_NOT_THERE)
        return true;
    return t->is_glancing && order != JSON_UNSURE && !in_order((int)order - JSON_SAME, t->comparison);
}

/* Of a record that has the field. */
static void add_value(struct asked *a, const struct test *t, struct buffer *out)
{
    const struct record *r = a->r;
    char time[SIMTIME_TEXT];
    struct json_span span;
    struct text text;
    switch (t->field) {
    case FIELD_TIME:
    case FIELD_LATENCY:
        simtime_format(t->field == FIELD_TIME ? r->t : r->latency, time);
        buffer_text(out, time);
        return;
    case FIELD_SIZE:
    case FIELD_ID:
        buffer_format(out, "%llu", (unsigned long long)(t->field == FIELD_SIZE ? r->size : r->id));
        return;
    case FIELD_PAYLOAD:
        if (!find_payload(r, t, &span))
            return;
        text = (struct text){ span.s, span.len };
        if (span.kind != JSON_STRING || characters(a->c, &span, &text))
            buffer_add(out, text.s, text.len);
        return;
    default:
        text = text_field(a, t->field);
        buffer_add(out, text.s, text.len);
    }
}

bool condition_value(struct condition *field, const struct record *r, struct buffer *out)
{
    struct asked a = { .c = field, .r = r };
    if (!holds(&a, field->tree))
        return false;
    add_value(&a, field->tree, out);
    return true;
}

void condition_restart(struct condition *c)
{
    for (struct test *t = c->kept; t; t = t->next_kept) {
        t->count = 0;
        t->seen_count = 0;
        if (t->seen)
            memset(t->seen, 0, t->seen_places * sizeof *t->seen);
    }
}
