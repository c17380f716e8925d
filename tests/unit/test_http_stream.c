#include "check.h"

#include "http_server.h"
#include "node/http_head.h"

#define UPGRADED                                                                                    \
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n" \
    "Upgrade: tcp\r\n\r\n"

/* ---- the head ---- */

static void a_head_is_understood_wherever_it_is_cut(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"
                               "HTTP/1.1 404 Not Found\r\ncontent-LENGTH:  12 \r\nX: y\r\n\r\nrest";
    struct http_head h;
    const char *why;
    for (size_t cut = 0; cut < sizeof text - 5; cut++) {
        char *part = mem_text_n(text, cut);
        assert_int_equal(http_head_parse(&h, part, cut, &why), 0);
        free(part);
    }
    assert_int_equal(http_head_parse(&h, text, sizeof text - 1, &why), 1);
    assert_int_equal(h.status, 404);
    assert_int_equal(h.length, 12);
    assert_false(h.chunked);
    assert_string_equal(text + h.len, "rest");
}

static void a_head_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "SSH-2.0-x\r\n",
                                       "HTTP/2 200\r\n\r\n",
                                       "HTTP/1.1 20 OK\r\n\r\n",
                                       "HTTP/1.1 2000 OK\r\n\r\n",
                                       "HTTP/1.1 099 OK\r\n\r\n",
                                       "\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" };
    struct http_head h;
    const char *why = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (http_head_parse(&h, bad[i], strlen(bad[i]), &why) != -1)
            fail_msg("%s", bad[i]);
    struct buffer b = { 0 };
    buffer_text(&b, "HTTP/1.1 200 OK\r\n");
    while (b.len <= HTTP_HEAD_MAX)
        buffer_text(&b, "X: y\r\n");
    assert_int_equal(http_head_parse(&h, b.data, b.len, &why), -1);
    assert_string_equal(why, "its head is larger than 64 KiB");
    buffer_free(&b);
}

static void a_body_ends_by_its_length_its_chunks_or_with_the_connection(void **state)
{
    (void)state;
    static const char chunks[] = "5\r\nhello\r\n7;x\r\n, world\r\n0\r\nTrailer: x\r\n\r\n";
    struct http_head chunked = { .status = 404, .length = -1, .chunked = true };
    struct http_head counted = { .status = 404, .length = 5 }, open = { .status = 404, .length = -1 };
    struct buffer b = { 0 };
    for (size_t cut = 0; cut < sizeof chunks - 1; cut++) {
        char *part = mem_text_n(chunks, cut);
        assert_int_equal(http_head_body(&chunked, part, cut, false, &b), 0);
        assert_int_equal(http_head_body(&chunked, part, cut, true, &b), -1);
        assert_int_equal(b.len, 0);
        free(part);
    }
    assert_int_equal(http_head_body(&chunked, chunks, sizeof chunks - 1, false, &b), 1);
    assert_string_equal(buffer_string(&b), "hello, world");
    b.len = 0;
    assert_int_equal(http_head_body(&chunked, "5\r\nhelloX\r\n", 11, false, &b), -1);
    assert_int_equal(http_head_body(&chunked, "x\r\n", 3, false, &b), -1);
    assert_int_equal(http_head_body(&chunked, "ffffffffffffffffff\r\n", 20, false, &b), -1);
    assert_int_equal(http_head_body(&counted, "hell", 4, false, &b), 0);
    assert_int_equal(http_head_body(&counted, "hell", 4, true, &b), -1);
    assert_int_equal(b.len, 0);
    assert_int_equal(http_head_body(&counted, "hello!", 6, false, &b), 1);
    assert_string_equal(buffer_string(&b), "hello");
    b.len = 0;
    assert_int_equal(http_head_body(&open, "hel", 3, false, &b), 0);
    assert_int_equal(http_head_body(&open, "hello", 5, true, &b), 1);
    assert_string_equal(buffer_string(&b), "hello");
    buffer_free(&b);
}

/* ---- streams ---- */

/* Says the head in the server's data, or 101, and then back what comes, until the end of that; "bye" is the last. */
static void echo(struct visit *v)
{
    static const size_t size = 65536;
    char *piece = mem_alloc(size);
    ssize_t n;
    visit_say(v, v->server->data ? v->server->data : UPGRADED "hello, ");
    while ((n = visit_take(v, piece, size)) > 0)
        visit_put(v, piece, (size_t)n);
    visit_say(v, "bye");
    if (v->ssl)
        SSL_shutdown(v->ssl);
    visit_close(v);
    free(piece);
}

static void begin_at(struct server *s, struct client *c, enum reach reach, void (*answer)(struct visit *v))
{
    if (reach == REACH_TLS)
        server_begin_tls(s, "127.0.0.1", answer);
    else
        server_begin(s, reach, answer);
    client_begin(c, s->address, reach == REACH_TLS ? s->folder : NULL);
}

static void what_comes_right_behind_the_head_is_the_beginning_of_the_stream(void **state)
{
    (void)state;
    for (enum reach reach = REACH_UNIX; reach <= REACH_TLS; reach++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        struct buffer in = { 0 };
        begin_at(&s, &c, reach, echo);
        open_stream(&c, &e, "/containers/x/attach?stream=1", NULL, 5000);
        assert_int_equal(http_stream_state(e.stream), HTTP_STREAM_OPENING);
        assert_int_equal(http_stream_read(e.stream, (char[1]){ 0 }, 1), 0);
        assert_int_equal(http_stream_write(e.stream, "x", 1), 0);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_OPEN);
        assert_int_equal(http_stream_write(e.stream, "world", 5), 5);
        read_some(&c, &e, &in, 12, 2); /* two bytes at a time: the rest is told of again */
        assert_string_equal(buffer_string(&in), "hello, world");
        http_stream_end(e.stream);
        /* over TLS this server takes the end for a failure, and may have no word more */
        ptrdiff_t last = read_some(&c, &e, &in, 100, 100);
        if (reach != REACH_TLS) {
            assert_int_equal(last, HTTP_STREAM_END);
            assert_string_equal(buffer_string(&in), "hello, worldbye");
            assert_int_equal(http_stream_read(e.stream, (char[1]){ 0 }, 1), HTTP_STREAM_END);
        } else {
            assert_true(last < 0);
        }
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
        buffer_free(&in);
    }
}

static void say_bytewise_then_echo(struct visit *v)
{
    static const char head[] = "HTTP/1.1 100 Continue\r\n\r\n" UPGRADED;
    assert_non_null(strstr(buffer_string(&v->request), "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
    assert_non_null(strstr(v->request.data, "\r\n\r\n{\"Detach\":false}"));
    visit_put_bytewise(v, head, sizeof head - 1);
    v->server->data = "";
    echo(v);
}

static void a_stream_opens_with_101_in_pieces_and_with_the_200_of_older_engines(void **state)
{
    (void)state;
    for (int older = 0; older < 2; older++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        struct buffer in = { 0 };
        server_begin(&s, REACH_TCP, older ? echo : say_bytewise_then_echo);
        s.data = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
        client_begin(&c, s.address, NULL);
        open_stream(&c, &e, "/exec/x/start", "{\"Detach\":false}", 0);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_OPEN);
        assert_int_equal(http_stream_answer(e.stream)->status, older ? 200 : 101);
        assert_int_equal(http_stream_write(e.stream, "abc", 3), 3);
        read_some(&c, &e, &in, 3, 100);
        assert_string_equal(buffer_string(&in), "abc");
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
        buffer_free(&in);
    }
}

static void say_and_close(struct visit *v)
{
    visit_say(v, v->server->data);
    visit_close(v);
}

static void say_and_stay(struct visit *v)
{
    char rest[10];
    visit_say(v, v->server->data);
    while (visit_take(v, rest, sizeof rest) > 0)
        ;
}

static void a_refusal_comes_with_what_the_engine_says(void **state)
{
    (void)state;
    static const char *const refusals[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno such x",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nno such x\r\n0\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\n\r\nno such x"
    };
    for (int i = 0; i < 3; i++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        server_begin(&s, REACH_UNIX, i < 2 ? say_and_stay : say_and_close);
        s.data = refusals[i];
        client_begin(&c, s.address, NULL);
        open_stream(&c, &e, "/containers/x/attach", NULL, 5000);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_REFUSED);
        assert_int_equal(http_stream_answer(e.stream)->status, 404);
        assert_string_equal(buffer_string(&http_stream_answer(e.stream)->body), "no such x");
        assert_int_equal(http_stream_read(e.stream, (char[1]){ 0 }, 1), HTTP_STREAM_BROKEN);
        assert_int_equal(http_stream_write(e.stream, "x", 1), HTTP_STREAM_BROKEN);
        http_stream_watch(e.stream, LOOP_READ | LOOP_WRITE);
        http_stream_end(e.stream);
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
    }
}

static void a_stream_that_does_not_open_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum http_failure failure;
        const char *words;
        bool stays;
    } bad[] = { { "", HTTP_BROKEN, "without an answer", false },
                { "HTTP/1.1 101 UP", HTTP_BROKEN, "within the answer's head", false },
                { "HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nabc", HTTP_BROKEN, "does not come to its end", false },
                { "SSH-2.0-OpenSSH_9.2\r\n", HTTP_WRONG, "no container engine", true },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", HTTP_WRONG, "a document where a stream", true },
                { "", HTTP_LATE, "connected, but no answer within 0.2 s", true },
                { "HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nabc", HTTP_LATE, "not ended within 0.2 s", true } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        server_begin(&s, REACH_UNIX, bad[i].stays ? say_and_stay : say_and_close);
        s.data = bad[i].answer;
        client_begin(&c, s.address, NULL);
        open_stream(&c, &e, "/containers/x/attach", NULL, bad[i].failure == HTTP_LATE ? 200 : 0);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_FAILED);
        const struct http_answer *a = http_stream_answer(e.stream);
        if (a->failure != bad[i].failure || !strstr(a->error.text, bad[i].words) || !strstr(a->error.text, s.address))
            fail_msg("%zu: %d: %s", i, a->failure, a->error.text);
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
    }
    struct client c;
    struct seen e = { 0 };
    client_begin(&c, "unix:///tmp/no/such/socket", NULL);
    open_stream(&c, &e, "/containers/x/attach", NULL, 5000);
    assert_int_equal(settled(&c, &e), HTTP_STREAM_FAILED);
    assert_int_equal(http_stream_answer(e.stream)->failure, HTTP_UNREACHABLE);
    assert_non_null(strstr(http_stream_answer(e.stream)->error.text, "no such socket"));
    http_stream_close(e.stream);
    client_end(&c);
}

static void say_too_much(struct visit *v)
{
    bool head = v->server->data != NULL;
    visit_say(v, head ? "HTTP/1.1 101 UP\r\n" : "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        visit_say(v, head ? "X: y\r\n" : "1\r\nx\r\n");
    visit_close(v);
}

static void more_than_a_head_and_a_refusal_need_is_an_error(void **state)
{
    (void)state;
    for (int head = 0; head < 2; head++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        server_begin(&s, REACH_UNIX, say_too_much);
        s.data = head ? "head" : NULL;
        client_begin(&c, s.address, NULL);
        open_stream(&c, &e, "/containers/x/attach", NULL, 0);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_FAILED);
        assert_int_equal(http_stream_answer(e.stream)->failure, HTTP_WRONG);
        assert_non_null(strstr(http_stream_answer(e.stream)->error.text, "larger than 64 KiB"));
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
    }
}

static void four_MiB_go_both_ways_with_requests_between(void **state)
{
    (void)state;
    size_t len = 4u << 20;
    char *out = mem_alloc(len);
    uint64_t seed = test_seed();
    for (size_t i = 0; i < len; i++)
        out[i] = (char)test_random(&seed);
    for (enum reach reach = REACH_UNIX; reach <= REACH_TLS; reach++) {
        struct server s;
        struct client c;
        struct seen e = { 0 };
        struct buffer in = { 0 };
        begin_at(&s, &c, reach, echo);
        s.data = UPGRADED;
        open_stream(&c, &e, "/containers/x/attach", NULL, 0);
        assert_int_equal(settled(&c, &e), HTTP_STREAM_OPEN);
        int64_t end = clock_ms() + WAIT_MS;
        for (size_t sent = 0; in.len < len && clock_ms() < end;) {
            ptrdiff_t n = 1;
            while (sent < len && n > 0) {
                n = http_stream_write(e.stream, out + sent, len - sent < 70000 ? len - sent : 70000);
                sent += n > 0 ? (size_t)n : 0;
            }
            assert_int_not_equal(n, HTTP_STREAM_BROKEN);
            http_stream_watch(e.stream, LOOP_READ | (sent < len ? LOOP_WRITE : 0u));
            buffer_grow(&in, 50000);
            n = http_stream_read(e.stream, in.data + in.len, 50000);
            assert_true(n >= 0);
            in.len += (size_t)n;
            e.ready = 0;
            wait_until(&c, &e.ready, in.len < len);
        }
        assert_int_equal(in.len, len);
        assert_memory_equal(in.data, out, len);
        http_stream_close(e.stream);
        client_end(&c);
        server_end(&s);
        buffer_free(&in);
    }
    free(out);
}

/* A stream for /attach, an answer for others. */
static void both(struct visit *v)
{
    if (strstr(buffer_string(&v->request), "/attach"))
        echo(v);
    else
        visit_answer(v, "200 OK", "x");
}

static void streams_and_requests_do_not_disturb_each_other(void **state)
{
    (void)state;
    enum { MANY = 8 };
    for (enum reach reach = REACH_UNIX; reach <= REACH_TLS; reach++) {
        struct server s;
        struct client c;
        struct seen e[MANY] = { { 0 } };
        struct outcome o = { 0 };
        begin_at(&s, &c, reach, both);
        s.data = UPGRADED;
        for (int i = 0; i < MANY; i++)
            open_stream(&c, &e[i], "/attach", NULL, 0);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(settled(&c, &e[i]), HTTP_STREAM_OPEN);
        int64_t end = clock_ms() + 1200; /* libcurl looks for dead connections every second */
        for (int round = 0; round < 3 || clock_ms() < end; round++) {
            ask(&c, &o, "/", 0);
            assert_int_equal(o.answer.status, 200);
            for (int i = 0; i < MANY; i++) {
                struct buffer in = { 0 };
                e[i].ready = 0;
                assert_int_equal(http_stream_write(e[i].stream, &"abcdefgh"[i], 1), 1);
                read_some(&c, &e[i], &in, 1, 10);
                assert_int_equal(in.data[0], "abcdefgh"[i]);
                buffer_free(&in);
            }
            poll(NULL, 0, 20);
        }
        for (int i = 0; i < MANY / 2; i++)
            http_stream_close(e[i].stream);
        client_end(&c); /* the others end with it */
        server_end(&s);
        outcome_free(&o);
    }
}

static void nobody_at_the_other_end_is_told(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct seen e = { 0 };
    struct buffer in = { 0 };
    server_begin(&s, REACH_TCP, say_and_close);
    s.data = UPGRADED "last words";
    client_begin(&c, s.address, NULL);
    open_stream(&c, &e, "/attach", NULL, 0);
    assert_int_equal(settled(&c, &e), HTTP_STREAM_OPEN);
    assert_int_equal(read_some(&c, &e, &in, 100, 4), HTTP_STREAM_END);
    assert_string_equal(buffer_string(&in), "last words");
    ptrdiff_t n = 0;
    for (int i = 0; i < 100 && n >= 0; i++) {
        n = http_stream_write(e.stream, "x", 1);
        poll(NULL, 0, 1);
    }
    assert_int_equal(n, HTTP_STREAM_BROKEN);
    e.ready = 0;
    for (int i = 0; i < 50; i++)
        loop_wait(c.loop, -1, 1);
    assert_true(e.ready <= 2); /* its end is told once, not for ever */
    http_stream_close(e.stream);
    client_end(&c);
    server_end(&s);
    buffer_free(&in);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL, in the server */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_understood_wherever_it_is_cut),
        cmocka_unit_test(a_head_that_cannot_be_is_refused),
        cmocka_unit_test(a_body_ends_by_its_length_its_chunks_or_with_the_connection),
        cmocka_unit_test(what_comes_right_behind_the_head_is_the_beginning_of_the_stream),
        cmocka_unit_test(a_stream_opens_with_101_in_pieces_and_with_the_200_of_older_engines),
        cmocka_unit_test(a_refusal_comes_with_what_the_engine_says),
        cmocka_unit_test(a_stream_that_does_not_open_says_why),
        cmocka_unit_test(more_than_a_head_and_a_refusal_need_is_an_error),
        cmocka_unit_test(four_MiB_go_both_ways_with_requests_between),
        cmocka_unit_test(streams_and_requests_do_not_disturb_each_other),
        cmocka_unit_test(nobody_at_the_other_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
