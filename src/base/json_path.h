/* A value deep inside JSON text, found without building anything and without a look at what does not matter. */
#ifndef BASE_JSON_PATH_H
#define BASE_JSON_PATH_H

#include "base/json_text.h"

/* One step into a value: an object's member, or an array's element where the key is a number. Borrows the key. */
struct json_step {
    const char *key;
    size_t len;
    uint32_t index; /* the key as a number, from 0; JSON_NO_INDEX: it is none */
};
#define JSON_NO_INDEX UINT32_MAX
struct json_step json_step(const char *key, size_t len);

/* Goes `steps` steps into the value that the text is; none: *out is that value. Of a key that stands there twice, the
 * last one counts. False where there is no such value. The text should be JSON. Of other text nothing outside of it is
 * read, and what is found may be no JSON either. */
bool json_find(const char *s, size_t len, const struct json_step *path, size_t steps, struct json_span *out);

/* Tells of each member of the object that the text is, in order, where none of its names has an escape: of all of them,
 * or of some before it returns false. A text that is no JSON object or array has none. The text should be JSON. */
bool json_members(const char *s, size_t len,
                  void (*member)(void *data, const struct json_span *name, const struct json_span *value), void *data);

/* A path that many texts are searched for: what of it can be done once is. Borrows the path, which has one step at
 * least. Finds what json_find does, where the text is JSON. */
struct json_probe;
struct json_probe *json_probe_new(const struct json_step *path, size_t steps);
void json_probe_free(struct json_probe *p); /* NULL is fine */
bool json_probe_find(const struct json_probe *p, const char *s, size_t len, struct json_span *out);

/* A number as it stands in a text, as far as comparing it takes. */
struct json_number {
    double value;
    int64_t whole; /* good where is_whole */
    bool is_whole; /* it has neither point nor exponent, and 18 digits at most */
    bool is_near;  /* `value` is off by some units in the last place at most; json_number_exact knows better */
};
bool json_number_read(const char *s, size_t len, struct json_number *out); /* false: not a JSON number */
bool json_number_exact(const char *s, size_t len, struct json_number *out);

/* What the value there is beside a number, where a glance tells that. JSON_UNSURE: it takes json_probe_find. */
enum json_order { JSON_NOT_THERE, JSON_LESS, JSON_SAME, JSON_MORE, JSON_UNSURE };
enum json_order json_probe_order(const struct json_probe *p, const char *s, size_t len, const struct json_number *to);
#endif
