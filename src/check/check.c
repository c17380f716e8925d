#include "lockstep/check.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "check/checks.h"

#define LIMIT_DEFAULT INT64_C(10000000) /* us */
#define STOP_MOST     INT64_C(5000000)  /* us; as timeouts.stop has it by default */

static const char usage[] =
    "lockstep check-node [OPTION]... -- COMMAND [ARGUMENT]...\n\n"
    "Starts the command as a node, talks the node protocol to it, good and odd messages alike, and says what is wrong\n"
    "and what to do.\n\n"
    "  --transport stdio|tcp|unix  how it is spoken to (default: stdio)\n"
    "  --port N                    tcp: where it listens (default: a free port, in LOCKSTEP_PORT)\n"
    "  --dialect node|service      the words of its messages (default: node)\n"
    "  --timeout T                 how long READY and an answer may take: 10s, 500ms (default: 10s)\n"
    "  -v, --verbose               show the conversation\n"
    "  -h, --help                  this text\n\n"
    "The node runs in the present working directory. Exit codes: 0 all that a node must do holds; 1 something does "
    "not;\n"
    "2 bad usage.\n";

struct words {
    enum transport transport;
    enum dialect dialect;
    int port;
    simtime timeout;
    bool verbose, help;
    char **command;
};

static int take_choice(const char *option, const char *value, const char *const *choices, int count, struct error *err)
{
    struct buffer all = { 0 };
    for (int i = 0; i < count; i++)
        if (!strcmp(value, choices[i]))
            return i;
    for (int i = 0; i < count; i++)
        buffer_format(&all, "%s%s", i ? ", " : "", choices[i]);
    error_set(err, EXIT_USAGE, "--%s %s: there are %s", option, value, buffer_string(&all));
    buffer_free(&all);
    return 0;
}

static void take_option(struct words *w, int option, const char *value, struct error *err)
{
    static const char *const transports[] = { "stdio", "tcp", "unix" }, *const dialects[] = { "node", "service" };
    const char *why;
    char *end;
    long port;
    switch (option) {
    case 't':
        w->transport = (enum transport)take_choice("transport", value, transports, 3, err);
        break;
    case 'd':
        w->dialect = (enum dialect)take_choice("dialect", value, dialects, 2, err);
        break;
    case 'p':
        port = strtol(value, &end, 10);
        if (end == value || *end || port < 1 || port > 65535)
            error_set(err, EXIT_USAGE, "--port %s: a port is a number from 1 to 65535", value);
        else
            w->port = (int)port;
        break;
    case 'T':
        if (simtime_parse(value, 1000000, &w->timeout, &why) < 0)
            error_set(err, EXIT_USAGE, "--timeout %s: %s", value, why);
        else if (w->timeout < 1000 || w->timeout > INT64_C(3600000000))
            error_set(err, EXIT_USAGE, "--timeout %s: from 1ms to 1h", value);
        break;
    case 'v':
        w->verbose = true;
        break;
    default:
        w->help = true;
        break;
    }
}

static int parse(struct words *w, int argc, char **argv, struct error *err)
{
    static const struct option options[] = {
        { "transport", required_argument, NULL, 't' },
        { "port", required_argument, NULL, 'p' },
        { "dialect", required_argument, NULL, 'd' },
        { "timeout", required_argument, NULL, 'T' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    opterr = 0;
    for (int c; !err->code && (c = getopt_long(argc, argv, "+:vh", options, NULL)) != -1;)
        if (c == '?')
            error_set(err, EXIT_USAGE, "unknown option %s; a command that begins with - stands behind --",
                      argv[optind - 1]);
        else if (c == ':')
            error_set(err, EXIT_USAGE, "%s needs a value", argv[optind - 1]);
        else
            take_option(w, c, optarg, err);
    w->command = argv + optind;
    if (w->help)
        return 0;
    if (w->port && w->transport != TRANSPORT_TCP)
        error_set(err, EXIT_USAGE, "--port goes with --transport tcp");
    if (!*w->command)
        error_set(err, EXIT_USAGE, "no command is given: lockstep check-node -- COMMAND [ARGUMENT]...");
    return err->code ? -1 : 0;
}

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
    r->subject = (struct subject){ .scenario = s,
                                   .node = node,
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
            if (r->reached >= c->needs)
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
    struct words w = { .timeout = LIMIT_DEFAULT };
    struct error err = { 0 };
    struct scenario *s = NULL;
    char folder[PATH_MAX];
    signal(SIGPIPE, SIG_IGN); /* write says so */
    if (parse(&w, argc, argv, &err) == 0 && w.help) {
        fputs(usage, stdout);
        return EXIT_FINISHED;
    }
    if (!err.code && !getcwd(folder, sizeof folder))
        error_set(&err, EXIT_LAUNCH, "the present working directory cannot be read");
    if (err.code || !(s = make_scenario(&err))) {
        fprintf(stderr, "lockstep check-node: %s; lockstep check-node --help says more\n", err.text);
        return err.code;
    }
    struct run *r = mem_alloc(sizeof *r);
    setvbuf(stdout, NULL, _IOLBF, 0);
    fill(r, &w, s, folder);
    make_all(r);
    int code = r->report.failed ? EXIT_RUN_FAILED : EXIT_FINISHED;
    findings_free(&r->findings);
    scenario_free(s);
    free(r);
    return code;
}
