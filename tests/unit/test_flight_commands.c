/* The commands for messages in flight, given as lines to a run. */
#include "check.h"

#include <unistd.h>

#include "ui/flight.h"

/* A run of its own, paused at 0, in a folder of its own. */
struct fixture {
    char dir[64], file[96], out[96], saved[96];
    struct ui_options options;
    struct breakpoints *breakpoints;
    struct app app;
    struct loop *loop;
};

static void turn(struct fixture *f)
{
    for (int i = 0; i < 1000 && !app_settled(&f->app); i++) {
        session_wait(f->app.session, -1, 10);
        session_step(f->app.session);
        app_refresh(&f->app);
    }
}

static void set_up(struct fixture *f, const char *network)
{
    *f = (struct fixture){ .dir = "/tmp/test_flight_XXXXXX" };
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->file, sizeof f->file, "%s/s.yaml", f->dir);
    snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    snprintf(f->saved, sizeof f->saved, "%s/saved.yaml", f->dir);
    FILE *to = fopen(f->file, "we");
    assert_non_null(to);
    fprintf(to,
            "simulation: { duration: 10s, seed: 1 }\nnetwork: %s\n"
            "nodes: [{ id: s1, type: sensor }, { id: gw, type: gateway }]\n",
            network);
    fclose(to);
    f->breakpoints = breakpoints_new();
    f->options =
        (struct ui_options){ .file = f->file,
                             .session = { .out_dir = f->out, .until = SIMTIME_NEVER, .breakpoints = f->breakpoints } };
    f->loop = loop_new(app_watched_signals);
    app_init(&f->app, &f->options, f->loop);
    assert_non_null(f->app.session);
    turn(f);
}

static void tear_down(struct fixture *f)
{
    char command[120];
    app_free(&f->app);
    loop_free(f->loop);
    breakpoints_free(f->breakpoints);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
}

static const char *run(struct app *app, const char *name, const char *args)
{
    for (size_t i = 0; i < flight_command_count; i++)
        if (!strcmp(flight_commands[i].name, name))
            return flight_commands[i].run(app, args);
    fail_msg("there is no command %s", name);
    return NULL;
}

#define DONE(name, args)         assert_null(run(&f.app, name, args))
#define REFUSED(name, args, why) assert_string_equal(run(&f.app, name, args), why)

static void commands_change_what_is_in_flight(void **state)
{
    (void)state;
    struct fixture f;
    struct session_message m;
    simtime latency;
    double loss;
    set_up(&f, "{ model: latency, default_latency: 50ms }");
    DONE("inject", "s1 gw TRANSMIT {\"temperature\": 20.50, \"sample_id\": 1} at 1s");
    DONE("inject", "gw s1 \"a b\" at +20ms");
    DONE("copy", "0");
    DONE("edit", "2 [ 1.0, \"x\" ]");
    DONE("delay", " 2  100ms ");
    DONE("drop", "0");
    DONE("link", "s1 gw loss 0.5");
    DONE("link", "gw s1 latency 3ms");
    assert_int_equal(session_flight_count(f.app.session), 2);
    assert_true(session_flight_find(f.app.session, 2, &m));
    assert_int_equal(m.due, 1100000);
    assert_true(m.payload.len == 9 && !memcmp(m.payload.s, "[1.0,\"x\"]", 9));
    assert_true(session_flight_find(f.app.session, 1, &m));
    assert_int_equal(m.due, 20000);
    assert_true(m.type.len == 3 && !memcmp(m.type.s, "a b", 3) && m.payload.len == 0);
    DONE("delay", "1 to 5s");
    assert_int_equal(session_flight_rank(f.app.session, 1), 1);
    assert_true(session_link(f.app.session, 0, 1, &latency, &loss));
    assert_true(latency == 50000 && loss == 0.5);
    assert_true(session_link(f.app.session, 1, 0, &latency, &loss));
    assert_true(latency == 3000 && loss == 0);
    DONE("save-faults", f.saved);
    assert_string_equal(session_refusal(f.app.session), "");
    tear_down(&f);
}

static void what_cannot_be_done_is_refused_with_its_reason(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "{ model: latency, default_latency: 50ms }");
    DONE("inject", "s1 gw T 1 at 1s");
    REFUSED("drop", "", "it takes the number of a message: drop ID");
    REFUSED("drop", "0x", "it takes the number of a message: drop ID");
    REFUSED("drop", "99999999999999999999999", "it takes the number of a message: drop ID");
    REFUSED("drop", "7", "message 7 is not in flight");
    REFUSED("copy", "0 0", "it takes the number of a message: copy ID");
    REFUSED("delay", "0", "it takes by how much, as 100ms, or until when, as `to 2.5s`");
    REFUSED("delay", "0 0s", "that is no delay");
    REFUSED("delay", "0 300000000000h", "longer than 2^53 microseconds (about 285 years)");
    REFUSED("edit", "0", "the new payload is missing");
    REFUSED("edit", "0 {\"a\" 1}", "the payload is not JSON: a : is missing, at column 6");
    REFUSED("edit", "0 1 2", "the payload is not JSON: there is something behind the value, at column 3");
    REFUSED("inject", "s1", "the destination is missing");
    REFUSED("inject", "s1 gw", "the type is missing");
    REFUSED("inject", "s1 x T", "there is no node 'x'");
    REFUSED("inject", "s1 gw T 1 later", "nothing but `at T` may follow the payload");
    REFUSED("inject", "s1 gw \"\" 1", "a message needs a type");
    REFUSED("link", "s1 gw", "what becomes of the link is missing: latency or loss");
    REFUSED("link", "s1 gw 5ms 0.5 1", "a link has latency and loss, and nothing else");
    REFUSED("link", "s1 gw loss -1", "loss is a probability, from 0 to 1");
    REFUSED("link", "s1 gw loss nan", "loss is a probability, from 0 to 1");
    REFUSED("link", "s1 gw latency", "latency needs a time");
    REFUSED("save-faults", " ", "it takes the name of a file");
    assert_int_equal(session_flight_count(f.app.session), 1);
    tear_down(&f);
}

static void a_direct_network_has_no_links(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "{ model: direct }");
    REFUSED("link", "s1 gw loss 1",
            "the network is direct: links have neither latency nor loss; set `network.model: latency`");
    tear_down(&f);
}

static void only_a_paused_run_is_changed(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "{ model: latency, default_latency: 50ms }");
    DONE("inject", "s1 gw T 1 at 9s");
    assert_true(session_command(f.app.session, &(struct command){ .kind = COMMAND_RUN }));
    REFUSED("drop", "0", "the run goes on; pause it first");
    for (int i = 0; i < 100000 && !session_state_over(f.app.status.state); i++) {
        session_step(f.app.session);
        app_refresh(&f.app);
    }
    REFUSED("drop", "0", "the run is over");
    assert_false(session_command(f.app.session, &(struct command){ .kind = COMMAND_RUN }));
    assert_string_equal(session_refusal(f.app.session), "that is not possible while the run is FINISHED");
    tear_down(&f);
}

static void without_a_run_there_is_nothing_to_change(void **state)
{
    (void)state;
    struct app app = { 0 };
    keymap_init(&app.config.keys);
    for (size_t i = 0; i < flight_command_count; i++)
        assert_non_null(flight_commands[i].run(&app, "0 1s"));
    keymap_free(&app.config.keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_change_what_is_in_flight),
        cmocka_unit_test(what_cannot_be_done_is_refused_with_its_reason),
        cmocka_unit_test(a_direct_network_has_no_links),
        cmocka_unit_test(only_a_paused_run_is_changed),
        cmocka_unit_test(without_a_run_there_is_nothing_to_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
