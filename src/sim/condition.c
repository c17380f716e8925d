#include "lockstep/condition.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sim/condition_tree.h"

#define ALL_KINDS  ((1u << RECORD_KINDS) - 1)
#define KIND(name) (1u << RECORD_##name)
#define NODE_KINDS (KIND(MESSAGE) | KIND(LOCAL) | KIND(NODE) | KIND(LINK) | KIND(WARNING))

const struct field_row condition_fields[CONDITION_FIELDS] = {
    [FIELD_KIND] = { "kind", CLASS_KIND, ALL_KINDS, 0, 1 },
    [FIELD_TIME] = { "time", CLASS_TIME, ALL_KINDS, 0, 2 },
    [FIELD_LATENCY] = { "latency", CLASS_TIME, KIND(MESSAGE) | KIND(LINK), 0, 2 },
    [FIELD_SIZE] = { "size", CLASS_NUMBER, KIND(MESSAGE), 0, 2 },
    [FIELD_ID] = { "id", CLASS_NUMBER, KIND(MESSAGE) | KIND(DROP), 0, 2 },
    [FIELD_STEP_TIME] = { "node.step_time", CLASS_TIME, NODE_KINDS, CONDITION_NODE | CONDITION_WALL, 8 },
    [FIELD_SRC] = { "src", CLASS_TEXT, NODE_KINDS, 0, 3 },
    [FIELD_DST] = { "dst", CLASS_TEXT, KIND(MESSAGE) | KIND(LINK), 0, 3 },
    [FIELD_TYPE] = { "type", CLASS_TEXT, KIND(MESSAGE) | KIND(LOCAL), 0, 4 },
    [FIELD_STATE] = { "state", CLASS_TEXT, KIND(NODE) | KIND(END), 0, 3 },
    [FIELD_CAUSE] = { "cause", CLASS_TEXT,
                      KIND(DROP) | KIND(NODE) | KIND(LINK) | KIND(COMMAND) | KIND(WARNING) | KIND(END), 0, 3 },
    [FIELD_NODE_STATE] = { "node.state", CLASS_NODE_STATE, NODE_KINDS, CONDITION_NODE, 8 },
    [FIELD_PAYLOAD] = { "payload", CLASS_PAYLOAD, KIND(MESSAGE) | KIND(LOCAL), 0, 10 },
};

void condition_free_tree(struct test *t)
{
    while (t) {
        struct test *next = t->next;
        condition_free_tree(t->first);
        if (t->regex)
            regfree(t->regex);
        free(t->regex);
        json_probe_free(t->probe);
        free(t->path);
        free(t->seen);
        free(t);
        t = next;
    }
}

void condition_free(struct condition *c)
{
    if (!c)
        return;
    condition_free_tree(c->tree);
    buffer_free(&c->scratch);
    free(c->words);
    free(c->text);
    free(c);
}

const char *condition_text(const struct condition *c)
{
    return c->text;
}

unsigned condition_needs(const struct condition *c)
{
    return c->needs;
}

/* The one text that the field must be where the test holds, or NULL. */
static const char *required(const struct test *t, enum field field)
{
    if (t->op == TEST_COMPARE && t->field == field && t->comparison == COMPARE_EQ)
        return t->constant.text.s;
    const char *text = NULL;
    if (t->op == TEST_ALL || t->op == TEST_FIELD)
        for (const struct test *part = t->first; part && !text; part = part->next)
            text = required(part, field);
    return text;
}

/* Takes what the test leaves out of the time between. */
static void narrow(const struct test *t, simtime *from, simtime *until)
{
    if (t->op == TEST_ALL || t->op == TEST_FIELD)
        for (const struct test *part = t->first; part; part = part->next)
            narrow(part, from, until);
    if (t->op != TEST_COMPARE || t->field != FIELD_TIME || t->comparison == COMPARE_NE)
        return;
    simtime time = t->constant.number.whole;
    bool upper = t->comparison == COMPARE_LT || t->comparison == COMPARE_LE || t->comparison == COMPARE_EQ;
    bool lower = t->comparison == COMPARE_GT || t->comparison == COMPARE_GE || t->comparison == COMPARE_EQ;
    if (upper && time < *until)
        *until = time;
    if (lower && time > *from)
        *from = time;
}

static struct payload_member member_of(const struct test *t)
{
    struct payload_member m = { .key = { t->path->key, t->path->len },
                                .low = -INFINITY,
                                .high = INFINITY,
                                .others_count = !t->is_glancing || t->steps > 1 || t->comparison == COMPARE_EQ ||
                                                t->comparison == COMPARE_NE || t->comparison == COMPARE_LIKE };
    if (!t->is_glancing || t->steps > 1)
        return m;
    if (t->comparison == COMPARE_GT || t->comparison == COMPARE_GE || t->comparison == COMPARE_EQ)
        m.low = t->constant.number.value;
    if (t->comparison == COMPARE_LT || t->comparison == COMPARE_LE || t->comparison == COMPARE_EQ)
        m.high = t->constant.number.value;
    return m;
}

struct condition_scope condition_scope(const struct condition *c)
{
    struct condition_scope scope = { .kinds = ALL_KINDS, .until = SIMTIME_NEVER };
    if (c->needs & CONDITION_HISTORY)
        return scope;
    scope.kinds = c->tree->kinds;
    scope.src = required(c->tree, FIELD_SRC);
    scope.dst = required(c->tree, FIELD_DST);
    scope.type = required(c->tree, FIELD_TYPE);
    scope.kind = required(c->tree, FIELD_KIND);
    narrow(c->tree, &scope.from, &scope.until);
    if (c->glance)
        scope.member = member_of(c->glance);
    return scope;
}
