#include "check.h"

#include "base/json_text.h"
#include "base/memory.h"

/* Reads one whole text, from a block that ends with it. Returns NULL, or why it is no JSON. */
static const char *read_all(const char *s, size_t len, size_t *column)
{
    struct json_text t;
    struct json_span value;
    char *exact = mem_resize(NULL, len + !len);
    memcpy(exact, s, len);
    json_text_begin(&t, exact, len);
    bool good = json_text_value(&t, &value) && json_text_end(&t);
    assert_int_equal(good, !t.why);
    *column = json_text_column(&t);
    free(exact);
    return t.why;
}

static void what_is_json_is_taken_as_a_whole(void **state)
{
    (void)state;
    static const char *const good[] = { "null",
                                        "true",
                                        " false ",
                                        "0",
                                        "-0.0",
                                        "1e400",
                                        "1E-5",
                                        "-12.50e+3",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        "[1, [2, {\"a\": []}], \"]\"]",
                                        "{\"a\" : {} , \"a\":1}",
                                        "\"\\u00e9\\n\\/\\\"\"",
                                        "\"\xc3\xa9\x7f\"",
                                        "\t[\r\n]",
                                        "123456789012345678901234567890",
                                        "\"\\ud800\"" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t column;
        const char *why = read_all(good[i], strlen(good[i]), &column);
        if (why)
            fail_msg("%s: %s", good[i], why);
    }
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        size_t column;
    } bad[] = {
        { "", "it ends too early", 1 },
        { "[{\"a\": 1", "it ends too early", 9 },
        { "{\"a\"", "it ends too early", 5 },
        { "[1,", "it ends too early", 4 },
        { "\"a", "it ends too early", 3 },
        { "\"\\", "it ends too early", 2 },
        { "\"\\u12", "it ends too early", 2 },
        { "tru", "it ends too early", 4 },
        { "-", "it ends too early", 2 },
        { "1.", "it ends too early", 3 },
        { "1e+", "it ends too early", 4 },
        { "[1,]", "a value is missing", 4 },
        { "[,1]", "a value is missing", 2 },
        { "{\"a\":}", "a value is missing", 6 },
        { "[1 2]", "a , or ] is missing", 4 },
        { "[1}", "a , or ] is missing", 3 },
        { "{\"a\":1]", "a , or } is missing", 7 },
        { "{\"a\" 1}", "a : is missing", 6 },
        { "{a: 1}", "a name in double quotes is missing", 2 },
        { "{\"a\":1,}", "a name in double quotes is missing", 8 },
        { "{1:1}", "a name in double quotes is missing", 2 },
        { "[01]", "a number that begins with 0", 2 },
        { "-00", "a number that begins with 0", 2 },
        { "[1.]", "a digit is missing", 4 },
        { "[.5]", "a character that JSON does not use there", 2 },
        { "+1", "a character that JSON does not use there", 1 },
        { "1ex", "a digit is missing", 3 },
        { "--1", "a digit is missing", 2 },
        { "[NaN]", "JSON has no Infinity and no NaN", 2 },
        { "[Infinity]", "JSON has no Infinity and no NaN", 2 },
        { "-Infinity", "JSON has no Infinity and no NaN", 2 },
        { "[None]", "a word that JSON does not have", 2 },
        { "True", "a character that JSON does not use there", 1 },
        { "nul]", "a word that JSON does not have", 1 },
        { "trueish", "there is something behind the value", 5 },
        { "{'a': 1}", "a name in double quotes is missing", 2 },
        { "['a']", "JSON has double quotes only", 2 },
        { "\"a\nb\"", "a control character in a string", 3 },
        { "\"a\x1f\"", "a control character in a string", 3 },
        { "\"\\x41\"", "an escape that JSON does not have", 2 },
        { "\"\\u12g4\"", "\\u needs four hexadecimal digits", 2 },
        { "\"\xc3\xa9\xff\"", "bytes that are no UTF-8", 3 },
        { "\"\xed\xa0\x80\"", "bytes that are no UTF-8", 2 },
        { "\"\xc0\x80\"", "bytes that are no UTF-8", 2 },
        { "\xef\xbb\xbf[]", "a character that JSON does not use there", 1 },
        { "// a\n1", "a character that JSON does not use there", 1 },
        { "[] []", "there is something behind the value", 4 },
        { "[1]x", "there is something behind the value", 4 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t column;
        const char *why = read_all(bad[i].text, strlen(bad[i].text), &column);
        if (!why || strcmp(why, bad[i].why) != 0 || column != bad[i].column)
            fail_msg("'%s': %s at column %zu", bad[i].text, why ? why : "taken", column);
    }
    struct json_text t;
    struct json_span value;
    json_text_begin(&t, "[\0]", 3); /* a NUL is no end */
    assert_false(json_text_value(&t, &value));
    json_text_begin(&t, "\"\\\0\"", 4);
    assert_false(json_text_value(&t, &value));
}

static void nesting_of_64_is_taken_and_of_65_refused(void **state)
{
    (void)state;
    for (int depth = 64; depth <= 65; depth++) {
        struct buffer b = { 0 };
        for (int i = 0; i < depth; i++)
            buffer_text(&b, i % 2 ? "{\"a\":" : "[");
        buffer_text(&b, "1");
        for (int i = depth - 1; i >= 0; i--)
            buffer_text(&b, i % 2 ? "}" : "]");
        size_t column;
        const char *why = read_all(b.data, b.len, &column);
        if (depth == 64)
            assert_null(why);
        else
            assert_string_equal(why, "nested too deeply");
        buffer_free(&b);
    }
}

static void items_are_walked_one_by_one(void **state)
{
    (void)state;
    static const char in[] = " {\"a\" : 1.10, \"\\u0062\":[1, {}], \"c\":\"x\\n\"} ";
    struct json_text t;
    struct json_span name, value;
    bool more;
    json_text_begin(&t, in, sizeof in - 1);
    assert_int_equal(json_text_kind(&t), JSON_OBJECT);
    assert_true(json_text_open(&t));
    assert_true(json_text_item(&t, &name, &more) && more && json_span_is(&name, "a", 1));
    assert_true(json_text_value(&t, &value));
    assert_int_equal(value.kind, JSON_NUMBER);
    assert_int_equal(value.len, 4);
    assert_memory_equal(value.s, "1.10", 4);
    assert_true(json_text_item(&t, &name, &more) && more && json_span_is(&name, "b", 1));
    assert_true(json_text_value(&t, &value));
    assert_int_equal(value.kind, JSON_ARRAY);
    assert_int_equal(value.len, 7);
    assert_true(value.blanks);
    assert_true(json_text_item(&t, &name, &more) && more && !json_span_is(&name, "d", 1));
    assert_true(json_text_value(&t, &value));
    assert_true(value.kind == JSON_STRING && value.escapes && json_span_is(&value, "x\n", 2));
    assert_true(json_text_item(&t, &name, &more) && !more);
    assert_true(json_text_end(&t));
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "\"\"", "" },
        { "\"plain \xc3\xa9\"", "plain \xc3\xa9" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00E9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac" },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
        { "\"\\ud83d\"", "\xef\xbf\xbd" },
        { "\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                "A" },
        { "\"\\ud83dx\\n\"", "\xef\xbf\xbdx\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_text t;
        struct json_span s;
        char out[40];
        json_text_begin(&t, cases[i].text, strlen(cases[i].text));
        assert_true(json_text_value(&t, &s));
        size_t len = strlen(cases[i].want);
        assert_int_equal(json_span_unescape(&s, out, sizeof out), len);
        assert_memory_equal(out, cases[i].want, len);
        assert_int_equal(json_span_unescape(&s, out, len), len);
        if (len)
            assert_int_equal(json_span_unescape(&s, out, len - 1), SIZE_MAX);
    }
}

static void blanks_go_outside_strings_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "{ \"a b\" : [ 1.10 ,\t-0.0\r\n] , \"\\\" \\\\\" : \" \" }", "{\"a b\":[1.10,-0.0],\"\\\" \\\\\":\" \"}" },
        { " [1,2] ", "[1,2]" },
        { "\" \"", "\" \"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_text t;
        struct json_span s;
        char out[80];
        json_text_begin(&t, cases[i].text, strlen(cases[i].text));
        assert_true(json_text_value(&t, &s));
        size_t len = json_span_compact(&s, out);
        assert_int_equal(len, strlen(cases[i].want));
        assert_memory_equal(out, cases[i].want, len);
    }
}

static void whole_numbers_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        int64_t want;
    } cases[] = {
        { "0", 0, 0 },
        { "-0", 0, 0 },
        { "-0.0e9", 0, 0 },
        { "1000", 0, 1000 },
        { "1000.0", 0, 1000 },
        { "1000.000e0", 0, 1000 },
        { "1e3", 0, 1000 },
        { "1.5E1", 0, 15 },
        { "150e-1", 0, 15 },
        { "0.000012e6", 0, 12 },
        { "1200e-2", 0, 12 },
        { "-7", 0, -7 },
        { "9007199254740993", 0, INT64_C(9007199254740993) },
        { "9223372036854775807", 0, INT64_MAX },
        { "9223372036854775808", 0, INT64_MAX },
        { "-9223372036854775808", 0, INT64_MIN },
        { "-9223372036854775809", 0, INT64_MIN },
        { "99999999999999999999", 0, INT64_MAX },
        { "99999999999999999999999", 0, INT64_MAX },
        { "-1e400", 0, INT64_MIN },
        { "1e99999999999999999999", 0, INT64_MAX },
        { "0e99999999999999999999", 0, 0 },
        { "0.5", -1, 0 },
        { "1e-1", -1, 0 },
        { "1e-99999999999999999999", -1, 0 },
        { "1000.0000000000000000000001", -1, 0 },
        { "151e-1", -1, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_span s = { .kind = JSON_NUMBER, .s = cases[i].text, .len = strlen(cases[i].text) };
        int64_t v = -1;
        if (json_span_whole(&s, &v) != cases[i].result || (cases[i].result == 0 && v != cases[i].want))
            fail_msg("%s: %lld", cases[i].text, (long long)v);
    }
}

/* Does json.c take what is refused here for that reason? */
static bool is_known_to_differ(const char *why, char last)
{
    return strcmp(why, "a number that begins with 0") == 0 || strcmp(why, "a digit is missing") == 0 ||
           (strcmp(why, "it ends too early") == 0 && last == '.');
}

/* Texts of a few characters: what is taken here json.c takes too, and the other way round but for a few numbers. */
static void short_texts_are_judged_as_by_the_other_reader(void **state)
{
    (void)state;
    static const char letters[] = "{}[],:\"\\1-0.e nu";
    size_t kinds = sizeof letters - 1, taken = 0;
    char text[6];
    for (size_t len = 1, total = kinds; len <= 5; len++, total *= kinds) {
        for (size_t k = 0; k < total; k += len == 5 ? 7 : 1) {
            size_t left = k;
            for (size_t i = 0; i < len; i++, left /= kinds)
                text[i] = letters[left % kinds];
            const char *why;
            struct json_text t;
            struct json_span s;
            json_text_begin(&t, text, len);
            bool good = json_text_value(&t, &s) && json_text_end(&t);
            struct json *other = json_parse(text, len, &why);
            if (good && !other)
                fail_msg("'%.*s' is taken here only", (int)len, text);
            if (other && !good && !is_known_to_differ(t.why, text[len - 1]))
                fail_msg("'%.*s' is taken by json.c only: %s", (int)len, text, t.why);
            taken += good;
            json_free(other);
        }
    }
    print_message("%zu texts are JSON\n", taken);
    assert_true(taken > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_is_taken_as_a_whole),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(nesting_of_64_is_taken_and_of_65_refused),
        cmocka_unit_test(items_are_walked_one_by_one),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(blanks_go_outside_strings_alone),
        cmocka_unit_test(whole_numbers_are_read_exactly),
        cmocka_unit_test(short_texts_are_judged_as_by_the_other_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
