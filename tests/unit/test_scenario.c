#include "engine_socket.h"
#include "scenario_text.h"

#include <unistd.h>

/* The first line that a text or its overrides are refused with. */
static void refused(const char *text, const struct scenario_override *overrides, size_t count, const char *line)
{
    struct problems problems = { 0 };
    struct scenario_source source = { .file = "test.yaml",
                                      .base_dir = "/tmp",
                                      .text = text,
                                      .len = strlen(text),
                                      .overrides = overrides,
                                      .override_count = count };
    struct scenario *s = scenario_load_text(&source, &problems);
    char first[2000] = "";
    assert_null(s);
    for (size_t i = problems.count; i-- > 0;)
        if (problems.items[i].severity == SEVERITY_ERROR)
            problem_format(&problems.items[i], first, sizeof first);
    assert_string_equal(first, line);
    problems_clear(&problems);
}

static void defaults_are_those_of_the_documentation(void **state)
{
    (void)state;
    struct scenario *s = load(HEAD PAIR);
    const struct scenario_node *n = &s->nodes[0];
    assert_string_equal(s->name, "test");
    assert_null(s->description);
    assert_int_equal(s->duration, 10000000);
    assert_int_equal(s->quantum, 1000);
    assert_true(s->seed == 42);
    assert_true(s->pace == 0);
    assert_int_equal(s->network, NETWORK_DIRECT);
    assert_int_equal(s->ml.placement, PLACEMENT_NONE);
    assert_int_equal(s->node_count, 2);
    assert_string_equal(n->id, "s1");
    assert_int_equal(n->tier, TIER_DEVICE);
    assert_int_equal(n->implementation, IMPLEMENTATION_MODEL);
    assert_int_equal(n->model, MODEL_SENSOR);
    assert_string_equal(n->config_json, "{}");
    assert_int_equal(n->model_config.interval, 1000000);
    assert_int_equal(n->model_config.destination, 1);
    assert_int_equal(n->timeout_start, 10000000);
    assert_int_equal(n->timeout_step, 30000000);
    assert_int_equal(n->timeout_stop, 5000000);
    assert_int_equal(n->on_failure, ON_FAILURE_ABORT);
    assert_int_equal(n->restart_max, 3);
    assert_int_equal(n->restart_backoff, 100000);
    assert_int_equal(n->mark.line, 3);
    assert_int_equal(n->mark.column, 5);
    assert_string_equal(n->mark.file, "dir/test.yaml");
    assert_int_equal(s->nodes[1].tier, TIER_EDGE);
    assert_int_equal(s->nodes[1].model_config.forward_to, -1);
    assert_int_equal(scenario_find_node(s, "gateway"), 1);
    assert_int_equal(scenario_find_node(s, "gate"), -1);
    scenario_free(s);
}

static void three_spellings_are_one_scenario(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "simulation: { duration: 10s, quantum: 2ms, seed: 7 }\n"
        "network:\n  model: latency\n  default_latency: 10ms\n  default_loss: 0.25\n"
        "  links: [{ src: s1, dst: gateway, latency: 5ms, loss: 0.5 }]\n"
        "nodes:\n  - { id: s1, type: sensor }\n  - { id: gateway, type: gateway, implementation: model }\n",
        "simulation: { duration_s: 10, time_quantum_us: 2000, seed: 7 }\n"
        "network:\n  model: latency\n  default_latency_us: 10000\n  default_loss_rate: 0.25\n"
        "  links: [{ src: s1, dst: gateway, latency_us: 5000, loss_rate: 0.5 }]\n"
        "nodes:\n  - { id: s1, type: sensor_model, implementation: python_model }\n"
        "  - { id: gateway, type: gateway_model }\n",
        "duration_sec: 10\ntime_quantum_us: 2000\nseed: 7\n"
        "network:\n  type: latency\n  default_latency_ms: 10\n  default_loss: 0.25\n"
        "  links: [{ src: s1, dst: gateway, latency_ms: 5, loss: 0.5 }]\n"
        "nodes:\n  s1: { type: sensor }\n  gateway: { type: gateway }\n",
    };
    struct scenario *first = load(texts[0]);
    for (int i = 1; i < 3; i++) {
        struct scenario *s = load(texts[i]);
        assert_string_equal(s->canonical, first->canonical);
        assert_string_equal(s->digest, first->digest);
        assert_int_equal(s->links[0].latency, 5000);
        assert_true(s->links[0].loss == 0.5);
        scenario_free(s);
    }
    scenario_free(first);
}

static void a_type_may_name_the_implementation(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "nodes:\n"
                  "  a: { type: docker, docker: { image: x } }\n"
                  "  b: { type: renode, platform: b.repl, firmware: b.elf, implementation: renode_inprocess }\n"
                  "  c: { type: gateway, implementation: python_model, command: python3 gw.py, port: 5 }\n");
    assert_int_equal(s->nodes[0].implementation, IMPLEMENTATION_DOCKER);
    assert_int_equal(s->nodes[0].tier, TIER_EDGE);
    assert_int_equal(s->nodes[0].dialect, DIALECT_SERVICE);
    assert_int_equal(s->nodes[0].transport, TRANSPORT_ATTACH);
    assert_true(s->nodes[0].docker.freeze);
    assert_int_equal(s->nodes[1].implementation, IMPLEMENTATION_RENODE);
    assert_string_equal(s->nodes[1].renode.program, "renode");
    assert_int_equal(s->nodes[2].implementation, IMPLEMENTATION_PROCESS);
    assert_int_equal(s->nodes[2].transport, TRANSPORT_TCP);
    assert_int_equal(s->nodes[2].dialect, DIALECT_NODE);
    assert_string_equal(s->nodes[2].command[1], "gw.py");
    scenario_free(s);
}

static void scalars_resolve_as_in_yaml_1_1_and_json(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "nodes:\n  - id: g\n    type: gateway\n    implementation: process\n    command: x\n"
                  "    config: { a: yes, b: Off, c: ~, d: 0x1F, e: 010, f: 1_000, g: 1.50, h: 1e3, i: .5,"
                  " j: \"yes\", k: '5', l: +12, m: 1:30, n: 08, o: -0, p: 1E-2, q: 0b101, r: 12345678901234567890,"
                  " s: [], t: {}, u: \"\\0\\n\", v: 2001-01-01, w: !!str 5 }\n");
    assert_string_equal(
        s->nodes[0].config_json,
        "{\"a\":true,\"b\":false,\"c\":null,\"d\":31,\"e\":8,\"f\":1000,\"g\":1.50,\"h\":1e3,\"i\":0.5,"
        "\"j\":\"yes\",\"k\":\"5\",\"l\":12,\"m\":90,\"n\":\"08\",\"o\":-0,\"p\":1E-2,\"q\":5,"
        "\"r\":12345678901234567890,\"s\":[],\"t\":{},\"u\":\"\\u0000\\n\",\"v\":\"2001-01-01\",\"w\":\"5\"}");
    scenario_free(s);
}

static void anchors_and_merge_keys_repeat_values(void **state)
{
    (void)state;
    struct scenario *s = load(HEAD "nodes:\n"
                                   "  - &a { id: a, type: sensor, config: &c { interval: 2s, destination: g } }\n"
                                   "  - { <<: *a, id: b }\n"
                                   "  - { id: d, type: sensor, config: { <<: [{ interval: 3s }, *c] } }\n"
                                   "  - { id: g, type: gateway }\n");
    assert_int_equal(s->nodes[1].model_config.interval, 2000000);
    assert_string_equal(s->nodes[1].id, "b");
    assert_int_equal(s->nodes[2].model_config.interval, 3000000);
    assert_int_equal(s->nodes[2].model_config.destination, 3);
    scenario_free(s);
}

static void overrides_win_over_every_spelling(void **state)
{
    (void)state;
    static const char text[] = "duration_sec: 10\nseed: 42\n"
                               "network: { type: latency, default_latency_ms: 10 }\n"
                               "nodes:\n  - &s { id: s.1, type: sensor, config: { interval_ms: 500 } }\n"
                               "  - { <<: *s, id: s2 }\n  - { id: gateway, type: gateway }\n";
    static const struct scenario_override overrides[] = {
        { "simulation.seed", "7", "--seed" },
        { "simulation.duration", "3s", "--duration" },
        { "quantum", "2ms", "--set" },
        { "network.default_latency", "5ms", "--set" },
        { "network.default_latency_us", "6000", "--set" },
        { "nodes.s.1.config.interval", "250ms", "--set" },
        { "nodes[2].id", "gw", "--set" },
        { "name", "other", "--set" },
        { "network.links", "[{ src: s2, dst: gw, latency: 9ms }]", "--set" },
        { "network.links[0].loss", "0.5", "--set" },
    };
    struct scenario *s = load_with(text, overrides, sizeof overrides / sizeof overrides[0], 0);
    assert_true(s->seed == 7);
    assert_int_equal(s->duration, 3000000);
    assert_int_equal(s->quantum, 2000);
    assert_int_equal(s->default_latency, 6000);
    assert_int_equal(s->nodes[0].model_config.interval, 250000);
    assert_int_equal(s->nodes[1].model_config.interval, 500000);
    assert_string_equal(s->nodes[0].config_json, "{\"interval\":\"250ms\"}");
    assert_string_equal(s->nodes[2].id, "gw");
    assert_string_equal(s->name, "other");
    assert_true(s->links[0].loss == 0.5);
    scenario_free(s);
}

static void overrides_reach_every_level(void **state)
{
    (void)state;
    static const char text[] = HEAD "nodes:\n  s1: { type: sensor }\n  gateway: { type: gateway }\n"
                                    "  svc: { type: docker, docker: { image: a, ports: [\"1:2\", \"3:4\"] } }\n";
    static const struct scenario_override overrides[] = {
        { "nodes.gateway", "{ type: gateway, config: { note: &n [1], again: *n } }", "--set" },
        { "nodes.svc.docker.image", "b", "--set" },
        { "nodes[2].docker.ports[1]", "\"5:6\"", "--set" },
        { "nodes.svc.docker.healthcheck.command", "[CMD, x]", "--set" },
        { "nodes.s1.timeouts.step", "1min", "--set" },
        { "network", "{ type: latency, default_latency_ms: 3 }", "--set" },
        { "faults", "[{ at: 1s, node: s1, action: kill }]", "--set" },
    };
    struct scenario *s = load_with(text, overrides, sizeof overrides / sizeof overrides[0], 2);
    assert_string_equal(s->nodes[1].id, "gateway");
    assert_string_equal(s->nodes[1].config_json, "{\"note\":[1],\"again\":[1]}");
    assert_string_equal(s->nodes[2].docker.image, "b");
    assert_string_equal(s->nodes[2].docker.ports.keys[1], "5");
    assert_string_equal(s->nodes[2].docker.healthcheck.command[1], "x");
    assert_int_equal(s->nodes[0].timeout_step, 60000000);
    assert_int_equal(s->default_latency, 3000);
    assert_int_equal(s->fault_count, 1);
    scenario_free(s);
}

static void overrides_that_cannot_be_are_told_with_their_origin(void **state)
{
    (void)state;
    static const struct {
        struct scenario_override override;
        const char *line;
    } cases[] = {
        { { "nodes.sl.config.interval", "1s", "--set" },
          "--set nodes.sl.config.interval: there is no node 'sl'; did you mean 's1'?" },
        { { "nodes[2].id", "x", "--set" },
          "--set nodes[2].id: there is no item '[2]'; the list has 2 items, counted from 0" },
        { { "nodes[x]", "1", "--set" }, "--set nodes[x]: an index is a number in brackets, as in nodes[0]" },
        { { "simulation..seed", "1", "--set" },
          "--set simulation..seed: a name is missing in the path; write for example "
          "nodes[0].config.interval" },
        { { "simulation.seed.x", "1", "--set" },
          "--set simulation.seed.x: there is no map to hold 'x'" },
        { { "simulation.sed", "1", "--set" },
          "--set simulation.sed: unknown field; did you mean 'seed'?" },
        { { "simulation.seed", "[1", "--set" },
          "--set simulation.seed: '[1' is no YAML value: a ',' or ']' is missing" },
        { { "simulation.duration", "10 parsecs", "--duration" },
          "--duration: simulation.duration: '10 parsecs': not a time; the units are us, ms, s, min and h" },
        { { "simulation.seed", "x", "--seed" }, "--seed: simulation.seed: must be a whole number, not 'x'" },
        { { "", "x", "--set" }, "--set : a path is missing; write for example --set simulation.seed=7" },
        { { "seed", "", "--set" }, "--set seed: simulation.seed: is required; add for example `seed: 42`" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(HEAD PAIR, &cases[i].override, 1, cases[i].line);
}

static void seeds_are_exact_up_to_2_to_the_63(void **state)
{
    (void)state;
    struct scenario *s = load("simulation: { duration: 1s, seed: 9223372036854775807 }\n" PAIR);
    assert_true(s->seed == UINT64_C(9223372036854775807));
    assert_non_null(strstr(s->canonical, "seed: 9223372036854775807\n"));
    scenario_free(s);
}

static void commands_split_as_a_shell_splits_words(void **state)
{
    (void)state;
    struct scenario *s = load(HEAD "nodes:\n  - { id: g, type: gateway, implementation: process,"
                                   " command: 'a  \"b c\"d ''''''e\"f'''''' g\\ h \"i\\\"\\n\" \"\" $HOME' }\n");
    static const char *const words[] = { "a", "b cd", "e\"f", "g h", "i\"\\n", "", "$HOME", NULL };
    for (int i = 0; words[i] || s->nodes[0].command[i]; i++)
        assert_string_equal(s->nodes[0].command[i], words[i]);
    scenario_free(s);
}

static void containers_are_read_in_both_forms(void **state)
{
    (void)state;
    struct scenario *s = load(
        HEAD
        "nodes:\n"
        "  - { id: a, type: service, implementation: docker, docker: { image: x, ports: [\"80:5000\", 5001, "
        "22:23/udp],\n"
        "      environment: [A=1, B, C=x=y], volumes: [\"./m:/m:ro\", data:/d], memory: 256M, cpus: 0.5,\n"
        "      healthcheck: { command: ./check it, interval: 2s } } }\n"
        "  - { id: b, type: service, implementation: docker, docker: { image: x, ports: { 5000: 81, 5001/tcp: ~ },\n"
        "      environment: { A: 1, B: , C: yes }, volumes: { ./m: { bind: /m, mode: ro } }, transport: exec,\n"
        "      exec: [python3, -u] } }\n");
    const struct docker_config *a = &s->nodes[0].docker, *b = &s->nodes[1].docker;
    assert_string_equal(a->ports.keys[0], "80");
    assert_string_equal(a->ports.values[0], "5000");
    assert_string_equal(a->ports.keys[1], "");
    assert_string_equal(a->ports.values[2], "23/udp");
    assert_string_equal(a->environment.values[1], "");
    assert_string_equal(a->environment.values[2], "x=y");
    assert_true(a->memory == 256 << 20);
    assert_true(a->cpus == 0.5);
    assert_string_equal(a->healthcheck.command[0], "CMD-SHELL");
    assert_string_equal(a->healthcheck.command[1], "./check it");
    assert_string_equal(b->ports.keys[0], "81");
    assert_string_equal(b->ports.values[0], "5000");
    assert_string_equal(b->ports.keys[1], "");
    assert_string_equal(b->environment.values[0], "1");
    assert_string_equal(b->environment.values[2], "yes");
    assert_string_equal(b->volumes[0], "./m:/m:ro");
    assert_int_equal(s->nodes[1].transport, TRANSPORT_EXEC);
    scenario_free(s);
}

static void faults_know_their_nodes_and_links(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "network: { model: latency }\n" PAIR "faults:\n  - { at: 3s, node: gateway, action: pause }\n"
                  "  - { at: 4s, link: [s1, gateway], loss: 1.0, for: 500ms }\n");
    assert_int_equal(s->fault_count, 2);
    assert_int_equal(s->faults[0].at, 3000000);
    assert_int_equal(s->faults[0].action, FAULT_PAUSE);
    assert_int_equal(s->faults[0].node, 1);
    assert_int_equal(s->faults[0].src, -1);
    assert_int_equal(s->faults[1].action, FAULT_LINK);
    assert_int_equal(s->faults[1].node, -1);
    assert_int_equal(s->faults[1].dst, 1);
    assert_true(s->faults[1].loss == 1);
    assert_int_equal(s->faults[1].latency, -1);
    assert_int_equal(s->faults[1].duration, 500000);
    scenario_free(s);
}

static void inference_is_settled_by_placement(void **state)
{
    (void)state;
    struct scenario *s =
        load(HEAD "ml_inference:\n  placement: cloud\n"
                  "  cloud_config: { model_path: m.json, threshold: 0.75, inference_delay: 2ms, batch: 4 }\n"
                  "nodes:\n  - { id: s1, type: sensor }\n  - { id: gateway, type: gateway }\n"
                  "  - { id: up, type: cloud, config: { inference_delay: 3ms, reply: true } }\n");
    assert_int_equal(s->ml.placement, PLACEMENT_CLOUD);
    assert_string_equal(s->ml.model_path, "m.json");
    assert_true(s->ml.threshold == 0.75);
    assert_string_equal(s->ml.json,
                        "{\"placement\":\"cloud\",\"cloud_config\":{\"model_path\":\"m.json\",\"threshold\":0.75,"
                        "\"inference_delay\":\"2ms\",\"batch\":4}}");
    assert_int_equal(s->nodes[1].model_config.readings_to, 2);
    assert_int_equal(s->nodes[1].model_config.inference_delay, 2000);
    assert_int_equal(s->nodes[2].model_config.inference_delay, 3000);
    assert_true(s->nodes[2].model_config.reply);
    scenario_free(s);
}

static void what_misleads_is_a_warning(void **state)
{
    (void)state;
    struct scenario *s = load_with(HEAD "network: { default_latency: 5ms }\n"
                                        "nodes:\n  - { id: s1, type: sensor, port: 5001, command: x }\n"
                                        "  - { id: gateway, type: gateway, restart: { max: 1 }, colour: red }\n",
                                   NULL, 0, 4);
    assert_int_equal(s->nodes[0].port, 0);
    assert_null(s->nodes[0].command);
    scenario_free(s);
    s = load_with(HEAD "network:\n  model: latency\n  default_latency: 500us\n  links:\n"
                       "    - { src: s1, dst: gateway, latency: 1us }\n    - { src: gateway, dst: s1, loss: 1 }\n" PAIR,
                  NULL, 0, 2);
    assert_int_equal(s->links[1].latency, 500);
    scenario_free(s);
}

static void examples_load_without_warnings(void **state)
{
    (void)state;
    static const char *const names[] = { "m0_baseline", "latency_loss", "three_tier", "large",
                                         "harness",     "loader",       "ml_edge",    "ml_cloud" };
    assert_int_equal(chdir(LOCKSTEP_SOURCE_DIR), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct problems problems = { 0 };
        char path[100];
        snprintf(path, sizeof path, "scenarios/%s.yaml", names[i]);
        struct scenario *s = scenario_load(path, NULL, 0, &problems);
        problems_print(&problems, stdout);
        assert_non_null(s);
        assert_int_equal(problems.count, 0);
        if (strncmp(names[i], "ml_", 3) == 0)
            assert_true(s->ml.model && s->ml.model->features == 1 && s->ml.model->bias == -3.0);
        problems_clear(&problems);
        scenario_free(s);
    }
}

/* The first problem of a text that loads. */
static void warned(const char *text, const char *line)
{
    struct problems problems = { 0 };
    struct scenario_source source = { .file = "test.yaml", .base_dir = "/tmp", .text = text, .len = strlen(text) };
    struct scenario *s = scenario_load_text(&source, &problems);
    char first[2000] = "";
    if (problems.count)
        problem_format(&problems.items[0], first, sizeof first);
    assert_string_equal(first, line);
    assert_non_null(s);
    problems_clear(&problems);
    scenario_free(s);
}

static void warnings_say_what_to_do(void **state)
{
    (void)state;
    warned(HEAD PAIR "faults: [{ at: 1s, node: s1, action: kill, for: 2s }]\n",
           "test.yaml:5:49: warning: faults[0].for: has no effect for a node; remove it");
    warned(HEAD PAIR "faults: [{ at: 10s, node: s1, action: kill }]\n",
           "test.yaml:5:16: warning: faults[0].at: is behind the last barrier before the end of the run; it never "
           "happens");
    warned(HEAD PAIR "faults: [{ at: 1s, link: [s1, gateway], loss: 1 }]\n",
           "test.yaml:5:26: warning: faults[0].link: has no effect with network.model direct; set `model: latency`");
    warned(HEAD "nodes: [{ id: g, type: gateway, platform: x, port: 5, docker: { image: x } }]\n",
           "test.yaml:2:43: warning: nodes[0].platform: has no effect with implementation 'model', nor has 'port' or "
           "'docker'; remove them");
    warned(HEAD
           "ml_inference: { placement: cloud, cloud_config: { model_path: m.json } }\nnodes: [{ id: s, type: cloud, "
           "colour: red }]\n",
           "test.yaml:3:31: warning: nodes[0].colour: unknown field, ignored");
    warned(HEAD
           "ml_inference: { placement: edge, edge_config: { model_path: m.json } }\nnodes: [{ id: s, type: cloud }]\n",
           "test.yaml:2:47: warning: ml_inference.edge_config: there is no gateway that would run the model; add a "
           "node of "
           "type gateway");
}

static void a_name_is_made_from_the_file(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        { "a/b.c.yaml", "b.c" }, { "b.yml", "b" },       { "/dev/fd/63", "63" },      { "a/.yaml", "_yaml" },
        { "x\ty.yaml", "x_y" },  { "dir/", "scenario" }, { "\xff.yaml", "scenario" }, { "42.yaml", "42" },
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct problems problems = { 0 };
        struct scenario_source source = {
            .file = files[i][0], .base_dir = "/tmp", .text = HEAD PAIR, .len = strlen(HEAD PAIR)
        };
        struct scenario *s = scenario_load_text(&source, &problems);
        assert_non_null(s);
        assert_string_equal(s->name, files[i][1]);
        scenario_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_documentation),
        cmocka_unit_test(three_spellings_are_one_scenario),
        cmocka_unit_test(a_type_may_name_the_implementation),
        cmocka_unit_test(scalars_resolve_as_in_yaml_1_1_and_json),
        cmocka_unit_test(anchors_and_merge_keys_repeat_values),
        cmocka_unit_test(overrides_win_over_every_spelling),
        cmocka_unit_test(overrides_reach_every_level),
        cmocka_unit_test(overrides_that_cannot_be_are_told_with_their_origin),
        cmocka_unit_test(seeds_are_exact_up_to_2_to_the_63),
        cmocka_unit_test(commands_split_as_a_shell_splits_words),
        cmocka_unit_test(containers_are_read_in_both_forms),
        cmocka_unit_test(faults_know_their_nodes_and_links),
        cmocka_unit_test(inference_is_settled_by_placement),
        cmocka_unit_test(what_misleads_is_a_warning),
        cmocka_unit_test(examples_load_without_warnings),
        cmocka_unit_test(warnings_say_what_to_do),
        cmocka_unit_test(a_name_is_made_from_the_file),
    };
    return cmocka_run_group_tests(tests, engine_socket_set_up, engine_socket_tear_down);
}
