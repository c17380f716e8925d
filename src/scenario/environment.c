/* Checks against this machine: files, folders, programs, ports and engines that the nodes will need. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hint.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/procfs.h"
#include "base/program.h"
#include "scenario/engine_address.h"
#include "scenario/ports.h"
#include "scenario/volume.h"

#define ADDRESS_ROOM 300

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_program(const char *path)
{
    return is_file(path) && access(path, X_OK) == 0;
}

static void want_folder(const struct load *l, int i, const char *field, const char *path)
{
    if (path && !is_folder(full_path(l, NULL, path)))
        node_tell(l, SEVERITY_ERROR, i, field, "the folder '%s' does not exist", shown(path).text);
}

static void want_file(const struct load *l, int i, const char *field, const char *path)
{
    const char *full = path ? full_path(l, NULL, path) : NULL;
    if (full && !is_file(full))
        node_tell(l, SEVERITY_ERROR, i, field, "the file '%s' does not exist", shown(path).text);
    else if (full && access(full, R_OK) != 0)
        node_tell(l, SEVERITY_ERROR, i, field, "the file '%s' cannot be read: %s", shown(path).text, strerror(errno));
}

/* The PATH that a node's program is looked up in; the caller frees it. */
static struct buffer search_path(const struct string_map *environment)
{
    const char *path = getenv("PATH");
    struct buffer full = { 0 };
    for (size_t k = 0; environment->keys && environment->keys[k]; k++)
        if (strcmp(environment->keys[k], "PATH") == 0)
            path = environment->values[k];
    program_search_path(&full, path);
    return full;
}

static bool is_in_path(const struct load *l, const char *program, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, ":");
        struct buffer full = { 0 };
        buffer_format(&full, "%.*s/%s", (int)n, path, program);
        bool found = n && is_program(full_path(l, NULL, buffer_string(&full)));
        buffer_free(&full);
        if (found)
            return true;
        if (!path[n])
            return false;
        path += n + 1;
    }
}

static void want_program(const struct load *l, int i, const char *field, const char *program, const char *folder)
{
    const struct scenario_node *n = &l->s->nodes[i];
    if (!strchr(program, '/')) {
        struct buffer path = search_path(&n->environment);
        bool found = is_in_path(l, program, buffer_string(&path));
        buffer_free(&path);
        if (!found)
            node_tell(l, SEVERITY_ERROR, i, field, "the program '%s' is not in PATH; install it, or write its path",
                      shown(program).text);
        return;
    }
    const char *full = full_path(l, folder ? full_path(l, NULL, folder) : NULL, program);
    if (!is_file(full))
        node_tell(l, SEVERITY_ERROR, i, field, "the program '%s' does not exist", shown(program).text);
    else if (!is_program(full))
        node_tell(l, SEVERITY_ERROR, i, field, "the program '%s' may not be run; try `chmod +x`", shown(program).text);
}

/* Whether something listens on a port here already. */
static bool is_taken(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool taken = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 && errno == EADDRINUSE;
    if (fd >= 0)
        close(fd);
    return taken;
}

static void want_port(const struct load *l, int i, const char *field, int port)
{
    pid_t pid;
    char name[40];
    if (!port || !is_taken(port))
        return;
    if (procfs_port_holder(port, &pid, name, sizeof name))
        node_tell(l, SEVERITY_ERROR, i, field, "port %d is in use by process %d (%s); end that, or choose another port",
                  port, (int)pid, shown(name).text);
    else
        node_tell(l, SEVERITY_ERROR, i, field,
                  "port %d is in use on this machine, or was a minute ago; end what uses it, wait, or choose another",
                  port);
}

static void check_process(const struct load *l, int i)
{
    const struct scenario_node *n = &l->s->nodes[i];
    want_folder(l, i, "working_dir", n->working_dir);
    if (n->command)
        want_program(l, i, "command", n->command[0], n->working_dir);
    if (n->command && n->transport == TRANSPORT_TCP)
        want_port(l, i, "port", n->port);
}

static void want_dockerfile(const struct load *l, int i)
{
    const struct docker_config *d = &l->s->nodes[i].docker;
    const char *folder = full_path(l, NULL, d->build_context), *file = full_path(l, folder, d->dockerfile);
    char root[PATH_MAX], whole[PATH_MAX];
    if (!is_folder(folder))
        return;
    if (!is_file(file))
        node_tell(l, SEVERITY_ERROR, i, "docker.dockerfile", "there is no '%s' in '%s'", shown(d->dockerfile).text,
                  shown(d->build_context).text);
    else if (realpath(folder, root) && realpath(file, whole) && !path_inside(root, whole))
        node_tell(
            l, SEVERITY_ERROR, i, "docker.dockerfile",
            "'%s' is outside of the build context '%s'; move it into that folder, or set build_context to one that "
            "holds both",
            shown(d->dockerfile).text, shown(d->build_context).text);
}

/* Engines would make a folder of what is not there. */
static void want_volumes(const struct load *l, int i)
{
    const struct docker_config *d = &l->s->nodes[i].docker;
    for (size_t k = 0; d->volumes && d->volumes[k]; k++) {
        struct container_volume v = container_volume(d->volumes[k]);
        const char *host = arena_text(l->scratch, v.host.s, v.host.len);
        if (!v.is_named && access(full_path(l, NULL, host), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
            node_tell(l, SEVERITY_ERROR, i, "docker.volumes",
                      "'%s' does not exist; create it, or write a name without '/' for a volume of the engine",
                      shown(host).text);
    }
}

/* What is on the machine of the engine can only be looked at where that is this one. */
static void check_docker(const struct load *l, int i)
{
    const struct scenario_node *n = &l->s->nodes[i];
    char room[ADDRESS_ROOM];
    const char *address = engine_address(n, room, sizeof room);
    want_folder(l, i, "docker.build_context", n->docker.build_context);
    if (n->docker.build_context && n->docker.dockerfile)
        want_dockerfile(l, i);
    if (!engine_is_local(address)) {
        if (n->transport == TRANSPORT_UNIX)
            node_tell(l, SEVERITY_ERROR, i, "docker.transport",
                      "unix needs an engine on this machine, and %s may be on another; use attach",
                      shown(address).text);
        return;
    }
    want_volumes(l, i);
    for (size_t k = 0; n->docker.ports.keys && n->docker.ports.keys[k]; k++)
        if (!strcmp(ports_protocol(n, k), "tcp"))
            want_port(l, i, "docker.ports", ports_host(n, k));
}

/* Why there is no connection to a Unix socket: an errno, 0 where there is one, or where that is not known. */
static int socket_error(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof at.sun_path)
        return 0; /* no address: said when it is used */
    strcpy(at.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error == EAGAIN ? 0 : error; /* it is there, and busy */
}

/* A node and the engine that it wants. */
struct wish {
    const char *address, *origin;
    int node;
};

static int by_address(const void *a, const void *b)
{
    const struct wish *x = a, *y = b;
    int address = strcmp(x->address, y->address);
    return address ? address : (x->node > y->node) - (x->node < y->node);
}

/* Each local engine is tried once, and what is wrong told at the first node that wants it. */
static void check_engines(const struct load *l)
{
    const struct scenario *s = l->s;
    struct wish *wishes = mem_array((size_t)s->node_count + 1, sizeof *wishes);
    size_t count = 0;
    for (int i = 0; i < s->node_count; i++) {
        char room[ADDRESS_ROOM];
        const char *address = engine_address(&s->nodes[i], room, sizeof room);
        if (s->nodes[i].implementation == IMPLEMENTATION_DOCKER && engine_is_local(address))
            wishes[count++] = (struct wish){ arena_text(l->scratch, address, strlen(address)),
                                             engine_address_origin(&s->nodes[i]), i };
    }
    qsort(wishes, count, sizeof *wishes, by_address);
    for (size_t k = 0; k < count; k++) {
        if (k && !strcmp(wishes[k - 1].address, wishes[k].address))
            continue;
        int error = socket_error(wishes[k].address + strlen("unix://"));
        const char *advice = engine_socket_advice(error, wishes[k].origin);
        if (error)
            node_tell(l, SEVERITY_ERROR, wishes[k].node, "docker.engine", "no engine can be reached at %s (%s): %s",
                      shown(wishes[k].address).text, wishes[k].origin, advice ? advice : strerror(error));
    }
    free(wishes);
}

static void check_renode(const struct load *l, int i)
{
    const struct scenario_node *n = &l->s->nodes[i];
    const struct renode_config *r = &n->renode;
    bool from_renode = r->platform && strncmp(r->platform, "platforms/", 10) == 0;
    if (from_renode && !is_file(full_path(l, NULL, r->platform)))
        node_tell(l, SEVERITY_WARNING, i, "platform", "'%s' is not beside the scenario; Renode will look for its own",
                  shown(r->platform).text);
    else
        want_file(l, i, "platform", r->platform);
    want_file(l, i, "firmware", r->firmware);
    want_file(l, i, "script", r->script);
    want_folder(l, i, "working_dir", n->working_dir);
    want_program(l, i, "renode", r->program, NULL);
    want_port(l, i, "monitor_port", r->monitor_port);
}

void environment_check(struct load *l)
{
    const struct tree *base_dir = tree_get(l->root, "base_dir");
    if (base_dir && !is_folder(l->s->base_dir))
        root_tell(l, SEVERITY_ERROR, "base_dir", "the folder '%s' does not exist",
                  shown(base_dir->kind < TREE_LIST ? base_dir->text : "").text);
    for (int i = 0; i < l->s->node_count; i++) {
        switch (l->s->nodes[i].implementation) {
        case IMPLEMENTATION_PROCESS:
            check_process(l, i);
            break;
        case IMPLEMENTATION_DOCKER:
            check_docker(l, i);
            break;
        case IMPLEMENTATION_RENODE:
            check_renode(l, i);
            break;
        case IMPLEMENTATION_MODEL:
            break;
        }
    }
    check_engines(l);
}
