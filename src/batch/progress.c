#include "batch/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"

#define BAR_EVERY_MS  100
#define LINE_EVERY_MS 5000
#define BAR_WIDTH     30
#define SECOND        ((simtime)1000000)
#define NARROW        70 /* columns: no bar, only the figures */

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

void progress_begin(struct progress *p, bool color, bool ascii)
{
    *p = (struct progress){ .terminal = isatty(STDERR_FILENO), .ascii = ascii, .color = color };
    p->last_ms = clock_ms();
}

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

static void add_duration(struct buffer *b, double seconds)
{
    long long whole = seconds < 1e15 ? (long long)seconds : 1000000000000000;
    if (seconds < 60)
        buffer_format(b, "%.0f s", seconds);
    else if (whole < 3600)
        buffer_format(b, "%lld:%02lld min", whole / 60, whole % 60);
    else
        buffer_format(b, "%lld:%02lld h", whole / 3600, whole / 60 % 60);
}

static void add_bar(struct buffer *b, const struct progress *p, double share)
{
    int full = (int)(share * BAR_WIDTH);
    buffer_text(b, p->color ? "\033[36m" : "");
    for (int i = 0; i < BAR_WIDTH; i++) {
        if (i == full && p->color)
            buffer_text(b, "\033[0;2m");
        buffer_text(b, p->ascii ? (i < full ? "#" : ".") : (i < full ? "━" : "─"));
    }
    buffer_text(b, p->color ? "\033[0m " : " ");
}

/* Finer than this it would only flicker. */
static simtime grain_of(simtime end)
{
    return end >= 100 * SECOND ? SECOND : end >= SECOND ? SECOND / 100 : 1;
}

static void add_figures(struct buffer *b, const struct session_status *s, double share)
{
    char now[SIMTIME_TEXT], end[SIMTIME_TEXT];
    simtime_format(s->now - s->now % grain_of(s->end), now);
    simtime_format(s->end, end);
    buffer_format(b, "%3.0f %%  t %s of %s", share * 100, now, end);
    if (s->speed > 0) {
        buffer_format(b, "  %.*fx  ", s->speed >= 10 ? 0 : s->speed >= 1 ? 1 : s->speed >= 0.01 ? 2 : 4, s->speed);
        add_duration(b, ((double)(s->end - s->now) / 1e6) / s->speed);
        buffer_text(b, " left");
    }
}

void progress_show(struct progress *p, const struct session *s)
{
    int64_t now = clock_ms();
    if (now - p->last_ms < (p->terminal ? BAR_EVERY_MS : LINE_EVERY_MS))
        return;
    p->last_ms = now;
    struct session_status status;
    struct buffer line = { 0 };
    session_status(s, &status);
    double share = status.end > 0 ? (double)status.now / (double)status.end : 1;
    if (p->terminal) {
        buffer_text(&line, "\r\033[K");
        if (columns() >= NARROW)
            add_bar(&line, p, share);
    } else {
        buffer_text(&line, "lockstep:");
    }
    add_figures(&line, &status, share);
    buffer_text(&line, p->terminal ? "" : "\n");
    fwrite(line.data, 1, line.len, stderr);
    fflush(stderr);
    p->drawn = p->terminal;
    buffer_free(&line);
}
