#include "ui/last_messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ui/format.h"
#include "ui/json_view.h"

#define KEPT    200              /* messages */
#define SLICE   4096             /* records that are looked through at a time */
#define LATE_NS INT64_C(4000000) /* of looking for messages that were put off, at a time */

/* A record of the node, and when that came to the node: a message to it when it arrives, not when it was sent. */
struct found {
    uint64_t n;
    simtime at;
    bool pauses; /* it says that the node was paused */
};

struct last_messages {
    int node;
    /* Its records among those from `low` to `high` (exclusive), the latest first. */
    struct found found[KEPT];
    int count;
    uint64_t low, high;
    uint64_t changes; /* what was done to messages by then: it moves them */
    bool has_late;    /* those that were recorded before all of these, and put off, were looked for, … */
    size_t late_at;   /* … up to here */
    bool is_reading;  /* it is not known yet what was done to messages */
};

struct last_messages *last_messages_new(void)
{
    struct last_messages *m = mem_alloc(sizeof *m);
    m->node = -1;
    return m;
}

void last_messages_free(struct last_messages *m)
{
    free(m);
}

static bool is_source(const struct record *r, const char *id)
{
    return r->src.len == strlen(id) && !memcmp(r->src.s, id, r->src.len);
}

static struct found found_of(const struct view *v, const char *id, uint64_t n)
{
    struct record r;
    struct session_delivery d;
    if (session_read_message(v->session, n, &r, &d) != 0)
        return (struct found){ .n = n };
    bool arrives = !is_source(&r, id) && d.due != SIMTIME_NEVER;
    return (struct found){ n, arrives ? d.due : r.t, r.kind == RECORD_NODE && text_is(r.state, "paused") };
}

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? 1 : -1;
    return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

/* Looks backward from record `from` down to `floor`; *floor_reached is where it is to go on. Returns how many. */
static int look_back(const struct view *v, const char *id, uint64_t from, uint64_t floor, struct found found[KEPT],
                     uint64_t *reached)
{
    int count = 0;
    uint64_t n = from;
    struct store_query query = { .node = id };
    while (n > floor && count < KEPT) {
        uint64_t at = n - 1;
        enum store_found f = store_find(v->store, &query, true, n - floor, &at);
        if (f != STORE_FOUND || at < floor) {
            n = floor;
            break;
        }
        found[count++] = found_of(v, id, at);
        n = at;
    }
    *reached = n;
    return count;
}

/* Takes it in at its place where it is one of the last; what was there goes on by one, and the earliest goes. */
static void add_found(struct last_messages *m, const struct found *f)
{
    int at = m->count;
    for (int i = 0; i < m->count; i++)
        if (m->found[i].n == f->n)
            return;
    while (at > 0 && compare_found(f, &m->found[at - 1]) < 0)
        at--;
    if (at == KEPT)
        return;
    m->count += m->count < KEPT;
    memmove(m->found + at + 1, m->found + at, (size_t)(m->count - at - 1) * sizeof *m->found);
    m->found[at] = *f;
}

/* A message that was sent long ago is among the last ones where it was put off for so long. One that was dropped then
 * is not: it comes at no time. Returns whether there are more to be looked at. */
static bool add_late(struct last_messages *m, const struct view *v)
{
    struct session_late late;
    int64_t until = clock_ns() + LATE_NS;
    enum store_found found = STORE_MORE;
    while (found != STORE_NOT_FOUND && clock_ns() < until) {
        found = session_next_late(v->session, m->node, &m->late_at, &late);
        if (found == STORE_FOUND)
            add_found(m, &(struct found){ .n = late.n, .at = late.due });
    }
    m->has_late = found == STORE_NOT_FOUND;
    return !m->has_late;
}

/* Looks at what has come since, or was not looked at yet. */
static void look(struct last_messages *m, const struct view *v, const char *id, uint64_t records)
{
    struct found found[KEPT];
    uint64_t reached, before = m->high + (uint64_t)m->count;
    if (records > m->high) {
        int fresh = look_back(v, id, records, m->high, found, &reached);
        int keep = m->count < KEPT - fresh ? m->count : KEPT - fresh;
        memmove(m->found + fresh, m->found, (size_t)keep * sizeof *m->found);
        memcpy(m->found, found, (size_t)fresh * sizeof *found);
        m->count = fresh + keep;
        m->high = records;
    }
    if (m->count < KEPT && m->low > 0) {
        uint64_t floor = m->low > SLICE ? m->low - SLICE : 0;
        int older = look_back(v, id, m->low, floor, found, &m->low);
        older = older < KEPT - m->count ? older : KEPT - m->count;
        memcpy(m->found + m->count, found, (size_t)older * sizeof *found);
        m->count += older;
    }
    if (m->high + (uint64_t)m->count != before)
        qsort(m->found, (size_t)m->count, sizeof *m->found, compare_found);
}

bool last_messages_work(struct last_messages *m, const struct view *v, int node, bool *changed)
{
    bool was_reading = m->is_reading, more = false;
    m->is_reading = !session_deliveries_known(v->session);
    *changed |= m->is_reading != was_reading;
    if (m->is_reading)
        return false; /* the session goes on with it */
    if (node != m->node)
        *m = (struct last_messages){ .node = node };
    uint64_t records = store_count(v->store);
    uint64_t changes = records != m->high ? session_changes(v->session) : m->changes;
    *changed |= records != m->high || (m->count < KEPT && m->low > 0);
    if (records > m->high + SLICE || records < m->high || changes != m->changes)
        *m = (struct last_messages){ .node = node, .changes = changes, .low = records, .high = records };
    look(m, v, v->scenario->nodes[node].id, records);
    if (m->count == KEPT && !m->has_late) {
        more = add_late(m, v);
        *changed |= !more;
    }
    return more || (m->count < KEPT && m->low > 0);
}

int last_messages_count(const struct last_messages *m, int node)
{
    return m->is_reading || node != m->node ? 0 : m->count;
}

const char *last_messages_missing(const struct last_messages *m, int node)
{
    return node != m->node ? NULL
           : m->is_reading ? "reading what was done to them"
           : m->low > 0    ? "looking for them"
                           : NULL;
}

/* What becomes of a message to the node, or became: what has come to a node that is paused since the barrier at which
 * that began, its own included, has not been handed to it. */
static enum session_arrival arrival_of(const struct last_messages *m, const struct view *v, simtime at)
{
    enum session_arrival arrival = session_arrival(v->session, m->node, at);
    int i = 0;
    if (at > v->status->now || arrival == ARRIVAL_NEVER)
        return arrival;
    if (arrival != ARRIVAL_HELD)
        return ARRIVAL_WAITS;
    while (i < m->count && !m->found[i].pauses)
        i++;
    return i < m->count && at > m->found[i].at - v->scenario->quantum ? ARRIVAL_HELD : ARRIVAL_WAITS;
}

void last_messages_draw(const struct last_messages *m, const struct view *v, const struct area *a, int y, int i)
{
    const struct found *f = &m->found[i];
    struct record r;
    struct session_delivery came;
    char stamp[FORMAT_TEXT], text[ARRIVAL_TEXT];
    if (session_read_message(v->session, f->n, &r, &came) != 0)
        return;
    const char *id = v->scenario->nodes[m->node].id;
    bool out = is_source(&r, id);
    struct text other = out ? r.dst : r.src;
    struct pen pen = pen_at(a, 0, y, -1);
    int width = (int)strlen(format_stamp(v->scenario->duration, stamp)) + 1;
    area_right(a, 0, y, width, ROLE_TIME, format_stamp(f->at, stamp));
    pen.x = width + 1;
    bool lost = r.kind == RECORD_MESSAGE && came.due == SIMTIME_NEVER;
    bool is_to = !out && !lost && r.kind == RECORD_MESSAGE;
    enum session_arrival arrival = is_to ? arrival_of(m, v, f->at) : ARRIVAL_WAITS;
    bool comes = arrival == ARRIVAL_DUE, came_not = arrival > ARRIVAL_WAITS;
    const char *way = r.kind != RECORD_MESSAGE || came_not ? "" : out ? "out" : comes ? "due" : "in";
    area_text(a, pen.x, y, 4, out ? ROLE_INFO : comes ? ROLE_DIM : ROLE_GOOD, way, strlen(way));
    pen.x += 4;
    int id_width = v->model->id_width > 12 ? 12 : v->model->id_width;
    area_text(a, pen.x, y, id_width, lost ? ROLE_BAD : ROLE_TEXT, other.s ? other.s : "", other.len);
    pen.x += id_width + 1;
    struct text type = r.type.len ? r.type : r.state;
    enum role role = r.kind == RECORD_NODE ? ROLE_WARN : theme_type_role(type.s, type.len);
    area_text(a, pen.x, y, 9, role, type.s ? type.s : "", type.len);
    pen.x += 10;
    pen.full = pen.x >= pen.end;
    struct text payload = out ? r.payload : came.payload;
    const char *fate = out && came.due != SIMTIME_NEVER ? "" : view_fate(&r, &came);
    pen_put(&pen, lost ? ROLE_BAD : ROLE_WARN, fate);
    pen_put(&pen, ROLE_TEXT, *fate ? "  " : "");
    if (came_not)
        pen_printf(&pen, ROLE_WARN, "%s  ", view_arrival(v, arrival, text));
    if (payload.len)
        json_compact(&pen, payload.s, payload.len);
    else
        pen_text(&pen, ROLE_DIM, r.cause.s, r.cause.len);
}

void last_messages_export(const struct last_messages *m, const struct view *v, int i, struct table_row *row)
{
    uint64_t n = m->found[i].n;
    struct record r;
    struct session_delivery came;
    if (session_read_message(v->session, n, &r, &came) != 0)
        return;
    bool out = is_source(&r, v->scenario->nodes[m->node].id);
    struct text payload = out ? r.payload : came.payload;
    const char *fate = out && came.due != SIMTIME_NEVER ? "" : view_fate(&r, &came);
    table_time(row, m->found[i].at);
    table_text(row, record_kind_name(r.kind));
    table_text_n(row, r.src.s, r.src.len);
    table_text_n(row, r.dst.s, r.dst.len);
    table_text_n(row, r.type.s, r.type.len);
    table_json(row, payload.s, payload.len);
    if (*fate)
        table_text(row, fate);
    else
        table_text_n(row, r.cause.s, r.cause.len);
}
