#include "application.h"

#include "board.h"
#include "text.h"

#define BYTES_PER_TURN 4096 /* so that the clock is looked at, whatever comes in */

static void handle(const struct application *application, struct line *line, enum line_event event)
{
    struct text text;
    switch (event) {
    case LINE_WHOLE:
        application->line(line_piece(line), board_time());
        break;
    case LINE_TOO_LONG:
        text_begin(&text, "ignored a line of more than ");
        text_number(&text, LINE_MAX_LENGTH);
        text_add(&text, " bytes");
        text_send(&text);
        break;
    case LINE_GOES_ON:
        break;
    }
}

bool application_turn(const struct application *application, struct line *line)
{
    int byte = 0;
    for (int i = 0; i < BYTES_PER_TURN && (byte = board_receive()) >= 0; i++)
        handle(application, line, line_add(line, (char)byte));
    application->tick(board_time());
    return byte >= 0;
}
