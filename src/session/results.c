#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/session_state.h"
#include "trace/write.h"

static int write_scenario(struct folder *f, const struct scenario *s, struct error *err)
{
    int fd = folder_create(f, "scenario.yaml", err);
    if (fd < 0)
        return -1;
    size_t len = strlen(s->canonical);
    int result = write_all(fd, s->canonical, len) < len ? folder_failed(f, "scenario.yaml", err) : 0;
    close(fd);
    return result;
}

int results_open(struct results *r, const struct scenario *s, const struct session_options *options, struct bus *bus,
                 struct error *err)
{
    r->summary_fd = -1;
    r->folder = folder_open(options->out_dir, s, err);
    if (!r->folder || write_scenario(r->folder, s, err) < 0)
        return -1;
    r->summary_fd = summary_begin(r->folder, s, err);
    if (r->summary_fd < 0 || !(r->wall = wall_new(r->folder, err)))
        return -1;
    r->events = events_new(r->folder, s, &r->index);
    if (!(r->metrics = metrics_new(r->folder, s, err)) ||
        !(r->history = history_new(r->folder, s, !options->no_skip, err)))
        return -1;
    r->flight = flight_history_new(r->folder);
    r->latencies = latencies_new();
    r->drops = drops_new();
    r->logs = logs_new(r->folder, s);
    r->store = store_new(folder_events(r->folder), &r->index);
    bus_attach(bus, events_sink(r->events));
    bus_attach(bus, latencies_sink(r->latencies));
    bus_attach(bus, drops_sink(r->drops));
    return 0;
}

void results_close(struct results *r)
{
    if (r->events)
        events_end(r->events, r->sha256);
    metrics_free(r->metrics);
    history_free(r->history);
    flight_history_free(r->flight);
    latencies_free(r->latencies);
    drops_free(r->drops);
    logs_free(r->logs);
    wall_free(r->wall);
    store_free(r->store);
    store_index_free(&r->index);
    if (r->summary_fd >= 0)
        close(r->summary_fd);
    buffer_free(&r->summary);
    folder_free(r->folder);
}
