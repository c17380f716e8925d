/* What was in flight in a recorded run of many records: with flight.bin and without, and where events.jsonl is not
 * whole. */
#include "check.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockstep/session.h"

#define SENSORS 150
#define AT      3000000
#define END     3500000
#define PAGE    50

struct recorded {
    char folder[100], out[200];
    struct scenario *scenario;
    struct loop *loop;
};

static void path_of(const struct recorded *r, const char *name, char path[300])
{
    snprintf(path, 300, "%s/%s", r->out, name);
}

/* A node that is paused holds what arrives. */
static void write_scenario(const struct recorded *r)
{
    char text[20000];
    int n = snprintf(text, sizeof text,
                     "simulation: { duration: 3500ms, quantum: 5ms, seed: 1 }\n"
                     "network: { model: latency, default_latency: 43ms, default_loss: 0.02,\n"
                     "  links: [ { src: s1, dst: gw, latency: 900ms } ] }\nnodes:\n"
                     "  - { id: gw, type: gateway }\n  - { id: other, type: gateway }\n");
    for (int i = 0; i < SENSORS; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "  - { id: s%d, type: sensor, config: { interval: 1ms, destination: %s } }\n", i,
                      i % 30 ? "gw" : "other");
    snprintf(
        text + n, sizeof text - (size_t)n,
        "faults:\n  - { at: 1100ms, node: other, action: pause }\n  - { at: 1500ms, node: other, action: resume }\n"
        "  - { at: 1600ms, node: other, action: pause }\n");
    test_write_file(r->folder, "s.yaml", text);
}

static int record(void **state)
{
    static struct recorded r = { .folder = "/tmp/lockstep-past-XXXXXX" };
    struct problems problems = { 0 };
    struct error err = { 0 };
    char file[200];
    assert_non_null(mkdtemp(r.folder));
    write_scenario(&r);
    snprintf(file, sizeof file, "%s/s.yaml", r.folder);
    snprintf(r.out, sizeof r.out, "%s/out", r.folder);
    assert_non_null(r.scenario = scenario_load(file, NULL, 0, &problems));
    r.loop = loop_new((const int[]){ 0 });
    struct session_options options = {
        .loop = r.loop, .out_dir = r.out, .until = SIMTIME_NEVER, .start_running = true
    };
    struct session *s = session_new(r.scenario, &options, &err);
    struct session_status status = { .state = SESSION_LOADED };
    assert_non_null(s);
    for (; !session_state_over(status.state); session_status(s, &status)) {
        session_wait(s, -1, 100);
        session_step(s);
    }
    assert_string_equal(status.outcome, "finished");
    session_free(s);
    *state = &r;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int discard(void **state)
{
    struct recorded *r = *state;
    scenario_free(r->scenario);
    loop_free(r->loop);
    return nftw(r->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct session *look_at(struct recorded *r, simtime t)
{
    struct error err = { 0 };
    struct session *s = session_open_run(r->scenario, r->out, &(struct session_options){ .loop = r->loop }, &err);
    if (!s)
        fail_msg("%s", err.text);
    assert_true(session_command(s, &(struct command){ .kind = COMMAND_VIEW, .time = t }));
    return s;
}

/* Returns how often it had to be gone on with. */
static int finish(struct session *s)
{
    struct session_status status;
    int steps = 0;
    session_flight_missing(s);
    for (session_status(s, &status); status.is_reading; session_status(s, &status)) {
        assert_non_null(strstr(session_flight_missing(s), "still being looked through"));
        assert_int_equal(session_flight_count(s), 0);
        session_wait(s, -1, -1); /* it does not wait */
        session_step(s);
        steps++;
    }
    return steps;
}

static void assert_missing(struct recorded *r, const char *what)
{
    struct session *s = look_at(r, AT);
    finish(s);
    const char *missing = session_flight_missing(s);
    assert_non_null(missing);
    if (!strstr(missing, what))
        fail_msg("'%s' is not in: %s", what, missing);
    assert_int_equal(session_flight_count(s), 0);
    session_free(s);
}

static void without_its_file_it_is_found_bit_by_bit(void **state)
{
    struct recorded *r = *state;
    static const simtime times[] = { 1020000, 1200000, 1505000, AT, END };
    struct session_message a[PAGE], b[PAGE];
    struct session_status status;
    char path[300], aside[300];
    path_of(r, "flight.bin", path);
    path_of(r, "aside", aside);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct session *with = look_at(r, times[i]);
        finish(with);
        assert_int_equal(rename(path, aside), 0);
        struct session *without = look_at(r, times[i]);
        int steps = finish(without);
        assert_int_equal(rename(aside, path), 0);
        assert_true(steps > 0 || times[i] < END);
        session_status(without, &status);
        uint64_t count = session_flight_count(without);
        assert_true(count > PAGE);
        assert_int_equal(count, status.in_flight);
        assert_int_equal(count, session_flight_count(with));
        for (uint64_t from = 0; from < count; from += count / 7) {
            size_t n = session_flight(with, from, a, PAGE);
            assert_int_equal(session_flight(without, from, b, PAGE), n);
            for (size_t k = 0; k < n; k++)
                assert_true(a[k].id == b[k].id && a[k].due == b[k].due && a[k].size == b[k].size);
        }
        session_free(with);
        session_free(without);
    }
}

static void a_record_that_cannot_be_read_is_told(void **state)
{
    struct recorded *r = *state;
    char path[300], was[4];
    path_of(r, "flight.bin", path);
    assert_int_equal(unlink(path), 0);
    path_of(r, "events.jsonl", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char text[4096];
    assert_int_equal(pread(fd, text, sizeof text, 1000000), sizeof text);
    off_t at = 1000000 + ((char *)memchr(text, '\n', sizeof text) - text) + 1;
    assert_int_equal(pread(fd, was, 4, at), 4);
    assert_int_equal(pwrite(fd, "????", 4, at), 4);
    assert_missing(r, "a record that cannot be read");
    assert_int_equal(pwrite(fd, was, 4, at), 4);
    close(fd);
}

static void that_records_are_missing_is_told(void **state)
{
    struct recorded *r = *state;
    struct stat st;
    char path[300];
    path_of(r, "events.jsonl", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    assert_missing(r, "events.jsonl is cut");
    struct session *s = look_at(r, 1200000); /* what is there is shown */
    finish(s);
    assert_null(session_flight_missing(s));
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_file_it_is_found_bit_by_bit),
        cmocka_unit_test(a_record_that_cannot_be_read_is_told),
        cmocka_unit_test(that_records_are_missing_is_told),
    };
    return cmocka_run_group_tests(tests, record, discard);
}
