#include "coordinator_fixture.h"

/* One line a record. */
static void keep(struct sink *sink, const struct record *r)
{
    struct fixture *f = (struct fixture *)sink;
    size_t len = strlen(f->log);
    char due[30] = "";
    if (r->kind == RECORD_MESSAGE && r->due != SIMTIME_NEVER)
        snprintf(due, sizeof due, " due %lld", (long long)r->due);
    snprintf(f->log + len, sizeof f->log - len, "%s %lld %.*s>%.*s%s%s%.*s\n", record_kind_name(r->kind),
             (long long)r->t, (int)r->src.len, r->src.s ? r->src.s : "", (int)r->dst.len, r->dst.s ? r->dst.s : "", due,
             r->cause.len ? " " : "", (int)r->cause.len, r->cause.s ? r->cause.s : "");
}

static void set_up(struct fixture *f, enum network_model model, bool skip)
{
    *f = (struct fixture){ .scenario = { .duration = 10000, .quantum = 1000, .seed = 1, .network = model } };
    f->scenario.default_latency = model == NETWORK_LATENCY ? 2500 : 0;
    fixture_open(f, keep, skip);
}

/* Takes what node i has waiting; returns how many messages, with the time of the first. */
static size_t take(struct fixture *f, int i, simtime *first)
{
    struct message_list list = { 0 };
    coordinator_take(f->c, i, &list);
    size_t count = list.count;
    if (count && first)
        *first = list.items[0]->time;
    message_list_free(&list);
    return count;
}

static void a_direct_message_is_handled_in_the_next_round_at_its_own_time(void **state)
{
    (void)state;
    struct fixture f;
    simtime target, t;
    set_up(&f, NETWORK_DIRECT, false);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(target, 1000);
    send_at(&f, 300, 0, 1);
    coordinator_end(f.c);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(take(&f, 1, &t), 1);
    assert_int_equal(t, 300);
    assert_string_equal(f.log, "message 300 a>b due 300\n");
    tear_down(&f);
}

static void a_delayed_message_becomes_pending_at_the_first_barrier_not_before_it(void **state)
{
    (void)state;
    struct fixture f;
    simtime target, t;
    set_up(&f, NETWORK_LATENCY, false);
    assert_true(coordinator_begin(f.c, 10000, &target));
    send_at(&f, 500, 0, 1); /* due at 3000, a barrier */
    coordinator_end(f.c);
    for (int round = 0; round < 2; round++) {
        assert_true(coordinator_begin(f.c, 10000, &target));
        assert_int_equal(take(&f, 1, NULL), 0);
        coordinator_end(f.c);
    }
    assert_int_equal(coordinator_counts(f.c)->in_flight, 1);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(take(&f, 1, &t), 1);
    assert_int_equal(t, 3000);
    coordinator_end(f.c);
    assert_int_equal(coordinator_counts(f.c)->in_flight, 0);
    tear_down(&f);
}

static void idle_quanta_are_skipped_to_the_barrier_before_the_next_event(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_LATENCY, true);
    coordinator_answered(f.c, 0, 4500);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(target, 5000);
    assert_int_equal(coordinator_counts(f.c)->skipped, 4);
    assert_true(coordinator_must_grant(f.c, 0));
    assert_false(coordinator_must_grant(f.c, 1));
    send_at(&f, 4500, 0, 2); /* due at 7000 */
    coordinator_answered(f.c, 0, SIMTIME_NEVER);
    coordinator_end(f.c);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(target, 8000);
    assert_int_equal(take(&f, 2, NULL), 1);
    coordinator_end(f.c);
    assert_false(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(coordinator_counts(f.c)->quanta, 10);
    tear_down(&f);
}

static void the_next_activity_is_the_quantum_of_the_first_event_or_arrival(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_LATENCY, true);
    assert_int_equal(coordinator_next_activity(f.c), 10000);
    coordinator_answered(f.c, 0, 4500);
    assert_int_equal(coordinator_next_activity(f.c), 5000);
    coordinator_begin(f.c, 10000, &target);
    send_at(&f, 4500, 0, 1); /* due at 7000, a barrier */
    coordinator_answered(f.c, 0, SIMTIME_NEVER);
    coordinator_end(f.c);
    assert_int_equal(coordinator_next_activity(f.c), 8000);
    tear_down(&f);
}

static void no_skip_goes_beyond_the_limit(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, true);
    assert_false(coordinator_begin(f.c, 3000, &target));
    assert_int_equal(coordinator_counts(f.c)->now, 3000);
    tear_down(&f);
}

static void a_node_that_says_nothing_of_its_next_event_is_granted_every_quantum(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, true);
    coordinator_answered(f.c, 1, NEXT_UNKNOWN);
    assert_true(coordinator_begin(f.c, 10000, &target));
    assert_int_equal(target, 1000);
    assert_true(coordinator_must_grant(f.c, 1));
    assert_false(coordinator_must_grant(f.c, 0));
    tear_down(&f);
}

static void the_last_quantum_may_be_shorter(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, true);
    f.scenario.duration = 9500;
    coordinator_answered(f.c, 0, 9200);
    assert_true(coordinator_begin(f.c, 9500, &target));
    assert_int_equal(target, 9500);
    coordinator_answered(f.c, 0, SIMTIME_NEVER);
    coordinator_end(f.c);
    assert_int_equal(coordinator_counts(f.c)->quanta, 10);
    tear_down(&f);
}

static void a_message_to_an_unknown_node_is_a_drop(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, false);
    coordinator_begin(f.c, 10000, &target);
    send_at(&f, 10, 0, DESTINATION_UNKNOWN);
    coordinator_end(f.c);
    assert_string_equal(f.log, "message 10 a>nobody\ndrop 10 > unknown destination\n");
    assert_int_equal(coordinator_counts(f.c)->dropped, 1);
    tear_down(&f);
}

static void a_broadcast_reaches_every_other_node(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, false);
    coordinator_begin(f.c, 10000, &target);
    send_at(&f, 10, 1, DESTINATION_ALL);
    coordinator_end(f.c);
    assert_string_equal(f.log, "message 10 b>a due 10\nmessage 10 b>c due 10\n");
    coordinator_begin(f.c, 10000, &target);
    assert_int_equal(take(&f, 0, NULL), 1);
    assert_int_equal(take(&f, 1, NULL), 0);
    assert_int_equal(take(&f, 2, NULL), 1);
    coordinator_end(f.c);
    tear_down(&f);
}

static void a_lossy_link_drops_what_its_own_stream_says(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_LATENCY, false);
    coordinator_free(f.c);
    f.links[0] = (struct scenario_link){ .src = 0, .dst = 1, .latency = 1000, .loss = 0.5 };
    f.scenario.link_count = 1;
    f.c = coordinator_new(&f.scenario, f.bus, false);
    coordinator_begin(f.c, 10000, &target);
    for (int i = 0; i < 6; i++)
        send_at(&f, i, 0, 1);
    for (int i = 0; i < 6; i++)
        send_at(&f, i, 1, 0); /* not configured, no loss */
    coordinator_end(f.c);
    /* Python: random.Random(int.from_bytes(sha256(b"a_b_1").digest()[:8], "big")), six times random() < 0.5 */
    static const char *const fate[] = { "message 0 a>b due 1000\n", "message 1 a>b due 1001\n", "message 2 a>b\n",
                                        "message 3 a>b\n", "message 4 a>b\n", "message 5 a>b\n" };
    for (int i = 0; i < 6; i++)
        assert_non_null(strstr(f.log, fate[i]));
    assert_int_equal(coordinator_counts(f.c)->dropped, 4);
    assert_int_equal(coordinator_counts(f.c)->in_flight, 8);
    tear_down(&f);
}

static void more_in_flight_than_the_limit_is_a_drop_with_that_reason(void **state)
{
    (void)state;
    struct fixture f;
    simtime target;
    set_up(&f, NETWORK_DIRECT, false);
    bus_free(f.bus);
    f.bus = bus_new(); /* a million lines are too many for the log */
    coordinator_free(f.c);
    f.c = coordinator_new(&f.scenario, f.bus, false);
    coordinator_begin(f.c, 10000, &target);
    for (unsigned i = 0; i < COORDINATOR_IN_FLIGHT_MAX; i++)
        send_at(&f, 1, 0, 1);
    assert_int_equal(coordinator_counts(f.c)->dropped, 0);
    bus_attach(f.bus, &f.sink);
    send_at(&f, 1, 0, 1);
    assert_string_equal(f.log, "message 1 a>b\ndrop 1 > limit\n");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direct_message_is_handled_in_the_next_round_at_its_own_time),
        cmocka_unit_test(a_delayed_message_becomes_pending_at_the_first_barrier_not_before_it),
        cmocka_unit_test(idle_quanta_are_skipped_to_the_barrier_before_the_next_event),
        cmocka_unit_test(the_next_activity_is_the_quantum_of_the_first_event_or_arrival),
        cmocka_unit_test(no_skip_goes_beyond_the_limit),
        cmocka_unit_test(a_node_that_says_nothing_of_its_next_event_is_granted_every_quantum),
        cmocka_unit_test(the_last_quantum_may_be_shorter),
        cmocka_unit_test(a_message_to_an_unknown_node_is_a_drop),
        cmocka_unit_test(a_broadcast_reaches_every_other_node),
        cmocka_unit_test(a_lossy_link_drops_what_its_own_stream_says),
        cmocka_unit_test(more_in_flight_than_the_limit_is_a_drop_with_that_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
