/* What the payloads of some records have: which members, and between which numbers theirs lie. */
#ifndef TRACE_STORE_RANGES_H
#define TRACE_STORE_RANGES_H

#include "lockstep/record.h"

#define STORE_RANGES 6 /* members that are told apart */

struct store_range {
    uint64_t key;     /* a hash of it, never 0; others may share it */
    double low, high; /* of its values that are numbers; low > high: there is none */
    bool has_others;  /* values that are no numbers */
};

/* All zero: no payload was taken in yet. */
struct store_ranges {
    struct store_range members[STORE_RANGES];
    int count;
    bool is_unknown; /* there is more than this can tell: anything may be there */
};

void store_ranges_take(struct store_ranges *s, struct text payload);
/* Whether one of the payloads may have such a member; one without a key: always. */
bool store_ranges_may_have(const struct store_ranges *s, const struct payload_member *m);

#endif
