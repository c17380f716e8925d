#include "base/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

/* A decimal number: digits * 10^exponent, without trailing zeros in digits. */
struct decimal {
    uint64_t digits;
    int exponent;
};

static const uint64_t powers_of_ten[] = { 1u,
                                          10u,
                                          100u,
                                          1000u,
                                          10000u,
                                          100000u,
                                          1000000u,
                                          10000000u,
                                          100000000u,
                                          1000000000u,
                                          10000000000u,
                                          100000000000u,
                                          1000000000000u,
                                          10000000000000u,
                                          100000000000000u,
                                          1000000000000000u,
                                          10000000000000000u,
                                          100000000000000000u };

size_t number_digits(uint64_t v, char *out)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
        "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
        "9899";
    char digits[24];
    size_t at = sizeof digits;
    while (v >= 100000000u) {
        uint32_t low = (uint32_t)(v % 100000000u);
        v /= 100000000u;
        for (int i = 0; i < 4; i++) {
            at -= 2;
            memcpy(digits + at, pairs + low % 100 * 2, 2);
            low /= 100;
        }
    }
    uint32_t rest = (uint32_t)v;
    for (; rest >= 100; rest /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + rest % 100 * 2, 2);
    }
    if (rest >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + rest * 2, 2);
    } else {
        digits[--at] = (char)('0' + rest);
    }
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* 5^n for n <= 32 (5^27 is the last that fits 64 bits). */
static uint128 power_of_five(int n)
{
    static const uint64_t small[] = { 1, 5, 25, 125, 625, 3125, 15625, 78125 };
    uint128 p = small[n % 8];
    for (int i = n / 8; i > 0; i--)
        p *= 390625u;
    return p;
}

/* The multiple of 10^drop that is nearest to value / 2^shift, in units of 10^drop; ties go to the even one. */
static uint64_t nearest(uint128 value, int shift, uint64_t unit)
{
    uint64_t whole = (uint64_t)(value >> shift);
    uint128 rest = value & (((uint128)1 << shift) - 1);
    uint64_t q = whole / unit, r = whole % unit;
    uint128 twice = ((uint128)r << (shift + 1)) + (rest << 1), one = (uint128)unit << shift;
    if (twice > one || (twice == one && q % 2))
        q++;
    return q;
}

static struct decimal without_zeros(struct decimal d)
{
    while (d.digits && d.digits % 10 == 0)
        d.digits /= 10, d.exponent++;
    return d;
}

/* Exact for 1e-14 <= v < 1e17, where 17 digits of v and the bounds of what rounds to v fit in 128 bits. The shortest
 * multiple of a power of ten between the bounds is the answer: Steele and White, "How to print floating-point numbers
 * accurately", PLDI 1990; here with the whole interval scaled to integers at once. */
static struct decimal shortest_exact(double v)
{
    uint64_t bits, mantissa;
    memcpy(&bits, &v, sizeof bits); /* IEEE 754 binary64; never subnormal here */
    mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    int binary = (int)(bits >> 52) - 1075;
    /* 16 digits behind the first one, or 17: log10(2) * exponent, rounded down, is the first one's place or one less */
    int scale = 16 - (((binary + 52) * 78913) >> 18);
    if (scale < 0)
        scale = 0;
    uint128 five = power_of_five(scale), value = five * mantissa * 4;
    uint128 low = value - five * (mantissa == UINT64_C(1) << 52 ? 1 : 2), high = value + five * 2;
    int shift = -(binary + scale) + 2;
    if (shift < 0) {
        value <<= -shift, low <<= -shift, high <<= -shift;
        shift = 0;
    }
    uint64_t odd = mantissa & 1; /* the bounds themselves round to v where the mantissa is even */
    uint64_t first = (uint64_t)((low + (((uint128)1 << shift) - 1 + odd)) >> shift);
    uint64_t last = (uint64_t)((high - odd) >> shift);
    int drop = 0;
    while (drop < 17 && last / powers_of_ten[drop + 1] * powers_of_ten[drop + 1] >= first)
        drop++;
    uint64_t unit = powers_of_ten[drop], digits = nearest(value, shift, unit);
    if (digits * unit < first)
        digits++;
    else if (digits * unit > last)
        digits--;
    return without_zeros((struct decimal){ digits, drop - scale });
}

static int reads_back(struct decimal d, double v)
{
    char text[40];
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)d.digits, d.exponent);
    return strtod(text, NULL) == v;
}

/* For the rest, by trying: the first precision with a text that reads back. At a power of two the numbers below lie
 * closer than those above, so that the nearest text may miss where the next one up does not. */
static struct decimal shortest_by_trial(double v)
{
    struct decimal d = { 0, 0 };
    for (int precision = 0; precision < 17; precision++) {
        char text[40];
        snprintf(text, sizeof text, "%.*e", precision, v);
        d = (struct decimal){ 0, atoi(strchr(text, 'e') + 1) - precision };
        for (const char *c = text; *c != 'e'; c++)
            if (*c != '.')
                d.digits = d.digits * 10 + (uint64_t)(*c - '0');
        if (reads_back(d, v))
            break;
        d.digits++;
        if (reads_back(d, v))
            break;
    }
    return without_zeros(d);
}

/* The layout of Python's repr: plain between 1e-4 and 1e16, with an exponent otherwise. */
static size_t lay_out(struct decimal d, char *out)
{
    char s[20], *start = out;
    int count = (int)number_digits(d.digits, s);
    int point = count + d.exponent; /* digits before the point */
    if (point > -4 && point <= 16) {
        if (point <= 0) {
            memcpy(out, "0.000", 5);
            out += 2 - point;
            memcpy(out, s, (size_t)count);
            out += count;
        } else if (point >= count) {
            memcpy(out, s, (size_t)count);
            memset(out + count, '0', (size_t)(point - count));
            out += point;
            *out++ = '.';
            *out++ = '0';
        } else {
            memcpy(out, s, (size_t)point);
            out[point] = '.';
            memcpy(out + point + 1, s + point, (size_t)(count - point));
            out += count + 1;
        }
        return (size_t)(out - start);
    }
    *out++ = *s;
    if (count > 1) {
        *out++ = '.';
        memcpy(out, s + 1, (size_t)count - 1);
        out += count - 1;
    }
    return (size_t)(out - start) + (size_t)snprintf(out, 8, "e%c%02d", point < 1 ? '-' : '+', abs(point - 1));
}

size_t number_format(double v, char buf[NUMBER_TEXT])
{
    char *out = buf;
    if (isnan(v))
        return (size_t)snprintf(buf, NUMBER_TEXT, "nan");
    if (signbit(v)) {
        *out++ = '-';
        v = -v;
    }
    if (isinf(v))
        out += snprintf(out, NUMBER_TEXT - 1, "inf");
    else if (v == 0)
        out += snprintf(out, NUMBER_TEXT - 1, "0.0");
    else
        out += lay_out(v >= 1e-14 && v < 1e17 ? shortest_exact(v) : shortest_by_trial(v), out);
    *out = '\0';
    return (size_t)(out - buf);
}
