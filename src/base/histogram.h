/* How often values came, in little memory: exact up to 15, beyond that to within 1/16. After the log-linear buckets of
 * HdrHistogram (G. Tene, 2012). */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS (16 * 45) /* values beyond 2^48 count as 2^48 */

struct histogram {
    uint64_t count;
    uint32_t buckets[HISTOGRAM_BUCKETS]; /* saturate */
};

void histogram_add(struct histogram *h, uint64_t value);
/* The value that a share of all (0 … 1) does not exceed; the upper end of its bucket. 0 while empty. */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
