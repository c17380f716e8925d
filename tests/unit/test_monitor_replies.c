#include "check.h"

#include "node/monitor.h"

/* What the monitor's replies say, and what can be said to it. */

static void check_error(const char *reply, const char *expected, const char *named)
{
    struct buffer b = { 0 }, why = { 0 };
    struct text command = { "none", 4 };
    buffer_text(&b, reply);
    assert_int_equal(monitor_error(&b, &why, &command), expected != NULL);
    assert_string_equal(buffer_string(&why), expected ? expected : "");
    assert_int_equal(command.len, strlen(named));
    assert_memory_equal(command.s ? command.s : "", named, command.len);
    buffer_free(&b);
    buffer_free(&why);
}

#define FAILED(command) "There was an error executing command '" command "'\n"
#define METHODS(object)                                                                                                \
    "\nThe following methods are available:\n - Void No such command or device: x\n\nUsage:\n " object                 \
    " MethodName param1 param2 ...\n\n"

static void an_error_is_told_in_renodes_words_with_its_command(void **state)
{
    (void)state;
    check_error("", NULL, "");
    check_error("Renode, version 1.16.1\n", NULL, "");
    check_error("a There was an error executing command 'x'\nMachine x found.\n\n", NULL, "");
    check_error(FAILED("machine LoadPlatformDescription @nope.repl") "Could not find file 'nope.repl'.\n",
                "Could not find file 'nope.repl'.", "machine LoadPlatformDescription @nope.repl");
    check_error(METHODS("sysbus") FAILED("sysbus LoadELF @/nope.elf") "Parameters did not match the signature\n",
                "Parameters did not match the signature", "sysbus LoadELF @/nope.elf");
    check_error("before\n" FAILED("python \"raise Exception('x')\"") "x\n", "x", "python \"raise Exception('x')\"");
    check_error(FAILED("sysbus LoadELF @/r/fw/main.c") "Error while loading ELF: Could not load ELF from path: "
                                                       "/r/fw/main.c\n Could not load ELF from path: "
                                                       "/r/fw/main.c\n",
                "Error while loading ELF: Could not load ELF from path: /r/fw/main.c", "sysbus LoadELF @/r/fw/main.c");
    check_error(FAILED("x") "Error E00: Unexpected 'y'.\nAt /tmp/board.repl:3:1:\nuart: y\n^\n",
                "Error E00: Unexpected 'y'. At /tmp/board.repl:3:1", "x");
    check_error(FAILED("x") "\n\n", "There was an error executing command 'x'", "");
    check_error(FAILED("x") "\n\n  why \n", "why", "x");
    check_error("b\nNo such command or device: sysbus.nouart\n", "No such command or device: sysbus.nouart", "");
    check_error("Machine a b not found.\n", "Machine a b not found.", "");
    check_error("File does not exist: /nope.resc\n", "File does not exist: /nope.resc", "");
    check_error("Bad parameters for command mach \nmach\nlist and manipulate machines\n",
                "Bad parameters for command mach", "");
    check_error("Could not tokenize here:\necho \"abc\n     ^\n", "Could not tokenize here: echo \"abc", "");
    check_error("Could not tokenize here:", "Could not tokenize here: ", "");
}

static int64_t time_of(const char *reply)
{
    struct buffer b = { 0 };
    buffer_text(&b, reply);
    int64_t time = monitor_time(&b);
    buffer_free(&b);
    return time;
}

static void the_virtual_time_is_read_in_microseconds(void **state)
{
    (void)state;
    assert_int_equal(time_of("Current virtual time: 00:00:00.011000000\nCurrent real time: 00:00:00.022601000\n"),
                     11000);
    assert_int_equal(time_of("x\nCurrent virtual time: 00:07:46.408000000\n"), INT64_C(466408000));
    assert_int_equal(time_of("Current virtual time: 00:00:06.005001100\n"), 6005001);
    assert_int_equal(time_of("Current virtual time: 26:00:01\n"), INT64_C(93601000000));
    assert_int_equal(time_of("Current virtual time: 2000000000:59:59.999999999\n"), INT64_C(7200000003599999999));
    assert_int_equal(time_of("Current virtual time: 99999999999999999999:00:00.0\n"), -1);
    static const char *const none[] = { "",
                                        "00:00:01.0",
                                        "Current virtual time: ",
                                        "Current virtual time: 1:2",
                                        "Current virtual time: 00:60:00.0",
                                        "Current virtual time: 00:00:60.0",
                                        "Current virtual time: 00:00:01.",
                                        "Current virtual time: 00:00:01.0s",
                                        "Current virtual time: -1:00:01.0",
                                        "Current real time: 00:00:01.0" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(time_of(none[i]), -1);
}

static void a_number_is_read_as_renode_writes_it(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        bool found;
        uint64_t number;
    } cases[] = { { "0x0000000000000000\n", true, 0 },
                  { "0x00000064\n", true, 100 },
                  { "x\n0x0003D090\n0x1\n", true, 250000 },
                  { "0xffffFFFFffffFFFF", true, UINT64_MAX },
                  { " 18446744073709551615 \n", true, UINT64_MAX },
                  { "100\n", true, 100 },
                  { "0x10000000000000000\n", false, 0 },
                  { "18446744073709551616\n", false, 0 },
                  { "0x\n-1\n1.5\nTrue\n0xg\n\n", false, 0 },
                  { "", false, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer b = { 0 };
        uint64_t number = 7;
        buffer_text(&b, cases[i].reply);
        assert_int_equal(monitor_number(&b, &number), cases[i].found);
        assert_true(number == (cases[i].found ? cases[i].number : 7));
        buffer_free(&b);
    }
}

static void a_path_is_quoted_or_refused(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        { "/r/fw/nrf52840.repl", "@/r/fw/nrf52840.repl" },
        { "platforms/cpus/nrf52840.repl", "@platforms/cpus/nrf52840.repl" },
        { "/tmp/my boards/a b.repl", "@/tmp/my\\ boards/a\\ b.repl" },
        { "/tmp/żółć,(1)[x]#$%&`=@", "@/tmp/żółć,(1)[x]#$%&`=@" },
        { "", NULL },
        { "@x", NULL },
        { "a\nb", NULL },
        { "a\tb", NULL },
        { "a;b", NULL },
        { "a\"b", NULL },
        { "a'b", NULL },
        { "a\\b", NULL },
        { "a\x7f", NULL },
        { "a\xff", NULL },
        { "a\xc2\xa0", NULL },
        { "\xe3\x80\x80", NULL },
        { "a\xe2\x80\xa8"
          "b",
          NULL },
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct buffer out = { 0 };
        buffer_text(&out, "i ");
        assert_int_equal(monitor_quote_path(&out, paths[i][0]), paths[i][1] != NULL);
        assert_int_equal(strncmp(buffer_string(&out), "i ", 2), 0);
        assert_string_equal(out.data + 2, paths[i][1] ? paths[i][1] : "");
        buffer_free(&out);
    }
}

static void what_would_hang_the_monitor_cannot_be_asked(void **state)
{
    (void)state;
    static const char *const good[] = { "", "version", "echo \"za\xc5\xbc\"", "echo \"\"; echo \"\"", "#" };
    static const char *const bad[] = { "a\nb",  "a\r",  "vers\t", "\x03",     "\x1b[A",
                                       "a\xff", "\xc3", "a\x7f",  "x \"\"\"", "\"\"\"\"" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(monitor_can_ask(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(monitor_can_ask(bad[i], strlen(bad[i])));
    assert_false(monitor_can_ask("a\0b", 3));
    char *longest = malloc(MONITOR_LINE + 1);
    memset(longest, 'x', MONITOR_LINE + 1);
    assert_true(monitor_can_ask(longest, MONITOR_LINE));
    assert_false(monitor_can_ask(longest, MONITOR_LINE + 1));
    free(longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_told_in_renodes_words_with_its_command),
        cmocka_unit_test(the_virtual_time_is_read_in_microseconds),
        cmocka_unit_test(a_number_is_read_as_renode_writes_it),
        cmocka_unit_test(a_path_is_quoted_or_refused),
        cmocka_unit_test(what_would_hang_the_monitor_cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
