/* Finds fields in a JSON object on a line, without memory of its own: what it finds are pieces of the line. */
#ifndef FIRMWARE_FIELD_H
#define FIRMWARE_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "piece.h"

#define FIELD_DEPTH_MAX 64 /* objects and arrays inside one another */
#define FIELD_NAME_MAX  64 /* bytes of a node's name */

/* The value of a member, as it stands in the object; of a key that stands there twice the last one. None where the
 * object has no such member, or is no whole and valid JSON object, or is deeper than FIELD_DEPTH_MAX. Keys are compared
 * as they are written. */
struct piece field_find(struct piece object, const char *key);
/* Is it the string `text`, written without escapes? */
bool field_is(struct piece value, const char *text);
/* A whole number from least to most, without a point or an exponent; otherwise *out stays as it is. */
bool field_integer(struct piece value, int32_t least, int32_t most, int32_t *out);
/* A node's name: what is between the quotes, letters, digits, `_`, `.` and `-`. None where it is something else. */
struct piece field_name(struct piece value);

#endif
