/* Connections to nodes that listen on a port: by the number of an address, of either kind. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "lockstep/loop.h"
#include "node/channel.h"
#include "node/sockets.h"
#include "protocol_fixture.h"

/* A descriptor that listens, or -1 where this machine has no such addresses. */
static int listen_on(int family, int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&at : (struct sockaddr *)&at6;
    socklen_t len = family == AF_INET ? sizeof at : sizeof at6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, len) < 0 || listen(fd, 4) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, address, &len);
    *port = ntohs(family == AF_INET ? at.sin_port : at6.sin6_port);
    return fd;
}

static int outcome_of(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    assert_true(fd >= 0);
    assert_int_equal(poll(&p, 1, 5000), 1);
    return socket_connected(fd);
}

static void a_port_is_reached_over_ipv4_and_ipv6(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *host;
    } cases[] = { { AF_INET, "127.0.0.1" }, { AF_INET6, "::1" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int port, server = listen_on(cases[i].family, &port);
        if (server < 0) {
            print_message("no %s on this machine\n", cases[i].host);
            continue;
        }
        int fd = socket_connect_port(cases[i].host, port);
        assert_int_equal(outcome_of(fd), 1);
        close(fd);
        close(server);
        fd = socket_connect_port(cases[i].host, port);
        assert_int_equal(outcome_of(fd), -1);
        assert_int_equal(errno, ECONNREFUSED);
        close(fd);
    }
}

static void what_is_no_address_is_none_for_good(void **state)
{
    (void)state;
    static const char *const hosts[] = { "localhost", "", "1.2.3", "[::1]", "::1%lo", "256.0.0.1" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        errno = 0;
        assert_int_equal(socket_connect_port(hosts[i], 80), -1);
        assert_int_equal(errno, EADDRNOTAVAIL);
    }
}

/* Others are tried again: the node may listen later. */
static void a_node_without_an_address_has_failed_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct channel c;
    int port, server = listen_on(AF_INET, &port);
    struct node *ready[4];
    set_up(&f, DIALECT_NODE);
    struct node_host host = {
        .scenario = f.s, .loop = loop_new((const int[]){ 0 }), .ready = ready, .look_ns = INT64_MAX
    };
    f.n.host = &host;
    close(server);
    channel_open(&c, &f.n);
    channel_connect(&c, &(struct channel_address){ .host = "127.0.0.1", .port = port });
    for (int64_t until = clock_ms() + 300; clock_ms() < until; loop_wait(host.loop, -1, 10)) {
        assert_int_equal(channel_work(&c, false, &f.err), HEARD_NOTHING);
        f.n.is_ready = false;
        host.ready_count = 0;
    }
    channel_close(&c);
    f.n.is_ready = false;
    host.ready_count = 0;
    channel_open(&c, &f.n);
    channel_connect(&c, &(struct channel_address){ .host = "nowhere", .port = 80 });
    assert_int_equal(channel_work(&c, false, &f.err), HEARD_WRONG);
    assert_string_equal(f.err.text, "no connection to nowhere:80: Cannot assign requested address");
    channel_close(&c);
    loop_free(host.loop);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_reached_over_ipv4_and_ipv6),
        cmocka_unit_test(what_is_no_address_is_none_for_good),
        cmocka_unit_test(a_node_without_an_address_has_failed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
