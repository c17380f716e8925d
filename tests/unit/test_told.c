/* What is told to keys while nodes start, and for how long. */
#include "check.h"

#include <ftw.h>
#include <unistd.h>

#include "ui/app.h"

struct fixture {
    char dir[64], file[96], out[96];
    struct ui_options options;
    struct breakpoints *breakpoints;
    struct app app;
    struct loop *loop;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){ .dir = "/tmp/test_told_XXXXXX" };
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->file, sizeof f->file, "%s/s.yaml", f->dir);
    snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    test_write_file(f->dir, "s.yaml", "simulation: { duration: 1s, seed: 1 }\nnodes: [{ id: a, type: gateway }]\n");
    f->breakpoints = breakpoints_new();
    f->options = (struct ui_options){
        .file = f->file,
        .keys_file = "-",
        .session = { .out_dir = f->out, .until = SIMTIME_NEVER, .breakpoints = f->breakpoints },
    };
    f->loop = loop_new(app_watched_signals);
    app_init(&f->app, &f->options, f->loop);
    assert_non_null(f->app.session);
}

static void start(struct fixture *f)
{
    while (f->app.status.state < SESSION_PAUSED) {
        session_wait(f->app.session, -1, 10);
        session_step(f->app.session);
        app_refresh(&f->app);
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void tear_down(struct fixture *f)
{
    app_free(&f->app);
    loop_free(f->loop);
    breakpoints_free(f->breakpoints);
    assert_int_equal(nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void press(struct fixture *f, uint32_t key)
{
    app_input(&f->app, &(struct input){ .key = key });
}

static void what_is_told_of_the_start_goes_with_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    press(&f, ' ');
    press(&f, ' ');
    assert_string_equal(f.app.message, "It is paused when all nodes are ready");
    start(&f);
    assert_string_equal(f.app.message, "");
    tear_down(&f);
    set_up(&f);
    press(&f, 's');
    assert_string_equal(f.app.message, "That is not possible while the run is LOADED");
    start(&f);
    assert_string_equal(f.app.message, "");
    tear_down(&f);
}

static void what_was_told_since_stays(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    press(&f, ' ');
    press(&f, ' ');
    app_say(&f.app, ROLE_INFO, "Something else");
    start(&f);
    assert_string_equal(f.app.message, "Something else");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_of_the_start_goes_with_it),
        cmocka_unit_test(what_was_told_since_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
