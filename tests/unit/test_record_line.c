#include "check.h"

#include <unistd.h>

#include "bus/bus.h"
#include "trace/record_line.h"
#include "trace/store_open.h"

static const char *const lines[] = {
    "{\"n\":0,\"t\":0,\"kind\":\"run\",\"scenario\":\"x\",\"digest\":\"00\",\"seed\":1,\"quantum\":1000,\"duration\":5,\"nodes\":[\"a\"]}",
    "{\"n\":1,\"t\":1000000,\"kind\":\"message\",\"id\":0,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"T\",\"size\":64,\"payload\":{\"a\":1.50,"
    "\"due\":7},\"due\":1010000}",
    "{\"n\":2,\"t\":5,\"kind\":\"message\",\"id\":1,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"T\",\"size\":0,\"payload\":{\"due\":7}}",
    "{\"n\":3,\"t\":5,\"kind\":\"message\",\"id\":2,\"src\":\"s1\",\"dst\":\"no\\\"body\",\"type\":\"T\",\"size\":1,\"payload\":null}",
    "{\"n\":4,\"t\":5,\"kind\":\"message\",\"id\":3,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"\\u0041\",\"size\":1,\"payload\":5,\"due\":5}",
    "{\"n\":5,\"t\":5,\"kind\":\"message\",\"id\":3,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"T\",\"size\":1,\"payload\":5}",
    "{\"n\":6,\"t\":5,\"kind\":\"message\",\"id\":3,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"T\",\"size\":1,\"payload\":\",\\\"due\\\":9\",\"due\":8}",
    "{\"n\":7,\"t\":5,\"kind\":\"message\",\"id\":3,\"src\":\"s1\",\"dst\":\"gw\",\"type\":\"\",\"size\":4294967296,\"payload\":[{}],\"due\":6}",
    "{\"n\":8,\"t\":9007199254740991,\"kind\":\"local\",\"src\":\"gw\",\"type\":\"P\",\"payload\":\"sample_1\"}",
    "{\"n\":9,\"t\":5,\"kind\":\"local\",\"src\":\"gw\",\"type\":\"P\\n\",\"payload\":{\"x\":{\"due\":5}}}",
    "{\"n\":10,\"t\":5,\"kind\":\"local\",\"src\":\"gw\",\"type\":\"P\",\"payload\":-5}",
    "{\"n\":11,\"t\":5,\"kind\":\"drop\",\"id\":7,\"reason\":\"loss\"}",
    "{\"n\":12,\"t\":5,\"kind\":\"node\",\"node\":\"gw\",\"state\":\"failed\",\"cause\":\"exit code 3\"}",
    "{\"n\":13,\"t\":5,\"kind\":\"link\",\"src\":\"a\",\"dst\":\"b\",\"latency\":2000,\"loss\":0.25,\"cause\":\"fault\"}",
    "{\"n\":14,\"t\":5,\"kind\":\"command\",\"text\":\"stop gw\"}",
    "{\"n\":15,\"t\":5,\"kind\":\"warning\",\"node\":\"gw\",\"text\":\"a \\u00e9\"}",
    "{\"n\":16,\"t\":5,\"kind\":\"end\",\"outcome\":\"until\",\"cause\":\"\",\"quanta\":1,\"messages\":2,\"dropped\":3,\"in_flight\":4}",
};
#define LINES ((int)(sizeof lines / sizeof *lines))

static void check_text(const char *what, int i, struct text a, struct text b)
{
    if (a.len != b.len || (a.len && memcmp(a.s, b.s, a.len)))
        fail_msg("line %d: %s is '%.*s' instead of '%.*s'", i, what, (int)a.len, a.s, (int)b.len, b.s);
}

static void a_line_says_what_store_read_says(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct store_index index = { 0 };
    for (int i = 0; i < LINES; i++) {
        store_index_note(&index, (uint64_t)i, ftell(f));
        fprintf(f, "%s\n", lines[i]);
    }
    fflush(f);
    index.records = LINES;
    index.end = ftell(f);
    struct store *s = store_new(fileno(f), &index);
    int taken = 0;
    for (int i = 0; i < LINES; i++) {
        struct record a, b;
        if (!record_from_line(lines[i], strlen(lines[i]), &a))
            continue; /* it has escapes */
        taken++;
        assert_int_equal(store_read(s, (uint64_t)i, &b), 0);
        assert_int_equal(a.n, b.n);
        assert_int_equal(a.t, b.t);
        assert_int_equal(a.kind, b.kind);
        if (a.kind == RECORD_RUN)
            continue;
        assert_int_equal(a.id, b.id);
        assert_int_equal(a.size, b.size);
        assert_int_equal(a.due, b.due);
        assert_int_equal(a.latency, b.latency);
        check_text("src", i, a.src, b.src);
        check_text("dst", i, a.dst, b.dst);
        check_text("type", i, a.type, b.type);
        check_text("state", i, a.state, b.state);
        check_text("cause", i, a.cause, b.cause);
        check_text("payload", i, a.payload, b.payload);
    }
    assert_int_equal(taken, LINES - 4);
    store_free(s);
    store_index_free(&index);
    fclose(f);
}

/* Nothing outside of a text is read, and what is cut is no record. */
static void what_is_cut_is_refused(void **state)
{
    (void)state;
    for (int i = 1; i < LINES; i++)
        for (size_t len = 0; len < strlen(lines[i]); len++) {
            struct record r;
            char *exact = malloc(len + !len);
            memcpy(exact, lines[i], len);
            bool taken = record_from_line(exact, len, &r);
            bool may_be = len && exact[len - 1] == '}' && (r.kind == RECORD_MESSAGE || r.kind == RECORD_LOCAL);
            if (taken && !may_be) /* only within a payload is nothing looked at */
                fail_msg("line %d was taken up to %d", i, (int)len);
            free(exact);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_what_store_read_says),
        cmocka_unit_test(what_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
