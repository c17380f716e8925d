/* The firmware of scenarios/firmware: its parts and both variants compiled for this machine, on a board that is a
 * stand-in. */
#include "check.h"

#include "base/json_text.h"

#include "scenarios/firmware/actuator.c"
#include "scenarios/firmware/application.c"
#include "scenarios/firmware/field.c"
#include "scenarios/firmware/generator.c"
#include "scenarios/firmware/line.c"
#include "scenarios/firmware/sensor.c"
#include "scenarios/firmware/text.c"

/* ---- The stand-in for the board ---- */

static struct {
    const char *input;
    size_t input_len;
    char output[20000];
    size_t output_len;
    uint64_t now;
} board;

uint64_t board_time(void)
{
    return board.now;
}

int board_receive(void)
{
    if (!board.input_len)
        return -1;
    board.input_len--;
    return (unsigned char)*board.input++;
}

void board_send(const char *data, size_t len)
{
    assert_true(len < sizeof board.output - board.output_len);
    memcpy(board.output + board.output_len, data, len);
    board.output_len += len;
    board.output[board.output_len] = '\0';
}

uint32_t board_seed(void)
{
    return 1;
}

static void forget_output(void)
{
    board.output_len = 0;
    *board.output = '\0';
}

/* Switches the board on, and forgets what the firmware says at its start. */
static void switch_on(const struct application *application)
{
    memset(&board, 0, sizeof board);
    application->start();
    forget_output();
}

/* Hands bytes to the firmware and lets it run until it has taken them all. */
static void give(const struct application *application, struct line *line, const char *data, size_t len)
{
    board.input = data;
    board.input_len = len;
    while (application_turn(application, line)) {
    }
    assert_int_equal(board.input_len, 0);
}

static struct piece piece(const char *text)
{
    return (struct piece){ text, strlen(text) };
}

/* A copy without a byte behind it, for the sanitizer to see what reads on. The caller frees it. */
static struct piece tight(const char *data, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    return (struct piece){ copy, len };
}

/* ---- Lines ---- */

static void lines_end_with_either_end_and_empty_ones_are_not_told(void **state)
{
    (void)state;
    struct line line = { 0 };
    static const char input[] = "\r\n\none\r\ntwo\n\r\rthree";
    char told[40] = "";
    for (size_t i = 0; i < sizeof input - 1; i++) {
        if (line_add(&line, input[i]) != LINE_WHOLE)
            continue;
        strncat(told, line_piece(&line).at, line_piece(&line).len);
        strcat(told, ";");
    }
    assert_string_equal(told, "one;two;");
    assert_int_equal(line_add(&line, '\n'), LINE_WHOLE);
    assert_memory_equal(line_piece(&line).at, "three", 5);
}

static void a_line_that_fills_the_room_is_whole_and_a_longer_one_is_left_out(void **state)
{
    (void)state;
    struct line *line = calloc(1, sizeof *line);
    assert_non_null(line);
    static const size_t lengths[] = { LINE_MAX_LENGTH - 1, LINE_MAX_LENGTH, LINE_MAX_LENGTH + 1, 1, 100000, 1, 0 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t k = 0; k < lengths[i]; k++)
            assert_int_equal(line_add(line, (char)('a' + k % 26)), LINE_GOES_ON);
        bool fits = lengths[i] <= LINE_MAX_LENGTH;
        assert_int_equal(line_add(line, '\n'), !fits ? LINE_TOO_LONG : lengths[i] ? LINE_WHOLE : LINE_GOES_ON);
        if (fits)
            assert_int_equal(line_piece(line).len, lengths[i]);
    }
    free(line);
}

/* ---- Fields ---- */

static void finds(const char *object, const char *key, const char *value)
{
    struct piece copy = tight(object, strlen(object));
    struct piece found = field_find(copy, key);
    if (value ? !found.at || !equals(found, value) : found.at != NULL)
        fail_msg("%s of %s is '%.*s'", key, object, (int)found.len, found.at ? found.at : "");
    free((char *)copy.at);
}

static void a_field_is_found_among_others_of_every_kind(void **state)
{
    (void)state;
    static const char object[] =
        " {\"a\":1, \"type\" : \"SET\\\"}\" ,\"b\":{\"type\":2,\"c\":[{\"type\":3},\"]\"]},\t\"d\":-1.5e+7,"
        "\"e\":true,\"f\":null,\"\":[],\"g\\u0041\":{ }} ";
    finds(object, "type", "\"SET\\\"}\"");
    finds(object, "b", "{\"type\":2,\"c\":[{\"type\":3},\"]\"]}");
    finds(object, "d", "-1.5e+7");
    finds(object, "e", "true");
    finds(object, "f", "null");
    finds(object, "", "[]");
    finds(object, "g\\u0041", "{ }");
    finds(object, "c", NULL);
    finds(object, "typ", NULL);
    finds(object, "types", NULL);
    finds("{}", "type", NULL);
    finds("{\"a\":1,\"a\":{\"a\":2},\"b\":3}", "a", "{\"a\":2}");
    assert_null(field_find((struct piece){ NULL, 0 }, "a").at);
    assert_null(field_find(field_find(piece("{\"a\":[{\"b\":1}]}"), "a"), "b").at);
}

static void what_is_no_whole_object_has_no_fields(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        " ",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "[{\"a\":1}]",
        "\"a\":1",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nan}",
        "{\"a\":\"x}",
        "{\"a\":\"\\}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12",
        "{\"a\":\"\t\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1}",
        "{\"a\":[1]]}",
        "{\"a\":1 2}",
        "{\"a\":{]}",
        "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\":1,\"b\":[",
        "{\"a\":1,\"b\"}",
        "null",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        finds(lines[i], "a", NULL);
    static const char with_nul[] = "{\"a\":1\0}";
    assert_null(field_find((struct piece){ with_nul, sizeof with_nul - 1 }, "a").at);
}

static void nesting_is_followed_64_deep_and_no_deeper(void **state)
{
    (void)state;
    char text[2000];
    for (int depth = 60; depth <= 300; depth += depth < 68 ? 1 : 29) {
        size_t len = 0;
        len += (size_t)sprintf(text, "{\"a\":1,\"b\":"); /* the first level */
        for (int i = 1; i < depth; i++)
            len += (size_t)sprintf(text + len, i % 2 ? "[" : "{\"c\":");
        len += (size_t)sprintf(text + len, "0");
        for (int i = depth - 1; i > 0; i--)
            len += (size_t)sprintf(text + len, i % 2 ? "]" : "}");
        sprintf(text + len, "}");
        finds(text, "a", depth <= FIELD_DEPTH_MAX ? "1" : NULL);
    }
}

/* What lockstep's own reader of JSON says of it. */
static bool is_object(struct piece text)
{
    struct json_text t;
    struct json_span value;
    json_text_begin(&t, text.at, text.len);
    return json_text_value(&t, &value) && json_text_end(&t) && value.kind == JSON_OBJECT;
}

static void spoilt_objects_are_judged_as_lockstep_judges_them(void **state)
{
    (void)state;
    static const char sound[] =
        "{\"z\":1,\"type\":\"SET_INTERVAL\",\"src\":\"gate\\n\\u00e9way\",\"payload\":{\"interval_ms\":250,"
        "\"more\":[1.5e-3,{},[],true,null,\"\"]},\"time\":-12000}";
    static const char bytes[] = "{}[]\",:\\ \t0123456789-+.eEtrufalsn\n\x01/b";
    uint64_t seed = test_seed();
    int whole = 0;
    for (int i = 0; i < 100000; i++) {
        char text[2 * sizeof sound];
        size_t len = sizeof sound - 1;
        memcpy(text, sound, len);
        for (uint64_t edits = test_random(&seed) % 4; edits > 0 && len > 0; edits--) {
            size_t at = (size_t)(test_random(&seed) % len);
            switch (test_random(&seed) % 4) {
            case 0:
                text[at] = bytes[test_random(&seed) % (sizeof bytes - 1)];
                break;
            case 1: /* without a byte */
                memmove(text + at, text + at + 1, --len - at);
                break;
            case 2: /* with one more */
                memmove(text + at + 1, text + at, len++ - at);
                text[at] = bytes[test_random(&seed) % (sizeof bytes - 1)];
                break;
            default: /* cut off */
                len = at ? at : 1;
            }
        }
        struct piece copy = tight(text, len);
        bool is_whole = is_object(copy);
        whole += is_whole;
        /* "z" is there as long as its first six bytes are as they were. */
        struct piece found = field_find(copy, "z");
        if (is_whole && len > 6 && memcmp(text, "{\"z\":1,", 7) == 0 ? !found.at : found.at && !is_whole)
            fail_msg("%.*s: %s", (int)len, text, is_whole ? "refused" : "taken");
        field_find(field_find(copy, "payload"), "interval_ms");
        free((char *)copy.at);
    }
    assert_true(whole > 20000 && whole < 80000);
}

static void whole_numbers_are_read_within_their_bounds_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        int32_t value;
    } samples[] = {
        { "0", true, 0 },
        { "250", true, 250 },
        { "-7", true, -7 },
        { "2147483647", true, INT32_MAX },
        { "-2147483648", true, INT32_MIN },
        { "2147483648", false, 0 },
        { "-2147483649", false, 0 },
        { "18446744073709551866", false, 0 },
        { "99999999999999999999999999999999999999", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "\"250\"", false, 0 },
        { "true", false, 0 },
        { "-", false, 0 },
        { "", false, 0 },
        { "{}", false, 0 },
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int32_t out = 12345;
        struct piece copy = tight(samples[i].text, strlen(samples[i].text));
        if (field_integer(copy, INT32_MIN, INT32_MAX, &out) != samples[i].is_good ||
            out != (samples[i].is_good ? samples[i].value : 12345))
            fail_msg("'%s' gives %d", samples[i].text, (int)out);
        free((char *)copy.at);
    }
    int32_t out = 5;
    assert_false(field_integer((struct piece){ NULL, 0 }, 0, 9, &out));
    assert_false(field_integer(piece("10"), 0, 9, &out) || field_integer(piece("-1"), 0, 9, &out));
    assert_true(field_integer(piece("9"), 0, 9, &out) && out == 9);
}

static void a_name_is_what_lockstep_calls_a_node(void **state)
{
    (void)state;
    char longest[FIELD_NAME_MAX + 4] = "\"";
    memset(longest + 1, 'n', FIELD_NAME_MAX);
    strcpy(longest + 1 + FIELD_NAME_MAX, "\"");
    assert_int_equal(field_name(piece(longest)).len, FIELD_NAME_MAX);
    strcpy(longest + 1 + FIELD_NAME_MAX, "n\"");
    assert_null(field_name(piece(longest)).at);
    struct piece name = field_name(piece("\"Gate_1.a-b\""));
    assert_true(name.at && equals(name, "Gate_1.a-b"));
    static const char *const others[] = { "\"\"",     "\"",        "",        "12",          "\"a b\"",
                                          "\"a\\n\"", "\"a\\\"\"", "[\"a\"]", "\"\xc3\xa9\"" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_null(field_name(piece(others[i])).at);
    assert_null(field_name((struct piece){ NULL, 0 }).at);
    assert_true(field_is(piece("\"COMMAND\""), "COMMAND"));
    assert_false(field_is(piece("\"COMMANDS\""), "COMMAND") || field_is(piece("\"COMMAN\""), "COMMAND"));
    assert_false(field_is(piece("COMMAND"), "COMMAND") || field_is((struct piece){ NULL, 0 }, "COMMAND"));
}

/* ---- Text and numbers ---- */

static void numbers_are_written_with_all_their_digits(void **state)
{
    (void)state;
    static const int32_t thousandths[] = { 0, 1, -1, 999, 1000, -1000, 21394, -273150, INT32_MAX, INT32_MIN };
    struct text text;
    text_begin(&text, "");
    text_number(&text, 0);
    text_add(&text, " ");
    text_number(&text, 1000);
    text_add(&text, " ");
    text_number(&text, UINT64_MAX);
    for (size_t i = 0; i < sizeof thousandths / sizeof *thousandths; i++) {
        text_add(&text, " ");
        text_thousandths(&text, thousandths[i]);
    }
    forget_output();
    text_send(&text);
    assert_string_equal(board.output, "0 1000 18446744073709551615 0.000 0.001 -0.001 0.999 1.000 -1.000 21.394 "
                                      "-273.150 2147483.647 -2147483.648\n");
}

static void what_does_not_fit_is_not_sent_in_part(void **state)
{
    (void)state;
    struct text *text = malloc(sizeof *text);
    assert_non_null(text);
    for (int more = 0; more <= 2; more++) {
        text_begin(text, "");
        for (int i = 0; i < TEXT_MAX_LENGTH - 2 + more; i++)
            text_add(text, "x");
        forget_output();
        text_send(text);
        if (more < 2)
            assert_int_equal(board.output_len, TEXT_MAX_LENGTH - 1 + more);
        else
            assert_string_equal(board.output, "a line that was too long was not sent\n");
    }
    free(text);
}

static void the_generator_gives_the_published_numbers_and_a_plausible_temperature(void **state)
{
    (void)state;
    struct generator g;
    generator_start(&g, 1);
    static const uint32_t published[] = { 270369, 67634689, 2647435461, 307599695, 2398689233 };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        assert_int_equal(generator_next(&g), published[i]);
    for (uint32_t seed = 0; seed < 5; seed++) {
        double sum = 0, squares = 0;
        generator_start(&g, seed);
        for (int i = 0; i < 10000; i++) {
            double celsius = generator_temperature(&g) / 1000.0;
            assert_true(celsius > 8 && celsius < 32.1);
            sum += celsius;
            squares += (celsius - 20) * (celsius - 20);
        }
        assert_true(sum / 10000 > 19.9 && sum / 10000 < 20.1);
        assert_true(squares / 10000 > 3.7 && squares / 10000 < 4.3);
    }
}

/* ---- The two variants ---- */

/* Lets the time pass by milliseconds up to `until`, each a little after the tick as on the board. */
static void run(const struct application *application, struct line *line, uint64_t until)
{
    for (uint64_t ms = board.now / 1000 + 1; ms <= until / 1000; ms++) {
        board.now = 1000 * ms + 3;
        give(application, line, "", 0);
    }
}

static void a_sensor_samples_once_a_second_until_it_is_told_otherwise(void **state)
{
    (void)state;
    struct line line = { 0 };
    switch_on(&sensor);
    run(&sensor, &line, 999999);
    assert_string_equal(board.output, "");
    run(&sensor, &line, 2999999);
    assert_string_equal(board.output,
                        "{\"type\":\"SAMPLE\",\"dst\":\"gateway\",\"time\":1000003,\"sample\":1,\"celsius\":19.704}\n"
                        "{\"type\":\"SAMPLE\",\"dst\":\"gateway\",\"time\":2000003,\"sample\":2,\"celsius\":19.480}\n");
    forget_output();
    /* Sooner: the next is 250 ms behind the last, or at once where that is over, and then on the ticks. */
    static const char faster[] =
        "{\"type\":\"SET_INTERVAL\",\"src\":\"gateway\",\"payload\":{\"interval_ms\":250},\"time\":1}\n";
    board.now = 2999888;
    give(&sensor, &line, faster, strlen(faster));
    assert_non_null(
        strstr(board.output, "the interval is 250 ms\n{\"type\":\"SAMPLE\",\"dst\":\"gateway\",\"time\":2999888,"));
    run(&sensor, &line, 3800000);
    assert_non_null(strstr(board.output, "\"time\":3249003,"));
    assert_non_null(strstr(board.output, "\"time\":3499003,"));
    assert_non_null(strstr(board.output, "\"time\":3749003,\"sample\":6,"));
    forget_output();
    static const char slower[] = "{\"payload\":{\"interval_ms\":2000},\"type\":\"SET_INTERVAL\"}\n";
    give(&sensor, &line, slower, strlen(slower));
    run(&sensor, &line, 8000000);
    assert_non_null(strstr(board.output, "\"time\":5749003,\"sample\":7,"));
    assert_non_null(strstr(board.output, "\"time\":7749003,\"sample\":8,"));
    assert_null(strstr(board.output, "\"sample\":9,"));
}

static void an_actuator_takes_a_state_and_answers_whoever_sent_it(void **state)
{
    (void)state;
    static const char input[] =
        "{\"type\":\"COMMAND\",\"src\":\"gateway\",\"payload\":{\"state\":40},\"time\":2012000}\n"
        "{\"type\":\"COMMAND\",\"src\":\"other.1\",\"payload\":{\"state\":101}}\n"
        "{\"type\":\"COMMAND\",\"src\":\"other.1\"}\n"
        "{\"type\":\"COMMAND\",\"src\":\"a\\\"b\",\"payload\":{\"state\":0}}\n"
        "{\"type\":\"commands\",\"src\":\"gateway\",\"payload\":{\"state\":1}}\n";
    struct line line = { 0 };
    switch_on(&actuator);
    board.now = 2012009;
    give(&actuator, &line, input, strlen(input));
    assert_string_equal(board.output, "{\"type\":\"DONE\",\"dst\":\"gateway\",\"time\":2012009,\"state\":40}\n"
                                      "{\"type\":\"REFUSED\",\"dst\":\"other.1\",\"time\":2012009,\"state\":40}\n"
                                      "{\"type\":\"REFUSED\",\"dst\":\"other.1\",\"time\":2012009,\"state\":40}\n"
                                      "{\"type\":\"DONE\",\"time\":2012009,\"state\":0}\n"
                                      "ignored a line that is no COMMAND\n");
}

/* Every line that looks like an object is one, with the members of a message. */
static void check_output(void)
{
    for (char *at = board.output, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        assert_non_null(end);
        struct piece text = { at, (size_t)(end - at) };
        assert_true(*at != '{' || (is_object(text) && field_find(text, "type").at && field_find(text, "time").at));
    }
}

static void garbage_is_survived_and_the_next_message_is_understood(void **state)
{
    (void)state;
    static const char *const parts[] = { "{",
                                         "}",
                                         "\"",
                                         "\n",
                                         "\\",
                                         "[[[[",
                                         "{\"type\":",
                                         "\"COMMAND\"",
                                         "\"SET_INTERVAL\",",
                                         "\"payload\":{\"interval_ms\":",
                                         "{\"type\":\"COMMAND\",\"src\":\"x\"}\n",
                                         "1",
                                         "\r",
                                         " " };
    static const char command[] = "\n{\"type\":\"COMMAND\",\"src\":\"gateway\",\"payload\":{\"state\":77}}\n";
    static const char interval[] = "\n{\"type\":\"SET_INTERVAL\",\"payload\":{\"interval_ms\":3600000}}\n";
    uint64_t seed = test_seed();
    struct line for_sensor = { 0 }, for_actuator = { 0 };
    switch_on(&sensor);
    switch_on(&actuator);
    for (int i = 0; i < 2000; i++) {
        char garbage[3000];
        size_t len = 0, most = (size_t)(test_random(&seed) % 2500);
        while (len < most) {
            if (test_random(&seed) % 4 == 0)
                garbage[len++] = (char)test_random(&seed);
            else
                len += (size_t)sprintf(garbage + len, "%s", parts[test_random(&seed) % (sizeof parts / sizeof *parts)]);
        }
        struct piece copy = tight(garbage, len);
        forget_output();
        give(&sensor, &for_sensor, copy.at, copy.len);
        give(&sensor, &for_sensor, interval, strlen(interval));
        assert_non_null(strstr(board.output, "the interval is 3600000 ms\n"));
        give(&actuator, &for_actuator, copy.at, copy.len);
        give(&actuator, &for_actuator, command, strlen(command));
        assert_non_null(strstr(board.output, "{\"type\":\"DONE\",\"dst\":\"gateway\",\"time\":0,\"state\":77}\n"));
        check_output();
        free((char *)copy.at);
    }
}

static void a_flood_of_input_does_not_keep_the_clock_from_being_looked_at(void **state)
{
    (void)state;
    static char flood[3 * BYTES_PER_TURN];
    struct line line = { 0 };
    memset(flood, '{', sizeof flood);
    switch_on(&sensor);
    board.now = 1000000;
    board.input = flood;
    board.input_len = sizeof flood;
    assert_true(application_turn(&sensor, &line));
    assert_int_equal(board.input_len, 2 * BYTES_PER_TURN);
    assert_non_null(strstr(board.output, "\"sample\":1,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_either_end_and_empty_ones_are_not_told),
        cmocka_unit_test(a_line_that_fills_the_room_is_whole_and_a_longer_one_is_left_out),
        cmocka_unit_test(a_field_is_found_among_others_of_every_kind),
        cmocka_unit_test(what_is_no_whole_object_has_no_fields),
        cmocka_unit_test(nesting_is_followed_64_deep_and_no_deeper),
        cmocka_unit_test(spoilt_objects_are_judged_as_lockstep_judges_them),
        cmocka_unit_test(whole_numbers_are_read_within_their_bounds_only),
        cmocka_unit_test(a_name_is_what_lockstep_calls_a_node),
        cmocka_unit_test(numbers_are_written_with_all_their_digits),
        cmocka_unit_test(what_does_not_fit_is_not_sent_in_part),
        cmocka_unit_test(the_generator_gives_the_published_numbers_and_a_plausible_temperature),
        cmocka_unit_test(a_sensor_samples_once_a_second_until_it_is_told_otherwise),
        cmocka_unit_test(an_actuator_takes_a_state_and_answers_whoever_sent_it),
        cmocka_unit_test(garbage_is_survived_and_the_next_message_is_understood),
        cmocka_unit_test(a_flood_of_input_does_not_keep_the_clock_from_being_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
