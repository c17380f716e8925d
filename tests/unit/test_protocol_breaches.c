#include "protocol_fixture.h"

#include "node/wire.h"

struct breach {
    enum stage stage;
    const char *line, *text;
};

static void breaches_are_told(const struct breach *b, size_t count, enum dialect dialect)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture f;
        reach(&f, b[i].stage, dialect);
        f.n.answer.done = false;
        if (say_bytes(&f, b[i].line, strlen(b[i].line)) == 0)
            fail_msg("'%s' was taken", b[i].line);
        assert_int_equal(f.err.code, EXIT_RUN_FAILED);
        assert_string_equal(f.err.text, b[i].text);
        assert_false(f.n.answer.done);
        assert_int_equal(f.n.answer.sent.count, 0);
        tear_down(&f);
    }
}

#define STDERR ": its stdout is for the protocol alone, what it prints belongs on stderr"
#define X10    "xxxxxxxxxx"
#define X80    X10 X10 X10 X10 X10 X10 X10 X10
#define LINE_2 "line 2 of the answer to ADVANCE 4000000 "

static void a_breach_in_words_is_told(void **state)
{
    (void)state;
    static const struct breach cases[] = {
        { AT_INIT, "FOO", "answered \"FOO\" to INIT; READY was expected" STDERR },
        { AT_INIT, "{\"a\": 1}", "answered \"{\"a\": 1}\" to INIT; READY was expected" STDERR },
        { AT_INIT, "", "answered an empty line to INIT; READY was expected" STDERR },
        { AT_INIT, "READYX", "answered \"READYX\" to INIT; READY was expected" STDERR },
        { AT_INIT, " READY", "answered \" READY\" to INIT; READY was expected" STDERR },
        { AT_INIT, "ready", "answered \"ready\" to INIT; READY was expected" STDERR },
        { AT_INIT, "DONE", "answered \"DONE\" to INIT; READY was expected" },
        { AT_INIT, "\x1b[31m\xff\xe2\x80\xae",
          "answered \"\\x1b[31m\\xff\\u202e\" to INIT; READY was expected" STDERR },
        { AT_INIT, X80, "answered \"" X80 "\" to INIT; READY was expected" STDERR },
        { AT_INIT, X80 "y", "answered \"" X80 "…\" to INIT; READY was expected" STDERR },
        { AT_INIT, "ERROR no such file", "no such file" },
        { AT_INIT, "ERROR   \x1b]0;x\x07 ", "\\x1b]0;x\\x07" },
        { AT_INIT, "ERROR " X80 X80 X80 X80 X80, X80 X80 X80 X80 X80 },
        { AT_INIT, "ERROR " X80 X80 X80 X80 X80 "y", X80 X80 X80 X80 X80 "…" },
        { AT_INIT, "ERROR y" X80 X80 X80 X80 X10 X10 X10 X10 X10 X10 X10 "xxxxxxx\xe2\x82\xac",
          "y" X80 X80 X80 X80 X10 X10 X10 X10 X10 X10 X10 "xxxxxxx…" },
        { AT_INIT, "ERROR", "it gave no reason" },
        { AT_INIT, "ERRORS", "answered \"ERRORS\" to INIT; READY was expected" STDERR },
        { AT_INIT, "READY now", "said \"READY now\"; behind READY nothing but a JSON object may stand" },
        { AT_INIT, "READY []", "said \"READY []\"; behind READY nothing but a JSON object may stand" },
        { AT_INIT, "READY {\"a\"",
          "what stands behind READY is not JSON: it ends too early, at column 11: \"READY {\"a\"\"" },
        { AT_INIT, "READY {} {}",
          "what stands behind READY is not JSON: there is something behind the value, at column 10: \"READY {} {}\"" },
        { AT_ADVANCE, "READY", "answered \"READY\" to ADVANCE 4000000; DONE was expected" },
        { AT_ADVANCE, "[]", "answered \"[]\" to ADVANCE 4000000; DONE was expected" STDERR },
        { AT_ADVANCE, "", "answered an empty line to ADVANCE 4000000; DONE was expected" STDERR },
        { AT_ADVANCE, "ERROR out of memory", "out of memory" },
        { AT_ADVANCE, "DONE 1", "said \"DONE 1\"; behind DONE nothing but a JSON object may stand" },
        { AT_ADVANCE, "DONE {\"next_us\": 1.5}",
          "next_us is 1.5; it is a whole number from 0 to 9007199254740991, or null where it has no event of its own" },
        { AT_ADVANCE, "DONE {\"next_us\": -1}",
          "next_us is -1; it is a whole number from 0 to 9007199254740991, or null where it has no event of its own" },
        { AT_ADVANCE, "DONE {\"next_us\": 9007199254740992}",
          "next_us is 9007199254740992; it is a whole number from 0 to 9007199254740991, or null where it has no event "
          "of its own" },
        { AT_ADVANCE, "DONE {\"next_us\": \"a\\u001b\"}",
          "next_us is \"a\\u001b\"; it is a whole number from 0 to 9007199254740991, or null where it has no event of "
          "its own" },
        { AT_MESSAGES, "ERROR late", "late" },
        { AT_REST, "DONE", "said \"DONE\" unasked" },
        { AT_REST, "hello", "said \"hello\" unasked" STDERR },
        { AT_REST, "", "said an empty line unasked" STDERR },
    };
    breaches_are_told(cases, sizeof cases / sizeof cases[0], DIALECT_NODE);
}

static void a_breach_in_the_messages_is_told(void **state)
{
    (void)state;
    static const struct breach cases[] = {
        { AT_MESSAGES, "", LINE_2 "is empty; its messages were expected, as [] where there are none" },
        { AT_MESSAGES, " ", LINE_2 "is empty; its messages were expected, as [] where there are none" },
        { AT_MESSAGES, "[{\"time_us\": 1, ",
          LINE_2 "is not JSON: it ends too early, at column 17: \"[{\"time_us\": 1, \"" },
        { AT_MESSAGES, "[" GOOD, LINE_2 "is not JSON: it ends too early, at column 32: \"[" GOOD "\"" },
        { AT_MESSAGES, "[" GOOD "] x",
          LINE_2 "is not JSON: there is something behind the value, at column 34: \"[" GOOD "] x\"" },
        { AT_MESSAGES, "[{\"time_us\":NaN}]",
          LINE_2 "is not JSON: JSON has no Infinity and no NaN, at column 13: \"[{\"time_us\":NaN}]\"" },
        { AT_MESSAGES, "[{'time_us': 1}]",
          LINE_2 "is not JSON: a name in double quotes is missing, at column 3: \"[{'time_us': 1}]\"" },
        { AT_MESSAGES, "DONE", LINE_2 "is not JSON: a character that JSON does not use there, at column 1: \"DONE\"" },
        { AT_MESSAGES, "[\"\xc3\xa9\xff\"]",
          LINE_2 "is not JSON: bytes that are no UTF-8, at column 4: \"[\"\xc3\xa9\\xff\"]\"" },
        { AT_MESSAGES, "[\"\t\"]", LINE_2 "is not JSON: a control character in a string, at column 3: \"[\"\\t\"]\"" },
        { AT_MESSAGES, "[{\"payload\":[\"" X80 X80 "\" \"" X80 "\"]}]",
          LINE_2 "is not JSON: a , or ] is missing, at column 177: \"…" X10 X10 X10 "xxxxxxxx\" \"" X10 X10 X10
                 "xxxxxxxxx…\"" },
        { AT_MESSAGES, GOOD, LINE_2 "is no array; its messages were expected in one: \"" GOOD "\"" },
        { AT_MESSAGES, "null", LINE_2 "is no array; its messages were expected in one: \"null\"" },
        { AT_MESSAGES, "[" GOOD ",5]", "message 2 is no object: 5" },
        { AT_MESSAGES, "[[]]", "message 1 is no object: []" },
        { AT_MESSAGES, "[" GOOD "," GOOD ",{\"type\":\"A\"}]", "message 3: no time_us" },
        { AT_MESSAGES, "[{}]", "message 1: no time_us" },
        { AT_MESSAGES, "[{\"timestamp_us\":3000000,\"event_type\":\"A\"}]",
          "message 1: no time_us, but timestamp_us: it looks like dialect service: set `dialect: service` in the "
          "node" },
        { AT_MESSAGES, "[{\"time_us\":3000000}]", "message 1: no type" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":null}]", "message 1: type is no string: null" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":{\"a\":1}}]", "message 1: type is no string: {\"a\":1}" },
        { AT_MESSAGES, "[{\"time_us\":null,\"type\":\"A\"}]",
          "message 1: time_us is no whole number of microseconds: null" },
        { AT_MESSAGES, "[{\"time_us\":\"3000000\",\"type\":\"A\"}]",
          "message 1: time_us is no whole number of microseconds: \"3000000\"" },
        { AT_MESSAGES, "[{\"time_us\":3000000.5,\"type\":\"A\"}]",
          "message 1: time_us is no whole number of microseconds: 3000000.5" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":\"A\",\"dst\":5}]",
          "message 1: dst is no string and not null: 5" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":\"A\",\"size_bytes\":-1}]",
          "message 1: size_bytes is no whole number from 0 to 4294967295: -1" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":\"A\",\"size_bytes\":4294967296}]",
          "message 1: size_bytes is no whole number from 0 to 4294967295: 4294967296" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":\"A\",\"size_bytes\":1.5}]",
          "message 1: size_bytes is no whole number from 0 to 4294967295: 1.5" },
        { AT_MESSAGES, "[{\"time_us\":3000000,\"type\":\"A\",\"size_bytes\":\"1\"}]",
          "message 1: size_bytes is no whole number from 0 to 4294967295: \"1\"" },
    };
    static const struct breach service[] = {
        { AT_MESSAGES, "[{\"type\":\"A\"}]", "message 1: no timestamp_us" },
        { AT_MESSAGES, "[" GOOD "]",
          "message 1: no timestamp_us, but time_us: it looks like dialect node: set `dialect: node` in the node" },
        { AT_MESSAGES, "[{\"timestamp_us\":3000000}]", "message 1: no event_type" },
        { AT_MESSAGES, "[{\"timestamp_us\":3000000,\"event_type\":\"A\",\"destination\":[]}]",
          "message 1: destination is no string and not null: []" },
    };
    breaches_are_told(cases, sizeof cases / sizeof cases[0], DIALECT_NODE);
    breaches_are_told(service, sizeof service / sizeof service[0], DIALECT_SERVICE);
}

static void the_hint_at_stdout_is_for_nodes_that_speak_there(void **state)
{
    (void)state;
    for (enum transport t = TRANSPORT_TCP; t <= TRANSPORT_UNIX; t++) {
        struct fixture f;
        reach(&f, AT_INIT, DIALECT_NODE);
        f.s->nodes[0].transport = t;
        assert_int_equal(say_bytes(&f, "FOO", 3), -1);
        assert_string_equal(f.err.text, "answered \"FOO\" to INIT; READY was expected");
        tear_down(&f);
    }
}

static void a_nul_is_no_end_of_a_line(void **state)
{
    (void)state;
    struct fixture f;
    reach(&f, AT_INIT, DIALECT_NODE);
    assert_int_equal(say_bytes(&f, "READY\0x", 7), -1);
    assert_string_equal(f.err.text, "answered \"READY\\x00x\" to INIT; READY was expected" STDERR);
    tear_down(&f);
    reach(&f, AT_MESSAGES, DIALECT_NODE);
    assert_int_equal(say_bytes(&f, "[]\0", 3), -1);
    assert_string_equal(f.err.text,
                        LINE_2 "is not JSON: there is something behind the value, at column 3: \"[]\\x00\"");
    tear_down(&f);
}

static void a_broken_answer_gives_no_message(void **state)
{
    (void)state;
    struct fixture f;
    reach(&f, AT_ADVANCE, DIALECT_NODE);
    answer(&f, "[" GOOD "]");
    advance(&f, 4000000, 5000000);
    say(&f, "DONE");
    static const char line[] = "[{\"time_us\":4000000,\"type\":\"A\",\"payload\":[1]}," GOOD ",{}]";
    assert_int_equal(say_bytes(&f, line, sizeof line - 1), -1);
    assert_int_equal(f.n.answer.sent.count, 1); /* that of the answer before */
    assert_int_equal(f.n.events, 1);
    tear_down(&f);
}

/* `[`, the item so many times, `]`. */
static char *repeated(const char *item, size_t count)
{
    struct buffer line = { 0 };
    for (size_t i = 0; i < count; i++) {
        buffer_add(&line, i ? "," : "[", 1);
        buffer_text(&line, item);
    }
    buffer_add(&line, "]", 2);
    return line.data;
}

static void an_answer_has_at_most_100_000_messages(void **state)
{
    (void)state;
    struct fixture f;
    reach(&f, AT_ADVANCE, DIALECT_NODE);
    char *line = repeated(GOOD, 100000);
    answer(&f, line);
    assert_int_equal(f.n.answer.sent.count, 100000);
    free(line);
    tear_down(&f);
    static const struct {
        size_t count;
        const char *text;
    } cases[] = { { 100001, "100,001 messages in one answer; at most 100,000" },
                  { 1234567, "1,234,567 messages in one answer; at most 100,000" } };
    for (size_t i = 0; i < 2; i++) {
        reach(&f, AT_MESSAGES, DIALECT_NODE);
        line = repeated("{\"time_us\":3000000,\"type\":\"\"}", 100000); /* and behind the limit anything */
        line = mem_resize(line, strlen(line) + 3 * cases[i].count);
        char *to = line + strlen(line) - 1;
        for (size_t k = 100000; k < cases[i].count; k++, to += 2)
            memcpy(to, ",0", 2);
        memcpy(to, "]", 2);
        assert_int_equal(say_bytes(&f, line, strlen(line)), -1);
        assert_string_equal(f.err.text, cases[i].text);
        assert_int_equal(f.n.answer.sent.count, 0);
        free(line);
        tear_down(&f);
    }
}

static void a_type_and_a_destination_have_at_most_256_bytes(void **state)
{
    (void)state;
    for (int field = 0; field < 2; field++)
        for (int more = 0; more < 2; more++) {
            struct fixture f;
            char line[3000], word[1300] = "";
            for (int i = 0; i < 200; i++)
                strcat(word, "\\u0041"); /* 6 bytes that mean one */
            for (int i = 0; i < 28; i++)
                strcat(word, "\xc3\xa9");
            strcat(word, more ? "x" : "");
            snprintf(line, sizeof line, "[{\"time_us\":3000000,\"type\":\"%s\",\"dst\":\"%s\"}]", field ? "A" : word,
                     field ? word : "*");
            reach(&f, AT_MESSAGES, DIALECT_NODE);
            assert_int_equal(say_bytes(&f, line, strlen(line)), more ? -1 : 0);
            if (more)
                assert_non_null(strstr(f.err.text, field ? "message 1: dst has more than 256 bytes: \"\\u0041"
                                                         : "message 1: type has more than 256 bytes: \"\\u0041"));
            else
                assert_int_equal((field ? sent(&f, 0)->unknown_dst : sent(&f, 0)->type).len, 256);
            tear_down(&f);
        }
}

static void nesting_is_limited_to_64_with_the_array_and_the_message(void **state)
{
    (void)state;
    for (int depth = 62; depth <= 63; depth++) {
        struct fixture f;
        struct buffer line = { 0 };
        buffer_text(&line, "[{\"time_us\":3000000,\"type\":\"A\",\"payload\":");
        for (int i = 0; i < depth; i++)
            buffer_text(&line, "[");
        for (int i = 0; i < depth; i++)
            buffer_text(&line, "]");
        buffer_text(&line, "}]");
        reach(&f, AT_MESSAGES, DIALECT_NODE);
        assert_int_equal(say_bytes(&f, line.data, line.len), depth == 62 ? 0 : -1);
        if (depth == 63)
            assert_non_null(strstr(f.err.text, "is not JSON: nested too deeply, at column 104"));
        buffer_free(&line);
        tear_down(&f);
    }
}

static void the_longest_lines_are_read_in_linear_time(void **state)
{
    (void)state;
    static const char *const units[] = { " ", "[", "\"", "{\"a\":", "\\u0000", "1", "x", ",", "[]," };
    static const char begin[] = "[{\"time_us\":3000000,\"type\":\"A\",\"payload\":";
    struct timespec from, to;
    char *line = mem_alloc(WIRE_LINE_MAX + 8);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++)
        for (int quoted = 0; quoted < 2; quoted++) {
            struct fixture f;
            size_t len = sizeof begin - 1, step = strlen(units[u]);
            memcpy(line, begin, len);
            if (quoted)
                line[len++] = '"';
            for (; len + step + 4 <= WIRE_LINE_MAX; len += step)
                memcpy(line + len, units[u], step);
            memcpy(line + len, "\"}]", 3);
            reach(&f, AT_MESSAGES, DIALECT_NODE);
            bool good = quoted && strchr(" [1x,\\", *units[u]);
            assert_int_equal(say_bytes(&f, line, len + 3), good ? 0 : -1);
            if (good)
                assert_int_equal(sent(&f, 0)->size, len + 1 - (sizeof begin - 1));
            tear_down(&f);
        }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("18 lines of 16 MiB: %.2f s\n", seconds);
    assert_true(seconds < 40);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_breach_in_words_is_told),
        cmocka_unit_test(a_breach_in_the_messages_is_told),
        cmocka_unit_test(the_hint_at_stdout_is_for_nodes_that_speak_there),
        cmocka_unit_test(a_nul_is_no_end_of_a_line),
        cmocka_unit_test(a_broken_answer_gives_no_message),
        cmocka_unit_test(an_answer_has_at_most_100_000_messages),
        cmocka_unit_test(a_type_and_a_destination_have_at_most_256_bytes),
        cmocka_unit_test(nesting_is_limited_to_64_with_the_array_and_the_message),
        cmocka_unit_test(the_longest_lines_are_read_in_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
