#include "scenario/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "scenario/load.h"

/* What a scenario owns besides itself; scenario.index points here. */
struct scenario_index {
    struct arena *arena; /* the scenario and all that it points to */
    int count;
    struct id {
        const char *text;
        int node;
    } * ids; /* by text */
};

static int by_text(const void *a, const void *b)
{
    const struct id *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

/* Sorts the ids, and tells of those that are there twice. */
static void build_index(const struct load *l)
{
    struct scenario_index *index = l->s->index;
    index->ids = arena_alloc(l->arena, (size_t)l->s->node_count * sizeof *index->ids);
    for (int i = 0; i < l->s->node_count; i++)
        if (l->s->nodes[i].id)
            index->ids[index->count++] = (struct id){ l->s->nodes[i].id, i };
    if (index->count)
        qsort(index->ids, (size_t)index->count, sizeof *index->ids, by_text);
    for (int k = 1, first = 0; k < index->count; k++) {
        const struct id *a = &index->ids[first], *b = &index->ids[k];
        if (strcmp(a->text, b->text) != 0)
            first = k;
        else
            node_tell(l, SEVERITY_ERROR, b->node, "id", "the id '%s' is taken; line %d has it first", b->text,
                      l->s->nodes[a->node].mark.line);
    }
}

int scenario_find_node(const struct scenario *s, const char *id)
{
    const struct scenario_index *index = s->index;
    int low = 0, high = index->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(index->ids[middle].text, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->count && strcmp(index->ids[low].text, id) == 0 ? index->ids[low].node : -1;
}

void scenario_free(struct scenario *s)
{
    if (s)
        arena_free(((struct scenario_index *)s->index)->arena);
}

/* The file's name without folders and .yaml, made fit for a scenario's name. */
static char *name_of_file(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *from = slash ? slash + 1 : file;
    size_t len = strlen(from);
    if (len > 5 && strcmp(from + len - 5, ".yaml") == 0)
        len -= 5;
    else if (len > 4 && strcmp(from + len - 4, ".yml") == 0)
        len -= 4;
    if (len > 100)
        len = 100;
    char *name = arena_text(arena, from, len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || (i == 0 && *name == '.'))
            name[i] = '_';
    if (!len || utf8_check(name, len) != len)
        return arena_text(arena, "scenario", 8);
    return name;
}

/* base_dir as the file gives it, or the file's folder. */
static void settle_base_dir(const struct load *l, const char *folder)
{
    struct scenario *s = l->s;
    const char *given = s->base_dir;
    s->base_dir = arena_text(l->arena, folder, strlen(folder));
    if (!given)
        return;
    const char *full = full_path(l, NULL, given);
    char *real = l->environment ? realpath(full, NULL) : NULL;
    s->base_dir = arena_text(l->arena, real ? real : full, strlen(real ? real : full));
    free(real);
}

static void read_tree(struct load *l, const struct scenario_source *source)
{
    struct scenario *s = l->s;
    struct reader reader = { .problems = l->problems, .arena = l->arena };
    aliases_settle(l);
    overrides_apply(l);
    aliases_settle(l); /* what an override brought may be in another spelling too */
    schema_defaults(&root_table, l->arena, s);
    schema_read(&reader, &root_table, l->root, NULL, s);
    settle_base_dir(l, source->base_dir);
    if (!s->name)
        s->name = name_of_file(l->arena, source->file);
    nodes_read(l);
    build_index(l);
    ml_read(l);
    nodes_connect(l);
    links_read(l);
    faults_read(l);
    validate(l);
    if (l->environment)
        environment_check(l);
}

struct scenario *scenario_load_text(const struct scenario_source *source, struct problems *problems)
{
    size_t errors = problems->errors;
    struct arena *arena = arena_new(), *scratch = arena_new();
    struct scenario *s = arena_alloc(arena, sizeof *s);
    struct scenario_index *index = arena_alloc(arena, sizeof *index);
    index->arena = arena;
    s->index = index;
    s->file = arena_text(arena, source->file, strlen(source->file));
    struct load l = { .s = s,
                      .arena = arena,
                      .scratch = scratch,
                      .problems = problems,
                      .overrides = source->overrides,
                      .override_count = source->override_count,
                      .environment = source->environment };
    l.root = tree_parse(source->text, source->len, s->file, scratch, problems);
    if (l.root && l.root->kind == TREE_MAP)
        read_tree(&l, source);
    else if (l.root)
        place_tell(problems, SEVERITY_ERROR, l.root->mark, NULL,
                   "a scenario is a map that begins with lines such as `simulation:` and `nodes:`, not %s",
                   tree_kind_name(l.root));
    if (problems->errors == errors)
        emit(&l);
    arena_free(scratch);
    problems_sort(problems);
    if (problems->errors == errors)
        return s;
    scenario_free(s);
    return NULL;
}

/* Reads all of a file, pipe or device, at most `limit` bytes and one more. NULL with errno where it cannot be read. */
static char *read_all(int fd, size_t limit, size_t *len)
{
    size_t room = 65536;
    char *text = mem_alloc(room + 1);
    *len = 0;
    for (;;) {
        ssize_t n = read(fd, text + *len, room - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(text);
            return NULL;
        }
        *len += (size_t)n;
        if (n == 0 || *len > limit)
            break;
        if (*len == room) {
            room = room * 2 > limit ? limit + 1 : room * 2;
            text = mem_resize(text, room + 1);
        }
    }
    text[*len] = '\0';
    return text;
}

static char *read_file(const char *file, size_t *len, struct problems *problems)
{
    struct mark mark = { .file = file };
    struct stat st = { 0 };
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text = NULL;
    if (fd < 0 || fstat(fd, &st) < 0) {
        problems_add(problems, SEVERITY_ERROR, mark, "",
                     errno == ENOENT ? "there is no such file" : "cannot be read: %s", strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        problems_add(problems, SEVERITY_ERROR, mark, "", "is a directory; name a scenario file in it");
    } else {
        bool large = S_ISREG(st.st_mode) && st.st_size > (off_t)SCENARIO_MAX_BYTES;
        text = large ? NULL : read_all(fd, SCENARIO_MAX_BYTES, len);
        if (!large && !text)
            problems_add(problems, SEVERITY_ERROR, mark, "", "cannot be read: %s", strerror(errno));
        else if (large || *len > SCENARIO_MAX_BYTES)
            problems_add(problems, SEVERITY_ERROR, mark, "", "is larger than 16 MiB; this is no scenario");
    }
    if (fd >= 0)
        close(fd);
    if (text && *len > SCENARIO_MAX_BYTES) {
        free(text);
        text = NULL;
    }
    return text;
}

/* The folder of a file, absolute; of a pipe or device, the current one. */
static char *folder_of(const char *file)
{
    struct stat st;
    const char *slash = strrchr(file, '/');
    bool regular = stat(file, &st) == 0 && S_ISREG(st.st_mode);
    char *path = regular && slash ? mem_text_n(file, slash == file ? 1 : (size_t)(slash - file)) : mem_text(".");
    char *real = realpath(path, NULL);
    free(path);
    return real ? real : mem_text("/");
}

static struct scenario *load_file(struct scenario_source source, struct problems *problems)
{
    char *text = read_file(source.file, &source.len, problems);
    if (!text)
        return NULL;
    char *folder = folder_of(source.file);
    source.text = text;
    source.base_dir = folder;
    struct scenario *s = scenario_load_text(&source, problems);
    free(folder);
    free(text);
    return s;
}

struct scenario *scenario_load(const char *file, const struct scenario_override *overrides, size_t override_count,
                               struct problems *problems)
{
    return load_file((struct scenario_source){ .file = file,
                                               .overrides = overrides,
                                               .override_count = override_count,
                                               .environment = true },
                     problems);
}

struct scenario *scenario_load_recorded(const char *file, struct problems *problems)
{
    return load_file((struct scenario_source){ .file = file }, problems);
}
