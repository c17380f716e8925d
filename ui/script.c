#include "ui/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "ui/keyfile.h"
#include "ui/screen.h"

#define WALL_LIMIT_MS 30000 /* for one step */
#define WAIT_MS       100
#define LOOK_MS       20

struct script {
    const char *file;
    struct app app;
    struct canvas canvas;
    struct error error;
};

/* One round of the main loop, without drawing; it waits for so long at most where there is nothing to do. */
static void turn(struct app *app, int wait_ms)
{
    bool more = app_work(app);
    if (app->session) {
        session_wait(app->session, -1, more ? 0 : wait_ms);
        session_step(app->session);
        app_refresh(app);
    }
    app_signals(app);
    app->redraw = app->suspend = false;
}

static void pump(struct app *app)
{
    turn(app, app_settled(app) ? 0 : WAIT_MS);
}

static void draw(struct script *s)
{
    app_tally(&s->app);
    screen_draw(&s->app, &s->canvas);
}

static void fail(struct script *s, const struct key_step *step, const char *what)
{
    error_set(&s->error, EXIT_RUN_FAILED, "%s:%d: %s", s->file, step->line, what);
}

/* Waits for what the step set going to end by itself, then draws: the panes know their sizes from drawing. */
static void settle(struct script *s, const struct key_step *step)
{
    struct app *app = &s->app;
    int64_t limit = clock_ms() + WALL_LIMIT_MS;
    app_refresh(app); /* what a key has changed of what is shown */
    draw(s);
    do {
        pump(app);
        if (clock_ms() > limit) {
            fail(s, step, "this did not end within 30 s");
            return;
        }
    } while (!app_settled(app) || (!app->leaving && app_work(app)));
    draw(s);
}

static bool reached(const struct app *app, const struct key_step *step)
{
    return step->kind == KEY_STEP_UNTIL_TIME ? app->status.now >= step->time : app->status.state == step->state;
}

static void until(struct script *s, const struct key_step *step)
{
    struct app *app = &s->app;
    int64_t limit = clock_ms() + WALL_LIMIT_MS;
    while (app->session && !reached(app, step)) {
        char text[160];
        enum session_state state = app->status.state;
        if (session_state_over(state) || (state == SESSION_PAUSED && app_settled(app)) || clock_ms() > limit) {
            snprintf(text, sizeof text, "this was not reached%s; the run is %s",
                     clock_ms() > limit ? " within 30 s" : "", session_state_name(state));
            fail(s, step, text);
            return;
        }
        pump(app);
    }
    if (!app->session)
        fail(s, step, "there is no run");
    draw(s);
    while (app_settled(app) && !app->leaving && app_work(app))
        ; /* panes that read bit by bit */
    draw(s);
}

static bool is_seen(const struct canvas *c, const char *text)
{
    struct buffer rows = { 0 };
    canvas_save(c, &rows);
    bool found = strstr(buffer_string(&rows), text) != NULL;
    buffer_free(&rows);
    return found;
}

/* Waits until a text is on the screen: for what nodes do in their own time. */
static void see(struct script *s, const struct key_step *step)
{
    int64_t limit = clock_ms() + WALL_LIMIT_MS;
    for (draw(s); !is_seen(&s->canvas, step->text); draw(s)) {
        if (clock_ms() > limit) {
            fail(s, step, "this was not seen within 30 s");
            return;
        }
        turn(&s->app, LOOK_MS);
    }
}

static void save_screen(struct script *s, const struct key_step *step)
{
    struct buffer text = { 0 };
    canvas_save(&s->canvas, &text);
    FILE *f = fopen(step->text, "we");
    bool written = f && fwrite(text.data, 1, text.len, f) == text.len;
    if ((f && fclose(f) != 0) || !written) {
        char why[400];
        snprintf(why, sizeof why, "%.200s: %s", step->text, strerror(errno));
        fail(s, step, why);
    }
    buffer_free(&text);
}

static void type(struct script *s, const struct key_step *step)
{
    size_t len = strlen(step->text);
    for (size_t i = 0; i < len;) {
        struct input in = { 0 };
        size_t bytes = utf8_decode(step->text + i, len - i, &in.key);
        if (!bytes)
            return;
        app_input(&s->app, &in);
        i += bytes;
    }
    settle(s, step);
}

static void do_command(struct script *s, const struct key_step *step)
{
    struct command_error err;
    s->app.dirty = true;
    s->app.message[0] = '\0';
    if (!command_do(&s->app, step->text, &err)) {
        char why[900];
        snprintf(why, sizeof why, "'%.400s': column %zu: %s", step->text, err.column, err.text);
        fail(s, step, why);
    }
    settle(s, step);
}

static void take_step(struct script *s, const struct key_step *step)
{
    struct input in = { .key = step->key, .x = step->x, .y = step->y };
    switch (step->kind) {
    case KEY_STEP_MOUSE:
        if (step->key == INPUT_DOUBLE_CLICK) /* its first half */
            app_input(&s->app, &(struct input){ .key = INPUT_CLICK, .x = step->x, .y = step->y });
        app_input(&s->app, &in);
        settle(s, step);
        break;
    case KEY_STEP_KEY:
        app_input(&s->app, &in);
        settle(s, step);
        break;
    case KEY_STEP_TYPE:
        type(s, step);
        break;
    case KEY_STEP_UNTIL_STATE:
    case KEY_STEP_UNTIL_TIME:
        until(s, step);
        break;
    case KEY_STEP_SEE:
        see(s, step);
        break;
    case KEY_STEP_SCREEN:
        save_screen(s, step);
        break;
    case KEY_STEP_COMMAND:
        do_command(s, step);
        break;
    case KEY_STEP_RESIZE:
        canvas_resize(&s->canvas, step->columns, step->rows);
        draw(s);
        break;
    }
}

/* As the key Q does. */
static void leave(struct script *s)
{
    struct app *app = &s->app;
    int64_t limit = clock_ms() + WALL_LIMIT_MS;
    if (!app->leaving)
        app_end(app, THEN_QUIT, 0);
    while (!app->leaving && clock_ms() < limit)
        pump(app);
}

int script_run(const struct ui_options *options)
{
    struct script s = { .file = options->keys_file };
    struct key_script script = { 0 };
    if (key_script_load(options->keys_file, &script, &s.error) != 0) {
        fprintf(stderr, "lockstep: %s\n", s.error.text);
        key_script_free(&script);
        return s.error.code;
    }
    struct loop *loop = loop_new(app_watched_signals);
    s.canvas.charset = options->ascii ? CHARSET_ASCII : CHARSET_UNICODE;
    canvas_resize(&s.canvas, options->columns, options->rows);
    app_init(&s.app, options, loop);
    struct key_step start = { 0 };
    settle(&s, &start);
    for (size_t i = 0; i < script.count && !s.error.code && !s.app.leaving; i++)
        take_step(&s, &script.steps[i]);
    leave(&s);
    int code = s.error.code ? s.error.code : app_exit_code(&s.app);
    if (s.error.code)
        fprintf(stderr, "lockstep: %s\n", s.error.text);
    app_free(&s.app);
    canvas_free(&s.canvas);
    key_script_free(&script);
    loop_free(loop);
    return code;
}
