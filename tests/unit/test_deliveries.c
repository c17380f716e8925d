/* What was done to messages on their way, as those are told of it who look at a run, live, in its past and recorded:
 * in chains, among the last messages of a node, and where there is very much of it. */
#include "check.h"

#include <ftw.h>
#include <unistd.h>

#include "ui/app.h"
#include "ui/flight.h"

#define MANY       200000
#define READING(n) "{\"temperature\":20.0,\"unit\":\"C\",\"sample_id\":" #n "}"

/* A run of its own, paused at 0, in a folder of its own: `c` answers each message 5 ms after its own time. */
struct fixture {
    char dir[64], file[96], out[96];
    struct ui_options options;
    struct breakpoints *breakpoints;
    struct app app;
    struct loop *loop;
};

static void turn(struct fixture *f)
{
    for (int i = 0; i < 100000 && !app_settled(&f->app); i++) {
        session_wait(f->app.session, -1, 10);
        session_step(f->app.session);
        app_refresh(&f->app);
    }
    assert_true(app_settled(&f->app));
}

static void begin(struct fixture *f, bool is_recorded)
{
    f->breakpoints = breakpoints_new();
    f->options =
        (struct ui_options){ .file = f->file,
                             .keys_file = "-",
                             .run_dir = is_recorded ? f->out : NULL,
                             .session = { .out_dir = f->out, .until = SIMTIME_NEVER, .breakpoints = f->breakpoints } };
    f->loop = loop_new(app_watched_signals);
    app_init(&f->app, &f->options, f->loop);
    assert_non_null(f->app.session);
    turn(f);
}

static void set_up(struct fixture *f, const char *network)
{
    *f = (struct fixture){ .dir = "/tmp/test_deliveries_XXXXXX" };
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->file, sizeof f->file, "%s/s.yaml", f->dir);
    snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    FILE *to = fopen(f->file, "we");
    assert_non_null(to);
    fprintf(to,
            "simulation: { duration: 10s, quantum: 10ms, seed: 1 }\nnetwork: %s\n"
            "nodes: [{ id: a, type: sensor, config: { interval: 9s, destination: b } },\n"
            "  { id: b, type: gateway }, { id: c, type: cloud, config: { reply: true } }]\n",
            network);
    fclose(to);
    begin(f, false);
}

static void end(struct fixture *f)
{
    app_free(&f->app);
    loop_free(f->loop);
    breakpoints_free(f->breakpoints);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void tear_down(struct fixture *f)
{
    end(f);
    assert_int_equal(nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void act(struct fixture *f, const char *name, const char *args)
{
    for (size_t i = 0; i < flight_command_count; i++)
        if (!strcmp(flight_commands[i].name, name)) {
            assert_null(flight_commands[i].run(&f->app, args));
            return;
        }
    fail_msg("there is no command %s", name);
}

static void go(struct fixture *f, enum command_kind kind, simtime t)
{
    assert_true(session_command(f->app.session, &(struct command){ .kind = kind, .time = t }));
    app_refresh(&f->app);
    f->app.await = AWAIT_PAUSE;
    turn(f);
}

/* The record of the nth message from one node to another, counted from 0. */
static uint64_t record_of(struct fixture *f, const char *src, const char *dst, int nth)
{
    struct store *store = session_store(f->app.session);
    struct record r;
    for (uint64_t n = 0; n < store_count(store); n++)
        if (store_read(store, n, &r) == 0 && r.kind == RECORD_MESSAGE && text_is(r.src, src) && text_is(r.dst, dst) &&
            nth-- == 0)
            return n;
    fail_msg("there is no such message from %s to %s", src, dst);
    return 0;
}

/* In both networks: the answer to the message that was delayed comes of that, not of the one that came in between. */
static void a_delayed_message_is_a_cause_where_another_came_between(const char *network)
{
    struct fixture f;
    uint64_t chain[8];
    set_up(&f, network);
    act(&f, "inject", "a c TRANSMIT " READING(1));
    act(&f, "delay", "0 35ms");
    go(&f, COMMAND_RUN_TO, 20000);
    act(&f, "inject", "b c TRANSMIT " READING(2));
    go(&f, COMMAND_RUN_TO, 200000);
    uint64_t delayed = record_of(&f, "a", "c", 0), other = record_of(&f, "b", "c", 0);
    assert_int_equal(session_chain(f.app.session, record_of(&f, "c", "a", 0), false, chain, 8), 1);
    assert_int_equal(chain[0], delayed);
    assert_int_equal(session_chain(f.app.session, record_of(&f, "c", "b", 0), false, chain, 8), 1);
    assert_int_equal(chain[0], other);
    assert_int_equal(session_chain(f.app.session, delayed, true, chain, 8), 2); /* that it was processed, and */
    assert_int_equal(chain[1], record_of(&f, "c", "a", 0));
    tear_down(&f);
}

static void a_delayed_message_is_a_cause(void **state)
{
    (void)state;
    a_delayed_message_is_a_cause_where_another_came_between("{ model: direct }");
    a_delayed_message_is_a_cause_where_another_came_between("{ model: latency, default_latency: 1ms }");
}

/* The same of one that was put in for later; and where it comes at the barrier of the other both are causes. */
static void what_comes_later_is_a_cause(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t chain[8];
    set_up(&f, "{ model: direct }");
    act(&f, "inject", "a c TRANSMIT " READING(1) " at 35ms");
    act(&f, "inject", "a c TRANSMIT " READING(1) " at 95ms");
    go(&f, COMMAND_RUN_TO, 20000);
    act(&f, "inject", "b c TRANSMIT " READING(2));
    go(&f, COMMAND_RUN_TO, 100000);
    act(&f, "inject", "b c TRANSMIT " READING(3));
    go(&f, COMMAND_RUN_TO, 200000);
    assert_int_equal(session_chain(f.app.session, record_of(&f, "c", "a", 0), false, chain, 8), 1);
    assert_int_equal(chain[0], record_of(&f, "a", "c", 0));
    assert_int_equal(session_chain(f.app.session, record_of(&f, "c", "a", 1), false, chain, 8), 2);
    assert_int_equal(chain[0], record_of(&f, "b", "c", 1));
    assert_int_equal(chain[1], record_of(&f, "a", "c", 1));
    tear_down(&f);
}

/* However many late ones of other nodes there are. */
static void a_late_cause_is_found_among_many(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t chain[8];
    set_up(&f, "{ model: direct }");
    act(&f, "inject", "a c TRANSMIT " READING(1) " at 35ms");
    for (int i = 0; i < 17000; i++)
        act(&f, "inject", "a b TRANSMIT 1 at 500ms");
    go(&f, COMMAND_RUN_TO, 20000);
    act(&f, "inject", "b c TRANSMIT " READING(2));
    go(&f, COMMAND_RUN_TO, 200000);
    for (int i = 0; i < 100000 && !session_deliveries_known(f.app.session); i++)
        session_step(f.app.session);
    assert_int_equal(session_chain(f.app.session, record_of(&f, "c", "a", 0), false, chain, 8), 1);
    assert_int_equal(chain[0], record_of(&f, "a", "c", 0));
    tear_down(&f);
}

/* When the one late message of node `c` arrives, by what is shown. */
static simtime late_due(struct fixture *f)
{
    struct session_late late;
    size_t at = 0;
    simtime due = SIMTIME_NEVER;
    while (session_next_late(f->app.session, 2, &at, &late) == STORE_FOUND)
        due = due == SIMTIME_NEVER || due == late.due ? late.due : 0;
    return due;
}

static void the_past_has_the_delays_up_to_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "{ model: latency, default_latency: 20ms }");
    act(&f, "inject", "a c TRANSMIT " READING(1) " at 15ms");
    act(&f, "delay", "0 to 35ms");
    go(&f, COMMAND_RUN_TO, 10000);
    act(&f, "delay", "0 to 95ms");
    go(&f, COMMAND_RUN_TO, 20000);
    act(&f, "drop", "0");
    assert_int_equal(late_due(&f), SIMTIME_NEVER);
    assert_int_equal(session_changes(f.app.session), 3);
    go(&f, COMMAND_VIEW, 10000);
    assert_int_equal(late_due(&f), 95000);
    assert_int_equal(session_changes(f.app.session), 2);
    go(&f, COMMAND_VIEW, 0);
    assert_int_equal(late_due(&f), 35000);
    go(&f, COMMAND_HEAD, 0);
    assert_int_equal(late_due(&f), SIMTIME_NEVER);
    tear_down(&f);
}

/* What the detail pane lists of node `c`: the payload of row n as its export has it; "" behind the last one. */
static void payload_at(struct fixture *f, uint64_t n, char out[40])
{
    struct pane *p = f->app.panes[PANE_DETAIL];
    struct view v = app_view(&f->app);
    struct table_row row = { 0 };
    size_t len = 0;
    const char *text = p->ops->export(p, &v, n, &row) ? table_cell(&row, 5, &len) : "";
    snprintf(out, 40, "%.*s", (int)len, text);
    table_row_free(&row);
}

static void look_at_detail(struct fixture *f)
{
    struct pane *p = f->app.panes[PANE_DETAIL];
    bool changed = false, more = true;
    pane_detail_show(p, 2);
    for (int i = 0; i < 100000 && more; i++) {
        struct view v = app_view(&f->app);
        more = p->ops->work(p, &v, &changed);
        turn(f);
    }
    assert_false(more);
}

/* It is not among the last ones, and takes no place of theirs. */
static void a_message_that_was_delayed_and_dropped_is_not_among_the_last(void **state)
{
    (void)state;
    struct fixture f;
    char payload[40], text[60];
    set_up(&f, "{ model: direct }");
    act(&f, "inject", "a c TRANSMIT \"delayed\" at 1s");
    act(&f, "delay", "0 to 5s");
    act(&f, "inject", "a c TRANSMIT \"dropped\" at 1s");
    act(&f, "delay", "1 to 5s");
    act(&f, "drop", "1");
    for (int i = 0; i < 250; i++) {
        snprintf(text, sizeof text, "b c TRANSMIT %d", i);
        act(&f, "inject", text);
    }
    look_at_detail(&f);
    payload_at(&f, 0, payload);
    assert_string_equal(payload, "\"delayed\"");
    for (int n = 1; n < 200; n++) {
        snprintf(text, sizeof text, "%d", 250 - n);
        payload_at(&f, (uint64_t)n, payload);
        assert_string_equal(payload, text);
    }
    payload_at(&f, 200, payload);
    assert_string_equal(payload, "");
    tear_down(&f);
}

/* A run folder that was made up: behind the records of a run very many commands about its messages, from the last one
 * to the first and around again. Returns how many messages there are. */
static uint64_t make_up(struct fixture *f, uint64_t commands)
{
    char path[120], line[200];
    struct record r;
    struct store *store = session_store(f->app.session);
    uint64_t messages = 0, n = store_count(store);
    for (uint64_t i = 0; i < n; i++)
        messages += store_read(store, i, &r) == 0 && r.kind == RECORD_MESSAGE;
    end(f);
    snprintf(path, sizeof path, "%s/events.jsonl", f->out);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    for (uint64_t i = 0; i < n; i++) /* the end of the run is not among them */
        assert_non_null(fgets(line, sizeof line, file));
    assert_int_equal(fseek(file, 0, SEEK_CUR), 0);
    for (uint64_t i = 0; i < commands; i++)
        fprintf(file, "{\"n\":%llu,\"t\":100000,\"kind\":\"command\",\"text\":\"delay %llu to %llums\"}\n",
                (unsigned long long)(n + i), (unsigned long long)(messages - 1 - i % messages),
                (unsigned long long)(1000 + i));
    assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    assert_int_equal(fclose(file), 0);
    return messages;
}

static void very_many_changes_are_read_in_slices(void **state)
{
    (void)state;
    struct fixture f;
    struct session_delivery d;
    struct session_late late;
    struct session_status status;
    struct record r;
    char text[90];
    set_up(&f, "{ model: direct }");
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text,
                 "a c TRANSMIT "
                 "{\"temperature\":20.0,\"unit\":\"C\",\"sample_id\":%d}",
                 i);
        act(&f, "inject", text);
    }
    go(&f, COMMAND_RUN_TO, 100000);
    uint64_t messages = make_up(&f, MANY), first = 2; /* a run, a command, its message */
    assert_int_equal(messages, 1000);
    begin(&f, true);
    struct session *s = f.app.session;
    assert_true(session_command(s, &(struct command){ .kind = COMMAND_HEAD }));
    turn(&f);
    while (store_catch_up(session_store(s), 1 << 20))
        continue;
    assert_int_equal(session_read_message(s, first, &r, &d), 0);
    assert_false(session_deliveries_known(s));
    session_status(s, &status);
    assert_true(status.is_reading);
    size_t at = 0, count = 0;
    assert_int_equal(session_next_late(s, 2, &at, &late), STORE_NOT_FOUND);
    int steps = 0;
    for (; !session_deliveries_known(s); steps++) {
        session_wait(s, -1, -1); /* it does not wait */
        session_step(s);
    }
    assert_true(steps > 1);
    assert_int_equal(session_read_message(s, first, &r, &d), 0);
    assert_int_equal(r.id, 0);
    assert_int_equal(d.due, (1000 + MANY - 1) * INT64_C(1000));
    assert_int_equal(session_changes(s), MANY);
    for (enum store_found found; (found = session_next_late(s, 2, &at, &late)) != STORE_NOT_FOUND;)
        count += found == STORE_FOUND;
    assert_int_equal(count, 1000); /* each that was put in, as such and as one that was delayed */
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delayed_message_is_a_cause),
        cmocka_unit_test(what_comes_later_is_a_cause),
        cmocka_unit_test(a_late_cause_is_found_among_many),
        cmocka_unit_test(the_past_has_the_delays_up_to_it),
        cmocka_unit_test(a_message_that_was_delayed_and_dropped_is_not_among_the_last),
        cmocka_unit_test(very_many_changes_are_read_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
