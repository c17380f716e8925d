/* The UARTs of a node in Renode: what its firmware writes to each is read from a file, what is written to it goes over
 * the monitor while its time stands still. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/renode.h"
#include "node/socket_dir.h"

#define READ_STEP  (64u << 10)
#define TYPED_MOST (64u << 10) /* bytes that wait for a UART; more is not typed */

void renode_uarts_open(struct renode *r)
{
    const struct renode_config *c = &r->node->spec->renode;
    int count = 1;
    renode_uarts_close(r);
    while (c->uarts && c->uarts[count - 1])
        count++;
    r->uarts = mem_array((size_t)count, sizeof *r->uarts);
    r->uart_count = count;
    for (int i = 0; i < count; i++)
        r->uarts[i] = (struct renode_uart){ .renode = r, .name = i ? c->uarts[i - 1] : c->uart, .fd = -1 };
}

void renode_uarts_close(struct renode *r)
{
    for (int i = 0; i < r->uart_count; i++) {
        struct renode_uart *u = &r->uarts[i];
        if (u->fd >= 0)
            close(u->fd);
        uart_output_free(&u->output);
        buffer_free(&u->input);
    }
    free(r->uarts);
    r->uarts = NULL;
    r->uart_count = 0;
}

static void path_of(const struct renode_uart *u, char *out, size_t size)
{
    char folder[PATH_MAX - 40];
    const struct node *n = u->renode->node;
    socket_temporary_path(folder, sizeof folder, n->host->socket_dir, n->index);
    /* Renode keeps a file that is there, and takes another name */
    snprintf(out, size, "%s/uart%d.%u", folder, (int)(u - u->renode->uarts), n->restarts);
}

int renode_uarts_setup(const struct renode *r, struct buffer *out, struct error *err)
{
    char path[PATH_MAX];
    for (int i = 0; i < r->uart_count; i++) {
        path_of(&r->uarts[i], path, sizeof path);
        buffer_format(out, "%s CreateFileBackend ", r->uarts[i].name);
        if (!monitor_quote_path(out, path)) {
            error_set(err, EXIT_LAUNCH, "Renode's monitor cannot take the path '%s'; set TMPDIR to another folder",
                      path);
            return -1;
        }
        buffer_text(out, " true\n");
    }
    return 0;
}

int renode_uarts_begin(struct renode *r, struct error *err)
{
    char path[PATH_MAX];
    for (int i = 0; i < r->uart_count; i++) {
        path_of(&r->uarts[i], path, sizeof path);
        r->uarts[i].fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (r->uarts[i].fd >= 0)
            continue;
        error_set(err, EXIT_LAUNCH, "what Renode writes of %s is not to be read: %s: %s", r->uarts[i].name, path,
                  strerror(errno));
        return -1;
    }
    return 0;
}

static void add_message(struct renode *r, const struct uart_line *line)
{
    struct buffer *b = &r->messages;
    int64_t time = line->time + r->ahead_us;
    bool lies_in = line->time >= 0 && time >= r->protocol.from && time < r->protocol.until;
    buffer_format(b, "%s{\"time_us\":%" PRId64 ",\"type\":", b->len > 1 ? "," : "",
                  lies_in ? time : r->protocol.until - 1);
    json_quote(b, line->type.s, line->type.len);
    if (line->dst.len) {
        buffer_text(b, ",\"dst\":");
        json_quote(b, line->dst.s, line->dst.len);
    }
    buffer_text(b, ",\"payload\":");
    buffer_add(b, line->payload.s, line->payload.len);
    buffer_text(b, "}");
}

static void take_line(void *data, const struct uart_line *line)
{
    struct renode_uart *u = data;
    struct renode *r = u->renode;
    struct node *n = r->node;
    bool is_alone = r->uart_count == 1, is_heard = n->ending == END_NOT;
    if (line->is_message && is_heard)
        add_message(r, line);
    else if (line->text.len) {
        if (!is_alone)
            buffer_format(&n->log, "%s: ", u->name);
        buffer_add(&n->log, line->text.s, line->text.len);
        buffer_text(&n->log, "\n");
    }
    if (!is_heard)
        return;
    const char *whose = is_alone ? "its UART" : u->name;
    if (line->lost)
        buffer_format(&n->answer.warnings, "a line of %s has %zu bytes; %u are kept, in the log\n", whose,
                      line->text.len + line->lost, UART_LINE);
    if (line->amiss)
        buffer_format(&n->answer.warnings, "a message on %s: %s\n", whose, line->amiss);
}

static int read_one(struct renode_uart *u, struct error *err)
{
    char piece[READ_STEP];
    ssize_t got;
    while ((got = read(u->fd, piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            uart_output_feed(&u->output, piece, (size_t)got, take_line, u);
    if (got == 0)
        return 0;
    error_set(err, EXIT_RUN_FAILED, "cannot read what Renode has written of %s: %s", u->name, strerror(errno));
    return -1;
}

int renode_uarts_read(struct renode *r, struct error *err)
{
    r->messages.len = 0;
    buffer_text(&r->messages, "[");
    for (int i = 0; i < r->uart_count; i++)
        if (read_one(&r->uarts[i], err) < 0)
            return -1;
    buffer_text(&r->messages, "]");
    return 0;
}

void renode_uarts_end(struct renode *r)
{
    struct error none = { 0 }; /* it is at its end already */
    for (int i = 0; i < r->uart_count; i++)
        if (r->uarts[i].fd >= 0) {
            read_one(&r->uarts[i], &none);
            uart_output_end(&r->uarts[i].output, take_line, &r->uarts[i]);
        }
}

bool renode_uarts_type(struct renode *r, const char *name, const char *text)
{
    int i = 0;
    while (name && i < r->uart_count && strcmp(r->uarts[i].name, name) != 0)
        i++;
    if (i >= r->uart_count || r->uarts[i].input.len > TYPED_MOST)
        return false;
    if (text)
        buffer_format(&r->uarts[i].input, "%s\n", text);
    return true;
}

bool renode_uarts_write(struct renode *r)
{
    for (int i = 0; i < r->uart_count; i++) {
        struct renode_uart *u = &r->uarts[i];
        if (u->written < u->input.len) {
            struct buffer line = { 0 };
            u->written += uart_write_chars(&line, u->name, u->input.data + u->written, u->input.len - u->written);
            renode_ask(r, line.data, line.len);
            buffer_free(&line);
            return true;
        }
        u->input.len = u->written = 0;
    }
    return false;
}
