/* Two JSON objects, key by key. */
#ifndef COMPARE_KEYS_H
#define COMPARE_KEYS_H

#include "base/json_text.h"
#include "lockstep/record.h"

#define KEYS_MOST (64u << 10) /* bytes of a text; the work grows with the square of it */

/* Of each value that differs, as deep as objects and lists on both sides reach: its path (payload.list.0), and what it
 * is in both; `s` is NULL where one has none. Of members of the whole that are the same, too. */
typedef void keys_told(void *data, const char *path, const struct json_span *a, const struct json_span *b, bool same);

/* Returns how many differ, or -1 where one of the texts is no JSON object, or too long. */
int keys_compare(struct text a, struct text b, keys_told *told, void *data);

#endif
