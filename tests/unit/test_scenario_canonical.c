/* The canonical text of a scenario says all of it again; the digest is of what decides the run. */
#include "engine_socket.h"
#include "scenario_text.h"

#include <dirent.h>
#include <unistd.h>

#include "base/buffer.h"

/* Loads a file, then its canonical text, under the same name and folder. */
static void check_round_trip(const char *path)
{
    struct problems problems = { 0 };
    struct scenario *s = scenario_load(path, NULL, 0, &problems);
    if (!s)
        problems_print(&problems, stdout);
    assert_non_null(s);
    struct scenario_source source = { .file = "elsewhere.yaml",
                                      .base_dir = "/nowhere",
                                      .text = s->canonical,
                                      .len = strlen(s->canonical),
                                      .environment = true };
    struct scenario *again = scenario_load_text(&source, &problems);
    if (!again)
        problems_print(&problems, stdout);
    assert_non_null(again);
    assert_string_equal(s->canonical, again->canonical);
    assert_string_equal(s->digest, again->digest);
    assert_int_equal(s->node_count, again->node_count);
    for (int i = 0; i < s->node_count; i++) {
        assert_string_equal(s->nodes[i].config_json, again->nodes[i].config_json);
        assert_memory_equal(&s->nodes[i].model_config, &again->nodes[i].model_config, sizeof s->nodes[i].model_config);
    }
    problems_clear(&problems);
    scenario_free(again);
    scenario_free(s);
}

static void canonical_text_loads_again_as_the_same(void **state)
{
    (void)state;
    assert_int_equal(chdir(LOCKSTEP_SOURCE_DIR), 0);
    DIR *folder = opendir("scenarios");
    int count = 0;
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        char path[600];
        size_t len = strlen(e->d_name);
        if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0 || strncmp(e->d_name, "renode_", 7) == 0)
            continue; /* those want Renode and its firmware: e2e/test_firmware.py */
        snprintf(path, sizeof path, "scenarios/%s", e->d_name);
        check_round_trip(path);
        count++;
    }
    closedir(folder);
    assert_true(count >= 8);
    check_round_trip("tests/golden/m0_seed42/scenario.yaml");
    check_round_trip("tests/golden/lat_default_loss_seed5/scenario.yaml");
}

/* The digest is of what decides the run: not of the folder, the pace or the description. */
static void the_digest_does_not_depend_on_the_folder(void **state)
{
    (void)state;
    static const char body[] = "nodes:\n  - { id: g, type: gateway, implementation: process, command: [./g] }\n";
    char digests[4][65];
    for (int i = 0; i < 4; i++) {
        char text[400];
        struct problems problems = { 0 };
        snprintf(text, sizeof text, "name: x\n%ssimulation: { duration: 1s, seed: %d%s }\n%s",
                 i == 1 ? "description: a run\n" : "", i == 3 ? 2 : 1, i == 1 ? ", pace: 2" : "", body);
        struct scenario_source source = {
            .file = "a.yaml", .base_dir = i == 2 ? "/other" : "/tmp", .text = text, .len = strlen(text)
        };
        struct scenario *s = scenario_load_text(&source, &problems);
        assert_non_null(s);
        assert_non_null(strstr(s->canonical, i == 2 ? "base_dir: /other\n" : "base_dir: /tmp\n"));
        memcpy(digests[i], s->digest, 65);
        scenario_free(s);
    }
    assert_string_equal(digests[0], digests[1]);
    assert_string_equal(digests[0], digests[2]);
    assert_string_not_equal(digests[0], digests[3]);
}

/* What YAML could misread is written so that it reads back: long keys, words that look like others, odd characters. */
static void canonical_text_keeps_odd_values(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    buffer_text(&text,
                "name: \"yes\"\ndescription: \"a: b # c\\n\\x85\\u2028\\uFEFF\\uFFFE\\x7f\"\n" HEAD
                "nodes:\n  - id: \"1.5\"\n    type: gateway\n    implementation: process\n    command: [x, \"\"]\n"
                "    config: { \"null\": \"~\", ? \"");
    for (int i = 0; i < 2000; i++)
        buffer_text(&text, "\\t");
    buffer_text(&text, "\": [on, {}, [], \"on\", \"1e3\", 1e3, \"\\0\"] }\n");
    struct scenario *s = load(buffer_string(&text)), *again = load(s->canonical);
    assert_string_equal(s->name, "yes");
    assert_string_equal(s->description, "a: b # c\n\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbe\x7f");
    assert_string_equal(again->name, s->name);
    assert_string_equal(again->description, s->description);
    assert_string_equal(again->nodes[0].id, "1.5");
    assert_string_equal(again->nodes[0].command[1], "");
    assert_string_equal(again->nodes[0].config_json, s->nodes[0].config_json);
    assert_string_equal(again->digest, s->digest);
    buffer_free(&text);
    scenario_free(again);
    scenario_free(s);
}

static void relative_volumes_start_at_the_folder_also_in_the_canonical_text(void **state)
{
    (void)state;
    static const struct {
        const char *volume;
        bool is_relative;
    } cases[] = { { "models/x:/data", true }, { "./x:/data", true }, { "..:/data", true }, { "/x:/data", false },
                  { "store:/data", false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[500];
        snprintf(text, sizeof text,
                 HEAD
                 "nodes: [{ id: a, type: service, implementation: docker, docker: { image: x, volumes: [\"%s\"] } }]\n",
                 cases[i].volume);
        struct scenario *s = load(text);
        assert_int_equal(strstr(s->canonical, "base_dir: ") != NULL, cases[i].is_relative);
        scenario_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text_loads_again_as_the_same),
        cmocka_unit_test(canonical_text_keeps_odd_values),
        cmocka_unit_test(the_digest_does_not_depend_on_the_folder),
        cmocka_unit_test(relative_volumes_start_at_the_folder_also_in_the_canonical_text),
    };
    return cmocka_run_group_tests(tests, engine_socket_set_up, engine_socket_tear_down);
}
