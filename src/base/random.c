#include "base/random.h"

#include <math.h>

#include "base/digest.h"

#define N 624
#define M 397

static void init_genrand(struct random *r, uint32_t seed)
{
    r->state[0] = seed;
    for (uint32_t i = 1; i < N; i++)
        r->state[i] = UINT32_C(1812433253) * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
    r->next = N;
}

static void init_by_array(struct random *r, const uint32_t *key, uint32_t count)
{
    uint32_t i = 1, j = 0, *s = r->state;
    init_genrand(r, 19650218u);
    for (uint32_t k = N > count ? N : count; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * UINT32_C(1664525))) + key[j] + j;
        if (++i >= N)
            s[0] = s[N - 1], i = 1;
        if (++j >= count)
            j = 0;
    }
    for (uint32_t k = N - 1; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * UINT32_C(1566083941))) - i;
        if (++i >= N)
            s[0] = s[N - 1], i = 1;
    }
    s[0] = 0x80000000u;
}

void random_seed(struct random *r, uint64_t seed)
{
    uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    init_by_array(r, key, key[1] ? 2 : 1);
    r->has_spare = false;
}

void random_seed_text(struct random *r, const char *text)
{
    random_seed(r, digest_first64(text));
}

static uint32_t mix(uint32_t upper, uint32_t lower, uint32_t far)
{
    uint32_t y = (upper & 0x80000000u) | (lower & 0x7fffffffu);
    return far ^ (y >> 1) ^ ((0u - (y & 1u)) & 0x9908b0dfu);
}

static void make_words(struct random *r)
{
    uint32_t *s = r->state;
    for (int i = 0; i < N - M; i++)
        s[i] = mix(s[i], s[i + 1], s[i + M]);
    for (int i = N - M; i < N - 1; i++)
        s[i] = mix(s[i], s[i + 1], s[i + M - N]);
    s[N - 1] = mix(s[N - 1], s[0], s[M - 1]);
    r->next = 0;
}

static uint32_t word(struct random *r)
{
    if (r->next >= N)
        make_words(r);
    uint32_t y = r->state[r->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

double random_double(struct random *r)
{
    uint32_t high = word(r) >> 5, low = word(r) >> 6;
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
}

double random_gauss(struct random *r, double mu, double sigma)
{
    double z;
    if (r->has_spare) {
        z = r->spare;
        r->has_spare = false;
    } else {
        double angle = random_double(r) * (2.0 * 3.14159265358979323846);
        double radius = sqrt(-2.0 * log(1.0 - random_double(r)));
        z = cos(angle) * radius;
        r->spare = sin(angle) * radius;
        r->has_spare = true;
    }
    return mu + z * sigma;
}
