#include "node/models/readings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The readings of one id that are in memory: values up to `end`, from the end of the group before. */
struct group {
    int64_t id;
    size_t end;
};

struct range {
    int64_t low, high; /* both included */
};

struct late {
    int64_t id;
    double value;
};

/* What stands in the file before the values of one id; an id may have several runs behind one another. */
struct run {
    int64_t id;
    uint64_t count;
};

struct readings {
    double *values; /* the window, in the order of addition */
    size_t count, window;
    struct group *groups;
    size_t group_count, group_capacity;
    bool ascending; /* the groups' ids are */

    FILE *file;     /* runs that were settled before the window; NULL: none yet */
    double settled; /* their sum */
    struct range *ids; /* that have been in the file, in order, not touching */
    size_t id_count, id_capacity;
    struct late *late; /* readings for ids in the file that are no longer in the window, in order of arrival */
    size_t late_count;

    double sum; /* of all, while sum_known */
    bool sum_known;
    struct readings_summary total;
};

struct readings *readings_new(size_t window)
{
    struct readings *r = mem_alloc(sizeof *r);
    r->window = window;
    r->values = mem_array(window, sizeof *r->values);
    r->ascending = true;
    r->sum_known = true;
    return r;
}

void readings_free(struct readings *r)
{
    if (!r)
        return;
    if (r->file)
        fclose(r->file);
    free(r->values);
    free(r->groups);
    free(r->ids);
    free(r->late);
    free(r);
}

static int fail(struct error *err, const char *what)
{
    error_set(err, EXIT_LAUNCH, "cannot %s the temporary file for readings: %s", what, strerror(errno));
    return -1;
}

/* The first range that ends at or after id. */
static size_t find_range(const struct readings *r, int64_t id)
{
    size_t low = 0, high = r->id_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->ids[middle].high < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_settled(const struct readings *r, int64_t id)
{
    size_t i = find_range(r, id);
    return i < r->id_count && r->ids[i].low <= id;
}

static void note_settled(struct readings *r, int64_t id)
{
    if (is_settled(r, id))
        return;
    size_t i = find_range(r, id);
    bool joins_left = i > 0 && r->ids[i - 1].high == id - 1;
    bool joins_right = i < r->id_count && r->ids[i].low == id + 1;
    if (joins_left && joins_right) {
        r->ids[i - 1].high = r->ids[i].high;
        memmove(r->ids + i, r->ids + i + 1, (--r->id_count - i) * sizeof *r->ids);
    } else if (joins_left) {
        r->ids[i - 1].high = id;
    } else if (joins_right) {
        r->ids[i].low = id;
    } else {
        r->ids = mem_grow(r->ids, r->id_count, &r->id_capacity, sizeof *r->ids);
        memmove(r->ids + i + 1, r->ids + i, (r->id_count++ - i) * sizeof *r->ids);
        r->ids[i] = (struct range){ id, id };
    }
}

/* The group of an id in the window, or group_count. */
static size_t find_group(const struct readings *r, int64_t id)
{
    size_t n = r->group_count;
    if (n && r->groups[n - 1].id == id)
        return n - 1;
    if (!r->ascending) {
        for (size_t i = n; i > 0; i--)
            if (r->groups[i - 1].id == id)
                return i - 1;
        return n;
    }
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->groups[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && r->groups[low].id == id ? low : n;
}

static int write_run(FILE *to, int64_t id, const double *values, size_t count)
{
    struct run run = { id, count };
    return fwrite(&run, sizeof run, 1, to) == 1 && fwrite(values, sizeof *values, count, to) == count ? 0 : -1;
}

/* Moves the oldest half of the window into the file. The last group stays, if empty, so that its id can go on. */
static int settle(struct readings *r, struct error *err)
{
    size_t moved = 0, groups = 0, want = r->window / 2;
    if (!r->file && !(r->file = tmpfile()))
        return fail(err, "make");
    if (fseek(r->file, 0, SEEK_END) < 0)
        return fail(err, "write");
    while (moved < want) {
        const struct group *g = &r->groups[groups];
        size_t end = g->end < want ? g->end : want;
        if (end > moved) {
            if (write_run(r->file, g->id, r->values + moved, end - moved) < 0)
                return fail(err, "write");
            note_settled(r, g->id);
        }
        for (; moved < end; moved++)
            r->settled += r->values[moved];
        if (g->end > want || groups + 1 == r->group_count)
            break;
        groups++;
    }
    r->count -= moved;
    memmove(r->values, r->values + moved, r->count * sizeof *r->values);
    r->group_count -= groups;
    memmove(r->groups, r->groups + groups, r->group_count * sizeof *r->groups);
    for (size_t i = 0; i < r->group_count; i++)
        r->groups[i].end -= moved;
    if (r->group_count == 1)
        r->ascending = true;
    return 0;
}

static int copy_run(struct readings *r, FILE *to, struct run run)
{
    double values[512];
    if (fwrite(&run, sizeof run, 1, to) != 1)
        return -1;
    while (run.count) {
        size_t n = run.count < 512 ? (size_t)run.count : 512;
        if (fread(values, sizeof *values, n, r->file) != n || fwrite(values, sizeof *values, n, to) != n)
            return -1;
        for (size_t i = 0; i < n; i++)
            r->settled += values[i];
        run.count -= n;
    }
    return 0;
}

static int copy_late(struct readings *r, FILE *to, int64_t id)
{
    for (size_t i = 0; i < r->late_count; i++) {
        if (r->late[i].id != id)
            continue;
        if (write_run(to, id, &r->late[i].value, 1) < 0)
            return -1;
        r->settled += r->late[i].value;
    }
    return 0;
}

/* Writes the file anew with the late readings in their places, and sums it anew. */
static int merge_late(struct readings *r, struct error *err)
{
    FILE *to = tmpfile();
    if (!to)
        return fail(err, "make");
    rewind(r->file);
    r->settled = 0;
    struct run run, next;
    bool more = fread(&run, sizeof run, 1, r->file) == 1;
    while (more) {
        if (copy_run(r, to, run) < 0)
            break;
        more = fread(&next, sizeof next, 1, r->file) == 1;
        if ((!more || next.id != run.id) && copy_late(r, to, run.id) < 0)
            break;
        run = next;
    }
    if (more || ferror(r->file) || fflush(to) != 0) {
        fail(err, "rewrite");
        fclose(to);
        return -1;
    }
    fclose(r->file);
    r->file = to;
    r->late_count = 0;
    return 0;
}

static int add_late(struct readings *r, int64_t id, double value, struct error *err)
{
    size_t limit = r->window / 2;
    if (!r->late)
        r->late = mem_array(limit, sizeof *r->late);
    if (r->late_count == limit && merge_late(r, err) < 0)
        return -1;
    r->late[r->late_count++] = (struct late){ id, value };
    r->sum_known = false;
    return 0;
}

static void add_to_window(struct readings *r, size_t g, int64_t id, double value)
{
    if (g == r->group_count) {
        r->groups = mem_grow(r->groups, r->group_count, &r->group_capacity, sizeof *r->groups);
        if (g && r->groups[g - 1].id > id)
            r->ascending = false;
        r->groups[r->group_count++] = (struct group){ id, r->count };
    }
    size_t at = r->groups[g].end;
    if (at == r->count)
        r->sum += value;
    else
        r->sum_known = false;
    memmove(r->values + at + 1, r->values + at, (r->count - at) * sizeof *r->values);
    r->values[at] = value;
    r->count++;
    for (; g < r->group_count; g++)
        r->groups[g].end++;
}

int readings_add(struct readings *r, int64_t sample_id, double value, struct error *err)
{
    if (r->count == r->window && settle(r, err) < 0)
        return -1;
    struct readings_summary *t = &r->total;
    t->least = !t->count || value < t->least ? value : t->least;
    t->most = !t->count || value > t->most ? value : t->most;
    t->count++;
    size_t g = find_group(r, sample_id);
    if (g == r->group_count && is_settled(r, sample_id))
        return add_late(r, sample_id, value, err);
    add_to_window(r, g, sample_id, value);
    return 0;
}

int readings_summarize(struct readings *r, struct readings_summary *out, struct error *err)
{
    if (r->late_count && merge_late(r, err) < 0)
        return -1;
    if (!r->sum_known) {
        r->sum = r->settled;
        for (size_t i = 0; i < r->count; i++)
            r->sum += r->values[i];
        r->sum_known = true;
    }
    r->total.mean = r->total.count ? r->sum / (double)r->total.count : 0;
    *out = r->total;
    return 0;
}
