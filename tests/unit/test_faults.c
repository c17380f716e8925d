/* Faults of messages and of links, as scenarios say them. */
#include "check.h"

#include <unistd.h>

#include "lockstep/scenario.h"

#define HEAD                                                                                                           \
    "simulation: { duration: 10s, seed: 42 }\nnetwork: { model: latency }\n"                                           \
    "nodes: [{ id: s1, type: sensor }, { id: gateway, type: gateway }]\nfaults:\n"

static struct scenario *load(const char *text)
{
    char path[] = "/tmp/test_faults_XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    struct problems problems = { 0 };
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct scenario *s = scenario_load(path, NULL, 0, &problems);
    if (problems.count)
        problems_print(&problems, stderr);
    assert_int_equal(problems.count, 0);
    problems_clear(&problems);
    unlink(path);
    assert_non_null(s);
    return s;
}

static void messages_are_named_by_their_id(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "  - { at: 1s, message: 5000000000, action: drop }\n"
                  "  - { at: 2s, message: 0, action: delay, for: 20ms }\n"
                  "  - { at: 2s, message: 1, action: delay, to: 2.5s }\n"
                  "  - { at: 3s, message: 2, action: copy }\n"
                  "  - { at: 4s, message: 3, action: edit, payload: '{ \"a\": 1.50, \"b\": \"\\u00e9 x\" }' }\n");
    assert_int_equal(s->fault_count, 5);
    assert_int_equal(s->faults[0].action, FAULT_DROP);
    assert_true(s->faults[0].message == 5000000000u);
    assert_int_equal(s->faults[0].node, -1);
    assert_int_equal(s->faults[1].duration, 20000);
    assert_int_equal(s->faults[1].to, -1);
    assert_int_equal(s->faults[2].to, 2500000);
    assert_int_equal(s->faults[3].action, FAULT_COPY);
    assert_string_equal(s->faults[4].payload,
                        "{\"a\":1.50,\"b\":\"\\u00e9 x\"}"); /* as it was written, but for blanks */
    scenario_free(s);
}

static void a_payload_may_be_a_map(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "  - { at: 1s, message: 3, action: edit, payload: { temperature: 99.50, tags: [a, 1] } }\n"
                  "  - { at: 1s, action: inject, src: s1, dst: gateway, type: T, payload: [] }\n"
                  "  - { at: 1s, action: inject, src: s1, dst: gateway, type: T }\n");
    assert_string_equal(s->faults[0].payload, "{\"temperature\":99.50,\"tags\":[\"a\",1]}");
    assert_string_equal(s->faults[1].payload, "[]");
    assert_int_equal(s->faults[1].src, 0);
    assert_int_equal(s->faults[1].dst, 1);
    assert_string_equal(s->faults[1].type, "T");
    assert_int_equal(s->faults[1].to, -1);
    assert_null(s->faults[2].payload);
    scenario_free(s);
}

static void the_canonical_text_says_every_fault_again(void **state)
{
    (void)state;
    struct scenario *s = load(HEAD "  - { at: 1s, message: 7, action: drop }\n"
                                   "  - { at: 1s, message: 8, action: delay, for: 30us }\n"
                                   "  - { at: 1s, message: 9, action: delay, to: 1.000001s }\n"
                                   "  - { at: 1s, message: 9, action: copy }\n"
                                   "  - { at: 2s, message: 9, action: edit, payload: '[\"\\\\n \\\" : # \\u0001\", "
                                   "-0.0, 1E+5, \"ä日\", \"{\"]' }\n"
                                   "  - { at: 2s, message: 9, action: edit, payload: 'null' }\n"
                                   "  - { at: 3s, action: inject, src: gateway, dst: s1, type: \"a \\\"word\\\"\\n: "
                                   "{\", payload: \"true\", to: 4s }\n"
                                   "  - { at: 3s, link: [s1, gateway], loss: 0.3, by: user }\n"
                                   "  - { at: 3s, node: s1, action: stop }\n"
                                   "  - { at: 4s, node: s1, action: restart, by: user }\n");
    struct scenario *again = load(s->canonical);
    assert_string_equal(again->canonical, s->canonical);
    assert_int_equal(again->fault_count, s->fault_count);
    for (int i = 0; i < s->fault_count; i++) {
        const struct scenario_fault *a = &s->faults[i], *b = &again->faults[i];
        assert_int_equal(a->at, b->at);
        assert_int_equal(a->action, b->action);
        assert_int_equal(a->node, b->node);
        assert_int_equal(a->src, b->src);
        assert_int_equal(a->dst, b->dst);
        assert_int_equal(a->message, b->message);
        assert_int_equal(a->to, b->to);
        assert_int_equal(a->duration, b->duration);
        assert_int_equal(a->by_user, b->by_user);
        assert_true(a->loss == b->loss);
        assert_string_equal(a->type ? a->type : "-", b->type ? b->type : "-");
        assert_string_equal(a->payload ? a->payload : "-", b->payload ? b->payload : "-");
    }
    scenario_free(s);
    scenario_free(again);
}

static void what_messages_become_is_part_of_the_digest(void **state)
{
    (void)state;
    struct scenario *a = load(HEAD "  - { at: 1s, message: 7, action: edit, payload: '1' }\n");
    struct scenario *b = load(HEAD "  - { at: 1s, message: 7, action: edit, payload: '2' }\n");
    assert_string_not_equal(a->digest, b->digest);
    scenario_free(a);
    scenario_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_named_by_their_id),
        cmocka_unit_test(a_payload_may_be_a_map),
        cmocka_unit_test(the_canonical_text_says_every_fault_again),
        cmocka_unit_test(what_messages_become_is_part_of_the_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
