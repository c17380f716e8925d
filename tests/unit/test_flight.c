#include "coordinator_fixture.h"

#include "base/queue.h"
#include "sim/flight.h"

static void keep(struct sink *sink, const struct record *r)
{
    struct fixture *f = (struct fixture *)sink;
    size_t len = strlen(f->log);
    if (r->kind == RECORD_MESSAGE)
        snprintf(f->log + len, sizeof f->log - len, "message %llu %lld %.*s>%.*s %.*s %lld\n",
                 (unsigned long long)r->id, (long long)r->t, (int)r->src.len, r->src.s, (int)r->dst.len, r->dst.s,
                 (int)r->payload.len, r->payload.s ? r->payload.s : "",
                 r->due == SIMTIME_NEVER ? -1LL : (long long)r->due);
    else
        snprintf(f->log + len, sizeof f->log - len, "%s %llu %.*s\n", record_kind_name(r->kind),
                 (unsigned long long)r->id, (int)r->cause.len, r->cause.s);
}

static void set_up(struct fixture *f, enum network_model model)
{
    *f = (struct fixture){ .scenario = { .duration = 1000000, .quantum = 1000, .seed = 7, .network = model } };
    f->links[0] = (struct scenario_link){ .src = 0, .dst = 1, .latency = 12300, .loss = 0.25 };
    f->links[1] = (struct scenario_link){ .src = 1, .dst = 2, .latency = 700, .loss = 0.25 };
    if (model == NETWORK_LATENCY) {
        f->scenario.default_latency = 2500;
        f->scenario.link_count = 2;
    }
    fixture_open(f, keep, false);
}

static void begin(struct fixture *f)
{
    assert_true(coordinator_begin(f->c, 1000000, &f->target));
}

static struct text text_of(const char *s)
{
    return (struct text){ s, strlen(s) };
}

/* A round in which node i takes these: "ID@TIME:PAYLOAD …". */
static void round_takes(struct fixture *f, int i, const char *want)
{
    struct message_list list = { 0 };
    char got[200] = "";
    begin(f);
    coordinator_take(f->c, i, &list);
    for (size_t k = 0, len = 0; k < list.count; k++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%llu@%lld:%.*s", k ? " " : "",
                                (unsigned long long)list.items[k]->id, (long long)list.items[k]->time,
                                (int)list.items[k]->payload.len, list.items[k]->payload.s);
    message_list_free(&list);
    assert_string_equal(got, want);
    coordinator_answered(f->c, i, SIMTIME_NEVER);
    coordinator_end(f->c);
}

static void messages_wait_for_their_node_and_can_be_changed_there(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NETWORK_DIRECT);
    begin(&f);
    for (int i = 0; i < 4; i++)
        send_at(&f, 100 * (i + 1), 0, 1);
    coordinator_end(f.c);
    f.log[0] = '\0';
    flight_drop(f.c, 1);
    flight_edit(f.c, 2, text_of("{\"longer\":[1,2,3]}"), 7);
    flight_delay(f.c, 3, 2500);
    flight_copy(f.c, 2);
    assert_string_equal(f.log, "drop 1 edited\nmessage 4 300 a>b {\"longer\":[1,2,3]} 300\n");
    assert_int_equal(coordinator_counts(f.c)->in_flight, 4);
    round_takes(&f, 1, "0@100:1 2@300:{\"longer\":[1,2,3]} 4@300:{\"longer\":[1,2,3]}");
    round_takes(&f, 1, "");
    round_takes(&f, 1, "3@2500:1");
    assert_int_equal(coordinator_counts(f.c)->in_flight, 0);
    tear_down(&f);
}

static void what_is_put_in_arrives_when_it_was_to(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NETWORK_LATENCY);
    begin(&f);
    send_at(&f, 400, 0, 2); /* due at 2900 */
    coordinator_end(f.c);
    flight_inject(f.c, 1, 2, text_of("Y"), text_of("true"), 1000);
    flight_inject(f.c, 0, 2, text_of("Y"), text_of(""), 2900);
    flight_copy(f.c, 0);
    assert_string_equal(f.log, "message 0 400 a>c 1 2900\nmessage 1 1000 b>c true 1000\nmessage 2 1000 a>c  2900\n"
                               "message 3 400 a>c 1 2900\n");
    round_takes(&f, 2, "1@1000:true");
    round_takes(&f, 2, "");
    round_takes(&f, 2, "0@2900:1 2@2900: 3@2900:1"); /* behind what was there already, as they came */
    assert_int_equal(coordinator_counts(f.c)->messages, 4);
    tear_down(&f);
}

static void a_delay_to_now_waits_no_more(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NETWORK_LATENCY);
    begin(&f);
    send_at(&f, 0, 0, 2);
    coordinator_end(f.c);
    flight_delay(f.c, 0, 1000);
    round_takes(&f, 2, "0@1000:1");
    tear_down(&f);
}

static void what_is_put_in_for_a_node_that_has_failed_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NETWORK_DIRECT);
    begin(&f);
    coordinator_end(f.c);
    coordinator_freeze(f.c, 1);
    flight_inject(f.c, 0, 1, text_of("Y"), text_of("1"), 1000);
    assert_string_equal(f.log, "message 0 1000 a>b 1 -1\ndrop 0 node failed\n");
    assert_int_equal(coordinator_counts(f.c)->in_flight, 0);
    tear_down(&f);
}

/* Whether a message of the listing comes before another one. */
static bool in_order(const struct message *a, const struct message *b)
{
    if (a->time != b->time)
        return a->time < b->time;
    if (a->dst != b->dst)
        return a->dst < b->dst;
    return a->src != b->src ? a->src < b->src : a->id < b->id;
}

/* A round with random traffic. */
static void send_round(struct fixture *f, uint64_t *random)
{
    begin(f);
    for (int i = 0; i < 3; i++) {
        struct message_list list = { 0 };
        coordinator_take(f->c, i, &list);
        message_list_free(&list);
        coordinator_answered(f->c, i, SIMTIME_NEVER);
        for (unsigned k = (unsigned)(test_random(random) % 6); k > 0; k--)
            send_at(f, f->target - 1000 + (simtime)(test_random(random) % 1000), i, (int)(test_random(random) % 3));
    }
    coordinator_end(f->c);
}

/* Something to one message that is there. */
static void act_at_random(struct fixture *f, uint64_t *random)
{
    simtime now = coordinator_counts(f->c)->now;
    const struct message *m;
    uint64_t count = flight_count(f->c);
    if (!count || flight_list(f->c, test_random(random) % count, &m, 1) != 1)
        return;
    switch (test_random(random) % 5) {
    case 0:
        flight_drop(f->c, m->id);
        break;
    case 1:
        flight_delay(f->c, m->id, now + (simtime)(test_random(random) % 8) * 3000); /* many at the same time */
        break;
    case 2:
        flight_copy(f->c, m->id);
        break;
    case 3:
        flight_edit(f->c, m->id, text_of("\"a payload that is longer than before\""), 7);
        break;
    default:
        flight_inject(f->c, m->dst, m->src, text_of("NEW"), text_of("[]"),
                      now + (simtime)(test_random(random) % 8) * 3000);
        break;
    }
}

/* The listing as a whole, read in pages of random sizes, copied: messages come and go. */
static struct message *read_listing(const struct fixture *f, uint64_t *random, size_t *count)
{
    const struct message *page[40];
    size_t all = (size_t)flight_count(f->c), done = 0;
    struct message *list = mem_array(all + 1, sizeof *list);
    while (done < all) {
        size_t got = flight_list(f->c, done, page, 1 + test_random(random) % 40);
        assert_true(got > 0 && done + got <= all);
        for (size_t i = 0; i < got; i++) {
            assert_int_equal(flight_rank(f->c, page[i]->id), done);
            assert_ptr_equal(flight_find(f->c, page[i]->id), page[i]);
            list[done] = *page[i];
            assert_true(!done || in_order(&list[done - 1], &list[done]));
            done++;
        }
    }
    assert_int_equal(flight_list(f->c, all, page, 40), 0);
    assert_int_equal(coordinator_counts(f->c)->in_flight, all);
    *count = all;
    return list;
}

/* Takes everything that comes until nothing is in flight, and strikes it off the list. */
static void check_arrivals(struct fixture *f, struct message *list, size_t count)
{
    size_t left = count;
    while (coordinator_counts(f->c)->in_flight) {
        begin(f);
        for (int i = 0; i < 3; i++) {
            struct message_list got = { 0 };
            coordinator_take(f->c, i, &got);
            for (size_t k = 0; k < got.count; k++) {
                const struct message *m = got.items[k];
                struct message *listed = list;
                while (listed < list + count && listed->id != m->id)
                    listed++;
                assert_true(listed < list + count && listed->dst == i && listed->src == m->src);
                assert_int_equal(listed->time, m->time);
                assert_true(m->time <= f->target - 1000);
                listed->id = UINT64_MAX;
                left--;
            }
            message_list_free(&got);
            coordinator_answered(f->c, i, SIMTIME_NEVER);
        }
        coordinator_end(f->c);
    }
    assert_int_equal(left, 0);
}

static void the_listing_is_what_later_arrives(void **state)
{
    (void)state;
    uint64_t random = test_seed() | 1;
    for (int round = 0; round < 40; round++) {
        struct fixture f;
        size_t count;
        set_up(&f, round % 2 ? NETWORK_LATENCY : NETWORK_DIRECT);
        for (int i = 0; i < 30; i++) {
            send_round(&f, &random);
            for (unsigned k = (unsigned)(test_random(&random) % 4); k > 0; k--)
                act_at_random(&f, &random);
        }
        struct message *list = read_listing(&f, &random, &count);
        check_arrivals(&f, list, count);
        free(list);
        tear_down(&f);
    }
}

static void a_page_begins_anywhere_among_messages_of_one_time(void **state)
{
    (void)state;
    uint64_t random = test_seed() | 1;
    for (int round = 0; round < 40; round++) {
        struct fixture f;
        size_t count;
        set_up(&f, round % 2 ? NETWORK_LATENCY : NETWORK_DIRECT);
        begin(&f);
        for (int i = 0; i < 50; i++)
            send_at(&f, (simtime)(test_random(&random) % 3) * 300, 2, (int)(test_random(&random) % 3));
        coordinator_end(f.c);
        for (unsigned i = 0; i < 200; i++)
            flight_inject(f.c, (int)(test_random(&random) % 3), (int)(test_random(&random) % 3), text_of("X"),
                          text_of("1"), 1000 + (simtime)(test_random(&random) % 4) * 500);
        free(read_listing(&f, &random, &count));
        assert_int_equal(count, 250);
        tear_down(&f);
    }
}

/* The fates of what is sent behind a number of acts. */
static void fates_behind(bool with_acts, char *out, size_t size)
{
    struct fixture f;
    set_up(&f, NETWORK_LATENCY);
    begin(&f);
    for (int i = 0; i < 5; i++)
        send_at(&f, i, 0, 2);
    coordinator_end(f.c);
    if (with_acts) {
        flight_drop(f.c, 0);
        flight_copy(f.c, 1);
        flight_delay(f.c, 1, 5000);
        flight_edit(f.c, 2, text_of("2"), 7);
        flight_inject(f.c, 0, 1, text_of("Y"), text_of("1"), 1000);
        flight_inject(f.c, 1, 2, text_of("Y"), text_of("1"), 4000);
    }
    f.log[0] = *out = '\0';
    begin(&f);
    for (int i = 0; i < 40; i++)
        send_at(&f, 1000, i % 2, 1 + i % 2);
    for (const char *line = f.log; *line; line = strchr(line, '\n') + 1)
        snprintf(out + strlen(out), size - strlen(out), "%c", *line); /* m, or d for what is lost */
    tear_down(&f);
}

static void what_is_done_by_hand_moves_no_draw(void **state)
{
    (void)state;
    char without[200], with[200];
    fates_behind(false, without, sizeof without);
    fates_behind(true, with, sizeof with);
    assert_non_null(strchr(without, 'd'));
    assert_string_equal(without, with);
}

static void a_queue_keeps_its_order_when_events_are_taken_out_of_it(void **state)
{
    (void)state;
    uint64_t random = test_seed() | 1;
    for (int round = 0; round < 200; round++) {
        struct queue *q = queue_new(1000);
        bool there[300] = { false };
        size_t left = 0;
        for (size_t i = 0; i < 300; i++) {
            if (test_random(&random) % 3 || !left) {
                assert_int_equal(queue_push(q, (simtime)(test_random(&random) % (round % 2 ? 9 : 900)), 0, &there[i]),
                                 0);
                there[i] = true;
                left++;
                continue;
            }
            size_t at = (size_t)(test_random(&random) % left--);
            bool *gone = queue_at(q, at)->data;
            assert_true(*gone);
            *gone = false;
            queue_remove(q, at);
            assert_int_equal(queue_count(q), left);
        }
        struct event e, last = { .time = -1 };
        for (; queue_pop(q, &e); last = e, left--) {
            assert_true(*(bool *)e.data);
            assert_true(e.time > last.time || (e.time == last.time && e.serial > last.serial));
        }
        assert_int_equal(left, 0);
        queue_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_wait_for_their_node_and_can_be_changed_there),
        cmocka_unit_test(what_is_put_in_arrives_when_it_was_to),
        cmocka_unit_test(a_delay_to_now_waits_no_more),
        cmocka_unit_test(what_is_put_in_for_a_node_that_has_failed_is_dropped),
        cmocka_unit_test(the_listing_is_what_later_arrives),
        cmocka_unit_test(a_page_begins_anywhere_among_messages_of_one_time),
        cmocka_unit_test(what_is_done_by_hand_moves_no_draw),
        cmocka_unit_test(a_queue_keeps_its_order_when_events_are_taken_out_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
