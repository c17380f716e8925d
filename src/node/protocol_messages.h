/* The second line of an answer to ADVANCE; for protocol.c alone. */
#ifndef NODE_PROTOCOL_MESSAGES_H
#define NODE_PROTOCOL_MESSAGES_H

#include "base/json_text.h"
#include "node/protocol.h"

/* The keys of a message, in the order in which they are written. */
enum message_key { KEY_TIME, KEY_TYPE, KEY_SRC, KEY_DST, KEY_PAYLOAD, KEY_SIZE };
#define MESSAGE_KEYS 6
extern const struct text message_keys[][MESSAGE_KEYS]; /* by dialect; a key that it does not have is empty */

/* Adds the messages to n->answer.sent, and what is to be said of them to n->answer.warnings. Returns -1 with *err set,
 * and no message added, where the line breaks the protocol. */
int protocol_take_messages(const struct protocol *p, struct node *n, struct text line, struct error *err);

/* Text of a node as it may be shown: escaped, and cut to at most `most` characters, those around offset `at`. */
#define EXCERPT_MOST 80
struct excerpt {
    char text[EXCERPT_MOST * 7 + 8]; /* a character takes at most 7 bytes when escaped */
};
struct excerpt excerpt_of(struct text t, size_t at, size_t most);

#endif
