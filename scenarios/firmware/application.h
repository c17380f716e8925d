/* What makes a firmware a sensor or an actuator. main.c is told which one; everything else they share. */
#ifndef FIRMWARE_APPLICATION_H
#define FIRMWARE_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "line.h"

struct application {
    /* Once, at the start; everything begins anew. */
    void (*start)(void);
    /* A line came; it may be anything, and is gone when this returns. */
    void (*line)(struct piece line, uint64_t now);
    /* Time has passed; at least once a millisecond. */
    void (*tick)(uint64_t now);
};

extern const struct application sensor, actuator;

/* Handles what came, a bounded part of it, and then the time. True where more may have come already. */
bool application_turn(const struct application *application, struct line *line);

#endif
