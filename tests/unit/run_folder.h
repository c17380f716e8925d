/* For the tests of what is written beside the records of a run: an empty run folder, and a scenario for it. */
#ifndef TESTS_UNIT_RUN_FOLDER_H
#define TESTS_UNIT_RUN_FOLDER_H

#include "check.h"

#include <unistd.h>

#include "trace/folder.h"

#define RUN_FOLDER_NODES 40 /* at most */

struct run_folder {
    char dir[64];
    struct scenario scenario;
    struct scenario_node nodes[RUN_FOLDER_NODES];
    struct folder *folder;
};

static inline void run_folder_begin(struct run_folder *r, int nodes)
{
    struct error err = { 0 };
    static char id[] = "n", name[] = "s", file[] = "s.yaml";
    strcpy(r->dir, "/tmp/lockstep-history-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->scenario = (struct scenario){ .name = name, .file = file, .node_count = nodes, .nodes = r->nodes };
    for (int i = 0; i < nodes; i++)
        r->nodes[i].id = id;
    assert_non_null(r->folder = folder_open(r->dir, &r->scenario, &err));
}

static inline void run_folder_end(struct run_folder *r)
{
    folder_discard(r->folder);
    rmdir(r->dir);
    folder_free(r->folder);
}

#endif
