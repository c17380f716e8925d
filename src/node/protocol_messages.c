#include "node/protocol_messages.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/utf8.h"

#define TYPE_MAX     256 /* bytes of a message's type, and of a destination */
#define WARNINGS_MAX 20  /* of one answer; more are counted */
#define WARNING_TEXT 40  /* characters of a text of the node in a warning */

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        literal, sizeof literal - 1                                                                                    \
    }

const struct text message_keys[][MESSAGE_KEYS] = {
    [DIALECT_NODE] = { TEXT("time_us"), TEXT("type"), TEXT("src"), TEXT("dst"), TEXT("payload"), TEXT("size_bytes") },
    [DIALECT_SERVICE] = { TEXT("timestamp_us"),
                          TEXT("event_type"),
                          TEXT("source"),
                          TEXT("destination"),
                          TEXT("payload"),
                          { NULL, 0 } },
};

/* A line while it is read. */
struct reader {
    const struct protocol *p;
    struct node *n;
    const struct text *keys;
    struct json_text json;
    size_t number; /* of the message, from 1 */
    size_t warnings;
    struct error *err;
};

/* A message as the node wrote it; an absent field has no length. */
struct draft {
    struct json_span fields[MESSAGE_KEYS];
    bool other_dialect; /* its time has the name that the other dialect gives it */
};

/* A message's strings, unescaped. */
struct words {
    size_t type_len, dst_len;
    char type[TYPE_MAX], dst[TYPE_MAX + 1]; /* dst: NUL-terminated */
};

struct excerpt excerpt_of(struct text t, size_t at, size_t most)
{
    struct excerpt e;
    struct buffer safe = { 0 };
    size_t begin = at > most * 3 / 4 ? at - most / 2 : 0, end;
    for (int i = 0; i < 3 && begin < t.len && begin > 0 && ((unsigned char)t.s[begin] & 0xc0) == 0x80; i++)
        begin++;
    end = begin;
    for (size_t i = 0; i < most && end < t.len; i++) {
        uint32_t c;
        size_t n = utf8_decode(t.s + end, t.len - end, &c);
        end += n ? n : 1;
    }
    if (begin)
        buffer_text(&safe, "…");
    utf8_escape(&safe, t.s + begin, end - begin);
    if (end < t.len)
        buffer_text(&safe, "…");
    memcpy(e.text, buffer_string(&safe), safe.len + 1);
    buffer_free(&safe);
    return e;
}

static struct text text_of(const struct json_span *span)
{
    return (struct text){ span->s, span->len };
}

/* As a JSON value it is all shown; a string's quotes are part of it. */
static struct excerpt value_of(const struct json_span *span)
{
    return excerpt_of(text_of(span), 0, EXCERPT_MOST);
}

static void warn(struct reader *r, const struct words *w, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);
static void warn(struct reader *r, const struct words *w, const char *fmt, ...)
{
    char text[2 * sizeof(struct excerpt)];
    if (++r->warnings > WARNINGS_MAX)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct excerpt type = excerpt_of((struct text){ w->type, w->type_len }, 0, WARNING_TEXT);
    buffer_format(&r->n->answer.warnings, "the answer's message %zu (%s): %s\n", r->number, type.text, text);
}

static int fail_json(struct reader *r, struct text line)
{
    size_t at = (size_t)(r->json.at - r->json.begin);
    error_set(r->err, EXIT_RUN_FAILED,
              "line 2 of the answer to ADVANCE %" PRId64 " is not JSON: %s, at column %zu: \"%s\"", r->p->until,
              r->json.why, json_text_column(&r->json), excerpt_of(line, at, EXCERPT_MOST).text);
    return -1;
}

static void tell_time_missing(struct reader *r, bool other_dialect)
{
    bool service = r->n->spec->dialect == DIALECT_SERVICE;
    const char *key = r->keys[KEY_TIME].s, *other = message_keys[service ? DIALECT_NODE : DIALECT_SERVICE][KEY_TIME].s;
    if (other_dialect)
        error_set(r->err, EXIT_RUN_FAILED,
                  "message %zu: no %s, but %s: it looks like dialect %s: set `dialect: %s` in the node", r->number, key,
                  other, service ? "node" : "service", service ? "node" : "service");
    else
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: no %s", r->number, key);
}

/* Reads the object that comes next. False: it is no JSON. */
static bool read_draft(struct reader *r, struct draft *d)
{
    const struct text *other =
        &message_keys[r->n->spec->dialect == DIALECT_NODE ? DIALECT_SERVICE : DIALECT_NODE][KEY_TIME];
    struct json_span name, value;
    bool more;
    *d = (struct draft){ 0 };
    if (!json_text_open(&r->json))
        return false;
    for (;;) {
        if (!json_text_item(&r->json, &name, &more))
            return false;
        if (!more)
            return true;
        if (!json_text_value(&r->json, &value))
            return false;
        for (int key = 0; key < MESSAGE_KEYS; key++)
            if (r->keys[key].s && json_span_is(&name, r->keys[key].s, r->keys[key].len))
                d->fields[key] = value; /* the last one counts */
        d->other_dialect |= json_span_is(&name, other->s, other->len);
    }
}

static bool is_given(const struct json_span *field)
{
    return field->len && field->kind != JSON_NULL;
}

/* Sees that what is required is there, and unescapes the type and the destination. */
static int read_words(struct reader *r, const struct draft *d, struct words *w)
{
    const struct json_span *type = &d->fields[KEY_TYPE], *dst = &d->fields[KEY_DST];
    const char *type_key = r->keys[KEY_TYPE].s, *dst_key = r->keys[KEY_DST].s;
    w->type_len = w->dst_len = 0;
    if (!d->fields[KEY_TIME].len) {
        tell_time_missing(r, d->other_dialect);
    } else if (!type->len) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: no %s", r->number, type_key);
    } else if (type->kind != JSON_STRING) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s is no string: %s", r->number, type_key,
                  value_of(type).text);
    } else if ((w->type_len = json_span_unescape(type, w->type, TYPE_MAX)) == SIZE_MAX) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s has more than %d bytes: %s", r->number, type_key, TYPE_MAX,
                  value_of(type).text);
    } else if (is_given(dst) && dst->kind != JSON_STRING) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s is no string and not null: %s", r->number, dst_key,
                  value_of(dst).text);
    } else if (is_given(dst) && (w->dst_len = json_span_unescape(dst, w->dst, TYPE_MAX)) == SIZE_MAX) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s has more than %d bytes: %s", r->number, dst_key, TYPE_MAX,
                  value_of(dst).text);
    } else {
        w->dst[w->dst_len] = '\0';
        return 0;
    }
    return -1;
}

/* That the time is not in the quantum: the time as the node wrote it, in words where it is a plain number. */
static void warn_of_time(struct reader *r, const struct words *w, const struct json_span *given, const char *where,
                         simtime bound, const char *what, simtime taken)
{
    char bound_text[SIMTIME_TEXT], taken_text[SIMTIME_TEXT], time[SIMTIME_TEXT];
    struct excerpt written = excerpt_of(text_of(given), 0, WARNING_TEXT);
    simtime value;
    bool plain = given->len <= 15 && strspn(written.text, "0123456789") == given->len;
    simtime_format(bound, bound_text);
    simtime_format(taken, taken_text);
    if (plain && json_span_whole(given, &value) == 0)
        simtime_format(value, time);
    warn(r, w, "its time %s%s %s %s, the %s; taken as %s", plain ? time : written.text, plain ? "" : "us", where,
         bound_text, what, taken_text);
}

static int read_time(struct reader *r, const struct draft *d, const struct words *w, simtime *time)
{
    const struct json_span *given = &d->fields[KEY_TIME];
    const struct protocol *p = r->p;
    if (given->kind != JSON_NUMBER || json_span_whole(given, time) < 0) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s is no whole number of microseconds: %s", r->number,
                  r->keys[KEY_TIME].s, value_of(given).text);
        return -1;
    }
    if (*time < p->earliest) {
        warn_of_time(r, w, given, "lies before", p->earliest,
                     p->earliest < p->from ? "time of the first message given to it" : "start of its quantum",
                     p->earliest);
        *time = p->earliest;
    } else if (*time >= p->until) {
        warn_of_time(r, w, given, "is not before", p->until, "end of its quantum", p->until - 1);
        *time = p->until - 1;
    }
    return 0;
}

static int read_size(struct reader *r, const struct draft *d, size_t payload, uint32_t *size)
{
    const struct json_span *given = &d->fields[KEY_SIZE];
    int64_t whole = (int64_t)payload;
    if (is_given(given) && (given->kind != JSON_NUMBER || json_span_whole(given, &whole) < 0 || whole < 0 ||
                            whole > (int64_t)UINT32_MAX)) {
        error_set(r->err, EXIT_RUN_FAILED, "message %zu: %s is no whole number from 0 to %" PRIu32 ": %s", r->number,
                  r->keys[KEY_SIZE].s, UINT32_MAX, value_of(given).text);
        return -1;
    }
    *size = (uint32_t)whole;
    return 0;
}

static void check_source(struct reader *r, const struct draft *d, const struct words *w)
{
    const struct json_span *src = &d->fields[KEY_SRC];
    const char *id = r->n->spec->id;
    if (!is_given(src) || (src->kind == JSON_STRING && json_span_is(src, id, strlen(id))))
        return;
    struct text shown = text_of(src);
    if (src->kind == JSON_STRING)
        shown = (struct text){ src->s + 1, src->len - 2 };
    warn(r, w, "%s '%s' is not this node; taken as its own", r->keys[KEY_SRC].s,
         excerpt_of(shown, 0, WARNING_TEXT).text);
}

static int find_destination(const struct reader *r, const struct draft *d, const struct words *w)
{
    if (!is_given(&d->fields[KEY_DST]))
        return DESTINATION_NONE;
    if (w->dst_len == 1 && *w->dst == '*')
        return DESTINATION_ALL;
    int found = strlen(w->dst) == w->dst_len ? scenario_find_node(r->n->scenario, w->dst) : -1;
    return found >= 0 ? found : DESTINATION_UNKNOWN;
}

static int add_message(struct reader *r, const struct draft *d)
{
    struct words w;
    simtime time;
    uint32_t size;
    const struct json_span *payload = &d->fields[KEY_PAYLOAD];
    size_t payload_room = is_given(payload) ? payload->len : 0;
    if (read_words(r, d, &w) < 0 || read_time(r, d, &w, &time) < 0)
        return -1;
    check_source(r, d, &w);
    int dst = find_destination(r, d, &w);
    size_t dst_room = dst == DESTINATION_UNKNOWN ? w.dst_len : 0;
    struct message *m = message_new(r->n->pool, w.type_len + dst_room + payload_room);
    char *at = m->text;
    m->time = m->origin = time;
    m->src = r->n->index;
    m->dst = dst;
    memcpy(at, w.type, w.type_len);
    m->type = (struct text){ at, w.type_len };
    at += w.type_len;
    memcpy(at, w.dst, dst_room);
    if (dst == DESTINATION_UNKNOWN)
        m->unknown_dst = (struct text){ at, dst_room };
    at += dst_room;
    if (payload_room)
        m->payload = (struct text){ at, json_span_compact(payload, at) };
    if (read_size(r, d, m->payload.len, &size) < 0) {
        message_free(m);
        return -1;
    }
    m->size = size;
    message_list_add(&r->n->answer.sent, m);
    return 0;
}

/* A message as it comes, or behind the limit: only counted. */
static int take_item(struct reader *r, struct text line)
{
    struct draft d;
    struct json_span other;
    if (r->number > PROTOCOL_MESSAGES_MAX)
        return json_text_value(&r->json, &other) ? 0 : fail_json(r, line);
    if (json_text_kind(&r->json) == JSON_OBJECT)
        return read_draft(r, &d) ? add_message(r, &d) : fail_json(r, line);
    if (!json_text_value(&r->json, &other))
        return fail_json(r, line);
    error_set(r->err, EXIT_RUN_FAILED, "message %zu is no object: %s", r->number, value_of(&other).text);
    return -1;
}

/* With commas between thousands; below a thousand million. */
static void write_count(char out[16], size_t v)
{
    if (v >= 1000000)
        snprintf(out, 16, "%zu,%03zu,%03zu", v / 1000000 % 1000, v / 1000 % 1000, v % 1000);
    else
        snprintf(out, 16, "%zu,%03zu", v / 1000, v % 1000);
}

static int take_items(struct reader *r, struct text line)
{
    for (bool more = true; more;) {
        if (!json_text_item(&r->json, NULL, &more))
            return fail_json(r, line);
        r->number += more;
        if (more && take_item(r, line) < 0)
            return -1;
    }
    if (!json_text_end(&r->json))
        return fail_json(r, line);
    if (r->number <= PROTOCOL_MESSAGES_MAX)
        return 0;
    char count[16], most[16];
    write_count(count, r->number);
    write_count(most, PROTOCOL_MESSAGES_MAX);
    error_set(r->err, EXIT_RUN_FAILED, "%s messages in one answer; at most %s", count, most);
    return -1;
}

/* The line as a whole: an array. */
static int take_array(struct reader *r, struct text line)
{
    struct json_span value;
    json_text_begin(&r->json, line.s, line.len);
    enum json_kind kind = json_text_kind(&r->json);
    if (r->json.at == r->json.end) {
        error_set(r->err, EXIT_RUN_FAILED,
                  "line 2 of the answer to ADVANCE %" PRId64
                  " is empty; its messages were expected, as [] where there are none",
                  r->p->until);
        return -1;
    }
    if (kind == JSON_ARRAY)
        return json_text_open(&r->json) ? take_items(r, line) : fail_json(r, line);
    if (!json_text_value(&r->json, &value) || !json_text_end(&r->json))
        return fail_json(r, line);
    error_set(r->err, EXIT_RUN_FAILED,
              "line 2 of the answer to ADVANCE %" PRId64 " is no array; its messages were expected in one: \"%s\"",
              r->p->until, excerpt_of(line, 0, EXCERPT_MOST).text);
    return -1;
}

int protocol_take_messages(const struct protocol *p, struct node *n, struct text line, struct error *err)
{
    struct reader r = { .p = p, .n = n, .keys = message_keys[n->spec->dialect], .err = err };
    struct message_list *sent = &n->answer.sent;
    size_t before = sent->count;
    int result = take_array(&r, line);
    if (r.warnings > WARNINGS_MAX)
        buffer_format(&n->answer.warnings, "and %zu more\n", r.warnings - WARNINGS_MAX);
    if (result == 0)
        return 0;
    while (sent->count > before)
        message_free(sent->items[--sent->count]);
    return -1;
}
