#include "check.h"

#include "node/external_control.h"

/* Requests and replies as Renode 1.16.1 and 1.15.3 took and gave them. */

#define ACCEPTED "\x05"
#define DONE     "\x04\x01"
#define TIME     "\x03\x02\x08\0\0\0"
#define FAILED   "\0\x01\x1b\0\0\0Expected 8 bytes of payload"
#define STARTED  "\0\x01>\0\0\0This action is not available when emulation is already started"
#define FATAL                                                                                                          \
    "\x01]\0\0\0Encountered invalid header: { magic: [0x58, 0x58] (XX), command: 0x2 (GetTime), dataSize: 0 }"
#define UNKNOWN  "\x01 \0\0\0Encountered unknown command 0x06"
#define EVENT                                                                                                          \
    "\x06\x05\x07\0\0\0\x10\0\0\x00"                                                                                   \
    "1B\x0f\0\0\0\0\0\x01\0\0\0\0\0\0\0"

#define BYTES(literal) literal, sizeof(literal) - 1

static void check_request(struct buffer *out, const char *expected, size_t len)
{
    assert_int_equal(out->len, len);
    assert_memory_equal(out->data, expected, len);
    buffer_free(out);
}

static void requests_are_those_that_renode_takes(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    external_control_handshake(&out);
    check_request(&out, BYTES("\x02\0\x01\0\x02\0"));
    external_control_get_time(&out);
    check_request(&out, BYTES("RE\x02\0\0\0\0"));
    external_control_run_for(&out, 1000);
    check_request(&out, BYTES("RE\x01\x08\0\0\0\xe8\x03\0\0\0\0\0\0"));
    external_control_run_for(&out, 1500000);
    check_request(&out, BYTES("RE\x01\x08\0\0\0\x60\xe3\x16\0\0\0\0\0"));
    external_control_run_for(&out, UINT64_C(0x8877665544332211));
    check_request(&out, BYTES("RE\x01\x08\0\0\0\x11\x22\x33\x44\x55\x66\x77\x88"));
}

/* ---- replies ---- */

enum cut { WHOLE, SINGLE, RANDOM, CUTS };

/* What came of a stream, as text: a line for each reply. */
static void hear(const char *stream, size_t len, enum cut cut, uint64_t *random, struct buffer *heard)
{
    struct external_control e = { 0 };
    for (size_t at = 0, n; at < len; at += n) {
        n = cut == WHOLE ? len : cut == SINGLE ? 1 : test_random(random) % 9 + 1;
        n = n < len - at ? n : len - at;
        char *piece = malloc(n);
        memcpy(piece, stream + at, n);
        size_t used = 0, taken = 0;
        int result;
        while ((result = external_control_feed(&e, piece + taken, n - taken, &used)) == 1) {
            assert_true(used > 0 && used <= n - taken);
            taken += used;
            assert_int_equal(e.text.data[e.text.len], '\0');
            buffer_format(heard, "%d %d %llu %s\n", (int)e.kind, e.command, (unsigned long long)e.time, e.text.data);
        }
        free(piece);
        if (result < 0) {
            buffer_format(heard, "violation: %s\n", e.text.data);
            assert_int_equal(e.kind, EXTERNAL_CONTROL_VIOLATION);
            assert_int_equal(external_control_feed(&e, DONE, 2, &used), -1);
            assert_int_equal(used, 0);
            break;
        }
        assert_int_equal(taken + used, n);
    }
    buffer_format(heard, "events %llu\n", (unsigned long long)e.events);
    external_control_free(&e);
}

static void check(const char *stream, size_t len, const char *expected)
{
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct buffer heard = { 0 };
        hear(stream, len, (enum cut)cut, &random, &heard);
        assert_string_equal(buffer_string(&heard), expected);
        buffer_free(&heard);
    }
}

static void recorded_replies_come_one_at_a_time(void **state)
{
    (void)state;
    check(BYTES(ACCEPTED TIME "\xe8\x03\0\0\0\0\0\0" DONE TIME "\x48\xe7\x16\0\0\0\0\0"),
          "1 0 0 \n3 2 1000 \n2 1 1000 \n3 2 1501000 \nevents 0\n");
    check(BYTES(ACCEPTED FAILED DONE STARTED),
          "1 0 0 \n4 1 0 Expected 8 bytes of payload\n2 1 0 \n"
          "4 1 0 This action is not available when emulation is already started\nevents 0\n");
    check(BYTES(ACCEPTED "\x02\x01"
                         "\x02\t" DONE),
          "1 0 0 \n6 1 0 \n6 9 0 \n2 1 0 \nevents 0\n");
    check(BYTES(ACCEPTED FATAL), "1 0 0 \n5 0 0 Encountered invalid header: { magic: [0x58, 0x58] (XX), command: 0x2 "
                                 "(GetTime), dataSize: 0 }\nevents 0\n");
    check(BYTES(UNKNOWN), "5 0 0 Encountered unknown command 0x06\nevents 0\n");
    check(BYTES(TIME "\xff\xff\xff\xff\xff\xff\xff\xff" TIME "\x01\x02\x03\x04\x05\x06\x07\x08"),
          "3 2 18446744073709551615 \n3 2 578437695752307201 \nevents 0\n");
}

static void events_are_passed_over_and_counted(void **state)
{
    (void)state;
    check(BYTES(ACCEPTED EVENT EVENT DONE), "1 0 0 \n2 1 0 \nevents 2\n");
    check(BYTES(EVENT), "events 1\n");
    check(BYTES("\x06\x05\xff\xff\xff\xff\0\0\0\0" EVENT DONE), "2 1 0 \nevents 2\n");
}

static void a_reply_without_text_and_one_with_odd_text_are_fine(void **state)
{
    (void)state;
    check(BYTES("\0\x01\0\0\0\0"
                "\x01\0\0\0\0" DONE),
          "4 1 0 \n5 0 0 \n2 1 0 \nevents 0\n");
    check(BYTES("\0\x01\x08\0\0\0a\n\x1b\xff\xc3\xa9\0b"
                "\0\x02\x02\0\0\0\x01\x06"),
          "4 1 0 a\\n\\x1b\\xff\xc3\xa9\\x00b\n4 2 0 \\x01\\x06\nevents 0\n");
}

static void what_is_no_reply_is_a_violation_that_says_what_came(void **state)
{
    (void)state;
    check(BYTES(ACCEPTED "\x07"),
          "1 0 0 \nviolation: byte 0x07 begins no reply of the External Control port (0x00 to 0x06 do)\nevents 0\n");
    check(BYTES("HTTP/1.1 400 Bad Request\r\n"),
          "violation: byte 0x48 begins no reply of the External Control port (0x00 to 0x06 do)\nevents 0\n");
    check(BYTES(EVENT "\xff"),
          "violation: byte 0xff begins no reply of the External Control port (0x00 to 0x06 do)\nevents 1\n");
    check(BYTES("\0\x01\x01\0\x01\0"), "violation: a reply 0x00 of 65537 bytes on the External Control port; at most "
                                       "65536 are read\nevents 0\n");
    check(BYTES("\x01\xff\xff\xff\xff"), "violation: a reply 0x01 of 4294967295 bytes on the External Control port; at "
                                         "most 65536 are read\nevents 0\n");
    check(BYTES("\x06\x05\x07\0\0\0\0\0\0\x80"), "violation: a reply 0x06 of 2147483648 bytes on the External Control "
                                                 "port; at most 65536 are read\nevents 0\n");
    check(BYTES("\x03\x02\x04\0\0\0"), "violation: 4 bytes of data for command 2 on the External Control port; only "
                                       "GetTime (2) has data, of 8 bytes\nevents 0\n");
    check(BYTES("\x03\x06\x08\0\0\0"), "violation: 8 bytes of data for command 6 on the External Control port; only "
                                       "GetTime (2) has data, of 8 bytes\nevents 0\n");
}

static void a_long_text_is_read_and_its_beginning_kept(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct buffer stream = { 0 }, heard = { 0 }, expected = { 0 };
        buffer_add(&stream, BYTES("\0\x01\0\0\x01\0"));
        buffer_text(&expected, "4 1 0 ");
        for (size_t i = 0; i < EXTERNAL_CONTROL_MAX; i++)
            buffer_add(&stream, "x", 1);
        for (size_t i = 0; i < EXTERNAL_CONTROL_TEXT; i++)
            buffer_add(&expected, "x", 1);
        buffer_add(&stream, BYTES(DONE));
        buffer_text(&expected, "\n2 1 0 \nevents 0\n");
        hear(stream.data, stream.len, (enum cut)cut, &random, &heard);
        assert_string_equal(buffer_string(&heard), buffer_string(&expected));
        buffer_free(&stream);
        buffer_free(&heard);
        buffer_free(&expected);
    }
}

static void random_bytes_come_to_the_same_however_they_are_cut(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (int round = 0; round < 3000; round++) {
        char bytes[200];
        struct buffer whole = { 0 }, single = { 0 }, pieces = { 0 };
        size_t len = test_random(&random) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(test_random(&random) % (round % 2 ? 7 : 12));
        hear(bytes, len, WHOLE, &random, &whole);
        hear(bytes, len, SINGLE, &random, &single);
        hear(bytes, len, RANDOM, &random, &pieces);
        assert_string_equal(buffer_string(&whole), buffer_string(&single));
        assert_string_equal(buffer_string(&whole), buffer_string(&pieces));
        buffer_free(&whole);
        buffer_free(&single);
        buffer_free(&pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_those_that_renode_takes),
        cmocka_unit_test(recorded_replies_come_one_at_a_time),
        cmocka_unit_test(events_are_passed_over_and_counted),
        cmocka_unit_test(a_reply_without_text_and_one_with_odd_text_are_fine),
        cmocka_unit_test(what_is_no_reply_is_a_violation_that_says_what_came),
        cmocka_unit_test(a_long_text_is_read_and_its_beginning_kept),
        cmocka_unit_test(random_bytes_come_to_the_same_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
