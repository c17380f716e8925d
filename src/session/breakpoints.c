#include "session/breakpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "session/log_probe.h"

#define ANY_NODE (-1)

struct entry {
    int id;
    char *text;
    struct condition *condition; /* NULL: it is a time, or: */
    struct log_probe *log;
    char *log_text; /* that it was made of */
    char *command; /* NULL: none */
    simtime time;
    enum breakpoint_action action;
    bool once, enabled;
    bool due;       /* reached since the last barrier, … */
    uint64_t first; /* … first with this record */
    uint64_t asked_to_go, to_go, hits, record;
};

/* What of an enabled condition is looked at first: in a row, and compared without following a pointer, as this is
 * passed for every record. */
struct guard {
    unsigned kinds;
    int src, dst; /* ANY_NODE, or the one node that it can be */
    size_t entry;
};

struct breakpoints {
    struct sink sink; /* first: a sink is breakpoints */
    struct entry *entries;
    size_t count, capacity;
    struct guard *guards;
    size_t guard_count;
    bool any_due;
    int last_id;
    const struct scenario *scenario; /* NULL: no run has them */
    const struct condition_nodes *nodes;
    simtime now;           /* the last barrier that was looked at */
    int log_count;         /* of those that look at logs */
    struct buffer *pieces; /* of the nodes: the begin of a line that is not whole yet; NULL: none */
    char line[200];        /* that matched last */
    struct breakpoint_hit hit;
};

static int node_named(const struct scenario *s, const char *id)
{
    int i = s && id ? scenario_find_node(s, id) : -1;
    return i >= 0 ? i : ANY_NODE;
}

static bool is_time(const struct entry *e)
{
    return !e->condition && !e->log;
}

static void make_guards(struct breakpoints *b)
{
    free(b->guards);
    b->guards = mem_array(b->count + 1, sizeof *b->guards);
    b->guard_count = 0;
    b->log_count = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = &b->entries[i];
        b->log_count += e->enabled && e->log;
        if (!e->enabled || !e->condition)
            continue;
        struct condition_scope scope = condition_scope(e->condition);
        b->guards[b->guard_count++] = (struct guard){ .kinds = scope.kinds,
                                                      .src = node_named(b->scenario, scope.src),
                                                      .dst = node_named(b->scenario, scope.dst),
                                                      .entry = i };
    }
}

static void note_match(struct breakpoints *b, struct entry *e, uint64_t n)
{
    e->hits++;
    e->record = n;
    if (e->to_go > 1) {
        e->to_go--;
    } else if (!e->due) {
        e->due = b->any_due = true;
        e->first = n;
    }
}

static void take_record(struct sink *sink, const struct record *r)
{
    struct breakpoints *b = (struct breakpoints *)sink;
    const struct guard *end = b->guards + b->guard_count;
    unsigned kind = 1u << r->kind;
    for (const struct guard *g = b->guards; g < end; g++) {
        if (!(g->kinds & kind) || (g->src != ANY_NODE && g->src != r->src_node) ||
            (g->dst != ANY_NODE && g->dst != r->dst_node))
            continue;
        struct entry *e = &b->entries[g->entry];
        if (condition_matches(e->condition, r, b->nodes))
            note_match(b, e, r->n);
    }
}

struct breakpoints *breakpoints_new(void)
{
    struct breakpoints *b = mem_alloc(sizeof *b);
    b->sink.record = take_record;
    return b;
}

static void clear_entry(struct entry *e)
{
    condition_free(e->condition);
    log_probe_free(e->log);
    free(e->log_text);
    free(e->command);
    free(e->text);
}

static void forget_pieces(struct breakpoints *b)
{
    for (int i = 0; b->pieces && i < b->scenario->node_count; i++)
        buffer_free(&b->pieces[i]);
    free(b->pieces);
    b->pieces = NULL;
}

void breakpoints_free(struct breakpoints *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        clear_entry(&b->entries[i]);
    free(b->entries);
    free(b->guards);
    free(b);
}

static bool fail(struct condition_error *err, size_t column, const char *what)
{
    err->column = column;
    snprintf(err->text, sizeof err->text, "column %zu: %.350s", column, what);
    return false;
}

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

/* Whether `word` stands at *s, with blanks behind it; then *s goes on behind them. */
static bool accept(const char **s, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*s, word, len) || (*s)[len] != ' ')
        return false;
    *s = skip_blanks(*s + len);
    return true;
}

/* A text in quotes, of `do`. False where there is none. */
static bool take_command(const char **s, struct entry *e)
{
    char quote = **s;
    const char *end = quote == '"' || quote == '\'' ? strchr(*s + 1, quote) : NULL;
    if (!end || end == *s + 1 || end[1] != ' ')
        return false;
    free(e->command);
    e->command = mem_text_n(*s + 1, (size_t)(end - *s) - 1);
    e->action = e->action == BREAKPOINT_PAUSE ? BREAKPOINT_COMMAND : e->action;
    *s = skip_blanks(end + 1);
    return true;
}

/* The words before a condition or time. Returns where that begins, NULL with *err set. */
static const char *take_words(const char *text, struct entry *e, struct condition_error *err)
{
    const char *s = skip_blanks(text);
    for (;;) {
        if (accept(&s, "once")) {
            e->once = true;
        } else if (accept(&s, "note")) {
            e->action = BREAKPOINT_NOTE;
        } else if (accept(&s, "abort")) {
            e->action = BREAKPOINT_ABORT;
        } else if (accept(&s, "do")) {
            if (!take_command(&s, e)) {
                fail(err, (size_t)(s - text) + 1, "expected a command in quotes after 'do', then a condition");
                return NULL;
            }
        } else if (accept(&s, "hit")) {
            char *end;
            e->asked_to_go = strtoull(s, &end, 10);
            if (*s < '0' || *s > '9' || *end != ' ' || !e->asked_to_go) {
                fail(err, (size_t)(s - text) + 1, "expected a number above 0 after 'hit', then a condition");
                return NULL;
            }
            s = skip_blanks(end);
        } else {
            return s;
        }
    }
}

const char *breakpoint_word(int i)
{
    static const char *const words[] = { "once", "note", "abort", "hit", "do", "log" };
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? words[i] : NULL;
}

bool breakpoint_takes_word(const char *text, size_t len)
{
    struct entry e = { 0 };
    struct condition_error err;
    char *begin = mem_text_n(text, len);
    const char *rest = take_words(begin, &e, &err);
    bool takes = rest && !*rest;
    free(e.command);
    free(begin);
    return takes;
}

static bool looks_like_time(const char *s)
{
    return (*s >= '0' && *s <= '9') || *s == '.' || *s == '-' || *s == '+';
}

static bool take_condition(const char *text, size_t words, struct entry *e, struct condition_error *err)
{
    char *padded = mem_text(text); /* the words blanked out, so that columns are those of the whole */
    memset(padded, ' ', words);
    e->condition = condition_parse(padded, err);
    free(padded);
    if (!e->condition)
        return false;
    if (e->action != BREAKPOINT_END || !(condition_needs(e->condition) & CONDITION_WALL))
        return true;
    condition_free(e->condition);
    return fail(err, words + 1, "node.step_time depends on the wall clock, and where the run ends must not");
}

/* Lines of logs come by the wall clock: where a run ends must not depend on them. */
static bool take_log(const char *text, const char *s, struct entry *e, struct condition_error *err)
{
    e->log = log_probe_parse(s, err);
    e->log_text = e->log ? mem_text(s) : NULL;
    if (e->log)
        return true;
    const char *what = strstr(err->text, ": ");
    char why[sizeof err->text];
    snprintf(why, sizeof why, "%s", what ? what + 2 : err->text);
    return fail(err, err->column + (size_t)(s - text), why);
}

static bool parse(const char *text, enum breakpoint_action action, struct entry *e, struct condition_error *err)
{
    const char *why;
    *err = (struct condition_error){ 0 };
    *e = (struct entry){ .action = action, .enabled = true, .asked_to_go = 1 };
    const char *s = action == BREAKPOINT_END ? skip_blanks(text) : take_words(text, e, err);
    bool good = s != NULL;
    if (good && action != BREAKPOINT_END && log_probe_is_meant(s)) {
        good = take_log(text, s, e, err);
    } else if (good && !looks_like_time(s)) {
        good = take_condition(text, (size_t)(s - text), e, err);
    } else if (good && simtime_parse(s, 1000000, &e->time, &why) < 0) {
        good = fail(err, (size_t)(s - text) + 1, why);
    } else if (good && e->asked_to_go > 1) {
        good = fail(err, 1, "a time is reached once only; leave 'hit' out");
    }
    if (!good) {
        free(e->command);
        return false;
    }
    e->to_go = e->asked_to_go;
    e->text = mem_text(skip_blanks(text));
    return true;
}

int breakpoints_add(struct breakpoints *b, const char *text, enum breakpoint_action action, struct condition_error *err)
{
    struct entry e;
    if (!parse(text, action, &e, err))
        return -1;
    e.id = ++b->last_id;
    b->entries = mem_grow(b->entries, b->count, &b->capacity, sizeof *b->entries);
    b->entries[b->count++] = e;
    make_guards(b);
    return e.id;
}

static struct entry *find(struct breakpoints *b, int id)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i].id == id)
            return &b->entries[i];
    return NULL;
}

bool breakpoints_change(struct breakpoints *b, int id, const char *text, struct condition_error *err)
{
    struct entry *e = find(b, id), changed;
    if (!e)
        return fail(err, 1, "this breakpoint is gone");
    if (!parse(text, e->action == BREAKPOINT_END ? BREAKPOINT_END : BREAKPOINT_PAUSE, &changed, err))
        return false;
    changed.id = id;
    clear_entry(e);
    *e = changed;
    make_guards(b);
    return true;
}

bool breakpoints_remove(struct breakpoints *b, int id)
{
    struct entry *e = find(b, id);
    if (!e)
        return false;
    clear_entry(e);
    memmove(e, e + 1, (size_t)(b->entries + b->count - (e + 1)) * sizeof *e);
    b->count--;
    make_guards(b);
    return true;
}

bool breakpoints_enable(struct breakpoints *b, int id, bool enabled)
{
    struct entry *e = find(b, id);
    if (!e)
        return false;
    e->enabled = enabled;
    e->due &= enabled;
    make_guards(b);
    return true;
}

size_t breakpoints_count(const struct breakpoints *b)
{
    return b->count;
}

bool breakpoints_get(const struct breakpoints *b, size_t i, struct breakpoint *out)
{
    if (i >= b->count)
        return false;
    const struct entry *e = &b->entries[i];
    *out = (struct breakpoint){ .id = e->id,
                                .text = e->text,
                                .condition = e->condition ? condition_text(e->condition) : NULL,
                                .action = e->action,
                                .is_time = is_time(e),
                                .is_log = e->log != NULL,
                                .once = e->once,
                                .enabled = e->enabled,
                                .time = e->time,
                                .from_hit = e->asked_to_go,
                                .to_go = e->to_go,
                                .hits = e->hits,
                                .record = e->record };
    return true;
}

const struct breakpoint_hit *breakpoints_hit(const struct breakpoints *b)
{
    return &b->hit;
}

void breakpoints_attach(struct breakpoints *b, const struct scenario *s, const struct condition_nodes *nodes)
{
    b->scenario = s;
    b->nodes = nodes;
    b->now = -1; /* one at the very begin is still to come */
    b->any_due = false;
    for (size_t i = 0; i < b->count; i++) {
        struct entry *e = &b->entries[i];
        e->hits = 0;
        e->to_go = e->asked_to_go;
        e->due = false;
        if (e->condition)
            condition_restart(e->condition);
    }
    make_guards(b);
}

void breakpoints_detach(struct breakpoints *b)
{
    forget_pieces(b);
    b->scenario = NULL;
    b->nodes = NULL;
    make_guards(b);
}

struct sink *breakpoints_sink(struct breakpoints *b)
{
    return &b->sink;
}

simtime breakpoints_next_time(const struct breakpoints *b, simtime now)
{
    simtime next = SIMTIME_NEVER;
    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = &b->entries[i];
        if (is_time(e) && e->enabled && e->time > now && e->time < next)
            next = e->time;
    }
    return next;
}

/* Of those that are due the one that counts most; of equal ones the one reached first. */
static const struct entry *strongest(const struct breakpoints *b, int *others)
{
    const struct entry *best = NULL;
    *others = -1;
    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = &b->entries[i];
        if (!e->due)
            continue;
        ++*others;
        if (!best || e->action > best->action || (e->action == best->action && e->first < best->first))
            best = e;
    }
    return best;
}

static void note_times(struct breakpoints *b, simtime now, uint64_t records)
{
    for (size_t i = 0; i < b->count; i++) {
        struct entry *e = &b->entries[i];
        if (is_time(e) && e->enabled && e->time > b->now && e->time <= now)
            note_match(b, e, records);
    }
}

static void note_hit(struct breakpoints *b, int id, const char *text, simtime now, uint64_t record, const char *line)
{
    b->hit = (struct breakpoint_hit){ .serial = b->hit.serial + 1,
                                      .id = id,
                                      .action = BREAKPOINT_PAUSE,
                                      .is_time = record == UINT64_MAX && !line,
                                      .is_log = line != NULL,
                                      .now = now,
                                      .record = record };
    snprintf(b->hit.text, sizeof b->hit.text, "%s", text);
    snprintf(b->hit.line, sizeof b->hit.line, "%s", line ? line : "");
}

void breakpoints_note_past(struct breakpoints *b, int id, simtime now, uint64_t record, const char *line)
{
    const struct entry *e = b && id > 0 ? find(b, id) : NULL;
    if (e)
        note_hit(b, id, e->text, now, record, line);
}

void breakpoints_note_where(struct breakpoints *b, const char *text, simtime now, uint64_t record)
{
    if (b)
        note_hit(b, 0, skip_blanks(text), now, record, NULL);
}

static void note_commands(struct breakpoints *b)
{
    size_t len = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = &b->entries[i];
        size_t more = e->due && e->command ? strlen(e->command) + 1 : 0;
        if (more && len + more < sizeof b->hit.commands)
            len += (size_t)snprintf(b->hit.commands + len, sizeof b->hit.commands - len, "%s\n", e->command);
    }
}

void breakpoints_log_line(char *out, size_t size, const char *node, const char *line)
{
    struct buffer safe = { 0 };
    utf8_escape(&safe, line, strlen(line));
    snprintf(out, size, "%.64s: %.120s", node, buffer_string(&safe));
    buffer_free(&safe);
}

struct log_probe *breakpoints_log_probe(const struct breakpoints *b, int id)
{
    struct condition_error err;
    const struct entry *e = find((struct breakpoints *)b, id);
    return e && e->log ? log_probe_parse(e->log_text, &err) : NULL;
}

/* A line that is whole by now. */
static void look_at_line(struct breakpoints *b, int node, const char *line, uint64_t records)
{
    const char *id = b->scenario->nodes[node].id;
    for (size_t i = 0; i < b->count; i++) {
        struct entry *e = &b->entries[i];
        if (!e->enabled || !e->log || !log_probe_matches(e->log, id, line))
            continue;
        breakpoints_log_line(b->line, sizeof b->line, id, line);
        note_match(b, e, records);
    }
}

void breakpoints_log(struct breakpoints *b, int node, const char *data, size_t len, uint64_t records)
{
    if (!b || !b->log_count || !b->scenario)
        return;
    if (!b->pieces)
        b->pieces = mem_array((size_t)b->scenario->node_count, sizeof *b->pieces);
    struct buffer *line = &b->pieces[node];
    while (len && log_probe_line(line, &data, &len)) {
        look_at_line(b, node, buffer_string(line), records);
        line->len = 0;
    }
}

bool breakpoints_take(struct breakpoints *b, simtime now, uint64_t records)
{
    if (now > b->now)
        note_times(b, now, records);
    b->now = now;
    if (!b->any_due)
        return false;
    b->any_due = false;
    int others;
    const struct entry *e = strongest(b, &others);
    if (!e)
        return false; /* it was disabled or removed since */
    b->hit = (struct breakpoint_hit){ .serial = b->hit.serial + 1,
                                      .id = e->id,
                                      .action = e->action,
                                      .is_time = is_time(e),
                                      .is_log = e->log != NULL,
                                      .now = now,
                                      .record = e->first,
                                      .others = others };
    snprintf(b->hit.text, sizeof b->hit.text, "%s", e->text);
    snprintf(b->hit.line, sizeof b->hit.line, "%s", e->log ? b->line : "");
    note_commands(b);
    for (size_t i = b->count; i-- > 0;) {
        bool gone = b->entries[i].due && b->entries[i].once;
        b->entries[i].due = false;
        if (gone)
            breakpoints_remove(b, b->entries[i].id);
    }
    return true;
}
