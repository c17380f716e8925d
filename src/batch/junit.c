#include "batch/junit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/whole_file.h"

/* A text as XML 1.0 may hold it (section 2.2), newlines kept: what could trouble a terminal, and what is no character,
 * is escaped as it is elsewhere. */
static void add_xml(struct buffer *b, const char *s, bool is_attribute)
{
    struct buffer safe = { 0 };
    for (size_t len; *s; s += len + (s[len] == '\n')) {
        len = strcspn(s, "\n");
        utf8_escape(&safe, s, len);
        buffer_add(&safe, "\n", s[len] == '\n');
    }
    for (size_t at = 0, n; at < safe.len; at += n) {
        uint32_t c = 0;
        n = utf8_decode(safe.data + at, safe.len - at, &c);
        if (c == '&')
            buffer_text(b, "&amp;");
        else if (c == '<')
            buffer_text(b, "&lt;");
        else if (c == '>')
            buffer_text(b, "&gt;");
        else if (c == '"')
            buffer_text(b, "&quot;");
        else if (c == '\n' && is_attribute)
            buffer_text(b, "&#10;");
        else if (c == 0xfffe || c == 0xffff)
            buffer_format(b, "\\u%04x", (unsigned)c);
        else
            buffer_add(b, safe.data + at, n);
    }
    buffer_free(&safe);
}

static void add_attribute(struct buffer *b, const char *name, const char *value)
{
    buffer_format(b, " %s=\"", name);
    add_xml(b, value, true);
    buffer_text(b, "\"");
}

static void add_property(struct buffer *b, const char *name, const char *value)
{
    buffer_text(b, "      <property");
    add_attribute(b, "name", name);
    add_attribute(b, "value", value);
    buffer_text(b, "/>\n");
}

/* How a test case has ended. */
struct verdict {
    const char *element; /* "failure": it has failed; "error": it could not be told; NULL: it is well */
    const char *type, *message, *detail;
    bool skipped;
};

static void add_case(struct buffer *b, const char *suite, const char *name, double seconds, const struct verdict *v)
{
    buffer_text(b, "    <testcase");
    add_attribute(b, "classname", suite);
    add_attribute(b, "name", name);
    buffer_format(b, " time=\"%.6f\">", seconds);
    if (v->skipped)
        buffer_text(b, "<skipped/>");
    if (v->element) {
        buffer_format(b, "\n      <%s", v->element);
        add_attribute(b, "type", v->type);
        add_attribute(b, "message", v->message);
        buffer_text(b, ">");
        add_xml(b, v->message, false);
        if (*v->detail) {
            buffer_text(b, "\n\nThe end of its stderr:\n");
            add_xml(b, v->detail, false);
        }
        buffer_format(b, "</%s>\n    ", v->element);
    }
    buffer_text(b, "</testcase>\n");
}

/* A node that a fault of the scenario has stopped has done as it should. */
static struct verdict node_verdict(const struct node_status *n, const char *cause)
{
    bool stopped = n->state == NODE_FROZEN && !strncmp(cause, "stopped by ", 11);
    if (n->state != NODE_FAILED && (n->state != NODE_FROZEN || stopped))
        return (struct verdict){ 0 };
    return (struct verdict){ .element = "failure", .type = "failed", .message = cause, .detail = n->tail };
}

static struct verdict run_verdict(const struct session_status *r, const char *tail)
{
    if (!r->exit_code)
        return (struct verdict){ 0 };
    return (struct verdict){ .element = r->exit_code == EXIT_RUN_FAILED ? "failure" : "error",
                             .type = r->outcome,
                             .message = *r->cause ? r->cause : r->outcome,
                             .detail = tail };
}

struct counts {
    int failures, errors, skipped;
};

static void count(struct counts *c, const struct verdict *v)
{
    c->failures += v->element && !strcmp(v->element, "failure");
    c->errors += v->element && !strcmp(v->element, "error");
    c->skipped += v->skipped;
}

static void add_node(struct buffer *b, const struct junit *j, int i, struct counts *c)
{
    const char *id = j->scenario->nodes[i].id;
    struct verdict v = { .skipped = true };
    struct node_status n = { .wall_ns = 0 };
    if (j->session) {
        session_node(j->session, i, &n);
        v = node_verdict(&n, n.cause);
    }
    count(c, &v);
    add_case(b, j->scenario->name, id, (double)n.wall_ns / 1e9, &v);
}

/* The cases, the run's first. */
static void add_cases(struct buffer *b, const struct junit *j, const struct session_status *r, struct counts *c)
{
    const char *tail = "";
    struct node_status n;
    if (j->session && r->failed_node >= 0) {
        session_node(j->session, r->failed_node, &n);
        tail = n.tail;
    }
    struct verdict v = j->session ? run_verdict(r, tail)
                                  : (struct verdict){ .element = "error",
                                                      .type = j->scenario ? "launch" : "scenario",
                                                      .message = j->cause,
                                                      .detail = "" };
    count(c, &v);
    add_case(b, j->scenario ? j->scenario->name : j->name, "run", r->wall_s, &v);
    for (int i = 0; j->scenario && i < j->scenario->node_count; i++)
        add_node(b, j, i, c);
}

static void add_properties(struct buffer *b, const struct junit *j, const struct session_status *r)
{
    char text[SIMTIME_TEXT];
    if (!j->scenario)
        return;
    buffer_text(b, "    <properties>\n");
    snprintf(text, sizeof text, "%" PRIu64, j->scenario->seed);
    add_property(b, "seed", text);
    add_property(b, "digest", j->scenario->digest);
    simtime_format_seconds(r->now, text);
    add_property(b, "virtual_time", text);
    if (j->session)
        add_property(b, "outcome", r->outcome);
    if (j->session)
        add_property(b, "run_folder", r->run_dir);
    buffer_text(b, "    </properties>\n");
}

static void add_counts(struct buffer *b, const char *name, int tests, const struct counts *c, double seconds)
{
    add_attribute(b, "name", name);
    buffer_format(b, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" time=\"%.6f\">\n", tests, c->failures,
                  c->errors, c->skipped, seconds);
}

int junit_write(const char *path, const struct junit *j, struct error *err)
{
    struct session_status r = { .failed_node = -1 };
    struct counts c = { 0 };
    struct buffer cases = { 0 }, all = { 0 };
    if (j->session)
        session_status(j->session, &r);
    add_properties(&cases, j, &r);
    add_cases(&cases, j, &r, &c);
    int tests = 1 + (j->scenario ? j->scenario->node_count : 0);
    buffer_text(&all, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_counts(&all, "lockstep", tests, &c, r.wall_s);
    buffer_text(&all, "  <testsuite");
    add_counts(&all, j->scenario ? j->scenario->name : j->name, tests, &c, r.wall_s);
    buffer_add(&all, cases.data, cases.len);
    buffer_text(&all, "  </testsuite>\n</testsuites>\n");
    int result = junit_check(path, err);
    if (result == 0 && whole_file_write(path, all.data, all.len) < 0) {
        error_set(err, EXIT_LAUNCH, "cannot write %s: %s; --junit names another file", path, strerror(errno));
        result = -1;
    }
    buffer_free(&cases);
    buffer_free(&all);
    return result;
}

/* The file is replaced by another of its name: that must be possible, and it must be one. */
int junit_check(const char *path, struct error *err)
{
    struct stat st;
    struct buffer folder = { 0 };
    const char *slash = strrchr(path, '/');
    buffer_add(&folder, slash ? path : ".", slash && slash > path ? (size_t)(slash - path) : 1);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        error_set(err, EXIT_LAUNCH, "cannot write %s: it is no regular file; --junit names another one", path);
    else if (access(buffer_string(&folder), W_OK | X_OK) < 0)
        error_set(err, EXIT_LAUNCH, "cannot write %s: %s; --junit names another file", path, strerror(errno));
    buffer_free(&folder);
    return err->code ? -1 : 0;
}
