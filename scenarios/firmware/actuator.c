/* An actuator, for example a valve: a message sets its state, 0 to 100 per cent,
 *
 *     {"type":"COMMAND","src":"gateway","payload":{"state":40},"time":2012000}
 *
 * and is answered to whoever sent it, with the state that there is now:
 *
 *     {"type":"DONE","dst":"gateway","time":2012009,"state":40}
 *
 * A COMMAND without such a state changes nothing; its answer is of type REFUSED. */
#include "application.h"
#include "board.h"
#include "field.h"
#include "text.h"

#define STATE_MOST 100

static int32_t actuator_state;

static void actuator_start(void)
{
    struct text text;
    actuator_state = 0;
    text_begin(&text, "actuator");
    text_send(&text);
}

static void actuator_line(struct piece line, uint64_t now)
{
    struct text text;
    struct piece sender = field_name(field_find(line, "src"));
    if (!field_is(field_find(line, "type"), "COMMAND")) {
        text_begin(&text, "ignored a line that is no COMMAND");
        text_send(&text);
        return;
    }
    bool is_done = field_integer(field_find(field_find(line, "payload"), "state"), 0, STATE_MOST, &actuator_state);
    text_begin(&text, is_done ? "{\"type\":\"DONE\"" : "{\"type\":\"REFUSED\"");
    if (sender.at) { /* otherwise it is told, but to nobody */
        text_add(&text, ",\"dst\":\"");
        text_piece(&text, sender);
        text_add(&text, "\"");
    }
    text_add(&text, ",\"time\":");
    text_number(&text, now);
    text_add(&text, ",\"state\":");
    text_number(&text, (uint64_t)actuator_state);
    text_add(&text, "}");
    text_send(&text);
}

static void actuator_tick(uint64_t now)
{
    (void)now; /* it does nothing of its own */
}

const struct application actuator = { .start = actuator_start, .line = actuator_line, .tick = actuator_tick };
