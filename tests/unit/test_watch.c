#include "check.h"

#include <unistd.h>

#include "base/buffer.h"
#include "trace/store_open.h"
#include "ui/watch.h"

#define NODES   4
#define RECORDS 20000

static const char *const ids[NODES] = { "sensor1", "sensor2", "sensor3", "gateway" };
static struct scenario *scenario;

static int set_up(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    scenario = scenario_load(LOCKSTEP_SOURCE_DIR "/scenarios/m0_baseline.yaml", NULL, 0, &problems);
    problems_clear(&problems);
    return scenario && scenario->node_count == NODES ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    scenario_free(scenario);
    return 0;
}

#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static const struct record message = { .t = 3000000,
                                       .kind = RECORD_MESSAGE,
                                       .id = 5,
                                       .src = TEXT("sensor1"),
                                       .dst = TEXT("gw"),
                                       .type = TEXT("ALERT"),
                                       .size = 64,
                                       .payload = TEXT("{\"mode\":\"a\\\"\\u00e9\",\"v\":1.50,\"list\":[1, {}],"
                                                       "\"none\":null,\"empty\":\"\"}"),
                                       .due = 3010000,
                                       .latency = 10000 };
static const struct record undue = { .kind = RECORD_MESSAGE, .src = TEXT("a"), .due = SIMTIME_NEVER, .latency = -1 };
static const struct record failed = { .kind = RECORD_NODE, .src = TEXT("gw"), .state = TEXT("failed"), .latency = -1 };

static void a_value_is_what_the_record_says(void **state)
{
    (void)state;
    static const struct {
        const struct record *r;
        const char *text, *value; /* NULL: none */
    } rows[] = {
        { &message, "payload.mode", "a\"\u00e9" },
        { &message, " payload.v ", "1.50" },
        { &message, "payload.list", "[1, {}]" },
        { &message, "payload.list.0", "1" },
        { &message, "payload.none", "null" },
        { &message, "payload.empty", "" },
        { &message, "payload.other", NULL },
        { &undue, "payload", "null" },
        { &undue, "payload.v", NULL },
        { &message, "type", "ALERT" },
        { &message, "src", "sensor1" },
        { &message, "dst", "gw" },
        { &undue, "dst", NULL },
        { &message, "kind", "message" },
        { &message, "time", "3s" },
        { &message, "latency", "10ms" },
        { &undue, "latency", NULL },
        { &message, "size", "64" },
        { &failed, "size", NULL },
        { &message, "id", "5" },
        { &message, "state", NULL },
        { &failed, "state", "failed" },
        { &message, "payload.v where type == ALERT", "1.50" },
        { &message, "payload.v where type == ALERT && size > 64", NULL },
        { &message, "payload.v where(size == 64)", "1.50" },
        { &message, "payload.v where !(size == 64)", NULL },
        { &message, "payload.\"v\" where payload.other || dst == gw", "1.50" },
        { &failed, "state where kind == node", "failed" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition_error err;
        struct condition *field = condition_parse_field(rows[i].text, &err);
        struct buffer value = { 0 };
        if (!field)
            fail_msg("'%s': %s", rows[i].text, err.text);
        bool has = condition_value(field, rows[i].r, &value);
        if (has != (rows[i].value != NULL) || strcmp(buffer_string(&value), has ? rows[i].value : ""))
            fail_msg("'%s' is '%s'", rows[i].text, has ? buffer_string(&value) : "(nothing)");
        buffer_free(&value);
        condition_free(field);
    }
}

static void a_bad_one_is_refused_with_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "column 1: expected a field, for example payload.temperature" },
        { "typ", "column 1: unknown field 'typ'; did you mean 'type'?" },
        { "payload.", "column 9: expected a key after '.'" },
        { "payload.v wher type == ALERT", "column 11: expected 'where' or the end, not 'wher'; did you mean 'where'?" },
        { "payload.v > 3", "column 11: expected 'where' or the end, not '>'" },
        { "payload.v where", "column 16: expected a condition after 'where'" },
        { "payload.v where typ == A", "column 17: unknown field 'typ'; did you mean 'type'?" },
        { "type where dst = gw", "column 16: expected == (a single = compares nothing)" },
        { "type where dst == gw)", "column 21: expected && or || or the end: this ) has no (" },
        { "node.state", "column 1: what a node was like is not recorded: there is state, of what is told of nodes" },
        { "type where node.state == idle",
          "column 12: what a node was like is not recorded: node.… is for breakpoints only" },
        { "type where count(type == A) > 2",
          "column 12: count and changed go by what was before: they are for breakpoints only" },
        { "type where changed(dst)",
          "column 12: count and changed go by what was before: they are for breakpoints only" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition_error err;
        struct condition *field = condition_parse_field(rows[i].text, &err);
        if (field)
            fail_msg("'%s' was taken", rows[i].text);
        if (strcmp(err.text, rows[i].why))
            fail_msg("'%s':\n  %s\ninstead of\n  %s", rows[i].text, err.text, rows[i].why);
    }
}

/* What was written, and a store over it. */
struct file {
    FILE *f;
    struct store_index index;
    struct store *store;
    uint64_t count;
    int src[RECORDS], value[RECORDS]; /* of each record */
    bool is_alert[RECORDS];
};

static void write_record(struct file *file, int src, int value, bool is_alert)
{
    unsigned long long n = file->count;
    store_index_note(&file->index, n, ftell(file->f));
    struct record r = { .n = n, .t = (simtime)n * 10, .kind = RECORD_MESSAGE, .src_node = src, .dst_node = 3 };
    store_index_zone(&file->index, &r);
    fprintf(
        file->f,
        "{\"n\":%llu,\"t\":%llu,\"kind\":\"message\",\"id\":%llu,\"src\":\"%s\",\"dst\":\"gateway\",\"type\":\"%s\","
        "\"size\":64,\"payload\":{\"v\":\"v%d\"},\"due\":%llu}\n",
        n, n * 10, n, ids[src], is_alert ? "ALERT" : "T", value, n * 10 + 500);
    file->src[n] = src;
    file->value[n] = value;
    file->is_alert[n] = is_alert;
    file->count++;
}

static void publish(struct file *file)
{
    fflush(file->f);
    file->index.records = file->count;
    file->index.end = ftell(file->f);
}

static struct file *open_file(void)
{
    struct file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    file->f = tmpfile();
    assert_non_null(file->f);
    file->store = store_new(fileno(file->f), &file->index);
    return file;
}

static void close_file(struct file *file)
{
    store_free(file->store);
    store_index_free(&file->index);
    fclose(file->f);
    free(file);
}

/* Values that stay the same for a while; sensor3 has none after a fifth of the run, the gateway never. */
static void write_all(struct file *file, uint64_t *seed)
{
    int values[NODES] = { 0 };
    for (int i = 0; i < RECORDS; i++) {
        int src = (int)(test_random(seed) % (i < RECORDS / 5 ? 3 : 2));
        if (test_random(seed) % (src == 0 ? 3 : 3000) == 0)
            values[src] = (int)(test_random(seed) % 3);
        write_record(file, src, values[src], test_random(seed) % 50 == 0);
    }
    publish(file);
}

/* Compares with a plain walk back over all records before `count`. */
static void check_node(const struct watches *w, const struct file *file, int watch, int node, uint64_t count)
{
    struct watch_value v;
    char text[20];
    bool alerts = watch == 1;
    int64_t last = -1, first = -1;
    for (int64_t i = (int64_t)count - 1; i >= 0; i--) {
        if (file->src[i] != node || (alerts && !file->is_alert[i]))
            continue;
        last = last < 0 ? i : last;
        if (file->value[i] != file->value[last])
            break;
        first = i;
    }
    if (watches_value(w, watch, node, &v) != (last >= 0))
        fail_msg("watch %d of %s at %d: %s", watch, ids[node], (int)count, last >= 0 ? "nothing" : "something");
    if (last < 0)
        return;
    snprintf(text, sizeof text, "v%d", file->value[last]);
    bool same = v.len == strlen(text) && !memcmp(v.text, text, v.len) && v.n == (uint64_t)last && v.t == last * 10;
    if (!same || v.is_old || v.since_is_late || v.since != first * 10)
        fail_msg("watch %d of %s at %d: '%.*s' of %d since %d%s%s, not '%s' of %d since %d", watch, ids[node],
                 (int)count, (int)v.len, v.text, (int)v.n, (int)v.since / 10, v.is_old ? ", old" : "",
                 v.since_is_late ? ", late" : "", text, (int)last, (int)first);
}

static struct watches *make_watches(void)
{
    struct condition_error err;
    struct watches *w = watches_new();
    watches_begin(w, scenario);
    assert_int_equal(watches_add(w, "payload.v", &err), 0);
    assert_int_equal(watches_add(w, "payload.v where type == ALERT", &err), 1);
    return w;
}

static void values_are_those_of_the_moment(void **state)
{
    (void)state;
    uint64_t seed = test_seed() | 1;
    struct file *file = open_file();
    write_all(file, &seed);
    struct watches *w = make_watches();
    for (int round = 0; round < 400; round++) {
        bool changed = false, whole = test_random(&seed) % 4 > 0;
        uint64_t there = store_count(file->store), count = 1 + test_random(&seed) % (RECORDS - 1);
        if (test_random(&seed) % 2) /* not far from here */
            count = there + 300 < RECORDS ? there + test_random(&seed) % 300 : there - test_random(&seed) % 300;
        store_limit(file->store, count);
        do { /* or only a part of it, before the moment changes again */
            watches_seen(w);
        } while (watches_work(w, file->store, 0, !whole, &changed) && whole);
        for (int node = 0; node < NODES && whole; node++)
            for (int watch = 0; watch < 2; watch++)
                check_node(w, file, watch, node, count);
    }
    watches_free(w);
    close_file(file);
}

static void what_is_known_of_an_earlier_moment_is_told_as_old(void **state)
{
    (void)state;
    struct file *file = open_file();
    struct watches *w = make_watches();
    struct watch_value v;
    bool changed = false;
    write_record(file, 2, 7, false);
    publish(file);
    watches_work(w, file->store, 0, true, &changed);
    assert_true(watches_value(w, 0, 2, &v));
    assert_false(v.is_old);
    for (int i = 0; i < 12000; i++)
        write_record(file, 0, i < 100, false);
    publish(file);
    assert_true(watches_work(w, file->store, 0, true, &changed)); /* not all of it: the run goes on */
    assert_true(watches_looking(w, 0));
    assert_true(watches_value(w, 0, 2, &v) && v.is_old);
    assert_true(watches_value(w, 0, 0, &v) && !v.is_old && v.since_is_late && v.n == 12000);
    while (watches_work(w, file->store, 0, false, &changed))
        continue;
    assert_false(watches_looking(w, 0));
    assert_true(watches_value(w, 0, 2, &v) && !v.is_old && v.n == 0 && !v.since_is_late);
    assert_true(watches_value(w, 0, 0, &v) && !v.since_is_late && v.since == 1010);
    watches_free(w);
    close_file(file);
}

static void a_value_that_was_passed_over_is_found_again(void **state)
{
    (void)state;
    struct file *file = open_file();
    struct watches *w = make_watches();
    struct watch_value v;
    bool changed = false;
    for (int i = 0; i < 1000; i++)
        write_record(file, i == 50 ? 0 : 1, i % 5, false);
    publish(file);
    while (watches_work(w, file->store, 0, false, &changed))
        continue;
    for (int i = 0; i < 12000; i++)
        write_record(file, i == 11900 ? 0 : 1, i % 5, false);
    publish(file);
    watches_work(w, file->store, 0, true, &changed);
    assert_true(watches_value(w, 0, 0, &v) && v.n == 12900);
    store_limit(file->store, 11000); /* it lies behind, and the one before below what was not looked at */
    while (watches_work(w, file->store, 0, false, &changed))
        continue;
    assert_true(watches_value(w, 0, 0, &v) && v.n == 50 && !v.is_old);
    watches_free(w);
    close_file(file);
}

static void what_has_changed_since_it_was_seen_is_marked(void **state)
{
    (void)state;
    struct file *file = open_file();
    struct watches *w = make_watches();
    struct watch_value v;
    bool changed = false;
    write_record(file, 0, 1, false);
    write_record(file, 1, 1, false);
    publish(file);
    watches_work(w, file->store, 0, false, &changed);
    assert_true(watches_value(w, 0, 0, &v) && !v.is_changed);
    watches_seen(w);
    write_record(file, 0, 2, false);
    write_record(file, 1, 1, false);
    write_record(file, 2, 1, false);
    publish(file);
    watches_work(w, file->store, 0, false, &changed);
    assert_true(watches_value(w, 0, 0, &v) && v.is_changed);
    assert_true(watches_value(w, 0, 1, &v) && !v.is_changed);
    assert_true(watches_value(w, 0, 2, &v) && v.is_changed);
    write_record(file, 1, 1, false); /* not seen yet: it stays marked */
    publish(file);
    watches_work(w, file->store, 0, false, &changed);
    assert_true(watches_value(w, 0, 0, &v) && v.is_changed);
    watches_seen(w);
    watches_work(w, file->store, 1, false, &changed); /* another moment, without any record */
    assert_true(watches_value(w, 0, 0, &v) && !v.is_changed);
    watches_seen(w);
    store_limit(file->store, 2);
    watches_work(w, file->store, 0, false, &changed);
    assert_true(watches_value(w, 0, 0, &v) && v.is_changed);
    assert_true(watches_value(w, 0, 1, &v) && !v.is_changed);
    assert_false(watches_value(w, 0, 2, &v));
    watches_free(w);
    close_file(file);
}

static void there_are_so_many_at_most_and_each_once(void **state)
{
    (void)state;
    struct condition_error err;
    struct watches *w = make_watches();
    char text[40];
    assert_int_equal(watches_add(w, "payload.v", &err), 0);
    for (int i = 2; i < WATCHES; i++) {
        snprintf(text, sizeof text, "payload.k%d", i);
        assert_int_equal(watches_add(w, text, &err), i);
    }
    assert_int_equal(watches_add(w, "payload.more", &err), -1);
    assert_string_equal(err.text, "column 1: 8 watches are the most; :unwatch removes one");
    watches_remove(w, 2);
    assert_string_equal(watches_text(w, 2), "payload.k3");
    assert_int_equal(watches_add(w, "payload.more", &err), WATCHES - 1);
    watches_begin(w, NULL);
    assert_int_equal(watches_count(w), WATCHES);
    watches_free(w);
}

static void a_long_value_is_cut_and_can_be_had_whole(void **state)
{
    (void)state;
    struct condition_error err;
    struct file *file = open_file();
    struct watches *w = watches_new();
    struct watch_value v;
    struct buffer whole = { 0 };
    bool changed = false;
    watches_begin(w, scenario);
    watches_add(w, "payload", &err);
    store_index_note(&file->index, 0, 0);
    fprintf(file->f,
            "{\"n\":0,\"t\":0,\"kind\":\"local\",\"src\":\"gateway\",\"type\":\"T\",\"payload\":\"%062d"
            "\u00e9\u00e9\u00e9\"}\n",
            0);
    file->count = 1;
    publish(file);
    watches_work(w, file->store, 0, false, &changed);
    assert_true(watches_value(w, 0, 3, &v) && v.is_cut && v.len == 64);
    assert_true(watches_whole(w, 0, &v, file->store, &whole));
    assert_int_equal(whole.len, 68);
    buffer_free(&whole);
    watches_free(w);
    close_file(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_what_the_record_says),
        cmocka_unit_test(a_bad_one_is_refused_with_its_column),
        cmocka_unit_test(values_are_those_of_the_moment),
        cmocka_unit_test(what_is_known_of_an_earlier_moment_is_told_as_old),
        cmocka_unit_test(a_value_that_was_passed_over_is_found_again),
        cmocka_unit_test(what_has_changed_since_it_was_seen_is_marked),
        cmocka_unit_test(there_are_so_many_at_most_and_each_once),
        cmocka_unit_test(a_long_value_is_cut_and_can_be_had_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
