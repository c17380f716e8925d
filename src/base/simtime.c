#include "lockstep/simtime.h"

#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    simtime us;
} units[] = {
    { "us", 1 },        { "ms", 1000 },        { "s", 1000000 },
    { "min", 60000000 }, { "h", 3600000000 },
};
#define UNITS (sizeof units / sizeof units[0])

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static int fail(const char **why, const char *text)
{
    *why = text;
    return -1;
}

/* Reads digits, a point and digits as a count of 10^-6 of the unit, exactly. */
struct decimal_text {
    uint64_t whole;
    uint64_t fraction; /* of 10^digits */
    uint64_t power;    /* 10^digits */
};

static int read_decimal(const char **s, struct decimal_text *d, const char **why)
{
    const char *at = *s;
    *d = (struct decimal_text){ .power = 1 };
    if (*at == '-')
        return fail(why, "a time cannot be negative");
    if (*at == '+')
        at++;
    const char *first = at;
    for (; *at >= '0' && *at <= '9'; at++) {
        d->whole = d->whole * 10 + (uint64_t)(*at - '0');
        if (d->whole > (uint64_t)SIMTIME_MAX)
            return fail(why, "longer than 2^53 microseconds (about 285 years)");
    }
    const char *point = at;
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9'; at++) {
            if (d->power < UINT64_C(1000000000000)) {
                d->fraction = d->fraction * 10 + (uint64_t)(*at - '0');
                d->power *= 10;
            } else if (*at != '0') {
                return fail(why, "finer than a microsecond");
            }
        }
    }
    if (at == first || (at == point + 1 && point == first))
        return fail(why, "not a time; write a number and a unit, for example 10ms, 2.5s, 1min");
    *s = at;
    return 0;
}

int simtime_parse(const char *text, simtime unit, simtime *out, const char **why)
{
    struct decimal_text d;
    const char *at = skip_blanks(text);
    if (read_decimal(&at, &d, why) < 0)
        return -1;
    at = skip_blanks(at);
    size_t len = strlen(at);
    while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    if (len) {
        size_t i = 0;
        while (i < UNITS && (strlen(units[i].name) != len || strncmp(units[i].name, at, len) != 0))
            i++;
        if (i == UNITS)
            return fail(why, "not a time; the units are us, ms, s, min and h");
        unit = units[i].us;
    }
    if (d.whole > (uint64_t)SIMTIME_MAX / (uint64_t)unit)
        return fail(why, "longer than 2^53 microseconds (about 285 years)");
    /* fraction * unit / power, exact: power divides what is left when both are reduced by the tens they share */
    uint64_t fraction = d.fraction, power = d.power, scale = (uint64_t)unit;
    while (power > 1 && (fraction % 10 == 0 || scale % 10 == 0)) {
        if (fraction % 10 == 0)
            fraction /= 10;
        else
            scale /= 10;
        power /= 10;
    }
    if (scale && fraction > UINT64_MAX / scale)
        return fail(why, "finer than a microsecond");
    uint64_t part = fraction * scale;
    if (part % power)
        return fail(why, "finer than a microsecond");
    uint64_t us = d.whole * (uint64_t)unit + part / power;
    if (us > (uint64_t)SIMTIME_MAX)
        return fail(why, "longer than 2^53 microseconds (about 285 years)");
    *out = (simtime)us;
    return 0;
}

/* Seconds and their fraction, cut after its last digit that is not zero. */
static size_t trim_zeros(char *buf, size_t len)
{
    while (len && buf[len - 1] == '0')
        len--;
    if (len && buf[len - 1] == '.')
        len--;
    buf[len] = '\0';
    return len;
}

size_t simtime_format(simtime t, char buf[SIMTIME_TEXT])
{
    if (t == SIMTIME_NEVER)
        return (size_t)snprintf(buf, SIMTIME_TEXT, "never");
    const char *sign = t < 0 ? "-" : "";
    uint64_t us = t < 0 ? 0 - (uint64_t)t : (uint64_t)t;
    if (us == 0)
        return (size_t)snprintf(buf, SIMTIME_TEXT, "0s");
    if (us < 1000)
        return (size_t)snprintf(buf, SIMTIME_TEXT, "%s%uus", sign, (unsigned)us);
    for (size_t i = UNITS - 1; i > 2; i--)
        if (us % (uint64_t)units[i].us == 0)
            return (size_t)snprintf(buf, SIMTIME_TEXT, "%s%llu%s", sign,
                                    (unsigned long long)(us / (uint64_t)units[i].us), units[i].name);
    const struct unit *u = &units[us < 1000000 ? 1 : 2];
    int digits = us < 1000000 ? 3 : 6;
    uint64_t size = (uint64_t)u->us;
    size_t len = (size_t)snprintf(buf, SIMTIME_TEXT, "%s%llu.%0*llu", sign, (unsigned long long)(us / size), digits,
                                  (unsigned long long)(us % size));
    len = trim_zeros(buf, len);
    return len + (size_t)snprintf(buf + len, SIMTIME_TEXT - len, "%s", u->name);
}

size_t simtime_format_seconds(simtime t, char buf[SIMTIME_TEXT])
{
    if (t == SIMTIME_NEVER)
        return (size_t)snprintf(buf, SIMTIME_TEXT, "never");
    uint64_t us = t < 0 ? 0 - (uint64_t)t : (uint64_t)t;
    return (size_t)snprintf(buf, SIMTIME_TEXT, "%s%llu.%06u", t < 0 ? "-" : "", (unsigned long long)(us / 1000000),
                            (unsigned)(us % 1000000));
}
