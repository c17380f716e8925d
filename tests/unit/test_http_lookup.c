/* Engines by name: which address has answered, and that nobody waits for a name server that does not answer. */
#include "check.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "http_server.h"

#define SLOW_MS     1000 /* a name server that does not answer is waited for much longer */
#define NO_SERVER   80   /* exit codes of the child */
#define NO_QUESTION 81
#define TOO_SLOW    82

static void an_answer_says_which_address_has_answered(void **state)
{
    (void)state;
    for (enum reach reach = REACH_UNIX; reach <= REACH_TCP; reach++) {
        struct server s;
        struct client c;
        struct outcome o = { 0 };
        server_begin(&s, reach, say_back);
        client_begin(&c, s.address, NULL);
        if (reach == REACH_TCP) {
            free(c.peer.host);
            c.peer.host = mem_text("localhost");
        }
        ask(&c, &o, "/", 0);
        assert_int_equal(o.answer.status, 200);
        assert_string_equal(o.answer.ip, reach == REACH_TCP ? "127.0.0.1" : "");
        client_end(&c);
        server_end(&s);
        outcome_free(&o);
    }
}

/* A name server of its own, which takes questions and never answers; in a namespace where it is the only one. */
static int silent_name_server(void)
{
    char path[] = "/tmp/lockstep-resolv-XXXXXX", line[60];
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), file = mkstemp(path);
    unsigned pid = (unsigned)getpid();
    snprintf(line, sizeof line, "127.99.%u.%u", pid >> 8 & 255, 1 + pid % 250);
    inet_pton(AF_INET, line, &at.sin_addr);
    bool good = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && dprintf(file, "nameserver %s\n", line) > 0 &&
                unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
    close(file);
    unlink(path);
    return good ? fd : -1;
}

static void give_up_in_child(bool by_end)
{
    struct client c;
    struct outcome o = { 0 };
    char question[600];
    int fd = silent_name_server();
    if (fd < 0)
        _exit(NO_SERVER);
    client_begin(&c, "tcp://engine.example.test:2375", NULL);
    struct http_call *call = send_to(&c, &o, "GET", "/", 0);
    int64_t until = clock_ms() + 5000;
    ssize_t asked = -1;
    while (asked < 0 && clock_ms() < until) {
        loop_wait(c.loop, -1, 10);
        asked = recv(fd, question, sizeof question, MSG_DONTWAIT);
    }
    int64_t began = clock_ms();
    if (!by_end)
        http_cancel(call);
    client_end(&c);
    _exit(asked <= 0 ? NO_QUESTION : clock_ms() - began > SLOW_MS ? TOO_SLOW : 0);
}

static void who_gives_up_does_not_wait_for_the_name_server(void **state)
{
    (void)state;
    for (int by_end = 0; by_end < 2; by_end++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            give_up_in_child(by_end);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NO_SERVER) {
            print_message("skipped: a name server of its own needs the rights of root\n");
            skip();
        }
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_which_address_has_answered),
        cmocka_unit_test(who_gives_up_does_not_wait_for_the_name_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
