#include "session/log_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "session/session_state.h"
#include "sim/barrier.h"

#define BLOCK_BYTES (256 << 10) /* of a log, at once */

/* A line that matches. */
struct match {
    simtime stamp; /* the time before it: when its first bytes came */
    simtime t;     /* the barrier at which it was whole; -1: not looked up yet */
    int node;
    int64_t begin, end; /* of the log: what was looked at of it; behind it */
};

struct wanted {
    int id;
    struct log_probe *probe;
    uint64_t from_hit;
    struct match *matches; /* from_hit 1: of each node the nearest; else all, also those before `from` */
    size_t count, capacity;
};

struct log_search {
    struct session *session;
    bool backward, from_begin;
    simtime from;
    int64_t *first, *last; /* bytes of the nodes' logs among which a line counts */
    struct wanted *wanted;
    size_t count;
    int node, fd;              /* that are looked at; -1: not opened yet */
    int64_t at, line_at;       /* what is read next; where the present line begins */
    simtime stamp;             /* of the present line */
    struct buffer block, line; /* block: read, and not cut into lines yet */
    bool in_line;              /* its begin was taken already */
};

static void sizes_at(struct session *s, simtime t, int64_t *out)
{
    struct past *p = viewing_survey(s);
    bool is_there = t >= 0 && p && past_seek(p, t);
    for (int i = 0; i < s->scenario->node_count; i++)
        out[i] = is_there ? past_node(p, i)->v[MOMENT_LOG] : 0;
}

struct log_search *log_search_new(struct session *s, bool backward, simtime from, simtime target)
{
    if (!viewing_survey(s))
        return NULL;
    struct log_search *l = mem_alloc(sizeof *l);
    l->session = s;
    l->backward = backward;
    l->from = from;
    l->fd = -1;
    l->first = mem_array((size_t)s->scenario->node_count, sizeof *l->first);
    l->last = mem_array((size_t)s->scenario->node_count, sizeof *l->last);
    sizes_at(s, backward ? target - 1 : from, l->first);
    sizes_at(s, backward ? from - 1 : target, l->last);
    return l;
}

void log_search_free(struct log_search *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++) {
        log_probe_free(l->wanted[i].probe);
        free(l->wanted[i].matches);
    }
    if (l->fd >= 0)
        close(l->fd);
    buffer_free(&l->block);
    buffer_free(&l->line);
    free(l->wanted);
    free(l->first);
    free(l->last);
    free(l);
}

void log_search_add(struct log_search *l, int id, struct log_probe *probe, uint64_t from_hit)
{
    l->wanted = mem_resize(l->wanted, (l->count + 1) * sizeof *l->wanted);
    l->wanted[l->count++] = (struct wanted){ .id = id, .probe = probe, .from_hit = from_hit };
    l->from_begin |= from_hit > 1;
}

/* Whether the log was that long at the kth barrier. */
static bool is_whole(const struct log_search *l, const struct match *m, simtime k)
{
    struct past *p = viewing_survey(l->session);
    const struct scenario *s = l->session->scenario;
    return p && past_seek(p, barrier_after(s, k * s->quantum)) && past_node(p, m->node)->v[MOMENT_LOG] >= m->end;
}

/* The first barrier, at or behind `from`, at which it was. */
static simtime barrier_of(const struct log_search *l, const struct match *m, simtime from)
{
    const struct scenario *s = l->session->scenario;
    simtime q = s->quantum, low = from / q, high = low, last = (s->duration + q - 1) / q;
    for (simtime step = 1; high < last && !is_whole(l, m, high); step *= 2) { /* most times it is the next one */
        low = high + 1;
        high = high + step < last ? high + step : last;
    }
    while (low < high) {
        simtime middle = low + (high - low) / 2;
        if (is_whole(l, m, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return barrier_after(s, high * q);
}

/* Where only the nearest counts the others of this node are left out. */
static void add_match(struct log_search *l, struct wanted *w, int64_t begin, int64_t end)
{
    bool is_one = w->from_hit == 1, has_one = w->count && w->matches[w->count - 1].node == l->node;
    struct match m = { .stamp = l->stamp, .t = -1, .node = l->node, .begin = begin, .end = end };
    if (is_one && ((has_one && !l->backward) || end <= l->first[l->node]))
        return;
    if (!is_one) /* which is the Nth goes by when they were whole */
        m.t = barrier_of(l, &m, has_one && w->matches[w->count - 1].t > m.stamp ? w->matches[w->count - 1].t : m.stamp);
    w->count -= is_one && has_one;
    w->matches = mem_grow(w->matches, w->count, &w->capacity, sizeof *w->matches);
    w->matches[w->count++] = m;
}

static void look_at_line(struct log_search *l, int64_t begin, int64_t end)
{
    const char *id = l->session->scenario->nodes[l->node].id, *line = buffer_string(&l->line);
    for (size_t i = 0; i < l->count; i++)
        if (log_probe_matches(l->wanted[i].probe, id, line))
            add_match(l, &l->wanted[i], begin, end);
    l->line.len = 0;
}

/* The time before a line, "[     1.234000 s] ", and what is behind it. */
static const char *take_stamp(const char *data, size_t len, simtime *t)
{
    const char *at = data + 1, *end = data + len;
    simtime seconds = 0, us = 0;
    if (!len || *data != '[')
        return data;
    while (at < end && *at == ' ')
        at++;
    for (; at < end && *at >= '0' && *at <= '9' && seconds < SIMTIME_MAX / 10000000; at++)
        seconds = 10 * seconds + (*at - '0');
    if (end - at < 11 || *at++ != '.')
        return data;
    for (int i = 0; i < 6; i++, at++) {
        if (*at < '0' || *at > '9')
            return data;
        us = 10 * us + (*at - '0');
    }
    if (memcmp(at, " s] ", 4) != 0)
        return data;
    *t = seconds * 1000000 + us;
    return at + 4;
}

/* Cuts what was read into lines; the rest, which may be the begin of one, is kept. */
static void take_lines(struct log_search *l, bool is_last)
{
    const char *data = l->block.data, *end = data + l->block.len;
    int64_t base = l->at - (int64_t)l->block.len; /* where that is in the file */
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        if (!newline && !is_last && end - data < BLOCK_BYTES)
            break;
        const char *next = newline ? newline + 1 : end;
        if (!l->in_line)
            data = take_stamp(data, (size_t)(next - data), &l->stamp);
        size_t left = (size_t)(next - data);
        while (left && log_probe_line(&l->line, &data, &left)) {
            int64_t at = base + (data - l->block.data);
            look_at_line(l, at - (int64_t)l->line.len - (data[-1] == '\n'), at);
        }
        l->in_line = !newline;
        data = next;
    }
    size_t rest = (size_t)(end - data);
    memmove(l->block.data, data, rest);
    l->block.len = rest;
}

/* Where the line that the byte before `at` is of begins. */
static int64_t line_begin(int fd, int64_t at)
{
    char block[4096];
    while (at > 0) {
        size_t size = at < (int64_t)sizeof block ? (size_t)at : sizeof block;
        if (pread(fd, block, size, at - (int64_t)size) != (ssize_t)size)
            return at;
        const char *newline = memrchr(block, '\n', size);
        if (newline)
            return at - (int64_t)size + (newline + 1 - block);
        at -= (int64_t)size;
    }
    return 0;
}

/* The log of the next node, where it has lines that count. */
static bool open_next(struct log_search *l)
{
    for (; l->node < l->session->scenario->node_count; l->node++) {
        int64_t from = l->from_begin ? 0 : l->first[l->node];
        if (from >= l->last[l->node] || (l->fd = viewing_open_log(l->session, l->node)) < 0)
            continue;
        l->at = line_begin(l->fd, from); /* it may have grown since, and match now */
        l->block.len = l->line.len = 0;
        l->in_line = false;
        l->stamp = 0;
        return true;
    }
    return false;
}

static bool is_found(const struct log_search *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct wanted *w = &l->wanted[i];
        if (w->from_hit > 1 || !w->count || w->matches[w->count - 1].node != l->node)
            return false;
    }
    return !l->backward;
}

bool log_search_work(struct log_search *l, int64_t deadline_ns)
{
    do {
        if (l->fd < 0 && !open_next(l))
            return false;
        int64_t left = l->last[l->node] - l->at;
        size_t size = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        buffer_grow(&l->block, size + 1);
        ssize_t n = pread(l->fd, l->block.data + l->block.len, size, l->at);
        l->block.len += n > 0 ? (size_t)n : 0;
        l->at += n > 0 ? n : 0;
        bool is_last = n <= 0 || l->at >= l->last[l->node];
        take_lines(l, is_last);
        if (is_last || is_found(l)) {
            close(l->fd);
            l->fd = -1;
            l->node++;
        }
    } while (clock_ns() < deadline_ns);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    if (x->node != y->node)
        return x->node - y->node;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Of those from the one on that counts first, the nearest; NULL: there is none. */
static const struct match *counted(const struct log_search *l, struct wanted *w)
{
    if (w->count)
        qsort(w->matches, w->count, sizeof *w->matches, compare);
    size_t first = w->from_hit - 1 < w->count ? (size_t)w->from_hit - 1 : w->count;
    const struct match *found = NULL;
    for (size_t i = first; i < w->count && (l->backward || !found); i++)
        if (w->matches[i].end > l->first[w->matches[i].node])
            found = &w->matches[i];
    return found;
}

static void read_line(const struct log_search *l, const struct match *m, char *out, size_t size)
{
    char text[LOG_LINE_MAX + 2];
    size_t len = (size_t)(m->end - m->begin) < sizeof text ? (size_t)(m->end - m->begin) : sizeof text - 1;
    int fd = viewing_open_log(l->session, m->node);
    ssize_t n = fd >= 0 ? pread(fd, text, len, m->begin) : 0;
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    breakpoints_log_line(out, size, l->session->scenario->nodes[m->node].id, text);
    if (fd >= 0)
        close(fd);
}

static void consider(const struct log_search *l, const struct wanted *w, const struct match *m, struct log_found *out)
{
    simtime t = m->t >= 0 ? m->t : barrier_of(l, m, m->stamp);
    if (out->id && (l->backward ? t <= out->t : t >= out->t))
        return;
    out->id = w->id;
    out->t = t;
    read_line(l, m, out->line, sizeof out->line);
}

bool log_search_found(struct log_search *l, struct log_found *out)
{
    *out = (struct log_found){ 0 };
    for (size_t i = 0; i < l->count; i++) {
        struct wanted *w = &l->wanted[i];
        const struct match *m = w->from_hit > 1 ? counted(l, w) : NULL;
        if (m)
            consider(l, w, m, out);
        for (size_t k = 0; w->from_hit == 1 && k < w->count; k++)
            consider(l, w, &w->matches[k], out);
    }
    return out->id > 0;
}
