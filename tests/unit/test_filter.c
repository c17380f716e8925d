#include "check.h"

#include <unistd.h>

#include "base/buffer.h"
#include "trace/store_open.h"
#include "ui/filter.h"
#include "ui/pane.h"

#define RECORDS 5000

/* A file of records with a store over it; what is written becomes readable with `publish`. */
struct file {
    FILE *f;
    struct store_index index;
    struct store *store;
    uint64_t count;
    bool has_zones;
};

static void write_record(struct file *file, const char *type, int value)
{
    store_index_note(&file->index, file->count, ftell(file->f));
    char src[16];
    int len = snprintf(src, sizeof src, "s%d", value % 7);
    struct record r = { .n = file->count,
                        .t = (simtime)file->count * 10,
                        .kind = RECORD_MESSAGE,
                        .src = { src, (size_t)len },
                        .dst = { "gw", 2 } };
    if (file->has_zones)
        store_index_zone(&file->index, &r);
    fprintf(file->f,
            "{\"n\":%llu,\"t\":%llu,\"kind\":\"message\",\"id\":%llu,\"src\":\"s%d\",\"dst\":\"gw\",\"type\":\"%s\","
            "\"size\":64,\"payload\":{\"v\":%d,\"text\":\"a\\u0062c\"},\"due\":%llu}\n",
            (unsigned long long)file->count, (unsigned long long)file->count * 10, (unsigned long long)file->count,
            value % 7, type, value, (unsigned long long)file->count * 10 + 500);
    file->count++;
}

static void publish(struct file *file)
{
    fflush(file->f);
    file->index.records = file->count;
    file->index.end = ftell(file->f);
}

static void open_file(struct file *file)
{
    *file = (struct file){ .f = tmpfile() };
    assert_non_null(file->f);
    file->store = store_new(fileno(file->f), &file->index);
}

static void close_file(struct file *file)
{
    store_free(file->store);
    store_index_free(&file->index);
    fclose(file->f);
}

static struct filter *make_filter(const char *text)
{
    struct condition_error err;
    struct condition *c = condition_parse(text, &err);
    if (!c)
        fail_msg("'%s': %s", text, err.text);
    return filter_new(c);
}

static void look_at_all(struct filter *f, struct file *file)
{
    bool changed = false;
    while (filter_work(f, file->store, false, &changed))
        continue;
    assert_true(filter_complete(f, file->count));
}

/* Compares with what a plain walk over all records finds. */
static void check_all(struct filter *f, struct file *file, const bool *holds)
{
    uint64_t k = 0, n;
    for (uint64_t i = 0; i < file->count; i++) {
        if (filter_rank(f, i) != k)
            fail_msg("rank of %d", (int)i);
        if (!holds[i])
            continue;
        if (!filter_select(f, k, &n) || n != i)
            fail_msg("hit %d is not record %d", (int)k, (int)i);
        k++;
    }
    assert_int_equal(filter_count(f), k);
    assert_false(filter_select(f, k, &n));
}

static void all_hits_are_found_from_wherever_it_begins(void **state)
{
    (void)state;
    uint64_t seed = test_seed() | 1;
    static bool holds[RECORDS];
    struct file file;
    open_file(&file);
    file.has_zones = true;
    for (int i = 0; i < RECORDS; i++) {
        int value = (int)(test_random(&seed) % 100);
        holds[i] = value > 60 && value % 7 == 3;
        write_record(&file, "T", value);
    }
    publish(&file);
    for (int round = 0; round < 20; round++) {
        struct filter *f = make_filter("src == s3 && payload.v > 60 && type == T && payload.text == abc && time < 1h");
        filter_go(f, test_random(&seed) % RECORDS);
        look_at_all(f, &file);
        check_all(f, &file, holds);
        filter_free(f);
    }
    close_file(&file);
}

static void what_is_in_sight_has_no_gap(void **state)
{
    (void)state;
    struct file file;
    uint64_t n;
    bool changed = false;
    open_file(&file);
    for (int i = 0; i < RECORDS; i++)
        write_record(&file, i % 1000 == 0 ? "RARE" : "T", i);
    publish(&file);
    struct filter *f = make_filter("type == RARE");
    assert_false(filter_complete(f, file.count));
    look_at_all(f, &file);
    assert_true(filter_select(f, 4, &n));
    assert_int_equal(n, 4000);
    filter_go(f, 4500); /* known of already: nothing goes out of sight */
    assert_int_equal(filter_count(f), 5);
    for (int i = 0; i < 20000; i++) /* and far behind what is known … */
        write_record(&file, i == 19990 ? "RARE" : "T", i);
    publish(&file);
    assert_false(filter_complete(f, file.count));
    filter_go(f, file.count - 1);
    assert_int_equal(filter_count(f), 0);
    filter_work(f, file.store, true, &changed);
    assert_true(changed);
    look_at_all(f, &file);
    assert_int_equal(filter_count(f), 6);
    assert_true(filter_select(f, 5, &n));
    assert_int_equal(n, 24990);
    filter_free(f);
    close_file(&file);
}

static void records_that_come_later_are_looked_at_too(void **state)
{
    (void)state;
    struct file file;
    bool changed = false;
    open_file(&file);
    struct filter *f = make_filter("payload.v == 1");
    assert_false(filter_work(f, file.store, true, &changed));
    for (int i = 0; i < 700; i++) { /* also within a stride, whose lines the store has read before */
        write_record(&file, "T", i % 3);
        publish(&file);
        filter_work(f, file.store, i % 2, &changed);
        if (filter_count(f) != (uint64_t)(i + 2) / 3)
            fail_msg("%d hits after %d records", (int)filter_count(f), i + 1);
    }
    filter_free(f);
    close_file(&file);
}

static void one_record_is_asked_about_by_itself(void **state)
{
    (void)state;
    struct file file;
    open_file(&file);
    for (int i = 0; i < 10; i++)
        write_record(&file, "T", i);
    publish(&file);
    struct filter *f = make_filter("latency == 500us && time == 30us");
    assert_true(filter_holds(f, file.store, 3));
    assert_false(filter_holds(f, file.store, 4));
    assert_false(filter_holds(f, file.store, 400));
    assert_string_equal(filter_text(f), "latency == 500us && time == 30us");
    filter_free(f);
    filter_free(NULL);
    close_file(&file);
}

static bool always(void *data, const struct record *r)
{
    (void)data, (void)r;
    return true;
}

/* How many of all records a query finds, by both ways. */
static int count_found(struct file *file, struct store_query q)
{
    int found = 0, scanned = 0;
    uint64_t hits[STORE_STRIDE / 64];
    q.holds = always;
    for (uint64_t n = 0; store_find(file->store, &q, false, UINT64_MAX, &n) == STORE_FOUND; n++)
        found++;
    for (uint64_t n = 0; n < file->count; n += STORE_STRIDE) {
        store_scan(file->store, &q, n, hits);
        for (int w = 0; w < STORE_STRIDE / 64; w++)
            scanned += __builtin_popcountll(hits[w]);
    }
    int backward = 0;
    for (uint64_t n = file->count - 1; store_find(file->store, &q, true, UINT64_MAX, &n) == STORE_FOUND; n--) {
        backward++;
        if (!n)
            break;
    }
    assert_int_equal(found, scanned);
    assert_int_equal(found, backward);
    return found;
}

static unsigned slot(const char *id)
{
    return store_node_slot((struct text){ id, strlen(id) });
}

static void pass_over(struct file *file)
{
    unsigned message = 1u << RECORD_MESSAGE, drop = 1u << RECORD_DROP;
    assert_int_equal(count_found(file, (struct store_query){ .kinds = message }), 1000);
    assert_int_equal(count_found(file, (struct store_query){ .kinds = drop }), 0);
    assert_int_equal(count_found(file, (struct store_query){ .nodes = { slot("s3") } }), 512); /* whole strides */
    assert_int_equal(count_found(file, (struct store_query){ .nodes = { slot("s3"), slot("s4") } }), 256);
    assert_int_equal(count_found(file, (struct store_query){ .nodes = { slot("s5") } }), 0);
    assert_int_equal(count_found(file, (struct store_query){ .from = 2560, .until = 5110 }), 256);
    assert_int_equal(count_found(file, (struct store_query){ .from = 2559, .until = SIMTIME_NEVER }), 744);
    assert_int_equal(count_found(file, (struct store_query){ .from = 10000, .until = SIMTIME_NEVER }), 0);
    assert_int_equal(count_found(file, (struct store_query){ 0 }), 1000);
}

static void write_thousand(struct file *file)
{
    open_file(file);
    file->has_zones = true;
    for (int i = 0; i < 1000; i++)
        write_record(file, "T", i < 300 ? 3 : 4);
    publish(file);
}

static void most_nodes_have_a_slot_of_their_own(void **state)
{
    (void)state;
    bool taken[STORE_NODE_SLOTS] = { false };
    const char *const formats[] = { "s%d", "sensor%d", "n%03d", "north-gateway-%d" };
    assert_int_equal(slot(""), 0);
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        int own = 0;
        memset(taken, 0, sizeof taken);
        for (int i = 1; i <= 500; i++) {
            char id[40];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(id, sizeof id, formats[f], i);
#pragma GCC diagnostic pop
            unsigned at = slot(id);
            assert_in_range(at, 1, STORE_NODE_SLOTS - 1);
            own += !taken[at];
            taken[at] = true;
        }
        assert_true(own > 350); /* of 500 */
    }
}

static void strides_that_cannot_match_are_passed_over(void **state)
{
    (void)state;
    struct file file;
    write_thousand(&file);
    pass_over(&file);
    close_file(&file);
}

/* Opens what was written as what another run has recorded. */
static void open_recorded(struct file *file, int64_t bytes)
{
    store_free(file->store);
    file->store = store_open(dup(fileno(file->f)));
    while (store_catch_up(file->store, bytes))
        ;
    file->count = store_count(file->store);
}

static void and_so_are_those_of_a_recorded_run(void **state)
{
    (void)state;
    struct file file;
    write_thousand(&file);
    open_recorded(&file, INT64_MAX);
    pass_over(&file);
    close_file(&file);
}

/* Each record's line is longer than what is read of the file at once, or not; the last line is cut. */
static void lines_of_any_length_are_found_and_belong_to_strides_that_may_match(void **state)
{
    (void)state;
    struct file file;
    int count = 600, hits = 0;
    open_file(&file);
    for (int i = 0; i < count; i++) {
        bool is_drop = i == 511, is_long = i % 150 == 100;
        fprintf(file.f,
                is_drop ? "{\"n\":%d,\"t\":%d,\"kind\":\"drop\",\"id\":1,\"reason\":\"%*s\"}\n"
                        : "{\"n\":%d,\"t\":%d,\"kind\":\"local\",\"src\":\"s1\",\"type\":\"T\",\"payload\":\"%*s\"}\n",
                i, i, is_long ? 700000 : 400, "x");
    }
    fputs("{\"n\":600,\"t\":600,\"kind\":\"lo", file.f);
    fflush(file.f);
    open_recorded(&file, 1);
    assert_int_equal(file.count, count);
    for (int i = 0; i < count; i++) {
        struct record r;
        assert_int_equal(store_read(file.store, (uint64_t)i, &r), 0);
        assert_int_equal(r.t, i);
        hits += r.kind == RECORD_DROP;
    }
    assert_int_equal(hits, 1);
    assert_int_equal(count_found(&file, (struct store_query){ .kinds = 1u << RECORD_LOCAL }), count);
    assert_int_equal(count_found(&file, (struct store_query){ .nodes = { slot("s1") } }), count);
    assert_int_equal(count_found(&file, (struct store_query){ .nodes = { slot("s2") }, .kinds = 1u << RECORD_NODE }),
                     count);
    fputs("cal\"}\n", file.f);
    fflush(file.f);
    open_recorded(&file, 1);
    assert_int_equal(file.count, count + 1);
    close_file(&file);
}

/* A title stands on the screen before the list is drawn. */
static void a_title_counts_no_further_than_its_list(void **state)
{
    (void)state;
    struct file file;
    struct buffer title = { 0 };
    open_file(&file);
    for (int i = 0; i < 18; i++)
        write_record(&file, "T", i);
    publish(&file);
    struct view v = { .store = file.store };
    struct pane *p = pane_events_new();
    list_show(&p->list, 19, 10, 0); /* as of a later moment */
    list_go(&p->list, 18);
    assert_true(p->ops->act(p, &v, ACTION_CLICK)); /* which does not follow what comes */
    p->ops->title(p, &v, &title);
    assert_string_equal(buffer_string(&title), " 18 of 18");
    buffer_free(&title);
    p->ops->free(p);
    close_file(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hits_are_found_from_wherever_it_begins),
        cmocka_unit_test(what_is_in_sight_has_no_gap),
        cmocka_unit_test(records_that_come_later_are_looked_at_too),
        cmocka_unit_test(one_record_is_asked_about_by_itself),
        cmocka_unit_test(most_nodes_have_a_slot_of_their_own),
        cmocka_unit_test(strides_that_cannot_match_are_passed_over),
        cmocka_unit_test(and_so_are_those_of_a_recorded_run),
        cmocka_unit_test(lines_of_any_length_are_found_and_belong_to_strides_that_may_match),
        cmocka_unit_test(a_title_counts_no_further_than_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
