#include "scenario/tables.h"

#define AT(member)    .at = offsetof(OF, member)
#define ROWS(f)       .fields = f, .count = sizeof(f) / sizeof((f)[0])
#define ON(i)         (1u << IMPLEMENTATION_##i)
#define COUNTS(table) _Static_assert(sizeof(table) / sizeof((table)[0]) <= TABLE_FIELDS, "TABLE_FIELDS is too small")

static const char *const network_models[] = { "direct", "latency", NULL };
static const char *const placements[] = { "", "edge", "cloud", NULL };
static const char *const tiers[] = { "device", "edge", "cloud", NULL };
static const char *const implementations[] = { "model", "process", "docker", "renode", NULL };
static const char *const on_failures[] = { "abort", "continue", "restart", NULL };
static const char *const time_controls[] = { "auto", "external", "monitor", NULL };
static const char *const dialects[] = { "node", "service", NULL };
static const char *const fault_actions[] = { "kill", "pause", "resume", "restart", "stop", "drop",
                                            "delay", "copy", "edit", "inject", NULL };
static const char *const fault_authors[] = { "scenario", "user", NULL };

static const struct synonym implementation_synonyms[] = {
    { "python_model", IMPLEMENTATION_MODEL }, /* PROCESS where there is a command: nodes.c */
    { "renode_inprocess", IMPLEMENTATION_RENODE },
    { NULL, 0 },
};

const char *tier_name(enum tier t)
{
    return tiers[t];
}

const char *implementation_name(enum implementation i)
{
    return implementations[i];
}

const char *network_model_name(enum network_model m)
{
    return network_models[m];
}

const char *placement_name(enum placement p)
{
    return p == PLACEMENT_NONE ? "none" : placements[p];
}

const char *on_failure_name(enum on_failure f)
{
    return on_failures[f];
}

const char *transport_name(enum transport t)
{
    static const char *const names[] = { "stdio", "tcp", "unix", "attach", "exec" };
    return names[t];
}

#define OF struct scenario
static const struct field simulation_fields[] = {
    { "duration", F_TIME, AT(duration), .required = "duration: 10s", .positive = true,
      .help = "virtual time of the run" },
    { "quantum", F_TIME, AT(quantum), .aliases = "time_quantum", .fallback = "1ms", .positive = true,
      .help = "the step of all nodes" },
    { "seed", F_SEED, AT(seed), .required = "seed: 42", .help = "of all randomness" },
    { "pace", F_REAL, AT(pace), .fallback = "0", .help = "times real time; 0: as fast as it goes" },
};
const struct table simulation_table = { ROWS(simulation_fields) };

static const struct field network_fields[] = {
    { "model", F_ENUM, AT(network), .aliases = "type", .fallback = "direct", .choices = network_models,
      .help = "how messages travel" },
    { "default_latency", F_TIME, AT(default_latency), .fallback = "10ms", .help = "of links that are not listed" },
    { "default_loss", F_REAL, AT(default_loss), .aliases = "default_loss_rate", .fallback = "0", .max = 1,
      .help = "probability" },
    { "links", .kind = F_KEPT, .help = "single links, one direction each" },
};
const struct table network_table = { ROWS(network_fields) };

static const struct field root_fields[] = {
    { "name", F_TEXT, AT(name), .help = "default: the file's name" },
    { "description", F_TEXT, AT(description) },
    { "base_dir", F_TEXT, AT(base_dir), .help = "where relative paths start; default: the file's folder" },
    { "simulation", F_SECTION, .section = &simulation_table },
    { "network", F_SECTION, .section = &network_table },
    { "ml_inference", .kind = F_KEPT, .help = "where readings are judged" },
    { "nodes", .kind = F_KEPT, .help = "a list with ids, or a map of ids" },
    { "faults", .kind = F_KEPT, .help = "what breaks, and when" },
};
static const char *const below_root[] = { "network.links", "network.default_latency", "network.default_loss", NULL };
const struct table root_table = { ROWS(root_fields), .deeper = below_root };
#undef OF

#define OF struct scenario_node
static const struct field timeout_fields[] = {
    { "start", F_TIME, AT(timeout_start), .fallback = "10s", .positive = true, .help = "until READY" },
    { "step", F_TIME, AT(timeout_step), .fallback = "30s", .positive = true, .help = "until DONE" },
    { "stop", F_TIME, AT(timeout_stop), .fallback = "5s", .positive = true, .help = "until it has ended by itself" },
};
static const struct table timeout_table = { ROWS(timeout_fields) };

static const struct field restart_fields[] = {
    { "max", F_INT, AT(restart_max), .fallback = "3", .max = 1000000, .help = "how often" },
    { "backoff", F_TIME, AT(restart_backoff), .fallback = "100ms", .help = "wall time before each" },
};
static const struct table restart_table = { ROWS(restart_fields) };

static const struct field limit_fields[] = {
    { "open_files", F_INT, AT(limit_open_files), .fallback = "0", .max = 1 << 30,
      .help = "descriptors; 0: as lockstep itself was started with" },
    { "file_size", F_SIZE, AT(limit_file_size), .help = "of a file that it writes, for example 1G; default: none" },
};
static const struct table limit_table = { ROWS(limit_fields) };

/* Engines refuse less than a millisecond. */
static const struct field health_fields[] = {
    { "command", F_HEALTH, AT(docker.healthcheck.command), .help = "[CMD, program, …], or a text for its shell" },
    { "interval", F_TIME, AT(docker.healthcheck.interval), .fallback = "1s", .positive = true, .min = 1000 },
    { "timeout", F_TIME, AT(docker.healthcheck.timeout), .fallback = "1s", .positive = true, .min = 1000 },
    { "retries", F_INT, AT(docker.healthcheck.retries), .fallback = "3", .min = 1, .max = 1000000 },
};
static const struct table health_table = { ROWS(health_fields) };

/* By enum transport; what has no word here is none of these nodes' transports. */
static const char *const docker_transports[] = { "", "tcp", "unix", "attach", "exec", NULL };
static const struct field docker_fields[] = {
    { "image", F_TEXT, AT(docker.image), .required = "image: local/echo:latest", .help = "NAME:TAG" },
    { "build_context", F_TEXT, AT(docker.build_context), .is_path = true,
      .help = "builds the image from this folder first" },
    { "dockerfile", F_TEXT, AT(docker.dockerfile), .fallback = "Dockerfile", .help = "in the build context" },
    { "command", F_COMMAND, AT(docker.command), .help = "instead of the image's own" },
    { "exec", F_LIST, AT(docker.exec), .help = "transport exec: the program to run inside" },
    { "ports", F_PORTS, AT(docker.ports), .help = "HOST:CONTAINER" },
    { "environment", F_PAIRS, AT(docker.environment) },
    { "volumes", F_VOLUMES, AT(docker.volumes), .help = "HOST:CONTAINER[:MODE]" },
    { "network", F_TEXT, AT(docker.network), .help = "the engine's network, for example bridge" },
    { "cpus", F_REAL, AT(docker.cpus), .help = "limit, in processors" },
    { "memory", F_SIZE, AT(docker.memory), .min = 6 << 20, /* engines refuse less */
      .help = "limit, for example 256M" },
    { "freeze", F_BOOL, AT(docker.freeze), .fallback = "true", .help = "paused while the run is paused" },
    { "healthcheck", F_SECTION, .section = &health_table },
    { "transport", F_ENUM, AT(transport), .fallback = "attach", .choices = docker_transports,
      .help = "how lockstep talks to it" },
    { "engine", F_TEXT, AT(docker.engine), .help = "unix:///PATH or tcp://HOST:PORT; default from DOCKER_HOST" },
};
const struct table docker_table = { ROWS(docker_fields) };

static const char *const process_transports[] = { "stdio", "tcp", "unix", NULL };
static const struct field node_fields[] = {
    { "id", F_TEXT, AT(id), .required = "id: sensor1", .help = "letters, digits, '_', '.', '-'; at most 64" },
    { "type", F_TEXT, AT(type), .required = "type: sensor", .help = "sensor, gateway, cloud or any word" },
    { "tier", F_ENUM, AT(tier), .choices = tiers, .help = "default from type" },
    { "implementation", F_ENUM, AT(implementation), .fallback = "model", .choices = implementations,
      .synonyms = implementation_synonyms, .help = "how the node runs" },
    { "config", .kind = F_KEPT, .help = "handed to the node" },
    { "timeouts", F_SECTION, .section = &timeout_table },
    { "on_failure", F_ENUM, AT(on_failure), .fallback = "abort", .choices = on_failures },
    { "restart", F_SECTION, .section = &restart_table },
    { "dialect", F_ENUM, AT(dialect), .choices = dialects, .only = ON(PROCESS) | ON(DOCKER),
      .help = "of the protocol" },
    { "command", F_COMMAND, AT(command), .only = ON(PROCESS), .help = "the program and its arguments" },
    { "transport", F_ENUM, AT(transport), .fallback = "stdio", .choices = process_transports, .only = ON(PROCESS) },
    { "port", F_INT, AT(port), .min = 1, .max = 65535, .only = ON(PROCESS), .help = "tcp: where the node listens" },
    { "environment", F_PAIRS, AT(environment), .only = ON(PROCESS) },
    { "limits", F_SECTION, .section = &limit_table, .only = ON(PROCESS) },
    { "working_dir", F_TEXT, AT(working_dir), .is_path = true, .only = ON(PROCESS) | ON(RENODE) },
    { "docker", .kind = F_KEPT, .only = ON(DOCKER) },
    { "platform", F_TEXT, AT(renode.platform), .is_path = true, .only = ON(RENODE), .help = ".repl file" },
    { "firmware", F_TEXT, AT(renode.firmware), .is_path = true, .only = ON(RENODE), .help = ".elf file" },
    { "script", F_TEXT, AT(renode.script), .is_path = true, .only = ON(RENODE),
      .help = ".resc file instead of a platform" },
    { "uart", F_TEXT, AT(renode.uart), .fallback = "sysbus.uart0", .only = ON(RENODE),
      .help = "where messages pass, for example sysbus.uart0" },
    { "uarts", F_LIST, AT(renode.uarts), .only = ON(RENODE), .help = "further UARTs whose lines are read" },
    { "setup", F_LIST, AT(renode.setup), .only = ON(RENODE), .help = "further monitor commands" },
    { "monitor_port", F_INT, AT(renode.monitor_port), .max = 65535, .only = ON(RENODE), .help = "0: a free one" },
    { "time_control", F_ENUM, AT(renode.time_control), .fallback = "auto", .choices = time_controls, .only = ON(RENODE),
      .help = "how virtual time passes in it" },
    { "renode", F_TEXT, AT(renode.program), .fallback = "renode", .only = ON(RENODE), .help = "the program" },
};
COUNTS(node_fields);
static const char *const below_node[] = {
    "config.interval",
    "config.destination",
    "config.forward_to",
    "config.processing_delay",
    "config.reply",
    "docker.image",
    "docker.build_context",
    "docker.ports",
    "docker.volumes",
    "docker.healthcheck",
    NULL,
};
const struct table node_table = { ROWS(node_fields), .deeper = below_node };
#undef OF

#define OF struct raw_link
static const struct field link_fields[] = {
    { "src", F_TEXT, AT(src), .required = "src: sensor1" },
    { "dst", F_TEXT, AT(dst), .required = "dst: gateway" },
    { "latency", F_TIME, AT(latency) },
    { "loss", F_REAL, AT(loss), .aliases = "loss_rate", .max = 1 },
};
const struct table link_table = { ROWS(link_fields) };
#undef OF

#define OF struct raw_fault
static const struct field fault_fields[] = {
    { "at", F_TIME, AT(at), .required = "at: 3s" },
    { "node", F_TEXT, AT(node) },
    { "link", F_LIST, AT(link) },
    { "message", F_SEED, AT(message), .help = "the id of one in flight" },
    { "action", F_ENUM, AT(action), .choices = fault_actions },
    { "latency", F_TIME, AT(latency) },
    { "loss", F_REAL, AT(loss), .aliases = "loss_rate", .max = 1 },
    { "for", F_TIME, AT(duration), .aliases = "duration", .positive = true },
    { "src", F_TEXT, AT(src), .help = "of a new message" },
    { "dst", F_TEXT, AT(dst) },
    { "type", F_TEXT, AT(type) },
    { "to", F_TIME, AT(to), .help = "when the message arrives" },
    { "payload", F_TEXT, AT(payload), .help = "JSON" },
    { "by", F_ENUM, AT(by), .choices = fault_authors, .help = "user: recorded as done by a person" },
};
const struct table fault_table = { ROWS(fault_fields) };
#undef OF

#define OF struct raw_model_config
#define INFERENCE_DELAY                                                                                                \
    {                                                                                                                  \
        "inference_delay", F_TIME, AT(inference_delay), .help = "of one reading"                                       \
    }
static const struct field sensor_fields[] = {
    { "interval", F_TIME, AT(interval), .called = "period every", .fallback = "1s", .positive = true,
      .help = "between samples" },
    { "destination", F_TEXT, AT(destination), .called = "dst to target",
      .help = "default: the node `gateway`, else the first gateway" },
};
const struct table sensor_table = { ROWS(sensor_fields) };

static const struct field gateway_fields[] = {
    { "forward_to", F_TEXT, AT(forward_to), .called = "destination dest dst to", .help = "who gets the aggregates" },
    INFERENCE_DELAY,
};
const struct table gateway_table = { ROWS(gateway_fields) };

static const struct field cloud_fields[] = {
    { "processing_delay", F_TIME, AT(processing_delay), .fallback = "5ms" },
    { "reply", F_BOOL, AT(reply), .fallback = "false", .help = "answers with ACK" },
    INFERENCE_DELAY,
};
const struct table cloud_table = { ROWS(cloud_fields) };
#undef OF

#define OF struct raw_ml
static const struct field ml_fields[] = {
    { "placement", F_ENUM, AT(placement), .required = "placement: edge", .choices = placements },
    { "edge_config", .kind = F_KEPT },
    { "cloud_config", .kind = F_KEPT },
};
const struct table ml_table = { ROWS(ml_fields) };

static const struct field ml_section_fields[] = {
    { "model_path", F_TEXT, AT(model_path), .is_path = true },
    { "threshold", F_REAL, AT(threshold), .fallback = "0.5", .max = 1 },
    { "inference_delay", F_TIME, AT(inference_delay) },
};
const struct table ml_section_table = { ROWS(ml_section_fields), .open = true };
#undef OF

const struct table *model_table(enum builtin_model model)
{
    return model == MODEL_SENSOR ? &sensor_table : model == MODEL_GATEWAY ? &gateway_table : &cloud_table;
}
