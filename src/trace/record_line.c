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

/* A place in a line that is read as events.c writes it: key after key, without a look at what JSON it is. */
struct place {
    const char *at, *end;
};

static inline bool expect(struct place *p, const char *text, size_t len)
{
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, text, len) != 0)
        return false;
    p->at += len;
    return true;
}
#define EXPECT(p, text) expect(p, text, sizeof text - 1)

static inline bool expect_number(struct place *p, uint64_t *out)
{
    const char *first = p->at;
    for (*out = 0; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        *out = *out * 10 + (uint64_t)(*p->at - '0');
    return p->at > first && p->at - first <= 18;
}

static inline bool expect_text(struct place *p, struct text *out)
{
    *out = (struct text){ .s = p->at };
    for (; p->at < p->end && *p->at != '"'; p->at++)
        if (*p->at == '\\')
            return false;
    out->len = (size_t)(p->at - out->s);
    return p->at++ < p->end;
}

/* The rest of the line is the payload, and `,"due":N}` or `}`. No payload that is JSON ends in what could be taken for
 * that. */
static bool expect_payload(struct place *p, struct record *r)
{
    static const char due[] = ",\"due\":";
    const char *end = p->end - 1, *digits = end;
    if (!EXPECT(p, ",\"payload\":") || p->at >= end || *end != '}')
        return false;
    while (digits > p->at && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    const char *key = digits - (sizeof due - 1);
    if (digits < end && key > p->at && memcmp(key, due, sizeof due - 1) == 0) {
        struct place number = { digits, end };
        uint64_t value;
        if (!expect_number(&number, &value))
            return false;
        r->due = (simtime)value;
        r->latency = r->due - r->t;
        end = key;
    }
    r->payload = (struct text){ p->at, (size_t)(end - p->at) };
    return true;
}

/* What most lines are. False: it is another one, or not as it was written. */
static bool read_as_written(const char *line, size_t len, struct record *r)
{
    struct place p = { line, line + len };
    uint64_t t;
    if (!EXPECT(&p, "{\"n\":") || !expect_number(&p, &r->n) || !EXPECT(&p, ",\"t\":") || !expect_number(&p, &t))
        return false;
    r->t = (simtime)t;
    if (EXPECT(&p, ",\"kind\":\"message\",\"id\":")) {
        r->kind = RECORD_MESSAGE;
        return expect_number(&p, &r->id) && EXPECT(&p, ",\"src\":\"") && expect_text(&p, &r->src) &&
               EXPECT(&p, ",\"dst\":\"") && expect_text(&p, &r->dst) && EXPECT(&p, ",\"type\":\"") &&
               expect_text(&p, &r->type) && EXPECT(&p, ",\"size\":") && expect_number(&p, &r->size) &&
               expect_payload(&p, r);
    }
    r->kind = RECORD_LOCAL;
    return EXPECT(&p, ",\"kind\":\"local\",\"src\":\"") && expect_text(&p, &r->src) && EXPECT(&p, ",\"type\":\"") &&
           expect_text(&p, &r->type) && expect_payload(&p, r);
}

static void clear(struct record *r)
{
    *r = (struct record){ .src_node = -1, .dst_node = -1, .due = SIMTIME_NEVER, .latency = -1 };
}

bool record_from_line(const char *line, size_t len, struct record *r)
{
    struct json_text t;
    clear(r);
    if (read_as_written(line, len, r))
        return true;
    clear(r);
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

/* Before the payload no line has an object. No text in a line holds the key as it stands here, with plain quotes. */
bool record_line_payload(const char *line, size_t len, struct text *out)
{
    static const char key[] = ",\"payload\":";
    const size_t key_len = sizeof key - 1;
    const char *object = len ? memchr(line + 1, '{', len - 1) : NULL;
    *out = (struct text){ 0 };
    if (!object)
        return true;
    if ((size_t)(object - line) < key_len || memcmp(object - key_len, key, key_len) != 0)
        return false;
    *out = (struct text){ object, (size_t)(line + len - object) };
    return true;
}
