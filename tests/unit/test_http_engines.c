/* Against real engines: LOCKSTEP_TEST_ENGINES names them, as DOCKER_HOST does, with spaces between. What a test makes
 * there it removes. */
#include "check.h"

#include "base/json.h"
#include "http_server.h"
#include "node/frames.h"

#define BUSYBOX "/bin/busybox" /* a static one: package busybox-static */

/* Calls the test for each engine; without any it is skipped. */
static void each_engine(void (*test)(struct client *c))
{
    const char *given = getenv("LOCKSTEP_TEST_ENGINES");
    if (!given || !*given)
        skip();
    char *names = mem_text(given), *place = NULL;
    for (char *name = strtok_r(names, " ", &place); name; name = strtok_r(NULL, " ", &place)) {
        struct client c;
        print_message("%s\n", name);
        client_begin(&c, name, getenv("DOCKER_CERT_PATH"));
        test(&c);
        client_end(&c);
    }
    free(names);
}

/* Asks and waits; the status. */
static int call(struct client *c, struct outcome *o, const char *method, const char *path, const struct buffer *body,
                const char *type)
{
    struct http_request r = { .peer = &c->peer, .method = method, .path = path, .limit_ms = 15000,
                              .done = note_done, .data = o };
    if (body) {
        r.body = body->data;
        r.body_len = body->len;
        r.content_type = type;
    }
    outcome_free(o);
    http_send(c->http, &r);
    wait_until(c, &o->done, 1);
    if (o->answer.failure)
        fail_msg("%s %s: %s", method, path, o->answer.error.text);
    return o->answer.status;
}

static void must_be(struct outcome *o, int status, int wanted)
{
    if (status != wanted)
        fail_msg("%d: %s", status, buffer_string(&o->answer.body));
}

/* A member of the answer; the caller frees it. */
static char *member(struct outcome *o, const char *name)
{
    const char *why;
    struct json *v = json_parse(o->answer.body.data, o->answer.body.len, &why);
    char *text = mem_text(json_string(json_get(v, name), ""));
    json_free(v);
    return text;
}

/* Appends a file, or (NULL) a folder, to a tar (POSIX.1-1988, ustar). */
static void tar_add(struct buffer *tar, const char *name, const struct buffer *content)
{
    char header[512] = { 0 };
    static const char zeros[512];
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 24, "%07o%c%07o%c%07o", 0755u, 0, 0u, 0, 0u);
    snprintf(header + 124, 12, "%011zo", content ? content->len : 0);
    snprintf(header + 136, 12, "%011o", 0u);
    header[156] = content ? '0' : '5';
    memcpy(header + 257, "ustar\00000", 8);
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    buffer_add(tar, header, sizeof header);
    if (content) {
        buffer_add(tar, content->data, content->len);
        buffer_add(tar, zeros, (512 - content->len % 512) % 512);
    }
}

static void make_image(struct client *c, struct outcome *o, const char *name)
{
    static const char zeros[1024];
    struct buffer program = { 0 }, tar = { 0 }, path = { 0 };
    FILE *f = fopen(BUSYBOX, "rb");
    assert_non_null(f);
    buffer_grow(&program, 8u << 20);
    program.len = fread(program.data, 1, 8u << 20, f);
    fclose(f);
    tar_add(&tar, "bin/", NULL);
    tar_add(&tar, "bin/busybox", &program);
    buffer_add(&tar, zeros, sizeof zeros);
    /* no tag: Podman 4.3 does not look at it */
    buffer_format(&path, "/v1.41/images/create?fromSrc=-&repo=%s", name);
    must_be(o, call(c, o, "POST", buffer_string(&path), &tar, "application/x-tar"), 200);
    assert_null(strstr(buffer_string(&o->answer.body), "errorDetail"));
    buffer_free(&program);
    buffer_free(&tar);
    buffer_free(&path);
}

static void ask_who_is_there(struct client *c)
{
    struct outcome o = { 0 };
    must_be(&o, call(c, &o, "GET", "/_ping", NULL, NULL), 200);
    assert_string_equal(buffer_string(&o.answer.body), "OK");
    must_be(&o, call(c, &o, "GET", "/version", NULL, NULL), 200);
    char *version = member(&o, "ApiVersion");
    assert_int_equal(version[0], '1');
    free(version);
    must_be(&o, call(c, &o, "GET", "/v1.41/containers/no-such-container/json", NULL, NULL), 404);
    char *message = member(&o, "message");
    assert_non_null(strstr(message, "no-such-container"));
    free(message);
    struct seen e = { 0 };
    open_stream(c, &e, "/v1.41/containers/no-such-container/attach?stream=1&stdin=1&stdout=1", NULL, 5000);
    assert_int_equal(settled(c, &e), HTTP_STREAM_REFUSED);
    assert_int_equal(http_stream_answer(e.stream)->status, 404);
    assert_non_null(strstr(buffer_string(&http_stream_answer(e.stream)->body), "no-such-container"));
    http_stream_close(e.stream);
    outcome_free(&o);
}

/* ---- a container ---- */

struct box {
    struct client *client;
    struct seen seen;
    struct frames frames;
    struct buffer out, errors;
};

static void hear(void *data, enum frames_stream stream, const char *s, size_t len)
{
    struct box *b = data;
    buffer_add(stream == FRAMES_ERRORS ? &b->errors : &b->out, s, len);
}

/* Reads until its output has `len` bytes, or ends; what the last read said. */
static ptrdiff_t hear_until(struct box *b, size_t len)
{
    char piece[4096];
    ptrdiff_t n = 0;
    struct error err = { 0 };
    int64_t end = clock_ms() + 15000;
    while (b->out.len < len && n >= 0) {
        n = http_stream_read(b->seen.stream, piece, sizeof piece);
        if (n > 0)
            assert_int_equal(frames_take(&b->frames, piece, (size_t)n, hear, b, &err), 0);
        b->seen.ready = 0;
        if (n == 0)
            wait_until(b->client, &b->seen.ready, 1);
        assert_true(clock_ms() < end);
    }
    return n;
}

static void say(struct box *b, const char *line)
{
    size_t before = b->out.len;
    assert_int_equal(http_stream_write(b->seen.stream, line, strlen(line)), strlen(line));
    hear_until(b, before + strlen(line));
    assert_string_equal(buffer_string(&b->out) + before, line);
}

static void talk(struct box *b, const char *id)
{
    struct client *c = b->client;
    struct outcome o = { 0 };
    struct buffer path = { 0 };
    buffer_format(&path, "/v1.41/containers/%s/attach?stream=1&stdin=1&stdout=1&stderr=1", id);
    open_stream(c, &b->seen, buffer_string(&path), NULL, 5000);
    assert_int_equal(settled(c, &b->seen), HTTP_STREAM_OPEN);
    path.len = 0;
    buffer_format(&path, "/v1.41/containers/%s/start", id);
    must_be(&o, call(c, &o, "POST", buffer_string(&path), NULL, NULL), 204);
    say(b, "hello\n");
    assert_string_equal(buffer_string(&b->errors), "ready\n");
    int64_t fastest = INT64_MAX, total = 0;
    enum { TIMES = 100 };
    for (int i = 0; i < TIMES; i++) {
        int64_t before = clock_us();
        say(b, "ADVANCE 1000\n");
        int64_t took = clock_us() - before;
        fastest = took < fastest ? took : fastest;
        total += took;
    }
    print_message("an echo through attach: %lld us at best, %lld on average\n", (long long)fastest,
                  (long long)total / TIMES);
    http_stream_end(b->seen.stream); /* cat ends with its input */
    assert_int_equal(hear_until(b, SIZE_MAX), HTTP_STREAM_END);
    assert_true(frames_whole(&b->frames));
    path.len = 0;
    buffer_format(&path, "/v1.41/containers/%s/wait", id);
    must_be(&o, call(c, &o, "POST", buffer_string(&path), NULL, NULL), 200);
    assert_non_null(strstr(buffer_string(&o.answer.body), "\"StatusCode\":7"));
    http_stream_close(b->seen.stream);
    buffer_free(&path);
    outcome_free(&o);
}

static void run_cat(struct client *c)
{
    struct outcome o = { 0 };
    struct buffer body = { 0 }, path = { 0 };
    char image[64];
    snprintf(image, sizeof image, "lockstep-test-%d", (int)getpid());
    make_image(c, &o, image);
    buffer_format(&body, "{\"Image\":\"%s\",", image);
    buffer_text(&body, "\"Cmd\":[\"/bin/busybox\",\"sh\",\"-c\",\"echo ready >&2; /bin/busybox cat; exit 7\"],"
                       "\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdin\":true,\"AttachStdout\":true,"
                       "\"AttachStderr\":true}");
    must_be(&o, call(c, &o, "POST", "/v1.41/containers/create", &body, "application/json"), 201);
    char *id = member(&o, "Id");
    assert_true(*id);
    struct box b = { .client = c };
    talk(&b, id);
    buffer_format(&path, "/v1.41/containers/%s?force=1&v=1", id);
    must_be(&o, call(c, &o, "DELETE", buffer_string(&path), NULL, NULL), 204);
    path.len = 0;
    buffer_format(&path, "/v1.41/images/%s?force=1", image);
    must_be(&o, call(c, &o, "DELETE", buffer_string(&path), NULL, NULL), 200);
    free(id);
    buffer_free(&b.out);
    buffer_free(&b.errors);
    buffer_free(&body);
    buffer_free(&path);
    outcome_free(&o);
}

static void an_engine_says_who_it_is_and_what_it_has_not(void **state)
{
    (void)state;
    each_engine(ask_who_is_there);
}

static void a_container_echoes_through_attach_from_its_first_byte_to_its_last(void **state)
{
    (void)state;
    each_engine(run_cat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_engine_says_who_it_is_and_what_it_has_not),
        cmocka_unit_test(a_container_echoes_through_attach_from_its_first_byte_to_its_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
