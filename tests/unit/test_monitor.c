#include "monitor_fixture.h"

#include "base/utf8.h"

/* A connection on which this was asked; the answer is `said`, with the echoes and prompts that it has. */
static int hear(struct monitor *m, const char *asked, const char *said, size_t len, const char *prompt, enum cut cut,
                uint64_t *random)
{
    struct buffer out = { 0 }, stream = { 0 };
    monitor_begin(m, &out);
    monitor_ask(m, asked, strlen(asked), &out);
    add_begin(&stream);
    buffer_format(&stream, "%s\n\r", asked);
    buffer_add(&stream, said, len);
    buffer_text(&stream, prompt);
    add_sync(&stream, 2, prompt);
    int result = feed(m, &stream, cut, random);
    buffer_free(&out);
    buffer_free(&stream);
    return result;
}

static void check_said(const char *asked, const char *said, const char *prompt, const char *expected)
{
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct monitor m = { 0 };
        assert_int_equal(hear(&m, asked, said, strlen(said), prompt, (enum cut)cut, &random), 1);
        assert_int_equal(m.reply.data[m.reply.len], '\0');
        assert_string_equal(m.reply.data, expected);
        monitor_free(&m);
    }
}

/* ---- the beginning and the end ---- */

static void a_new_connection_answers_telnet_with_nine_bytes_and_ends_what_was_typed(void **state)
{
    (void)state;
    struct monitor m = { 0 };
    struct buffer out = { 0 };
    static const char answer[] = "\xff\xfb\0\xff\xfd\x01\xff\xfd\x03";
    monitor_begin(&m, &out);
    assert_int_equal(out.len, 9);
    assert_memory_equal(out.data, answer, 9);
    out.len = 0;
    monitor_ask(&m, "version", 7, &out);
    assert_string_equal(buffer_string(&out), "\necho \"lockstep-1\"\nversion\necho \"lockstep-2\"\n");
    out.len = 0;
    monitor_begin(&m, &out); /* again: the tokens go on, as answers to the earlier client may come to this one */
    out.len = 0;
    monitor_ask(&m, "version", 7, &out);
    assert_string_equal(buffer_string(&out), "\necho \"lockstep-3\"\nversion\necho \"lockstep-4\"\n");
    buffer_free(&out);
    monitor_free(&m);
}

static void what_was_there_before_is_no_part_of_the_first_reply(void **state)
{
    (void)state;
    static const char *const before[] = {
        BANNER "\n\r(monitor) ",                                                          /* a first client */
        "\n\r(nrf) ",                                                                     /* a later one */
        BANNER "ersion\n\rNo such command or device: ersion\r\n(monitor) \n\r(monitor) ", /* 1.15.3 */
        "\n\rNo such command or device: half\r\n(monitor) ",
        "garbage\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[K\x1b[?25l\x1b[?25h\n\r(monitor) ",
        "abc^C\n\r(nrf) \n\r(nrf) ",
        "\n\rCould not tokenize here:\r\necho \"abc\r\n     ^\r\n(nrf) ",
        BANNER "i $CWD/nrf.resc\n\r(nrf) emulation RunFor \"0.001\"\n\r(nrf) \n\r(nrf) ",
        "version\n\r(nrf) lockstep-2\n\r(nrf) \"lockstep-1\"\r\n lockstep-1\r\nlockstep-11\r\n(nrf) \n\r(nrf) ",
    };
    uint64_t random = test_seed();
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        for (int cut = WHOLE; cut < CUTS; cut++) {
            struct talk t = { 0 };
            monitor_begin(&t.m, &t.out);
            buffer_add(&t.stream, CONNECT, sizeof CONNECT - 1);
            assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 0);
            monitor_ask(&t.m, "version", 7, &t.out);
            t.stream.len = 0;
            buffer_text(&t.stream, before[i]);
            add_sync(&t.stream, 1, "(monitor) ");
            buffer_text(&t.stream, "version\n\rRenode, version 1\r\n\r(monitor) ");
            assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 0);
            t.stream.len = 0;
            add_sync(&t.stream, 2, "(monitor) ");
            assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 1);
            assert_string_equal(buffer_string(&t.m.reply), "Renode, version 1\n");
            talk_end(&t);
        }
}

static void what_comes_before_the_echo_is_no_part_of_the_reply_either(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct talk t = { 0 };
        monitor_begin(&t.m, &t.out);
        monitor_ask(&t.m, "version", 7, &t.out);
        add_begin(&t.stream);
        buffer_text(&t.stream, "\r\na notice\r\n(monitor) version\n\rRenode, version 1\r\n\r(monitor) ");
        add_sync(&t.stream, 2, "(monitor) ");
        assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 1);
        assert_string_equal(buffer_string(&t.m.reply), "Renode, version 1\n");
        talk_end(&t);
    }
}

static void a_connection_that_broke_off_leaves_nothing_to_the_next_one(void **state)
{
    (void)state;
    static const char *const left[] = { "\xff", "\xff\xfa\x18", "\xff\xfb", "\x1b[1", "\x1b", "lockstep", "(nrf) " };
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        struct monitor m = { 0 };
        struct buffer out = { 0 };
        monitor_begin(&m, &out);
        monitor_ask(&m, "x", 1, &out);
        assert_int_equal(monitor_feed(&m, left[i], strlen(left[i])), 0);
        monitor_begin(&m, &out);
        monitor_ask(&m, "x", 1, &out);
        static const char said[] = "lockstep-3\r\r\n(nrf) x\n\r5\r\r\n(nrf) echo \"lockstep-4\"\n\rlockstep-4\r\r\n";
        assert_int_equal(monitor_feed(&m, said, sizeof said - 1), 1);
        assert_string_equal(buffer_string(&m.reply), "5\n");
        buffer_free(&out);
        monitor_free(&m);
    }
}

static void a_reply_stays_until_the_next_question_whatever_comes(void **state)
{
    (void)state;
    struct monitor m = { 0 };
    struct buffer flood = { 0 };
    uint64_t random = test_seed();
    for (int i = 0; i < 50000; i++)
        buffer_text(&flood, i % 30000 ? "y" : "\n\r");
    assert_int_equal(hear(&m, "x", "1\r\n", 3, "(nrf) ", WHOLE, &random), 1);
    assert_int_equal(feed(&m, &flood, RANDOM, &random), 0);
    assert_string_equal(buffer_string(&m.reply), "1\n");
    buffer_free(&flood);
    monitor_free(&m);
}

/* What a command printed without a newline at its end, and so long that it is not held until its end has come. */
static void a_long_last_line_without_a_newline_is_all_text(void **state)
{
    (void)state;
    static char said[14000 + 1], expected[14000 + 2];
    static const char *const pieces[] = { "(", "x", "0123456789)(" };
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(pieces[i]);
        for (size_t at = 0; at < 14000; at++)
            said[at] = expected[at] = pieces[i][at % len];
        expected[14000] = '\n';
        check_said("x", said, "(nrf) ", expected);
    }
}

static void a_renode_that_quits_says_so_whenever_it_does(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    static const char *const said[] = { "quit\n\rRenode is quitting\r\n\r", "Renode is quitting\n",
                                        "(nrf) Renode is quitting?\n\rRenode is quitting\r\n\r" };
    for (size_t i = 0; i < 3; i++)
        for (int cut = WHOLE; cut < CUTS; cut++) {
            struct talk t = { 0 };
            monitor_begin(&t.m, &t.out);
            if (i)
                monitor_ask(&t.m, "quit", 4, &t.out);
            buffer_text(&t.stream, said[i]);
            assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), -1);
            monitor_ask(&t.m, "version", 7, &t.out);
            assert_int_equal(monitor_feed(&t.m, "x", 1), -1);
            assert_int_equal(monitor_feed(&t.m, "lockstep-2\n", 11), -1);
            monitor_begin(&t.m, &t.out);
            assert_int_equal(monitor_feed(&t.m, "x", 1), 0);
            talk_end(&t);
        }
    struct monitor m = { 0 };
    static const char none[] = "(nrf) Renode is quitting\n\rRenode is quitting!\n\r Renode is quitting\n\r";
    assert_int_equal(monitor_feed(&m, none, sizeof none - 1), 0);
    monitor_free(&m);
}

/* ---- the end of a reply, echoes and prompts ---- */

static void only_the_token_on_a_line_of_its_own_ends_a_reply(void **state)
{
    (void)state;
    check_said("echo \"x\"", "lockstep-1\r\r\n\"lockstep-2\"\r\nlockstep-2 \r\nlockstep-22\r\nxlockstep-2\r\n",
               "(nrf) ", "lockstep-1\n\"lockstep-2\"\nlockstep-2 \nlockstep-22\nxlockstep-2\n");
    check_said("x", "", "(nrf) ", "");
    check_said("", "", "(nrf) ", "");
    check_said("", "\r\n", "(nrf) ", "\n");
    check_said("x", "no newline", "(nrf) ", "no newline\n");
    check_said("x", "f(1) = 2\r\nno newline (1)", "(nrf) ", "f(1) = 2\nno newline (1)\n");
    check_said("x", "x\r\nx\r\n(y) x\r\n", "(nrf) ", "x\nx\n(y) x\n");
    check_said("x", "I say echo \"lockstep-2\"\r\n", "(nrf) ", "I say echo \"lockstep-2\"\n");
}

static void prompts_are_taken_away_whatever_the_machine_is_called(void **state)
{
    (void)state;
    static const char *const names[] = {
        "monitor", "a b", "machine-0", "", ")", "(", "x) (y", "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87", "lockstep-2",
        "\"", ") ", "There was an error executing command 'x'",
        "0123456789012345678901234567890123456789012345678901234567890123"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char prompt[100];
        snprintf(prompt, sizeof prompt, "(%s) ", names[i]);
        check_said("x", "", prompt, "");
        check_said("x", "1\r\r\n(2) \r\n", prompt, "1\n(2) \n");
    }
}

static void every_telnet_command_is_taken_away_wherever_it_stands(void **state)
{
    (void)state;
    static const char said[] = "x: a\r\nżółć\r\nlockstep-1\r\n";
    static const struct text commands[] = { { "\xff\xfbq", 3 },
                                            { "\xff\xfe\n", 3 },
                                            { "\xff\xf9", 2 },
                                            { "\xff\xfa\x18\0\n\xff\xff lockstep-2\n\xff\xf0", 21 },
                                            { "\xff\xfd\xff", 3 } };
    uint64_t random = test_seed();
    for (int round = 0; round < 150; round++) {
        struct monitor m = { 0 };
        struct buffer with = { 0 };
        for (size_t i = 0; i < sizeof said; i++) {
            const struct text *c = &commands[test_random(&random) % 5];
            if (test_random(&random) % 4 == 0)
                buffer_add(&with, c->s, c->len);
            if (i + 1 < sizeof said)
                buffer_add(&with, said + i, 1);
        }
        assert_int_equal(hear(&m, "x", with.data, with.len, "(nrf) ", (enum cut)(round % CUTS), &random), 1);
        assert_string_equal(buffer_string(&m.reply), "x: a\nżółć\nlockstep-1\n");
        buffer_free(&with);
        monitor_free(&m);
    }
}

static void control_characters_and_bad_bytes_do_not_come_through(void **state)
{
    (void)state;
    check_said("x",
               "a\x01\x02"
               "b\x7f\x08"
               "c\td\x1b[31mred\x1b[0m\x1b[1;2Hx\x1b"
               "cy\r\n",
               "(nrf) ", "abc dredxy\n");
    check_said("x",
               "\xc3\r\n\x80|\xff\xff|\xed\xa0\x80|\xe2\x94\x82|\xc2\x9b"
               "31m|\xe2\x80\xae\r\n",
               "(nrf) ",
               "\xef\xbf\xbd\n\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xe2\x94\x82|31m|\n");
    check_said("x", "\x1b[\n\x1b\nlost\x1b[12\r\n", "(nrf) ", "\n\nlost\n");
}

/* A line at its limit: Renode moves to the next row of its screen within the echo. */
static void the_longest_echo_is_known_even_with_escape_sequences_in_it(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct talk t = { 0 };
        struct buffer asked = { 0 };
        buffer_text(&asked, "echo \"");
        while (asked.len < MONITOR_LINE - 1)
            buffer_text(&asked, "y");
        buffer_text(&asked, "\"");
        assert_true(monitor_can_ask(asked.data, asked.len));
        monitor_begin(&t.m, &t.out);
        monitor_ask(&t.m, asked.data, asked.len, &t.out);
        add_begin(&t.stream);
        buffer_add(&t.stream, asked.data, 4000);
        buffer_text(&t.stream, "\x1b[B\x1b[1G");
        buffer_add(&t.stream, asked.data + 4000, asked.len - 4000);
        buffer_text(&t.stream, "\n\ryyy\r\r\n(nrf) ");
        add_sync(&t.stream, 2, "(nrf) ");
        assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 1);
        assert_string_equal(buffer_string(&t.m.reply), "yyy\n");
        buffer_free(&asked);
        talk_end(&t);
    }
}

static void a_reply_that_nobody_waited_for_is_passed_over(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct talk t = { 0 };
        monitor_begin(&t.m, &t.out);
        monitor_ask(&t.m, "one", 3, &t.out);
        t.out.len = 0;
        if (cut != BYTES) { /* given up before the first token, or behind it */
            add_begin(&t.stream);
            assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 0);
            t.stream.len = 0;
        }
        monitor_ask(&t.m, "one", 3, &t.out);
        assert_string_equal(buffer_string(&t.out), "one\necho \"lockstep-3\"\n");
        if (cut == BYTES)
            add_begin(&t.stream);
        buffer_text(&t.stream, "one\n\r1\r\n(nrf) ");
        add_sync(&t.stream, 2, "(nrf) ");
        buffer_text(&t.stream, "one\n\r2\r\n(nrf) ");
        add_sync(&t.stream, 3, "(nrf) ");
        assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 1);
        assert_string_equal(buffer_string(&t.m.reply), "2\n");
        talk_end(&t);
    }
}

/* ---- limits ---- */

/* A reply of so many bytes, in lines of up to `line`; numbers tell which they are. */
static void add_long(struct buffer *said, size_t len, size_t line, uint64_t *random)
{
    static const char *const pieces[] = { "x", "é", "│", "😀", "0123456789" };
    for (int i = 0; said->len < len; i++) {
        size_t end = said->len + test_random(random) % line;
        buffer_format(said, "<%d>", i);
        while (said->len < end)
            buffer_text(said, pieces[test_random(random) % 5]);
        buffer_text(said, "\r\n");
    }
}

static void check_long(struct monitor *m, const struct buffer *said)
{
    struct buffer plain = { 0 };
    for (size_t i = 0; i < said->len; i++)
        if (said->data[i] != '\r')
            buffer_add(&plain, said->data + i, 1);
    const char *reply = buffer_string(&m->reply), *marker = strstr(reply, "…\n");
    assert_true(m->reply.len <= MONITOR_REPLY);
    assert_int_equal(utf8_check(reply, m->reply.len), m->reply.len);
    if (plain.len <= MONITOR_REPLY) {
        assert_string_equal(reply, buffer_string(&plain));
    } else {
        assert_non_null(marker);
        size_t head = (size_t)(marker - reply), tail = strlen(marker + strlen("…\n"));
        assert_true(head > 1 && tail > MONITOR_REPLY / 3);
        assert_int_equal(reply[head - 1], '\n');
        assert_memory_equal(reply, plain.data, head - 1); /* the newline may be there for a line that goes on */
        assert_memory_equal(marker + strlen("…\n"), plain.data + plain.len - tail, tail);
        assert_int_equal(head + strlen("…\n") + tail, m->reply.len);
    }
    buffer_free(&plain);
}

static void of_a_long_reply_the_beginning_and_the_end_are_kept(void **state)
{
    (void)state;
    static const size_t lines[] = { 2, 100, 3000, 30000, 300000 };
    uint64_t random = test_seed();
    for (int round = 0; round < 30; round++) {
        struct monitor m = { 0 };
        struct buffer said = { 0 };
        size_t most = round % 3 ? 200000 : MONITOR_REPLY + 10;
        add_long(&said, test_random(&random) % most + (round % 3 ? 0 : MONITOR_REPLY - 500), lines[round % 5], &random);
        assert_int_equal(hear(&m, "x", said.data, said.len, "(nrf) ", (enum cut)(round / 2 % CUTS), &random), 1);
        check_long(&m, &said);
        buffer_free(&said);
        monitor_free(&m);
    }
}

static void nothing_that_comes_makes_it_grow_without_end(void **state)
{
    (void)state;
    static const char *const floods[] = { "x", "\n", "\xff", "é", "\x1b[1", "\xff\xfa", "\x80", "(", "\"", "x\n" };
    uint64_t random = test_seed();
    for (size_t f = 0; f < sizeof floods / sizeof floods[0]; f++)
        for (int asked = 0; asked < 2; asked++) {
            struct monitor m = { 0 };
            struct buffer out = { 0 }, flood = { 0 }, begin = { 0 };
            monitor_begin(&m, &out);
            add_begin(&begin);
            if (asked) {
                monitor_ask(&m, "x", 1, &out);
                assert_int_equal(feed(&m, &begin, WHOLE, &random), 0);
            }
            while (flood.len < 10000)
                buffer_text(&flood, floods[f]);
            for (int i = 0; i < 100; i++)
                assert_int_equal(monitor_feed(&m, flood.data, flood.len), 0);
            assert_true(m.line.capacity <= 32768 && m.reply.capacity <= 262144 && m.asked.capacity <= 32768);
            buffer_free(&out);
            buffer_free(&flood);
            buffer_free(&begin);
            monitor_free(&m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_connection_answers_telnet_with_nine_bytes_and_ends_what_was_typed),
        cmocka_unit_test(what_was_there_before_is_no_part_of_the_first_reply),
        cmocka_unit_test(what_comes_before_the_echo_is_no_part_of_the_reply_either),
        cmocka_unit_test(a_connection_that_broke_off_leaves_nothing_to_the_next_one),
        cmocka_unit_test(a_reply_stays_until_the_next_question_whatever_comes),
        cmocka_unit_test(a_long_last_line_without_a_newline_is_all_text),
        cmocka_unit_test(a_renode_that_quits_says_so_whenever_it_does),
        cmocka_unit_test(only_the_token_on_a_line_of_its_own_ends_a_reply),
        cmocka_unit_test(prompts_are_taken_away_whatever_the_machine_is_called),
        cmocka_unit_test(every_telnet_command_is_taken_away_wherever_it_stands),
        cmocka_unit_test(control_characters_and_bad_bytes_do_not_come_through),
        cmocka_unit_test(the_longest_echo_is_known_even_with_escape_sequences_in_it),
        cmocka_unit_test(a_reply_that_nobody_waited_for_is_passed_over),
        cmocka_unit_test(of_a_long_reply_the_beginning_and_the_end_are_kept),
        cmocka_unit_test(nothing_that_comes_makes_it_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
