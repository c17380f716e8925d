/* A condition as a tree: what condition.c makes of the text, and condition_match.c evaluates. */
#ifndef SIM_CONDITION_TREE_H
#define SIM_CONDITION_TREE_H

#include <regex.h>

#include "base/buffer.h"
#include "base/json_path.h"
#include "lockstep/condition.h"

enum field {
    FIELD_KIND,
    FIELD_TIME,
    FIELD_LATENCY,
    FIELD_SIZE,
    FIELD_ID,
    FIELD_STEP_TIME,
    FIELD_SRC,
    FIELD_DST,
    FIELD_TYPE,
    FIELD_STATE,
    FIELD_CAUSE,
    FIELD_NODE_STATE,
    FIELD_PAYLOAD
};

/* What a field is compared as. */
enum field_class { CLASS_KIND, CLASS_TIME, CLASS_NUMBER, CLASS_TEXT, CLASS_NODE_STATE, CLASS_PAYLOAD };

struct field_row {
    const char *name;
    enum field_class class;
    unsigned kinds; /* of records that have it; a set */
    unsigned needs; /* of enum condition_needs */
    int cost;       /* what comparing it takes, about */
};
extern const struct field_row condition_fields[]; /* by enum field */
#define CONDITION_FIELDS 13

enum comparison { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_LIKE };

struct operator_row {
    const char *text;
    enum comparison comparison;
};
#define CONDITION_OPERATORS 7
extern const struct operator_row condition_operators[]; /* where one begins as another does, the longer one is first */

#define CONDITION_NODE_STATES 9
extern const char *const condition_node_states[]; /* as node_state_name has them; a test compares */

enum sort { SORT_TEXT, SORT_NUMBER, SORT_BOOL, SORT_NULL };

/* A value as it was written. */
struct constant {
    enum sort sort;
    struct text text;          /* its characters; for all sorts */
    struct json_number number; /* times: whole, in us */
    bool truth;
};

enum test_op { TEST_ALL, TEST_ANY, TEST_NOT, TEST_COMPARE, TEST_THERE, TEST_COUNT, TEST_CHANGED, TEST_FIELD };

/* What changed knows of one source: hashes of its name and of the value. Zero: free. */
struct seen {
    uint64_t source, value;
};

struct test {
    enum test_op op;
    enum field field;
    enum comparison comparison;
    struct constant constant;
    struct json_step *path; /* payload.… */
    size_t steps;
    struct json_probe *probe;  /* of the path; NULL: it has no steps */
    bool is_glancing;          /* a comparison of a payload's member with a number */
    regex_t *regex;            /* =~ */
    struct test *first, *next; /* its parts, and the next part beside it; of TEST_FIELD: what stands behind `where` */
    int cost;
    unsigned kinds;    /* of records that it can hold for */
    uint64_t count;    /* of TEST_COUNT */
    struct seen *seen; /* of TEST_CHANGED: open addressing, a power of two of places */
    size_t seen_count, seen_places;
    struct test *next_kept; /* in the list of those that remember */
};

struct condition {
    char *text;
    char *words; /* the characters of all constants and keys */
    struct test *tree;
    struct test *kept;         /* TEST_COUNT and TEST_CHANGED, inner ones first */
    const struct test *glance; /* at a member of the payload that must be there where the condition holds; NULL: none */
    unsigned needs;
    struct buffer scratch; /* a string without its escapes */
};

void condition_free_tree(struct test *t); /* NULL is fine */

#endif
