/* A line that is put together and sent. What does not fit is not sent at all: half a message would be none. */
#ifndef FIRMWARE_TEXT_H
#define FIRMWARE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "piece.h"

#define TEXT_MAX_LENGTH 256

/* Begun with text_begin. */
struct text {
    char data[TEXT_MAX_LENGTH];
    size_t len;
    bool is_cut;
};

void text_begin(struct text *text, const char *what);
void text_add(struct text *text, const char *what);
void text_piece(struct text *text, struct piece what);
void text_number(struct text *text, uint64_t number);
/* A number of thousandths: 21500 is 21.500. */
void text_thousandths(struct text *text, int32_t thousandths);
/* Ends the line and sends it, unless something did not fit: then the log says that instead. */
void text_send(struct text *text);

#endif
