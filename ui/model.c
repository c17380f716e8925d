#include "ui/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void model_init(struct model *m, const struct scenario *scenario)
{
    *m = (struct model){ .node_count = scenario->node_count, .first_failed = -1 };
    size_t count = (size_t)scenario->node_count;
    m->by_tier = mem_array(count, sizeof *m->by_tier);
    m->by_share = mem_array(count, sizeof *m->by_share);
    m->wall_ns = mem_array(count, sizeof *m->wall_ns);
    int next = 0;
    for (int tier = 0; tier < TIERS; tier++) {
        m->tier_start[tier] = next;
        for (int i = 0; i < scenario->node_count; i++)
            if ((int)scenario->nodes[i].tier == tier)
                m->by_tier[next++] = i;
    }
    m->tier_start[TIERS] = next;
    for (int i = 0; i < scenario->node_count; i++) {
        int len = (int)strlen(scenario->nodes[i].id);
        m->id_width = len > m->id_width ? len : m->id_width;
        m->by_share[i] = i;
    }
}

void model_free(struct model *m)
{
    free(m->by_tier);
    free(m->by_share);
    free(m->wall_ns);
    *m = (struct model){ 0 };
}

static int by_wall(const void *a, const void *b, void *wall_ns)
{
    int x = *(const int *)a, y = *(const int *)b;
    const uint64_t *ns = wall_ns;
    if (ns[x] != ns[y])
        return ns[x] < ns[y] ? 1 : -1;
    return x < y ? -1 : x > y;
}

void model_refresh(struct model *m, const struct session *session, bool wall)
{
    m->wall_total = 0;
    m->failed = 0;
    m->first_failed = -1;
    for (int tier = 0; tier < TIERS; tier++) {
        m->tier_failed[tier] = 0;
        for (int r = m->tier_start[tier]; r < m->tier_start[tier + 1]; r++) {
            struct node_status n;
            session_node(session, m->by_tier[r], &n);
            m->wall_ns[m->by_tier[r]] = n.wall_ns;
            m->wall_total += n.wall_ns;
            if (n.state != NODE_FAILED)
                continue;
            m->tier_failed[tier]++;
            m->failed++;
            if (m->first_failed < 0)
                m->first_failed = m->by_tier[r];
        }
    }
    if (wall)
        qsort_r(m->by_share, (size_t)m->node_count, sizeof *m->by_share, by_wall, m->wall_ns);
}
