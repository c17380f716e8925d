/* A field with a condition: the parser. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/condition_parser.h"

static const char where[] = "where";

static bool is_where(const char *at)
{
    size_t len = strlen(where);
    return !strncmp(at, where, len) && (!at[len] || strchr(" \t\n\r(!", at[len]));
}

static bool refuse_rest(struct parser *p)
{
    struct shown found = parser_shown(p->at);
    struct hint h = { .word = found.text };
    hint_consider(&h, where, where);
    return parser_fail(p, p->at, "expected 'where' or the end, not '%s'%s", found.text,
                       h.best ? hint_text(&h).text : "");
}

static bool take_where(struct parser *p, struct test *t)
{
    parser_blanks(p);
    if (!*p->at)
        return true;
    if (!is_where(p->at))
        return refuse_rest(p);
    p->at += strlen(where);
    p->after = where;
    parser_blanks(p);
    const char *at = p->at;
    t->first = parser_condition(p);
    if (!t->first)
        return false;
    t->kinds &= t->first->kinds;
    if (p->c->needs & CONDITION_HISTORY)
        return parser_fail(p, at, "count and changed go by what was before: they are for breakpoints only");
    return !p->c->needs || parser_fail(p, at, "what a node was like is not recorded: node.… is for breakpoints only");
}

static struct test *parse_field(struct parser *p)
{
    struct test *t = mem_alloc(sizeof *t);
    t->op = TEST_FIELD;
    parser_blanks(p);
    const char *at = p->at;
    bool good = *at || parser_fail(p, at, "expected a field, for example payload.temperature");
    good = good && parser_field(p, t);
    if (good && p->c->needs)
        good = parser_fail(p, at, "what a node was like is not recorded: there is state, of what is told of nodes");
    if (good && take_where(p, t))
        return t;
    condition_free_tree(t);
    return NULL;
}

struct condition *condition_parse_field(const char *text, struct condition_error *err)
{
    return parser_run(text, err, parse_field);
}
