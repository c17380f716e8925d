/* Every exchange with a real Renode's monitor that was recorded. */
#include "monitor_fixture.h"

#define RECORDED LOCKSTEP_SOURCE_DIR "/tests/unit/data/renode/monitor.txt"

struct exchange {
    struct buffer asked, answer, error;
};

static int hex(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void unescape(struct buffer *out, const char *s)
{
    for (; *s && *s != '\n'; s++) {
        char c = *s;
        if (c == '\\') {
            s++;
            c = *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s == 't' ? '\t' : *s;
            if (*s == 'x') {
                c = (char)(hex(s[1]) << 4 | hex(s[2]));
                s += 2;
            }
        }
        buffer_add(out, &c, 1);
    }
}

static size_t load(struct exchange *exchanges, size_t most)
{
    FILE *f = fopen(RECORDED, "r");
    char line[16384];
    size_t count = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        assert_non_null(strchr(line, '\n'));
        count += *line == '>';
        assert_true(count <= most);
        if (*line == '>')
            unescape(&exchanges[count - 1].asked, line + 2);
        else if (*line == '<')
            unescape(&exchanges[count - 1].answer, line + 2);
        else if (*line == '!')
            unescape(&exchanges[count - 1].error, line + 2);
    }
    fclose(f);
    return count;
}

/* What is between the echo and the prompt, without \r and with blanks for tabs. */
static void expect_reply(const struct exchange *e, struct buffer *expected, struct buffer *prompt)
{
    size_t begin = e->asked.len + 2, end = e->answer.len;
    assert_memory_equal(e->answer.data, e->asked.data, e->asked.len);
    assert_memory_equal(e->answer.data + e->asked.len, "\n\r", 2);
    while (e->answer.data[end - 1] != '\n' && e->answer.data[end - 1] != '\r')
        end--;
    expected->len = prompt->len = 0;
    buffer_add(prompt, e->answer.data + end, e->answer.len - end);
    for (size_t i = begin; i < end; i++)
        if (e->answer.data[i] != '\r')
            buffer_add(expected, e->answer.data[i] == '\t' ? " " : e->answer.data + i, 1);
}

static void check_asked(const struct buffer *out, const struct buffer *asked, uint64_t serial)
{
    struct buffer expected = { 0 };
    buffer_add(&expected, asked->data, asked->len);
    buffer_format(&expected, "\necho \"lockstep-%llu\"\n", (unsigned long long)serial);
    assert_int_equal(out->len, expected.len);
    assert_memory_equal(out->data, expected.data, expected.len);
    buffer_free(&expected);
}

static void check_exchange(struct monitor *m, struct exchange *e, uint64_t serial, enum cut cut, uint64_t *random)
{
    struct buffer out = { 0 }, stream = { 0 }, expected = { 0 }, prompt = { 0 }, why = { 0 };
    expect_reply(e, &expected, &prompt);
    assert_true(monitor_can_ask(e->asked.data, e->asked.len));
    monitor_ask(m, e->asked.data, e->asked.len, &out);
    check_asked(&out, &e->asked, serial);
    buffer_add(&stream, e->answer.data, e->answer.len);
    add_sync(&stream, serial, buffer_string(&prompt));
    assert_int_equal(feed(m, &stream, cut, random), 1);
    assert_string_equal(buffer_string(&m->reply), buffer_string(&expected));
    assert_int_equal(monitor_error(&m->reply, &why, NULL), e->error.len > 0);
    assert_string_equal(buffer_string(&why), buffer_string(&e->error));
    buffer_free(&out);
    buffer_free(&stream);
    buffer_free(&expected);
    buffer_free(&prompt);
    buffer_free(&why);
}

static void every_recorded_reply_comes_whole_however_it_is_cut(void **state)
{
    (void)state;
    static struct exchange exchanges[400];
    size_t count = load(exchanges, 400), errors = 0;
    uint64_t random = test_seed();
    assert_true(count >= 150);
    for (int cut = WHOLE; cut < CUTS; cut++) {
        struct talk t = { 0 };
        monitor_begin(&t.m, &t.out);
        monitor_ask(&t.m, "version", 7, &t.out);
        add_begin(&t.stream);
        buffer_text(&t.stream, "version\n\rRenode\r\n\r(monitor) ");
        add_sync(&t.stream, 2, "(monitor) ");
        assert_int_equal(feed(&t.m, &t.stream, (enum cut)cut, &random), 1);
        for (size_t i = 0; i < count; i++)
            check_exchange(&t.m, &exchanges[i], i + 3, (enum cut)cut, &random);
        talk_end(&t);
    }
    for (size_t i = 0; i < count; i++) {
        errors += exchanges[i].error.len > 0;
        buffer_free(&exchanges[i].asked);
        buffer_free(&exchanges[i].answer);
        buffer_free(&exchanges[i].error);
    }
    assert_true(errors >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_recorded_reply_comes_whole_however_it_is_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
