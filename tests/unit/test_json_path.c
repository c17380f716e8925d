#include "check.h"

#include "base/json_path.h"
#include "lockstep/condition.h"

#define TEXTS 60000

/* Keys that are hard to tell from what stands around them, as they stand in a text; the first without backslashes. */
static const char *const written[] = {
    "\"value\"",       "\"a\"",        "\"values\"",  "\"valu\"",      "\"lue\"",
    "\",\"",           "\":\"",        "\"}\"",       "\"\"",          "\" \"",
    "\"0\"",           "\"\xc3\xa9\"", "\"x.y\"",     "\"{value\"",    "\"a long key of thirty characters\"",
    "\"v\\u0061lue\"", "\"\\\"\"",     "\"\\u00e9\"", "\"\\\\value\"", "\"value\\\"\""
};
#define PLAIN_KEYS   15
#define PLAIN_OTHERS 7
/* What is looked for. */
static const char *const keys[] = {
    "value", "value",    "a",   ",", ":",       "}",       "",  " ",      "0",
    "\"",    "\xc3\xa9", "x.y", "u", "value\"", "\\value", "1", "{value", "a long key of thirty characters"
};
static const char *const numbers[] = { "0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "2.5",
                                       "-2.5",
                                       "0.0",
                                       "-0.0",
                                       "1e0",
                                       "10e-1",
                                       "0.99999999999999999999",
                                       "1.0000000000000001",
                                       "999999999999999",
                                       "1e400",
                                       "9007199254740993",
                                       "9007199254740992.0",
                                       "999999999999999999",
                                       "-1e-400",
                                       "1000000000000000000000",
                                       "123456789012345.5",
                                       "2",
                                       "3.0",
                                       "-3",
                                       "-2.000001" };
#define ANY(list, seed) list[test_random(seed) % (sizeof(list) / sizeof *(list))]

static void add_key(struct buffer *b, uint64_t *seed, bool is_plain)
{
    buffer_text(b, is_plain ? written[test_random(seed) % PLAIN_KEYS] : ANY(written, seed));
}

static void add_blanks(struct buffer *b, uint64_t *seed)
{
    static const char *const blanks[] = { "", "", "", "", " ", "\t \n", "\r" };
    buffer_text(b, ANY(blanks, seed));
}

static void add_value(struct buffer *b, uint64_t *seed, bool is_plain, int depth)
{
    static const char *const others[] = { "true",   "false",     "null",
                                          "\"1\"",  "\"\"",      "\"C\"",
                                          "\"{[\"", "\"a\\\\\"", "\"\\\"value\\\":7\"" };
    uint64_t what = test_random(seed) % 10, count = test_random(seed) % 4;
    what = depth == 0 && what < 7 ? 8 : what;
    if (what < 5) {
        buffer_text(b, ANY(numbers, seed));
    } else if (what < 7 || depth > 3) {
        if (what == 5)
            add_key(b, seed, is_plain);
        else
            buffer_text(b, is_plain ? others[test_random(seed) % PLAIN_OTHERS] : ANY(others, seed));
    } else {
        buffer_text(b, what < 9 ? "{" : "[");
        for (uint64_t i = 0; i < count; i++) {
            buffer_text(b, i ? "," : "");
            add_blanks(b, seed);
            if (what < 9) {
                add_key(b, seed, is_plain);
                add_blanks(b, seed);
                buffer_text(b, ":");
                add_blanks(b, seed);
            }
            add_value(b, seed, is_plain, depth + 1);
            add_blanks(b, seed);
        }
        buffer_text(b, what < 9 ? "}" : "]");
    }
}

/* Where the value is, whoever looks for it; as json-c has it, too. */
static void check_find(const struct json_step *path, size_t steps, const struct buffer *text)
{
    struct json_span plain = { 0 }, quick = { 0 };
    struct json_probe *probe = json_probe_new(path, steps);
    bool there = json_find(text->data, text->len, path, steps, &plain);
    bool same = json_probe_find(probe, text->data, text->len, &quick) == there &&
                (!there || (plain.s == quick.s && plain.len == quick.len && plain.kind == quick.kind &&
                            (plain.kind != JSON_STRING || plain.escapes == quick.escapes)));
    if (!same)
        fail_msg("'%.*s' is not found alike in %.*s", (int)path->len, path->key, (int)text->len, text->data);
    json_probe_free(probe);
}

static int order_of_numbers(const char *text, size_t len, const struct json_number *to)
{
    struct json_number n;
    assert_true(json_number_read(text, len, &n));
    if (n.is_whole && to->is_whole)
        return (n.whole > to->whole) - (n.whole < to->whole);
    assert_true(json_number_exact(text, len, &n));
    return (n.value > to->value) - (n.value < to->value);
}

/* A glance tells nothing that is not so. Returns whether it told anything of a number. */
static bool check_order(const struct json_step *path, const struct buffer *text, const char *constant)
{
    struct json_span span;
    struct json_number to;
    struct json_probe *probe = json_probe_new(path, 1);
    json_number_read(constant, strlen(constant), &to);
    json_number_exact(constant, strlen(constant), &to);
    enum json_order order = json_probe_order(probe, text->data, text->len, &to);
    bool there = json_find(text->data, text->len, path, 1, &span);
    bool good = order == JSON_UNSURE || (order == JSON_NOT_THERE && !there) ||
                (order != JSON_NOT_THERE && there && span.kind == JSON_NUMBER &&
                 (int)order - JSON_SAME == order_of_numbers(span.s, span.len, &to));
    if (!good)
        fail_msg("'%.*s' beside %s in %.*s: %d", (int)path->len, path->key, constant, (int)text->len, text->data,
                 order);
    json_probe_free(probe);
    return order != JSON_UNSURE && order != JSON_NOT_THERE;
}

/* The value of the key as json-c reads it. */
static void check_tree(const struct json_step *step, const struct buffer *text)
{
    const char *why;
    struct json_span span;
    struct json *tree = json_parse(text->data, text->len, &why);
    if (!tree)
        fail_msg("%s: %.*s", why, (int)text->len, text->data);
    bool there = json_find(text->data, text->len, step, 1, &span);
    if (json_kind(tree) == JSON_OBJECT) {
        const struct json *value = json_get(tree, step->key);
        assert_int_equal(there, value != NULL);
        if (value) {
            assert_int_equal(json_kind(value), span.kind);
            struct json *found = json_parse(span.s, span.len, &why);
            struct buffer a = { 0 }, b = { 0 };
            json_write(&a, value);
            json_write(&b, found);
            assert_string_equal(buffer_string(&a), buffer_string(&b));
            buffer_free(&a);
            buffer_free(&b);
            json_free(found);
        }
    }
    json_free(tree);
}

static void finds_what_is_there(void **state)
{
    uint64_t seed = test_seed() | 1;
    unsigned told = 0;
    (void)state;
    for (int i = 0; i < TEXTS; i++) {
        struct buffer text = { 0 };
        const char *first = ANY(keys, &seed), *second = ANY(keys, &seed);
        struct json_step path[2] = { json_step(first, strlen(first)), json_step(second, strlen(second)) };
        add_blanks(&text, &seed);
        add_value(&text, &seed, i % 4 > 0, 0);
        add_blanks(&text, &seed);
        char *exact = malloc(text.len ? text.len : 1); /* so that a look behind its end is seen */
        assert_non_null(exact);
        memcpy(exact, text.data, text.len);
        struct buffer whole = { .data = exact, .len = text.len };
        check_find(path, 1 + (i & 1), &whole);
        told += check_order(path, &whole, ANY(numbers, &seed));
        check_tree(path, &whole);
        free(exact);
        buffer_free(&text);
    }
    assert_in_range(told, TEXTS / 200, TEXTS);
}

/* Of what is no JSON nothing outside of it is read, which the sanitizers would see. */
static void text_that_is_no_json(void **state)
{
    uint64_t seed = test_seed() | 1;
    static const char signs[] = "{}[]\":,\\ value01.e-\n";
    struct json_step path = json_step("value", 5);
    struct json_probe *probe = json_probe_new(&path, 1);
    struct json_number to = { .value = 1, .whole = 1, .is_whole = true };
    (void)state;
    for (int i = 0; i < TEXTS; i++) {
        size_t len = test_random(&seed) % 40;
        char *text = malloc(len + 1);
        struct json_span span;
        assert_non_null(text);
        for (size_t k = 0; k < len; k++)
            text[k] = signs[test_random(&seed) % (sizeof signs - 1)];
        if (len > 9 && i & 1)
            memcpy(text, "{\"value\":", 9);
        char *exact = realloc(text, len ? len : 1);
        assert_non_null(exact);
        if (json_probe_find(probe, exact, len, &span))
            assert_true(span.s >= exact && span.len > 0 && span.s + span.len <= exact + len);
        json_probe_order(probe, exact, len, &to);
        free(exact);
    }
    json_probe_free(probe);
}

static bool holds(const char *condition, const char *payload)
{
    struct condition_error err;
    struct condition *c = condition_parse(condition, &err);
    struct record r = { .kind = RECORD_MESSAGE, .payload = { payload, strlen(payload) } };
    assert_non_null(c);
    bool result = condition_matches(c, &r, NULL);
    condition_free(c);
    return result;
}

static void what_a_glance_must_not_tell(void **state)
{
    (void)state;
    assert_true(holds("payload.v > 2", "{\"v\":1,\"v\":3}"));
    assert_true(holds("payload.v > 2", "{\"v\":1,\"\\u0076\":3}"));
    assert_false(holds("payload.v > 2", "{\"o\":{\"v\":3}}"));
    assert_false(holds("payload.v > 2", "{\"o\":\"v\"}"));
    assert_false(holds("payload.v > 2", "{\"v\":\"3\"}"));
    assert_true(holds("payload.v > 2", "{\"v\":1e9}"));
    assert_true(holds("payload.v > 2", "{\"v\":1.5e9}"));
    assert_true(holds("payload.v > 2", "{\"v\":2.5}"));
    assert_false(holds("payload.v > 2.5", "{\"v\":2.5}"));
    assert_true(holds("payload.v == \"2.5\"", "{\"v\":2.5}") == holds("payload.v == \"2.5\"", "{\"v\":2.5 }"));
    assert_true(holds("payload.v < -2", "{\"v\":-2.5}"));
    assert_false(holds("payload.v < -3", "{\"v\":-2.5}"));
    assert_true(holds("payload.v == 12345678901234567", "{\"v\":12345678901234567}"));
    assert_false(holds("payload.v == 12345678901234567", "{\"v\":12345678901234568}"));
    assert_true(holds("payload.v != 1", "{\"v\":[1]}"));
    assert_true(holds("payload.v != 1", "{\"v\":\"x\"}"));
    assert_false(holds("payload.v != 1", "{\"w\":\"x\"}"));
    assert_false(holds("payload.v > 2", "{\"v\":03}"));
    assert_false(holds("payload.v > 2", "{\"o\":{\"w\":1,\"v\":3}}"));
    assert_false(holds("payload.v > 2", "{\"oooooooooooooo\":[{\"v\":3}]}"));
    assert_false(holds("payload.a.v > 0", "{\"a\":1}"));
    assert_true(holds("payload.a.v == 1", "{\"a\":{\"v\":1}}"));
    assert_true(holds("payload.\",\" == 1", "{\"a\":\"b\",\"c\":1,\",\":1}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(text_that_is_no_json),
        cmocka_unit_test(what_a_glance_must_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
