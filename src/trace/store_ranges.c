#include "trace/store_ranges.h"

#include <math.h>

#include "base/json_path.h"

#define MARGIN 1e-14 /* relative: no number that is compared is further off */

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *s, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
    return h | 1;
}

static struct store_range *find(struct store_ranges *s, uint64_t key)
{
    for (int i = 0; i < s->count; i++)
        if (s->members[i].key == key)
            return &s->members[i];
    return NULL;
}

static void take_number(struct store_range *r, double value)
{
    double margin = fabs(value) * MARGIN;
    r->low = value - margin < r->low ? value - margin : r->low;
    r->high = value + margin > r->high ? value + margin : r->high;
}

static void take_member(void *data, const struct json_span *name, const struct json_span *value)
{
    struct store_ranges *s = data;
    struct json_number n;
    uint64_t key = hash(name->s + 1, name->len - 2);
    struct store_range *r = find(s, key);
    if (!r && s->count == STORE_RANGES) {
        s->is_unknown = true;
        return;
    }
    if (!r) {
        r = &s->members[s->count++];
        *r = (struct store_range){ .key = key, .low = INFINITY, .high = -INFINITY };
    }
    if (value->kind == JSON_NUMBER && json_number_read(value->s, value->len, &n))
        take_number(r, n.value);
    else
        r->has_others = true;
}

void store_ranges_take(struct store_ranges *s, struct text payload)
{
    if (!s->is_unknown && !json_members(payload.s, payload.len, take_member, s))
        s->is_unknown = true;
}

bool store_ranges_may_have(const struct store_ranges *s, const struct payload_member *m)
{
    if (!m->key.s || s->is_unknown)
        return true;
    const struct store_range *r = find((struct store_ranges *)(uintptr_t)s, hash(m->key.s, m->key.len));
    return r && ((m->others_count && r->has_others) || (r->low <= r->high && r->low <= m->high && r->high >= m->low));
}
