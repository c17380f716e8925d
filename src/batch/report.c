#include "batch/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/shell.h"
#include "base/utf8.h"

/* A count with a comma between thousands. */
static const char *grouped(uint64_t v, char buf[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, v), out = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = digits[i];
    }
    buf[out] = '\0';
    return buf;
}

/* Text of the scenario's author: nothing in it may command the terminal. */
static void print_safe(FILE *to, const char *text)
{
    struct buffer safe = { 0 };
    utf8_escape(&safe, text, strlen(text));
    fwrite(safe.data, 1, safe.len, to);
    buffer_free(&safe);
}

/* As it can be typed. */
static void print_shell_word(FILE *to, const char *text)
{
    struct buffer word = { 0 };
    shell_word(&word, text);
    print_safe(to, buffer_string(&word));
    buffer_free(&word);
}

static void report_network(FILE *to, const struct scenario *s)
{
    char latency[SIMTIME_TEXT];
    fprintf(to, "  network   %s", network_model_name(s->network));
    if (s->network == NETWORK_LATENCY) {
        simtime_format(s->default_latency, latency);
        fprintf(to, ", %s and %g %% loss", latency, s->default_loss * 100);
        if (s->link_count)
            fprintf(to, "; %d link%s of their own", s->link_count, s->link_count == 1 ? "" : "s");
    }
    fputs("\n", to);
}

#define LISTED 8 /* ids of a tier that are named */

static void report_tier(FILE *to, const struct scenario *s, enum tier tier)
{
    int count = 0;
    for (int i = 0; i < s->node_count; i++)
        count += s->nodes[i].tier == tier;
    if (!count)
        return;
    fprintf(to, "  %-8s  %d node%s:", tier_name(tier), count, count == 1 ? "" : "s");
    int named = 0;
    for (int i = 0; i < s->node_count && named < LISTED; i++) {
        const struct scenario_node *n = &s->nodes[i];
        if (n->tier != tier)
            continue;
        fprintf(to, "%s %s (", named++ ? "," : "", n->id);
        print_safe(to, n->type);
        fprintf(to, ", %s)", implementation_name(n->implementation));
    }
    fputs(count > named ? ", …\n" : "\n", to);
}

void report_scenario(FILE *to, const struct scenario *s)
{
    char duration[SIMTIME_TEXT], quantum[SIMTIME_TEXT], quanta[32];
    simtime_format(s->duration, duration);
    simtime_format(s->quantum, quantum);
    print_safe(to, s->name);
    if (s->description) {
        fputs("\n  ", to);
        print_safe(to, s->description);
    }
    fputs("\n", to);
    fprintf(to, "  time      %s in quanta of %s (%s), seed %" PRIu64 "\n", duration, quantum,
            grouped((uint64_t)((s->duration + s->quantum - 1) / s->quantum), quanta), s->seed);
    report_network(to, s);
    if (s->ml.placement != PLACEMENT_NONE)
        fprintf(to, "  ml        inference on the %s tier\n", placement_name(s->ml.placement));
    for (enum tier t = TIER_DEVICE; t <= TIER_CLOUD; t++)
        report_tier(to, s, t);
    if (s->fault_count)
        fprintf(to, "  faults    %d\n", s->fault_count);
    fprintf(to, "  digest    %s\n", s->digest);
}

static void report_nodes(FILE *to, const struct session *s, const struct scenario *scenario)
{
    fprintf(to, "  %-20s %-8s %-9s %10s %10s %10s %12s\n", "node", "kind", "state", "events", "in", "out",
            "step p99 us");
    for (int i = 0; i < scenario->node_count; i++) {
        struct node_status n;
        session_node(s, i, &n);
        fprintf(to, "  %-20s %-8s %-9s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %12.1f\n", scenario->nodes[i].id,
                implementation_name(scenario->nodes[i].implementation), node_state_word(n.state), n.events,
                n.messages_in, n.messages_out, (double)session_step_ns(s, i, 0.99) / 1e3);
    }
}

static void report_inference(FILE *to, const struct session *s, const struct scenario *scenario)
{
    struct session_inference l;
    session_inference(s, &l);
    if (scenario->ml.placement == PLACEMENT_NONE)
        return;
    char count[32], p50[SIMTIME_TEXT], p99[SIMTIME_TEXT], max[SIMTIME_TEXT];
    fprintf(to, "  inference  %s: %s results", placement_name(scenario->ml.placement), grouped(l.count, count));
    if (l.count) {
        simtime_format(l.p50, p50);
        simtime_format(l.p99, p99);
        simtime_format(l.max, max);
        fprintf(to, "; from sample to result p50 %s, p99 %s, max %s", p50, p99, max);
    }
    fputs("\n", to);
}

#define WARNINGS_SHOWN 3 /* the first ones */

static bool is_warning(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_WARNING;
}

static void report_warnings(FILE *to, struct session *s, const struct session_status *r)
{
    struct store *store = session_store(s);
    struct store_query query = { .holds = is_warning, .kinds = 1u << RECORD_WARNING };
    uint64_t shown = 0;
    for (uint64_t n = 0; shown < WARNINGS_SHOWN && shown < r->warnings; n++, shown++) {
        struct record record;
        char time[SIMTIME_TEXT];
        struct buffer text = { 0 };
        if (store_find(store, &query, false, UINT64_MAX, &n) != STORE_FOUND || store_read(store, n, &record) < 0)
            break;
        simtime_format(record.t, time);
        buffer_add(&text, record.src.s, record.src.len);
        buffer_text(&text, record.src.len ? ": " : "");
        buffer_add(&text, record.cause.s, record.cause.len);
        fprintf(to, "  warning    at %s: ", time);
        print_safe(to, buffer_string(&text));
        fputs("\n", to);
        buffer_free(&text);
    }
    if (shown == r->warnings)
        return;
    fprintf(to, "  warnings   %" PRIu64 " %s: w in lockstep replay ", r->warnings - shown, shown ? "more" : "in all");
    print_shell_word(to, r->run_dir);
    fputs("\n", to);
}

/* What a run that went on has passed over. */
static void report_trouble(FILE *to, struct session *s, const struct scenario *scenario, const struct session_status *r)
{
    for (int i = 0; i < scenario->node_count; i++) {
        struct node_status n;
        session_node(s, i, &n);
        if (n.state == NODE_FROZEN) {
            fprintf(to, "  left out   %s: ", scenario->nodes[i].id);
            print_safe(to, n.cause);
            fputs("\n", to);
        } else if (n.restarts) {
            fprintf(to, "  restarted  %s: %u time%s\n", scenario->nodes[i].id, n.restarts, n.restarts == 1 ? "" : "s");
        }
    }
    report_warnings(to, s, r);
}

void report_stderr(FILE *to, const struct session *s, const struct scenario *scenario, int i)
{
    struct session_status r;
    struct node_status n;
    session_status(s, &r);
    session_node(s, i, &n);
    if (!*n.tail)
        return;
    fprintf(to, "lockstep: the last that %s wrote to stderr (all of it: ", scenario->nodes[i].id);
    print_safe(to, r.run_dir);
    fprintf(to, "/logs/%s.log):\n", scenario->nodes[i].id);
    for (const char *line = n.tail; *line;) {
        size_t len = strcspn(line, "\n");
        struct buffer safe = { 0 };
        utf8_escape(&safe, line, len);
        fprintf(to, "  %s\n", buffer_string(&safe));
        buffer_free(&safe);
        line += len + (line[len] == '\n');
    }
}

static void report_drops(FILE *to, const struct session *s)
{
    struct buffer reasons = { 0 };
    session_drop_reasons(s, &reasons);
    if (reasons.len) {
        fputs("  dropped    ", to);
        print_safe(to, buffer_string(&reasons));
        fputs("\n", to);
    }
    buffer_free(&reasons);
}

/* Where it was, and how to look at it there. */
static void report_failure(FILE *to, const struct session *s, const struct scenario *scenario,
                           const struct session_status *r)
{
    char quanta[32];
    if (r->failed_node < 0)
        return;
    fprintf(to, "  failed     %s, after %s quanta, with seed %" PRIu64 "\n", scenario->nodes[r->failed_node].id,
            grouped(r->quanta, quanta), scenario->seed);
    struct buffer command = { 0 };
    session_replay_command(s, &command);
    fputs("  look at it ", to);
    print_safe(to, buffer_string(&command));
    fputs("\n", to);
    buffer_free(&command);
}

void report_run(FILE *to, struct session *s, const struct scenario *scenario, bool color, bool nodes)
{
    struct session_status r;
    char time[SIMTIME_TEXT], a[32], b[32], c[32];
    session_status(s, &r);
    simtime_format(r.now, time);
    const char *tone = !color ? "" : r.exit_code == 0 ? "\033[1;32m" : "\033[1;31m";
    print_safe(to, scenario->name);
    fprintf(to, ": %s%s%s%s%s\n", tone, r.outcome, color ? "\033[0m" : "", *r.cause ? ": " : "", r.cause);
    fprintf(to, "  time       %s in ", time);
    fprintf(to, r.wall_s < 1 ? "%.3g ms of wall time" : "%.2f s of wall time",
            r.wall_s < 1 ? r.wall_s * 1e3 : r.wall_s);
    double speed = r.wall_s > 0 ? (double)r.now / 1e6 / r.wall_s : 0;
    if (speed >= 10)
        fprintf(to, " (%sx)", grouped((uint64_t)speed, a));
    else if (speed > 0)
        fprintf(to, " (%.2gx)", speed);
    fprintf(to, "\n  quanta     %s, %s of them idle and skipped\n", grouped(r.quanta, a), grouped(r.quanta_skipped, b));
    fprintf(to, "  messages   %s, %s dropped, %s in flight at the end\n", grouped(r.messages, a), grouped(r.dropped, b),
            grouped(r.in_flight, c));
    report_drops(to, s);
    report_failure(to, s, scenario, &r);
    report_trouble(to, s, scenario, &r);
    report_inference(to, s, scenario);
    fputs("  results    ", to);
    print_safe(to, r.run_dir);
    fprintf(to, " (%s records)\n", grouped(r.records, a));
    if (nodes)
        report_nodes(to, s, scenario);
}
