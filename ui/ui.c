#include "ui/ui.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "ui/screen.h"
#include "ui/script.h"
#include "ui/term.h"

#define FRAME_MS      33  /* between two frames, at least */
#define PULSE_MS      100 /* between two looks at a run that is under way, at most: for what is waited for */
#define COST_SHARE    40  /* while it is, drawing takes one part in so many of the time (a terminal may be slow) … */
#define FRAME_MOST_MS 250 /* … but a frame comes at least so often */
#define KEYS_MAX      64  /* taken in one step */

struct front {
    struct app app;
    struct canvas canvas;
    int64_t drawn_ms; /* when the last frame was drawn */
    int64_t cost_us;  /* what it took */
    bool asked;       /* a person did something since */
    bool more_keys;   /* some may have been read but not taken: waiting for input does not tell of those */
    bool gone;        /* nobody is at the terminal any more */
};

static bool under_way(const struct app *app)
{
    return app->session && (app->status.state == SESSION_RUNNING || app->status.state == SESSION_STARTING ||
                            app->status.state == SESSION_ENDING || app->status.waiting_for >= 0 ||
                            app->status.is_searching || app->await != AWAIT_NOTHING || app->act.pending);
}

/* How long a frame is to last. */
static int64_t frame_time(const struct front *f)
{
    int64_t fair = f->cost_us * COST_SHARE / 1000;
    enum session_state s = f->app.status.state;
    bool moving = s == SESSION_RUNNING || s == SESSION_STARTING || s == SESSION_ENDING;
    if (f->asked || !moving || fair < FRAME_MS)
        return FRAME_MS;
    return fair < FRAME_MOST_MS ? fair : FRAME_MOST_MS;
}

/* How long nothing needs to be done, in ms; -1: for ever. */
static int quiet_time(const struct front *f, bool more_work)
{
    int64_t since = clock_ms() - f->drawn_ms;
    int64_t frame = frame_time(f);
    int64_t wait = f->app.dirty || frame > PULSE_MS ? frame - since : PULSE_MS - since;
    if (more_work || (f->more_keys && f->app.await == AWAIT_NOTHING))
        return 0;
    if (!f->app.dirty && !under_way(&f->app))
        return -1;
    return wait > 0 ? (int)wait : 0;
}

static unsigned wait_for_something(struct front *f, bool more_work)
{
    int timeout = quiet_time(f, more_work), input = f->gone ? -1 : term_fd();
    int key = f->more_keys ? -1 : term_wait(); /* one of which a part has come */
    if (key >= 0 && (timeout < 0 || key < timeout))
        timeout = key;
    if (f->app.session)
        return session_wait(f->app.session, input, timeout);
    return loop_wait(f->app.loop, input, timeout);
}

static void take_keys(struct front *f, bool input)
{
    struct app *app = &f->app;
    struct input in;
    int taken = 0;
    f->more_keys = true;
    while (taken < KEYS_MAX && !app->leaving) {
        if (!term_key(&in)) {
            f->more_keys = false;
            break;
        }
        app_input(app, &in);
        taken++;
        if (app->suspend || app->await != AWAIT_NOTHING)
            break; /* before what was typed behind it: that is for what comes of this key */
    }
    f->asked |= taken > 0;
    if (input && !taken && term_gone()) {
        f->gone = true;
        app_hang_up(app);
    }
}

static void fit_canvas(struct front *f)
{
    int columns, rows;
    term_size(&columns, &rows);
    if (columns != f->canvas.columns || rows != f->canvas.rows)
        canvas_resize(&f->canvas, columns, rows);
    f->app.dirty = true;
}

static void draw(struct front *f)
{
    int64_t start = clock_us();
    app_tally(&f->app);
    screen_draw(&f->app, &f->canvas);
    term_show(&f->canvas);
    f->app.dirty = f->asked = false;
    f->cost_us = clock_us() - start;
    f->drawn_ms = clock_ms();
}

/* One step of the front: signals, keys, screen. */
static void front_step(struct front *f, bool input)
{
    struct app *app = &f->app;
    bool suspend_group = false;
    app_signals(app);
    if (!app->suspend) {
        take_keys(f, input);
        app_refresh(app);
        suspend_group = app->suspend;
    }
    if (app->suspend) {
        app->suspend = false;
        term_suspend(suspend_group);
        app->redraw = true;
    }
    if (app->redraw) {
        app->redraw = false;
        term_redraw();
        fit_canvas(f);
        f->asked = true;
    }
    int64_t since = clock_ms() - f->drawn_ms;
    bool soon = app->await != AWAIT_NOTHING && since < PULSE_MS; /* the screen that a key asked for */
    if ((app->dirty || (under_way(app) && since >= PULSE_MS)) && since >= frame_time(f) && !soon)
        draw(f);
}

static void main_loop(struct front *f)
{
    struct app *app = &f->app;
    bool more_work = false;
    while (!app->leaving) {
        unsigned wake = wait_for_something(f, more_work);
        if (app->session) {
            session_step(app->session);
            app_refresh(app);
        }
        front_step(f, wake & LOOP_WAKE_INPUT);
        more_work = app_work(app);
    }
}

/* What stays on the screen behind the program. */
static void say_goodbye(const struct app *app)
{
    const struct session_status *s = &app->status;
    char now[SIMTIME_TEXT];
    if (app->launch.code)
        fprintf(stderr, "lockstep: %s\n", app->launch.text);
    if (!app->session || !s->outcome || s->quanta == 0 || s->is_recorded)
        return;
    simtime_format(s->now, now);
    struct buffer line = { 0 };
    buffer_format(&line, "lockstep: %s at %s%s%s, results in ", s->outcome, now, *s->cause ? ": " : "", s->cause);
    utf8_escape(&line, s->run_dir, strlen(s->run_dir));
    puts(buffer_string(&line));
    buffer_free(&line);
}

static int terminal_run(const struct ui_options *options)
{
    struct front f = { 0 };
    struct error err = { 0 };
    struct loop *loop = loop_new(app_watched_signals); /* first: curses leaves alone what is watched */
    if (term_open(options->color, options->ascii, &err) != 0) {
        fprintf(stderr, "lockstep: %s\n", err.text);
        loop_free(loop);
        return err.code;
    }
    f.canvas.charset = term_charset();
    fit_canvas(&f);
    app_init(&f.app, options, loop);
    term_use_theme(&f.app.config.theme);
    main_loop(&f);
    term_close();
    say_goodbye(&f.app);
    int code = app_exit_code(&f.app);
    app_free(&f.app);
    canvas_free(&f.canvas);
    loop_free(loop);
    return code;
}

int ui_run(const struct ui_options *options)
{
    return options->keys_file ? script_run(options) : terminal_run(options);
}
