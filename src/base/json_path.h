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

/* A number as it stands in a text, as far as comparing it takes. */
struct json_number {
    double value;
    int64_t whole; /* good where is_whole */
    bool is_whole; /* it has neither point nor exponent, and 18 digits at most */
    bool is_near;  /* `value` is off by some units in the last place at most; json_number_exact knows better */
};
bool json_number_read(const char *s, size_t len, struct json_number *out); /* false: not a JSON number */
bool json_number_exact(const char *s, size_t len, struct json_number *out);

#endif
