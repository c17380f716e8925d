#include "check.h"

#include "base/buffer.h"
#include "node/frames.h"

/* The pieces, put together by stream. */
struct heard {
    struct buffer of[3];
    const char *low, *high; /* all pieces must lie in here */
    int empty;
};

static void hear(void *data, enum frames_stream stream, const char *s, size_t len)
{
    struct heard *h = data;
    h->empty += !len;
    assert_true(s >= h->low && s + len <= h->high);
    buffer_add(&h->of[stream], s, len);
}

static void forget(struct heard *h)
{
    for (int i = 0; i < 3; i++)
        buffer_free(&h->of[i]);
    *h = (struct heard){ 0 };
}

static void add(struct buffer *b, int stream, const char *s, size_t len)
{
    const char header[8] = { (char)stream, 0, 0, 0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len };
    buffer_add(b, header, sizeof header);
    buffer_add(b, s, len);
}

static int take(struct frames *f, struct heard *h, const char *s, size_t len, size_t chunk)
{
    struct error err = { 0 };
    while (len) {
        size_t n = chunk < len ? chunk : len;
        h->low = s;
        h->high = s + n;
        if (frames_take(f, s, n, hear, h, &err) < 0)
            return -1;
        s += n;
        len -= n;
    }
    return 0;
}

static void both_outputs_come_apart_however_the_stream_is_cut(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    struct buffer in = { 0 }, expected[3] = { { 0 } };
    char text[3000];
    for (int i = 0; i < 300; i++) {
        int stream = (int)(test_random(&seed) % 3);
        size_t len = test_random(&seed) % (i % 10 ? 40 : sizeof text);
        for (size_t k = 0; k < len; k++)
            text[k] = (char)test_random(&seed);
        add(&in, stream, text, len);
        buffer_add(&expected[stream], text, len);
    }
    for (size_t chunk = 1; chunk < 6000; chunk += chunk < 20 ? 1 : 311) {
        struct frames f = { 0 };
        struct heard h = { 0 };
        assert_int_equal(take(&f, &h, in.data, in.len, chunk), 0);
        assert_true(frames_whole(&f));
        assert_int_equal(h.empty, 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(h.of[i].len, expected[i].len);
            assert_memory_equal(h.of[i].data, expected[i].data, expected[i].len);
        }
        forget(&h);
    }
    for (int i = 0; i < 3; i++)
        buffer_free(&expected[i]);
    buffer_free(&in);
}

static void an_end_within_a_frame_is_seen(void **state)
{
    (void)state;
    struct buffer in = { 0 };
    add(&in, 1, "abc", 3);
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct frames f = { 0 };
        struct heard h = { 0 };
        assert_int_equal(take(&f, &h, in.data, cut, 4), 0);
        assert_int_equal(frames_whole(&f), cut == 0 || cut == in.len);
        forget(&h);
    }
    buffer_free(&in);
}

static void a_length_of_4_GiB_is_counted_not_stored(void **state)
{
    (void)state;
    struct frames f = { 0 };
    struct heard h = { 0 };
    assert_int_equal(take(&f, &h, "\2\0\0\0\xff\xff\xff\xffxyz", 11, 11), 0);
    assert_int_equal(h.of[2].len, 3);
    assert_int_equal(f.left, 0xfffffffc);
    forget(&h);
}

static void a_header_that_cannot_be_is_an_error_with_its_bytes(void **state)
{
    (void)state;
    static const char *const bad[] = { "\3\0\0\0\0\0\0\1", "\1\1\0\0\0\0\0\1", "\1\0\1\0\0\0\0\1", "\1\0\0\1\0\0\0\1",
                                       "READY\r\n\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t chunk = 1; chunk <= 8; chunk++) {
            struct frames f = { 0 };
            struct heard h = { 0 };
            assert_int_equal(take(&f, &h, bad[i], 8, chunk), -1);
            forget(&h);
        }
    }
    struct frames f = { 0 };
    struct heard h = { .low = NULL };
    struct error err = { 0 };
    assert_int_equal(frames_take(&f, bad[4], 8, hear, &h, &err), -1);
    assert_int_equal(err.code, EXIT_RUN_FAILED);
    assert_non_null(strstr(err.text, "52 45 41 44 59 0d 0a 0a"));
    assert_non_null(strstr(err.text, "terminal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_outputs_come_apart_however_the_stream_is_cut),
        cmocka_unit_test(an_end_within_a_frame_is_seen),
        cmocka_unit_test(a_length_of_4_GiB_is_counted_not_stored),
        cmocka_unit_test(a_header_that_cannot_be_is_an_error_with_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
