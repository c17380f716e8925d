/* Numbers as text. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_TEXT 32 /* bytes that hold any text made here, with its NUL */

/* The shortest decimal text that reads back as v, in the layout of Python's repr: "21.5", "1e-05", "1e+16", "-0.0",
 * "inf", "nan". Returns its length. Where two shortest ones exist, the one nearest to v (as David Gay's
 * dtoa, mode 0). */
size_t number_format(double v, char buf[NUMBER_TEXT]);

/* Decimal digits without a NUL; at most 20. Returns how many. */
size_t number_digits(uint64_t v, char *out);

#endif
