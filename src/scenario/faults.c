/* What breaks, and when: faults of nodes, links and messages, the nodes that they name looked up. */
#include <string.h>

#include "base/json_text.h"
#include "scenario/load.h"

#define TYPE_MAX 256 /* bytes; as of what nodes send */

/* What a fault is about. */
enum subject { OF_NODE = 1, OF_LINK = 2, OF_MESSAGE = 4, OF_NEW = 8 };

/* One fault while it is read. */
struct reading {
    const struct load *l;
    const struct tree *map;
    const struct place *place;
    struct raw_fault raw;
    struct scenario_fault *out;
};

#define TELL(r, severity, field, ...)                                                                                  \
    load_tell((r)->l, severity, &fault_table, (r)->map, (r)->place, field, __VA_ARGS__)

/* A node that a field names; -1 with the problem told. */
static int node_of(const struct reading *r, const char *field, const char *id)
{
    struct place at = { .up = r->place, .key = field };
    return find_node_or_tell(r->l, id, tree_get(r->map, field)->mark, &at);
}

static void read_link(struct reading *r)
{
    const struct tree *ends = tree_get(r->map, "link");
    struct place at = { .up = r->place, .key = "link" };
    const struct raw_fault *raw = &r->raw;
    if (!raw->link[0] || !raw->link[1] || raw->link[2]) {
        place_tell(r->l->problems, SEVERITY_ERROR, ends->mark, &at,
                   "must be two nodes, for example `[sensor1, gateway]`");
        return;
    }
    r->out->src = find_node_or_tell(r->l, raw->link[0], ends->items[0]->mark, &(struct place){ &at, NULL, 0 });
    r->out->dst = find_node_or_tell(r->l, raw->link[1], ends->items[1]->mark, &(struct place){ &at, NULL, 1 });
    if (raw->latency < 0 && raw->loss < 0)
        TELL(r, SEVERITY_ERROR, "", "needs what becomes of the link: loss or latency");
    if (raw->action != FAULT_LINK)
        TELL(r, SEVERITY_ERROR, "action", "is for nodes; a link has loss or latency");
    if (r->l->s->network == NETWORK_DIRECT)
        TELL(r, SEVERITY_WARNING, "link", "has no effect with network.model direct; set `model: latency`");
}

static void read_node(struct reading *r)
{
    const struct raw_fault *raw = &r->raw;
    r->out->node = node_of(r, "node", raw->node);
    if (raw->action == FAULT_LINK && !tree_get(r->map, "action"))
        TELL(r, SEVERITY_ERROR, "action", "is required; add kill, pause, resume, restart or stop");
    if (raw->action >= FAULT_DROP && raw->action < FAULT_LINK)
        TELL(r, SEVERITY_ERROR, "action", "is for messages; for a node use kill, pause, resume, restart or stop");
    if (raw->latency >= 0 || raw->loss >= 0)
        TELL(r, SEVERITY_ERROR, raw->loss >= 0 ? "loss" : "latency", "is for links; a node has an action");
    if (raw->by && (raw->action == FAULT_PAUSE || raw->action == FAULT_RESUME))
        TELL(r, SEVERITY_ERROR, "by", "user is for kill, restart and stop: nobody pauses a node by hand");
}

/* The payload without blanks, as what nodes send is kept. */
static void read_payload(struct reading *r)
{
    struct json_text text;
    struct json_span value;
    char *payload = r->raw.payload;
    if (!payload)
        return;
    json_text_begin(&text, payload, strlen(payload));
    if (!json_text_value(&text, &value) || !json_text_end(&text)) {
        TELL(r, SEVERITY_ERROR, "payload", "is not JSON: %s, at column %zu", text.why, json_text_column(&text));
        return;
    }
    char *compact = arena_text(r->l->arena, payload, strlen(payload));
    compact[json_span_compact(&value, compact)] = '\0';
    r->out->payload = compact;
}

static void read_message(struct reading *r)
{
    const struct raw_fault *raw = &r->raw;
    if (raw->action == FAULT_LINK && !tree_get(r->map, "action"))
        TELL(r, SEVERITY_ERROR, "action", "is required; add drop, delay, copy or edit");
    else if (raw->action < FAULT_DROP)
        TELL(r, SEVERITY_ERROR, "action", "is for nodes; for a message use drop, delay, copy or edit");
    if (raw->action == FAULT_DELAY && (raw->to < 0) == (raw->duration == 0))
        TELL(r, SEVERITY_ERROR, raw->to < 0 ? "" : "to",
             raw->to < 0 ? "needs `to` (a time) or `for` (how long)" : "and `for` both say until when; remove one");
    if (raw->action == FAULT_EDIT && !tree_get(r->map, "payload"))
        TELL(r, SEVERITY_ERROR, "payload", "is required; add the new one, as JSON");
    read_payload(r);
}

static void read_new(struct reading *r)
{
    static const char *const fields[] = { "src", "dst", "type" };
    const struct raw_fault *raw = &r->raw;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!tree_get(r->map, fields[i]))
            TELL(r, SEVERITY_ERROR, fields[i], "is required for a new message");
    if (raw->src)
        r->out->src = node_of(r, "src", raw->src);
    if (raw->dst)
        r->out->dst = node_of(r, "dst", raw->dst);
    r->out->type = raw->type ? arena_text(r->l->arena, raw->type, strlen(raw->type)) : NULL;
    if (raw->type && strlen(raw->type) > TYPE_MAX)
        TELL(r, SEVERITY_ERROR, "type", "has more than %d bytes", TYPE_MAX);
    read_payload(r);
}

/* Fields that say nothing of this subject. */
static void tell_idle(const struct reading *r, enum subject subject)
{
    static const struct {
        const char *field;
        unsigned of;
    } uses[] = {
        { "for", OF_LINK | OF_MESSAGE },
        { "latency", OF_LINK | OF_NODE },
        { "loss", OF_LINK | OF_NODE },
        { "src", OF_NEW },
        { "dst", OF_NEW },
        { "type", OF_NEW },
        { "to", OF_MESSAGE | OF_NEW },
        { "payload", OF_MESSAGE | OF_NEW },
        { "by", OF_NODE | OF_LINK },
    };
    const char *name = subject == OF_NODE ? "a node" : subject == OF_LINK ? "a link" : "a message";
    int action = r->raw.action;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const struct tree_entry *e = schema_find(&fault_table, r->map, uses[i].field);
        if (e && e->value->kind != TREE_NULL && !(uses[i].of & subject))
            TELL(r, SEVERITY_WARNING, uses[i].field, "has no effect for %s; remove it", name);
    }
    if (subject != OF_MESSAGE)
        return;
    if (action != FAULT_DELAY && r->raw.to >= 0)
        TELL(r, SEVERITY_WARNING, "to", "has no effect without `action: delay`");
    if (action != FAULT_DELAY && r->raw.duration > 0)
        TELL(r, SEVERITY_WARNING, "for", "has no effect without `action: delay`");
    if (action != FAULT_EDIT && r->raw.payload)
        TELL(r, SEVERITY_WARNING, "payload", "has no effect without `action: edit`");
}

/* What it is about, or 0 with the problem told. */
static unsigned subject_of(const struct reading *r)
{
    const struct raw_fault *raw = &r->raw;
    bool is_new = raw->action == FAULT_INJECT, has_message = raw->message != FAULT_NO_MESSAGE;
    int count = (raw->node != NULL) + (raw->link != NULL) + has_message;
    if (is_new && count)
        TELL(r, SEVERITY_ERROR,
             raw->node   ? "node"
             : raw->link ? "link"
                         : "message",
             "is not for a new message; it has src, dst and type");
    else if (count > 1)
        TELL(r, SEVERITY_ERROR, "", "needs one of node, link and message, not several");
    else if (!count && !is_new)
        TELL(r, SEVERITY_ERROR, "", "needs a node, a link, a message, or `action: inject`");
    else
        return is_new ? OF_NEW : raw->node ? OF_NODE : raw->link ? OF_LINK : OF_MESSAGE;
    return 0;
}

static void check_times(const struct reading *r)
{
    simtime quantum = r->l->s->quantum, duration = r->l->s->duration;
    if (r->raw.to >= 0 && r->raw.to < r->raw.at)
        TELL(r, SEVERITY_ERROR, "to", "is before `at`");
    if (duration > 0 && quantum > 0 && r->raw.at > (duration - 1) / quantum * quantum)
        TELL(r, SEVERITY_WARNING, "at", "is behind the last barrier before the end of the run; it never happens");
}

/* A payload may also be a map or a list: it is read as the text of its JSON. */
static struct tree *with_payload_as_text(const struct load *l, struct tree *fault, const struct place *place)
{
    const struct tree *payload = fault->kind == TREE_MAP ? tree_get(fault, "payload") : NULL;
    struct buffer text = { 0 };
    if (!payload || payload->kind < TREE_LIST)
        return fault;
    check_json(l, payload, &(struct place){ .up = place, .key = "payload" });
    tree_json(&text, payload);
    struct tree *copy = tree_copy(l->scratch, fault);
    tree_find(copy, "payload")->value = tree_text(l->scratch, payload->mark, text.data, text.len);
    buffer_free(&text);
    return copy;
}

static void read_fault(const struct load *l, struct tree *fault, const struct place *place, struct scenario_fault *out)
{
    struct reading r = { .l = l, .place = place, .out = out };
    struct reader reader = { .problems = l->problems, .arena = l->scratch };
    size_t errors = l->problems->errors;
    fault = with_payload_as_text(l, fault, place);
    r.map = fault;
    r.raw =
        (struct raw_fault){ .latency = -1, .loss = -1, .to = -1, .action = FAULT_LINK, .message = FAULT_NO_MESSAGE };
    schema_read(&reader, &fault_table, fault, place, &r.raw);
    *out = (struct scenario_fault){ .at = r.raw.at,
                                    .action = (enum fault_action)r.raw.action,
                                    .node = -1,
                                    .src = -1,
                                    .dst = -1,
                                    .latency = r.raw.latency,
                                    .loss = r.raw.loss,
                                    .duration = r.raw.duration,
                                    .by_user = r.raw.by != 0,
                                    .message = r.raw.message,
                                    .to = r.raw.to };
    bool is_bad = l->problems->errors != errors && !r.raw.node && !r.raw.link && r.raw.message == FAULT_NO_MESSAGE;
    if (fault->kind != TREE_MAP || (is_bad && r.raw.action != FAULT_INJECT))
        return;
    unsigned subject = subject_of(&r);
    switch (subject) {
    case OF_NODE:
        read_node(&r);
        break;
    case OF_LINK:
        read_link(&r);
        break;
    case OF_MESSAGE:
        read_message(&r);
        break;
    case OF_NEW:
        read_new(&r);
        break;
    }
    if (subject)
        tell_idle(&r, (enum subject)subject);
    check_times(&r);
}

void faults_read(struct load *l)
{
    const struct tree *faults = load_list(l, l->root, "faults", "faults");
    if (!faults)
        return;
    struct place list = { .key = "faults" };
    l->s->fault_count = (int)faults->count;
    l->s->faults = arena_alloc(l->arena, faults->count * sizeof *l->s->faults);
    for (size_t i = 0; i < faults->count; i++)
        read_fault(l, faults->items[i], &(struct place){ .up = &list, .index = i }, &l->s->faults[i]);
}
