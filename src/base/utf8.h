/* UTF-8 (RFC 3629) and what is safe to show of text that others wrote. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Decodes one character of s[0..len). Returns how many bytes it takes, 0 where they are no valid UTF-8 (overlong,
 * surrogate, cut) or len is 0. */
size_t utf8_decode(const char *s, size_t len, uint32_t *codepoint);
size_t utf8_encode(uint32_t codepoint, char out[4]); /* returns the length, 1 to 4 */
/* The offset of the first byte that is no valid UTF-8, or len. */
size_t utf8_check(const char *s, size_t len);
/* Appends s with control characters, C1 codes, bidirectional controls and invalid bytes as \n, \t, \x1b, \u202e: text
 * that can harm no terminal. */
void utf8_escape(struct buffer *out, const char *s, size_t len);
bool utf8_is_safe(uint32_t codepoint); /* shown as it is by utf8_escape */

#endif
