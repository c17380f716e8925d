/* JSON values, read and written. The only user of json-c. Numbers keep the text that they were written with. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "lockstep/error.h"

struct json; /* a value; members and elements belong to the value that they are part of */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

#define JSON_DEPTH 64 /* deeper nesting is refused */

/* One value and nothing behind it but blanks. Returns NULL with *why saying what is wrong (static text). JSON's null
 * is a value too: it comes as a pointer that json_kind knows. */
struct json *json_parse(const char *text, size_t len, const char **why);
void json_free(struct json *v); /* NULL is fine */

enum json_kind json_kind(const struct json *v); /* NULL: JSON_NULL */
enum json_kind json_kind_at(const char *value); /* of the value whose text begins there, by its first character */
const struct json *json_get(const struct json *object, const char *key);  /* NULL where there is none */
const struct json *json_at(const struct json *array, size_t i);
const struct json *json_member(const struct json *object, size_t i); /* its ith value, as written; NULL: none */
size_t json_count(const struct json *v); /* elements or members; 0 for others */
double json_double(const struct json *v, double otherwise);
int64_t json_int64(const struct json *v, int64_t otherwise); /* otherwise: no number, or not whole */
const char *json_string(const struct json *v, const char *otherwise); /* borrowed */

void json_write(struct buffer *out, const struct json *v);          /* one line, no spaces */
void json_quote(struct buffer *out, const char *s, size_t len); /* a JSON string; bad UTF-8 becomes U+FFFD */

#endif
