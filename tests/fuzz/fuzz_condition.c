/* libFuzzer entry for conditions: the first line is a condition, or a field to watch, the rest a record's payload, of
 * whatever bytes. Nothing may crash or take long; a message names a column that is there; what a record is said to be
 * out of scope for does not hold for it; ! turns around; and what is completed begins within the text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_text.h"
#include "base/memory.h"
#include "lockstep/condition_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : give_up(#condition, __LINE__))

static void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: this does not hold: %s\n", line, what);
    abort();
}

static void look(const struct condition_nodes *nodes, int node, struct condition_node *out)
{
    (void)nodes;
    *out = (struct condition_node){ "idle", node * 1000 };
}

/* As it stands in a line. */
static bool is_excluded(const struct condition *c, const struct record *r)
{
    struct json_text t;
    struct json_span value;
    json_text_begin(&t, r->payload.s, r->payload.len);
    if (!json_text_value(&t, &value) || !json_text_end(&t))
        return false;
    struct buffer line = { 0 };
    buffer_add(&line, value.s, value.kind == JSON_OBJECT ? value.len : 0);
    buffer_text(&line, value.kind == JSON_OBJECT ? ",\"due\":5}" : "");
    bool excluded = condition_excludes(c, (struct text){ line.data, line.len });
    buffer_free(&line);
    return excluded && (value.kind != JSON_ARRAY || !memchr(value.s, '{', value.len));
}

static void ask(struct condition *c, struct condition *turned, const struct record *r)
{
    static const struct condition_nodes nodes = { look };
    struct condition_scope scope = condition_scope(c);
    bool holds = condition_matches(c, r, &nodes);
    MUST(!holds || (condition_needs(c) & CONDITION_HISTORY) || scope.kinds & 1u << r->kind);
    MUST(!holds || !scope.src || (strlen(scope.src) == r->src.len && !memcmp(scope.src, r->src.s, r->src.len)));
    MUST(!holds || !is_excluded(c, r));
    if (turned)
        MUST(condition_matches(turned, r, &nodes) == !holds);
}

/* A value is there where the record is said to have one. */
static void read_value(struct condition *field, const struct record *r)
{
    struct buffer value = { 0 };
    bool has = condition_value(field, r, &value);
    MUST(has == condition_matches(field, r, NULL) && (has || !value.len));
    buffer_free(&value);
}

static void complete(const char *text)
{
    char hint[CONDITION_HINT];
    for (size_t len = strlen(text), at = 0; at <= len && at < 64; at++) {
        struct condition_spot spot = condition_spot(text, at);
        MUST(spot.from <= at && spot.path <= at);
        MUST(!spot.field == (spot.place != CONDITION_AT_OPERATOR && spot.place != CONDITION_AT_VALUE));
        MUST(condition_word(&spot, 0, 0) || spot.place != CONDITION_AT_FIELD);
    }
    condition_text_hint(text, hint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *newline = size ? memchr(text, '\n', size) : NULL;
    struct condition_error err;
    if (!newline)
        return 0;
    char *first = mem_text_n(text, (size_t)(newline - text)), turned_text[CONDITION_TEXT_MAX + 10];
    struct condition *c = condition_parse(first, &err), *turned = NULL;
    MUST(!c == !!err.column && err.column <= strlen(first) + 1);
    complete(first);
    struct condition *field = condition_parse_field(first, &err);
    MUST(!field == !!err.column && err.column <= strlen(first) + 1);
    size_t len = size - (size_t)(newline + 1 - text);
    char *payload = mem_text_n(newline + 1, len);
    if (c && strlen(first) < CONDITION_TEXT_MAX - 3) {
        snprintf(turned_text, sizeof turned_text, "!(%s)", first);
        turned = condition_parse(turned_text, &err); /* NULL: one level too deep */
    }
    for (int kind = 0; (c || field) && kind < RECORD_KINDS; kind++) {
        struct record r = { .kind = (enum record_kind)kind,
                            .t = 2500000,
                            .src_node = 3,
                            .dst_node = -1,
                            .src = { "sensor1", 7 },
                            .type = { "TRANSMIT", 8 },
                            .payload = { payload, len },
                            .latency = 10000 };
        if (c)
            ask(c, turned, &r);
        if (field)
            ask(field, NULL, &r);
        if (field)
            read_value(field, &r);
    }
    condition_free(field);
    condition_free(turned);
    condition_free(c);
    free(payload);
    free(first);
    return 0;
}
