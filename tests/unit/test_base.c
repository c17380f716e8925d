#include "check.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "base/histogram.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/random.h"
#include "base/utf8.h"
#include "lockstep/simtime.h"

static void time_is(const char *text, simtime unit, simtime want)
{
    simtime t = -1;
    const char *why = NULL;
    if (simtime_parse(text, unit, &t, &why) < 0)
        fail_msg("'%s' was refused: %s", text, why);
    assert_int_equal(t, want);
}

static void time_is_refused(const char *text)
{
    simtime t;
    const char *why = NULL;
    assert_int_equal(simtime_parse(text, 1000000, &t, &why), -1);
    assert_non_null(why);
}

static void times_are_read_exactly(void **state)
{
    (void)state;
    time_is("10ms", 1, 10000);
    time_is("2.5s", 1, 2500000);
    time_is("100us", 1, 100);
    time_is("1min", 1, 60000000);
    time_is("1 h", 1, 3600000000);
    time_is("10", 1000000, 10000000);
    time_is("0.1", 1000000, 100000);
    time_is(" 0.000001 ", 1000000, 1);
    time_is("0.0000010000000000000000", 1000000, 1);
    time_is("1.5", 1000, 1500);
    time_is("9007199254740991us", 1, SIMTIME_MAX);
    time_is("0.05min", 1, 3000000);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "",     ".",        "ms",     "-1s",    "1 day", "1e3",  "0x10", "1.0000001s",
                                       "0.5us", "9007199254740992us", "99999999999999999999", "1s2", "5 m s", "nan" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        time_is_refused(bad[i]);
}

static void times_are_written_so_that_they_read_back(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int i = 0; i < 20000; i++) {
        simtime t = (simtime)(test_random(&seed) >> (11 + i % 50)), back;
        char text[SIMTIME_TEXT];
        const char *why;
        simtime_format(t, text);
        assert_int_equal(simtime_parse(text, 1, &back, &why), 0);
        assert_int_equal(back, t);
    }
}

static void random_numbers_are_those_of_python(void **state)
{
    (void)state;
    struct random r;
    random_seed_text(&r, "sensor1_42");
    assert_true(random_gauss(&r, 20.0, 2.0) == 21.388588739669157);
    assert_true(random_gauss(&r, 20.0, 2.0) == 22.60046998740314);
    assert_true(random_gauss(&r, 20.0, 2.0) == 15.171600855204186);
    random_seed(&r, 1); /* random.Random(1).random() */
    assert_true(random_double(&r) == 0.13436424411240122);
    assert_true(random_double(&r) == 0.8474337369372327);
}

static void the_digest_is_sha_256(void **state)
{
    (void)state;
    char hex[DIGEST_HEX];
    digest_hex("abc", 3, hex); /* FIPS 180-4, example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(digest_first64("abc") == UINT64_C(0xba7816bf8f01cfea));
}

struct pushed {
    simtime time;
    uint64_t serial;
};

static int by_time(const void *a, const void *b)
{
    const struct pushed *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void the_queue_gives_events_in_the_order_of_time_then_of_pushing(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    enum { EVENTS = 2000 };
    static struct pushed want[EVENTS];
    for (int round = 0; round < 50; round++) {
        struct queue *q = queue_new(EVENTS);
        uint64_t spread = UINT64_C(1) << (round % 20);
        for (uint64_t i = 0; i < EVENTS; i++) {
            simtime t = (simtime)(test_random(&seed) % spread) + (round % 3 ? (simtime)i : 0);
            want[i] = (struct pushed){ t, i };
            assert_int_equal(queue_push(q, t, (int)i, NULL), 0);
        }
        assert_int_equal(queue_push(q, 0, 0, NULL), -1);
        qsort(want, EVENTS, sizeof want[0], by_time);
        struct event e;
        for (int i = 0; i < EVENTS; i++) {
            assert_int_equal(queue_first(q)->time, want[i].time);
            assert_true(queue_pop(q, &e));
            assert_int_equal(e.time, want[i].time);
            assert_int_equal(e.kind, want[i].serial);
        }
        assert_false(queue_pop(q, &e));
        queue_free(q);
    }
}

static void escaped_text_holds_nothing_that_a_terminal_obeys(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    const char in[] = "a\x1b[31mb\n\xc2\x9b\xff\xe2\x80\xae\xc3\xa9\xed\xa0\x80\xf3\xa0\x81\x81";
    utf8_escape(&b, in, sizeof in - 1);
    assert_string_equal(buffer_string(&b), "a\\x1b[31mb\\n\\x9b\\xff\\u202e\xc3\xa9\\xed\\xa0\\x80\\ue0041");
    buffer_free(&b);
}

static void json_keeps_the_text_of_numbers(void **state)
{
    (void)state;
    const char *why, in[] = "{\"a\": 1.50, \"b\": [1e3, -0.0, 12345678901], \"c\": \"x\\u00e9/\\n\"}";
    struct json *v = json_parse(in, sizeof in - 1, &why);
    assert_non_null(v);
    struct buffer b = { 0 };
    json_write(&b, v);
    assert_string_equal(buffer_string(&b), "{\"a\":1.50,\"b\":[1e3,-0.0,12345678901],\"c\":\"x\xc3\xa9/\\n\"}");
    assert_int_equal(json_int64(json_at(json_get(v, "b"), 2), 0), 12345678901);
    buffer_free(&b);
    json_free(v);
}

static void json_that_is_none_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "{", "{\"a\":}", "1 2", "nul", "\"\xff\"", "[1,]", "{'a':1}", "NaN" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = NULL;
        struct json *v = json_parse(bad[i], strlen(bad[i]), &why);
        if (v)
            fail_msg("'%s' was taken", bad[i]);
        assert_non_null(why);
    }
    const char *why = NULL;
    char deep[201];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_null(json_parse(deep, 200, &why));
    struct json *null = json_parse("null", 4, &why);
    assert_non_null(null);
    assert_int_equal(json_kind(null), JSON_NULL);
    json_free(null);
}

static void quantiles_are_within_a_sixteenth(void **state)
{
    (void)state;
    static struct histogram h;
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_add(&h, i);
    uint64_t half = histogram_quantile(&h, 0.5), most = histogram_quantile(&h, 0.99);
    assert_in_range(half, 50000, 50000 + 50000 / 16);
    assert_in_range(most, 99000, 99000 + 99000 / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_exactly),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_are_written_so_that_they_read_back),
        cmocka_unit_test(random_numbers_are_those_of_python),
        cmocka_unit_test(the_digest_is_sha_256),
        cmocka_unit_test(the_queue_gives_events_in_the_order_of_time_then_of_pushing),
        cmocka_unit_test(escaped_text_holds_nothing_that_a_terminal_obeys),
        cmocka_unit_test(json_keeps_the_text_of_numbers),
        cmocka_unit_test(json_that_is_none_is_refused_with_a_reason),
        cmocka_unit_test(quantiles_are_within_a_sixteenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
