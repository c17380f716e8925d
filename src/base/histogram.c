#include "base/histogram.h"

#define SUB 16 /* buckets per power of two */

static unsigned bucket_of(uint64_t v)
{
    if (v < SUB)
        return (unsigned)v;
    unsigned power = 63u - (unsigned)__builtin_clzll(v); /* >= 4 */
    unsigned bucket = (power - 3) * SUB + (unsigned)(v >> (power - 4)) - SUB;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t end_of(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    unsigned shift = bucket / SUB - 1;
    return ((uint64_t)(SUB + bucket % SUB + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    uint32_t *bucket = &h->buckets[bucket_of(value)];
    h->count++;
    if (*bucket < UINT32_MAX)
        ++*bucket;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
    double want = share * (double)h->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (h->buckets[i] && (double)seen >= want)
            return end_of(i);
    }
    return 0;
}
