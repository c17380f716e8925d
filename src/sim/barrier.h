/* The grid of barriers: multiples of the quantum, and the duration. */
#ifndef SIM_BARRIER_H
#define SIM_BARRIER_H

#include "lockstep/scenario.h"

/* The first barrier at or after t, at most the duration. */
static inline simtime barrier_after(const struct scenario *s, simtime t)
{
    simtime q = s->quantum, end = s->duration;
    if (t >= end)
        return end;
    simtime grid = t / q * q;
    grid += grid < t ? q : 0;
    return grid < end ? grid : end;
}

/* The last barrier before t; 0 where there is none. */
static inline simtime barrier_before(const struct scenario *s, simtime t)
{
    return t > 0 ? (t - 1) / s->quantum * s->quantum : 0;
}

#endif
