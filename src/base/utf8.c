#include "base/utf8.h"

size_t utf8_decode(const char *s, size_t len, uint32_t *codepoint)
{
    if (!len)
        return 0;
    const unsigned char *b = (const unsigned char *)s;
    uint32_t c = b[0], least;
    size_t n;
    if (c < 0x80) {
        *codepoint = c;
        return 1;
    }
    if (c >= 0xc2 && c < 0xe0)
        n = 2, c &= 0x1f, least = 0x80;
    else if (c >= 0xe0 && c < 0xf0)
        n = 3, c &= 0x0f, least = 0x800;
    else if (c >= 0xf0 && c < 0xf5)
        n = 4, c &= 0x07, least = 0x10000;
    else
        return 0;
    if (len < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3f);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *codepoint = c;
    return n;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((n == 2 ? 0xc0u : n == 3 ? 0xe0u : 0xf0u) | c);
    return n;
}

size_t utf8_check(const char *s, size_t len)
{
    size_t at = 0, n;
    uint32_t c;
    while (at < len && (n = utf8_decode(s + at, len - at, &c)) > 0)
        at += n;
    return at;
}

bool utf8_is_safe(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return false;
    /* what reorders or hides text: bidirectional controls, line separators, the byte order mark, annotations, tags */
    return !((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
             (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f) || c == 0x061c || c == 0xfeff || c == 0xad);
}

void utf8_escape(struct buffer *out, const char *s, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t n = utf8_decode(s + at, len - at, &c);
        if (n && utf8_is_safe(c))
            buffer_add(out, s + at, n);
        else if (n && c == '\n')
            buffer_text(out, "\\n");
        else if (n && c == '\t')
            buffer_text(out, "\\t");
        else if (n && c == '\r')
            buffer_text(out, "\\r");
        else if (n && c > 0xff)
            buffer_format(out, "\\u%04x", (unsigned)c);
        else
            buffer_format(out, "\\x%02x", n ? (unsigned)c : (unsigned)(unsigned char)s[at]);
        at += n ? n : 1;
    }
}
