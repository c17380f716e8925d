/* Numbers that look measured, the same for the same seed. */
#ifndef FIRMWARE_GENERATOR_H
#define FIRMWARE_GENERATOR_H

#include <stdint.h>

struct generator {
    uint32_t state; /* never 0 */
};

void generator_start(struct generator *g, uint32_t seed);
/* Evenly spread over 1 … 2^32-1. */
uint32_t generator_next(struct generator *g);
/* A temperature in thousandths of a degree: about 20 degrees, two thirds of them within 2 degrees of it. */
int32_t generator_temperature(struct generator *g);

#endif
