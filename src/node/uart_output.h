/* What goes over a UART of Renode: the firmware's output as lines, of which JSON objects are messages, and messages to
 * the firmware as lines and as the monitor's commands that write them. Knows no descriptor. */
#ifndef NODE_UART_OUTPUT_H
#define NODE_UART_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/message.h"

#define UART_LINE     (64u << 10)     /* bytes of a line that are kept */
#define UART_WORD     256             /* bytes of a message's type, and of its destination */
#define UART_NAME_MAX 256             /* bytes of a UART's name */
#define UART_TIME_MAX (INT64_MAX / 2) /* microseconds: 146,000 years; a start time may be added */

/* A line of the firmware. All of it is good for the call that hands it out. */
struct uart_line {
    struct text text;    /* as it came, without its \n and without a \r before that: any bytes */
    size_t lost;         /* bytes behind UART_LINE that are not kept; such a line is no message */
    bool is_message;     /* it is a JSON object, and not nested too deeply; what follows is empty else */
    struct text type;    /* "UART" where the object gives none */
    struct text dst;     /* empty where the object gives none */
    int64_t time;        /* microseconds; -1 where the object gives none */
    struct text payload; /* the whole object without blanks, its numbers as they were written */
    const char *amiss;   /* what is wrong with its type, dst or time, and how it was taken: static text; else NULL */
};

typedef void uart_line_fn(void *data, const struct uart_line *line);

/* Zero-initialise; the owner calls uart_output_free. */
struct uart_output {
    struct buffer line; /* that has no end yet */
    size_t lost;        /* bytes of it that are not kept */
    struct buffer payload;
    char type[UART_WORD], dst[UART_WORD];
};

/* Takes a piece of the output, cut anywhere, and hands out the lines that it completes. `take` must not feed it. */
void uart_output_feed(struct uart_output *u, const char *bytes, size_t len, uart_line_fn *take, void *data);
/* The output is over: what has no end yet is handed out as a line, though never as a message. */
void uart_output_end(struct uart_output *u, uart_line_fn *take, void *data);
void uart_output_free(struct uart_output *u);

/* Appends the line of JSON that tells the firmware of a message: {"type":…,"src":…,"dst":…,"payload":…,"time":…} and a
 * newline. src and dst are the ids of its nodes; a message to all has the id of the node that it is written to. `time`
 * is its own, in microseconds of the firmware's clock. */
void uart_input(struct buffer *out, const struct message *m, int64_t time, const char *src, const char *dst);
/* Appends commands that write bytes to that UART (at most UART_NAME_MAX bytes), as one line for monitor_ask. Returns
 * how many bytes they write, at least one of them: the caller asks line by line, until all are written. */
size_t uart_write_chars(struct buffer *out, const char *uart, const char *bytes, size_t len);

#endif
