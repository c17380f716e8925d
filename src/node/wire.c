#include "node/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#define ROOM_LEAST     4096u /* of one read */
#define CAPACITY_FIRST 16384u
#define CAPACITY_KEPT  (128u << 10)                  /* a larger one is given back once what was long is taken */
#define CAPACITY_MOST  (WIRE_LINE_MAX + (64u << 10)) /* holds every line that is allowed, and a good read more */
#define SHOWN          60                            /* bytes of a line that is too long */

/* Moves what is not taken to the front of a block of that capacity. */
static void move_rest(struct wire *w, size_t capacity)
{
    size_t rest = w->end - w->start;
    if (capacity == w->capacity) {
        memmove(w->data, w->data + w->start, rest);
    } else {
        char *data = mem_resize(NULL, capacity);
        if (rest)
            memcpy(data, w->data + w->start, rest);
        free(w->data);
        w->data = data;
        w->capacity = capacity;
    }
    w->scanned -= w->start;
    w->start = 0;
    w->end = rest;
}

/* Enough for `rest` bytes and a read, and an eighth of it free then: so each byte is moved a few times at most, however
 * they come. */
static size_t larger(size_t capacity, size_t rest)
{
    if (!capacity)
        capacity = CAPACITY_FIRST;
    while (rest + ROOM_LEAST > capacity - capacity / 8) {
        if (capacity < CAPACITY_MOST && rest + ROOM_LEAST <= CAPACITY_MOST)
            capacity = capacity * 2 < CAPACITY_MOST ? capacity * 2 : CAPACITY_MOST;
        else if (rest + ROOM_LEAST > capacity)
            capacity *= 2; /* lines that nobody takes */
        else
            break;
    }
    return capacity;
}

char *wire_room(struct wire *w, size_t *room)
{
    size_t rest = w->end - w->start;
    if (!rest)
        w->start = w->scanned = w->end = 0;
    if (w->capacity > CAPACITY_KEPT && rest <= w->capacity / 8)
        move_rest(w, larger(CAPACITY_FIRST, rest));
    else if (w->capacity - w->end < ROOM_LEAST)
        move_rest(w, larger(w->capacity, rest));
    *room = w->capacity - w->end;
    return w->data + w->end;
}

void wire_filled(struct wire *w, size_t len)
{
    w->end += len;
}

static int fail_long(const struct wire *w, struct error *err)
{
    struct buffer begin = { 0 };
    utf8_escape(&begin, w->data + w->start, SHOWN);
    error_set(err, EXIT_RUN_FAILED, "a line has more than %u MiB, the most that is read of one; it begins \"%s…\"",
              WIRE_LINE_MAX >> 20, buffer_string(&begin));
    buffer_free(&begin);
    return -1;
}

int wire_line(struct wire *w, struct text *line, struct error *err)
{
    if (w->scanned < w->end) {
        char *found = memchr(w->data + w->scanned, '\n', w->end - w->scanned);
        w->scanned = found ? (size_t)(found - w->data) : w->end;
    }
    size_t len = w->scanned - w->start;
    if (len > WIRE_LINE_MAX)
        return fail_long(w, err);
    if (w->scanned == w->end)
        return 0;
    *line = (struct text){ w->data + w->start, len };
    if (len && line->s[len - 1] == '\r')
        line->len--;
    w->start = ++w->scanned;
    return 1;
}

int wire_take(struct wire *w, const char *s, size_t len, void (*take)(void *data, struct text line), void *data)
{
    struct error err = { 0 };
    while (len) {
        size_t room;
        char *at = wire_room(w, &room);
        size_t part = len < room ? len : room;
        struct text line;
        int got;
        memcpy(at, s, part);
        wire_filled(w, part);
        s += part;
        len -= part;
        while ((got = wire_line(w, &line, &err)) > 0)
            take(data, line);
        if (got < 0)
            return -1;
    }
    return 0;
}

size_t wire_rest(const struct wire *w)
{
    return w->end - w->start;
}

void wire_free(struct wire *w)
{
    free(w->data);
    *w = (struct wire){ 0 };
}
