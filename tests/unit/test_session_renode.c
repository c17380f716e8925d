/* A session with firmware in Renode, the scripted one: a line that a person types to a UART, what its processor does,
 * its clock at a pause. */
#include "check.h"

#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockstep/session.h"

#define PEER LOCKSTEP_SOURCE_DIR "/tests/support/renode/renode"

struct run {
    char folder[100], file[200], out[200];
    struct scenario *scenario;
    struct loop *loop;
    struct session *session;
};

/* A program of two words, the stack and where it begins: the scripted one echoes each line of such a board. */
static void write_elf(const char *folder)
{
    static const unsigned char elf[] = {
        0x7f, 'E',  'L', 'F', 1, 1,  1, 0, 0, 0, 0,  0, 0, 0, 0, 0, 2, 0,  40,   0,    1, 0, 0,
        0,    0xd5, 1,   0,   0, 52, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 52, 0,    32,   0, 1, 0,
        0,    0,    0,   0,   0, 0,  1, 0, 0, 0, 84, 0, 0, 0, 0, 0, 0, 0,  0,    0,    0, 0, 8,
        0,    0,    0,   8,   0, 0,  0, 5, 0, 0, 0,  4, 0, 0, 0, 0, 0, 1,  0x20, 0xd5, 1, 0, 0,
    };
    char path[200];
    snprintf(path, sizeof path, "%s/board.elf", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(elf, 1, sizeof elf, f), sizeof elf);
    fclose(f);
}

static void step_until(struct session *s, enum session_state state)
{
    struct session_status status;
    for (session_status(s, &status); status.state != state; session_status(s, &status)) {
        if (session_state_over(status.state))
            fail_msg("the run is over: %s", status.cause);
        session_wait(s, -1, 100);
        session_step(s);
    }
}

static void begin_of(struct run *r, const char *first, const char *fields)
{
    struct problems problems = { 0 };
    struct error err = { 0 };
    *r = (struct run){ .folder = "/tmp/lockstep-uart-XXXXXX" };
    assert_non_null(mkdtemp(r->folder));
    write_elf(r->folder);
    test_write_file(r->folder, "board.repl",
                    "cpu: CPU.CortexM @ sysbus\nuart0: UART.NRF52840_UART @ sysbus 0x40002000\n"
                    "uart1: UART.NRF52840_UART @ sysbus 0x40028000\n");
    char text[1000];
    snprintf(text, sizeof text,
             "simulation: { duration: 2s, quantum: 1ms, seed: 1 }\nnodes:\n"
             "  - { id: gw, type: gateway%s }\n"
             "  - { id: mcu, type: device, implementation: renode, renode: " PEER ",\n"
             "      platform: board.repl, firmware: board.elf, uarts: [ sysbus.uart1 ]%s }\n",
             first, fields);
    test_write_file(r->folder, "s.yaml", text);
    snprintf(r->file, sizeof r->file, "%s/s.yaml", r->folder);
    snprintf(r->out, sizeof r->out, "%s/out", r->folder);
    setenv("RENODE_PEER_FIRMWARE", "uart0=echo,uart1=echo", 1);
    r->scenario = scenario_load(r->file, NULL, 0, &problems);
    problems_print(&problems, stdout);
    assert_non_null(r->scenario);
    r->loop = loop_new((const int[]){ 0 });
    struct session_options options = { .loop = r->loop, .out_dir = r->out, .until = SIMTIME_NEVER };
    r->session = session_new(r->scenario, &options, &err);
    if (!r->session)
        fail_msg("%s", err.text);
    step_until(r->session, SESSION_PAUSED);
}

static void begin_with(struct run *r, const char *fields)
{
    begin_of(r, "", fields);
}

static void begin(struct run *r)
{
    begin_with(r, "");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void end(struct run *r)
{
    session_free(r->session);
    scenario_free(r->scenario);
    loop_free(r->loop);
    assert_int_equal(nftw(r->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static bool type(struct run *r, int node, const char *uart, const char *text)
{
    return session_command(r->session,
                           &(struct command){ COMMAND_NODE_TEXT, .node = node, .uart = uart, .text = text });
}

static char *events_of(const struct run *r)
{
    char path[300], *text = calloc(1, 100000);
    snprintf(path, sizeof path, "%s/events.jsonl", r->out);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, 99999, f) > 0);
    fclose(f);
    return text;
}

/* The three lines that were typed. */
static void saves_what_it_cannot_repeat(const struct run *r)
{
    char path[300], text[4000] = "";
    struct error err = { 0 };
    snprintf(path, sizeof path, "%s/saved.yaml", r->folder);
    assert_int_equal(session_save_faults(r->session, path, &err), 3);
    assert_int_equal(session_saved_lines(r->session), 3);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(text, "does not repeat it: 3 lines typed to a UART are missing"));
    assert_non_null(strstr(text, "# At 1s a line was typed to mcu, which a scenario cannot say: \"help\""));
}

/* Typed at the start to one, at 1 s, while the run goes on, to both. */
static char *typed_run(void)
{
    struct run r;
    char line[100] = "a \"b\" c", uart[40] = "sysbus.uart1";
    begin(&r);
    assert_true(type(&r, 1, NULL, line));
    assert_true(session_command(r.session, &(struct command){ COMMAND_RUN_TO, .time = 1000000 }));
    memset(line, 'x', sizeof line - 1); /* it was copied */
    step_until(r.session, SESSION_RUNNING);
    step_until(r.session, SESSION_PAUSED);
    assert_true(type(&r, 1, uart, "help"));
    memset(uart, 'x', sizeof uart - 1);
    assert_true(type(&r, 1, "sysbus.uart0", "stop"));
    assert_true(session_command(r.session, &(struct command){ .kind = COMMAND_RUN }));
    step_until(r.session, SESSION_FINISHED);
    char *text = events_of(&r);
    saves_what_it_cannot_repeat(&r);
    end(&r);
    return text;
}

static void a_typed_line_is_a_record_and_reaches_its_uart(void **state)
{
    (void)state;
    static const char *const records[] = {
        "\"t\":0,\"kind\":\"command\",\"text\":\"uart mcu: \\\"a \\\\\\\"b\\\\\\\" c\\\"\"}",
        "\"t\":1000000,\"kind\":\"command\",\"text\":\"uart mcu sysbus.uart1: \\\"help\\\"\"}",
        "\"t\":1000000,\"kind\":\"command\",\"text\":\"uart mcu sysbus.uart0: \\\"stop\\\"\"}",
        "\"payload\":{\"echo\":\"stop\"}",
        "\"payload\":{\"echo\":\"help\"}",
    };
    char *first = typed_run(), *again = typed_run(), *at = first;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        char *found = strstr(at, records[i]);
        if (!found)
            fail_msg("not there, or not in this order: %s\n%s", records[i], first);
        at = found;
    }
    assert_string_equal(first, again);
    free(first);
    free(again);
}

static void what_cannot_be_typed_is_refused(void **state)
{
    (void)state;
    struct run r;
    char longest[COMMAND_TEXT_MAX + 2] = "";
    begin(&r);
    memset(longest, 'x', COMMAND_TEXT_MAX);
    assert_false(type(&r, 0, NULL, "help"));
    assert_false(type(&r, 2, NULL, "help"));
    assert_false(type(&r, 1, "sysbus.uart2", "help"));
    assert_false(type(&r, 1, NULL, NULL));
    assert_false(type(&r, 1, NULL, "two\nlines"));
    assert_false(type(&r, 1, NULL, "\x1b[31m"));
    assert_false(type(&r, 1, NULL, "\xff"));
    assert_true(type(&r, 1, NULL, ""));
    assert_true(type(&r, 1, NULL, longest));
    longest[COMMAND_TEXT_MAX] = 'x';
    assert_false(type(&r, 1, NULL, longest));
    assert_true(session_command(r.session, &(struct command){ COMMAND_NODE_STOP, .node = 1 }));
    session_step(r.session);
    assert_false(type(&r, 1, NULL, "help"));
    end(&r);
}

static void a_typed_line_whose_node_is_gone_is_told(void **state)
{
    (void)state;
    struct run r;
    begin(&r);
    assert_true(session_command(r.session, &(struct command){ COMMAND_NODE_STOP, .node = 1 }));
    assert_true(type(&r, 1, NULL, "help"));
    assert_true(type(&r, 1, "sysbus.uart1", "help"));
    assert_true(session_command(r.session, &(struct command){ .kind = COMMAND_RUN }));
    step_until(r.session, SESSION_FINISHED);
    char *text = events_of(&r);
    end(&r);
    assert_null(strstr(text, "uart mcu"));
    const char *first = strstr(text, "a line that was typed to its UART is lost");
    assert_non_null(first);
    assert_non_null(strstr(first, "a line that was typed to sysbus.uart1 is lost"));
    free(text);
}

enum looks { NO_LOOKS, WHILE_IT_RUNS, WHILE_IT_RESTS };

/* A run to the end, during which node 1 is looked at, or not. */
static char *looked_at_run(enum looks looks)
{
    struct run r;
    struct node_status node;
    double mips = -1;
    begin(&r);
    assert_false(session_processor(r.session, 0, &mips));
    assert_false(session_processor(r.session, 1, &mips));
    assert_true(session_command(r.session, &(struct command){ COMMAND_RUN_TO, .time = 1500000 }));
    while (looks == WHILE_IT_RUNS && !session_processor(r.session, 1, &mips)) {
        session_wait(r.session, -1, 100);
        session_step(r.session);
        session_node(r.session, 1, &node);
        assert_true(node.clock < 1500000);
    }
    step_until(r.session, SESSION_PAUSED);
    session_node(r.session, 1, &node);
    assert_int_equal(node.clock, 1500000);
    session_node(r.session, 0, &node);
    assert_int_equal(node.clock, -1);
    for (int i = 0; looks && !session_processor(r.session, 1, &mips); i++) {
        assert_true(i < 1000);
        session_wait(r.session, -1, 100);
        session_step(r.session);
    }
    if (looks)
        assert_true(mips > 0.99 && mips < 1.01); /* of the scripted one */
    assert_true(session_command(r.session, &(struct command){ .kind = COMMAND_RUN }));
    struct session_status status = { .state = SESSION_RUNNING };
    for (; !session_state_over(status.state); session_status(r.session, &status)) {
        if (looks)
            session_processor(r.session, 1, &mips);
        session_wait(r.session, -1, 100);
        session_step(r.session);
    }
    assert_string_equal(status.outcome, "finished");
    char *text = events_of(&r);
    end(&r);
    return text;
}

static void that_its_processor_is_looked_at_changes_nothing(void **state)
{
    (void)state;
    char *first = looked_at_run(NO_LOOKS), *running = looked_at_run(WHILE_IT_RUNS),
         *resting = looked_at_run(WHILE_IT_RESTS);
    assert_string_equal(first, running);
    assert_string_equal(first, resting);
    free(first);
    free(running);
    free(resting);
}

static void step(struct run *r, uint64_t quanta)
{
    assert_true(session_command(r->session, &(struct command){ COMMAND_STEP, .count = quanta }));
    step_until(r->session, SESSION_PAUSED);
}

static void step_to_the_end(struct run *r, const char *outcome, const char *cause)
{
    struct session_status status;
    int turns = 0;
    for (session_status(r->session, &status); !session_state_over(status.state); session_status(r->session, &status)) {
        if (status.state == SESSION_PAUSED && turns++ > 200)
            fail_msg("it stands paused at %lld us", (long long)status.now);
        session_wait(r->session, -1, 50);
        session_step(r->session);
    }
    assert_string_equal(status.outcome, outcome);
    if (!strstr(status.cause, cause))
        fail_msg("'%s' is not in: %s", cause, status.cause);
}

static const char *const ways[] = { ", time_control: external", ", time_control: monitor" };

/* From its 20th RunFor on the clock is 7 us ahead. */
static void a_wrong_clock_is_found_at_the_pause(void **state)
{
    (void)state;
    setenv("RENODE_PEER_FAULT", "drift=20", 1);
    for (size_t i = 0; i < 2; i++) {
        struct run r;
        begin_with(&r, ways[i]);
        step(&r, 19);
        step(&r, 1);
        step_to_the_end(&r, "failed", "the clock of its Renode stands at 20007 us, and 20000 us were granted to it");
        char *text = events_of(&r);
        assert_non_null(strstr(text, "\"t\":20000,\"kind\":\"end\""));
        free(text);
        end(&r);
    }
    unsetenv("RENODE_PEER_FAULT");
}

/* Who goes on at once does not go on before the clock is known: the failure is of the barrier of the pause. */
static void a_wrong_clock_at_a_pause_is_found_before_the_next_quantum(void **state)
{
    (void)state;
    setenv("RENODE_PEER_FAULT", "slow,drift=20", 1);
    for (size_t i = 0; i < 2; i++) {
        struct run r;
        char fields[100];
        snprintf(fields, sizeof fields, "%s, on_failure: continue", ways[i]);
        begin_with(&r, fields);
        step(&r, 20);
        assert_true(session_command(r.session, &(struct command){ .kind = COMMAND_RUN }));
        step_to_the_end(&r, "finished", "");
        char *text = events_of(&r);
        const char *failed = strstr(text, "\"kind\":\"node\",\"node\":\"mcu\",\"state\":\"failed\"");
        assert_non_null(failed);
        assert_memory_equal(failed - strlen("\"t\":20000,"), "\"t\":20000,", strlen("\"t\":20000,"));
        free(text);
        end(&r);
    }
    unsetenv("RENODE_PEER_FAULT");
}

/* Steps a quantum, and stops in its midst; false where that was over too quickly. */
static bool step_halfway(struct run *r)
{
    struct session_status status = { .now = 0 };
    struct node_status node = { .state = NODE_IDLE };
    step(r, 19);
    assert_true(session_command(r->session, &(struct command){ COMMAND_STEP, .count = 1 }));
    while (node.state != NODE_BUSY && status.now < 20000) {
        session_wait(r->session, -1, 50);
        session_step(r->session);
        session_node(r->session, 1, &node);
        session_status(r->session, &status);
        if (session_state_over(status.state))
            fail_msg("the run is over: %s", status.cause);
    }
    return node.state == NODE_BUSY;
}

/* Ended by a person at a pause: as its clock is asked for, or once it is known. */
static char *ended_run(enum command_kind kind, bool at_once)
{
    struct run r;
    struct session_status status = { .waiting_for = 1 };
    begin_with(&r, ", on_failure: continue");
    step(&r, 20);
    while (!at_once && status.waiting_for >= 0) {
        session_wait(r.session, -1, 50);
        session_step(r.session);
        session_status(r.session, &status);
    }
    session_status(r.session, &status);
    assert_int_equal(status.waiting_for, at_once ? 1 : -1);
    assert_true(session_command(r.session, &(struct command){ kind, .node = 1 }));
    assert_true(session_command(r.session, &(struct command){ .kind = COMMAND_RUN }));
    step_to_the_end(&r, "finished", "");
    char *text = events_of(&r);
    end(&r);
    return text;
}

static void a_node_may_be_ended_while_its_clock_is_asked_for(void **state)
{
    (void)state;
    static const enum command_kind kinds[] = { COMMAND_NODE_STOP, COMMAND_NODE_KILL, COMMAND_NODE_RESTART };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char *at_once = ended_run(kinds[i], true), *later = ended_run(kinds[i], false);
        assert_string_equal(at_once, later);
        free(at_once);
        free(later);
    }
}

static void a_clock_is_asked_for_behind_the_count_of_instructions(void **state)
{
    (void)state;
    struct run r;
    double mips;
    setenv("RENODE_PEER_FAULT", "drift=20", 1);
    setenv("RENODE_PEER_STEP_MS", "20", 1); /* else it may be quicker than one can look */
    bool is_busy = false;
    for (int i = 0; i < 20 && !is_busy; i++) {
        if (i)
            end(&r);
        begin(&r);
        is_busy = step_halfway(&r);
    }
    unsetenv("RENODE_PEER_STEP_MS");
    assert_true(is_busy);
    session_processor(r.session, 1, &mips); /* counts behind this quantum */
    step_to_the_end(&r, "failed", "the clock of its Renode stands at 20007 us");
    end(&r);
    unsetenv("RENODE_PEER_FAULT");
}

static void one_that_does_not_say_its_clock_at_a_pause_has_failed(void **state)
{
    (void)state;
    struct run r;
    struct session_status status;
    setenv("RENODE_PEER_FAULT", "mute=20", 1);
    begin_with(&r, ", timeouts: { step: 1s }");
    step(&r, 20);
    session_status(r.session, &status);
    assert_int_equal(status.waiting_for, 1); /* a person sees for whom it is waited */
    step_to_the_end(&r, "failed", "nodes[1] mcu: Renode does not say within 1 s what its clock stands at");
    end(&r);
    unsetenv("RENODE_PEER_FAULT");
}

/* Ended once the run goes on, which waits for its clock: not after timeouts.step, and at the barrier of the pause. */
static void one_that_does_not_say_its_clock_can_be_ended_while_the_run_goes_on(void **state)
{
    (void)state;
    static const struct {
        enum command_kind kind;
        const char *on_failure, *record;
    } ways_to_end[] = {
        { COMMAND_NODE_STOP, "abort", "\"t\":20000,\"kind\":\"command\",\"text\":\"stop mcu\"" },
        { COMMAND_NODE_KILL, "continue", "\"t\":20000,\"kind\":\"command\",\"text\":\"kill mcu\"" },
        { COMMAND_NODE_RESTART, "abort", "\"t\":20000,\"kind\":\"command\",\"text\":\"restart mcu\"" },
    };
    for (size_t i = 0; i < sizeof ways_to_end / sizeof ways_to_end[0]; i++) {
        struct run r;
        struct session_status status;
        char fields[100];
        snprintf(fields, sizeof fields, ", timeouts: { step: 20s }, on_failure: %s", ways_to_end[i].on_failure);
        setenv("RENODE_PEER_FAULT", "mute=20", 1);
        begin_with(&r, fields);
        step(&r, 20);
        assert_true(session_command(r.session, &(struct command){ COMMAND_STEP, .count = 15 }));
        for (int k = 0; k < 3; k++) {
            session_wait(r.session, -1, 10);
            session_step(r.session);
        }
        session_status(r.session, &status);
        assert_true(status.state == SESSION_RUNNING && status.now == 20000 && status.waiting_for == 1);
        assert_true(session_command(r.session, &(struct command){ ways_to_end[i].kind, .node = 1 }));
        step_until(r.session, SESSION_PAUSED);
        session_status(r.session, &status);
        assert_int_equal(status.now, 35000);
        char *text = events_of(&r);
        if (!strstr(text, ways_to_end[i].record))
            fail_msg("not there: %s\n%s", ways_to_end[i].record, text);
        free(text);
        end(&r);
    }
    unsetenv("RENODE_PEER_FAULT");
}

/* Before it another node dies, which is told at once, at the barrier of the pause. */
static void while_a_clock_is_awaited_a_node_before_it_may_fail(void **state)
{
    (void)state;
    struct run r;
    struct node_status gw;
    setenv("RENODE_PEER_FAULT", "mute=20", 1);
    begin_of(&r, ", implementation: process, command: [ python3, " LOCKSTEP_SOURCE_DIR "/tests/nodes/ui_node.py ]",
             ", timeouts: { step: 60s, stop: 1s }");
    step(&r, 20);
    session_node(r.session, 0, &gw);
    assert_true(gw.pid > 0);
    time_t began = time(NULL);
    assert_true(session_command(r.session, &(struct command){ COMMAND_STEP, .count = 15 }));
    assert_int_equal(kill(gw.pid, SIGKILL), 0);
    step_to_the_end(&r, "failed", "nodes[0] gw:");
    assert_true(time(NULL) - began < 45);
    char *text = events_of(&r);
    assert_non_null(strstr(text, "\"t\":20000,\"kind\":\"node\",\"node\":\"gw\",\"state\":\"failed\""));
    free(text);
    end(&r);
    unsetenv("RENODE_PEER_FAULT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_line_is_a_record_and_reaches_its_uart),
        cmocka_unit_test(what_cannot_be_typed_is_refused),
        cmocka_unit_test(a_typed_line_whose_node_is_gone_is_told),
        cmocka_unit_test(that_its_processor_is_looked_at_changes_nothing),
        cmocka_unit_test(a_wrong_clock_is_found_at_the_pause),
        cmocka_unit_test(a_wrong_clock_at_a_pause_is_found_before_the_next_quantum),
        cmocka_unit_test(a_node_may_be_ended_while_its_clock_is_asked_for),
        cmocka_unit_test(a_clock_is_asked_for_behind_the_count_of_instructions),
        cmocka_unit_test(one_that_does_not_say_its_clock_at_a_pause_has_failed),
        cmocka_unit_test(one_that_does_not_say_its_clock_can_be_ended_while_the_run_goes_on),
        cmocka_unit_test(while_a_clock_is_awaited_a_node_before_it_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
