#include "session/session_past.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "session/session_state.h"
#include "sim/barrier.h"
#include "trace/flight_history.h"
#include "trace/record_line.h"
#include "trace/tail.h"

#define CATCH_UP_FIRST                                                                                                 \
    (64 << 20) /* bytes of a recorded events.jsonl that are looked through before anything is shown */

void viewing_free(struct session *s)
{
    struct viewing *v = &s->viewing;
    search_end(s);
    past_free(v->past);
    past_free(v->survey);
    past_flight_free(v->flight);
    drops_free(v->troubles);
    if (v->directory >= 0)
        close(v->directory);
    buffer_free(&v->tail);
    free(v->run_dir);
    *v = (struct viewing){ .directory = -1 };
}

static const char *run_dir(const struct session *s)
{
    return s->viewing.is_recorded ? s->viewing.run_dir : folder_path(s->results.folder);
}

static int open_in(const struct viewing *v, const char *name)
{
    return openat(v->directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int open_past(struct session *s, struct error *err)
{
    struct viewing *v = &s->viewing;
    if (v->past)
        return 0;
    if (v->directory < 0)
        v->directory = open(run_dir(s), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = v->directory >= 0 ? open_in(v, HISTORY_FILE) : -1;
    if (fd < 0)
        error_set(err, EXIT_INVALID, "%s", strerror(errno));
    else
        v->past = past_open(fd, s->scenario->node_count, err);
    if (v->past && past_seek_end(v->past))
        return 0;
    if (v->past)
        error_set(err, EXIT_INVALID, "no moment of the run is whole in it");
    past_free(v->past);
    v->past = NULL;
    return -1;
}

static bool open_store(struct session *s, struct error *err)
{
    struct viewing *v = &s->viewing;
    int fd = open_in(v, "events.jsonl");
    struct record first;
    if (fd < 0) {
        error_set(err, EXIT_INVALID, "%s/events.jsonl: %s", v->run_dir, strerror(errno));
        return false;
    }
    s->results.store = store_open(fd);
    store_catch_up(s->results.store, CATCH_UP_FIRST);
    if (store_read(s->results.store, 0, &first) == 0 && first.kind == RECORD_RUN)
        return true;
    error_set(err, EXIT_INVALID, "%s/events.jsonl does not begin with the record of a run", v->run_dir);
    return false;
}

#define LINE_ROOM (1 << 20) /* the end of events.jsonl, where its last line is */

/* How many records events.jsonl has, by its last whole line; 0 where that cannot be told. */
static uint64_t count_records(const struct viewing *v)
{
    struct stat st;
    uint64_t n = 0;
    int fd = open_in(v, "events.jsonl");
    char *text = mem_alloc(LINE_ROOM);
    size_t len = fd >= 0 && fstat(fd, &st) == 0 ? tail_read(fd, st.st_size, text, LINE_ROOM) : 0;
    while (len && text[len - 1] != '\n')
        len--;
    if (len)
        len--;
    while (len && text[len - 1] != '\n')
        len--;
    bool known = sscanf(text + len, "{\"n\":%" SCNu64, &n) == 1;
    free(text);
    if (fd >= 0)
        close(fd);
    return known ? n + 1 : 0;
}

/* Without a history only the records are there, all of them at once. */
static void open_recorded(struct session *s)
{
    struct viewing *v = &s->viewing;
    struct error err = { 0 };
    uint64_t records = count_records(v);
    if (open_past(s, &err) < 0) {
        error_set(&v->missing, EXIT_INVALID, "only the records are there; " HISTORY_FILE ": %s", err.text);
        return;
    }
    v->head = past_run(v->past)->v[MOMENT_NOW];
    char head[SIMTIME_TEXT];
    simtime_format(v->head, head);
    if (!past_end(v->past))
        error_set(&v->missing, EXIT_INVALID, "the recording ends at %s, before the end of the run", head);
    if (records < (uint64_t)past_run(v->past)->v[MOMENT_RECORDS])
        error_set(&v->missing, EXIT_INVALID, "events.jsonl is cut: it has %" PRIu64 " of %" PRId64 " records", records,
                  past_run(v->past)->v[MOMENT_RECORDS]);
    viewing_show(s, 0);
}

struct session *session_open_run(const struct scenario *scenario, const char *dir,
                                 const struct session_options *options, struct error *err)
{
    struct session *s = mem_alloc(sizeof *s);
    struct viewing *v = &s->viewing;
    s->scenario = scenario;
    s->options =
        (struct session_options){ .loop = options->loop, .breakpoints = options->breakpoints, .until = SIMTIME_NEVER };
    s->state = SESSION_FINISHED; /* nothing of it goes on */
    s->failed_node = -1;
    s->results.summary_fd = -1;
    *v = (struct viewing){ .is_recorded = true, .is_past = true, .run_dir = mem_text(dir) };
    v->directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v->directory < 0)
        error_set(err, EXIT_INVALID, "cannot open the run folder %s: %s", dir, strerror(errno));
    if (v->directory < 0 || !open_store(s, err)) {
        session_free(s);
        return NULL;
    }
    open_recorded(s);
    return s;
}

simtime viewing_head(const struct session *s)
{
    return s->viewing.is_recorded ? s->viewing.head : now_of(s);
}

bool viewing_show(struct session *s, simtime t)
{
    struct viewing *v = &s->viewing;
    simtime head = viewing_head(s);
    struct error err = { 0 };
    bool to_head = t >= head;
    v->is_past = v->is_recorded || !to_head;
    v->at = to_head ? head : t < 0 ? 0 : t;
    if (v->is_past && (open_past(s, &err) < 0 || !past_seek(v->past, v->at))) {
        v->is_past = v->is_recorded;
        return false;
    }
    viewing_limit_store(s);
    return true;
}

void viewing_leave(struct session *s)
{
    if (s->viewing.is_recorded)
        return;
    search_end(s);
    s->viewing.is_past = false;
    store_limit(s->results.store, UINT64_MAX);
}

void viewing_limit_store(struct session *s)
{
    const struct viewing *v = &s->viewing;
    bool all = !v->is_past || !v->past || v->at >= viewing_head(s);
    store_limit(s->results.store, all ? UINT64_MAX : (uint64_t)past_run(v->past)->v[MOMENT_RECORDS]);
}

int viewing_node_named(const struct session *s, struct text id)
{
    char name[80] = "";
    if (!id.len || id.len >= sizeof name)
        return -1;
    memcpy(name, id.s, id.len);
    return scenario_find_node(s->scenario, name);
}

static simtime at_of(const struct session *s)
{
    return s->viewing.is_past ? s->viewing.at : now_of(s);
}

/* `count` barriers before t. */
static simtime barriers_before(const struct session *s, simtime t, uint64_t count)
{
    simtime last = barrier_before(s->scenario, t), q = s->scenario->quantum;
    return (uint64_t)(last / q) >= count - 1 ? last - (simtime)(count - 1) * q : 0;
}

/* The last barrier before t at which something was recorded; 0 where there is none. */
static simtime event_before(struct session *s, simtime t)
{
    struct past *p = s->viewing.past;
    if (t <= 0 || !past_seek(p, t - 1))
        return 0;
    uint64_t records = (uint64_t)past_run(p)->v[MOMENT_RECORDS];
    return records && past_seek_record(p, records - 1) ? past_run(p)->v[MOMENT_NOW] : 0;
}

static bool go_back(struct session *s, const struct command *c)
{
    struct error err = { 0 };
    simtime at = at_of(s);
    if (!s->viewing.is_recorded && s->state != SESSION_PAUSED && !session_state_over(s->state))
        return false;
    if (open_past(s, &err) < 0)
        return false;
    switch (c->kind) {
    case COMMAND_BACK:
        return at > 0 && viewing_show(s, barriers_before(s, at, c->count ? c->count : 1));
    case COMMAND_BACK_NEXT:
        return at > 0 && viewing_show(s, event_before(s, at));
    case COMMAND_BACK_RUN:
        return at > 0 &&
               (search_breakpoints(s, true, 0, &(struct command){ .kind = COMMAND_HEAD }) || viewing_show(s, 0));
    case COMMAND_VIEW_WHERE:
        return search_condition(s, c->text);
    case COMMAND_VIEW:
        return viewing_show(s, barrier_after(s->scenario, c->time));
    default:
        return viewing_show(s, past_seek_record(s->viewing.past, c->count) ? past_run(s->viewing.past)->v[MOMENT_NOW]
                                                                           : viewing_head(s));
    }
}

/* Where a command that moves a run ends, from the moment that is shown; SIMTIME_NEVER: behind the head. */
static simtime target_of(struct session *s, const struct command *c)
{
    struct viewing *v = &s->viewing;
    simtime q = s->scenario->quantum, head = viewing_head(s);
    switch (c->kind) {
    case COMMAND_STEP:
        return c->count > (uint64_t)((head - v->at + q - 1) / q)
                   ? SIMTIME_NEVER
                   : barrier_after(s->scenario, v->at + (simtime)c->count * q);
    case COMMAND_NEXT:
        past_seek(v->past, v->at);
        return past_seek_record(v->past, (uint64_t)past_run(v->past)->v[MOMENT_RECORDS])
                   ? past_run(v->past)->v[MOMENT_NOW]
                   : SIMTIME_NEVER;
    case COMMAND_RUN_TO:
        return barrier_after(s->scenario, c->time) > head ? SIMTIME_NEVER : barrier_after(s->scenario, c->time);
    default:
        return SIMTIME_NEVER;
    }
}

/* In the past: moves what is shown. What goes beyond the head is done there by the nodes. */
static bool go_on(struct session *s, struct command *c, bool *taken)
{
    struct viewing *v = &s->viewing;
    simtime at = v->at, head = viewing_head(s), to = v->past ? target_of(s, c) : SIMTIME_NEVER;
    bool beyond = to == SIMTIME_NEVER && !v->is_recorded && !session_state_over(s->state);
    if ((at >= head && to == SIMTIME_NEVER && v->is_recorded) || !v->past)
        return false;
    bool is_one = c->kind == COMMAND_STEP && c->count == 1;
    if (c->kind == COMMAND_STEP && beyond)
        c->count -= (uint64_t)((head - at + s->scenario->quantum - 1) / s->scenario->quantum);
    *taken = !beyond;
    bool is_step = c->kind == COMMAND_NEXT || is_one;
    simtime until = to == SIMTIME_NEVER ? head : to;
    if (!is_step && search_breakpoints(s, false, until, beyond ? c : &(struct command){ .kind = COMMAND_HEAD })) {
        *taken = true; /* what is left of it is done once nothing was found */
        return true;
    }
    return viewing_show(s, to == SIMTIME_NEVER ? head : to);
}

bool viewing_command(struct session *s, struct command *c, bool *taken)
{
    *taken = true;
    if (s->viewing.search.is_active) {
        search_end(s);
        viewing_limit_store(s);
        if (c->kind == COMMAND_PAUSE)
            return true;
    }
    switch (c->kind) {
    case COMMAND_BACK:
    case COMMAND_BACK_NEXT:
    case COMMAND_BACK_RUN:
    case COMMAND_VIEW:
    case COMMAND_VIEW_RECORD:
    case COMMAND_VIEW_WHERE:
        return go_back(s, c);
    case COMMAND_HEAD:
        return s->viewing.is_past && viewing_show(s, SIMTIME_NEVER);
    case COMMAND_RUN:
    case COMMAND_STEP:
    case COMMAND_NEXT:
    case COMMAND_RUN_TO:
        if (s->viewing.is_past)
            return go_on(s, c, taken);
        break;
    case COMMAND_ABORT:
    case COMMAND_KILL:
        if (s->viewing.is_past && !s->viewing.is_recorded)
            viewing_show(s, SIMTIME_NEVER);
        break;
    default:
        if (s->viewing.is_past && c->kind != COMMAND_PACE)
            return false; /* what is done to nodes is done at the head */
        break;
    }
    *taken = s->viewing.is_recorded;
    return !s->viewing.is_recorded;
}

static uint64_t quanta_at(const struct session *s, simtime t)
{
    simtime q = s->scenario->quantum;
    return (uint64_t)((t + q - 1) / q);
}

void viewing_status(const struct session *s, struct session_status *out)
{
    const struct viewing *v = &s->viewing;
    static const struct moment_run nothing;
    const int64_t *run = v->past ? past_run(v->past)->v : nothing.v;
    const struct past_end *end = v->past && v->at == viewing_head(s) ? past_end(v->past) : NULL;
    bool skips = v->past && past_skips(v->past);
    uint64_t quanta = quanta_at(s, v->at);
    *out = (struct session_status){
        .state = end ? (enum session_state)end->state : SESSION_PAUSED,
        .now = v->at,
        .end = v->is_recorded ? s->scenario->duration : s->stop_at,
        .quanta = quanta,
        .quanta_skipped = (uint64_t)run[MOMENT_SKIPPED] + (skips ? quanta - quanta_at(s, run[MOMENT_NOW]) : 0),
        .records = store_count(s->results.store),
        .messages = (uint64_t)run[MOMENT_MESSAGES],
        .dropped = (uint64_t)run[MOMENT_DROPPED],
        .in_flight = (uint64_t)run[MOMENT_IN_FLIGHT],
        .warnings = (uint64_t)run[MOMENT_WARNINGS],
        .troubles = troubles_count(s),
        .pace = s->pace,
        .run_to = SIMTIME_NEVER,
        .outcome = end ? end->outcome : NULL,
        .cause = end ? end->cause : "",
        .exit_code = end ? end->exit_code : 0,
        .failed_node = end ? end->failed_node : -1,
        .run_dir = run_dir(s),
        .waiting_for = -1,
        .is_past = true,
        .is_recorded = v->is_recorded,
        .is_over = session_state_over(s->state),
        .is_searching = v->search.is_active,
        .is_reading = past_flight_is_reading(s) || deliveries_are_reading(s),
        .head = viewing_head(s),
        .missing = v->missing.code ? v->missing.text : NULL,
    };
}

/* The last lines of a log as the node wrote them, without the times in front. */
static void without_times(char *text)
{
    char *to = text;
    for (const char *at = text, *end; *at; at = end) {
        const char *close = *at == '[' ? strstr(at, " s] ") : NULL;
        end = strchrnul(at, '\n');
        at = close && close < end ? close + 4 : at;
        end += *end == '\n';
        memmove(to, at, (size_t)(end - at));
        to += end - at;
    }
    *to = '\0';
}

static enum node_state state_of(const struct moment_node *n)
{
    int64_t state = n->v[MOMENT_STATE];
    return state >= 0 && state < NODE_STATES ? (enum node_state)state : NODE_LOADED;
}

bool viewing_state(const struct session *s, int i, enum node_state *out)
{
    *out = s->viewing.past ? state_of(past_node(s->viewing.past, i)) : NODE_LOADED;
    return s->viewing.past != NULL;
}

void viewing_node(struct session *s, int i, struct node_status *out)
{
    static const struct moment_node unknown = { .v = { [MOMENT_NEXT] = SIMTIME_NEVER, [MOMENT_LAST_ACTIVE] = -1 } };
    struct viewing *v = &s->viewing;
    const int64_t *n = v->past ? past_node(v->past, i)->v : unknown.v;
    *out = (struct node_status){ .state = v->past ? state_of(past_node(v->past, i)) : NODE_LOADED,
                                 .cause = v->past ? past_cause(v->past, i) : "",
                                 .next = n[MOMENT_NEXT],
                                 .last_active = n[MOMENT_LAST_ACTIVE],
                                 .events = (uint64_t)n[MOMENT_EVENTS],
                                 .messages_in = (uint64_t)n[MOMENT_IN],
                                 .messages_out = (uint64_t)n[MOMENT_OUT],
                                 .dropped = (uint64_t)n[MOMENT_LOST],
                                 .queue = (uint64_t)n[MOMENT_QUEUE],
                                 .restarts = (unsigned)n[MOMENT_RESTARTS],
                                 .clock = -1,
                                 .tail = "" };
    if (!n[MOMENT_LOG])
        return;
    v->tail.len = 0;
    buffer_grow(&v->tail, NODE_TAIL + 1);
    viewing_log(s, i, v->tail.data, NODE_TAIL + 1);
    without_times(v->tail.data);
    out->tail = v->tail.data;
}

static size_t tail_of(const struct session *s, const char *before, int i, const char *after,
                      enum moment_node_field length, char *buf, size_t size)
{
    char name[100];
    int64_t end = s->viewing.past ? past_node(s->viewing.past, i)->v[length] : 0;
    snprintf(name, sizeof name, "%s%s%s", before, s->scenario->nodes[i].id, after);
    int fd = end > 0 ? open_in(&s->viewing, name) : -1;
    size_t len = fd >= 0 ? tail_read(fd, end, buf, size) : 0;
    buf[len] = '\0';
    if (fd >= 0)
        close(fd);
    return len;
}

size_t viewing_metrics(const struct session *s, int i, char *buf, size_t size)
{
    return tail_of(s, "", i, "_metrics.csv", MOMENT_METRICS, buf, size);
}

size_t viewing_log(const struct session *s, int i, char *buf, size_t size)
{
    return tail_of(s, "logs/", i, ".log", MOMENT_LOG, buf, size);
}

struct past *viewing_survey(struct session *s)
{
    struct viewing *v = &s->viewing;
    struct error err = { 0 };
    if (open_past(s, &err) < 0)
        return NULL;
    int fd = v->survey ? -1 : open_in(v, HISTORY_FILE);
    if (fd >= 0)
        v->survey = past_open(fd, s->scenario->node_count, &err);
    return v->survey;
}

struct flight_past *viewing_open_flight(const struct session *s)
{
    int fd = open_in(&s->viewing, FLIGHT_FILE);
    return fd >= 0 ? flight_past_open(fd, s->scenario->node_count) : NULL;
}

int viewing_open_log(const struct session *s, int i)
{
    char name[100];
    snprintf(name, sizeof name, "logs/%s.log", s->scenario->nodes[i].id);
    return open_in(&s->viewing, name);
}

bool viewing_read(struct session *s, uint64_t n, struct record *r)
{
    struct text line;
    if (store_line(s->results.store, n, &line) < 0)
        return false;
    if (!record_from_line(line.s, line.len, r) && store_read(s->results.store, n, r) < 0)
        return false;
    r->n = n;
    return true;
}

bool session_tally(struct session *s, simtime t, struct session_tally *out)
{
    struct past *survey = viewing_survey(s);
    if (!survey || !past_seek(survey, t))
        return false;
    for (int i = 0; i < s->scenario->node_count; i++) {
        const struct moment_node *n = past_node(survey, i);
        out[i] = (struct session_tally){ .events = (uint64_t)n->v[MOMENT_EVENTS],
                                         .messages = (uint64_t)n->v[MOMENT_IN] + (uint64_t)n->v[MOMENT_OUT],
                                         .state = state_of(n) };
    }
    return true;
}

void viewing_inference(const struct session *s, struct session_inference *out)
{
    *out = (struct session_inference){ 0 };
    if (!s->viewing.past)
        return;
    const int64_t *run = past_run(s->viewing.past)->v;
    *out = (struct session_inference){ .count = (uint64_t)run[MOMENT_INFERENCES],
                                       .p50 = run[MOMENT_INFERENCE_P50],
                                       .p99 = run[MOMENT_INFERENCE_P99],
                                       .max = run[MOMENT_INFERENCE_MAX] };
}
