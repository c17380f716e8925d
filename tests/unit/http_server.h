/* A small HTTP server on a Unix socket, or on loopback with or without TLS, that answers as a test wants, and a loop
 * and an http that ask it. Each connection has a thread; server_end ends them all. */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "node/http.h"

#define CONNECTIONS_MAX 64
#define WAIT_MS         20000

enum reach { REACH_UNIX, REACH_TCP, REACH_TLS };

struct server;
struct visit {
    struct server *server;
    int fd;
    SSL *ssl;
    pthread_t thread;
    struct buffer request; /* head and body of the request that is answered */
    size_t head_len;
};

struct server {
    enum reach reach;
    void (*answer)(struct visit *v); /* in the connection's thread; closes with visit_close, or keeps it open */
    const void *data;                /* for answer */
    int fd;
    pthread_t thread;
    SSL_CTX *tls;
    char folder[64], address[128];
    struct visit visits[CONNECTIONS_MAX];
    atomic_int connections, requests;
};

static inline ssize_t visit_take(struct visit *v, char *to, size_t size)
{
    return v->ssl ? SSL_read(v->ssl, to, (int)size) : recv(v->fd, to, size, 0);
}

static inline void visit_put(struct visit *v, const char *s, size_t len)
{
    while (len) {
        ssize_t n = v->ssl ? SSL_write(v->ssl, s, (int)(len < 100000 ? len : 100000))
                           : send(v->fd, s, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        s += n;
        len -= (size_t)n;
    }
}

/* Byte by byte, in more than one packet. */
static inline void visit_put_bytewise(struct visit *v, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        visit_put(v, s + i, 1);
        if (i % 16 == 0)
            poll(NULL, 0, 1);
    }
}

static inline void visit_say(struct visit *v, const char *s)
{
    visit_put(v, s, strlen(s));
}

static inline void visit_close(struct visit *v)
{
    shutdown(v->fd, SHUT_RDWR);
}

/* An answer with a length. */
static inline void visit_answer(struct visit *v, const char *status, const char *body)
{
    struct buffer b = { 0 };
    buffer_format(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
    visit_put(v, b.data, b.len);
    buffer_free(&b);
}

/* What was asked comes back as the body. */
static inline void say_back(struct visit *v)
{
    visit_answer(v, "200 OK", buffer_string(&v->request));
}

/* Reads a request whole; false at the end. */
static inline bool visit_request(struct visit *v)
{
    char piece[65536];
    v->request.len = v->head_len = 0;
    for (;;) {
        const char *all = buffer_string(&v->request), *end = strstr(all, "\r\n\r\n"), *length;
        size_t whole = 0;
        if (end) {
            v->head_len = (size_t)(end - all) + 4;
            length = strcasestr(all, "\r\nContent-Length: ");
            whole = v->head_len + (length && length < end ? strtoul(length + 18, NULL, 10) : 0);
            if (v->request.len >= whole)
                return true;
        }
        size_t left = whole ? whole - v->request.len : sizeof piece;
        ssize_t n = visit_take(v, piece, left < sizeof piece ? left : sizeof piece);
        if (n <= 0)
            return false;
        buffer_add(&v->request, piece, (size_t)n);
    }
}

static inline void *visit_main(void *data)
{
    struct visit *v = data;
    struct server *s = v->server;
    if (s->tls) {
        v->ssl = SSL_new(s->tls);
        SSL_set_fd(v->ssl, v->fd);
    }
    if (!v->ssl || SSL_accept(v->ssl) == 1)
        while (visit_request(v)) {
            s->requests++;
            s->answer(v);
        }
    SSL_free(v->ssl);
    shutdown(v->fd, SHUT_RDWR); /* closed when the server ends: until then no other gets its number */
    buffer_free(&v->request);
    return NULL;
}

static inline void *server_main(void *data)
{
    struct server *s = data;
    for (int fd; s->connections < CONNECTIONS_MAX && (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        struct visit *v = &s->visits[s->connections];
        *v = (struct visit){ .server = s, .fd = fd };
        s->connections++; /* before it answers: who has the answer counts */
        if (pthread_create(&v->thread, NULL, visit_main, v) != 0)
            abort();
    }
    return NULL;
}

static inline void server_listen(struct server *s)
{
    int ok;
    snprintf(s->folder, sizeof s->folder, "/tmp/test_http_XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    if (s->reach == REACH_UNIX) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        snprintf(at.sun_path, sizeof at.sun_path, "%s/s", s->folder);
        snprintf(s->address, sizeof s->address, "unix://%s", at.sun_path);
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ok = bind(s->fd, (struct sockaddr *)&at, sizeof at);
    } else {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof at;
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ok = bind(s->fd, (struct sockaddr *)&at, sizeof at);
        getsockname(s->fd, (struct sockaddr *)&at, &len);
        snprintf(s->address, sizeof s->address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    }
    assert_int_equal(ok, 0);
    assert_int_equal(listen(s->fd, 64), 0);
}

static inline void server_begin(struct server *s, enum reach reach, void (*answer)(struct visit *v))
{
    memset(s, 0, sizeof *s);
    s->reach = reach;
    s->answer = answer;
    server_listen(s);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

static inline void server_end(struct server *s)
{
    static const char *const names[] = { "s", "ca.pem", "cert.pem", "key.pem" };
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    for (int i = 0; i < s->connections; i++) {
        shutdown(s->visits[i].fd, SHUT_RDWR);
        pthread_join(s->visits[i].thread, NULL);
        close(s->visits[i].fd);
    }
    close(s->fd);
    SSL_CTX_free(s->tls);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(s->folder), 0);
}

/* ---- certificates ---- */

/* A certificate that its own key has signed: authority, server and client in one. */
static inline X509 *certificate_new(EVP_PKEY *key, const char *address)
{
    X509 *x = X509_new();
    X509V3_CTX context;
    char names[64];
    snprintf(names, sizeof names, "IP:%s", address);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    const int kinds[] = { NID_subject_alt_name, NID_basic_constraints };
    for (int i = 0; i < 2; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, kinds[i], i ? "CA:TRUE" : names);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static inline FILE *open_in(const char *folder, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

/* A server whose certificate is made out to `name` (an IP address) and that wants one of the client; the client's are
 * in s->folder. */
static inline void server_begin_tls(struct server *s, const char *name, void (*answer)(struct visit *v))
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = certificate_new(key, name);
    memset(s, 0, sizeof *s);
    s->reach = REACH_TLS;
    s->answer = answer;
    server_listen(s);
    s->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(s->tls, x);
    SSL_CTX_use_PrivateKey(s->tls, key);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(s->tls), x);
    SSL_CTX_set_verify(s->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_id_context(s->tls, (const unsigned char *)"test", 4);
    FILE *files[] = { open_in(s->folder, "ca.pem"), open_in(s->folder, "cert.pem"), open_in(s->folder, "key.pem") };
    PEM_write_X509(files[0], x);
    PEM_write_X509(files[1], x);
    PEM_write_PrivateKey(files[2], key, NULL, NULL, 0, NULL, NULL);
    for (int i = 0; i < 3; i++)
        fclose(files[i]);
    X509_free(x);
    EVP_PKEY_free(key);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

/* ---- the asking side ---- */

struct client {
    struct loop *loop;
    struct http *http;
    struct http_peer peer;
};

static inline void client_begin(struct client *c, const char *address, const char *certificates)
{
    static const int none[] = { 0 };
    struct error err = { 0 };
    c->loop = loop_new(none);
    c->http = http_new(c->loop, &err);
    assert_non_null(c->http);
    assert_int_equal(http_peer_parse(&c->peer, address, certificates, &err), 0);
}

static inline void client_end(struct client *c)
{
    http_free(c->http);
    http_peer_free(&c->peer);
    loop_free(c->loop);
}

/* What came of a request. */
struct outcome {
    int done; /* calls */
    struct http_answer answer;
    struct buffer pieces;
    int piece_count;
};

static inline void note_piece(void *data, const char *s, size_t len)
{
    struct outcome *o = data;
    buffer_add(&o->pieces, s, len);
    o->piece_count++;
}

static inline void note_done(void *data, struct http_answer *a)
{
    struct outcome *o = data;
    o->done++;
    o->answer = *a;
    a->body = (struct buffer){ 0 };
}

static inline void outcome_free(struct outcome *o)
{
    buffer_free(&o->answer.body);
    buffer_free(&o->pieces);
    *o = (struct outcome){ 0 };
}

/* Waits until *what has the value; fails where it does not come to that. */
static inline void wait_until(struct client *c, const int *what, int value)
{
    int64_t end = clock_ms() + WAIT_MS;
    while (*what < value) {
        int64_t left = end - clock_ms();
        if (left <= 0)
            fail_msg("what was waited for did not come");
        loop_wait(c->loop, -1, (int)left);
    }
    assert_true(clock_ms() < end); /* a wait that only its own end wakes is a fault */
}

static inline struct http_call *send_to(struct client *c, struct outcome *o, const char *method, const char *path,
                                        int limit_ms)
{
    struct http_request r = { .peer = &c->peer, .method = method, .path = path, .limit_ms = limit_ms, .done = note_done,
                              .data = o };
    return http_send(c->http, &r);
}

/* What came of a stream; for note_ready. */
struct seen {
    struct http_stream *stream;
    int ready; /* calls */
};

static inline void note_ready(void *data)
{
    ((struct seen *)data)->ready++;
}

static inline void open_stream(struct client *c, struct seen *e, const char *path, const char *body, int limit_ms)
{
    struct http_request r = { .peer = &c->peer, .path = path, .body = body, .body_len = body ? strlen(body) : 0,
                              .content_type = "application/json", .limit_ms = limit_ms, .data = e };
    e->ready = 0;
    e->stream = http_stream_open(c->http, &r, note_ready);
}

/* Waits until it is no longer opening. */
static inline enum http_stream_state settled(struct client *c, struct seen *e)
{
    wait_until(c, &e->ready, 1);
    return http_stream_state(e->stream);
}

/* Reads at most `size` bytes at a time, once for each call of `ready`, until there are `len` in all, or none come any
 * more: then what the last read said. */
static inline ptrdiff_t read_some(struct client *c, struct seen *e, struct buffer *in, size_t len, size_t size)
{
    ptrdiff_t n = 1;
    while (in->len < len && n >= 0) {
        wait_until(c, &e->ready, 1);
        e->ready = 0;
        buffer_grow(in, size);
        n = http_stream_read(e->stream, in->data + in->len, size);
        if (n > 0)
            in->len += (size_t)n;
    }
    return n;
}

/* Asks and waits. */
static inline void ask(struct client *c, struct outcome *o, const char *path, int limit_ms)
{
    outcome_free(o);
    send_to(c, o, "GET", path, limit_ms);
    wait_until(c, &o->done, 1);
    assert_int_equal(o->done, 1);
}

#endif
