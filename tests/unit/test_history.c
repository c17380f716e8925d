/* history.bin: what was noted is found again, at any time and record, in a file that is whole, that grows, or that is
 * cut. */
#include "run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"
#include "trace/history.h"
#include "trace/past.h"

#define NODES   40
#define ENTRIES 30000

struct fixture {
    struct run_folder at;
    struct history *history;
    uint64_t random;
    struct moment_run run;
    struct moment_node node[NODES];
    char *causes[NODES];
};

/* What was noted, as it must be found. */
struct noted {
    struct moment_run run;
    struct moment_node node[NODES];
};

static uint64_t below(struct fixture *f, uint64_t n)
{
    return test_random(&f->random) % n;
}

static int begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error err = { 0 };
    run_folder_begin(&f->at, NODES);
    assert_non_null(f->history = history_new(f->at.folder, &f->at.scenario, true, &err));
    f->random = test_seed() | 1;
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    history_free(f->history);
    run_folder_end(&f->at);
    for (int i = 0; i < NODES; i++)
        free(f->causes[i]);
    free(f);
    return 0;
}

static void change_node(struct fixture *f, int i)
{
    for (int k = 0; k < MOMENT_NODE_FIELDS; k++)
        if (below(f, 3) == 0)
            f->node[i].v[k] = below(f, 50) ? (int64_t)below(f, 1u << 20) - 1000 : below(f, 2) ? INT64_MAX : INT64_MIN;
    if (below(f, 100))
        return;
    free(f->causes[i]);
    f->causes[i] = mem_alloc(400);
    memset(f->causes[i], (int)('a' + below(f, 26)), below(f, 399));
}

/* The next entry: time and records grow; some entries have the time of the one before. */
static void note(struct fixture *f)
{
    struct error err = { 0 };
    f->run.v[MOMENT_NOW] += (int64_t)(below(f, 4) * 1000);
    f->run.v[MOMENT_RECORDS] += (int64_t)below(f, 4);
    for (int k = MOMENT_MESSAGES; k < MOMENT_RUN_FIELDS; k++)
        f->run.v[k] = (int64_t)below(f, 1000);
    history_begin(f->history, &f->run);
    for (uint64_t n = below(f, 4); n > 0; n--) {
        int i = (int)below(f, NODES);
        change_node(f, i);
        history_node(f->history, i, &f->node[i], f->causes[i] ? f->causes[i] : "");
    }
    history_end(f->history);
    if (below(f, 3) == 0)
        assert_int_equal(history_flush(f->history, &err), 0);
}

static struct past *open_past(struct fixture *f)
{
    char path[100];
    struct error err = { 0 };
    snprintf(path, sizeof path, "%s/%s", f->at.dir, HISTORY_FILE);
    struct past *p = past_open(open(path, O_RDONLY), NODES, &err);
    assert_non_null(p);
    return p;
}

static void assert_moment(struct past *p, const struct noted *n)
{
    assert_memory_equal(past_run(p), &n->run, sizeof n->run);
    for (int i = 0; i < NODES; i++)
        assert_memory_equal(past_node(p, i), &n->node[i], sizeof n->node[i]);
}

static struct noted *note_all(struct fixture *f, int count)
{
    struct error err = { 0 };
    struct noted *all = mem_array((size_t)count, sizeof *all);
    for (int e = 0; e < count; e++) {
        note(f);
        all[e].run = f->run;
        memcpy(all[e].node, f->node, sizeof f->node);
    }
    assert_int_equal(history_flush(f->history, &err), 0);
    return all;
}

/* The last entry with no more than `most` in a field. */
static int last_with(const struct noted *all, int count, enum moment_run_field field, int64_t most)
{
    int low = 0, high = count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (all[middle].run.v[field] <= most)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void every_moment_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct noted *all = note_all(f, ENTRIES);
    struct past *p = open_past(f);
    int64_t times = f->run.v[MOMENT_NOW], records = f->run.v[MOMENT_RECORDS], t = 0;
    assert_true(past_skips(p));
    for (int n = 0; n < 2000; n++) {
        t = below(f, 3) ? t + (int64_t)below(f, 5000) - 1000 : (int64_t)below(f, (uint64_t)times);
        t = t < all[0].run.v[MOMENT_NOW] ? all[0].run.v[MOMENT_NOW] : t > times ? times : t;
        assert_true(past_seek(p, t));
        assert_moment(p, &all[last_with(all, ENTRIES, MOMENT_NOW, t)]);
        int64_t r = (int64_t)below(f, (uint64_t)records);
        int before = last_with(all, ENTRIES, MOMENT_RECORDS, r);
        if (n % 4 || all[0].run.v[MOMENT_RECORDS] > r)
            continue;
        assert_true(past_seek_record(p, (uint64_t)r));
        assert_moment(p, &all[before + 1]);
    }
    assert_false(past_seek_record(p, (uint64_t)records));
    assert_true(past_seek_end(p));
    assert_moment(p, &all[ENTRIES - 1]);
    assert_null(past_end(p));
    past_free(p);
    free(all);
}

static void a_file_that_grows_is_read_on(void **state)
{
    struct fixture *f = *state;
    struct error err = { 0 };
    note(f);
    assert_int_equal(history_flush(f->history, &err), 0);
    struct past *p = open_past(f);
    simtime first = f->run.v[MOMENT_NOW];
    for (int n = 0; n < 3000; n++) {
        struct noted now;
        note(f);
        assert_int_equal(history_flush(f->history, &err), 0);
        now.run = f->run;
        memcpy(now.node, f->node, sizeof f->node);
        assert_true(past_seek_end(p));
        assert_moment(p, &now);
        if (n % 7 == 0)
            assert_true(past_seek(p, first > f->run.v[MOMENT_NOW] / 2 ? first : f->run.v[MOMENT_NOW] / 2));
    }
    past_free(p);
}

static void causes_and_the_end_are_kept(void **state)
{
    struct fixture *f = *state;
    struct error err = { 0 };
    struct moment_node n = { 0 };
    history_begin(f->history, &f->run);
    history_node(f->history, 7, &n, "nodes[7] n: exit code 3");
    history_end(f->history);
    f->run.v[MOMENT_NOW] = 1000;
    history_begin(f->history, &f->run);
    history_node(f->history, 7, &n, "");
    history_end(f->history);
    history_end_of_run(f->history, SESSION_FAILED, 1, 7, "failed", "it broke");
    assert_int_equal(history_flush(f->history, &err), 0);
    struct past *p = open_past(f);
    assert_true(past_seek(p, 999));
    assert_string_equal(past_cause(p, 7), "nodes[7] n: exit code 3");
    assert_null(past_end(p));
    assert_true(past_seek(p, 1000));
    assert_string_equal(past_cause(p, 7), "");
    const struct past_end *e = past_end(p);
    assert_non_null(e);
    assert_int_equal(e->state, SESSION_FAILED);
    assert_int_equal(e->exit_code, 1);
    assert_int_equal(e->failed_node, 7);
    assert_string_equal(e->outcome, "failed");
    assert_string_equal(e->cause, "it broke");
    const char *cause = e->cause, *outcome = e->outcome; /* good also once it is read again */
    assert_true(past_seek(p, 999));
    assert_true(past_seek(p, 1000));
    assert_ptr_equal(past_end(p)->cause, cause);
    assert_ptr_equal(past_end(p)->outcome, outcome);
    past_free(p);
}

/* Whatever is in the file: no crash, no hang, and what stands before a cut is found. */
static void a_file_that_is_cut_or_damaged_is_read_as_far_as_it_is_whole(void **state)
{
    struct fixture *f = *state;
    struct noted *all = note_all(f, 4000);
    char path[100];
    snprintf(path, sizeof path, "%s/%s", f->at.dir, HISTORY_FILE);
    int fd = open(path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = mem_alloc((size_t)size);
    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    for (int n = 0; n < 300; n++) {
        off_t at = HISTORY_HEADER + (off_t)below(f, (uint64_t)(size - HISTORY_HEADER));
        char other = (char)below(f, 256);
        if (n % 2)
            assert_int_equal(pwrite(fd, &other, 1, at), 1);
        else
            assert_int_equal(ftruncate(fd, at), 0);
        struct past *p = open_past(f);
        if (past_seek_end(p) &&
            n % 2 == 0) { /* as it was when that entry was noted; the others of its time are cut off */
            const struct noted *found = all;
            while (memcmp(&found->run, past_run(p), sizeof found->run) != 0)
                assert_true(++found < all + 4000);
            assert_moment(p, found);
        }
        for (int k = 0; k < 5; k++) {
            past_seek(p, (simtime)below(f, (uint64_t)f->run.v[MOMENT_NOW]));
            past_seek_record(p, below(f, (uint64_t)f->run.v[MOMENT_RECORDS]));
        }
        past_free(p);
        assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
    }
    close(fd);
    free(bytes);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_moment_is_found_again, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_grows_is_read_on, begin, end),
        cmocka_unit_test_setup_teardown(causes_and_the_end_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_or_damaged_is_read_as_far_as_it_is_whole, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
