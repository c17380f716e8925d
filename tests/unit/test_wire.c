#include "check.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "node/wire.h"

/* Reads bytes into the wire as a driver does, `chunk` at a time, and takes every line as soon as it is there. */
struct feed {
    struct wire wire;
    struct buffer lines; /* each with a | behind it */
    size_t most;         /* the largest capacity seen */
    struct error err;
};

static void feed(struct feed *f, const char *s, size_t len, size_t chunk)
{
    struct text line;
    while (len && !f->err.code) {
        size_t room, n = chunk;
        char *to = wire_room(&f->wire, &room);
        assert_true(room >= 1024);
        n = n < room ? n : room;
        n = n < len ? n : len;
        memcpy(to, s, n);
        wire_filled(&f->wire, n);
        s += n;
        len -= n;
        if (f->wire.capacity > f->most)
            f->most = f->wire.capacity;
        while (wire_line(&f->wire, &line, &f->err) == 1) {
            buffer_add(&f->lines, line.s, line.len);
            buffer_text(&f->lines, "|");
        }
    }
}

static void end(struct feed *f)
{
    wire_free(&f->wire);
    buffer_free(&f->lines);
    *f = (struct feed){ 0 };
}

static void lines_come_without_their_ends_and_the_rest_stays(void **state)
{
    (void)state;
    struct feed f = { 0 };
    static const char in[] = "READY\nDONE {}\r\n\n\r\n\r\r\n \0x\nhalf";
    static const char out[] = "READY|DONE {}|||\r| \0x|";
    feed(&f, in, sizeof in - 1, sizeof in);
    assert_int_equal(f.err.code, 0);
    assert_int_equal(f.lines.len, sizeof out - 1);
    assert_memory_equal(f.lines.data, out, sizeof out - 1);
    assert_int_equal(wire_rest(&f.wire), 4);
    feed(&f, "\n", 1, 1);
    assert_memory_equal(f.lines.data + sizeof out - 1, "half|", 5);
    assert_int_equal(wire_rest(&f.wire), 0);
    end(&f);
    assert_int_equal(wire_rest(&f.wire), 0);
}

static void every_chunking_gives_the_same_lines(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    struct buffer in = { 0 };
    for (int i = 0; i < 400; i++) {
        size_t len = test_random(&seed) % (i % 40 ? 90 : 30000);
        for (size_t k = 0; k < len; k++)
            buffer_add(&in, &"ab\r\0 {"[test_random(&seed) % 6], 1);
        buffer_text(&in, test_random(&seed) % 2 ? "\n" : "\r\n");
    }
    buffer_text(&in, "rest");
    struct feed whole = { 0 }, part = { 0 };
    feed(&whole, in.data, in.len, SIZE_MAX);
    assert_int_equal(wire_rest(&whole.wire), 4);
    for (size_t chunk = 1; chunk < 5000; chunk += chunk < 20 ? 1 : 617) {
        feed(&part, in.data, in.len, chunk);
        assert_int_equal(part.lines.len, whole.lines.len);
        assert_memory_equal(part.lines.data, whole.lines.data, whole.lines.len);
        assert_int_equal(wire_rest(&part.wire), 4);
        end(&part);
    }
    for (size_t cut = 1; cut < 600; cut++) { /* two reads */
        feed(&part, in.data, cut, cut);
        feed(&part, in.data + cut, in.len - cut, SIZE_MAX);
        assert_int_equal(part.lines.len, whole.lines.len);
        assert_memory_equal(part.lines.data, whole.lines.data, whole.lines.len);
        end(&part);
    }
    end(&whole);
    buffer_free(&in);
}

static void a_line_of_16_MiB_is_read_and_one_of_a_byte_more_is_refused(void **state)
{
    (void)state;
    static const size_t chunks[] = { 4096, 65536, 1000003 };
    char *long_line = mem_alloc(WIRE_LINE_MAX + 2);
    for (size_t i = 0; i < 3; i++) {
        struct feed f = { 0 };
        memset(long_line, 'x', WIRE_LINE_MAX);
        long_line[WIRE_LINE_MAX] = '\n';
        feed(&f, "a\n", 2, 2);
        feed(&f, long_line, WIRE_LINE_MAX + 1, chunks[i]);
        assert_int_equal(f.err.code, 0);
        assert_int_equal(f.lines.len, WIRE_LINE_MAX + 3);
        assert_true(f.most < 2u * WIRE_LINE_MAX);

        feed(&f, "b\n", 2, 1);
        feed(&f, "c", 1, 1);
        assert_memory_equal(f.lines.data + WIRE_LINE_MAX + 3, "b|", 2);
        assert_true(f.wire.capacity <= 1u << 20); /* what the long line took is given back */

        memset(long_line, '\x1b', WIRE_LINE_MAX + 1);
        feed(&f, long_line, WIRE_LINE_MAX - 1, chunks[i]);
        assert_int_equal(f.err.code, 0);
        feed(&f, long_line, 1, 1); /* known before any \n has come */
        assert_int_equal(f.err.code, EXIT_RUN_FAILED);
        assert_non_null(
            strstr(f.err.text, "a line has more than 16 MiB, the most that is read of one; it begins \"c\\x1b"));
        assert_true(f.most < 2u * WIRE_LINE_MAX);
        end(&f);
    }
    free(long_line);
}

static void a_line_that_is_too_long_is_refused_also_when_its_end_has_come(void **state)
{
    (void)state;
    struct wire w = { 0 };
    struct text line;
    struct error err = { 0 };
    size_t room, left = WIRE_LINE_MAX + 1;
    while (left) { /* nobody takes a line meanwhile */
        char *to = wire_room(&w, &room);
        size_t n = room < left ? room : left;
        memset(to, 'x', n);
        wire_filled(&w, n);
        left -= n;
    }
    *wire_room(&w, &room) = '\n';
    wire_filled(&w, 1);
    assert_int_equal(wire_line(&w, &line, &err), -1);
    assert_int_equal(err.code, EXIT_RUN_FAILED);
    wire_free(&w);
}

/* Bytes moved and looked at are counted by the time that they take, against the same bytes in large reads. */
static double seconds_for(size_t total, size_t line, size_t chunk)
{
    struct timespec from, to;
    struct wire w = { 0 };
    struct text taken;
    struct error err = { 0 };
    size_t lines = 0, column = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t done = 0; done < total;) {
        size_t room, n = chunk < total - done ? chunk : total - done;
        char *at = wire_room(&w, &room);
        n = n < room ? n : room;
        for (size_t i = 0; i < n; i++)
            at[i] = ++column % line ? 'x' : '\n';
        wire_filled(&w, n);
        done += n;
        while (wire_line(&w, &taken, &err) == 1)
            lines++;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_int_equal(err.code, 0);
    assert_int_equal(lines, total / line);
    wire_free(&w);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void time_is_linear_in_the_bytes_however_they_come(void **state)
{
    (void)state;
    /* a quadratic reader would take minutes for the long line a byte at a time */
    double byte_by_byte = seconds_for(16u << 20, 16u << 20, 1), short_lines = seconds_for(16u << 20, 64, 1);
    double in_reads = seconds_for(64u << 20, 1u << 20, 65536);
    print_message("16 MiB byte by byte: %.2f s as one line, %.2f s as short ones; 64 MiB in reads: %.2f s\n",
                  byte_by_byte, short_lines, in_reads);
    assert_true(byte_by_byte < 20 && short_lines < 20 && in_reads < 20);
}

static void memory_is_bounded_whatever_lines_come(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    char *block = mem_alloc(1u << 21);
    memset(block, 'x', 1u << 21);
    struct feed f = { 0 };
    size_t longest = 0;
    for (int i = 0; i < 300; i++) {
        size_t len = (size_t)(test_random(&seed) % (UINT64_C(1) << (test_random(&seed) % 21 + 1)));
        longest = len > longest ? len : longest;
        feed(&f, block, len, (size_t)(test_random(&seed) % 100000 + 1));
        feed(&f, "\nyy", (size_t)(test_random(&seed) % 3 + 1), 3);
        f.lines.len = 0;
    }
    print_message("longest line %zu, most memory %zu\n", longest, f.most);
    assert_true(f.most <= longest / 4 * 9 + 65536);
    end(&f);
    free(block);
}

static void count_line(void *data, struct text line)
{
    (void)line;
    ++*(int *)data;
}

static void a_stream_is_taken_in_pieces_until_a_line_has_no_end(void **state)
{
    (void)state;
    struct wire w = { 0 };
    int lines = 0, pieces = 0;
    size_t size = 1u << 16;
    char *block = mem_alloc(size);
    memset(block, 'x', size);
    assert_int_equal(wire_take(&w, "a\nb\nha", 6, count_line, &lines), 0);
    assert_int_equal(wire_take(&w, "lf\n", 3, count_line, &lines), 0);
    assert_int_equal(lines, 3);
    while (pieces < 1000 && wire_take(&w, block, size, count_line, &lines) == 0)
        pieces++;
    assert_int_equal(lines, 3);
    assert_int_equal(pieces, WIRE_LINE_MAX / size);
    assert_true(w.capacity <= WIRE_LINE_MAX + (1u << 17));
    wire_free(&w);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_without_their_ends_and_the_rest_stays),
        cmocka_unit_test(every_chunking_gives_the_same_lines),
        cmocka_unit_test(a_line_of_16_MiB_is_read_and_one_of_a_byte_more_is_refused),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_also_when_its_end_has_come),
        cmocka_unit_test(a_stream_is_taken_in_pieces_until_a_line_has_no_end),
        cmocka_unit_test(time_is_linear_in_the_bytes_however_they_come),
        cmocka_unit_test(memory_is_bounded_whatever_lines_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
