#include "check.h"

#include "node/models/readings.h"

/* The definition, word for word: ids in the order in which they first came, readings in order of arrival. */
struct plain {
    int64_t ids[4000];
    double values[4000];
    int count;
};

static double mean_of(const struct plain *p)
{
    double sum = 0;
    for (int first = 0; first < p->count; first++) {
        int earlier = 0;
        while (p->ids[earlier] != p->ids[first])
            earlier++;
        if (earlier < first)
            continue; /* this id has been added */
        for (int i = first; i < p->count; i++)
            if (p->ids[i] == p->ids[first])
                sum += p->values[i];
    }
    return sum / p->count;
}

/* Readings of sensors whose ids drift apart by `drift`, compared at every `check`-th. */
static void compare(size_t window, int count, uint64_t drift, int check, uint64_t *seed)
{
    static struct plain p;
    struct readings *r = readings_new(window);
    struct readings_summary s;
    struct error err = { 0 };
    p.count = 0;
    for (int i = 0; i < count; i++) {
        int64_t id = i / 3 - (int64_t)(test_random(seed) % (drift + 1));
        double value = 20.0 + (double)(int64_t)test_random(seed) / 1e18;
        p.ids[p.count] = id;
        p.values[p.count++] = value;
        assert_int_equal(readings_add(r, id, value, &err), 0);
        if (i % check == check - 1) {
            assert_int_equal(readings_summarize(r, &s, &err), 0);
            assert_int_equal(s.count, p.count);
            assert_true(s.mean == mean_of(&p));
        }
    }
    readings_free(r);
}

static void the_mean_is_that_of_the_definition_whatever_comes_late(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int round = 0; round < 40; round++)
        compare(2 + test_random(&seed) % 60, 300, (uint64_t)round * 4, 1 + (int)(test_random(&seed) % 40), &seed);
    compare(READINGS_WINDOW, 1000, 50, 100, &seed);
}

static void one_id_for_all_readings_is_summed_too(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    compare(4, 3, 0, 1, &seed);
    struct readings *r = readings_new(4);
    struct readings_summary s;
    struct error err = { 0 };
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum += i * 0.1;
        assert_int_equal(readings_add(r, 7, i * 0.1, &err), 0);
    }
    assert_int_equal(readings_summarize(r, &s, &err), 0);
    assert_true(s.mean == sum / 1000);
    assert_true(s.least == 0 && s.most == 999 * 0.1);
    readings_free(r);
}

static void without_readings_there_is_nothing_to_tell(void **state)
{
    (void)state;
    struct readings *r = readings_new(READINGS_WINDOW);
    struct readings_summary s;
    struct error err = { 0 };
    assert_int_equal(readings_summarize(r, &s, &err), 0);
    assert_int_equal(s.count, 0);
    readings_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_is_that_of_the_definition_whatever_comes_late),
        cmocka_unit_test(one_id_for_all_readings_is_summed_too),
        cmocka_unit_test(without_readings_there_is_nothing_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
