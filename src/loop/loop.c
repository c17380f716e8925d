/* The only user of libuv. */
#include "lockstep/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

#define SIGNALS_MAX 16
#define PENDING_MAX 64 /* signals that were not told yet; further ones are of no news */

struct loop {
    uv_loop_t uv;
    uv_timer_t timer;
    uv_poll_t input;
    int input_fd; /* that `input` watches; -1: none */
    bool input_open;
    uv_signal_t signals[SIGNALS_MAX];
    int signal_count;
    int pending[PENDING_MAX]; /* signals in the order in which they came */
    int pending_count;
    unsigned wake;
};

struct loop_watch {
    uv_poll_t poll;
    struct loop *loop;
    unsigned events;
    void (*ready)(void *data);
    void *data;
};

struct loop_timer {
    uv_timer_t timer;
    struct loop *loop;
    void (*due)(void *data);
    void *data;
};

static void must(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "lockstep: cannot %s: %s\n", what, uv_strerror(result));
        abort();
    }
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct loop *l = handle->data;
    if (l->pending_count < PENDING_MAX)
        l->pending[l->pending_count++] = signum;
    l->wake |= LOOP_WAKE_SIGNAL;
}

static void on_timer(uv_timer_t *handle)
{
    struct loop *l = handle->data;
    l->wake |= LOOP_WAKE_TIMEOUT;
    uv_stop(&l->uv); /* libuv looks at the timers before it waits, and would wait all the same */
}

static void on_input(uv_poll_t *handle, int status, int events)
{
    struct loop *l = handle->data;
    (void)status; /* a hang-up is for the reader to find */
    (void)events;
    l->wake |= LOOP_WAKE_INPUT;
}

static void on_input_closed(uv_handle_t *handle)
{
    struct loop *l = handle->data;
    l->input_open = false;
}

struct loop *loop_new(const int *signals)
{
    struct loop *l = mem_alloc(sizeof *l);
    l->input_fd = -1;
    must(uv_loop_init(&l->uv), "make an event loop");
    must(uv_timer_init(&l->uv, &l->timer), "make a timer");
    l->timer.data = l;
    for (; *signals && l->signal_count < SIGNALS_MAX; signals++) {
        struct sigaction before;
        if (sigaction(*signals, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
            continue; /* who started us does not want it to have an effect: nohup, a background job */
        uv_signal_t *handle = &l->signals[l->signal_count++];
        must(uv_signal_init(&l->uv, handle), "watch a signal");
        handle->data = l;
        must(uv_signal_start(handle, on_signal, *signals), "watch a signal");
    }
    return l;
}

static void watch_input(struct loop *l, int fd)
{
    if (fd == l->input_fd)
        return;
    if (l->input_open) {
        uv_close((uv_handle_t *)&l->input, on_input_closed);
        while (l->input_open)
            uv_run(&l->uv, UV_RUN_NOWAIT);
    }
    l->input_fd = fd;
    if (fd < 0 || uv_poll_init(&l->uv, &l->input, fd) < 0)
        return; /* a regular file: always readable */
    l->input.data = l;
    l->input_open = true;
    must(uv_poll_start(&l->input, UV_READABLE, on_input), "watch an input");
}

static void on_watch(uv_poll_t *handle, int status, int events)
{
    struct loop_watch *w = handle->data;
    (void)events;
    w->loop->wake |= LOOP_WAKE_WATCH;
    if (status < 0)
        w->events = 0; /* libuv has stopped to watch it: nobody is at the other end */
    w->ready(w->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct loop_watch *loop_watch(struct loop *l, int fd, unsigned events, void (*ready)(void *data), void *data)
{
    struct loop_watch *w = mem_alloc(sizeof *w);
    *w = (struct loop_watch){ .loop = l, .ready = ready, .data = data };
    must(uv_poll_init(&l->uv, &w->poll, fd), "watch a descriptor");
    w->poll.data = w;
    loop_watch_for(w, events);
    return w;
}

void loop_watch_for(struct loop_watch *w, unsigned events)
{
    int wanted = (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
    if (events == w->events)
        return;
    w->events = events;
    must(wanted ? uv_poll_start(&w->poll, wanted, on_watch) : uv_poll_stop(&w->poll), "watch a descriptor");
}

void loop_unwatch(struct loop_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

static void on_due(uv_timer_t *handle)
{
    struct loop_timer *t = handle->data;
    t->loop->wake |= LOOP_WAKE_WATCH;
    uv_stop(&t->loop->uv); /* as in on_timer */
    t->due(t->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct loop_timer *loop_timer(struct loop *l, void (*due)(void *data), void *data)
{
    struct loop_timer *t = mem_alloc(sizeof *t);
    *t = (struct loop_timer){ .loop = l, .due = due, .data = data };
    must(uv_timer_init(&l->uv, &t->timer), "make a timer");
    t->timer.data = t;
    return t;
}

void loop_timer_set(struct loop_timer *t, int64_t in_ms)
{
    if (in_ms < 0) {
        uv_timer_stop(&t->timer);
        return;
    }
    uv_update_time(&t->loop->uv); /* libuv counts from when it last looked at the clock */
    must(uv_timer_start(&t->timer, on_due, (uint64_t)in_ms, 0), "start a timer");
}

void loop_timer_free(struct loop_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

unsigned loop_wait(struct loop *l, int input_fd, int timeout_ms)
{
    l->wake = 0;
    watch_input(l, input_fd);
    if (input_fd >= 0 && !l->input_open)
        l->wake |= LOOP_WAKE_INPUT;
    if (timeout_ms == 0 || l->wake) {
        uv_run(&l->uv, UV_RUN_NOWAIT);
        return l->wake ? l->wake : (unsigned)LOOP_WAKE_TIMEOUT;
    }
    if (timeout_ms > 0) {
        uv_update_time(&l->uv);
        must(uv_timer_start(&l->timer, on_timer, (uint64_t)timeout_ms, 0), "start a timer");
    }
    while (!l->wake)
        uv_run(&l->uv, UV_RUN_ONCE);
    uv_timer_stop(&l->timer);
    return l->wake;
}

int loop_signal(struct loop *l)
{
    if (!l->pending_count)
        return 0;
    int first = l->pending[0];
    memmove(l->pending, l->pending + 1, (size_t)--l->pending_count * sizeof l->pending[0]);
    return first;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    watch_input(l, -1);
    uv_close((uv_handle_t *)&l->timer, NULL);
    for (int i = 0; i < l->signal_count; i++)
        uv_close((uv_handle_t *)&l->signals[i], NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    must(uv_loop_close(&l->uv), "close the event loop");
    free(l);
}
