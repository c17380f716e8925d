#include "text.h"

#include "board.h"

#define DIGITS_MAX 20 /* of 2^64-1 */

static void add_byte(struct text *text, char byte)
{
    if (text->len == sizeof text->data)
        text->is_cut = true;
    else
        text->data[text->len++] = byte;
}

void text_begin(struct text *text, const char *what)
{
    text->len = 0;
    text->is_cut = false;
    text_add(text, what);
}

void text_add(struct text *text, const char *what)
{
    while (*what)
        add_byte(text, *what++);
}

void text_piece(struct text *text, struct piece what)
{
    for (size_t i = 0; i < what.len; i++)
        add_byte(text, what.at[i]);
}

/* At least `least` digits. */
static void add_digits(struct text *text, uint64_t number, size_t least)
{
    char digits[DIGITS_MAX];
    size_t first = sizeof digits;
    while (first > 0 && (number > 0 || sizeof digits - first < least)) {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    }
    text_piece(text, (struct piece){ digits + first, sizeof digits - first });
}

void text_number(struct text *text, uint64_t number)
{
    add_digits(text, number, 1);
}

void text_thousandths(struct text *text, int32_t thousandths)
{
    uint32_t size = thousandths < 0 ? 0 - (uint32_t)thousandths : (uint32_t)thousandths;
    if (thousandths < 0)
        add_byte(text, '-');
    add_digits(text, size / 1000, 1);
    add_byte(text, '.');
    add_digits(text, size % 1000, 3);
}

void text_send(struct text *text)
{
    add_byte(text, '\n');
    if (text->is_cut)
        text_begin(text, "a line that was too long was not sent\n");
    board_send(text->data, text->len);
}
