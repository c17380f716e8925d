#include "check.h"

#include "base/json.h"
#include "node/container.h"
#include "node/container_state.h"

/* Owners of texts that a scenario has as char *. */
static char id[] = "svc", image[] = "local/echo:1";

static struct scenario scenario(void)
{
    static char folder[] = "/home/me/s";
    return (struct scenario){ .base_dir = folder };
}

static struct scenario_node node(enum transport transport)
{
    return (struct scenario_node){ .id = id, .transport = transport, .docker = { .image = image } };
}

static const char *mine(void *data, const char *name)
{
    static char text[100];
    snprintf(text, sizeof text, "%s-%s", (const char *)data, name);
    return text;
}

static char prefix[] = "own";

static struct container_place place(void)
{
    return (struct container_place){
        .run = "7-9", .host = "box", .image = "sha256:ab", .local = true, .init = true, .volume = mine, .data = prefix
    };
}

static void body(struct buffer *out, const struct scenario_node *n, const struct container_place *p)
{
    struct scenario s = scenario();
    const char *why;
    out->len = 0;
    container_body(out, &s, n, p);
    struct json *whole = json_parse(out->data, out->len, &why);
    assert_int_equal(json_kind(whole), JSON_OBJECT);
    json_free(whole);
}

#define LABELS "\"Labels\":{\"lockstep.run\":\"7-9\",\"lockstep.host\":\"box\",\"lockstep.node\":\"svc\"}"
#define RUN    "\"LOCKSTEP_NODE=svc\",\"LOCKSTEP_RUN=7-9\""
#define STDIN                                                                                                          \
    ",\"Tty\":false,\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdin\":true,\"AttachStdout\":true,"                 \
    "\"AttachStderr\":true"
#define CLOSED                                                                                                         \
    ",\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"AttachStdin\":false,\"AttachStdout\":true,"              \
    "\"AttachStderr\":true"

static void what_the_scenario_does_not_say_is_the_engines_choice(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_ATTACH);
    struct container_place p = place();
    struct buffer out = { 0 };
    body(&out, &n, &p);
    assert_string_equal(buffer_string(&out),
                        "{\"Image\":\"sha256:ab\",\"Env\":[" RUN ",\"LOCKSTEP_TRANSPORT=stdio\"]," LABELS STDIN
                        ",\"ExposedPorts\":{},\"HostConfig\":{\"Binds\":[],\"PortBindings\":{},\"Init\":true}}");
    buffer_free(&out);
}

static void every_field_has_its_place(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_EXEC);
    struct container_place p = place();
    struct buffer out = { 0 };
    n.docker.command = (char *[]){ "run", "a \"b\"\n", NULL };
    n.docker.environment = (struct string_map){ (char *[]){ "A", "B", NULL }, (char *[]){ "1", "x=y\\", NULL } };
    n.docker.ports = (struct string_map){ (char *[]){ "8080", "", NULL }, (char *[]){ "80", "53/udp", NULL } };
    n.docker.volumes = (char *[]){ "./data:/d:ro", "/abs:/e", "store:/f", "..:/g", NULL };
    n.docker.cpus = 0.5;
    n.docker.memory = 1048576;
    n.docker.healthcheck.command = (char *[]){ "CMD", "/check", NULL };
    n.docker.healthcheck.interval = 1000000;
    n.docker.healthcheck.timeout = 250;
    n.docker.healthcheck.retries = 4;
    p.network = "net";
    p.init = false;
    body(&out, &n, &p);
    assert_string_equal(
        buffer_string(&out),
        "{\"Image\":\"sha256:ab\",\"Cmd\":[\"run\",\"a \\\"b\\\"\\n\"],\"Env\":[\"A=1\",\"B=x=y\\\\\"," RUN
        ",\"LOCKSTEP_TRANSPORT=stdio\"]," LABELS CLOSED ",\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}}"
        ",\"Healthcheck\":{\"Retries\":4,\"Test\":[\"CMD\",\"/check\"],\"Interval\":1000000000,\"Timeout\":250000}"
        ",\"HostConfig\":{\"Binds\":[\"/home/me/s/./data:/d:ro\",\"/abs:/e\",\"own-store:/f\",\"/home/me/s/..:/g\"]"
        ",\"PortBindings\":{\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"\"}],"
        "\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}"
        ",\"NetworkMode\":\"net\",\"NanoCpus\":500000000,\"Memory\":1048576,\"MemorySwap\":1048576,\"Init\":false}}");
    p.local = false;
    body(&out, &n, &p);
    assert_non_null(strstr(buffer_string(&out), "\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]"));
    buffer_free(&out);
}

static void a_node_that_listens_is_told_where(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_TCP);
    struct container_place p = place();
    struct buffer out = { 0 };
    n.docker.ports = (struct string_map){ (char *[]){ "", NULL }, (char *[]){ "5000/tcp", NULL } };
    body(&out, &n, &p);
    assert_non_null(
        strstr(buffer_string(&out), "\"LOCKSTEP_TRANSPORT=tcp\",\"LOCKSTEP_HOST=0.0.0.0\",\"LOCKSTEP_PORT=5000\"]"));
    n = node(TRANSPORT_UNIX);
    p.socket_dir = "/tmp/lockstep-x/3";
    body(&out, &n, &p);
    assert_non_null(strstr(buffer_string(&out), "\"LOCKSTEP_TRANSPORT=unix\",\"LOCKSTEP_SOCKET=/run/lockstep/node\"]"));
    assert_non_null(strstr(buffer_string(&out), "\"Binds\":[\"/tmp/lockstep-x/3:/run/lockstep\"]"));
    buffer_free(&out);
}

static void a_port_may_be_published_more_than_once(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_ATTACH);
    struct container_place p = place();
    struct buffer out = { 0 };
    p.local = false;
    n.docker.ports = (struct string_map){ (char *[]){ "8080", "7053", "8081", "9", "7054", NULL },
                                          (char *[]){ "80", "53/udp", "80/tcp", "8", "53/tcp", NULL } };
    body(&out, &n, &p);
    assert_non_null(strstr(buffer_string(&out),
                           ",\"ExposedPorts\":{\"8/tcp\":{},\"53/tcp\":{},\"53/udp\":{},\"80/tcp\":{}}"));
    assert_non_null(
        strstr(buffer_string(&out),
               ",\"PortBindings\":{\"8/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"9\"}],"
               "\"53/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"7054\"}],"
               "\"53/udp\":[{\"HostIp\":\"\",\"HostPort\":\"7053\"}],"
               "\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"},{\"HostIp\":\"\",\"HostPort\":\"8081\"}]}"));
    buffer_free(&out);
}

/* Its ports are those of the machine: nothing is published, and it listens for that machine alone. */
static void on_the_hosts_network_ports_are_the_hosts(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_TCP);
    struct container_place p = place();
    struct buffer out = { 0 };
    char host[] = "host";
    n.docker.network = host;
    p.network = "host";
    n.docker.ports = (struct string_map){ (char *[]){ "", NULL }, (char *[]){ "5000", NULL } };
    body(&out, &n, &p);
    assert_non_null(strstr(buffer_string(&out), "\"LOCKSTEP_HOST=127.0.0.1\",\"LOCKSTEP_PORT=5000\"]"));
    assert_non_null(strstr(buffer_string(&out), ",\"PortBindings\":{}"));
    p.local = false;
    body(&out, &n, &p);
    assert_non_null(strstr(buffer_string(&out), "\"LOCKSTEP_HOST=0.0.0.0\""));
    buffer_free(&out);
}

static void exec_labels_and_names(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_EXEC);
    struct container_place p = place();
    struct buffer out = { 0 };
    char name[40];
    n.docker.exec = (char *[]){ "python3", "-m", "a'\"b", NULL };
    container_exec_body(&out, &n);
    assert_string_equal(buffer_string(&out),
                        "{\"AttachStdin\":true,\"AttachStdout\":true,\"AttachStderr\":true,\"Tty\":false,"
                        "\"Cmd\":[\"python3\",\"-m\",\"a'\\\"b\"]}");
    out.len = 0;
    container_labels(&out, &p, NULL);
    assert_string_equal(buffer_string(&out), "{\"lockstep.run\":\"7-9\",\"lockstep.host\":\"box\"}");
    container_name(name, sizeof name, "7-9", "svc");
    assert_string_equal(name, "lockstep-7-9-svc");
    buffer_free(&out);
}

static void a_volume_has_two_or_three_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *inside, *mode;
        bool is_named, is_relative;
    } cases[] = {
        { "./a:/b:ro", "./a", "/b", "ro", false, true }, { "/a:/b", "/a", "/b", "", false, false },
        { "store:/b", "store", "/b", "", true, false },  { ".:/b", ".", "/b", "", false, true },
        { "a/c:/b", "a/c", "/b", "", false, true },      { "v:/b:rw,z", "v", "/b", "rw,z", true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct container_volume v = container_volume(cases[i].text);
        assert_int_equal(v.host.len, strlen(cases[i].host));
        assert_memory_equal(v.host.s, cases[i].host, v.host.len);
        assert_int_equal(v.inside.len, strlen(cases[i].inside));
        assert_memory_equal(v.inside.s, cases[i].inside, v.inside.len);
        assert_int_equal(v.mode.len, strlen(cases[i].mode));
        assert_memory_equal(v.mode.s, cases[i].mode, v.mode.len);
        assert_int_equal(v.is_named, cases[i].is_named);
        assert_int_equal(v.is_relative, cases[i].is_relative);
    }
}

/* --- What an engine says --- */

static int state_of(struct container_state *s, const char *text, struct error *err)
{
    struct buffer answer = { 0 };
    buffer_text(&answer, text);
    *err = (struct error){ 0 };
    int result = container_state_read(s, &answer, err);
    buffer_free(&answer);
    return result;
}

static struct container_state read_state(const char *text)
{
    struct container_state s;
    struct error err;
    assert_int_equal(state_of(&s, text, &err), 0);
    return s;
}

static void a_container_runs_until_it_has_ended(void **state)
{
    (void)state;
    struct container_state s =
        read_state("{\"State\":{\"Status\":\"running\",\"Running\":true,\"OOMKilled\":false,\"ExitCode\":0}}");
    assert_true(s.is_running && !s.is_paused && !s.is_removed && !s.was_out_of_memory && !s.has_health);
    s = read_state("{\"State\":{\"Status\":\"paused\",\"Running\":true,\"Paused\":true}}");
    assert_true(s.is_running && s.is_paused);
    assert_false(container_was_killed(&s));
    /* Podman, while it is killed */
    s = read_state("{\"State\":{\"Status\":\"stopping\",\"Running\":false,\"ExitCode\":0}}");
    assert_true(s.is_running);
    s = read_state("{\"State\":{\"Status\":\"removing\",\"Running\":false,\"Dead\":true,\"ExitCode\":137}}");
    assert_true(!s.is_running && s.is_removed && container_was_killed(&s));
    s = read_state("{\"State\":{\"Status\":\"exited\",\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137}}");
    assert_true(!s.is_running && s.was_out_of_memory && s.exit_code == 137 && !container_was_killed(&s));
    s = read_state("{\"State\":{\"Running\":false,\"ExitCode\":143}}");
    assert_true(container_was_killed(&s));
    s = read_state("{\"State\":{\"Running\":false,\"ExitCode\":3}}");
    assert_false(container_was_killed(&s));
}

static void its_health_is_that_of_the_last_check(void **state)
{
    (void)state;
    struct container_state s =
        read_state("{\"State\":{\"Running\":true,\"Health\":{\"Status\":\"starting\",\"Log\":null}}}");
    assert_true(s.has_health && !s.is_healthy && !s.is_unhealthy);
    assert_string_equal(s.health_output, "");
    s = read_state("{\"State\":{\"Running\":true,\"Health\":{\"Status\":\"healthy\",\"Log\":[]}}}");
    assert_true(s.has_health && s.is_healthy);
    s = read_state("{\"State\":{\"Running\":true,\"Health\":{\"Status\":\"unhealthy\",\"Log\":[{\"Output\":\"first\"},"
                   "{\"Output\":\"no \\u001b[31mpulse\\n\\n\"}]}}}");
    assert_true(s.has_health && s.is_unhealthy && !s.is_healthy);
    assert_null(strchr(s.health_output, '\x1b'));
    assert_non_null(strstr(s.health_output, "pulse"));
    assert_int_not_equal(s.health_output[strlen(s.health_output) - 1], '\n');
    s = read_state("{\"State\":{\"Running\":true,\"Health\":{\"Status\":\"none\"}}}");
    assert_false(s.has_health);
    /* Podman */
    s = read_state("{\"State\":{\"Running\":true,\"Health\":{\"Status\":\"\",\"FailingStreak\":0,\"Log\":null}}}");
    assert_false(s.has_health);
}

static void long_words_are_cut_and_stay_safe(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    buffer_text(&text, "{\"State\":{\"Running\":false,\"Error\":\"");
    for (int i = 0; i < 5000; i++)
        buffer_text(&text, i % 7 ? "\xc3\xa4" : "\\u0007");
    buffer_text(&text, "\"}}");
    struct container_state s = read_state(buffer_string(&text));
    assert_true(strlen(s.why) > 50 && strlen(s.why) < CONTAINER_OUTPUT);
    assert_null(strchr(s.why, '\a'));
    buffer_free(&text);
}

static void what_is_no_state_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = { "",      "{", "[]", "null", "{\"State\":3}", "{\"State\":[]}", "{\"Stat\":{}}",
                                         "<html>" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct container_state s;
        struct error err;
        assert_int_equal(state_of(&s, texts[i], &err), -1);
        assert_string_equal(err.text, "inspect container: the engine did not answer with the state of one");
        assert_false(s.is_running);
    }
    struct container_state s =
        read_state("{\"State\":{\"Running\":\"true\",\"ExitCode\":\"3\",\"Health\":7,\"Status\":[]},"
                   "\"NetworkSettings\":[1]}");
    assert_true(!s.is_running && !s.exit_code && !s.has_health && !*s.ip); /* other kinds of values count as absent */
}

static void an_id_is_hexadecimal_and_fits(void **state)
{
    (void)state;
    static const struct {
        const char *text, *id;
    } cases[] = {
        { "{\"Id\":\"00ff12\",\"Warnings\":[]}", "00ff12" },
        { "{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
        { "{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\"}", NULL },
        { "{\"Id\":\"../images/x\"}", NULL },
        { "{\"Id\":\"\"}", NULL },
        { "{\"Id\":12}", NULL },
        { "{}", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer answer = { 0 };
        char out[65];
        buffer_text(&answer, cases[i].text);
        assert_int_equal(container_id_read(&answer, out, sizeof out), cases[i].id ? 0 : -1);
        assert_string_equal(out, cases[i].id ? cases[i].id : "");
        buffer_free(&answer);
    }
}

static int port_of(const char *answer, const struct scenario_node *n, char *host, size_t size, struct error *err)
{
    struct buffer text = { 0 };
    struct container_state s = read_state(answer);
    buffer_text(&text, answer);
    *err = (struct error){ 0 };
    int port = container_port(&s, &text, n, "10.1.1.1", host, size, err);
    buffer_free(&text);
    return port;
}

static void a_port_is_where_it_is_published_or_at_the_container(void **state)
{
    (void)state;
    struct scenario_node n = node(TRANSPORT_TCP);
    struct error err;
    char host[64];
    assert_int_equal(port_of("{\"State\":{}}", &n, host, sizeof host, &err), -1);
    assert_string_equal(err.text, "transport tcp needs docker.ports: where the node listens in its container");
    n.docker.ports = (struct string_map){ (char *[]){ "", NULL }, (char *[]){ "5000", NULL } };
    int port = port_of("{\"State\":{},\"NetworkSettings\":{\"Ports\":{\"5000/tcp\":[{\"HostIp\":\"127.0.0.1\","
                       "\"HostPort\":\"49153\"}]},\"IPAddress\":\"172.17.0.2\"}}", &n, host, sizeof host, &err);
    assert_int_equal(port, 49153);
    assert_string_equal(host, "10.1.1.1");
    port = port_of("{\"State\":{},\"NetworkSettings\":{\"Ports\":{\"5000/tcp\":null},\"IPAddress\":\"\",\"Networks\":"
                   "{\"a\":{\"IPAddress\":\"\"},\"b\":{\"IPAddress\":\"10.89.0.3\"}}}}", &n, host, sizeof host, &err);
    assert_int_equal(port, 5000);
    assert_string_equal(host, "10.89.0.3");
    assert_int_equal(port_of("{\"State\":{},\"NetworkSettings\":{\"IPAddress\":\"\"}}", &n, host, sizeof host, &err),
                     -1);
    assert_string_equal(err.text,
                        "port 5000 of its container is not published, and the container has no address of its own; "
                        "give it another docker.network, or use transport attach or unix");
    assert_int_equal(err.code, EXIT_LAUNCH);
    char network[] = "host";
    n.docker.network = network;
    port = port_of("{\"State\":{},\"NetworkSettings\":{\"Ports\":{},\"IPAddress\":\"\"}}", &n, host, sizeof host, &err);
    assert_int_equal(port, 5000);
    assert_string_equal(host, "10.1.1.1");
}

static void its_end_is_told_with_the_cause(void **state)
{
    (void)state;
    static const struct {
        struct container_state s;
        int64_t memory;
        const char *text;
        enum container_killer killer;
    } cases[] = {
        { { .exit_code = 3 }, 0, "its container ended with exit code 3 before it said READY", KILLER_NOT_KNOWN },
        { { .exit_code = 126, .why = "no such file" },
          0,
          "its container ended with exit code 126 before it said READY: no such file",
          KILLER_NOT_KNOWN },
        { { .exit_code = 137, .was_out_of_memory = true },
          64 << 20,
          "its container needed more memory than the 64 MiB that it may have (exit code 137) before it said READY",
          KILLER_NOT_KNOWN },
        { { .exit_code = 137, .was_out_of_memory = true },
          0,
          "its container was killed as it needed more memory than there is (exit code 137) before it said READY; the "
          "scenario "
          "sets no limit, but the engine or its machine has one",
          KILLER_NOT_KNOWN },
        { { .exit_code = 137 },
          64 << 20,
          "its container ended with exit code 137 before it said READY; it was killed, perhaps because it needed more "
          "memory "
          "than the 64 MiB that it may have",
          KILLER_NOT_KNOWN },
        { { .exit_code = 137 },
          64 << 20,
          "its container ended with exit code 137 before it said READY; it was killed, and the engine knows of nobody "
          "who asked "
          "for that: most likely because it needed more memory than the 64 MiB that it may have",
          KILLER_UNHEARD_OF },
        { { .exit_code = 137 },
          64 << 20,
          "its container ended with exit code 137 before it said READY; somebody else asked the engine to end it",
          KILLER_SOMEONE },
        { { .exit_code = 0 },
          0,
          "its container ended with exit code 0 before it said READY; somebody else asked the engine to end it",
          KILLER_SOMEONE },
        { { .exit_code = 137 }, 0, "its container ended with exit code 137 before it said READY", KILLER_UNHEARD_OF },
        { { .exit_code = 137 }, 0, "its container ended with exit code 137 before it said READY", KILLER_NOT_KNOWN },
        { { .exit_code = 1 }, 64 << 20, "its container ended with exit code 1 before it said READY", KILLER_NOT_KNOWN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario_node n = node(TRANSPORT_ATTACH);
        struct error err = { 0 };
        n.docker.memory = cases[i].memory;
        container_say_end(&cases[i].s, &n, cases[i].killer, "before it said READY", &err);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, EXIT_RUN_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_scenario_does_not_say_is_the_engines_choice),
        cmocka_unit_test(every_field_has_its_place),
        cmocka_unit_test(a_node_that_listens_is_told_where),
        cmocka_unit_test(a_port_may_be_published_more_than_once),
        cmocka_unit_test(on_the_hosts_network_ports_are_the_hosts),
        cmocka_unit_test(exec_labels_and_names),
        cmocka_unit_test(a_volume_has_two_or_three_parts),
        cmocka_unit_test(a_container_runs_until_it_has_ended),
        cmocka_unit_test(its_health_is_that_of_the_last_check),
        cmocka_unit_test(long_words_are_cut_and_stay_safe),
        cmocka_unit_test(what_is_no_state_is_an_error),
        cmocka_unit_test(an_id_is_hexadecimal_and_fits),
        cmocka_unit_test(a_port_is_where_it_is_published_or_at_the_container),
        cmocka_unit_test(its_end_is_told_with_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
