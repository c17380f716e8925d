/* A sensor: once a second of its own clock it sends a temperature to the node `gateway`,
 *
 *     {"type":"SAMPLE","dst":"gateway","time":1000003,"sample":1,"celsius":21.394}
 *
 * and a message changes the time between two samples:
 *
 *     {"type":"SET_INTERVAL","src":"gateway","payload":{"interval_ms":250},"time":1012000} */
#include "application.h"
#include "board.h"
#include "field.h"
#include "generator.h"
#include "text.h"

#define INTERVAL_USUAL 1000 /* ms */
#define INTERVAL_LEAST 10
#define INTERVAL_MOST  3600000

static struct {
    struct generator generator;
    uint64_t last, interval; /* us: where the last sample, or the start, stands in the grid; the grid's width */
    uint32_t count;          /* samples so far */
} sensor_state;

static void sensor_start(void)
{
    struct text text;
    generator_start(&sensor_state.generator, board_seed());
    sensor_state.last = 0;
    sensor_state.interval = INTERVAL_USUAL * 1000;
    sensor_state.count = 0;
    text_begin(&text, "sensor, seed ");
    text_number(&text, board_seed());
    text_send(&text);
}

static void sensor_line(struct piece line, uint64_t now)
{
    struct text text;
    int32_t interval = 0;
    (void)now;
    if (!field_is(field_find(line, "type"), "SET_INTERVAL")) {
        text_begin(&text, "ignored a line that is no SET_INTERVAL");
    } else if (!field_integer(field_find(field_find(line, "payload"), "interval_ms"), INTERVAL_LEAST, INTERVAL_MOST,
                              &interval)) {
        text_begin(&text, "ignored a SET_INTERVAL whose interval_ms is not from 10 to 3600000");
    } else {
        sensor_state.interval = (uint64_t)interval * 1000;
        text_begin(&text, "the interval is ");
        text_number(&text, (uint64_t)interval);
        text_add(&text, " ms");
    }
    text_send(&text);
}

static void sensor_sample(uint64_t now)
{
    struct text text;
    text_begin(&text, "{\"type\":\"SAMPLE\",\"dst\":\"gateway\",\"time\":");
    text_number(&text, now);
    text_add(&text, ",\"sample\":");
    text_number(&text, ++sensor_state.count);
    text_add(&text, ",\"celsius\":");
    text_thousandths(&text, generator_temperature(&sensor_state.generator));
    text_add(&text, "}");
    text_send(&text);
}

/* The next sample keeps to the grid of the one before. Where a shorter interval has made it late, it is due at once and
 * the grid begins with this millisecond. */
static void sensor_tick(uint64_t now)
{
    uint64_t due = sensor_state.last + sensor_state.interval;
    if (now < due)
        return;
    sensor_state.last = now - due < 1000 ? due : now - now % 1000;
    sensor_sample(now);
}

const struct application sensor = { .start = sensor_start, .line = sensor_line, .tick = sensor_tick };
