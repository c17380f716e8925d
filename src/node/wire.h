/* Lines out of a stream of bytes that a node wrote. Knows no descriptor: the caller reads into it. */
#ifndef NODE_WIRE_H
#define NODE_WIRE_H

#include <stddef.h>

#include "lockstep/error.h"
#include "lockstep/record.h"

#define WIRE_LINE_MAX (16u << 20) /* bytes of a line, its \n not counted */

/* Zero-initialise; the owner calls wire_free. */
struct wire {
    char *data;
    size_t start;   /* of the first byte not yet taken */
    size_t scanned; /* before it there is no \n from start on */
    size_t end, capacity;
};

/* Where to read to, and for how many bytes: some KiB at least. Lines that were taken are no longer good then. */
char *wire_room(struct wire *w, size_t *room);
void wire_filled(struct wire *w, size_t len); /* so many bytes were read there */

/* Takes the next whole line, without its \n and without a \r before that; it is good until wire_room. Returns 1; 0
 * where no whole line has come; -1 with *err set where a line is longer than WIRE_LINE_MAX. */
int wire_line(struct wire *w, struct text *line, struct error *err);
/* Puts a piece of the stream in, and calls `take` for each line that is whole then; who has no descriptor to read from
 * uses this alone. Returns -1 where a line is longer than WIRE_LINE_MAX: nothing more may be put in. */
int wire_take(struct wire *w, const char *s, size_t len, void (*take)(void *data, struct text line), void *data);
size_t wire_rest(const struct wire *w); /* bytes that are not taken yet */
void wire_free(struct wire *w);

#endif
