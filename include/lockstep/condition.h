/* Conditions on records: one small language for --until, --break, breakpoints, watches, the filter and find.
 *
 *     type == TRANSMIT && src == sensor1 && payload.temperature > 25
 *     kind == drop || (latency > 10ms && !(dst =~ "^gw[0-9]+$"))
 *     count(type == ALERT) >= 3 && changed(payload.mode)
 *
 *     condition = all { "||" all }
 *     all       = one { "&&" one }
 *     one       = "!" one | "(" condition ")" | field comparison value | field "=~" regex | payload field
 *               | "changed" "(" field ")" | "count" "(" condition ")" comparison number
 *     comparison = "==" | "!=" | "<" | "<=" | ">" | ">="
 *     value     = word | quoted
 *
 * A word goes on to the next blank, quote or one of = ! < > & | ( ). A quoted text stands in "…" or '…'; before that
 * quote and before another backslash a backslash means the sign behind it, elsewhere itself. Case counts. `regex` is a
 * POSIX extended regular expression, which matches where it fits a part of the text; most need quotes.
 *
 * Fields, and the kinds of records that have them (record.h, events.jsonl):
 *
 *     kind     all        run, message, local, drop, node, link, command, warning, end
 *     time     all        when it happened; of a message: when it was sent
 *     id       message, drop         the message's number
 *     src      message, local, link; the node of node and warning
 *     dst      message, link
 *     type     message, local
 *     size     message               bytes on the network
 *     latency  message, link         of a message: from its sending until it is due; none where it never is
 *     state    node, end             "failed", "frozen", …; the outcome
 *     cause    drop, node, link, end; the text of command and warning
 *     payload  message, local        as a whole, or a member of it: payload.KEY.KEY; a key with other signs than those
 *                                    of a word, or with a dot, is quoted: payload."a b". Elements of arrays go by
 *                                    number, from 0: payload.list.0. Without a comparison: it is there, and is neither
 *                                    false nor null.
 *     node.state      the state of the record's source (idle, busy, paused, failed, frozen, …) when it was recorded
 *     node.step_time  the wall time of that node's last quantum
 *
 * What a record has not compares as false, with != too: `src != gw` holds for records that have a source other than gw,
 * `!(src == gw)` for all others as well.
 *
 * Times (time, latency, node.step_time) compare with a number and a unit (100us, 10ms, 2.5s, 1min, 1h) or with a plain
 * number, in seconds. size and id compare with numbers; the others with texts, which are ordered byte by byte. Of a
 * payload: numbers compare with numbers; true, false and null with themselves; a string with a text, and by == and !=
 * also with a number, true, false or null as it was written; =~ sees a string's characters, of everything else the
 * JSON. Values of different sorts are unequal, and none is less than the other. Behind < <= > >= and a payload a text
 * is quoted: a word that is no number is refused, as what is ordered in payloads are numbers most of the time.
 *
 * count(C) is how many of the records that the condition was asked about, this one included, C holds for. changed(F)
 * holds where F is there and is not what it was in the last record of the same source that had it; where there was none
 * it does not hold. Both are up to date only where every record is asked about once, in order (CONDITION_HISTORY).
 *
 * Evaluation allocates nothing but a little more room, now and then, for what count, changed and escapes in strings
 * need; what the C library's regexec does is its own affair. */
#ifndef LOCKSTEP_CONDITION_H
#define LOCKSTEP_CONDITION_H

#include <stdbool.h>

#include "lockstep/record.h"

#define CONDITION_TEXT_MAX 1000 /* bytes of a condition */

struct buffer;
struct condition;

/* What is wrong with a text: "column 14: expected a value after '>'". Columns count characters, from 1. */
struct condition_error {
    size_t column;
    char text[400];
};

/* The text is copied. NULL with *err set where it is no condition. */
struct condition *condition_parse(const char *text, struct condition_error *err);
void condition_free(struct condition *c);              /* NULL is fine */
const char *condition_text(const struct condition *c); /* as it was written; the condition's own */

/* What it takes besides the record itself; a set. */
enum condition_needs {
    CONDITION_HISTORY = 1, /* count, changed: all records before, in order; not for a filter */
    CONDITION_NODE = 2,    /* node.state, node.step_time: a run that goes on */
    CONDITION_WALL = 4 /* node.step_time: the wall clock. What holds then differs from run to run: not for --until */
};
unsigned condition_needs(const struct condition *c);

/* A node as it is when a record of it is made. */
struct condition_node {
    const char *state; /* node_state_name; NULL: not known */
    int64_t step_ns;   /* wall time of its last quantum; -1: not known */
};
/* Where node.state and node.step_time come from. `look` is asked only where the condition needs it, with the record's
 * src_node where that is not negative. */
struct condition_nodes {
    void (*look)(const struct condition_nodes *nodes, int node, struct condition_node *out);
};

/* Whether it holds for the record. `nodes` NULL: nothing is known of them, comparisons with them are false. */
bool condition_matches(struct condition *c, const struct record *r, const struct condition_nodes *nodes);
void condition_restart(struct condition *c); /* forgets what count and changed know */

/* A field, or those of some records only: what a watch shows.
 *
 *     payload.temperature
 *     payload.mode where type == ALERT
 *
 * A condition that holds for the records that have the field, and for which what stands behind `where` holds. It needs
 * nothing besides the record: node.…, count and changed are refused. Otherwise as condition_parse. */
struct condition *condition_parse_field(const char *text, struct condition_error *err);
/* The field's value as text: a time as "2.5s", of a payload a string's characters, of everything else the JSON. Nothing
 * and false where the record has none, or the condition does not hold. */
bool condition_value(struct condition *field, const struct record *r, struct buffer *out);

/* For those who can tell cheaply that a record need not be asked about. The condition holds for no record whose kind is
 * not in the set (1 << kind), and for none whose source, destination, type or kind is another one than these; NULL:
 * any. Of one with CONDITION_HISTORY: every record counts. */
struct condition_scope {
    unsigned kinds;
    const char *src, *dst, *type, *kind;
    simtime from, until;          /* and for none before and after these */
    struct payload_member member; /* and for none whose payload is an object without such a member */
};
struct condition_scope condition_scope(const struct condition *c);
/* And for those who have a record's line only: whether the condition holds for no record whose payload, an object,
 * begins with this text; more than the payload may stand there, to the end of the line. An empty text: the payload is
 * no object. False: it is not known. */
bool condition_excludes(const struct condition *c, struct text payload);

#endif
