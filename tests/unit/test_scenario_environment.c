/* Files, folders, programs and ports that nodes need are looked for on this machine. */
#include "check.h"
#include "engine_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockstep/scenario.h"

static char folder[] = "/tmp/lockstep-environment-XXXXXX";
static struct engine_socket engine; /* DOCKER_HOST */

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void create(const char *name, mode_t mode, const char *text)
{
    test_write_file(folder, name, text);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

/* The texts of all problems of a scenario of one node, each with its path and a newline. */
static void tells(const char *node, const char *expected)
{
    struct problems problems = { 0 };
    char text[1000], told[4000] = "";
    snprintf(text, sizeof text, "simulation: { duration: 1s, seed: 1 }\nnodes:\n  - { id: n, type: gateway, %s }\n",
             node);
    create("scenario.yaml", 0644, text);
    struct scenario *s = scenario_load(path_of("scenario.yaml"), NULL, 0, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        size_t len = strlen(told);
        snprintf(told + len, sizeof told - len, "%s: %s\n", problems.items[i].path, problems.items[i].text);
    }
    assert_string_equal(told, expected);
    assert_true((s != NULL) == (problems.errors == 0));
    problems_clear(&problems);
    scenario_free(s);
}

static void programs_are_looked_for(void **state)
{
    (void)state;
    create("tool", 0755, "#!/bin/sh\n");
    create("text", 0644, "no program\n");
    tells("implementation: process, command: sh", "");
    tells("implementation: process, command: /bin/sh", "");
    tells("implementation: process, command: ./tool", "");
    tells("implementation: process, command: ../tool, working_dir: sub", "");
    tells("implementation: process, command: tool, environment: { PATH: /nowhere:. }", "");
    tells("implementation: process, command: tool, environment: { PATH: /nowhere }",
          "nodes[0].command: the program 'tool' is not in PATH; install it, or write its path\n");
    tells("implementation: process, command: ./text",
          "nodes[0].command: the program './text' may not be run; try `chmod +x`\n");
    tells("implementation: process, command: ./sub", "nodes[0].command: the program './sub' does not exist\n");
    tells("implementation: process, command: ./tool, working_dir: text",
          "nodes[0].command: the program './tool' does not exist\nnodes[0].working_dir: the folder 'text' does not "
          "exist\n");
}

static void folders_of_containers_are_looked_for(void **state)
{
    (void)state;
    create("sub/Dockerfile", 0644, "FROM scratch\n");
    tells("implementation: docker, docker: { image: x, build_context: sub }", "");
    tells("implementation: docker, docker: { image: x, build_context: ., dockerfile: sub/Dockerfile }", "");
    tells("implementation: docker, docker: { image: x, build_context: ., dockerfile: Other }",
          "nodes[0].docker.dockerfile: there is no 'Other' in '.'\n");
    tells("implementation: docker, docker: { image: x, build_context: sub, dockerfile: ../sub/Dockerfile }", "");
    tells("implementation: docker, docker: { image: x, build_context: sub, dockerfile: ../scenario.yaml }",
          "nodes[0].docker.dockerfile: '../scenario.yaml' is outside of the build context 'sub'; move it into that "
          "folder, or "
          "set build_context to one that holds both\n");
    tells("implementation: docker, docker: { image: x, dockerfile: Other }",
          "nodes[0].docker.dockerfile: has no effect without build_context\n");
    tells("implementation: docker, docker: { image: x, exec: [a] }",
          "nodes[0].docker.exec: has no effect without `transport: exec`\n");
}

/* What an engine elsewhere has is not known here. */
static void host_folders_of_volumes_are_looked_for(void **state)
{
    (void)state;
    tells(
        "implementation: docker, docker: { image: x, volumes: [\"sub/:/a\", \"./scenario.yaml:/b:ro\", \"store:/c\"] }",
        "");
    tells("implementation: docker, docker: { image: x, volumes: [\"sub/none:/a\"] }",
          "nodes[0].docker.volumes: 'sub/none' does not exist; create it, or write a name without '/' for a volume of "
          "the "
          "engine\n");
    tells("implementation: docker, docker: { image: x, volumes: [\"sub/none:/a\"], engine: \"tcp://10.9.9.1\" }", "");
}

static void no_engine(const char *address, const char *why)
{
    char node[400], expected[700];
    snprintf(node, sizeof node, "implementation: docker, docker: { image: x, engine: \"%s\" }", address);
    snprintf(expected, sizeof expected, "nodes[0].docker.engine: no engine can be reached at %s (docker.engine): %s\n",
             address, why);
    tells(node, *why ? expected : "");
}

static void engines_on_this_machine_are_tried(void **state)
{
    (void)state;
    char address[240], here[200];
    const char *missing =
        "there is no such socket; is the engine running? (systemctl start docker, or systemctl --user start "
        "podman.socket) If it listens elsewhere, correct docker.engine";
    snprintf(here, sizeof here, "unix://%s", engine.path);
    no_engine(here, "");
    no_engine("tcp://127.0.0.1:1", "");
    no_engine("unix:///no/such/engine.sock", missing);
    create("text", 0644, "");
    snprintf(address, sizeof address, "unix://%s", path_of("text"));
    no_engine(address, "nobody listens on the socket; the engine has ended: start it again");
    setenv("DOCKER_HOST", address, 1);
    char expected[500];
    snprintf(expected, sizeof expected,
             "nodes[0].docker.engine: no engine can be reached at %s (DOCKER_HOST): nobody listens on the "
             "socket; the engine has ended: start it again\n",
             address);
    tells("implementation: docker, docker: { image: x }", expected);
    setenv("DOCKER_HOST", "unix:///no/such/engine.sock", 1);
    tells("implementation: docker, docker: { image: x }",
          "nodes[0].docker.engine: no engine can be reached at unix:///no/such/engine.sock (DOCKER_HOST): there is no "
          "such socket; is "
          "the engine running? (systemctl start docker, or systemctl --user start podman.socket) If it listens "
          "elsewhere, correct "
          "DOCKER_HOST, or set docker.engine\n");
    setenv("DOCKER_HOST", "tcp://127.0.0.1:1", 1);
    tells("implementation: docker, docker: { image: x }", "");
    tells("implementation: docker, docker: { image: x, transport: unix }",
          "nodes[0].docker.transport: unix needs an engine on this machine, and tcp://127.0.0.1:1 may be on another; "
          "use attach\n");
    setenv("DOCKER_HOST", here, 1);
}

static void files_of_emulators_are_looked_for(void **state)
{
    (void)state;
    create("tool", 0755, "#!/bin/sh\n");
    create("board.repl", 0644, "");
    tells("implementation: renode, platform: board.repl, firmware: tool, renode: ./tool", "");
    tells("implementation: renode, script: board.repl, renode: ./tool", "");
    tells("implementation: renode, platform: platforms/a.repl, firmware: none.elf, renode: ./tool",
          "nodes[0].platform: 'platforms/a.repl' is not beside the scenario; Renode will look for its own\n"
          "nodes[0].firmware: the file 'none.elf' does not exist\n");
    tells("implementation: renode, platform: board.repl, firmware: tool, renode: ./no-tool",
          "nodes[0].renode: the program './no-tool' does not exist\n");
}

/* A port that something listens on is an error for nodes that would listen there themselves. */
static void ports_are_tried(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    char node[300], expected[300];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    int port = ntohs(at.sin_port);
    snprintf(node, sizeof node, "implementation: process, command: sh, port: %d", port);
    snprintf(expected, sizeof expected,
             "nodes[0].port: port %d is in use by process %d (test_scenario_e); end that, or choose another port\n",
             port, (int)getpid());
    tells(node, expected);
    snprintf(node, sizeof node, "implementation: process, transport: tcp, port: %d", port);
    tells(node, "");
    snprintf(node, sizeof node, "implementation: docker, docker: { image: x, ports: [\"%d:80\", \"%d:81/udp\"] }", port,
             port == 65535 ? 1024 : port + 1);
    snprintf(
        expected, sizeof expected,
        "nodes[0].docker.ports: port %d is in use by process %d (test_scenario_e); end that, or choose another port\n",
        port, (int)getpid());
    tells(node, expected);
    snprintf(node, sizeof node, "implementation: docker, docker: { image: x, ports: [\"%d\"], network: host }", port);
    tells(node, expected);
    snprintf(node, sizeof node,
             "implementation: docker, docker: { image: x, ports: [\"%d:80\"], engine: \"tcp://127.0.0.1:1\" }", port);
    tells(node, ""); /* it is another machine's */
    snprintf(node, sizeof node, "implementation: docker, docker: { image: x, ports: [\"%d:80/udp\", \"80:%d\"] }", port,
             port);
    tells(node, "");
    close(fd);
    tells("implementation: process, command: sh, transport: stdio, port: 5000",
          "nodes[0].port: has no effect without `transport: tcp`\n");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && mkdir(path_of("sub"), 0755) == 0 ? engine_socket_open(&engine) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "tool", "text", "sub/Dockerfile", "board.repl", "scenario.yaml" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    return engine_socket_close(&engine) || rmdir(path_of("sub")) || rmdir(folder) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_looked_for),
        cmocka_unit_test(folders_of_containers_are_looked_for),
        cmocka_unit_test(host_folders_of_volumes_are_looked_for),
        cmocka_unit_test(engines_on_this_machine_are_tried),
        cmocka_unit_test(files_of_emulators_are_looked_for),
        cmocka_unit_test(ports_are_tried),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
