/* For which machine an image is, and whether the engine's can run its programs. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "node/engine.h"

#define BINFMT_FOLDER "/proc/sys/fs/binfmt_misc"
#define ELF_MAGIC     "magic 7f454c46"

static void take_architecture(char out[ENGINE_ARCHITECTURE_TEXT], const char *name)
{
    if (!strcmp(name, "x86_64"))
        name = "amd64";
    if (!strcmp(name, "aarch64"))
        name = "arm64";
    bool is_one =
        strlen(name) < ENGINE_ARCHITECTURE_TEXT && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
    snprintf(out, ENGINE_ARCHITECTURE_TEXT, "%s", is_one ? name : "");
}

void engine_architecture(char out[ENGINE_ARCHITECTURE_TEXT], const struct json *value)
{
    take_architecture(out, json_string(value, ""));
}

bool engine_may_run(const struct engine *e, const char *image)
{
    const char *machine = e->architecture;
    return !*image || !*machine || !strcmp(image, machine) || (!strcmp(machine, "amd64") && !strcmp(image, "386")) ||
           (!strcmp(machine, "arm64") && !strcmp(image, "arm"));
}

/* Whether the kernel hands programs of some other machine to an emulator. */
static bool emulates(const char *entry)
{
    char path[300], line[300];
    bool found = false;
    snprintf(path, sizeof path, BINFMT_FOLDER "/%s", entry);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        found |= !strncmp(line, ELF_MAGIC, strlen(ELF_MAGIC));
    if (f)
        fclose(f);
    return found;
}

static bool has_our_kernel(const struct engine *e)
{
    struct utsname here;
    return e->is_local && uname(&here) == 0 && strcmp(here.release, e->kernel) == 0;
}

/* By its control group, which every engine names after it. */
static bool is_its_process(int pid, const char *id)
{
    char path[40], line[1000];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, id) != NULL;
    if (f)
        fclose(f);
    return found;
}

bool engine_is_beside(const struct engine *e, const char *id, int pid)
{
    struct stat at;
    return e->is_local && stat(e->peer.socket, &at) == 0 && at.st_uid == 0 && is_its_process(pid, id);
}

/* Only where the engine has our kernel, and that lets us see what it knows. */
static bool emulates_nothing(const struct engine *e)
{
    bool is_seen = false, some = false;
    if (!has_our_kernel(e))
        return false;
    DIR *folder = opendir(BINFMT_FOLDER);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        is_seen |= !strcmp(entry->d_name, "register");
        some |= entry->d_name[0] != '.' && strcmp(entry->d_name, "register") != 0 &&
                strcmp(entry->d_name, "status") != 0 && emulates(entry->d_name);
    }
    if (folder)
        closedir(folder);
    return is_seen && !some;
}

/* For a machine like ours, where the engine is: nobody needs to be asked. */
static bool is_for_ours(const struct engine *e, const char *architecture)
{
    struct utsname here;
    char ours[ENGINE_ARCHITECTURE_TEXT];
    if (!e->is_local || uname(&here) < 0)
        return false;
    take_architecture(ours, here.machine);
    return !strcmp(architecture, ours);
}

int engine_check_image(struct engine *e, const char *name, const char *architecture, struct error *err)
{
    if (!*architecture || is_for_ours(e, architecture))
        return 1;
    if (!engine_knows_machine(e))
        return 0;
    if (engine_may_run(e, architecture) || !emulates_nothing(e))
        return 1;
    error_set(err, EXIT_LAUNCH,
              "its image %s is for %s, and the engine's machine is %s, without an emulator for others; take or "
              "build one for %s, or install qemu-user with binfmt_misc",
              name, architecture, e->architecture, e->architecture);
    return -1;
}
