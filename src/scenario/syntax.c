#include "scenario/syntax.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct words {
    const char *problem; /* the parser's words, or how they begin */
    const char *text;
} words[] = {
    { "mapping values are not allowed",
      "a ':' is not expected here; check the indentation, and quote text that has ': '" },
    { "block sequence entries are not", "a list item ('- ') is not expected here; check the indentation" },
    { "mapping keys are not allowed", "a key is not expected here; check the indentation" },
    { "could not find expected ':'", "a ':' is missing after the key that begins here; write `key: value`" },
    { "found unexpected end of stream", "the quote that opens here is never closed" },
    { "found unexpected document indicator", "the quote that opens here is not closed before the next document" },
    { "found unknown escape character",
      "unknown escape in a double-quoted text; write '\\\\' for a backslash, or use single quotes" },
    { "did not find expected hexdecimal", "an escape needs hexadecimal digits, as in \"\\x41\" or \"\\u00e9\"" },
    { "found invalid Unicode", "the escape names no character" },
    { "found a tab character", "a tab stands where indentation belongs; use blanks" },
    { "found unexpected ':'", "a ':' is not expected inside this text; quote the text" },
    { "did not find expected alphabetic",
      "an anchor or alias needs a name of letters, digits, '-' and '_'; quote a text that begins with '&' or '*'" },
    { "did not find expected comment or line", "only a comment may follow the '|' or '>' in its line" },
    { "found an indentation indicator", "the indentation after '|' or '>' must be 1 to 9" },
    { "did not find expected key",
      "the indentation does not fit what is around it, or a key is missing; line the keys up" },
    { "did not find expected '-' indicator", "the indentation does not fit the list around it; line the '- ' up" },
    { "did not find expected ',' or ']'", "a ',' or ']' is missing" },
    { "did not find expected ',' or '}'", "a ',' or '}' is missing" },
    { "did not find expected node content", "a value is missing" },
    { "did not find expected <document start>",
      "unexpected text after the end; quotes or indentation may be wrong above" },
    { "found undefined tag handle", "the tag is not known; remove it, or quote a text that begins with '!'" },
    { "found incompatible YAML document", "the %YAML version is not 1.1; remove the line" },
    { "found unknown directive name",
      "lines that begin with '%' are directives in YAML; quote the text or remove the line" },
};

static const struct context {
    const char *context, *text;
} contexts[] = {
    { "while parsing a block mapping", "map" },
    { "while parsing a flow mapping", "map" },
    { "while parsing a block collection", "list" },
    { "while parsing a flow sequence", "list" },
};

static bool is_break(const char *s)
{
    return *s == '\n' || (*s == '\r' && s[1] != '\n');
}

/* Line and column of a byte, columns counted in characters. */
static struct mark place_of(const char *file, const char *text, size_t offset)
{
    struct mark mark = { file, 1, 1 };
    for (size_t i = 0; i < offset; i++) {
        if (is_break(text + i)) {
            mark.line++;
            mark.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_yaml_character(uint32_t c)
{
    return c == 0x09 || c == 0x0a || c == 0x0d || (c >= 0x20 && c <= 0x7e) || c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

bool syntax_check_bytes(const char *text, size_t len, const char *file, size_t tag_lines, struct problems *problems)
{
    size_t tags = 0;
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        problems_add(problems, SEVERITY_ERROR, (struct mark){ file, 1, 1 }, "", "the file is UTF-16; save it as UTF-8");
        return false;
    }
    for (size_t i = 0; i < len;) {
        unsigned char byte = (unsigned char)text[i];
        uint32_t c = byte;
        size_t n = byte >= 0x20 && byte < 0x7f ? 1 : utf8_decode(text + i, len - i, &c);
        if (n && is_yaml_character(c) &&
            (c != '%' || len - i < 4 || memcmp(text + i, "%TAG", 4) != 0 || ++tags <= tag_lines)) {
            i += n;
            continue;
        }
        struct mark mark = place_of(file, text, i);
        if (!n)
            problems_add(problems, SEVERITY_ERROR, mark, "",
                         "the byte 0x%02x is not valid UTF-8; save the file as UTF-8", byte);
        else if (c == '%')
            problems_add(problems, SEVERITY_ERROR, mark, "", "more than %zu %%TAG directives", tag_lines);
        else if (c == 0)
            problems_add(problems, SEVERITY_ERROR, mark, "", "a NUL byte; is this a text file?");
        else
            problems_add(problems, SEVERITY_ERROR, mark, "", "the control character U+%04X is not allowed; remove it",
                         (unsigned)c);
        return false;
    }
    return true;
}

bool syntax_is_of_context(const char *problem)
{
    return strcmp(problem, "found unexpected end of stream") == 0 ||
           strcmp(problem, "could not find expected ':'") == 0;
}

void syntax_explain(struct buffer *out, const struct complaint *c)
{
    if (strncmp(c->problem, "found character that cannot", 27) == 0) {
        if (*c->at == '\t')
            buffer_text(out, "a tab stands where indentation belongs; use blanks");
        else
            buffer_format(out, "a text cannot begin with '%c'; quote it", *c->at);
        return;
    }
    const char *text = c->problem;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(words[i].problem, c->problem, strlen(words[i].problem)) == 0)
            text = words[i].text;
    buffer_text(out, text);
    for (size_t i = 0; c->context_line < c->line && i < sizeof contexts / sizeof contexts[0]; i++)
        if (strcmp(contexts[i].context, c->context) == 0)
            buffer_format(out, " (in the %s that begins in line %d)", contexts[i].text, c->context_line);
}
