/* The random numbers of the simulation: those of Python's random.Random, so that results can be compared with nodes
 * written in Python.
 *
 * MT19937: M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, seeded by init_by_array (2002).
 * The distributions follow the documentation of CPython's module `random`. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint32_t state[624];
    int next;          /* the word to give next; 624: make new ones first */
    bool has_spare;    /* the second number of a gauss pair */
    double spare;
};

void random_seed(struct random *r, uint64_t seed);       /* as random.Random(seed) */
void random_seed_text(struct random *r, const char *text); /* the first 8 bytes of the text's SHA-256, big-endian */
double random_double(struct random *r);                  /* [0, 1), 53 bits */
double random_gauss(struct random *r, double mu, double sigma);

#endif
