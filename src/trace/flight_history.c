#include "trace/flight_history.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/varint.h"
#include "trace/write.h"

struct flight_history {
    struct folder *folder;
    int fd;           /* -1: not made yet */
    uint64_t records; /* at the last barrier that was noted, or the one that is */
    simtime now;
    uint64_t paused_count, message_count;
    uint64_t last_record, last_lead; /* of the message before */
    simtime last_due;
    struct buffer paused, messages, body, entry;
    struct error failure;
};

struct flight_history *flight_history_new(struct folder *f)
{
    struct flight_history *h = mem_alloc(sizeof *h);
    h->folder = f;
    h->fd = -1;
    return h;
}

void flight_history_free(struct flight_history *h)
{
    if (!h)
        return;
    if (h->fd >= 0)
        close(h->fd);
    buffer_free(&h->paused);
    buffer_free(&h->messages);
    buffer_free(&h->body);
    buffer_free(&h->entry);
    free(h);
}

bool flight_history_is_due(const struct flight_history *h, uint64_t records, uint64_t in_flight)
{
    return records - h->records >= FLIGHT_RECORDS && records - h->records >= in_flight / 4 &&
           in_flight <= FLIGHT_MESSAGES_MAX;
}

void flight_history_begin(struct flight_history *h, simtime now, uint64_t records)
{
    h->now = now;
    h->records = records;
    h->paused_count = h->message_count = h->last_record = h->last_lead = 0;
    h->last_due = 0;
    h->paused.len = h->messages.len = 0;
}

void flight_history_paused(struct flight_history *h, int node)
{
    varint_add(&h->paused, (uint64_t)node);
    h->paused_count++;
}

void flight_history_message(struct flight_history *h, const struct message *m)
{
    uint64_t lead = m->record - m->id;
    if (h->messages.capacity - h->messages.len < 6 * VARINT_MAX)
        buffer_grow(&h->messages, 6 * VARINT_MAX);
    char *to = varint_put_signed(h->messages.data + h->messages.len, (int64_t)(m->record - h->last_record));
    to = varint_put_signed(to, (int64_t)(lead - h->last_lead));
    to = varint_put_signed(to, m->time - h->last_due);
    to = varint_put(varint_put(to, (uint64_t)m->src), (uint64_t)m->dst);
    to = varint_put(to, m->edit);
    h->messages.len = (size_t)(to - h->messages.data);
    h->message_count++;
    h->last_record = m->record;
    h->last_lead = lead;
    h->last_due = m->time;
}

static void add_entry(struct flight_history *h)
{
    struct buffer *body = &h->body, *entry = &h->entry;
    body->len = entry->len = 0;
    varint_add(body, (uint64_t)h->now);
    varint_add(body, h->records);
    varint_add(body, h->paused_count);
    buffer_add(body, h->paused.data, h->paused.len);
    varint_add(body, h->message_count);
    buffer_add(body, h->messages.data, h->messages.len);
    if (h->fd < 0)
        buffer_text(entry, FLIGHT_MAGIC);
    buffer_text(entry, "f");
    varint_add(entry, body->len);
    buffer_add(entry, body->data, body->len);
    buffer_text(entry, "f");
}

int flight_history_end(struct flight_history *h, struct error *err)
{
    if (!h->failure.code) {
        add_entry(h);
        if (h->fd < 0)
            h->fd = folder_create(h->folder, FLIGHT_FILE, &h->failure);
        if (h->fd >= 0 && write_all(h->fd, h->entry.data, h->entry.len) < h->entry.len)
            folder_failed(h->folder, FLIGHT_FILE, &h->failure);
    }
    if (!h->failure.code)
        return 0;
    error_set(err, h->failure.code, "%s", h->failure.text);
    return -1;
}
