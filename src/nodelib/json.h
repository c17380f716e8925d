/* A strict reader of JSON (RFC 8259) that leaves it as text. */
#ifndef NODELIB_JSON_H
#define NODELIB_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* The byte behind the value that begins at `at` (after blanks), or NULL with a reason in *why and its place in *where.
 */
const char *json_value_end(const char *at, const char *end, const char **why, const char **where);
const char *json_blanks(const char *at, const char *end); /* the first byte that is no blank, or end */

/* Text of one whole value: NULL where it is one, else what is wrong; its place in *where. */
const char *json_problem(const char *text, size_t len, size_t *where);

/* Walks the members of an object, or the items of an array, that is known to be valid. `at` is the byte behind the
 * bracket at first. Returns false behind the last one. Of an item only the value is set. */
struct json_part {
    const char *key, *value; /* the key's text with its quotes */
    size_t key_len, value_len;
};
bool json_next(const char **at, const char *end, bool object, struct json_part *part);

bool json_is(const char *text, size_t len, const char *word); /* the string with this content, decoded */
/* Appends what the string's text, with its quotes, stands for. */
void json_decode(struct buffer *out, const char *text, size_t len);
void json_encode(struct buffer *out, const char *text, size_t len);  /* with quotes; invalid UTF-8 becomes U+FFFD */
void json_compact(struct buffer *out, const char *text, size_t len); /* without blanks between the parts */

#endif
