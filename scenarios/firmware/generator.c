#include "generator.h"

#define PARTS      12   /* the sum of so many even numbers is spread almost as a bell */
#define PART_RANGE 1000 /* each is 0 … 999 */
#define PARTS_MEAN (PARTS * (PART_RANGE - 1) / 2)

void generator_start(struct generator *g, uint32_t seed)
{
    g->state = seed ? seed : 0x9E3779B9u; /* with 0 it would stay there */
}

/* xorshift32: G. Marsaglia, "Xorshift RNGs", 2003. */
uint32_t generator_next(struct generator *g)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 17;
    g->state ^= g->state << 5;
    return g->state;
}

int32_t generator_temperature(struct generator *g)
{
    int32_t sum = 0;
    for (int i = 0; i < PARTS; i++)
        sum += (int32_t)(generator_next(g) % PART_RANGE);
    return 20000 + 2 * (sum - PARTS_MEAN); /* the deviation of the sum is 1000 */
}
