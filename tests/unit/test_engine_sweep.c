/* What is removed of an engine. */
#include "engine_world.h"

#include "base/procfs.h"
#include "node/engine.h"
#include "node/engine_sweep.h"
#include "node/image_output.h"

struct told {
    struct buffer text; /* a line for each */
};

static void note(void *data, const struct swept *s)
{
    struct told *t = data;
    buffer_format(&t->text, "%s %s%s%s%s%s\n", s->kind ? s->kind : "engine", s->name ? s->name : "-",
                  s->node ? " of " : "", s->node ? s->node : "", s->why ? ": " : "", s->why ? s->why : "");
}

/* Sweeps; *told is what was told. */
static int sweep_world(struct world *w, struct engine_sweep *sweep, struct told *told)
{
    pthread_mutex_init(&w->lock, NULL);
    server_begin(&w->server, REACH_UNIX, be_an_engine);
    w->server.data = w;
    const char *addresses[] = { w->server.address };
    sweep->limit_ms = sweep->limit_ms ? sweep->limit_ms : 10000;
    sweep->told = note;
    sweep->data = told;
    int failed = engine_sweep(sweep, addresses, 1);
    server_end(&w->server);
    buffer_string(&told->text);
    return failed;
}

static void must_tell(struct told *t, const char *words)
{
    if (!strstr(t->text.data, words))
        fail_msg("'%s' is not in:\n%s", words, t->text.data);
}

static void what_belongs_to_others_stays_even_if_the_engine_does_not_know_the_filter(void **state)
{
    (void)state;
    struct world w = { .count = 8,
                       .things = { { .kind = "containers", .id = "ours", .run = RUN },
                                   { .kind = "containers", .id = "anothers", .run = "4000000-2" },
                                   { .kind = "containers", .id = "elsewhere", .run = RUN, .host = "another-machine" },
                                   { .kind = "containers", .id = "users" },
                                   { .kind = "networks", .id = "net", .run = RUN },
                                   { .kind = "networks", .id = "bridge" },
                                   { .kind = "volumes", .id = "data", .run = RUN },
                                   { .kind = "images", .id = "0123456789abcdef", .run = RUN } } };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    for (size_t i = 0; i < w.count; i++)
        assert_int_equal(w.things[i].is_gone, i == 0 || i == 4 || i >= 6);
    must_tell(&told, "container ours of n\n");
    must_tell(&told, "network net of n\n");
    must_tell(&told, "volume data of n\n");
    must_tell(&told, "image 0123456789ab of n\n");
    buffer_free(&told.text);
}

/* As a container that is made late brings it with it. */
static void a_volume_without_labels_goes_by_its_name(void **state)
{
    (void)state;
    char lives[80];
    struct buffer me = { 0 };
    procfs_identity(&me, getpid());
    snprintf(lives, sizeof lives, "lockstep-%s-data", buffer_string(&me));
    for (int of_all = 0; of_all < 2; of_all++) {
        struct world w = { .count = 8,
                           .things = { { .kind = "volumes", .id = "lockstep-" RUN "-data" },
                                       { .kind = "volumes", .id = "lockstep-4000000-2-data" },
                                       { .kind = "volumes", .id = lives },
                                       { .kind = "volumes", .id = "lockstep-" RUN },
                                       { .kind = "volumes", .id = "lockstep-4000000-data" },
                                       { .kind = "volumes", .id = "my-lockstep-" RUN "-data" },
                                       { .kind = "volumes", .id = "lockstep-" RUN "-far", .run = RUN, .host = "far" },
                                       { .kind = "networks", .id = "lockstep-" RUN "-net" } } };
        struct engine_sweep sweep = { .run = of_all ? NULL : RUN };
        struct told told = { 0 };
        assert_int_equal(sweep_world(&w, &sweep, &told), 0);
        for (size_t i = 0; i < w.count; i++)
            assert_int_equal(w.things[i].is_gone, i == 0 || (of_all && i == 1));
        buffer_free(&told.text);
    }
    buffer_free(&me);
}

static void a_newer_engine_is_spoken_to_as_it_wants_and_one_that_is_too_old_is_told(void **state)
{
    (void)state;
    struct world w = { .count = 1, .things = { { .kind = "containers", .id = "ours", .run = RUN } }, .least = 44 };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_true(w.things[0].is_gone);
    w.things[0].is_gone = false;
    w.least = 12;
    w.most = 40;
    assert_int_equal(sweep_world(&w, &sweep, &told), 1);
    assert_false(w.things[0].is_gone);
    must_tell(&told, "Docker 20.10 or Podman 4 or newer is needed; this engine is Docker ");
    buffer_free(&told.text);
}

static void words_are(const char *said, int status, const char *words)
{
    struct http_answer a = { .failure = HTTP_ANSWERED, .status = status };
    char got[300];
    buffer_text(&a.body, said);
    engine_words(&a, got, sizeof got);
    assert_string_equal(got, words);
    buffer_free(&a.body);
}

static void what_an_engine_says_is_told_with_short_ids_and_that_it_says_nothing(void **state)
{
    (void)state;
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    words_are("{\"message\":\"no such thing\\n\"}", 404, "no such thing\\n (404)");
    words_are("{\"message\":\"container " ID " is not paused\"}", 500, "container 0123456789ab is not paused (500)");
    words_are("{\"message\":\"\\\"" ID "\\\" and sha256:" ID "\"}", 409,
              "\"0123456789ab\" and sha256:0123456789ab (409)");
    words_are("{\"message\":\"" ID "0\"}", 409, ID "0 (409)");
    words_are("it is ill ", 500, "it is ill (500)");
    words_are("", 500, "(500), and it does not say why");
    words_are("{\"message\":\"\"}", 500, "{\"message\":\"\"} (500)");
}

static void version_is(const char *said, int status, const char *api, const char *why)
{
    struct http_answer a = { .failure = HTTP_ANSWERED, .status = status };
    struct error err = { 0 };
    char got[ENGINE_API_TEXT];
    buffer_text(&a.body, said);
    assert_int_equal(engine_version_read(&a, got, &err), why ? -1 : 0);
    assert_string_equal(got, api);
    assert_int_equal(err.code, why ? EXIT_LAUNCH : 0);
    if (why)
        assert_string_equal(err.text, why);
    buffer_free(&a.body);
}

static void the_version_that_is_spoken_is_our_own_or_the_least_that_a_newer_engine_takes(void **state)
{
    (void)state;
    version_is("{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}", 200, "/v1.41", NULL);
    version_is("{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}", 200, "/v1.44", NULL);
    version_is("{\"ApiVersion\":\"2.3\",\"MinAPIVersion\":\"2.0\"}", 200, "/v2.0", NULL);
    version_is("{\"ApiVersion\":\"1.45\",\"MinAPIVersion\":\"1.50\"}", 200, "/v1.41", NULL);
    version_is("{\"ApiVersion\":\"1.45/x\",\"MinAPIVersion\":\"1.44\"}", 200, "/v1.41", NULL);
    version_is("{}", 200, "/v1.41", NULL);
    version_is("no JSON", 200, "/v1.41", NULL);
    version_is("{\"message\":\"not here\"}", 403, "/v1.41", NULL);
    version_is("{\"ApiVersion\":\"1.40\",\"Version\":\"19.03.8\"}", 200, "",
               "Docker 20.10 or Podman 4 or newer is needed; this engine is Docker 19.03.8 with API 1.40");
    version_is("{\"ApiVersion\":\"1.40\",\"Version\":\"3.4.4\",\"Components\":[{\"Name\":\"Podman Engine\"}]}", 200, "",
               "Docker 20.10 or Podman 4 or newer is needed; this engine is Podman 3.4.4 with API 1.40");
}

static void what_others_have_made_of_an_image_of_the_run_is_theirs(void **state)
{
    (void)state;
    struct world w = { .count = 2,
                       .things = { { .kind = "containers", .id = "theirs", .run = RUN, .is_of_no_node = true },
                                   { .kind = "containers", .id = "ours", .run = RUN } } };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_string_equal(told.text.data, "container ours of n\n");
    buffer_free(&told.text);
}

static void podman_says_what_it_is_in_a_header(const char *header, int status, int known, const char *why)
{
    struct http_answer a = { .failure = HTTP_ANSWERED, .status = status };
    struct error err = { 0 };
    char api[ENGINE_API_TEXT] = "";
    snprintf(a.header, sizeof a.header, "%s", header);
    assert_int_equal(engine_ping_read(&a, api, &err), known);
    assert_string_equal(api, known > 0 ? "/v1.41" : "");
    assert_string_equal(err.text, why);
}

static void podman_is_known_by_its_ping_and_who_does_not_tell_there_is_asked_again(void **state)
{
    (void)state;
    podman_says_what_it_is_in_a_header("4.3.1", 200, 1, "");
    podman_says_what_it_is_in_a_header("10.0.0-dev", 200, 1, "");
    podman_says_what_it_is_in_a_header("3.4.4", 200, -1,
                                       "Docker 20.10 or Podman 4 or newer is needed; this engine is Podman 3.4.4");
    podman_says_what_it_is_in_a_header("", 200, 0, "");
    podman_says_what_it_is_in_a_header("new", 200, 0, "");
    podman_says_what_it_is_in_a_header("4.3.1", 403, 0, "");
}

static void podman_is_swept_without_its_version(void **state)
{
    (void)state;
    struct world w = { .count = 1,
                       .podman = "4.3.1",
                       .things = { { .kind = "containers", .id = "ours", .run = RUN } } };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_string_equal(told.text.data, "container ours of n\n");
    assert_false(w.was_asked_for_version);
    buffer_free(&told.text);
}

static void of_a_build_in_which_podman_was_killed_its_containers_go_and_its_own_names(void **state)
{
    (void)state;
    static const char step[] = "docker.io/library/" STEP "-tmp:latest";
    struct world w = {
        .count = 5,
        .podman = "4.3.1",
        .things = { { .kind = "images", .id = "111111111111aa", .run = RUN, .user = "222222222222" },
                    { .kind = "containers", .id = "222222222222", .parent = "111111111111aa", .state = "storage" },
                    { .kind = "containers", .id = "333333333333", .parent = "999999999999aa", .state = "storage" },
                    { .kind = "containers", .id = "444444444444", .parent = "111111111111aa", .state = "exited" },
                    { .kind = "images", .id = "555555555555aa", .run = RUN, .name = step } }
    };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    must_tell(&told, "container 222222222222\n");
    must_tell(&told, "image 111111111111 of n\n");
    for (size_t i = 0; i < w.count; i++)
        assert_int_equal(w.things[i].is_gone, i < 2 || i == 4);
    buffer_free(&told.text);
}

/* Their build begins with the run's image; all that it makes has the run's labels. */
static void what_others_build_of_an_image_of_the_run_is_theirs(void **state)
{
    (void)state;
    static const char step[] = "docker.io/library/" STEP "-tmp:latest";
    struct world
        w = { .count = 5,
              .podman = "4.3.1",
              .things = {
                  { .kind = "images", .id = "111111111111aa", .run = RUN, .name = "localhost/lockstep-" RUN ":0" },
                  { .kind = "images", .id = "222222222222aa", .run = RUN, .parent = "111111111111aa" },
                  { .kind = "images",
                    .id = "333333333333aa",
                    .run = RUN,
                    .parent = "222222222222aa",
                    .user = "444444444444" },
                  { .kind = "containers", .id = "444444444444", .parent = "333333333333aa", .state = "storage" },
                  { .kind = "images",
                    .id = "555555555555aa",
                    .run = RUN,
                    .name = step,
                    .parent = "sha256:222222222222aa" },
              } };
    struct engine_sweep sweep = { .run = RUN, .late_ms = 2500 }; /* looked at again once the name is gone */
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    for (size_t i = 0; i < w.count; i++)
        assert_int_equal(w.things[i].is_gone, i == 0);
    buffer_free(&told.text);
}

static void what_others_build_of_an_image_that_they_named_is_theirs_when_its_own_name_has_gone(void **state)
{
    (void)state;
    struct world w = { .count = 5,
                       .things = { { .kind = "images", .id = "111111111111aa", .name = "debian:12" },
                                   { .kind = "images",
                                     .id = "222222222222aa",
                                     .run = RUN,
                                     .parent = "111111111111aa",
                                     .name = "localhost/theirs:1" },
                                   { .kind = "images", .id = "333333333333aa", .run = RUN, .parent = "222222222222aa" },
                                   { .kind = "images", .id = "444444444444aa", .run = RUN, .parent = "111111111111aa" },
                                   { .kind = "containers", .id = "555555555555", .run = RUN } } };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    for (size_t i = 0; i < w.count; i++)
        assert_int_equal(w.things[i].is_gone, i >= 3);
    buffer_free(&told.text);
}

static void of_runs_in_general_only_those_go_whose_lockstep_is_gone(void **state)
{
    (void)state;
    struct buffer self = { 0 };
    procfs_identity(&self, getpid());
    struct world w = { .count = 4,
                       .things = { { .kind = "containers", .id = "dead", .run = RUN },
                                   { .kind = "containers", .id = "alive", .run = buffer_string(&self) },
                                   { .kind = "volumes", .id = "elsewhere", .run = RUN, .host = "another-machine" },
                                   { .kind = "networks", .id = "lives", .run = self.data } } };
    struct engine_sweep sweep = { .run = NULL };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_string_equal(told.text.data, "container dead of n\n");
    assert_true(w.things[0].is_gone);
    for (size_t i = 1; i < w.count; i++)
        assert_false(w.things[i].is_gone);
    buffer_free(&told.text);
    buffer_free(&self);
}

static void what_is_refused_at_first_is_asked_for_again(void **state)
{
    (void)state;
    struct world w = { .count = 2,
                       .broken_lists = 2,
                       .things = { { .kind = "containers", .id = "busy", .run = RUN, .refusals = 2 },
                                   { .kind = "networks", .id = "used", .run = RUN, .refusals = 1 } } };
    struct engine_sweep sweep = { .run = RUN };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_string_equal(told.text.data, "container busy of n\nnetwork used of n\n");
    buffer_free(&told.text);
}

static void what_is_refused_until_the_limit_is_told_with_the_engines_words(void **state)
{
    (void)state;
    struct world w = { .count = 1, .things = { { .kind = "networks", .id = "used", .run = RUN, .refusals = 1000 } } };
    struct engine_sweep sweep = { .run = RUN, .limit_ms = 300 };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 1);
    assert_string_equal(told.text.data, "network used of n: it is in use (409)\n");
    buffer_free(&told.text);
}

static void an_image_that_somebody_uses_is_not_tried_for_ever(void **state)
{
    (void)state;
    struct world w = { .count = 2,
                       .things = { { .kind = "images", .id = "used", .run = RUN, .refusals = 1000 },
                                   { .kind = "networks", .id = "net", .run = RUN } } };
    struct engine_sweep sweep = { .run = RUN, .limit_ms = 20000 };
    struct told told = { 0 };
    int64_t before = clock_ms();
    assert_int_equal(sweep_world(&w, &sweep, &told), 1);
    assert_in_range(clock_ms() - before, 1900, 10000);
    must_tell(&told, "network net of n\n");
    must_tell(&told, "image used of n: it is in use (409)\n");
    buffer_free(&told.text);
}

static void what_appears_late_goes_too(void **state)
{
    (void)state;
    for (int late_ms = 0; late_ms <= 800; late_ms += 800) {
        struct world w = { .count = 2,
                           .things = { { .kind = "containers", .id = "late", .run = RUN, .late = 2 },
                                       { .kind = "images", .id = "built", .run = RUN, .late = 1 } } };
        struct engine_sweep sweep = { .run = RUN, .late_ms = late_ms };
        struct told told = { 0 };
        assert_int_equal(sweep_world(&w, &sweep, &told), 0);
        assert_int_equal(w.things[0].is_gone, late_ms > 0);
        assert_int_equal(w.things[1].is_gone, late_ms > 0);
        buffer_free(&told.text);
    }
}

static void of_images_without_a_name_those_go_that_were_noted_and_what_was_made_of_them(void **state)
{
    (void)state;
    static const char built[][ENGINE_SWEEP_ID] = { "+00112233aabb", "+ffeeddccbbaa", "=aaaabbbbcccc" };
    struct world w = {
        .count = 8,
        .things = { { .kind = "images", .id = "00112233aabb99887766" },
                    { .kind = "images", .id = "998877665544ffeeddcc" },
                    { .kind = "containers", .id = "stays", .run = RUN },
                    { .kind = "images", .id = "aaaabbbbcccc11112222" },
                    { .kind = "images", .id = "101010101010", .parent = "aaaabbbbcccc11112222", .created = 1001 },
                    { .kind = "images", .id = "202020202020", .parent = "101010101010", .created = 1002 },
                    { .kind = "images", .id = "303030303030", .parent = "aaaabbbbcccc11112222", .created = 999 },
                    { .kind = "images",
                      .id = "404040404040",
                      .parent = "aaaabbbbcccc11112222",
                      .created = 1003,
                      .name = "of:another" } }
    };
    struct engine_sweep sweep = { .run = RUN, .built = built, .built_count = 3, .since_s = 1000, .only_builds = true };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    must_tell(&told, "image 00112233aabb\n");
    must_tell(&told, "image 101010101010\n");
    for (size_t i = 0; i < w.count; i++)
        assert_int_equal(w.things[i].is_gone, i == 0 || i == 4 || i == 5);
    buffer_free(&told.text);
}

static char *build_mark(const char *run, const char *host)
{
    struct buffer mark = { 0 };
    container_build_mark(&mark, run, host);
    buffer_text(&mark, ":127.0.0.1");
    buffer_string(&mark);
    return mark.data;
}

static void of_containers_without_a_label_those_go_in_which_steps_of_a_build_ran(void **state)
{
    (void)state;
    char host[ENGINE_HOST_TEXT], *lives;
    struct buffer me = { 0 };
    engine_host(host, sizeof host);
    procfs_identity(&me, getpid());
    lives = build_mark(buffer_string(&me), host);
    char *ours = build_mark(RUN, host), *anothers = build_mark("4000000-2", host),
         *elsewhere = build_mark(RUN, "other");
    enum { OF_RUN, ONLY_BUILDS, OF_ALL, OF_PODMAN, WITHOUT_BUILDS, HOWS };
    for (int how = 0; how < HOWS; how++) {
        bool none = how == OF_PODMAN || how == WITHOUT_BUILDS;
        struct world w = {
            .count = 7,
            .things = { { .kind = "containers", .id = "ours", .extra_host = ours, .created = 1000 },
                        { .kind = "containers", .id = "anothers", .extra_host = anothers, .created = 1000 },
                        { .kind = "containers", .id = "elsewhere", .extra_host = elsewhere, .created = 1000 },
                        { .kind = "containers", .id = "lives", .extra_host = lives, .created = 1000 },
                        { .kind = "containers", .id = "older", .extra_host = ours, .created = 999 },
                        { .kind = "containers", .id = "labelled", .extra_host = ours, .created = 1000, .run = "1-2" },
                        { .kind = "containers", .id = "users", .created = 1000 } },
            .podman = how == OF_PODMAN ? "4.3.1" : NULL,
        };
        struct engine_sweep sweep = { .run = how == OF_ALL ? NULL : RUN,
                                      .with_builds = how != WITHOUT_BUILDS,
                                      .since_s = how == OF_ALL ? 0 : 1000,
                                      .only_builds = how == ONLY_BUILDS,
                                      .late_ms = 700 };
        struct told told = { 0 };
        assert_int_equal(sweep_world(&w, &sweep, &told), 0);
        if (!none)
            must_tell(&told, "container ours\n");
        for (size_t i = 0; i < w.count; i++)
            assert_int_equal(w.things[i].is_gone, how == OF_ALL ? i < 2 || i == 4 || i == 5 : !none && i == 0);
        assert_int_equal(w.inspections, none ? 0 : how == OF_ALL ? 6 : 5); /* each once */
        buffer_free(&told.text);
    }
    free(ours);
    free(anothers);
    free(elsewhere);
    free(lives);
    buffer_free(&me);
}

/* Of the server's 64 connections not all are taken, however many containers there are. */
static void containers_are_asked_for_a_few_at_a_time_and_again_where_that_is_refused(void **state)
{
    (void)state;
    char host[ENGINE_HOST_TEXT];
    engine_host(host, sizeof host);
    char *ours = build_mark(RUN, host);
    struct world w = { .count = 1,
                       .things = { { .kind = "containers", .id = "ours", .extra_host = ours, .created = 1000 } },
                       .crowd = 500,
                       .refusals = 40 };
    struct engine_sweep sweep = { .run = RUN, .with_builds = true, .since_s = 1000 };
    struct told told = { 0 };
    assert_int_equal(sweep_world(&w, &sweep, &told), 0);
    assert_true(w.things[0].is_gone);
    assert_int_equal(w.inspections, 501);
    buffer_free(&told.text);
    free(ours);
}

static void a_build_has_made_what_it_did_not_find(void **state)
{
    (void)state;
    static const char said[] =
        "{\"stream\":\"Step 1/4 : FROM base\"}{\"stream\":\" ---\\u003e 111111111111\\n\"}"
        "{\"stream\":\"Step 2/4 : COPY a a\"}{\"stream\":\" ---\\u003e Using cache\\n\"}"
        "{\"stream\":\" ---\\u003e 222222222222\\n\"}"
        "{\"stream\":\"Step 3/4 : COPY b b\"}{\"stream\":\" ---\\u003e 33333333aabb\\n\"}"
        "{\"stream\":\"Step 4/4 : RUN x\"}{\"stream\":\" ---\\u003e Running in 444444444444\\n\"}"
        "{\"stream\":\" ---\\u003e 555555555555\\n\"}";
    struct error err = { 0 };
    struct image_output *o = image_output_new(IMAGE_BUILD);
    assert_int_equal(image_output_take(o, said, strlen(said), &err), 0);
    assert_string_equal(buffer_string(image_output_made(o)), "=111111111111\n=222222222222\n+33333333aabb\n"
                                                             "+555555555555\n");
    image_output_free(o);
}

static void say_nothing(struct visit *v)
{
    (void)v;
}

static void say_no(struct visit *v)
{
    visit_answer(v, "403 Forbidden", "{\"message\":\"not for you\"}");
}

static void an_engine_that_is_silent_away_or_unwilling_costs_no_more_than_its_time(void **state)
{
    (void)state;
    struct server silent, unwilling;
    struct told told = { 0 };
    server_begin(&silent, REACH_UNIX, say_nothing);
    server_begin(&unwilling, REACH_TCP, say_no);
    const char *addresses[] = { silent.address, "unix:///no/such/socket", unwilling.address, "nonsense" };
    struct engine_sweep sweep = { .run = RUN, .limit_ms = 500, .told = note, .data = &told };
    int64_t before = clock_ms();
    assert_int_equal(engine_sweep(&sweep, addresses, 4), 4);
    int64_t took = clock_ms() - before;
    assert_in_range(took, 400, 5000);
    buffer_string(&told.text);
    must_tell(&told, "there is no such socket");
    must_tell(&told, "list of containers: not for you (403)");
    must_tell(&told, "'nonsense' is neither");
    server_end(&silent);
    server_end(&unwilling);
    buffer_free(&told.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_belongs_to_others_stays_even_if_the_engine_does_not_know_the_filter),
        cmocka_unit_test(a_volume_without_labels_goes_by_its_name),
        cmocka_unit_test(a_newer_engine_is_spoken_to_as_it_wants_and_one_that_is_too_old_is_told),
        cmocka_unit_test(what_an_engine_says_is_told_with_short_ids_and_that_it_says_nothing),
        cmocka_unit_test(the_version_that_is_spoken_is_our_own_or_the_least_that_a_newer_engine_takes),
        cmocka_unit_test(podman_is_known_by_its_ping_and_who_does_not_tell_there_is_asked_again),
        cmocka_unit_test(podman_is_swept_without_its_version),
        cmocka_unit_test(of_a_build_in_which_podman_was_killed_its_containers_go_and_its_own_names),
        cmocka_unit_test(what_others_build_of_an_image_of_the_run_is_theirs),
        cmocka_unit_test(what_others_build_of_an_image_that_they_named_is_theirs_when_its_own_name_has_gone),
        cmocka_unit_test(what_others_have_made_of_an_image_of_the_run_is_theirs),
        cmocka_unit_test(of_runs_in_general_only_those_go_whose_lockstep_is_gone),
        cmocka_unit_test(what_is_refused_at_first_is_asked_for_again),
        cmocka_unit_test(what_is_refused_until_the_limit_is_told_with_the_engines_words),
        cmocka_unit_test(an_image_that_somebody_uses_is_not_tried_for_ever),
        cmocka_unit_test(what_appears_late_goes_too),
        cmocka_unit_test(of_images_without_a_name_those_go_that_were_noted_and_what_was_made_of_them),
        cmocka_unit_test(of_containers_without_a_label_those_go_in_which_steps_of_a_build_ran),
        cmocka_unit_test(containers_are_asked_for_a_few_at_a_time_and_again_where_that_is_refused),
        cmocka_unit_test(a_build_has_made_what_it_did_not_find),
        cmocka_unit_test(an_engine_that_is_silent_away_or_unwilling_costs_no_more_than_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
