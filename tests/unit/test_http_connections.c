/* Connections to an engine: whom they reach, how many there are, how they end, and TLS. */
#include "check.h"

#include <sys/wait.h>

#include "http_server.h"

static void an_engine_that_is_not_there_says_what_to_do(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    client_begin(&c, "unix:///tmp/no/such/socket", NULL);
    ask(&c, &o, "/", 0);
    assert_int_equal(o.answer.failure, HTTP_UNREACHABLE);
    assert_non_null(strstr(o.answer.error.text, "no such socket; is the engine running?"));
    client_end(&c);

    for (enum reach reach = REACH_UNIX; reach <= REACH_TCP; reach++) { /* one that has ended */
        char left[80];
        server_begin(&s, reach, say_back);
        client_begin(&c, s.address, NULL);
        snprintf(left, sizeof left, "%s/x", s.folder);
        if (reach == REACH_UNIX) {
            assert_int_equal(link(c.peer.socket, left), 0);
            free(c.peer.socket);
            c.peer.socket = mem_text(left);
        }
        shutdown(s.fd, SHUT_RDWR);
        pthread_join(s.thread, NULL);
        close(s.fd);
        ask(&c, &o, "/", 0);
        assert_int_equal(o.answer.failure, HTTP_UNREACHABLE);
        assert_non_null(strstr(o.answer.error.text, "nobody listens on"));
        client_end(&c);
        unlink(left);
        snprintf(left, sizeof left, "%s/s", s.folder);
        unlink(left);
        assert_int_equal(rmdir(s.folder), 0);
    }
    outcome_free(&o);
}

/* In a child, so that it can be somebody else: what a request ends with, as the exit code. */
static int ask_in_child(const char *address, bool as_nobody, const char *words)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct client c;
        struct outcome o = { 0 };
        static const int none[] = { 0 };
        struct error err = { 0 };
        close_range(3, ~0u, 0);
        if (as_nobody && geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(90);
        c.loop = loop_new(none);
        c.http = http_new(c.loop, &err);
        if (http_peer_parse(&c.peer, address, NULL, &err) < 0)
            _exit(91);
        send_to(&c, &o, "GET", "/", 5000);
        for (int i = 0; i < 1000 && !o.done; i++)
            loop_wait(c.loop, -1, 10);
        bool right = words ? strstr(o.answer.error.text, words) != NULL : o.answer.status == 200;
        client_end(&c);
        _exit(!o.done ? 92 : right ? 0 : 93);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void a_socket_for_others_says_how_to_get_the_permission(void **state)
{
    (void)state;
    struct server s;
    server_begin(&s, REACH_UNIX, say_back);
    assert_int_equal(chmod(s.folder, 0755), 0);
    assert_int_equal(chmod(s.address + 7, 0), 0);
    assert_int_equal(ask_in_child(s.address, true, "permission denied on the socket; become a member"), 0);
    server_end(&s);
}

static void a_child_asks_on_its_own_while_its_parent_goes_on(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 }, slow = { 0 };
    server_begin(&s, REACH_UNIX, say_back);
    client_begin(&c, s.address, NULL);
    ask(&c, &o, "/", 0);
    send_to(&c, &slow, "GET", "/", 0);
    assert_int_equal(ask_in_child(s.address, false, NULL), 0);
    wait_until(&c, &slow.done, 1);
    assert_int_equal(slow.answer.status, 200);
    ask(&c, &o, "/", 0);
    assert_int_equal(o.answer.status, 200);
    assert_int_equal(s.connections, 2); /* the child's, and the one that the parent has kept */
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
    outcome_free(&slow);
}

static void many_at_once_are_answered_or_cancelled(void **state)
{
    (void)state;
    enum { MANY = 40 };
    struct server s;
    struct client c;
    struct outcome o[MANY] = { { 0 } };
    struct http_call *calls[MANY];
    server_begin(&s, REACH_UNIX, say_back);
    client_begin(&c, s.address, NULL);
    for (int i = 0; i < MANY; i++)
        calls[i] = send_to(&c, &o[i], i % 2 ? "POST" : "GET", "/", 0);
    for (int i = 0; i < MANY; i += 4)
        http_cancel(calls[i]);
    for (int i = 0; i < MANY; i++) {
        if (i % 4 == 0)
            continue;
        wait_until(&c, &o[i].done, 1);
        assert_int_equal(o[i].answer.status, 200);
    }
    for (int i = 0; i < MANY; i += 4)
        assert_int_equal(o[i].done, 0);
    for (int i = 0; i < MANY; i++)
        outcome_free(&o[i]);
    for (int i = 0; i < MANY / 2; i++) /* dropped at all stages */
        send_to(&c, &o[i], i % 2 ? "POST" : "GET", "/", 0);
    for (int i = 0; i < 6; i++)
        loop_wait(c.loop, -1, 0);
    client_end(&c);
    server_end(&s);
    for (int i = 0; i < MANY; i++)
        outcome_free(&o[i]);
}

/* The first answer leads to a second request and the end of a third. */
struct chain {
    struct client client;
    struct outcome second, third;
    struct http_call *third_call;
    int done;
};

static void go_on(void *data, struct http_answer *a)
{
    struct chain *c = data;
    (void)a;
    c->done++;
    http_cancel(c->third_call);
    send_to(&c->client, &c->second, "GET", "/second", 0);
}

static void say_nothing_to_the_third(struct visit *v)
{
    if (!strstr(buffer_string(&v->request), "/third"))
        say_back(v);
}

static void an_answer_may_send_and_cancel(void **state)
{
    (void)state;
    struct server s;
    struct chain c = { 0 };
    server_begin(&s, REACH_UNIX, say_nothing_to_the_third);
    client_begin(&c.client, s.address, NULL);
    struct http_request r = { .peer = &c.client.peer, .method = "GET", .path = "/", .done = go_on, .data = &c };
    c.third_call = send_to(&c.client, &c.third, "GET", "/third", 0);
    http_send(c.client.http, &r);
    wait_until(&c.client, &c.second.done, 1);
    assert_int_equal(c.second.answer.status, 200);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.third.done, 0);
    client_end(&c.client);
    server_end(&s);
    outcome_free(&c.second);
}

/* Closes behind the answer without having said so. */
static void say_back_and_go(struct visit *v)
{
    say_back(v);
    if (v->server->data)
        visit_close(v);
}

static void only_what_changes_nothing_uses_a_kept_connection(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct outcome o = { 0 };
    server_begin(&s, REACH_UNIX, say_back_and_go);
    client_begin(&c, s.address, NULL);
    for (int i = 0; i < 5; i++)
        ask(&c, &o, "/", 0);
    assert_int_equal(s.connections, 1);
    static const char *const methods[] = { "POST", "DELETE", "PUT" };
    for (int i = 0; i < 3; i++) {
        outcome_free(&o);
        send_to(&c, &o, methods[i], "/", 0);
        wait_until(&c, &o.done, 1);
        assert_int_equal(o.answer.status, 200);
        assert_int_equal(s.connections, 2 + i);
    }
    s.data = "go";
    for (int i = 0; i < 10; i++) { /* a connection that has died is none of the caller's business */
        ask(&c, &o, "/", 0);
        assert_int_equal(o.answer.status, 200);
    }
    client_end(&c);
    server_end(&s);
    outcome_free(&o);
}

static void a_socket_with_an_error_is_read_to_its_end(void **state)
{
    (void)state;
    struct server s = { .reach = REACH_UNIX };
    struct client c;
    struct outcome o = { 0 };
    server_listen(&s); /* it is answered here */
    client_begin(&c, s.address, NULL);
    send_to(&c, &o, "GET", "/", 5000);
    struct pollfd p = { .fd = s.fd, .events = POLLIN };
    while (poll(&p, 1, 0) == 0)
        loop_wait(c.loop, -1, 10);
    p.fd = accept(s.fd, NULL, NULL);
    assert_true(p.fd >= 0);
    while (poll(&p, 1, 0) == 0)
        loop_wait(c.loop, -1, 10);
    /* more than libcurl reads at a time, where the kernel takes so much (root) */
    int room = 8 << 20, len = setsockopt(p.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0 ? 3000000 : 150000;
    struct buffer b = { 0 };
    buffer_format(&b, "HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n", len);
    for (int i = 0; i < len; i++)
        buffer_text(&b, "x");
    assert_int_equal(send(p.fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL), b.len);
    close(p.fd); /* the request was not read: the other side has ECONNRESET behind the answer */
    wait_until(&c, &o.done, 1);
    assert_int_equal(o.answer.failure, HTTP_ANSWERED);
    assert_int_equal(o.answer.body.len, len);
    buffer_free(&b);
    client_end(&c);
    close(s.fd);
    unlink(s.address + 7);
    assert_int_equal(rmdir(s.folder), 0);
    outcome_free(&o);
}

/* ---- TLS ---- */

static void TLS_is_used_where_there_are_certificates_and_both_sides_prove_who_they_are(void **state)
{
    (void)state;
    struct server s, other;
    struct client c;
    struct outcome o = { 0 };
    server_begin_tls(&s, "127.0.0.1", say_back);
    client_begin(&c, s.address, s.folder);
    for (int i = 0; i < 3; i++) {
        ask(&c, &o, "/", 0);
        assert_int_equal(o.answer.status, 200);
        outcome_free(&o);
        send_to(&c, &o, "POST", "/", 0);
        wait_until(&c, &o.done, 1);
        assert_int_equal(o.answer.status, 200);
    }
    client_end(&c);

    server_begin_tls(&other, "127.0.0.1", say_back);
    client_begin(&c, s.address, other.folder); /* another authority */
    ask(&c, &o, "/", 0);
    assert_int_equal(o.answer.failure, HTTP_UNREACHABLE);
    assert_non_null(strstr(o.answer.error.text, "signed by ca.pem"));
    client_end(&c);
    server_end(&other);

    client_begin(&c, s.address, NULL); /* plain HTTP to a port that speaks TLS */
    ask(&c, &o, "/", 0);
    assert_int_not_equal(o.answer.failure, HTTP_ANSWERED);
    client_end(&c);
    server_end(&s);

    server_begin_tls(&s, "127.0.0.2", say_back); /* made out to somebody else */
    client_begin(&c, s.address, s.folder);
    ask(&c, &o, "/", 0);
    assert_int_equal(o.answer.failure, HTTP_UNREACHABLE);
    assert_non_null(strstr(o.answer.error.text, "made out to this very host"));
    client_end(&c);

    server_begin(&other, REACH_TCP, say_back); /* TLS to a port that speaks plain HTTP */
    client_begin(&c, other.address, s.folder);
    ask(&c, &o, "/", 2000);
    assert_int_not_equal(o.answer.failure, HTTP_ANSWERED);
    client_end(&c);
    server_end(&other);
    server_end(&s);
    outcome_free(&o);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL, in the server */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_engine_that_is_not_there_says_what_to_do),
        cmocka_unit_test(a_socket_for_others_says_how_to_get_the_permission),
        cmocka_unit_test(a_child_asks_on_its_own_while_its_parent_goes_on),
        cmocka_unit_test(many_at_once_are_answered_or_cancelled),
        cmocka_unit_test(an_answer_may_send_and_cancel),
        cmocka_unit_test(only_what_changes_nothing_uses_a_kept_connection),
        cmocka_unit_test(a_socket_with_an_error_is_read_to_its_end),
        cmocka_unit_test(TLS_is_used_where_there_are_certificates_and_both_sides_prove_who_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
