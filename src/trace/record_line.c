#include "trace/record_line.h"

#include <string.h>

#include "base/json_text.h"
#include "bus/bus.h"

#define IS(name, text) ((name)->len == sizeof text + 1 && memcmp((name)->s + 1, text, sizeof text - 1) == 0)

static bool take_kind(const struct json_span *value, enum record_kind *kind)
{
    for (int k = 0; k < RECORD_KINDS; k++) {
        const char *name = record_kind_name((enum record_kind)k);
        if (json_span_is(value, name, strlen(name))) {
            *kind = (enum record_kind)k;
            return true;
        }
    }
    return false;
}

static bool take_text(const struct json_span *value, struct text *out)
{
    if (value->kind != JSON_STRING || value->escapes)
        return false;
    *out = (struct text){ value->s + 1, value->len - 2 };
    return true;
}

static bool take_whole(const struct json_span *value, int64_t *out)
{
    return value->kind == JSON_NUMBER && json_span_whole(value, out) == 0;
}

static bool take_count(const struct json_span *value, uint64_t *out)
{
    int64_t whole = 0;
    if (!take_whole(value, &whole) || whole < 0)
        return false;
    *out = (uint64_t)whole;
    return true;
}

/* Keys that conditions do not ask for are left out: loss, and what the last record counts. */
static bool take_member(const struct json_span *name, const struct json_span *value, struct record *r)
{
    if (IS(name, "n"))
        return take_count(value, &r->n);
    if (IS(name, "t"))
        return take_whole(value, &r->t);
    if (IS(name, "kind"))
        return take_kind(value, &r->kind);
    if (IS(name, "id"))
        return take_count(value, &r->id);
    if (IS(name, "src") || IS(name, "node"))
        return take_text(value, &r->src);
    if (IS(name, "dst"))
        return take_text(value, &r->dst);
    if (IS(name, "type"))
        return take_text(value, &r->type);
    if (IS(name, "size"))
        return take_count(value, &r->size);
    if (IS(name, "due"))
        return take_whole(value, &r->due);
    if (IS(name, "latency"))
        return take_whole(value, &r->latency);
    if (IS(name, "cause") || IS(name, "reason") || IS(name, "text"))
        return take_text(value, &r->cause);
    if (IS(name, "state") || IS(name, "outcome"))
        return take_text(value, &r->state);
    if (IS(name, "payload"))
        r->payload = (struct text){ value->s, value->len };
    return true;
}

bool record_from_line(const char *line, size_t len, struct record *r)
{
    struct json_text t;
    *r = (struct record){ .src_node = -1, .dst_node = -1, .due = SIMTIME_NEVER, .latency = -1 };
    json_text_begin(&t, line, len);
    if (!json_text_open(&t))
        return false;
    for (;;) {
        struct json_span name, value;
        bool more;
        if (!json_text_item(&t, &name, &more))
            return false;
        if (!more)
            break;
        if (!json_text_value(&t, &value) || !take_member(&name, &value, r))
            return false;
        if (r->kind == RECORD_RUN && IS(&name, "kind"))
            return true; /* the rest may be long */
    }
    if (r->due != SIMTIME_NEVER && r->latency < 0)
        r->latency = r->due - r->t;
    return json_text_end(&t);
}
