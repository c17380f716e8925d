#include "check.h"

#include "base/json.h"
#include "node/monitor.h"
#include "node/uart_output.h"

/* What the firmware of the recordings wrote in its first seconds, and its answers to lines. */
static const char recorded[] =
    "{\"boot\":true}\n{\"t_ms\":1000,\"n\":1}\n{\"t_ms\":2000,\"n\":2}\n{\"echo\":\"line one\"}\n"
    "{\"echo\":\"line two, a bit longer to see if anything is dropped 0123456789\"}\n{\"b";
static const char recorded_heard[] =
    "UART|-|-1|{\"boot\":true}\nUART|-|-1|{\"t_ms\":1000,\"n\":1}\nUART|-|-1|{\"t_ms\":2000,\"n\":2}\n"
    "UART|-|-1|{\"echo\":\"line one\"}\n"
    "UART|-|-1|{\"echo\":\"line two, a bit longer to see if anything is dropped 0123456789\"}\n";

static void hear(void *data, const struct uart_line *line)
{
    struct buffer *heard = data;
    if (!line->is_message) {
        assert_true(!line->type.len && !line->dst.len && !line->payload.len && line->time == -1 && !line->amiss);
        buffer_text(heard, "log: ");
        buffer_add(heard, line->text.s, line->text.len);
        if (line->lost)
            buffer_format(heard, " (%zu lost)", line->lost);
    } else {
        assert_true(!line->lost);
        buffer_add(heard, line->type.s, line->type.len);
        buffer_text(heard, "|");
        buffer_add(heard, line->dst.len ? line->dst.s : "-", line->dst.len ? line->dst.len : 1);
        buffer_format(heard, "|%lld|", (long long)line->time);
        buffer_add(heard, line->payload.s, line->payload.len);
        if (line->amiss)
            buffer_format(heard, " %s", line->amiss);
    }
    buffer_text(heard, "\n");
}

enum cut { WHOLE, SINGLE, RANDOM, CUTS };

static void feed(struct uart_output *u, const char *s, size_t len, enum cut cut, uint64_t *random, struct buffer *heard)
{
    for (size_t at = 0, n; at < len; at += n) {
        n = cut == WHOLE ? len : cut == SINGLE ? 1 : test_random(random) % (test_random(random) % 300 + 1) + 1;
        n = n < len - at ? n : len - at;
        char *piece = malloc(n);
        memcpy(piece, s + at, n);
        uart_output_feed(u, piece, n, hear, heard);
        free(piece);
    }
}

static void check_bytes(const char *s, size_t len, const char *expected, const char *at_end)
{
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct uart_output u = { 0 };
        struct buffer heard = { 0 };
        feed(&u, s, len, (enum cut)cut, &random, &heard);
        assert_string_equal(buffer_string(&heard), expected);
        heard.len = 0;
        uart_output_end(&u, hear, &heard);
        assert_string_equal(buffer_string(&heard), at_end);
        heard.len = 0;
        uart_output_end(&u, hear, &heard); /* once */
        assert_int_equal(heard.len, 0);
        buffer_free(&heard);
        uart_output_free(&u);
    }
}

static void check(const char *s, const char *expected)
{
    check_bytes(s, strlen(s), expected, "");
}

static void recorded_output_comes_as_messages_and_a_cut_line_waits(void **state)
{
    (void)state;
    check_bytes(recorded, sizeof recorded - 1, recorded_heard, "log: {\"b\n");
    struct uart_output u = { 0 };
    struct buffer heard = { 0 };
    uart_output_feed(&u, "{\"b", 3, hear, &heard);
    uart_output_feed(&u, "", 0, hear, &heard);
    assert_int_equal(heard.len, 0);
    uart_output_feed(&u, "oot\":true}\nnext", 15, hear, &heard);
    assert_string_equal(buffer_string(&heard), "UART|-|-1|{\"boot\":true}\n");
    uart_output_end(&u, hear, &heard);
    assert_string_equal(buffer_string(&heard), "UART|-|-1|{\"boot\":true}\nlog: next\n");
    buffer_free(&heard);
    uart_output_free(&u);
}

static void a_line_that_is_no_object_is_text(void **state)
{
    (void)state;
    check("hello\n\n[1]\n5\n\"x\"\nnull\n{\n{}}\n{} {}\n{'a':1}\n{\"a\":01}\n{\"a\":\"\xff\"}\n}{\n",
          "log: hello\nlog: \nlog: [1]\nlog: 5\nlog: \"x\"\nlog: null\nlog: {\nlog: {}}\nlog: {} {}\nlog: {'a':1}\n"
          "log: {\"a\":01}\nlog: {\"a\":\"\xff\"}\nlog: }{\n");
    check("a\r\n\r\nb\r\r\n\rc\n{}\r\n", "log: a\nlog: \nlog: b\r\nlog: \rc\nUART|-|-1|{}\n");
    check_bytes("{}", 2, "", "log: {}\n"); /* it might have gone on */
}

static void an_object_says_its_type_destination_and_time_and_is_the_payload(void **state)
{
    (void)state;
    check("{\"type\":\"SAMPLE\",\"dst\":\"gw\",\"time\":1500,\"v\":1}\n",
          "SAMPLE|gw|1500|{\"type\":\"SAMPLE\",\"dst\":\"gw\",\"time\":1500,\"v\":1}\n");
    check(" { \"v\" : 1.50e0 , \"big\" : 123456789012345678901234567890, \"s\": \"a b\" } \n",
          "UART|-|-1|{\"v\":1.50e0,\"big\":123456789012345678901234567890,\"s\":\"a b\"}\n");
    check("{\"\\u0074ype\":\"\\u00e9\\n\",\"dst\":\"*\",\"time\":1e3}\n",
          "\xc3\xa9\n|*|1000|{\"\\u0074ype\":\"\\u00e9\\n\",\"dst\":\"*\",\"time\":1e3}\n");
    check("{\"type\":null,\"dst\":null,\"time\":null}\n", "UART|-|-1|{\"type\":null,\"dst\":null,\"time\":null}\n");
    check("{\"type\":\"A\",\"type\":\"B\",\"x\":{\"type\":\"C\",\"dst\":\"d\",\"time\":1}}\n",
          "B|-|-1|{\"type\":\"A\",\"type\":\"B\",\"x\":{\"type\":\"C\",\"dst\":\"d\",\"time\":1}}\n");
    check("{\"time\":4611686018427387903}\n{\"time\":0}\n",
          "UART|-|4611686018427387903|{\"time\":4611686018427387903}\nUART|-|0|{\"time\":0}\n");
}

#define BAD_TYPE " its type is no string of 1 to 256 bytes; taken as UART\n"
#define BAD_DST  " its dst is no string of 1 to 256 bytes; taken as a local event\n"
#define BAD_TIME " its time is no number of whole microseconds from 0 to 2^62; taken as the end of the step\n"

static void what_is_amiss_with_an_object_is_told(void **state)
{
    (void)state;
    check("{\"type\":5}\n", "UART|-|-1|{\"type\":5}" BAD_TYPE);
    check("{\"type\":\"\"}\n", "UART|-|-1|{\"type\":\"\"}" BAD_TYPE);
    check("{\"dst\":[\"a\"]}\n", "UART|-|-1|{\"dst\":[\"a\"]}" BAD_DST);
    check("{\"time\":1.5}\n", "UART|-|-1|{\"time\":1.5}" BAD_TIME);
    check("{\"time\":-1}\n", "UART|-|-1|{\"time\":-1}" BAD_TIME);
    check("{\"time\":4611686018427387904}\n", "UART|-|-1|{\"time\":4611686018427387904}" BAD_TIME);
    check("{\"time\":99999999999999999999}\n", "UART|-|-1|{\"time\":99999999999999999999}" BAD_TIME);
    check("{\"time\":\"5\"}\n", "UART|-|-1|{\"time\":\"5\"}" BAD_TIME);
    check("{\"time\":true,\"type\":true}\n{}\n", "UART|-|-1|{\"time\":true,\"type\":true}" BAD_TYPE "UART|-|-1|{}\n");
    for (size_t len = UART_WORD; len <= UART_WORD + 1; len++) {
        struct buffer line = { 0 }, expected = { 0 }, word = { 0 };
        for (size_t i = 0; i < len; i++)
            buffer_text(&word, "x");
        buffer_format(&line, "{\"type\":\"%s\"}\n", buffer_string(&word));
        buffer_format(&expected, "%s|-|-1|{\"type\":\"%s\"}%s", len > UART_WORD ? "UART" : word.data, word.data,
                      len > UART_WORD ? BAD_TYPE : "\n");
        check(buffer_string(&line), buffer_string(&expected));
        buffer_free(&line);
        buffer_free(&expected);
        buffer_free(&word);
    }
}

static void an_object_that_is_nested_too_deeply_for_a_message_is_text(void **state)
{
    (void)state;
    static const int most = JSON_DEPTH - 2;
    for (int depth = most; depth <= JSON_DEPTH + 1; depth++) {
        struct buffer line = { 0 }, expected = { 0 };
        buffer_text(&line, "{\"[[\\\"[[\":[[1],{\"b\":{}}],\"a\":"); /* others come and go */
        for (int i = 1; i < depth; i++)
            buffer_text(&line, "[");
        for (int i = 1; i < depth; i++)
            buffer_text(&line, "]");
        buffer_text(&line, "}");
        buffer_format(&expected, "%s%s\n", depth > most ? "log: " : "UART|-|-1|", buffer_string(&line));
        buffer_text(&line, "\n");
        check(buffer_string(&line), buffer_string(&expected));
        buffer_free(&line);
        buffer_free(&expected);
    }
}

static void a_line_that_is_too_long_is_cut_and_says_how_much_is_lost(void **state)
{
    (void)state;
    static const size_t lengths[] = { UART_LINE - 1, UART_LINE, UART_LINE + 1, 3 * UART_LINE };
    for (size_t i = 0; i < 4; i++) {
        struct buffer line = { 0 }, expected = { 0 };
        size_t lost = lengths[i] > UART_LINE ? lengths[i] - UART_LINE : 0;
        buffer_text(&line, "{\"x\":\"");
        while (line.len < lengths[i] - 2)
            buffer_text(&line, "x");
        buffer_text(&line, "\"}");
        buffer_text(&expected, lost ? "log: " : "UART|-|-1|");
        buffer_add(&expected, line.data, line.len - lost);
        if (lost)
            buffer_format(&expected, " (%zu lost)", lost);
        buffer_text(&expected, "\nUART|-|-1|{}\n");
        buffer_text(&line, "\n{}\n");
        check(buffer_string(&line), buffer_string(&expected));
        buffer_free(&line);
        buffer_free(&expected);
    }
}

static void the_beginning_of_a_line_that_is_too_long_is_no_message(void **state)
{
    (void)state;
    struct buffer line = { 0 }, expected = { 0 };
    buffer_text(&line, "{}");
    while (line.len < UART_LINE)
        buffer_text(&line, " ");
    buffer_format(&expected, "log: %s (1 lost)\n", buffer_string(&line));
    buffer_text(&line, "x\n");
    check(buffer_string(&line), buffer_string(&expected));
    buffer_free(&line);
    buffer_free(&expected);
}

static void output_without_a_newline_does_not_make_it_grow(void **state)
{
    (void)state;
    struct uart_output u = { 0 };
    struct buffer heard = { 0 };
    static char block[100000];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 100; i++)
        uart_output_feed(&u, block, sizeof block, hear, &heard);
    assert_true(u.line.capacity <= 2 * UART_LINE);
    assert_int_equal(heard.len, 0);
    uart_output_end(&u, hear, &heard);
    assert_string_equal(buffer_string(&heard) + strlen("log: ") + UART_LINE, " (9934464 lost)\n");
    uart_output_feed(&u, "y\n", 2, hear, &heard);
    assert_string_equal(buffer_string(&heard) + heard.len - 7, "log: y\n");
    buffer_free(&heard);
    uart_output_free(&u);
}

/* ---- to the firmware ---- */

static void a_message_is_one_line_of_json(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct message *m = message_new(NULL, 0);
    m->time = 1500000;
    m->type = (struct text){ "SET \"x\"\n\xff", 9 };
    m->payload = (struct text){ "{\"interval\":2.50}", 17 };
    uart_input(&out, m, m->time, "gateway", "mcu");
    m->type = (struct text){ "ACK", 3 };
    m->payload = (struct text){ 0 };
    m->time = 0;
    uart_input(&out, m, m->time, "cloud", "mcu");
    assert_string_equal(buffer_string(&out),
                        "{\"type\":\"SET \\\"x\\\"\\n\xef\xbf\xbd\",\"src\":\"gateway\",\"dst\":\"mcu\","
                        "\"payload\":{\"interval\":2.50},\"time\":1500000}\n"
                        "{\"type\":\"ACK\",\"src\":\"cloud\",\"dst\":\"mcu\",\"payload\":null,\"time\":0}\n");
    message_free(m);
    buffer_free(&out);
}

/* Does what the commands of a line say: what it writes. */
static void write_chars(const char *line, const char *uart, struct buffer *written)
{
    size_t name = strlen(uart);
    for (const char *s = line;; s++) {
        char *end;
        assert_memory_equal(s, uart, name);
        assert_memory_equal(s + name, " WriteChar ", 11);
        long value = strtol(s + name + 11, &end, 10);
        assert_true(value >= 0 && value <= 255);
        char c = (char)value;
        buffer_add(written, &c, 1);
        s = end;
        if (!*s)
            return;
        assert_int_equal(*s, ';');
    }
}

static void bytes_are_written_in_lines_that_the_monitor_takes(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    struct buffer line = { 0 };
    assert_int_equal(uart_write_chars(&line, "sysbus.uart0", "hi\n", 3), 3);
    assert_string_equal(buffer_string(&line),
                        "sysbus.uart0 WriteChar 104;sysbus.uart0 WriteChar 105;sysbus.uart0 WriteChar 10");
    static char long_name[MONITOR_LINE + 1];
    memset(long_name, 'u', MONITOR_LINE);
    assert_int_equal(uart_write_chars(&line, long_name, "ab", 2), 1); /* whoever asks line by line comes to an end */
    line.len = 0;
    assert_int_equal(uart_write_chars(&line, "sysbus.uart0", "", 0), 0);
    assert_int_equal(line.len, 0);
    for (int round = 0; round < 200; round++) {
        char name[UART_NAME_MAX + 1] = { 0 };
        struct buffer bytes = { 0 }, written = { 0 };
        memset(name, 'u', round % 2 ? 12 : test_random(&random) % UART_NAME_MAX + 1);
        for (size_t i = test_random(&random) % 3000; i > 0; i--)
            buffer_add(&bytes, (char[]){ (char)test_random(&random) }, 1);
        for (size_t at = 0, n; at < bytes.len; at += n) {
            line.len = 0;
            n = uart_write_chars(&line, name, bytes.data + at, bytes.len - at);
            assert_true(n > 0 && line.len < MONITOR_LINE && monitor_can_ask(line.data, line.len));
            assert_true(at + n == bytes.len ||
                        line.len + strlen(name) + 20 >= MONITOR_LINE); /* not shorter than need be */
            write_chars(buffer_string(&line), name, &written);
        }
        assert_int_equal(written.len, bytes.len);
        assert_memory_equal(written.data ? written.data : "", bytes.data ? bytes.data : "", bytes.len);
        buffer_free(&bytes);
        buffer_free(&written);
    }
    buffer_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_output_comes_as_messages_and_a_cut_line_waits),
        cmocka_unit_test(a_line_that_is_no_object_is_text),
        cmocka_unit_test(an_object_says_its_type_destination_and_time_and_is_the_payload),
        cmocka_unit_test(what_is_amiss_with_an_object_is_told),
        cmocka_unit_test(an_object_that_is_nested_too_deeply_for_a_message_is_text),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_says_how_much_is_lost),
        cmocka_unit_test(the_beginning_of_a_line_that_is_too_long_is_no_message),
        cmocka_unit_test(output_without_a_newline_does_not_make_it_grow),
        cmocka_unit_test(a_message_is_one_line_of_json),
        cmocka_unit_test(bytes_are_written_in_lines_that_the_monitor_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
