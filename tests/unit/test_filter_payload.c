#include "check.h"

#include <math.h>
#include <unistd.h>

#include "base/buffer.h"
#include "trace/store_open.h"
#include "ui/filter.h"

#define STRIDES 50
#define RECORDS (STRIDES * STORE_STRIDE)

static const char *const conditions[] = { "payload.v > 500",
                                          "payload.v >= 977",
                                          "payload.v < 3",
                                          "payload.v <= 0",
                                          "payload.v == 977",
                                          "payload.v != 5",
                                          "payload.v == 2.5",
                                          "payload.v == true",
                                          "payload.v == x",
                                          "payload.v =~ ^9",
                                          "payload.v",
                                          "payload.rare",
                                          "payload.rare > 1",
                                          "payload.rare == 7",
                                          "payload.none > 1",
                                          "payload.none",
                                          "payload.deep.v > 10",
                                          "payload.0 > 5",
                                          "payload.deep",
                                          "payload.0.v > 5",
                                          "payload.v > 1e200",
                                          "payload.v == 977",
                                          "payload > 5",
                                          "payload == 7",
                                          "payload.due > 5",
                                          "payload.\"k,\" == 1",
                                          "payload.v > 1e300",
                                          "payload.id > 1",
                                          "payload.payload > 3",
                                          "payload.v > 500 || payload.rare",
                                          "!(payload.v > 3)",
                                          "payload.v > 500 && payload.rare",
                                          "payload.v > 999999999999999999",
                                          "payload.v == 1000000000000000001" };

/* What the numbers are about goes with the stride, so that most can be left out. */
static void add_payload(struct buffer *b, uint64_t *seed, int stride)
{
    int v = stride * 25 + (int)(test_random(seed) % 3);
    bool is_rare = stride % 7 == 3 && test_random(seed) % 50 == 0;
    uint64_t odd = test_random(seed) % 8 == 0 && stride % 5 == 2 ? 8 + (uint64_t)stride / 5 : 0; /* one sort in each */
    switch (odd ? odd : test_random(seed) % 8) {
    case 8:
        buffer_text(b, "[1,{\"v\":999},9]");
        break;
    case 9:
        buffer_text(b, "{\"v\":\"977\",\"k,\":1}");
        break;
    case 10:
        buffer_text(b, "{\"\\u0076\":1e308,\"w\":[1]}");
        break;
    case 11:
        buffer_format(b, "{\"deep\":{\"v\":%d},\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"rare\":2}", v);
        break;
    case 12:
        buffer_text(b, "{\"v\":1e400,\"due\":6}");
        break;
    case 13:
        buffer_text(b, "{\"v\":1,\"v\":1000000000000000001}");
        break;
    case 14:
        buffer_text(b, "{\"payload\":4,\"x\":{\"payload\":{\"v\":1}},\"id\":2}");
        break;
    case 15:
        buffer_text(b, "{\"v\":true,\"w\":null}");
        break;
    case 16:
        buffer_text(b, "[9,2,1]");
        break;
    case 17:
        buffer_text(b, "[{\"v\":999}]");
        break;
    case 0:
        buffer_text(b, stride % 2 ? "\"v\"" : "7");
        break;
    case 1:
        buffer_text(b, "{}");
        break;
    default:
        buffer_format(b, "{\"unit\":\"C\",\"v\":%d%s%s}", v, v % 2 ? ".5" : "", is_rare ? ",\"rare\":7" : "");
    }
}

static FILE *write_file(struct store_index *index)
{
    uint64_t seed = test_seed() | 1;
    FILE *f = tmpfile();
    assert_non_null(f);
    for (int n = 0; n < RECORDS; n++) {
        struct buffer payload = { 0 };
        struct record r = { .n = (uint64_t)n, .kind = RECORD_MESSAGE, .src = { "a", 1 }, .dst = { "b", 1 } };
        store_index_note(index, r.n, ftell(f));
        add_payload(&payload, &seed, n / STORE_STRIDE);
        store_index_zone(index, &r);
        fprintf(
            f,
            "{\"n\":%d,\"t\":0,\"kind\":\"message\",\"id\":%d,\"src\":\"a\",\"dst\":\"b\",\"type\":\"%s\",\"size\":6,"
            "\"payload\":%s%s}\n",
            n, n, n % 4 ? "T" : "T{", buffer_string(&payload), n % 3 ? ",\"due\":9" : "");
        buffer_free(&payload);
    }
    fflush(f);
    index->records = RECORDS;
    index->end = ftell(f);
    return f;
}

struct asked {
    struct store_query inner;
    int count;
};

static bool count_asked(void *data, const struct record *r)
{
    struct asked *a = data;
    a->count++;
    return a->inner.holds(a->inner.data, r);
}

static bool excludes_asked(void *data, struct text payload)
{
    struct asked *a = data;
    return a->inner.excludes(a->inner.data, payload);
}

/* The hits of a filter are those of the condition on each record. Returns of how many records it was asked. */
static int check_hits(struct store *store, const char *text)
{
    struct condition_error err;
    struct condition *c = condition_parse(text, &err), *plain = condition_parse(text, &err);
    assert_true(c && plain);
    struct filter *f = filter_new(c);
    struct asked asked = { .count = 0 };
    struct store_query q;
    filter_query(f, &q);
    asked.inner = q;
    q.holds = count_asked;
    q.excludes = excludes_asked;
    q.data = &asked;
    for (uint64_t first = 0; first < RECORDS; first += STORE_STRIDE) {
        uint64_t hits[STORE_STRIDE / 64];
        struct record r;
        assert_int_equal(store_scan(store, &q, first, hits), STORE_STRIDE);
        for (uint64_t i = 0; i < STORE_STRIDE; i++) {
            assert_int_equal(store_read(store, first + i, &r), 0);
            bool hit = hits[i / 64] >> i % 64 & 1;
            if (hit != condition_matches(plain, &r, NULL))
                fail_msg("'%s' of %.*s: %d", text, (int)r.payload.len, r.payload.s, hit);
        }
    }
    filter_free(f);
    condition_free(plain);
    return asked.count;
}

static void whatever_is_left_out_does_not_match(void **state)
{
    struct store_index index = { 0 };
    FILE *f = write_file(&index);
    struct store *running = store_new(fileno(f), &index), *recorded = store_open(dup(fileno(f)));
    (void)state;
    while (store_catch_up(recorded, INT64_MAX))
        continue;
    assert_int_equal(store_count(recorded), RECORDS);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        check_hits(running, conditions[i]);
        check_hits(recorded, conditions[i]);
    }
    assert_in_range(check_hits(recorded, "payload.none > 1"), 0, RECORDS / 2);
    assert_in_range(check_hits(recorded, "payload.v >= 900"), 1, RECORDS / 2);
    store_free(recorded);
    store_free(running);
    store_index_free(&index);
    fclose(f);
}

/* By what is known of a stride alone. */
static void ranges_tell_what_is_there(void **state)
{
    static const char *const payloads[] = { "{\"a\":1,\"b\":\"x\"}", " { \"a\" : -2.5 , \"c\":{}}", "7", "\"{\"" };
    struct store_ranges s = { 0 };
    struct payload_member a = { { "a", 1 }, 2, INFINITY, false }, b = { { "b", 1 }, -INFINITY, INFINITY, false },
                          c = { { "c", 1 }, 0, 0, true }, d = { { "d", 1 }, -INFINITY, INFINITY, true };
    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        store_ranges_take(&s, (struct text){ payloads[i], strlen(payloads[i]) });
    assert_false(store_ranges_may_have(&s, &a));
    a.low = 1;
    assert_true(store_ranges_may_have(&s, &a));
    a.low = -INFINITY;
    a.high = -2.5;
    assert_true(store_ranges_may_have(&s, &a));
    a.high = -3;
    assert_false(store_ranges_may_have(&s, &a));
    assert_false(store_ranges_may_have(&s, &b));
    b.others_count = true;
    assert_true(store_ranges_may_have(&s, &b));
    assert_true(store_ranges_may_have(&s, &c));
    assert_false(store_ranges_may_have(&s, &d));
    store_ranges_take(&s, (struct text){ "[1]", 3 });
    assert_true(store_ranges_may_have(&s, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_left_out_does_not_match),
        cmocka_unit_test(ranges_tell_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
