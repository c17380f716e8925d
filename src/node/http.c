#include "node/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "node/http_connection.h"
#include "node/sockets.h"

#define IDLE_CONNECTIONS 32           /* kept for later requests */
#define HEADERS_MAX      (256u << 10) /* bytes of all headers of an answer */
#define UPLOAD_BUFFER    (256 << 10)

/* What a request and a connection have in common: one easy handle in the multi handle. */
struct transfer {
    struct http *http;
    struct transfer *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    const struct http_peer *peer;
    int limit_ms;
    void (*finished)(struct transfer *t, CURLcode code);
    void (*drop)(struct transfer *t);
    char words[CURL_ERROR_SIZE];
};

struct http {
    struct loop *loop;
    CURLM *multi;
    CURLSH *share; /* the TLS sessions, so that a new connection is cheap */
    struct loop_timer *timer;
    struct transfer *transfers;
    struct watched *sockets;
};

/* A socket of libcurl's, as the loop knows it. */
struct watched {
    struct http *http;
    struct watched *next, **link;
    curl_socket_t fd;
    struct loop_watch *watch;
    unsigned events;
    bool *gone; /* where who calls into libcurl wants to know of its end */
};

struct http_call {
    struct transfer transfer;
    struct http_request request;
    struct http_answer answer;
    size_t headers_len;
    bool has_head;        /* the empty line behind the headers has come */
    const char *too_much; /* what was more than is allowed */
};

/* A connection that a request of its own is spoken on. */
struct http_connection {
    struct transfer transfer;
    void (*connected)(void *data, enum http_failure failure, const struct error *err);
    void (*dropped)(void *data);
    void *data;
};

/* ---- the multi handle on the loop ---- */

static void unlink_socket(struct watched *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    if (w->gone)
        *w->gone = true;
    loop_unwatch(w->watch);
    free(w);
}

static void finish_transfers(struct http *h)
{
    CURLMsg *message;
    for (int left; (message = curl_multi_info_read(h->multi, &left)) != NULL;) {
        struct transfer *t = NULL;
        CURLcode code = message->data.result; /* the message is gone with the handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        t->finished(t, code);
    }
}

static void socket_ready(void *data)
{
    struct watched *w = data;
    struct http *h = w->http;
    bool gone = false;
    int running;
    w->gone = &gone;
    curl_multi_socket_action(h->multi, w->fd, 0, &running);
    if (!gone) {
        w->gone = NULL;
        loop_watch_for(w->watch, w->events); /* an error of the socket has stopped it, but there may be more to read */
    }
    finish_transfers(h);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct http *h = data;
    struct watched *w = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            unlink_socket(w);
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
    if (!w) {
        w = mem_alloc(sizeof *w);
        *w = (struct watched){ .http = h, .next = h->sockets, .link = &h->sockets, .fd = fd };
        if (w->next)
            w->next->link = &w->next;
        h->sockets = w;
        w->watch = loop_watch(h->loop, fd, events, socket_ready, w);
        curl_multi_assign(h->multi, fd, w);
    }
    w->events = events;
    loop_watch_for(w->watch, events);
    return 0;
}

static void time_ready(void *data)
{
    struct http *h = data;
    int running;
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_transfers(h);
}

static int on_time(CURLM *multi, long in_ms, void *data)
{
    struct http *h = data;
    (void)multi;
    loop_timer_set(h->timer, in_ms);
    return 0;
}

struct http *http_new(struct loop *l, struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, EXIT_LAUNCH, "libcurl (%s) cannot be used: it does not start", curl_version());
        return NULL;
    }
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    if (!(version->features & CURL_VERSION_UNIX_SOCKETS) || !(version->features & CURL_VERSION_SSL) ||
        !(version->features & CURL_VERSION_ASYNCHDNS)) {
        error_set(err, EXIT_LAUNCH,
                  "libcurl (%s) cannot be used: it was built without Unix sockets, TLS or "
                  "asynchronous name lookup",
                  curl_version());
        curl_global_cleanup();
        return NULL;
    }
    struct http *h = mem_alloc(sizeof *h);
    *h = (struct http){ .loop = l, .multi = curl_multi_init(), .share = curl_share_init() };
    h->timer = loop_timer(l, time_ready, h);
    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_time);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return h;
}

struct loop *http_loop(const struct http *h)
{
    return h->loop;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    while (h->transfers)
        h->transfers->drop(h->transfers);
    curl_multi_cleanup(h->multi);
    while (h->sockets)
        unlink_socket(h->sockets);
    curl_share_cleanup(h->share);
    loop_timer_free(h->timer);
    curl_global_cleanup();
    free(h);
}

/* ---- what requests and connections have in common ---- */

static void add_header(struct transfer *t, const char *name, const char *value)
{
    struct buffer line = { 0 };
    buffer_format(&line, "%s:%s%s", name, *value ? " " : "", value); /* without a value: libcurl's own is left out */
    t->headers = curl_slist_append(t->headers, buffer_string(&line));
    buffer_free(&line);
}

static void set_url(const struct transfer *t, const char *path)
{
    struct buffer url = { 0 };
    const struct http_peer *peer = t->peer;
    if (peer->socket) {
        curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH, peer->socket);
        buffer_format(&url, "http://localhost%s", path);
    } else {
        buffer_format(&url, "%s://%s:%d%s", peer->ca ? "https" : "http", peer->host, peer->port, path);
    }
    curl_easy_setopt(t->easy, CURLOPT_URL, buffer_string(&url));
    curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
    buffer_free(&url);
}

static void transfer_begin(struct transfer *t, struct http *h, const struct http_peer *peer, const char *path)
{
    t->http = h;
    t->peer = peer;
    t->next = h->transfers;
    t->link = &h->transfers;
    if (t->next)
        t->next->link = &t->next;
    h->transfers = t;
    if (!(t->easy = curl_easy_init()))
        abort(); /* out of memory, as base/memory.h */
    set_url(t, path);
    if (peer->ca) {
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, peer->ca);
        curl_easy_setopt(t->easy, CURLOPT_SSLCERT, peer->cert);
        curl_easy_setopt(t->easy, CURLOPT_SSLKEY, peer->key);
        curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    }
    curl_easy_setopt(t->easy, CURLOPT_SHARE, h->share);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->words);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_PROXY, ""); /* an engine is never behind what http_proxy names */
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L); /* dropped, it waits for no name that is being looked up */
#endif
}

static void transfer_end(struct transfer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    curl_multi_remove_handle(t->http->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
}

/* ---- why there is no answer ---- */

enum http_failure http_say(const struct http_peer *p, enum http_failure failure, struct error *err, const char *why)
{
    error_set(err, EXIT_LAUNCH, "%s: %s", p->shown, why);
    return failure;
}

enum http_failure http_say_late(const struct http_peer *p, bool connected, int status, int after_ms, struct error *err)
{
    error_set(err, EXIT_LAUNCH, "%s: %s within %g s", p->shown,
              !connected ? "no connection"
              : status   ? "the answer has begun but not ended"
                         : "connected, but no answer",
              (double)after_ms / 1000);
    return connected ? HTTP_LATE : HTTP_UNREACHABLE;
}

static bool is_tls_failure(CURLcode code)
{
    return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CIPHER;
}

static enum http_failure say_tls(struct transfer *t, CURLcode code, struct error *err)
{
    const char *advice = code == CURLE_PEER_FAILED_VERIFICATION
                             ? "; the engine's certificate must be signed by ca.pem and made out to this very host"
                         : code == CURLE_SSL_CONNECT_ERROR ? "; does the engine speak TLS on this port (usually 2376)?"
                                                           : "; look at ca.pem, cert.pem and key.pem";
    error_set(err, EXIT_LAUNCH, "%s: no secure connection (TLS): %s%s", t->peer->shown,
              *t->words ? t->words : curl_easy_strerror(code), advice);
    return HTTP_UNREACHABLE;
}

static enum http_failure say_unconnected(struct transfer *t, CURLcode code, struct error *err)
{
    long error = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
    if (!error && t->peer->socket) { /* libcurl does not always say; its words would be of a host and a port */
        int fd = socket_connect_path(t->peer->socket);
        error = fd < 0 ? errno : ECONNREFUSED;
        if (fd >= 0)
            close(fd);
    }
    const char *advice = http_peer_advice(t->peer, (int)error);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        advice = "the host is not known by that name";
    return http_say(t->peer, HTTP_UNREACHABLE, err,
                    advice      ? advice
                    : error     ? strerror((int)error)
                    : *t->words ? t->words
                                : curl_easy_strerror(code));
}

static enum http_failure say_why(struct transfer *t, CURLcode code, int status, struct error *err)
{
    curl_off_t sent = 0;
    long os_error = 0;
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
    const char *words = *t->words ? t->words : curl_easy_strerror(code);
    if (is_tls_failure(code))
        return say_tls(t, code, err);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return say_unconnected(t, code, err);
    case CURLE_OPERATION_TIMEDOUT: {
        bool shorter = t->limit_ms && (sent || t->limit_ms < HTTP_CONNECT_MS);
        int limit_ms = shorter ? t->limit_ms : HTTP_CONNECT_MS;
        return http_say_late(t->peer, sent != 0, status, limit_ms, err);
    }
    case CURLE_GOT_NOTHING:
        return http_say(t->peer, HTTP_BROKEN, err, "the engine closed the connection without an answer");
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (code == CURLE_SEND_ERROR && t->peer->socket && os_error == ENOTCONN)
            return http_say(t->peer, HTTP_UNREACHABLE, err, http_peer_advice(t->peer, ENOTCONN));
        error_set(err, EXIT_LAUNCH, "%s: the connection ended %s the answer: %s", t->peer->shown,
                  status ? "in the middle of" : "before", words);
        return HTTP_BROKEN;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        error_set(err, EXIT_LAUNCH, "%s: what answered there is no container engine (%s)", t->peer->shown, words);
        return HTTP_WRONG;
    default:
        return http_say(t->peer, HTTP_WRONG, err, words);
    }
}

/* ---- requests ---- */

static int status_of(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* "Name: value\r\n". */
static void keep_header(struct http_call *c, const char *s, size_t len)
{
    size_t name = c->request.header ? strlen(c->request.header) : 0;
    if (!name || len <= name || strncasecmp(s, c->request.header, name) != 0 || s[name] != ':')
        return;
    for (s += name + 1, len -= name + 1; len && strchr(" \t", *s); s++)
        len--;
    while (len && strchr(" \t\r\n", s[len - 1]))
        len--;
    snprintf(c->answer.header, sizeof c->answer.header, "%.*s", (int)(len < HTTP_HEADER_TEXT ? len : HTTP_HEADER_TEXT),
             s);
}

static size_t on_header(char *s, size_t size, size_t count, void *data)
{
    struct http_call *c = data;
    c->headers_len += size * count;
    keep_header(c, s, size * count);
    if (size * count <= 2 && (*s == '\r' || *s == '\n'))
        c->has_head = status_of(&c->transfer) >= 200;
    if (c->headers_len <= HEADERS_MAX)
        return size * count;
    c->too_much = "the answer's headers are larger than 256 KiB";
    return 0;
}

static size_t on_body(char *s, size_t size, size_t count, void *data)
{
    struct http_call *c = data;
    size_t len = size * count, most = c->request.answer_max ? c->request.answer_max : HTTP_ANSWER_MAX;
    if (c->request.piece && status_of(&c->transfer) / 100 == 2) {
        c->request.piece(c->request.data, s, len);
        return len;
    }
    if (c->answer.body.len + len > most) {
        c->too_much = "the answer is larger than";
        return 0;
    }
    buffer_add(&c->answer.body, s, len);
    return len;
}

static void drop_call(struct transfer *t)
{
    struct http_call *c = (struct http_call *)t; /* its first member */
    transfer_end(t);
    buffer_free(&c->answer.body);
    free(c);
}

static void note_address(const struct transfer *t, struct http_answer *a)
{
    const char *ip = NULL;
    if (!t->peer->socket && curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip)
        snprintf(a->ip, sizeof a->ip, "%s", ip);
}

static void call_finished(struct transfer *t, CURLcode code)
{
    struct http_call *c = (struct http_call *)t;
    struct http_answer *a = &c->answer;
    a->status = status_of(t);
    note_address(t, a);
    if (code == CURLE_WRITE_ERROR && c->headers_len > HEADERS_MAX) {
        a->failure = http_say(t->peer, HTTP_WRONG, &a->error, c->too_much);
    } else if (code == CURLE_WRITE_ERROR && c->too_much) {
        error_set(&a->error, EXIT_LAUNCH, "%s: %s the %zu bytes that are allowed", t->peer->shown, c->too_much,
                  c->request.answer_max ? c->request.answer_max : (size_t)HTTP_ANSWER_MAX);
        a->failure = HTTP_WRONG;
    } else if (code != CURLE_OK) {
        a->failure = say_why(t, code, a->status, &a->error);
    } else if (!c->has_head) { /* to libcurl that is an answer */
        a->failure = http_say(t->peer, HTTP_BROKEN, &a->error, "the connection ended within the answer's head");
    }
    c->request.done(c->request.data, a);
    drop_call(t);
}

/* Sets the method and the body. */
static void set_method(struct http_call *c)
{
    const struct http_request *r = &c->request;
    struct transfer *t = &c->transfer;
    bool is_get = strcmp(r->method, "GET") == 0, is_head = strcmp(r->method, "HEAD") == 0;
    if (is_head)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    if (is_get || is_head)
        return;
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, r->method);
    if (!r->body && strcmp(r->method, "POST") != 0)
        return;
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
    add_header(t, "Content-Type", r->body && r->content_type ? r->content_type : "");
    add_header(t, "Expect", ""); /* no second of waiting for 100 Continue */
    if (r->body_len > UPLOAD_BUFFER)
        curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
}

struct http_call *http_send(struct http *h, const struct http_request *r)
{
    struct http_call *c = mem_alloc(sizeof *c);
    struct transfer *t = &c->transfer;
    c->request = *r;
    t->limit_ms = r->limit_ms;
    t->finished = call_finished;
    t->drop = drop_call;
    transfer_begin(t, h, r->peer, r->path);
    set_method(c);
    add_header(t, "User-Agent", "lockstep/" LOCKSTEP_VERSION);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)r->limit_ms);
    curl_multi_add_handle(h->multi, t->easy);
    return c;
}

void http_cancel(struct http_call *c)
{
    if (c)
        drop_call(&c->transfer);
}

void http_escape(struct buffer *out, const char *s)
{
    /* RFC 3986, 2.3 */
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *s; s++) {
        if (strchr(plain, *s))
            buffer_add(out, s, 1);
        else
            buffer_format(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

/* ---- connections ---- */

static void drop_connection(struct transfer *t)
{
    struct http_connection *c = (struct http_connection *)t; /* its first member */
    void (*dropped)(void *data) = c->dropped;
    void *data = c->data;
    http_connection_close(c);
    dropped(data);
}

static void connection_finished(struct transfer *t, CURLcode code)
{
    struct http_connection *c = (struct http_connection *)t;
    struct error err = { 0 };
    enum http_failure failure = HTTP_ANSWERED;
    if (code == CURLE_OK && http_connection_fd(c) < 0)
        code = CURLE_COULDNT_CONNECT;
    if (code != CURLE_OK)
        failure = say_why(t, code, 0, &err);
    c->connected(c->data, failure, &err);
}

struct http_connection *http_connection_open(struct http *h, const struct http_peer *peer, const char *path,
                                             void (*connected)(void *data, enum http_failure failure,
                                                               const struct error *err),
                                             void (*dropped)(void *data), void *data)
{
    struct http_connection *c = mem_alloc(sizeof *c);
    c->connected = connected;
    c->dropped = dropped;
    c->data = data;
    c->transfer.finished = connection_finished;
    c->transfer.drop = drop_connection;
    transfer_begin(&c->transfer, h, peer, path);
    curl_easy_setopt(c->transfer.easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_multi_add_handle(h->multi, c->transfer.easy);
    return c;
}

int http_connection_fd(const struct http_connection *c)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    return curl_easy_getinfo(c->transfer.easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK ? fd : -1;
}

ptrdiff_t http_connection_send(struct http_connection *c, const char *from, size_t len)
{
    size_t n = 0;
    CURLcode code = curl_easy_send(c->transfer.easy, from, len, &n);
    return code == CURLE_OK ? (ptrdiff_t)n : code == CURLE_AGAIN ? 0 : HTTP_STREAM_BROKEN;
}

ptrdiff_t http_connection_receive(struct http_connection *c, char *to, size_t size)
{
    size_t n = 0;
    CURLcode code = curl_easy_recv(c->transfer.easy, to, size, &n);
    if (code == CURLE_OK)
        return n ? (ptrdiff_t)n : HTTP_STREAM_END;
    return code == CURLE_AGAIN ? 0 : HTTP_STREAM_BROKEN;
}

const char *http_connection_words(const struct http_connection *c)
{
    return *c->transfer.words ? c->transfer.words : "the connection broke";
}

void http_connection_close(struct http_connection *c)
{
    if (!c)
        return;
    transfer_end(&c->transfer); /* removed from the multi handle, libcurl closes what was for this one alone */
    free(c);
}
