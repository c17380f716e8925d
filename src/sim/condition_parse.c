/* The parser: recursive descent, one function per rule of the grammar. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "bus/bus.h"
#include "sim/condition_parser.h"

#define DEPTH_MAX   32   /* of parentheses and ! */
#define REPEATS_MAX 1000 /* of a regular expression, all its bounds multiplied: regcomp takes memory for each */
#define ALL_KINDS   ((1u << RECORD_KINDS) - 1)

const struct operator_row condition_operators[CONDITION_OPERATORS] = { { "==", COMPARE_EQ },   { "!=", COMPARE_NE },
                                                                       { "<=", COMPARE_LE },   { ">=", COMPARE_GE },
                                                                       { "=~", COMPARE_LIKE }, { "<", COMPARE_LT },
                                                                       { ">", COMPARE_GT } };

const char *const condition_node_states[CONDITION_NODE_STATES] = { "loaded", "starting", "idle",   "busy",  "paused",
                                                                   "ending", "finished", "failed", "frozen" };

bool parser_fail(struct parser *p, const char *at, const char *fmt, ...)
{
    char text[400];
    va_list args;
    if (p->err->column)
        return false;
    p->err->column = 1;
    for (const char *s = p->c->text; s < at; s++)
        p->err->column += ((unsigned char)*s & 0xc0) != 0x80;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct error whole = { 0 };
    error_set(&whole, EXIT_USAGE, "column %zu: %s", p->err->column, text);
    snprintf(p->err->text, sizeof p->err->text, "%.*s", (int)sizeof p->err->text - 1, whole.text);
    return false;
}

bool parser_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool parser_ends_word(char c)
{
    return !c || parser_is_blank(c) || strchr("=!<>&|()\"'", c);
}

void parser_blanks(struct parser *p)
{
    while (parser_is_blank(*p->at))
        p->at++;
}

static bool accept(struct parser *p, const char *sign)
{
    size_t len = strlen(sign);
    parser_blanks(p);
    if (strncmp(p->at, sign, len))
        return false;
    p->at += len;
    return true;
}

/* What stands at the place, for a message: a word, or a sign. */
struct shown parser_shown(const char *at)
{
    size_t len = 0;
    while (!parser_ends_word(at[len]))
        len++;
    char word[100];
    snprintf(word, sizeof word, "%.*s", (int)(len ? len : 1), at);
    return shown(word);
}

static struct text keep_word(struct parser *p, const char *s, size_t len)
{
    struct text word = { p->word_end, len };
    memcpy(p->word_end, s, len);
    p->word_end[len] = '\0';
    p->word_end += len + 1;
    return word;
}

static bool take_quoted(struct parser *p, struct text *out)
{
    const char *open = p->at++;
    out->s = p->word_end;
    for (; *p->at != *open; p->at++) {
        if (*p->at == '\\' && (p->at[1] == *open || p->at[1] == '\\'))
            p->at++;
        if (!*p->at)
            return parser_fail(p, open, "this quote has no end");
        *p->word_end++ = *p->at;
    }
    p->at++;
    out->len = (size_t)(p->word_end - out->s);
    *p->word_end++ = '\0';
    return true;
}

/* A word or a quoted text; nothing where there is neither. */
static bool take_word(struct parser *p, const char *stop, struct text *out, bool *quoted)
{
    *quoted = *p->at == '"' || *p->at == '\'';
    if (*quoted)
        return take_quoted(p, out);
    const char *s = p->at;
    while (!parser_ends_word(*p->at) && !strchr(stop, *p->at))
        p->at++;
    *out = keep_word(p, s, (size_t)(p->at - s));
    return true;
}

static bool refuse_field(struct parser *p, const char *at, const char *name)
{
    struct hint h = { .word = name };
    for (int i = 0; i < CONDITION_FIELDS; i++)
        hint_consider(&h, condition_fields[i].name, condition_fields[i].name);
    hint_consider(&h, "changed", "changed(…)");
    hint_consider(&h, "count", "count(…)");
    if (h.best)
        return parser_fail(p, at, "unknown field '%s'%s", shown(name).text, hint_text(&h).text);
    return parser_fail(p, at,
                       "unknown field '%s'; there are kind, time, id, src, dst, type, size, latency, state, cause, "
                       "payload.KEY, node.state and node.step_time",
                       shown(name).text);
}

static bool take_path(struct parser *p, struct test *t)
{
    size_t room = 0;
    while (*p->at == '.') {
        struct text key;
        bool quoted;
        const char *at = ++p->at;
        if (!take_word(p, ".", &key, &quoted))
            return false;
        if (!key.len && !quoted)
            return parser_fail(p, at, "expected a key after '.'");
        t->path = mem_grow(t->path, t->steps, &room, sizeof *t->path);
        t->path[t->steps++] = json_step(key.s, key.len);
    }
    t->probe = t->steps ? json_probe_new(t->path, t->steps) : NULL;
    t->cost += (int)t->steps;
    return true;
}

/* Where a condition should begin and no field does. */
static bool refuse_start(struct parser *p, const char *at)
{
    if (!*at && !p->after)
        return parser_fail(p, at, "expected a condition, for example type == TRANSMIT && payload.temperature > 25");
    if (*at == '"' || *at == '\'')
        return parser_fail(p, at, "expected a field, not a text in quotes");
    char found[20] = "";
    if (*at)
        snprintf(found, sizeof found, ", not '%c'", *at);
    return parser_fail(p, at, "expected a condition%s%s%s%s", p->after ? " after '" : "", p->after ? p->after : "",
                       p->after ? "'" : "", found);
}

bool parser_field(struct parser *p, struct test *t)
{
    parser_blanks(p);
    const char *at = p->at;
    size_t len = 0, payload = strlen("payload");
    while (!parser_ends_word(at[len]))
        len++;
    if (!len)
        return refuse_start(p, at);
    char *name = mem_text_n(at, len);
    t->field = FIELD_PAYLOAD;
    bool is_payload = !strncmp(at, "payload", payload) && (len == payload || at[payload] == '.');
    for (int i = 0; i < CONDITION_FIELDS && !is_payload; i++)
        if (!strcmp(name, condition_fields[i].name))
            t->field = (enum field)i;
    bool good = is_payload || t->field != FIELD_PAYLOAD || refuse_field(p, at, name);
    free(name);
    if (!good)
        return false;
    const struct field_row *row = &condition_fields[t->field];
    p->at += is_payload ? payload : len;
    p->c->needs |= row->needs;
    t->kinds = row->kinds;
    t->cost = row->cost;
    return !is_payload || take_path(p, t);
}

/* Bounds that would make regcomp take memory without end, and back-references, which POSIX does not have here and which
 * can take for ever. */
static bool check_regex(struct parser *p, const char *at, const char *regex)
{
    unsigned long repeats = 1;
    for (const char *s = regex; *s; s++) {
        if (*s == '\\' && s[1]) {
            if (*++s >= '1' && *s <= '9')
                return parser_fail(p, at, "an extended regular expression has no back-references (\\%c)", *s);
        } else if (*s == '{') {
            unsigned long low = strtoul(s + 1, NULL, 10);
            const char *end = strchr(s, '}'), *comma = end ? memchr(s, ',', (size_t)(end - s)) : NULL;
            unsigned long high = comma ? strtoul(comma + 1, NULL, 10) : 0, most = low > high ? low : high;
            repeats = most > REPEATS_MAX ? most : repeats * (most ? most : 1);
            if (repeats > REPEATS_MAX)
                return parser_fail(p, at, "the regular expression repeats more than %d times", REPEATS_MAX);
        }
    }
    return true;
}

static bool compile_regex(struct parser *p, const char *at, struct test *t)
{
    char why[120];
    if (!check_regex(p, at, t->constant.text.s))
        return false;
    t->regex = mem_alloc(sizeof *t->regex);
    int result = regcomp(t->regex, t->constant.text.s, REG_EXTENDED | REG_NOSUB);
    t->cost += 20;
    if (!result)
        return true;
    regerror(result, t->regex, why, sizeof why);
    free(t->regex);
    t->regex = NULL;
    return parser_fail(p, at, "regular expression: %s", why);
}

static const char *operator_text(enum comparison comparison)
{
    for (size_t i = 0; i < CONDITION_OPERATORS; i++)
        if (condition_operators[i].comparison == comparison)
            return condition_operators[i].text;
    return "";
}

static bool check_kind(struct parser *p, const char *at, struct test *t)
{
    struct hint h = { .word = t->constant.text.s };
    for (int k = 0; k < RECORD_KINDS; k++) {
        const char *name = record_kind_name((enum record_kind)k);
        hint_consider(&h, name, name);
        if (strcmp(name, t->constant.text.s))
            continue;
        if (t->comparison == COMPARE_EQ)
            t->kinds = 1u << k;
        else if (t->comparison == COMPARE_NE)
            t->kinds &= ~(1u << k);
        return true;
    }
    return parser_fail(p, at, "unknown kind '%s'%s", shown(h.word).text,
                       h.best ? hint_text(&h).text
                              : "; there are run, message, local, drop, node, link, command, warning and end");
}

static bool check_node_state(struct parser *p, const char *at, const char *state)
{
    struct hint h = { .word = state };
    for (size_t i = 0; i < CONDITION_NODE_STATES; i++) {
        if (!strcmp(state, condition_node_states[i]))
            return true;
        hint_consider(&h, condition_node_states[i], condition_node_states[i]);
    }
    return parser_fail(p, at, "unknown state '%s'%s", shown(state).text,
                       h.best
                           ? hint_text(&h).text
                           : "; there are loaded, starting, idle, busy, paused, ending, finished, failed and frozen");
}

/* Nothing is less than true or null, and no number is less than a text: a bare word behind < or > is a slip most of the
 * time, and would never hold. */
static bool check_payload(struct parser *p, const char *at, struct test *t)
{
    bool is_quoted = *at == '"' || *at == '\'', is_order = t->comparison != COMPARE_EQ && t->comparison != COMPARE_NE;
    t->is_glancing = t->probe && t->constant.sort == SORT_NUMBER;
    return t->constant.sort == SORT_NUMBER || is_quoted || !is_order ||
           parser_fail(p, at, "expected a number after '%s', or a text in quotes", operator_text(t->comparison));
}

/* What of the value is needed for a field of its class. */
static bool check_constant(struct parser *p, const char *at, struct test *t)
{
    enum field_class class = t->op == TEST_COUNT ? CLASS_NUMBER : condition_fields[t->field].class;
    struct constant *k = &t->constant;
    const char *why;
    if (t->comparison == COMPARE_LIKE && class != CLASS_TIME && class != CLASS_NUMBER)
        return compile_regex(p, at, t);
    if (t->comparison == COMPARE_LIKE)
        return parser_fail(p, at, "=~ is for texts; compare %s with ==, <, >, …",
                           t->op == TEST_COUNT ? "count" : condition_fields[t->field].name);
    switch (class) {
    case CLASS_TIME:
        k->number.is_whole = true;
        if (simtime_parse(k->text.s, 1000000, &k->number.whole, &why) < 0)
            return parser_fail(p, at, "expected a time after '%s': %s", operator_text(t->comparison), why);
        return true;
    case CLASS_NUMBER:
        return k->sort == SORT_NUMBER ||
               parser_fail(p, at, "expected a number after '%s'", operator_text(t->comparison));
    case CLASS_KIND:
        return check_kind(p, at, t);
    case CLASS_NODE_STATE:
        return check_node_state(p, at, k->text.s);
    case CLASS_PAYLOAD:
        return check_payload(p, at, t);
    default:
        return true;
    }
}

static bool take_constant(struct parser *p, struct test *t)
{
    bool quoted;
    struct constant *k = &t->constant;
    parser_blanks(p);
    const char *at = p->at;
    if (!take_word(p, "", &k->text, &quoted))
        return false;
    if (!k->text.len && !quoted)
        return parser_fail(p, at, "expected a value after '%s'", operator_text(t->comparison));
    if (!quoted && json_number_read(k->text.s, k->text.len, &k->number)) {
        k->sort = SORT_NUMBER;
        json_number_exact(k->text.s, k->text.len, &k->number);
    } else if (!quoted && (!strcmp(k->text.s, "true") || !strcmp(k->text.s, "false"))) {
        k->sort = SORT_BOOL;
        k->truth = *k->text.s == 't';
    } else if (!quoted && !strcmp(k->text.s, "null")) {
        k->sort = SORT_NULL;
    }
    return check_constant(p, at, t);
}

/* Whether there is a comparison; a lone = is no end of anything. */
static bool take_operator(struct parser *p, struct test *t)
{
    parser_blanks(p);
    for (size_t i = 0; i < CONDITION_OPERATORS; i++)
        if (accept(p, condition_operators[i].text)) {
            t->comparison = condition_operators[i].comparison;
            return true;
        }
    if (*p->at == '=')
        parser_fail(p, p->at, "expected == (a single = compares nothing)");
    return false;
}

static bool at_end_of_test(struct parser *p)
{
    parser_blanks(p);
    return !*p->at || *p->at == ')' || !strncmp(p->at, "&&", 2) || !strncmp(p->at, "||", 2);
}

static bool parse_comparison(struct parser *p, struct test *t)
{
    const char *from = p->at;
    if (!parser_field(p, t))
        return false;
    const char *end = p->at;
    t->op = TEST_COMPARE;
    if (take_operator(p, t))
        return take_constant(p, t);
    if (t->steps && at_end_of_test(p)) {
        t->op = TEST_THERE;
        return true;
    }
    char name[100];
    snprintf(name, sizeof name, "%.*s", (int)(end - from < 99 ? end - from : 99), from);
    return parser_fail(p, p->at, "expected ==, !=, <, <=, >, >= or =~ after '%s'", shown(name).text);
}

static bool take_close(struct parser *p, const char *open)
{
    size_t column = 1;
    if (accept(p, ")"))
        return true;
    for (const char *s = p->c->text; s < open; s++)
        column += ((unsigned char)*s & 0xc0) != 0x80;
    return parser_fail(p, p->at, "expected && or || or the ) of the ( in column %zu", column);
}

static void keep(struct parser *p, struct test *t)
{
    p->c->needs |= CONDITION_HISTORY;
    *p->last_kept = t;
    p->last_kept = &t->next_kept;
}

/* `open` is behind the name. */
static bool parse_count(struct parser *p, struct test *t)
{
    const char *open = p->at++;
    p->after = "(";
    t->op = TEST_COUNT;
    t->first = parser_condition(p);
    if (!t->first || !take_close(p, open))
        return false;
    if (!take_operator(p, t))
        return parser_fail(p, p->at, "expected ==, !=, <, <=, > or >= and a number after count(…)");
    t->kinds = ALL_KINDS;
    t->cost = 1;
    keep(p, t);
    return take_constant(p, t);
}

static bool parse_changed(struct parser *p, struct test *t)
{
    const char *open = p->at++;
    parser_blanks(p);
    const char *at = p->at;
    p->after = "(";
    if (!parser_field(p, t))
        return false;
    if (condition_fields[t->field].class == CLASS_TIME || t->field == FIELD_ID)
        return parser_fail(p, at, "changed is for texts and payloads; expected payload.KEY, state or the like");
    t->op = TEST_CHANGED;
    t->cost = 1;
    keep(p, t);
    return take_close(p, open);
}

static bool is_function(const struct parser *p, const char *name)
{
    size_t len = strlen(name);
    const char *s = p->at + len;
    if (strncmp(p->at, name, len))
        return false;
    while (parser_is_blank(*s))
        s++;
    return *s == '(';
}

static bool parse_function(struct parser *p, struct test *t, const char *name,
                           bool (*parse)(struct parser *, struct test *))
{
    p->at += strlen(name);
    parser_blanks(p);
    return parse(p, t);
}

static bool parse_not(struct parser *p, struct test *t);

static struct test *parse_one(struct parser *p)
{
    struct test *t = NULL;
    parser_blanks(p);
    const char *at = p->at;
    if (++p->depth > DEPTH_MAX) {
        parser_fail(p, at, "nested too deeply: %d levels are the most", DEPTH_MAX);
    } else if (*at == '(') {
        p->at++;
        p->after = "(";
        t = parser_condition(p);
        if (t && !take_close(p, at)) {
            condition_free_tree(t);
            t = NULL;
        }
    } else {
        t = mem_alloc(sizeof *t);
        bool good = *at == '!' && at[1] != '='  ? parse_not(p, t)
                    : is_function(p, "count")   ? parse_function(p, t, "count", parse_count)
                    : is_function(p, "changed") ? parse_function(p, t, "changed", parse_changed)
                                                : parse_comparison(p, t);
        if (!good) {
            condition_free_tree(t);
            t = NULL;
        }
    }
    p->depth--;
    return t;
}

static bool parse_not(struct parser *p, struct test *t)
{
    p->at++;
    p->after = "!";
    t->op = TEST_NOT;
    t->first = parse_one(p);
    if (!t->first)
        return false;
    t->kinds = ALL_KINDS;
    t->cost = t->first->cost;
    return true;
}

/* The cheap parts first; what holds does not depend on the order, as nothing that remembers is updated on the way. */
static void add_part(struct test *group, struct test *part)
{
    struct test **at = &group->first;
    while (*at && (*at)->cost <= part->cost)
        at = &(*at)->next;
    part->next = *at;
    *at = part;
    group->cost += part->cost;
    group->kinds = group->op == TEST_ALL ? group->kinds & part->kinds : group->kinds | part->kinds;
}

static struct test *parse_parts(struct parser *p, enum test_op op, const char *sign,
                                struct test *(*parse)(struct parser *))
{
    struct test *part = parse(p), *group = NULL;
    while (part && accept(p, sign)) {
        if (!group) {
            group = mem_alloc(sizeof *group);
            group->op = op;
            group->kinds = op == TEST_ALL ? ALL_KINDS : 0;
            add_part(group, part);
        }
        p->after = sign;
        part = parse(p);
        if (part)
            add_part(group, part);
    }
    if (part)
        return group ? group : part;
    condition_free_tree(group);
    return NULL;
}

static struct test *parse_all(struct parser *p)
{
    return parse_parts(p, TEST_ALL, "&&", parse_one);
}

struct test *parser_condition(struct parser *p)
{
    return parse_parts(p, TEST_ANY, "||", parse_all);
}

static bool at_end(struct parser *p)
{
    parser_blanks(p);
    if (!*p->at)
        return true;
    if (*p->at == ')')
        return parser_fail(p, p->at, "expected && or || or the end: this ) has no (");
    if (*p->at == '&' || *p->at == '|')
        return parser_fail(p, p->at, "expected %c%c", *p->at, *p->at);
    return parser_fail(p, p->at, "expected && or || or the end, not '%s'", parser_shown(p->at).text);
}

static const struct test *required_member(const struct test *t)
{
    if (t->probe && t->op != TEST_CHANGED)
        return t;
    const struct test *found = NULL;
    if (t->op == TEST_ALL || t->op == TEST_FIELD)
        for (const struct test *part = t->first; part && !found; part = part->next)
            found = required_member(part);
    return found;
}

struct condition *parser_run(const char *text, struct condition_error *err, struct test *(*rule)(struct parser *p))
{
    size_t len = strlen(text);
    struct condition *c = mem_alloc(sizeof *c);
    c->text = mem_text_n(text, len);
    c->words = mem_alloc(2 * len + 2); /* each word takes one byte of the text at least, and a NUL here */
    struct parser p = { .c = c, .err = err, .at = c->text, .word_end = c->words, .last_kept = &c->kept };
    *err = (struct condition_error){ 0 };
    if (len > CONDITION_TEXT_MAX)
        parser_fail(&p, c->text + CONDITION_TEXT_MAX, "a condition is %d bytes long at most", CONDITION_TEXT_MAX);
    else
        c->tree = rule(&p);
    if (c->tree && at_end(&p)) {
        c->glance = c->kept ? NULL : required_member(c->tree);
        return c;
    }
    condition_free(c);
    return NULL;
}

struct condition *condition_parse(const char *text, struct condition_error *err)
{
    return parser_run(text, err, parser_condition);
}
