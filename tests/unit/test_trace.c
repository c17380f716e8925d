#include "check.h"

#include <unistd.h>

#include "base/buffer.h"
#include "bus/bus.h"
#include "trace/events.h"
#include "trace/hasher.h"
#include "trace/latencies.h"
#include "trace/metrics.h"
#include "trace/store_open.h"

static struct text text_of(const char *s)
{
    return (struct text){ s, strlen(s) };
}

struct fixture {
    char path[40];
    struct scenario scenario;
    struct scenario_node nodes[3];
    struct folder *folder;
};

static void set_up(struct fixture *f)
{
    static char a[] = "a", b[] = "b", c[] = "c", name[] = "test";
    *f = (struct fixture){ .path = "/tmp/lockstep-unit-XXXXXX", .scenario = { .name = name, .node_count = 3 } };
    f->nodes[0].id = a, f->nodes[1].id = b, f->nodes[2].id = c;
    for (int i = 0; i < 3; i++)
        f->nodes[i].model = MODEL_SENSOR;
    f->scenario.nodes = f->nodes;
    assert_non_null(mkdtemp(f->path));
    struct error err = { 0 };
    f->folder = folder_open(f->path, &f->scenario, &err);
    assert_non_null(f->folder);
}

static void tear_down(struct fixture *f)
{
    char command[100];
    folder_free(f->folder);
    snprintf(command, sizeof command, "rm -r %s", f->path);
    assert_int_equal(system(command), 0);
}

static void a_long_stream_has_the_digest_of_its_bytes(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    size_t len = 5000000;
    char *data = malloc(len), want[DIGEST_HEX], got[DIGEST_HEX];
    for (size_t i = 0; i < len; i++)
        data[i] = (char)test_random(&seed);
    struct hasher *h = hasher_new();
    for (size_t at = 0; at < len;) {
        size_t n = 1 + test_random(&seed) % 400000;
        n = n < len - at ? n : len - at;
        hasher_add(h, data + at, n);
        at += n;
    }
    hasher_end(h, got);
    digest_hex(data, len, want);
    assert_string_equal(got, want);
    h = hasher_new();
    hasher_end(h, got);
    digest_hex("", 0, want);
    assert_string_equal(got, want);
    free(data);
}

static void records_are_read_back_by_number(void **state)
{
    (void)state;
    struct fixture f;
    struct store_index index = { 0 };
    struct error err = { 0 };
    char payload[40], hex[DIGEST_HEX];
    set_up(&f);
    struct bus *bus = bus_new();
    struct events *e = events_new(f.folder, &f.scenario, &index);
    bus_attach(bus, events_sink(e));
    enum { RECORDS = 3 * STORE_STRIDE + 7 };
    for (int i = 0; i < RECORDS; i++) {
        snprintf(payload, sizeof payload, "{\"value\":%d.50}", i);
        struct record r = { .t = i, .kind = RECORD_MESSAGE, .src_node = 0, .dst_node = 1, .id = (uint64_t)i,
                            .src = text_of("a"), .dst = text_of(i % 2 ? "b" : "c"), .type = text_of("say \"x\"\n"),
                            .size = 9, .payload = text_of(payload), .due = i == 5 ? SIMTIME_NEVER : i + 10 };
        bus_publish(bus, &r);
    }
    struct store *s = store_new(folder_events(f.folder), &index);
    assert_int_equal(store_count(s), 0); /* not before the barrier */
    assert_int_equal(bus_barrier(bus, 0, &err), 0);
    assert_int_equal(store_count(s), RECORDS);
    struct record r;
    for (int i = RECORDS - 1; i >= 0; i -= 3) {
        snprintf(payload, sizeof payload, "{\"value\":%d.50}", i);
        assert_int_equal(store_read(s, (uint64_t)i, &r), 0);
        assert_int_equal(r.n, i);
        assert_int_equal(r.t, i);
        assert_int_equal(r.due, i == 5 ? SIMTIME_NEVER : i + 10);
        assert_memory_equal(r.payload.s, payload, strlen(payload));
        assert_int_equal(r.payload.len, strlen(payload));
        assert_memory_equal(r.type.s, "say \"x\"\n", 8);
    }
    assert_int_equal(store_read(s, RECORDS, &r), -1);
    uint64_t n = 0;
    struct store_query q = { .text = "500.50" };
    assert_int_equal(store_find(s, &q, false, 100, &n), STORE_MORE);
    assert_int_equal(n, 100);
    assert_int_equal(store_find(s, &q, false, RECORDS, &n), STORE_FOUND);
    assert_int_equal(n, 500);
    q = (struct store_query){ .text = "SAY" }; /* the type, in another case */
    n = 7;
    assert_int_equal(store_find(s, &q, false, 1, &n), STORE_FOUND);
    q = (struct store_query){ .text = "0.000300" }; /* a time as it is shown */
    n = 0;
    assert_int_equal(store_find(s, &q, false, RECORDS, &n), STORE_FOUND);
    assert_int_equal(n, 300);
    q = (struct store_query){ .text = "MESSAGE" }; /* the kind */
    n = 9;
    assert_int_equal(store_find(s, &q, false, 1, &n), STORE_FOUND);
    q = (struct store_query){ .text = "payload" }; /* a key of the format, not something that a record says */
    n = 0;
    assert_int_equal(store_find(s, &q, false, RECORDS + 1, &n), STORE_NOT_FOUND);
    static const char *const shown[] = { "value 500.50", "say x value 500.5…", "a → b say  x", "0.000500 A > C say",
                                         "a -> c SAY x value: 500.50" };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) { /* as a screen has it */
        q = (struct store_query){ .text = shown[i] };
        n = 498;
        if (store_find(s, &q, false, RECORDS, &n) != STORE_FOUND || n != (i == 2 ? 499 : 500))
            fail_msg("'%s': record %d", shown[i], (int)n);
    }
    q = (struct store_query){ .text = "500.50 value" }; /* in that order */
    n = 0;
    assert_int_equal(store_find(s, &q, false, RECORDS + 1, &n), STORE_NOT_FOUND);
    q = (struct store_query){ .node = "b" };
    n = RECORDS - 1;
    assert_int_equal(store_find(s, &q, true, 10, &n), STORE_FOUND);
    assert_int_equal(n, RECORDS - 1 - (RECORDS - 1 + 1) % 2);
    store_free(s);
    events_end(e, hex);
    bus_free(bus);
    store_index_free(&index);
    tear_down(&f);
}

static void rows_after_the_last_barrier_are_no_results(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = { 0 };
    char tail[64];
    set_up(&f);
    struct metrics *m = metrics_new(f.folder, &f.scenario, &err);
    buffer_text(metrics_buffer(m, 1), "one\r\ntwo\r\n");
    assert_int_equal(metrics_barrier(m, &err), 0);
    buffer_text(metrics_buffer(m, 1), "three\r\n");
    assert_int_equal(metrics_tail(m, 1, tail, sizeof tail), 10);
    assert_string_equal(tail, "one\r\ntwo\r\n");
    assert_int_equal(metrics_tail(m, 1, tail, 9), 5);
    assert_string_equal(tail, "two\r\n");
    assert_int_equal(metrics_flush(m, &err), 0);
    metrics_free(m);
    char path[60];
    snprintf(path, sizeof path, "%s/b_metrics.csv", f.path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(tail, 1, sizeof tail, file), 10);
    fclose(file);
    tear_down(&f);
}

static void quantiles_of_latencies_are_exact(void **state)
{
    (void)state;
    struct latencies *l = latencies_new();
    struct session_inference s;
    for (int i = 100; i >= 1; i--) {
        struct record r = { .kind = RECORD_LOCAL, .latency = i * 1001 };
        latencies_sink(l)->record(latencies_sink(l), &r);
    }
    struct record other = { .kind = RECORD_MESSAGE, .latency = 999999 };
    latencies_sink(l)->record(latencies_sink(l), &other);
    latencies_summarize(l, &s);
    assert_int_equal(s.count, 100);
    assert_int_equal(s.p50, 50 * 1001);
    assert_int_equal(s.p99, 99 * 1001);
    assert_int_equal(s.max, 100 * 1001);
    latencies_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_stream_has_the_digest_of_its_bytes),
        cmocka_unit_test(records_are_read_back_by_number),
        cmocka_unit_test(rows_after_the_last_barrier_are_no_results),
        cmocka_unit_test(quantiles_of_latencies_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
