#include "lockstep/store.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "trace/record_line.h"
#include "trace/store_open.h"
#include "trace/store_words.h"

#define CHUNK_MAX (64u << 20) /* bytes of STORE_STRIDE lines that are read at once at most */

struct store {
    int fd;
    const struct store_index *index;
    struct store_index own; /* of a run that was recorded: then the index is this */
    int64_t looked;         /* bytes of the file in which lines were looked for, then */
    uint64_t limit;
    struct buffer chunk;  /* the lines of one stride */
    uint64_t chunk_first; /* number of its first line */
    size_t starts[STORE_STRIDE + 1];
    uint64_t chunk_lines;  /* whole lines in it; 0: no chunk */
    uint64_t long_next;    /* the line behind one that was read alone, … */
    int64_t long_at;       /* … and where it begins; 0: none was */
    struct json *value;    /* of the record that was read last */
    struct buffer payload; /* of it */
    char *asked;           /* the text that was looked for last, … */
    struct buffer words;   /* … as words; empty: it is one word */
    struct buffer said;    /* what a record says, as words */
};

void store_index_note(struct store_index *x, uint64_t n, int64_t offset)
{
    if (n % STORE_STRIDE)
        return;
    x->offsets = mem_grow(x->offsets, x->count, &x->capacity, sizeof *x->offsets);
    x->offsets[x->count++] = offset;
}

static uint32_t four_bytes(const char *s)
{
    uint32_t v;
    memcpy(&v, s, sizeof v);
    return v;
}

/* Of its first and its last characters: this is done for every record. */
unsigned store_node_slot(struct text id)
{
    uint64_t ends;
    if (!id.len)
        return 0;
    if (id.len >= 4)
        ends = (uint64_t)four_bytes(id.s) << 32 | four_bytes(id.s + id.len - 4);
    else
        ends = (uint64_t)(unsigned char)id.s[0] << 16 | (unsigned)(unsigned char)id.s[id.len / 2] << 8 |
               (unsigned char)id.s[id.len - 1];
    unsigned slot = (unsigned)((ends ^ id.len) * UINT64_C(0x9e3779b97f4a7c15) >> 54);
    return slot ? slot : 1;
}

static struct store_zone *zone_of(struct store_index *x, uint64_t n)
{
    if (n % STORE_STRIDE == 0) {
        x->zones = mem_grow(x->zones, x->zone_count, &x->zone_capacity, sizeof *x->zones);
        x->zones[x->zone_count++] = (struct store_zone){ .from = INT64_MAX, .to = INT64_MIN };
    }
    return &x->zones[x->zone_count - 1];
}

static void add_node(struct store_zone *z, struct text id)
{
    unsigned slot = store_node_slot(id);
    z->nodes[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* 0 is any node. */
static bool has_node(const struct store_zone *z, unsigned slot)
{
    return !slot || z->nodes[slot / 64] >> slot % 64 & 1;
}

static void take_in(struct store_zone *z, const struct record *r)
{
    add_node(z, r->src);
    add_node(z, r->dst);
    z->kinds |= 1u << r->kind;
    z->from = r->t < z->from ? r->t : z->from;
    z->to = r->t > z->to ? r->t : z->to;
}

static void take_in_any(struct store_zone *z)
{
    memset(z->nodes, 0xff, sizeof z->nodes);
    z->payloads.is_unknown = true;
    z->kinds = UINT_MAX;
    z->from = INT64_MIN;
    z->to = INT64_MAX;
}

void store_index_zone(struct store_index *x, const struct record *r)
{
    struct store_zone *z = zone_of(x, r->n);
    take_in(z, r);
    z->payloads.is_unknown = true; /* while a run goes on there is no time for them */
}

void store_index_line(struct store_index *x, uint64_t n, const char *line, size_t len)
{
    struct store_zone *z = zone_of(x, n);
    struct record r;
    if (!line || !record_from_line(line, len, &r)) {
        take_in_any(z);
        return;
    }
    take_in(z, &r);
    if (r.payload.len)
        store_ranges_take(&z->payloads, r.payload);
}

/* Whether one of the records around n can match, by what is known of them together. */
static bool zone_may_match(const struct store_index *x, const struct store_query *q, uint64_t n)
{
    size_t slot = (size_t)(n / STORE_STRIDE);
    if (!q->holds || slot >= x->zone_count)
        return true;
    const struct store_zone *z = &x->zones[slot];
    return (!q->kinds || (z->kinds & q->kinds)) && has_node(z, q->nodes[0]) && has_node(z, q->nodes[1]) &&
           (!q->until || (z->to >= q->from && z->from <= q->until)) && store_ranges_may_have(&z->payloads, &q->member);
}

void store_index_free(struct store_index *x)
{
    free(x->zones);
    free(x->offsets);
    *x = (struct store_index){ 0 };
}

struct store *store_new(int fd, const struct store_index *index)
{
    struct store *s = mem_alloc(sizeof *s);
    s->fd = fd;
    s->index = index;
    s->limit = UINT64_MAX;
    return s;
}

struct store *store_open(int fd)
{
    struct store *s = store_new(fd, NULL);
    s->index = &s->own;
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    if (s->index == &s->own)
        close(s->fd);
    store_index_free(&s->own);
    json_free(s->value);
    buffer_free(&s->payload);
    buffer_free(&s->words);
    buffer_free(&s->said);
    free(s->asked);
    buffer_free(&s->chunk);
    free(s);
}

uint64_t store_count(const struct store *s)
{
    return s->index->records < s->limit ? s->index->records : s->limit;
}

void store_limit(struct store *s, uint64_t limit)
{
    s->limit = limit;
}

#define LOOK_BYTES (256 << 10)

/* Every line that ends in a block of the file. Returns how far they go; all of a block in which none ends. */
static size_t take_lines(struct store *s, const char *block, size_t len)
{
    struct store_index *x = &s->own;
    const char *at = block, *end;
    for (; (end = memchr(at, '\n', (size_t)(block + len - at))); at = end + 1) {
        bool is_whole = at > block || s->looked == x->end;
        store_index_line(x, x->records++, is_whole ? at : NULL, (size_t)(end - at));
        x->end = s->looked + (end + 1 - block);
        store_index_note(x, x->records, x->end);
    }
    return at > block ? (size_t)(at - block) : len;
}

bool store_catch_up(struct store *s, int64_t bytes)
{
    char *block = s->index == &s->own ? mem_alloc(LOOK_BYTES) : NULL;
    ssize_t n = 0;
    if (block && s->looked == 0 && s->own.count == 0)
        store_index_note(&s->own, 0, 0);
    for (; block && bytes > 0 && (n = pread(s->fd, block, LOOK_BYTES, s->looked)) > 0; bytes -= n) {
        n = (ssize_t)take_lines(s, block, (size_t)n);
        s->looked += n;
    }
    free(block);
    return n > 0;
}

/* So many bytes of the file become the chunk. */
static int read_all(struct store *s, int64_t from, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(s->fd, s->chunk.data + done, len - done, from + (int64_t)done);
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    s->chunk.len = len;
    return 0;
}

static int read_chunk(struct store *s, uint64_t first)
{
    const struct store_index *x = s->index;
    size_t slot = (size_t)(first / STORE_STRIDE);
    int64_t from = x->offsets[slot],
            to = slot + 1 < x->count && x->offsets[slot + 1] < x->end ? x->offsets[slot + 1] : x->end;
    size_t len = (size_t)(to - from);
    s->chunk_lines = 0;
    s->chunk.len = 0;
    if (len > CHUNK_MAX)
        return -1;
    buffer_grow(&s->chunk, len + 1);
    if (read_all(s, from, len) < 0)
        return -1;
    s->chunk_first = first;
    for (size_t at = 0; at < len && s->chunk_lines < STORE_STRIDE;) {
        const char *end = memchr(s->chunk.data + at, '\n', len - at);
        if (!end)
            break;
        s->starts[s->chunk_lines++] = at;
        at = (size_t)(end - s->chunk.data) + 1;
        s->starts[s->chunk_lines] = at;
    }
    return 0;
}

/* Where the line after the one at `at` begins; -1: it is not whole. */
static int64_t line_end(const struct store *s, int64_t at, char *block)
{
    for (ssize_t n; at < s->index->end && (n = pread(s->fd, block, LOOK_BYTES, at)) > 0; at += n) {
        const char *end = memchr(block, '\n', (size_t)n);
        if (end)
            return at + (end + 1 - block);
    }
    return -1;
}

/* A line alone, where those of its stride are too long to be read at once: from the one before on where that was read
 * last. */
static int read_long(struct store *s, uint64_t n)
{
    const struct store_index *x = s->index;
    uint64_t line = n / STORE_STRIDE * STORE_STRIDE;
    int64_t from = x->offsets[n / STORE_STRIDE], to = -1;
    if (s->long_at && s->long_next > line && s->long_next <= n) {
        line = s->long_next;
        from = s->long_at;
    }
    char *block = mem_alloc(LOOK_BYTES);
    for (; from >= 0 && (to = line_end(s, from, block)) >= 0 && line < n; line++)
        from = to;
    free(block);
    s->chunk_lines = 0;
    size_t len = from >= 0 && to >= 0 ? (size_t)(to - from) : 0;
    s->chunk.len = 0;
    buffer_grow(&s->chunk, len + 1);
    if (!len || len > CHUNK_MAX || read_all(s, from, len) < 0)
        return -1;
    s->chunk_first = n;
    s->chunk_lines = 1;
    s->starts[0] = 0;
    s->starts[1] = len;
    s->long_next = n + 1;
    s->long_at = to;
    return 0;
}

int store_line(struct store *s, uint64_t n, struct text *line)
{
    if (n >= store_count(s))
        return -1;
    uint64_t first = n / STORE_STRIDE * STORE_STRIDE;
    bool there = n >= s->chunk_first && n - s->chunk_first < s->chunk_lines;
    if (!there && read_chunk(s, first) < 0 && read_long(s, n) < 0)
        return -1;
    if (n < s->chunk_first || n - s->chunk_first >= s->chunk_lines)
        return -1;
    size_t i = (size_t)(n - s->chunk_first);
    *line = (struct text){ s->chunk.data + s->starts[i], s->starts[i + 1] - s->starts[i] - 1 };
    return 0;
}

static struct text string_of(const struct json *object, const char *key)
{
    const char *s = json_string(json_get(object, key), "");
    return (struct text){ s, strlen(s) };
}

static bool parse_kind(const char *name, enum record_kind *kind)
{
    for (int k = 0; k < RECORD_KINDS; k++)
        if (strcmp(name, record_kind_name((enum record_kind)k)) == 0) {
            *kind = (enum record_kind)k;
            return true;
        }
    return false;
}

static struct text first_of(struct text a, struct text b, struct text c)
{
    return a.len ? a : b.len ? b : c;
}

int store_read(struct store *s, uint64_t n, struct record *r)
{
    struct text line;
    const char *why;
    json_free(s->value);
    s->value = NULL;
    s->payload.len = 0;
    *r = (struct record){ .n = n, .src_node = -1, .dst_node = -1 };
    if (store_line(s, n, &line) < 0 || !(s->value = json_parse(line.s, line.len, &why)))
        return -1;
    const struct json *v = s->value, *payload = json_get(v, "payload");
    if (!parse_kind(json_string(json_get(v, "kind"), ""), &r->kind))
        return -1;
    r->t = json_int64(json_get(v, "t"), 0);
    r->id = (uint64_t)json_int64(json_get(v, "id"), 0);
    r->src = first_of(string_of(v, "src"), string_of(v, "node"), (struct text){ 0 });
    r->dst = string_of(v, "dst");
    r->type = string_of(v, "type");
    r->size = (uint64_t)json_int64(json_get(v, "size"), 0);
    r->due = json_int64(json_get(v, "due"), SIMTIME_NEVER);
    r->latency = json_int64(json_get(v, "latency"), r->due == SIMTIME_NEVER ? -1 : r->due - r->t);
    r->loss = json_double(json_get(v, "loss"), 0);
    r->cause = first_of(string_of(v, "cause"), string_of(v, "reason"), string_of(v, "text"));
    r->state = first_of(string_of(v, "state"), string_of(v, "outcome"), (struct text){ 0 });
    r->quanta = (uint64_t)json_int64(json_get(v, "quanta"), 0);
    r->messages = (uint64_t)json_int64(json_get(v, "messages"), 0);
    r->dropped = (uint64_t)json_int64(json_get(v, "dropped"), 0);
    r->in_flight = (uint64_t)json_int64(json_get(v, "in_flight"), 0);
    if (payload)
        json_write(&s->payload, payload);
    r->payload = r->kind == RECORD_RUN ? line : (struct text){ s->payload.data, s->payload.len };
    return 0;
}

/* Whether `text` stands in s[0..len), in whatever case. */
static bool contains(const char *s, size_t len, const char *text)
{
    size_t n = strlen(text);
    int first = tolower((unsigned char)*text);
    for (size_t i = 0; n <= len && i <= len - n; i++)
        if (tolower((unsigned char)s[i]) == first && strncasecmp(s + i, text, n) == 0)
            return true;
    return n == 0;
}

static bool in_text(struct text t, const char *text)
{
    return t.len && contains(t.s, t.len, text);
}

/* A text that can be a part of a time in seconds. */
static bool looks_like_time(const char *text, size_t len)
{
    return memchr(text, '.', len) && strspn(text, "0123456789.") >= len;
}

static void take_words(struct store *s, const char *text)
{
    if (s->asked && strcmp(s->asked, text) == 0)
        return;
    free(s->asked);
    s->asked = mem_text(text);
    s->words.len = 0;
    store_words_add(&s->words, text, strlen(text));
    if (!s->words.len || !memchr(s->words.data, ' ', s->words.len))
        s->words.len = 0;
}

/* Whether all words stand in the line, but for the time, which is written there in another way. */
static bool has_words(const struct buffer *words, struct text line)
{
    char word[80];
    for (size_t at = 0, n; at < words->len; at += n + 1) {
        const char *first = words->data + at, *blank = memchr(first, ' ', words->len - at);
        n = blank ? (size_t)(blank - first) : words->len - at;
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), first);
        if (!looks_like_time(word, strlen(word)) && !contains(line.s, line.len, word))
            return false;
    }
    return words->len > 0;
}

/* By its line, whether a closer look is worth it: the line holds keys too. */
static bool may_say(const struct store *s, const char *text, struct text line)
{
    return looks_like_time(text, strlen(text)) || contains(line.s, line.len, text) || has_words(&s->words, line);
}

static bool says_words(struct store *s, const struct record *r, const char *time)
{
    const struct text parts[] = { r->src, r->dst, r->type, r->payload, r->state, r->cause };
    if (!s->words.len)
        return false;
    s->said.len = 0;
    buffer_text(&s->said, time);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        store_words_add(&s->said, parts[i].s, parts[i].len);
    return contains(s->said.data, s->said.len, buffer_string(&s->words));
}

static bool says(struct store *s, const struct record *r, const char *text)
{
    char time[SIMTIME_TEXT];
    const char *kind = record_kind_name(r->kind);
    size_t len = simtime_format_seconds(r->t, time);
    return in_text(r->src, text) || in_text(r->dst, text) || in_text(r->type, text) || in_text(r->payload, text) ||
           in_text(r->cause, text) || in_text(r->state, text) || contains(kind, strlen(kind), text) ||
           contains(time, len, text) || says_words(s, r, time);
}

/* Whether `value` may stand as a JSON string in s[0..len); true also where it might be written in another way. */
static bool may_hold(const char *s, size_t len, const char *value)
{
    char quoted[68];
    size_t n = value ? strlen(value) : 0;
    if (!n || n > sizeof quoted - 4)
        return true;
    for (size_t i = 0; i < n; i++)
        if (value[i] < ' ' || value[i] > '~' || value[i] == '"' || value[i] == '\\')
            return true;
    quoted[0] = ':';
    quoted[1] = '"';
    memcpy(quoted + 2, value, n);
    quoted[n + 2] = '"';
    return memmem(s, len, quoted, n + 3) != NULL;
}

static bool may_match(const struct store_query *q, const char *s, size_t len)
{
    for (size_t i = 0; i < sizeof q->values / sizeof *q->values; i++)
        if (!may_hold(s, len, q->values[i]))
            return false;
    return true;
}

/* As store_read does it, where that need not be. */
static bool ask_holds(struct store *s, const struct store_query *q, uint64_t n, struct text line)
{
    struct record r;
    struct text payload;
    if (!may_match(q, line.s, line.len))
        return false;
    if (q->excludes && record_line_payload(line.s, line.len, &payload) && q->excludes(q->data, payload))
        return false;
    if (!record_from_line(line.s, line.len, &r) && store_read(s, n, &r) < 0)
        return false;
    if (r.kind == RECORD_RUN)
        r.payload.len = 0;
    r.n = n;
    return q->holds(q->data, &r);
}

/* The line as a whole holds keys too, so a hit there is only a reason to look closer. */
static bool matches(struct store *s, const struct store_query *q, uint64_t n)
{
    struct text line;
    struct record r;
    if (store_line(s, n, &line) < 0)
        return false;
    if (q->text)
        take_words(s, q->text);
    if (q->text && !may_say(s, q->text, line))
        return false;
    if (q->node && !contains(line.s, line.len, q->node))
        return false;
    if (q->holds && !ask_holds(s, q, n, line))
        return false;
    if (!q->text && !q->node)
        return true;
    if (store_read(s, n, &r) < 0)
        return false;
    if (q->node && !text_is(r.src, q->node) && !text_is(r.dst, q->node))
        return false;
    return !q->text || says(s, &r, q->text);
}

enum store_found store_find(struct store *s, const struct store_query *q, bool backward, uint64_t limit, uint64_t *n)
{
    uint64_t count = store_count(s);
    for (; limit > 0; limit--) {
        if (*n >= count)
            return STORE_NOT_FOUND;
        uint64_t in_stride = *n % STORE_STRIDE, step = 1;
        if (!zone_may_match(s->index, q, *n))
            step = backward ? in_stride + 1 : STORE_STRIDE - in_stride; /* over all of them */
        else if (matches(s, q, *n))
            return STORE_FOUND;
        if (backward && *n < step)
            return STORE_NOT_FOUND;
        *n = backward ? *n - step : *n + step;
    }
    return *n < count ? STORE_MORE : STORE_NOT_FOUND;
}

unsigned store_scan(struct store *s, const struct store_query *q, uint64_t first, uint64_t hits[STORE_STRIDE / 64])
{
    uint64_t count = store_count(s), there = first < count ? count - first : 0;
    unsigned n = there < STORE_STRIDE ? (unsigned)there : STORE_STRIDE;
    struct text line;
    memset(hits, 0, STORE_STRIDE / 64 * sizeof *hits);
    if (!n || !zone_may_match(s->index, q, first) || store_line(s, first + n - 1, &line) < 0 ||
        !may_match(q, s->chunk.data, s->chunk.len))
        return n;
    for (unsigned i = 0; i < n; i++)
        if (matches(s, q, first + i))
            hits[i / 64] |= UINT64_C(1) << i % 64;
    return n;
}
