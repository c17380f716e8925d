#include "check.h"

#include "session/breakpoints.h"

static int add(struct breakpoints *b, const char *text)
{
    struct condition_error err;
    int id = breakpoints_add(b, text, BREAKPOINT_PAUSE, &err);
    if (id < 0)
        fail_msg("'%s': %s", text, err.text);
    return id;
}

static void record(struct breakpoints *b, uint64_t n, const char *type)
{
    struct record r = {
        .n = n, .kind = RECORD_LOCAL, .src = { "a", 1 }, .type = { type, strlen(type) }, .dst_node = -1
    };
    breakpoints_sink(b)->record(breakpoints_sink(b), &r);
}

static struct breakpoint get(struct breakpoints *b, size_t i)
{
    struct breakpoint out;
    assert_true(breakpoints_get(b, i, &out));
    return out;
}

static void the_first_record_of_a_quantum_is_told_at_its_barrier(void **state)
{
    (void)state;
    struct breakpoints *b = breakpoints_new();
    int id = add(b, "type == B");
    assert_false(breakpoints_take(b, 1000, 0));
    record(b, 0, "A");
    record(b, 1, "B");
    record(b, 2, "B");
    assert_int_equal(breakpoints_hit(b)->serial, 0);
    assert_true(breakpoints_take(b, 2000, 3));
    const struct breakpoint_hit *hit = breakpoints_hit(b);
    assert_int_equal(hit->serial, 1);
    assert_int_equal(hit->id, id);
    assert_int_equal(hit->record, 1);
    assert_int_equal(hit->now, 2000);
    assert_int_equal(hit->action, BREAKPOINT_PAUSE);
    assert_int_equal(hit->others, 0);
    assert_string_equal(hit->text, "type == B");
    assert_int_equal(get(b, 0).hits, 2);
    assert_int_equal(get(b, 0).record, 2);
    assert_false(breakpoints_take(b, 2000, 3));
    assert_false(breakpoints_take(b, 3000, 3));
    breakpoints_free(b);
}

static void a_time_is_reached_once(void **state)
{
    (void)state;
    struct breakpoints *b = breakpoints_new();
    add(b, "2.5ms");
    add(b, "1ms");
    assert_int_equal(breakpoints_next_time(b, 0), 1000);
    assert_int_equal(breakpoints_next_time(b, 1000), 2500);
    assert_int_equal(breakpoints_next_time(b, 2500), SIMTIME_NEVER);
    assert_true(breakpoints_take(b, 1000, 5));
    assert_true(breakpoints_hit(b)->is_time);
    assert_string_equal(breakpoints_hit(b)->text, "1ms");
    assert_false(breakpoints_take(b, 2000, 5));
    assert_true(breakpoints_take(b, 3000, 5)); /* the first barrier behind it */
    assert_false(breakpoints_take(b, 4000, 5));
    add(b, "3ms"); /* has passed */
    assert_false(breakpoints_take(b, 5000, 5));
    breakpoints_free(b);
}

static void words_change_what_it_does(void **state)
{
    (void)state;
    struct breakpoints *b = breakpoints_new();
    add(b, "  once type == A");
    add(b, "hit 3 note type == A");
    add(b, "abort type == C");
    add(b, "once 9ms");
    assert_string_equal(get(b, 0).text, "once type == A");
    record(b, 0, "A");
    assert_true(breakpoints_take(b, 1, 1));
    assert_int_equal(breakpoints_hit(b)->id, 1);
    assert_int_equal(breakpoints_count(b), 3);
    assert_int_equal(get(b, 0).id, 2);
    assert_int_equal(get(b, 0).to_go, 2);
    record(b, 1, "A");
    assert_false(breakpoints_take(b, 2, 2));
    record(b, 2, "A");
    assert_true(breakpoints_take(b, 3, 3));
    assert_int_equal(breakpoints_hit(b)->action, BREAKPOINT_NOTE);
    assert_int_equal(breakpoints_hit(b)->record, 2);
    record(b, 3, "A");
    assert_true(breakpoints_take(b, 4, 4)); /* and each one after that */
    record(b, 4, "A");
    record(b, 5, "C");
    assert_true(breakpoints_take(b, 5, 6));
    assert_int_equal(breakpoints_hit(b)->action, BREAKPOINT_ABORT); /* the strongest */
    assert_int_equal(breakpoints_hit(b)->record, 5);
    assert_int_equal(breakpoints_hit(b)->others, 1);
    assert_int_equal(get(b, 0).hits, 5);
    assert_true(breakpoints_take(b, 9000, 6));
    assert_int_equal(breakpoints_count(b), 2);
    breakpoints_free(b);
}

static void they_are_enabled_changed_and_removed_by_id(void **state)
{
    (void)state;
    struct condition_error err;
    struct breakpoints *b = breakpoints_new();
    int first = add(b, "type == A"), second = add(b, "type == B");
    assert_true(breakpoints_enable(b, first, false));
    record(b, 0, "A");
    assert_false(breakpoints_take(b, 1, 1));
    assert_true(breakpoints_enable(b, first, true));
    record(b, 1, "A");
    assert_true(breakpoints_enable(b, first, false)); /* before the barrier */
    assert_false(breakpoints_take(b, 2, 2));
    assert_true(breakpoints_change(b, second, "once type == A", &err));
    assert_true(get(b, 1).once);
    assert_int_equal(get(b, 1).id, second);
    assert_false(breakpoints_change(b, second, "type ==", &err));
    assert_string_equal(err.text, "column 8: expected a value after '=='");
    assert_string_equal(get(b, 1).text, "once type == A");
    assert_true(breakpoints_remove(b, first));
    assert_false(breakpoints_remove(b, first));
    assert_false(breakpoints_enable(b, first, true));
    assert_false(breakpoints_change(b, first, "size > 1", &err));
    record(b, 2, "A");
    assert_true(breakpoints_take(b, 3, 3));
    assert_int_equal(breakpoints_count(b), 0);
    breakpoints_free(b);
}

static void a_new_run_begins_from_nothing(void **state)
{
    (void)state;
    struct breakpoints *b = breakpoints_new();
    add(b, "hit 2 type == A");
    add(b, "5ms");
    add(b, "count(type == A) >= 3");
    for (int run = 0; run < 2; run++) {
        struct scenario s = { 0 };
        breakpoints_attach(b, &s, NULL);
        record(b, 0, "A");
        assert_false(breakpoints_take(b, 1000, 1));
        record(b, 1, "A");
        assert_true(breakpoints_take(b, 2000, 2));
        assert_int_equal(breakpoints_hit(b)->others, 0);
        record(b, 2, "A");
        assert_true(breakpoints_take(b, 5000, 3));
        assert_int_equal(breakpoints_hit(b)->others, 2);
        assert_int_equal(get(b, 0).hits, 3);
        breakpoints_detach(b);
    }
    breakpoints_free(b);
}

static void bad_ones_are_refused_with_the_column_in_the_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum breakpoint_action action;
        const char *why;
    } rows[] = {
        { "once note type = A", BREAKPOINT_PAUSE, "column 16: expected == (a single = compares nothing)" },
        { "hit 0 type == A", BREAKPOINT_PAUSE, "column 5: expected a number above 0 after 'hit', then a condition" },
        { "hit many type == A", BREAKPOINT_PAUSE, "column 5: expected a number above 0 after 'hit', then a condition" },
        { "hit 2 5s", BREAKPOINT_PAUSE, "column 1: a time is reached once only; leave 'hit' out" },
        { "once 5parsec", BREAKPOINT_PAUSE, "column 6: not a time; the units are us, ms, s, min and h" },
        { "", BREAKPOINT_PAUSE,
          "column 1: expected a condition, for example type == TRANSMIT && payload.temperature > 25" },
        { "once type == A", BREAKPOINT_END,
          "column 1: unknown field 'once'; there are kind, time, id, src, dst, type, "
          "size, latency, state, cause, payload.KEY, node.state and node.step_time" },
        { "node.step_time > 1ms", BREAKPOINT_END,
          "column 1: node.step_time depends on the wall clock, and where the run ends must not" },
    };
    struct breakpoints *b = breakpoints_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition_error err;
        assert_int_equal(breakpoints_add(b, rows[i].text, rows[i].action, &err), -1);
        assert_string_equal(err.text, rows[i].why);
    }
    assert_int_equal(breakpoints_count(b), 0);
    breakpoints_free(b);
    breakpoints_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_record_of_a_quantum_is_told_at_its_barrier),
        cmocka_unit_test(a_time_is_reached_once),
        cmocka_unit_test(words_change_what_it_does),
        cmocka_unit_test(they_are_enabled_changed_and_removed_by_id),
        cmocka_unit_test(a_new_run_begins_from_nothing),
        cmocka_unit_test(bad_ones_are_refused_with_the_column_in_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
