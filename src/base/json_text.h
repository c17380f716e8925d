/* JSON text read as it stands, strictly as RFC 8259 has it, from left to right: values come as pieces of the text, so
 * that numbers keep every digit and nothing is built. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"

/* A piece of the text: one whole value, or a member's name (a JSON_STRING). It borrows the text. */
struct json_span {
    enum json_kind kind;
    const char *s; /* strings: with their quotes */
    size_t len;
    bool blanks;  /* there may be blanks in it, outside strings */
    bool escapes; /* strings: a backslash is in it */
};

/* A place in a text. */
struct json_text {
    const char *begin, *at, *end;
    const char *why;  /* static text, once something was wrong; `at` is then where */
    uint64_t objects; /* of each array and object that is open, the innermost lowest: is it an object */
    int depth;        /* how many are open */
    bool fresh;       /* the innermost has been opened and has had no item yet */
    bool blanks;      /* there were some */
};

void json_text_begin(struct json_text *t, const char *s, size_t len);
enum json_kind json_text_kind(struct json_text *t); /* of the value that comes next, by its first character */

/* All of these return false where the text is no JSON: t->why is set then. */
bool json_text_value(struct json_text *t, struct json_span *value); /* takes the next value, whole */
bool json_text_open(struct json_text *t); /* takes the [ or { that comes next: goes on with its items */
/* Stands before the next item of the array or object that was opened last, and has taken an object's name; or *more is
 * false and the array or object is closed. `name` may be NULL for arrays. */
bool json_text_item(struct json_text *t, struct json_span *name, bool *more);
bool json_text_end(struct json_text *t); /* nothing but blanks follows */

size_t json_text_column(const struct json_text *t); /* of t->at, in characters, from 1 */

/* The characters of a string, at most `room` bytes of UTF-8. Half a surrogate pair becomes U+FFFD. Returns the length,
 * or SIZE_MAX where there are more. */
size_t json_span_unescape(const struct json_span *string, char *out, size_t room);
bool json_span_is(const struct json_span *string, const char *plain, size_t len); /* are these its characters? */
/* Without blanks outside strings. `out` has room for span->len bytes. Returns the length. */
size_t json_span_compact(const struct json_span *span, char *out);

/* A whole number, however it is written (1000, 1000.0, 1e3). Returns 0, or -1 where it is none. One that int64_t cannot
 * hold becomes INT64_MIN or INT64_MAX. */
int json_span_whole(const struct json_span *number, int64_t *out);

#endif
