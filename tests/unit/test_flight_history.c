/* flight.bin: what was noted is found again, in a file that is whole, that grows, that is cut, or of which bytes are
 * others. */
#include "run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/varint.h"
#include "trace/flight_history.h"
#include "trace/flight_past.h"

#define NODES   20
#define ENTRIES 60

struct noted {
    simtime now;
    uint64_t records;
    int paused[NODES];
    size_t paused_count, count;
    struct flight_noted *messages;
};

struct fixture {
    struct run_folder at;
    struct flight_history *history;
    uint64_t random;
    struct noted all[ENTRIES];
};

static uint64_t below(struct fixture *f, uint64_t n)
{
    return test_random(&f->random) % n;
}

static int begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    run_folder_begin(&f->at, NODES);
    f->history = flight_history_new(f->at.folder);
    f->random = test_seed() | 1;
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    flight_history_free(f->history);
    run_folder_end(&f->at);
    for (int e = 0; e < ENTRIES; e++)
        free(f->all[e].messages);
    free(f);
    return 0;
}

static void note(struct fixture *f, int e)
{
    struct noted *n = &f->all[e];
    struct error err = { 0 };
    n->now = (e ? f->all[e - 1].now : 0) + (simtime)below(f, 3) * 1000;
    n->records = (e ? f->all[e - 1].records : 0) + 1 + below(f, 20000);
    n->count = below(f, 4) ? below(f, 200) : 0;
    n->messages = mem_array(n->count + 1, sizeof *n->messages);
    flight_history_begin(f->history, n->now, n->records);
    for (int i = 0; i < NODES; i++)
        if (below(f, 4) == 0) {
            n->paused[n->paused_count++] = i;
            flight_history_paused(f->history, i);
        }
    for (size_t k = 0; k < n->count; k++) {
        struct flight_noted *m = &n->messages[k];
        m->record = below(f, n->records);
        m->id = below(f, m->record + 1);
        m->edit = below(f, 5) ? 0 : below(f, n->records);
        m->due = below(f, 10) ? (simtime)below(f, 10000000) : below(f, 2) ? 0 : SIMTIME_MAX;
        m->src = (int)below(f, NODES);
        m->dst = (int)below(f, NODES);
        flight_history_message(
            f->history,
            &(struct message){
                .record = m->record, .id = m->id, .edit = m->edit, .time = m->due, .src = m->src, .dst = m->dst });
    }
    assert_int_equal(flight_history_end(f->history, &err), 0);
}

static void path_of(const struct fixture *f, char path[100])
{
    snprintf(path, 100, "%s/%s", f->at.dir, FLIGHT_FILE);
}

static struct flight_past *open_past(struct fixture *f)
{
    char path[100];
    path_of(f, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return flight_past_open(fd, NODES);
}

static void assert_moment(const struct flight_moment *m, const struct noted *n)
{
    assert_int_equal(m->now, n->now);
    assert_int_equal(m->records, n->records);
    assert_int_equal(m->paused_count, n->paused_count);
    assert_memory_equal(m->paused, n->paused, n->paused_count * sizeof *n->paused);
    assert_int_equal(m->count, n->count);
    for (size_t k = 0; k < n->count; k++) {
        const struct flight_noted *a = &m->messages[k], *b = &n->messages[k];
        assert_true(a->record == b->record && a->id == b->id && a->edit == b->edit && a->due == b->due &&
                    a->src == b->src && a->dst == b->dst);
    }
}

/* The last of the first `count` that is not too late; -1: none. */
static int last_at(const struct fixture *f, int count, simtime t, uint64_t records)
{
    int e = count - 1;
    while (e >= 0 && (f->all[e].now > t || f->all[e].records > records))
        e--;
    return e;
}

static void assert_found(struct fixture *f, struct flight_past *p, int count)
{
    struct flight_moment m;
    for (int i = 0; i < 40; i++) {
        simtime t = (simtime)below(f, ENTRIES * 1200);
        uint64_t records = below(f, 4) ? UINT64_MAX : below(f, ENTRIES * 11000);
        int e = last_at(f, count, t, records);
        assert_int_equal(flight_past_seek(p, t, records, &m), e >= 0);
        if (e >= 0)
            assert_moment(&m, &f->all[e]);
    }
}

static void what_was_noted_is_found_again_while_the_file_grows(void **state)
{
    struct fixture *f = *state;
    char path[100];
    path_of(f, path);
    assert_int_equal(access(path, F_OK), -1); /* a run with few records has none */
    note(f, 0);
    struct flight_past *p = open_past(f);
    for (int e = 1; e < ENTRIES; e++) {
        assert_found(f, p, e);
        note(f, e);
    }
    flight_past_free(p);
    p = open_past(f);
    assert_found(f, p, ENTRIES);
    flight_past_free(p);
}

static void it_is_due_when_what_is_looked_through_would_get_long(void **state)
{
    struct fixture *f = *state;
    struct error err = { 0 };
    assert_false(flight_history_is_due(f->history, FLIGHT_RECORDS - 1, 0));
    assert_true(flight_history_is_due(f->history, FLIGHT_RECORDS, 0));
    assert_true(flight_history_is_due(f->history, FLIGHT_RECORDS, 4 * FLIGHT_RECORDS));
    assert_false(flight_history_is_due(f->history, FLIGHT_RECORDS, 4 * FLIGHT_RECORDS + 4));
    flight_history_begin(f->history, 1000, 20000);
    assert_int_equal(flight_history_end(f->history, &err), 0);
    assert_false(flight_history_is_due(f->history, 20000 + FLIGHT_RECORDS - 1, 0));
    assert_true(flight_history_is_due(f->history, 20000 + FLIGHT_RECORDS, 0));
}

static int64_t size_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size = lseek(fd, 0, SEEK_END);
    close(fd);
    return size;
}

static void a_file_that_is_cut_has_what_is_whole(void **state)
{
    struct fixture *f = *state;
    char path[100];
    int64_t ends[ENTRIES];
    path_of(f, path);
    for (int e = 0; e < ENTRIES; e++) {
        note(f, e);
        ends[e] = size_of(path);
    }
    int64_t size = ends[ENTRIES - 1];
    for (int i = 0, whole = ENTRIES; size > 0; i++) {
        assert_int_equal(truncate(path, size), 0);
        while (whole && ends[whole - 1] > size)
            whole--;
        struct flight_past *p = open_past(f);
        assert_found(f, p, whole);
        flight_past_free(p);
        size -= i % 5 ? 1 + (int64_t)below(f, 200) : 1;
    }
}

/* What is found is well formed: nodes that exist, records from before. */
static void bytes_that_are_others_do_no_harm(void **state)
{
    struct fixture *f = *state;
    char path[100];
    struct flight_moment m;
    path_of(f, path);
    for (int e = 0; e < ENTRIES; e++)
        note(f, e);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int64_t size = size_of(path);
    for (int i = 0; i < 400; i++) {
        unsigned char byte = (unsigned char)below(f, 256), was;
        int64_t at = (int64_t)below(f, (uint64_t)size);
        assert_int_equal(pread(fd, &was, 1, at), 1);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        struct flight_past *p = open_past(f);
        for (int k = 0; k < 5; k++)
            if (flight_past_seek(p, (simtime)below(f, ENTRIES * 1200), UINT64_MAX, &m))
                for (size_t n = 0; n < m.count; n++) {
                    const struct flight_noted *x = &m.messages[n];
                    assert_true(x->src >= 0 && x->src < NODES && x->dst >= 0 && x->dst < NODES);
                    assert_true(x->record < m.records && x->id <= x->record && x->edit < m.records && x->due >= 0);
                }
        flight_past_free(p);
        assert_int_equal(pwrite(fd, i % 4 ? &was : &byte, 1, at), 1); /* some stay */
    }
    close(fd);
}

/* One entry of so many messages that are nothing but zeros, which takes no room on the disk. */
static bool reads_zeros(struct fixture *f, uint64_t count)
{
    char path[100];
    struct flight_moment m;
    struct buffer front = { 0 }, head = { 0 };
    varint_add(&head, 1000);
    varint_add(&head, 1);
    varint_add(&head, 0);
    varint_add(&head, count);
    buffer_text(&front, FLIGHT_MAGIC "f");
    varint_add(&front, head.len + 6 * count);
    buffer_add(&front, head.data, head.len);
    path_of(f, path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(pwrite(fd, front.data, front.len, 0), front.len);
    assert_int_equal(pwrite(fd, "f", 1, (off_t)(front.len + 6 * count)), 1);
    close(fd);
    buffer_free(&front);
    buffer_free(&head);
    struct flight_past *p = open_past(f);
    bool found = flight_past_seek(p, 1000, 1, &m);
    assert_true(!found || m.count == count);
    flight_past_free(p);
    return found;
}

static void an_entry_of_more_messages_than_there_may_be_is_none(void **state)
{
    struct fixture *f = *state;
    assert_true(reads_zeros(f, 1));
    assert_true(reads_zeros(f, FLIGHT_MESSAGES_MAX));
    assert_false(reads_zeros(f, FLIGHT_MESSAGES_MAX + 1));
    assert_true(flight_history_is_due(f->history, FLIGHT_MESSAGES_MAX, FLIGHT_MESSAGES_MAX));
    assert_false(flight_history_is_due(f->history, FLIGHT_MESSAGES_MAX, FLIGHT_MESSAGES_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_noted_is_found_again_while_the_file_grows, begin, end),
        cmocka_unit_test_setup_teardown(it_is_due_when_what_is_looked_through_would_get_long, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_has_what_is_whole, begin, end),
        cmocka_unit_test_setup_teardown(bytes_that_are_others_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(an_entry_of_more_messages_than_there_may_be_is_none, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
