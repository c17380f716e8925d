/* What an engine is called, and what it is asked and answers over HTTP. */
#include "http_server.h"

/* ---- addresses ---- */

static void addresses_are_understood_as_Docker_does(void **state)
{
    (void)state;
    struct error err = { 0 };
    struct http_peer p;
    static const struct {
        const char *address, *host;
        int port;
    } good[] = { { "tcp://127.0.0.1:2375", "127.0.0.1", 2375 },
                 { "tcp://build-1.example.org", "build-1.example.org", 2375 },
                 { "tcp://[::1]:65535/", "[::1]", 65535 } };
    assert_int_equal(http_peer_parse(&p, "unix:///var/run/docker.sock", "/no/such/folder", &err), 0);
    assert_string_equal(p.socket, "/var/run/docker.sock");
    assert_null(p.ca);
    http_peer_free(&p);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(http_peer_parse(&p, good[i].address, "", &err), 0);
        assert_null(p.socket);
        assert_string_equal(p.host, good[i].host);
        assert_int_equal(p.port, good[i].port);
        http_peer_free(&p);
    }
}

static void an_address_that_cannot_be_says_what_to_write_instead(void **state)
{
    (void)state;
    static const struct {
        const char *address, *words;
    } bad[] = { { "ssh://me@host", "forward the socket" },
                { "http://host:2375", "tcp://" },
                { "https://host:2376", "DOCKER_CERT_PATH" },
                { "/var/run/docker.sock", "put unix:// before" },
                { "unix://run/docker.sock", "no absolute path" },
                { "unix:///01234567890123456789012345678901234567890123456789012345678901234567890123456789"
                  "012345678901234567890123456789",
                  "107 bytes" },
                { "tcp://", "no host" },
                { "tcp://:2375", "no host" },
                { "tcp://[::1:2375", "no host" },
                { "tcp://a b:1", "goes on" },
                { "tcp://host:0", "no port" },
                { "tcp://host:65536", "no port" },
                { "tcp://host:-1", "no port" },
                { "tcp://host:99999999999999999999", "no port" },
                { "tcp://host:80/v1", "goes on" },
                { "tcp://user@host:80", "goes on" },
                { "npipe:////./pipe/docker_engine", "neither" },
                { "", "neither" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = { 0 };
        struct http_peer p;
        assert_int_equal(http_peer_parse(&p, bad[i].address, NULL, &err), -1);
        assert_int_equal(err.code, EXIT_INVALID);
        if (!strstr(err.text, bad[i].words) || !strstr(err.text, bad[i].address))
            fail_msg("%s: %s", bad[i].address, err.text);
    }
    struct error err = { 0 };
    struct http_peer p;
    assert_int_equal(http_peer_parse(&p, "tcp://host", "/no/such/folder", &err), -1);
    assert_non_null(strstr(err.text, "/no/such/folder/ca.pem"));
    struct buffer b = { 0 };
    http_escape(&b, "{\"label\":[\"a=b c/\xc3\xa4\"]}~-._");
    assert_string_equal(buffer_string(&b), "%7B%22label%22%3A%5B%22a%3Db%20c%2F%C3%A4%22%5D%7D~-._");
    buffer_free(&b);
}

/* ---- answers ---- */

static void a_request_is_sent_as_it_is_over_Unix_sockets_and_TCP(void **state)
{
    (void)state;
    for (enum reach reach = REACH_UNIX; reach <= REACH_TCP; reach++) {
        struct server s;
        struct client c;
        struct outcome o = { 0 };
        server_begin(&s, reach, say_back);
        client_begin(&c, s.address, NULL);
        ask(&c, &o, "/v1.41/a/../b?filters=%7B%22x%22%3A1%7D", 0);
        assert_int_equal(o.answer.failure, HTTP_ANSWERED);
        assert_int_equal(o.answer.status, 200);
        const char *got = buffer_string(&o.answer.body);
        assert_ptr_equal(strstr(got, "GET /v1.41/a/../b?filters=%7B%22x%22%3A1%7D HTTP/1.1\r\n"), got);
        assert_non_null(strstr(got, reach == REACH_UNIX ? "Host: localhost\r\n" : s.address + 6));
        assert_null(strstr(got, "Expect"));
        client_end(&c);
        server_end(&s);
        outcome_free(&o);
    }
}

static void a_body_of_3_MiB_arrives_whole(void **state)
{
    (void)state;
    size_t len = 3u << 20;
    char *body = mem_alloc(len + 1);
    for (size_t i = 0; i < len; i++)
        body[i] = (char)('a' + i % 26);
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_UNIX, say_back);
    client_begin(&c, s.address, NULL);
    struct http_request r = { .peer = &c.peer, .method = "PUT", .path = "/build", .body = body, .body_len = len,
                              .content_type = "application/x-tar", .done = note_done, .data = &o };
    http_send(c.http, &r);
    assert_int_equal(o.done, 0);
    wait_until(&c, &o.done, 1);
    const char *got = buffer_string(&o.answer.body), *end = strstr(got, "\r\n\r\n");
    assert_ptr_equal(strstr(got, "PUT /build"), got);
    assert_non_null(strstr(got, "Content-Type: application/x-tar\r\n"));
    assert_null(strstr(got, "Expect"));
    assert_string_equal(end + 4, body);

    outcome_free(&o);
    send_to(&c, &o, "POST", "/containers/x/start", 0);
    wait_until(&c, &o.done, 1);
    assert_non_null(strstr(buffer_string(&o.answer.body), "Content-Length: 0\r\n"));
    assert_null(strstr(o.answer.body.data, "Content-Type"));
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
    free(body);
}

static void say_bytewise(struct visit *v)
{
    const char *status = strstr(buffer_string(&v->request), "GET /bad") ? "404 No" : "200 OK";
    struct buffer b = { 0 };
    buffer_format(&b, "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n", status);
    buffer_text(&b, "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: 1\r\n\r\n");
    visit_put_bytewise(v, b.data, b.len);
    buffer_free(&b);
}

static void chunks_that_come_byte_by_byte_are_put_together(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_TCP, say_bytewise);
    client_begin(&c, s.address, NULL);
    ask(&c, &o, "/", 0);
    assert_string_equal(buffer_string(&o.answer.body), "hello, world");

    outcome_free(&o);
    struct http_request r = { .peer = &c.peer, .method = "GET", .path = "/", .answer_max = 1, .piece = note_piece,
                              .done = note_done, .data = &o };
    http_send(c.http, &r);
    wait_until(&c, &o.done, 1);
    assert_string_equal(buffer_string(&o.pieces), "hello, world");
    assert_true(o.piece_count > 1);
    assert_int_equal(o.answer.body.len, 0);
    assert_int_equal(o.answer.failure, HTTP_ANSWERED);

    outcome_free(&o);
    r.path = "/bad"; /* what the engine says about a failure is no part of the stream */
    r.answer_max = 0;
    http_send(c.http, &r);
    wait_until(&c, &o.done, 1);
    assert_int_equal(o.answer.status, 404);
    assert_int_equal(o.piece_count, 0);
    assert_string_equal(buffer_string(&o.answer.body), "hello, world");
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
}

/* Answers with what the test gives, then closes. */
static void say_and_close(struct visit *v)
{
    visit_say(v, v->server->data);
    visit_close(v);
}

static void an_answer_that_is_none_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum http_failure failure;
        const char *words;
    } bad[] = { { "", HTTP_BROKEN, "without an answer" },
                { "HTTP/1.1 200 OK\r\nContent-Le", HTTP_BROKEN, "within the answer's head" },
                { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HTTP_BROKEN, "in the middle of" },
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HTTP_BROKEN, "in the middle of" },
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", HTTP_BROKEN, "in the middle of" },
                { "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", HTTP_WRONG, "no container engine" },
                { "SSH-2.0-OpenSSH_9.2\r\n", HTTP_WRONG, "no container engine" },
                { "220 mail.example.org ESMTP\r\n", HTTP_WRONG, "no container engine" } };
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_UNIX, say_and_close);
    client_begin(&c, s.address, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.data = bad[i].answer;
        ask(&c, &o, "/", 0);
        if (o.answer.failure != bad[i].failure || !strstr(o.answer.error.text, bad[i].words) ||
            !strstr(o.answer.error.text, s.address))
            fail_msg("%s: %d: %s", bad[i].answer, o.answer.failure, o.answer.error.text);
        assert_int_equal(o.answer.error.code, EXIT_LAUNCH);
    }
    s.data = "HTTP/1.0 200 OK\r\n\r\nuntil the end"; /* this is one */
    ask(&c, &o, "/", 0);
    assert_int_equal(o.answer.failure, HTTP_ANSWERED);
    assert_string_equal(buffer_string(&o.answer.body), "until the end");
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
}

static void say_much(struct visit *v)
{
    const char *request = buffer_string(&v->request);
    char line[1024];
    if (strstr(request, "/headers")) {
        visit_say(v, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 1000; i++) {
            snprintf(line, sizeof line, "X-%d: %0900d\r\n", i, 0);
            visit_say(v, line);
        }
        visit_say(v, "Content-Length: 0\r\n\r\n");
    } else if (strstr(request, "/interim")) {
        for (int i = 0; i < 20000; i++)
            visit_say(v, "HTTP/1.1 100 Continue\r\n\r\n");
        visit_close(v);
    } else {
        memset(line, 'x', sizeof line);
        size_t more = strstr(request, "/more") != NULL;
        snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", 10240 + more);
        visit_say(v, line);
        for (size_t i = 0; i < 10240 + more; i++)
            visit_put(v, "x", 1);
    }
}

static void more_than_is_allowed_is_an_error(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_TCP, say_much);
    client_begin(&c, s.address, NULL);
    ask(&c, &o, "/headers", 0);
    assert_int_equal(o.answer.failure, HTTP_WRONG);
    assert_non_null(strstr(o.answer.error.text, "larger than 256 KiB"));
    ask(&c, &o, "/interim", 0);
    assert_int_equal(o.answer.failure, HTTP_WRONG);
    assert_non_null(strstr(o.answer.error.text, "larger than 256 KiB"));
    struct http_request r = {
        .peer = &c.peer, .method = "GET", .path = "/exact", .answer_max = 10240, .done = note_done, .data = &o
    };
    outcome_free(&o);
    http_send(c.http, &r);
    wait_until(&c, &o.done, 1);
    assert_int_equal(o.answer.failure, HTTP_ANSWERED);
    assert_int_equal(o.answer.body.len, 10240);
    outcome_free(&o);
    r.path = "/more";
    http_send(c.http, &r);
    wait_until(&c, &o.done, 1);
    assert_int_equal(o.answer.failure, HTTP_WRONG);
    assert_non_null(strstr(o.answer.error.text, "larger than the 10240 bytes"));
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
}

/* Begins an answer, or none, and then says nothing more until the other side goes. */
static void say_no_more(struct visit *v)
{
    char rest[10];
    if (strstr(buffer_string(&v->request), "/begin"))
        visit_say(v, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    while (visit_take(v, rest, sizeof rest) > 0)
        ;
}

static void a_limit_ends_what_does_not_come_to_its_end(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_UNIX, say_no_more);
    client_begin(&c, s.address, NULL);
    int64_t before = clock_ms();
    ask(&c, &o, "/", 150);
    assert_in_range(clock_ms() - before, 100, 5000);
    assert_int_equal(o.answer.failure, HTTP_LATE);
    assert_non_null(strstr(o.answer.error.text, "connected, but no answer within 0.15 s"));
    ask(&c, &o, "/begin", 150);
    assert_int_equal(o.answer.failure, HTTP_LATE);
    assert_non_null(strstr(o.answer.error.text, "has begun but not ended within 0.15 s"));
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_understood_as_Docker_does),
        cmocka_unit_test(an_address_that_cannot_be_says_what_to_write_instead),
        cmocka_unit_test(a_request_is_sent_as_it_is_over_Unix_sockets_and_TCP),
        cmocka_unit_test(a_body_of_3_MiB_arrives_whole),
        cmocka_unit_test(chunks_that_come_byte_by_byte_are_put_together),
        cmocka_unit_test(an_answer_that_is_none_says_why),
        cmocka_unit_test(more_than_is_allowed_is_an_error),
        cmocka_unit_test(a_limit_ends_what_does_not_come_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
