#include "lockstep/check.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "check/checks.h"
#include "check/words.h"

#define STOP_MOST INT64_C(5000000) /* us; as timeouts.stop has it by default */

/* A scenario of two nodes, from text that is in no folder; what the command line says is then put in. */
static struct scenario *make_scenario(struct error *err)
{
    static const char text[] = "simulation: {duration: 1s, seed: 42}\n"
                               "nodes: [{id: node, type: gateway}, {id: peer, type: gateway}]\n";
    struct problems problems = { 0 };
    struct scenario *s = NULL;
    char path[40];
    int fd = memfd_create("lockstep", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1)
        s = scenario_load(path, NULL, 0, &problems);
    if (!s)
        error_set(err, EXIT_LAUNCH, "cannot make a scenario in memory%s%s", problems.count ? ": " : "",
                  problems.count ? problems.items[0].text : "");
    if (fd >= 0)
        close(fd);
    problems_clear(&problems);
    return s;
}

static void fill(struct run *r, const struct words *w, struct scenario *s, char *folder)
{
    struct scenario_node *node = &s->nodes[0];
    simtime stop = w->timeout < STOP_MOST ? w->timeout : STOP_MOST;
    s->base_dir = folder;
    s->duration = SIMTIME_MAX;
    node->implementation = IMPLEMENTATION_PROCESS;
    node->model = MODEL_NONE;
    node->command = w->command;
    node->transport = w->transport;
    node->dialect = w->dialect;
    node->port = w->port;
    node->timeout_start = node->timeout_step = w->timeout;
    node->timeout_stop = stop;
    if (w->config)
        node->config_json = w->config;
    r->subject = (struct subject){ .scenario = s,
                                   .node = node,
                                   .type = w->type,
                                   .samples = w->samples,
                                   .any_port = w->transport == TRANSPORT_TCP && !w->port,
                                   .verbose = w->verbose,
                                   .limit_ns = w->timeout * 1000,
                                   .stop_ns = stop * 1000 };
}

static void make_all(struct run *r)
{
    const struct check *const parts[] = { checks_talk, checks_end, checks_same, checks_notes };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const struct check *c = parts[i]; c->name; c++)
            if (r->reached >= c->needs && !(r->is_slow && c->is_long))
                c->run(r, c);
            else
                r->report.left_out++;
    talk_close(&r->talk);
    if (r->report.left_out)
        report_note(&r->report, "left out", "%d checks that need what does not hold yet; mend that and check again",
                    r->report.left_out);
    report_log(&r->findings.log);
    report_end(&r->report);
}

int check_node(int argc, char **argv)
{
    struct words w;
    struct error err = { 0 };
    struct scenario *s = NULL;
    char folder[PATH_MAX];
    int code = EXIT_FINISHED;
    signal(SIGPIPE, SIG_IGN); /* write says so */
    if (words_parse(&w, argc, argv, &err) == 0 && w.help) {
        fputs(words_usage, stdout);
        words_free(&w);
        return EXIT_FINISHED;
    }
    if (!err.code && !getcwd(folder, sizeof folder))
        error_set(&err, EXIT_LAUNCH, "the present working directory cannot be read");
    if (err.code || !(s = make_scenario(&err))) {
        fprintf(stderr, "lockstep check-node: %s; lockstep check-node --help says more\n", err.text);
        code = err.code;
    } else {
        struct run *r = mem_alloc(sizeof *r);
        setvbuf(stdout, NULL, _IOLBF, 0);
        fill(r, &w, s, folder);
        make_all(r);
        code = r->report.failed ? EXIT_RUN_FAILED : EXIT_FINISHED;
        findings_free(&r->findings);
        free(r);
    }
    scenario_free(s);
    words_free(&w);
    return code;
}
