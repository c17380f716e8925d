#include "protocol_fixture.h"

#include "node/wire.h"

static void init_is_written_in_both_dialects(void **state)
{
    (void)state;
    static char config[] = "{\"interval\":\"2s\",\"gain\":1.10}", ml[] = "{\"placement\":\"edge\"}";
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    protocol_init(&f.p, &f.n, &f.out);
    out_is(&f, "INIT n1 {\"seed\": 42}\n");
    assert_int_equal(f.p.expect, EXPECT_READY);
    f.out.len = 0;
    f.s->nodes[0].config_json = config;
    f.s->ml = (struct ml_inference){ .placement = PLACEMENT_EDGE, .json = ml };
    f.s->seed = INT64_MAX;
    protocol_init(&f.p, &f.n, &f.out);
    out_is(&f, "INIT n1 {\"seed\": 9223372036854775807, \"config\": {\"interval\":\"2s\",\"gain\":1.10}, "
               "\"ml_inference\": {\"placement\":\"edge\"}}\n");
    f.out.len = 0;
    f.s->nodes[0].dialect = DIALECT_SERVICE;
    f.s->nodes[0].config_json = f.s->nodes[1].config_json;
    f.s->seed = 0;
    protocol_init(&f.p, &f.n, &f.out);
    out_is(&f, "INIT {\"seed\": 0, \"ml_inference\": {\"placement\":\"edge\"}}\n");
    tear_down(&f);
}

static void a_grant_is_written_byte_for_byte_in_both_dialects(void **state)
{
    (void)state;
    struct fixture f;
    for (enum dialect d = DIALECT_NODE; d <= DIALECT_SERVICE; d++) {
        set_up(&f, d);
        advance(&f, 0, 1000);
        out_is(&f, "ADVANCE 1000\n[]\n");
        hand_over(&f, 1500, 1, "TRANSMIT", "{\"temperature\":21.10,\"n\":123456789012345678901234567890}", 64);
        hand_over(&f, 900, 0, "a \"b\"\\\n\x1b\xc3\xa9", "", 4294967295);
        advance(&f, 1000, 9007199254740991);
        if (d == DIALECT_NODE)
            out_is(&f, "ADVANCE 9007199254740991\n"
                       "[{\"time_us\":1500,\"type\":\"TRANSMIT\",\"src\":\"gateway\",\"dst\":\"n1\","
                       "\"payload\":{\"temperature\":21.10,\"n\":123456789012345678901234567890},\"size_bytes\":64},"
                       "{\"time_us\":900,\"type\":\"a \\\"b\\\"\\\\\\n\\u001b\xc3\xa9\",\"src\":\"n1\",\"dst\":\"n1\","
                       "\"payload\":null,\"size_bytes\":4294967295}]\n");
        else
            out_is(&f,
                   "ADVANCE 9007199254740991\n"
                   "[{\"timestamp_us\":1500,\"event_type\":\"TRANSMIT\",\"source\":\"gateway\",\"destination\":\"n1\","
                   "\"payload\":{\"temperature\":21.10,\"n\":123456789012345678901234567890}},"
                   "{\"timestamp_us\":900,\"event_type\":\"a \\\"b\\\"\\\\\\n\\u001b\xc3\xa9\",\"source\":\"n1\","
                   "\"destination\":\"n1\",\"payload\":null}]\n");
        f.out.len = 0;
        protocol_shutdown(&f.p, &f.out);
        out_is(&f, "SHUTDOWN\n");
        assert_int_equal(f.p.expect, EXPECT_NOTHING);
        tear_down(&f);
    }
}

static void ready_and_done_say_when_the_next_event_is(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        simtime next; /* after a grant up to 5000 */
    } cases[] = {
        { "", -1 },
        { " ", -1 },
        { " {}", -1 },
        { "{}", -1 },
        { " {\"next\": 1, \"x\": {\"next_us\": 7000}}", -1 },
        { " {\"next_us\": 5000}", 5000 },
        { " {\"next_us\": 5001} ", 5001 },
        { " {\"next_us\": 4999}", 5000 },
        { " {\"next_us\":0}", 5000 },
        { " {\"next_us\": 6e3}", 6000 },
        { " {\"next_us\": 6000.0, \"later\": [1, {\"a\": null}]}", 6000 },
        { "\t{\"next_us\":null}", SIMTIME_NEVER },
        { " {\"next_us\":9007199254740991}", SIMTIME_MAX },
        { " {\"next_us\": \"x\", \"next_us\": 7000}", 7000 },
        { " {\"n\\u0065xt_us\": 7000}", 7000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char line[100];
        set_up(&f, DIALECT_NODE);
        protocol_init(&f.p, &f.n, &f.out);
        snprintf(line, sizeof line, "READY%s", cases[i].options);
        say(&f, line);
        assert_true(f.n.answer.done);
        assert_int_equal(f.p.expect, EXPECT_NOTHING);
        if (cases[i].next > 5000 || cases[i].next < 0)
            assert_int_equal(f.n.answer.next, cases[i].next);
        f.n.answer.next = 77;
        advance(&f, 4000, 5000);
        snprintf(line, sizeof line, "DONE%s", cases[i].options);
        say(&f, line);
        assert_false(f.n.answer.done);
        assert_int_equal(f.p.expect, EXPECT_MESSAGES);
        say(&f, "[]");
        assert_true(f.n.answer.done);
        if (f.n.answer.next != cases[i].next)
            fail_msg("DONE%s: %lld", cases[i].options, (long long)f.n.answer.next);
        warnings_are(&f, "");
        tear_down(&f);
    }
}

static void an_answer_becomes_messages(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    f.n.index = 0;
    advance(&f, 1000, 2000);
    answer(&f, " [ {\"time_us\": 1000, \"type\": \"TRANSMIT\", \"src\": \"n1\", \"dst\": \"gateway\", "
               "\"payload\": {\"a b\" : [1.10 , \"x y\"]}, \"size_bytes\": 64},\t"
               "{\"type\":\"\",\"time_us\":1999.0,\"src\":null,\"dst\":null,\"payload\":null,\"size_bytes\":null},"
               "{\"type\":\"A\",\"time_us\":1.5e3,\"dst\":\"*\",\"payload\":\"\\u00e9\"},"
               "{\"type\":\"A\",\"time_us\":1500,\"dst\":\"no\\nbody\",\"payload\":false},"
               "{\"type\":\"A\",\"time_us\":1500,\"dst\":\"gateway\\u0000\"},"
               "{\"type\":\"A\",\"time_us\":1500,\"dst\":\"\",\"size_bytes\":7.0},"
               "{\"type\":\"A\",\"time_us\":1500,\"dst\":\"n1\",\"payload\":0}] ");
    warnings_are(&f, "");
    assert_int_equal(f.n.answer.sent.count, 7);
    const struct message *m = sent(&f, 0);
    assert_true(m->time == 1000 && m->origin == 1000 && m->src == 0 && m->dst == 1 && m->size == 64);
    assert_true(m->latency == -1 && !m->reading.known);
    assert_text(m->type, "TRANSMIT");
    assert_text(m->payload, "{\"a b\":[1.10,\"x y\"]}");
    m = sent(&f, 1);
    assert_true(m->time == 1999 && m->dst == DESTINATION_NONE && m->size == 0);
    assert_text(m->type, "");
    assert_text(m->payload, "");
    m = sent(&f, 2);
    assert_true(m->time == 1500 && m->dst == DESTINATION_ALL && m->size == 8);
    assert_text(m->payload, "\"\\u00e9\"");
    m = sent(&f, 3);
    assert_true(m->dst == DESTINATION_UNKNOWN && m->size == 5);
    assert_text(m->unknown_dst, "no\nbody");
    m = sent(&f, 4); /* a NUL does not cut an id short */
    assert_int_equal(m->dst, DESTINATION_UNKNOWN);
    assert_int_equal(m->unknown_dst.len, 8);
    m = sent(&f, 5);
    assert_true(m->dst == DESTINATION_UNKNOWN && m->unknown_dst.len == 0 && m->size == 7);
    assert_int_equal(sent(&f, 6)->dst, 0);
    tear_down(&f);
}

static void the_other_dialect_has_its_own_keys(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_SERVICE);
    advance(&f, 0, 1000);
    answer(&f,
           "[{\"timestamp_us\":5,\"event_type\":\"A\",\"source\":\"n1\",\"destination\":\"gateway\",\"payload\":[ 1 ],"
           "\"size_bytes\":99,\"type\":\"B\",\"time_us\":6,\"src\":\"x\",\"dst\":\"y\",\"\":1}]");
    warnings_are(&f, "");
    const struct message *m = sent(&f, 0);
    assert_true(m->time == 5 && m->dst == 1 && m->size == 3);
    assert_text(m->type, "A");
    assert_text(m->payload, "[1]");
    tear_down(&f);
}

static void the_last_of_equal_keys_counts_and_escapes_in_keys_are_read(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    advance(&f, 0, 1000);
    answer(&f, "[{\"time_us\":\"x\",\"type\":\"A\",\"dst\":5,\"dst\":null,\"t\\u0069me_us\":7,\"\\u0074ype\":"
               "\"B\\ud800\\ud83d\\ude00\","
               "\"other\":{\"time_us\":8,\"type\":1},\"time\":9,\"payload\":1,\"payload\":null}]");
    const struct message *m = sent(&f, 0);
    assert_true(m->time == 7 && m->dst == DESTINATION_NONE);
    assert_text(m->type, "B\xef\xbf\xbd\xf0\x9f\x98\x80");
    assert_text(m->payload, "");
    tear_down(&f);
}

static void payloads_reach_the_receiver_with_their_numbers_as_they_were_written(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        "1e400",
        "123456789012345678901234567890",
        "-0.0",
        "1.10",
        "1E-7",
        "0.1000000000000000055511151231257827",
        "[9223372036854775808,-9223372036854775809,18446744073709551616]",
        "{\"a\":1.0,\"a\":2.50,\"\":{}}",
        "\"\\ud800 \\/ \\u0041\x7f\xe2\x80\xae\"",
        "[[],{},\"\",null,true,false]",
    };
    for (enum dialect d = DIALECT_NODE; d <= DIALECT_SERVICE; d++)
        for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
            struct fixture f;
            char line[300], want[300];
            bool node = d == DIALECT_NODE;
            set_up(&f, d);
            advance(&f, 0, 1000);
            snprintf(line, sizeof line, "[{\"%s\": 1, \"%s\": \"A\", \"payload\" : %s }]",
                     node ? "time_us" : "timestamp_us", node ? "type" : "event_type", payloads[i]);
            answer(&f, line);
            assert_text(sent(&f, 0)->payload, payloads[i]);
            struct message_list none = f.n.inbox; /* it comes back to the node itself */
            f.n.inbox = f.n.answer.sent;
            f.n.answer.sent = none;
            advance(&f, 1000, 2000);
            snprintf(want, sizeof want, "\"payload\":%s%s", payloads[i], node ? ",\"size_bytes\":" : "}]\n");
            if (!strstr(buffer_string(&f.out), want))
                fail_msg("%s became %s", payloads[i], f.out.data);
            tear_down(&f);
        }
}

static void a_time_outside_the_quantum_is_amended_with_a_warning(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    advance(&f, 1000, 2000);
    answer(&f, "[{\"time_us\":999,\"type\":\"TRANSMIT\"},{\"time_us\":2000,\"type\":\"A\\u001b[2J\"},"
               "{\"time_us\":-1e400,\"type\":\"B\"},{\"time_us\":123456789012345678901234567890.0,\"type\":\"C\"}]");
    warnings_are(
        &f,
        "the answer's message 1 (TRANSMIT): its time 999us lies before 1ms, the start of its quantum; taken as 1ms\n"
        "the answer's message 2 (A\\x1b[2J): its time 2ms is not before 2ms, the end of its quantum; taken as 1.999ms\n"
        "the answer's message 3 (B): its time -1e400us lies before 1ms, the start of its quantum; taken as 1ms\n"
        "the answer's message 4 (C): its time 123456789012345678901234567890.0us is not before 2ms, the end of its "
        "quantum; "
        "taken as 1.999ms\n");
    static const simtime taken[] = { 1000, 1999, 1000, 1999 };
    for (size_t i = 0; i < 4; i++)
        assert_true(sent(&f, i)->time == taken[i] && sent(&f, i)->origin == taken[i]);
    message_list_free(&f.n.answer.sent);

    hand_over(&f, 1700, 1, "A", "", 0);
    hand_over(&f, 1500, 1, "A", "", 0);
    hand_over(&f, 2500, 1, "A", "", 0);
    advance(&f, 2000, 3000);
    answer(&f, "[{\"time_us\":1500,\"type\":\"A\"},{\"time_us\":1499,\"type\":\"A\"}]");
    warnings_are(&f, "the answer's message 2 (A): its time 1.499ms lies before 1.5ms, the time of the first message "
                     "given to it; taken as 1.5ms\n");
    assert_true(sent(&f, 0)->time == 1500 && sent(&f, 1)->time == 1500);
    message_list_free(&f.n.answer.sent);

    advance(&f, 3000, 4000); /* what was handed over before counts no more */
    answer(&f, "[{\"time_us\":2999,\"type\":\"A\"}]");
    warnings_are(
        &f, "the answer's message 1 (A): its time 2.999ms lies before 3ms, the start of its quantum; taken as 3ms\n");
    tear_down(&f);
}

static void another_source_is_taken_as_its_own_with_a_warning(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    f.n.index = 1;
    f.n.spec = &f.s->nodes[1];
    advance(&f, 0, 1000);
    answer(&f,
           "[{\"time_us\":1,\"type\":\"A\",\"src\":\"g\\u0061teway\"},{\"time_us\":1,\"type\":\"A\",\"src\":\"n1\"},"
           "{\"time_us\":1,\"type\":\"A\",\"src\":12},{\"time_us\":1,\"type\":\"A\",\"src\":\"\\u202e\x7f"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]");
    warnings_are(&f, "the answer's message 2 (A): src 'n1' is not this node; taken as its own\n"
                     "the answer's message 3 (A): src '12' is not this node; taken as its own\n"
                     "the answer's message 4 (A): src '\\u202e\\x7faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' is not this "
                     "node; taken as its own\n");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(sent(&f, i)->src, 1);
    tear_down(&f);
}

static void an_answer_has_at_most_twenty_warnings(void **state)
{
    (void)state;
    static const struct {
        int count;
        const char *last;
    } cases[] = { { 20, "" }, { 21, "and 1 more\n" }, { 100, "and 80 more\n" } };
    for (size_t k = 0; k < 3; k++) {
        struct fixture f;
        struct buffer line = { 0 };
        set_up(&f, DIALECT_NODE);
        advance(&f, 1000, 2000);
        for (int i = 0; i < cases[k].count; i++)
            buffer_format(&line, "%c{\"time_us\":1,\"type\":\"A\"}", i ? ',' : '[');
        buffer_text(&line, "]");
        answer(&f, buffer_string(&line));
        const char *w = buffer_string(&f.n.answer.warnings), *last = strstr(w, "message 20 ");
        assert_non_null(last);
        last = strchr(last, '\n') + 1;
        assert_string_equal(last, cases[k].last);
        assert_int_equal(f.n.answer.sent.count, cases[k].count);
        buffer_free(&line);
        tear_down(&f);
    }
}

static void events_are_those_handed_over_and_those_sent(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, DIALECT_NODE);
    advance(&f, 0, 1000);
    answer(&f, "[]");
    assert_true(f.n.events == 0 && f.n.last_active == -1);
    hand_over(&f, 700, 1, "A", "", 0);
    hand_over(&f, 300, 1, "A", "", 0);
    advance(&f, 1000, 2000);
    answer(&f, "[]");
    assert_true(f.n.events == 2 && f.n.last_active == 700);
    advance(&f, 2000, 3000);
    answer(&f, "[{\"time_us\":2900,\"type\":\"A\"},{\"time_us\":2100,\"type\":\"A\"}]");
    assert_true(f.n.events == 4 && f.n.last_active == 2900);
    tear_down(&f);
}

/* Everything that comes of a dialogue which the node's bytes make, cut in two at `cut`. */
static void converse(enum dialect dialect, const char *said, size_t len, size_t cut, struct buffer *all)
{
    struct fixture f;
    struct wire w = { 0 };
    struct text line;
    set_up(&f, dialect);
    protocol_init(&f.p, &f.n, &f.out);
    for (int part = 0; part < 2; part++) {
        const char *from = part ? said + cut : said;
        size_t left = part ? len - cut : cut, room;
        while (left) {
            char *to = wire_room(&w, &room);
            size_t n = left < room ? left : room;
            memcpy(to, from, n);
            wire_filled(&w, n);
            from += n;
            left -= n;
            while (!f.err.code && wire_line(&w, &line, &f.err) == 1) {
                if (protocol_take(&f.p, &f.n, line, &f.err) < 0 || !f.n.answer.done)
                    continue;
                struct message_list none = f.n.inbox;
                f.n.inbox = f.n.answer.sent;
                f.n.answer.sent = none;
                f.n.answer.done = false;
                buffer_format(all, "%lld;", (long long)f.n.answer.next);
                protocol_advance(&f.p, &f.n, f.p.until, f.p.until + 1000, &f.out);
            }
        }
    }
    buffer_add(all, f.out.data, f.out.len);
    buffer_add(all, f.n.answer.warnings.data ? f.n.answer.warnings.data : "", f.n.answer.warnings.len);
    buffer_format(all, "%s;%zu", f.err.text, wire_rest(&w));
    wire_free(&w);
    tear_down(&f);
}

static void bytes_cut_anywhere_come_to_the_same(void **state)
{
    (void)state;
    static const char node[] =
        "READY {\"next_us\": 500}\r\nDONE\n[{\"time_us\": 500, \"type\": \"\xc3\xa9\\ud83d\\ude00\", "
        "\"dst\": \"*\", \"payload\": {\"t\": [1.10, -0.0, 1e400]}}, {\"time_us\": 1e9, \"type\": \"B\"}]\n"
        "DONE {\"next_us\":null}\n[]\nDONE\n[{\"time_us\": \"late\", \"type\": \"\x1b\"}]\nrest";
    static const char service[] =
        "READY\nDONE\n[{\"timestamp_us\": 500, \"event_type\": \"A\", \"destination\": \"gateway\"}]\n"
        "DONE\n[{\"timestamp_us\": 1, \"event_type\": \"A\"}]\nDONE\nhalf of a li";
    const char *const said[] = { node, service };
    static const size_t len[] = { sizeof node - 1, sizeof service - 1 };
    for (enum dialect d = DIALECT_NODE; d <= DIALECT_SERVICE; d++) {
        struct buffer whole = { 0 };
        converse(d, said[d], len[d], 0, &whole);
        assert_non_null(strstr(buffer_string(&whole), d == DIALECT_NODE ? "1.10,-0.0,1e400" : "ADVANCE 3000"));
        for (size_t cut = 1; cut <= len[d]; cut++) {
            struct buffer parts = { 0 };
            converse(d, said[d], len[d], cut, &parts);
            assert_string_equal(buffer_string(&parts), whole.data);
            buffer_free(&parts);
        }
        buffer_free(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_is_written_in_both_dialects),
        cmocka_unit_test(a_grant_is_written_byte_for_byte_in_both_dialects),
        cmocka_unit_test(ready_and_done_say_when_the_next_event_is),
        cmocka_unit_test(an_answer_becomes_messages),
        cmocka_unit_test(the_other_dialect_has_its_own_keys),
        cmocka_unit_test(the_last_of_equal_keys_counts_and_escapes_in_keys_are_read),
        cmocka_unit_test(payloads_reach_the_receiver_with_their_numbers_as_they_were_written),
        cmocka_unit_test(a_time_outside_the_quantum_is_amended_with_a_warning),
        cmocka_unit_test(another_source_is_taken_as_its_own_with_a_warning),
        cmocka_unit_test(an_answer_has_at_most_twenty_warnings),
        cmocka_unit_test(events_are_those_handed_over_and_those_sent),
        cmocka_unit_test(bytes_cut_anywhere_come_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
