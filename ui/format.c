#include "ui/format.h"

#include <stdio.h>
#include <string.h>

const char *format_count(uint64_t v, char buf[FORMAT_TEXT])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    char *to = buf;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return buf;
}

const char *format_brief(uint64_t v, int width, char buf[FORMAT_TEXT])
{
    static const char units[] = { ' ', 'k', 'M', 'G', 'T', 'P', 'E' };
    if ((int)strlen(format_count(v, buf)) <= width)
        return buf;
    double scaled = (double)v;
    int unit = 0;
    for (; scaled >= 999.5 && unit < 6; unit++)
        scaled /= 1000;
    snprintf(buf, FORMAT_TEXT, "%.*f%c", scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2, scaled, units[unit]);
    return buf;
}

const char *format_typed(simtime t, char buf[FORMAT_TEXT])
{
    simtime_format(t, buf);
    return buf;
}

const char *format_spaced(simtime t, char buf[FORMAT_TEXT])
{
    char exact[SIMTIME_TEXT];
    simtime_format(t, exact);
    size_t digits = strspn(exact, "0123456789.");
    snprintf(buf, FORMAT_TEXT, "%.*s%s%s", (int)digits, exact, digits ? " " : "", exact + digits);
    return buf;
}

const char *format_clock(simtime t, char buf[FORMAT_TEXT])
{
    unsigned micros = (unsigned)(t % 1000000);
    format_count((uint64_t)(t / 1000000), buf);
    size_t len = strlen(buf);
    snprintf(buf + len, FORMAT_TEXT - len, ".%03u %03u s", micros / 1000, micros % 1000);
    return buf;
}

const char *format_stamp(simtime t, char buf[FORMAT_TEXT])
{
    simtime_format_seconds(t, buf);
    return buf;
}

/* Three digits that count, of `v` in the first of units, each `base` times the one before. */
static const char *scaled(double v, const char *const *units, int count, double base, char buf[FORMAT_TEXT])
{
    int i = 0;
    while (i < count - 1 && v >= 999.5) {
        v /= base;
        i++;
    }
    int decimals = i == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    snprintf(buf, FORMAT_TEXT, "%.*f %s", decimals, v, units[i]);
    return buf;
}

const char *format_ns(uint64_t ns, char buf[FORMAT_TEXT])
{
    static const char *const units[] = { "ns", "us", "ms", "s" };
    return scaled((double)ns, units, 4, 1000, buf);
}

const char *format_wall(double seconds, char buf[FORMAT_TEXT])
{
    if (seconds < 1)
        return format_ns((uint64_t)(seconds > 0 ? seconds * 1e9 : 0), buf);
    if (seconds < 60)
        snprintf(buf, FORMAT_TEXT, "%.1f s", seconds);
    else if (seconds < 3600)
        snprintf(buf, FORMAT_TEXT, "%d:%02d min", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(buf, FORMAT_TEXT, "%.0f:%02d h", (double)(long long)(seconds / 3600), (int)(seconds / 60) % 60);
    return buf;
}

const char *format_speed(double factor, char buf[FORMAT_TEXT])
{
    if (factor >= 100) {
        format_count((uint64_t)(factor + 0.5), buf);
        strcat(buf, "x");
    } else {
        snprintf(buf, FORMAT_TEXT, "%.*fx", factor >= 10 ? 1 : 2, factor);
    }
    return buf;
}

const char *format_percent(double part, char buf[FORMAT_TEXT])
{
    snprintf(buf, FORMAT_TEXT, "%.1f %%", part * 100);
    return buf;
}

const char *format_load(double share, char buf[FORMAT_TEXT])
{
    snprintf(buf, FORMAT_TEXT, "%.*f %%", share < 0.0995 ? 1 : 0, share * 100);
    return buf;
}

const char *format_bytes(uint64_t bytes, char buf[FORMAT_TEXT])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    return scaled((double)bytes, units, 7, 1024, buf);
}
