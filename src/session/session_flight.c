/* What is done to messages in flight and to links, by a person while the run is paused or by a fault that repeats it.
 * Each act is first looked at as a whole; only one that can be done leaves records. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "session/session_state.h"
#include "sim/barrier.h"
#include "sim/flight.h"

#define TYPE_MAX 256 /* bytes; as of what nodes send */

static bool refuse(struct session *s, const char *fmt, ...) LOCKSTEP_PRINTF(2, 3);
static bool refuse(struct session *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->refusal, sizeof s->refusal, fmt, args);
    va_end(args);
    return false;
}

/* When the message of this act arrives. */
static simtime arrival(const struct session *s, const struct scenario_fault *f)
{
    simtime now = now_of(s), from = now, to = f->to;
    const struct message *m = f->action == FAULT_DELAY ? flight_find(s->coordinator, f->message) : NULL;
    if (m && m->time > now)
        from = m->time;
    if (to < 0)
        to = f->duration > SIMTIME_MAX - from ? SIMTIME_MAX : from + f->duration;
    return to < now ? now : to;
}

static void add_time(struct buffer *b, const char *word, simtime t)
{
    char text[SIMTIME_TEXT];
    simtime_format(t, text);
    buffer_format(b, " %s %s", word, text);
}

/* A word as it is, or in quotes where it would not read as one. */
static void add_word(struct buffer *b, const char *word)
{
    bool plain = *word != '"';
    for (const char *c = word; *c; c++)
        plain = plain && (unsigned char)*c > ' ' && (unsigned char)*c < 0x7f;
    buffer_text(b, " ");
    if (plain)
        buffer_text(b, word);
    else
        json_quote(b, word, strlen(word));
}

static void describe_new(const struct session *s, const struct scenario_fault *f, struct buffer *b)
{
    simtime due = arrival(s, f);
    buffer_format(b, "inject %s %s", s->scenario->nodes[f->src].id, s->scenario->nodes[f->dst].id);
    add_word(b, f->type);
    if (f->payload)
        buffer_format(b, " %s", f->payload);
    if (due > now_of(s))
        add_time(b, "at", due);
}

static void describe_link(const struct session *s, const struct scenario_fault *f, struct buffer *b)
{
    buffer_format(b, "link %s %s", s->scenario->nodes[f->src].id, s->scenario->nodes[f->dst].id);
    if (f->latency >= 0)
        add_time(b, "latency", f->latency);
    if (f->loss >= 0) {
        buffer_text(b, " loss ");
        buffer_double(b, f->loss);
    }
}

/* The text of the record `command`: what a person could have typed. */
static void describe(const struct session *s, const struct scenario_fault *f, struct buffer *b)
{
    unsigned long long id = f->message;
    switch (f->action) {
    case FAULT_DROP:
        buffer_format(b, "drop %llu", id);
        break;
    case FAULT_DELAY:
        buffer_format(b, "delay %llu", id);
        add_time(b, "to", arrival(s, f));
        break;
    case FAULT_COPY:
        buffer_format(b, "copy %llu", id);
        break;
    case FAULT_EDIT:
        buffer_format(b, "edit %llu %s", id, f->payload);
        break;
    case FAULT_INJECT:
        describe_new(s, f, b);
        break;
    default:
        describe_link(s, f, b);
        break;
    }
}

static bool can_be_done(struct session *s, const struct scenario_fault *f)
{
    bool adds = f->action == FAULT_COPY || f->action == FAULT_INJECT;
    if (f->action == FAULT_LINK && s->scenario->network == NETWORK_DIRECT)
        return refuse(s, "the network is direct: links have neither latency nor loss; set `network.model: latency`");
    if (f->action >= FAULT_DROP && f->action < FAULT_INJECT && !flight_find(s->coordinator, f->message))
        return refuse(s, "message %llu is not in flight", (unsigned long long)f->message);
    if (adds && !flight_has_room(s->coordinator))
        return refuse(s, "there are %u messages in flight, the most there may be", COORDINATOR_IN_FLIGHT_MAX);
    return true;
}

static struct text text_of(const char *s)
{
    return (struct text){ s, s ? strlen(s) : 0 };
}

/* Leaves the record `command` and those of what comes of it. False where it cannot be done; s->refusal is why. */
static bool apply(struct session *s, const struct scenario_fault *f)
{
    struct buffer text = { 0 };
    struct coordinator *c = s->coordinator;
    if (!can_be_done(s, f))
        return false;
    simtime due = arrival(s, f);
    describe(s, f, &text);
    uint64_t record = coordinator_publish_command(c, buffer_string(&text));
    buffer_free(&text);
    if (f->action == FAULT_DROP)
        flight_drop(c, f->message);
    else if (f->action == FAULT_DELAY)
        flight_delay(c, f->message, due);
    else if (f->action == FAULT_COPY)
        flight_copy(c, f->message);
    else if (f->action == FAULT_EDIT)
        flight_edit(c, f->message, text_of(f->payload), record);
    else if (f->action == FAULT_INJECT)
        flight_inject(c, f->src, f->dst, text_of(f->type), text_of(f->payload), due);
    else
        faults_change_link(s, f);
    return true;
}

void flight_act(struct session *s, const struct scenario_fault *f)
{
    static const char *const words[] = { [FAULT_DROP] = "drop", [FAULT_DELAY] = "delay",   [FAULT_COPY] = "copy",
                                         [FAULT_EDIT] = "edit", [FAULT_INJECT] = "inject", [FAULT_LINK] = "link" };
    if (!apply(s, f))
        nodes_warn(s, f->dst, "the fault '%s' has no effect: %s", words[f->action], s->refusal);
    s->refusal[0] = '\0';
}

static bool is_node(const struct session *s, int i)
{
    return i >= 0 && i < s->scenario->node_count;
}

/* The payload without blanks in *out, to be freed; NULL where there is none. */
static bool take_payload(struct session *s, struct text given, char **out)
{
    struct json_text text;
    struct json_span value;
    *out = NULL;
    if (!given.len)
        return true;
    json_text_begin(&text, given.s, given.len);
    if (utf8_check(given.s, given.len) < given.len)
        return refuse(s, "the payload is not UTF-8");
    if (!json_text_value(&text, &value) || !json_text_end(&text))
        return refuse(s, "the payload is not JSON: %s, at column %zu", text.why, json_text_column(&text));
    *out = mem_alloc(value.len + 1);
    json_span_compact(&value, *out);
    return true;
}

static bool take_type(struct session *s, struct text given)
{
    if (!given.len)
        return refuse(s, "a message needs a type");
    if (given.len > TYPE_MAX)
        return refuse(s, "the type has more than %d bytes", TYPE_MAX);
    if (utf8_check(given.s, given.len) < given.len || memchr(given.s, '\0', given.len))
        return refuse(s, "the type is not UTF-8");
    return true;
}

/* An absolute time; one from here on becomes one. */
static bool take_time(struct session *s, const struct command *c, simtime from, simtime *to)
{
    char text[SIMTIME_TEXT];
    if (c->time < 0 || (c->relative && c->time > SIMTIME_MAX - from))
        return refuse(s, "that time is none a run can have");
    *to = c->relative ? from + c->time : c->time;
    simtime_format(*to, text);
    return *to >= now_of(s) || refuse(s, "%s has passed", text);
}

/* What the command says beyond a message's id. Texts that are set are to be freed. */
static bool read_command(struct session *s, const struct command *c, struct scenario_fault *f)
{
    const struct message *m = flight_find(s->coordinator, c->id);
    simtime now = now_of(s);
    struct command from_now = { .time = c->time, .relative = c->relative || !c->time };
    if (c->kind == COMMAND_MESSAGE_INJECT || c->kind == COMMAND_LINK) {
        f->src = c->src;
        f->dst = c->dst;
        if (!is_node(s, c->src) || !is_node(s, c->dst))
            return refuse(s, "there is no such node");
    }
    switch (c->kind) {
    case COMMAND_MESSAGE_DELAY:
        return !m || take_time(s, c, m->time > now ? m->time : now, &f->to);
    case COMMAND_MESSAGE_EDIT:
        if (!c->payload.len)
            return refuse(s, "the new payload is missing");
        return take_payload(s, c->payload, &f->payload);
    case COMMAND_MESSAGE_INJECT:
        if (!take_type(s, c->type) || !take_time(s, &from_now, now, &f->to))
            return false;
        f->type = mem_text_n(c->type.s, c->type.len);
        return take_payload(s, c->payload, &f->payload);
    case COMMAND_LINK:
        f->by_user = true;
        f->latency = c->latency;
        f->loss = c->loss;
        if (c->latency < 0 && c->loss < 0)
            return refuse(s, "what becomes of the link is missing: latency or loss");
        return (c->latency <= SIMTIME_MAX && c->loss <= 1) || refuse(s, "loss is a probability, from 0 to 1");
    default:
        return true;
    }
}

/* Why nothing can be done now, in s->refusal. */
static bool may_act(struct session *s)
{
    if (s->state == SESSION_RUNNING)
        return refuse(s, "the run goes on; pause it first");
    if (s->state == SESSION_LOADED || s->state == SESSION_STARTING)
        return refuse(s, "the nodes are still being started");
    if (s->state == SESSION_ENDING)
        return refuse(s, "the run is ending");
    if (s->state != SESSION_PAUSED)
        return refuse(s, "the run is over");
    return nodes_act_first(s) || refuse(s, "a node is on its way to be started again, or has failed; wait for that");
}

bool flight_take_command(struct session *s, const struct command *c)
{
    static const enum fault_action actions[] = {
        [COMMAND_MESSAGE_DROP] = FAULT_DROP,     [COMMAND_MESSAGE_DELAY] = FAULT_DELAY,
        [COMMAND_MESSAGE_COPY] = FAULT_COPY,     [COMMAND_MESSAGE_EDIT] = FAULT_EDIT,
        [COMMAND_MESSAGE_INJECT] = FAULT_INJECT, [COMMAND_LINK] = FAULT_LINK
    };
    if (!may_act(s))
        return false;
    struct scenario_fault f = { .at = now_of(s),
                                .action = actions[c->kind],
                                .node = -1,
                                .src = -1,
                                .dst = -1,
                                .latency = -1,
                                .loss = -1,
                                .message = c->id,
                                .to = -1 };
    bool can = read_command(s, c, &f) && can_be_done(s, &f);
    if (can) {
        apply(s, saved_add(s, &f, true));
        session_keep_results(s); /* it is to be seen at once */
    }
    free(f.type);
    free(f.payload);
    return can;
}

/* Else it is told by what was recorded: of an earlier moment, and of a run that ended within a quantum, whose messages
 * were handed to nodes then. */
static bool is_live(const struct session *s)
{
    if (!s->coordinator || s->viewing.is_past)
        return false;
    return !session_state_over(s->state) ||
           flight_count(s->coordinator) == coordinator_counts(s->coordinator)->in_flight;
}

/* What is known of the past is read when it is asked for; nothing else changes. */
static struct session *reader(const struct session *s)
{
    return (struct session *)s;
}

/* What a reader is told of a message. A payload that is null is none: records do not tell them apart. */
static void fill(const struct message *m, struct session_message *out)
{
    *out = (struct session_message){ .id = m->id,
                                     .src = m->src,
                                     .dst = m->dst,
                                     .type = m->type,
                                     .payload = text_is(m->payload, "null") ? (struct text){ 0 } : m->payload,
                                     .size = m->size,
                                     .record = m->record,
                                     .sent = m->sent,
                                     .due = m->time };
}

const char *session_flight_missing(const struct session *s)
{
    return is_live(s) ? NULL : past_flight_missing(reader(s));
}

uint64_t session_flight_count(const struct session *s)
{
    return is_live(s) ? flight_count(s->coordinator) : past_flight_count(reader(s));
}

size_t session_flight(const struct session *s, uint64_t from, struct session_message *out, size_t room)
{
    if (!is_live(s))
        return past_flight_list(reader(s), from, out, room);
    const struct message **list = mem_array(room, sizeof *list);
    size_t count = flight_list(s->coordinator, from, list, room);
    for (size_t i = 0; i < count; i++)
        fill(list[i], &out[i]);
    free(list);
    return count;
}

bool session_flight_find(const struct session *s, uint64_t id, struct session_message *out)
{
    if (!is_live(s))
        return past_flight_find(reader(s), id, out);
    const struct message *m = flight_find(s->coordinator, id);
    if (m)
        fill(m, out);
    return m != NULL;
}

uint64_t session_flight_rank(const struct session *s, uint64_t id)
{
    return is_live(s) ? flight_rank(s->coordinator, id) : past_flight_rank(reader(s), id);
}

enum session_arrival session_arrival(const struct session *s, int node, simtime due)
{
    bool is_past = s->viewing.is_past, is_over = session_state_over(s->state);
    simtime now = is_past ? s->viewing.at : now_of(s), end = is_over ? viewing_head(s) : s->stop_at;
    enum node_state state = NODE_IDLE;
    if (is_past && !viewing_state(s, node, &state))
        return ARRIVAL_DUE; /* of such a run there are only records */
    if (!is_past)
        state = node_of(s, node)->phase;
    /* Nodes are handed what has come at the begin of a quantum; also of the one in which the run has failed, which is no
     * part of it. */
    simtime handed = barrier_after(s->scenario, due);
    if (handed > end || (handed == end && !failure_of(s)))
        return ARRIVAL_NEVER;
    if (state == NODE_FROZEN && (is_past || !s->care[node].restarting))
        return ARRIVAL_LOST;
    if (state == NODE_PAUSED)
        return ARRIVAL_HELD;
    return due <= now ? ARRIVAL_WAITS : ARRIVAL_DUE;
}

bool session_link(const struct session *s, int src, int dst, simtime *latency, double *loss)
{
    return s->coordinator && !s->viewing.is_past && is_node(s, src) && is_node(s, dst) &&
           flight_link(s->coordinator, src, dst, latency, loss);
}

const char *session_refusal(const struct session *s)
{
    return s->refusal;
}
