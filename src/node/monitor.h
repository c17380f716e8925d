/* The dialogue with Renode's monitor, a command line over telnet: what is sent and what its bytes mean. Knows no
 * descriptor and no clock.
 *
 * What was seen of Renode 1.16.1 and 1.15.3, started with --plain:
 * - On connect it negotiates; the first client gets a banner and a prompt, a later one nothing. Versions up to 1.15.3
 *   eat 9 bytes before that: the answer to the negotiation has 9.
 * - What an earlier client had typed of a line stands in front of the next client's first line, and is not echoed.
 * - A line is echoed with \n\r behind it; then comes what it prints, and the prompt: "(monitor) " or, with any
 *   characters that a machine's name may have, "(NAME) ". Lines that come ahead are echoed and worked off one by one.
 * - Lines end with \r\n, \r\r\n, \r\n\r or \n\r: always one \n.
 * - Echoes of 10,000 columns and more, prompt included, have escape sequences in them. */
#ifndef NODE_MONITOR_H
#define NODE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "lockstep/record.h"

#define MONITOR_LINE  9000u  /* bytes of a line to Renode, its \n not counted */
#define MONITOR_REPLY 16384u /* bytes that are kept of a reply */

enum monitor_state {
    MONITOR_IDLE, /* nothing is asked: what comes is passed over */
    MONITOR_SYNC, /* the first on a connection: what earlier clients left is passed over */
    MONITOR_REPLYING,
    MONITOR_QUITTING
};

/* Zero-initialise; the owner calls monitor_free. Only `reply` is for others. */
struct monitor {
    /* Once monitor_feed has returned 1, until the next monitor_ask: what the commands printed, lines with their \n,
     * without echoes and prompts; valid UTF-8 without control characters, NUL-terminated. Where there was more than
     * MONITOR_REPLY bytes, a line "…" stands for what is missing between its beginning and its end. */
    struct buffer reply;
    enum monitor_state state;
    bool is_new;      /* nothing was asked on this connection yet */
    bool echo_seen;   /* of the commands */
    bool in_line;     /* the beginning of the line is in the reply already: it was too long */
    bool is_cut;      /* the middle of the reply is gone */
    int telnet;       /* what of a telnet command has come */
    int escape;       /* what of an escape sequence has come */
    uint64_t serial;  /* of the last token; goes on from connection to connection */
    uint64_t awaited; /* the token that ends what is read now */
    struct buffer line, asked;
};

/* A new connection: appends the answer to the telnet negotiation. */
void monitor_begin(struct monitor *m, struct buffer *out);

/* Whether commands can be asked: valid UTF-8 without control characters (a tab would complete words) and without """
 * (Renode would take the lines behind it for the rest of a text), of at most MONITOR_LINE bytes. */
bool monitor_can_ask(const char *commands, size_t len);
/* Appends a line of commands, for which monitor_can_ask holds, and behind it an echo of a token that ends the reply. On
 * a new connection an empty line and an echo go in front: they end what an earlier client had typed, and show where the
 * first reply begins. One at a time: an earlier reply is given up. */
void monitor_ask(struct monitor *m, const char *commands, size_t len, struct buffer *out);

/* Takes bytes, cut anywhere, all of them. Returns 1 where they complete the reply to what was asked; 0 where more must
 * come; -1 where Renode says that it is quitting, now and ever after until monitor_begin. */
int monitor_feed(struct monitor *m, const char *bytes, size_t len);
void monitor_free(struct monitor *m);

/* Whether a reply tells of an error. Appends it to `why` then: one line, in Renode's words, safe to show. *command is
 * the command that failed, borrowed from the reply, where Renode names it; else empty. It may be NULL. */
bool monitor_error(const struct buffer *reply, struct buffer *why, struct text *command);
/* The virtual time that `currentTime` tells, in microseconds (Renode's nanoseconds are cut off); -1: none. */
int64_t monitor_time(const struct buffer *reply);
/* The first line that is a number, in Renode's hexadecimal (0x0000000000000064) or decimal. False: there is none. */
bool monitor_number(const struct buffer *reply, uint64_t *number);

/* Appends @ and the path as the monitor takes it. False, with nothing appended, where it cannot be given: it is empty,
 * begins with @, is no UTF-8, or has a control character, a `;`, a quote, a backslash or a blank other than the
 * ordinary one in it. Seen were paths of ordinary characters; that a blank is given as a backslash and a blank, that @
 * goes from the beginning and that other blanks and `;` end a path is taken from Renode's grammar, and was not tried.
 */
bool monitor_quote_path(struct buffer *out, const char *path);

#endif
