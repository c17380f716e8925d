#include "ui/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void model_init(struct model *m, const struct scenario *scenario)
{
    *m = (struct model){ .node_count = scenario->node_count, .first_failed = -1 };
    size_t count = (size_t)scenario->node_count;
    m->by_tier = mem_array(count, sizeof *m->by_tier);
    m->by_barrier = mem_array(count, sizeof *m->by_barrier);
    m->wall_ns = mem_array(count, sizeof *m->wall_ns);
    m->waited_s = mem_array(count, sizeof *m->waited_s);
    m->is_dead = mem_array(count, sizeof *m->is_dead);
    m->is_process = mem_array(count, sizeof *m->is_process);
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
        m->by_barrier[i] = i;
        m->is_process[i] = scenario->nodes[i].implementation != IMPLEMENTATION_MODEL;
        m->process_count += m->is_process[i];
    }
}

void model_free(struct model *m)
{
    free(m->by_tier);
    free(m->by_barrier);
    free(m->wall_ns);
    free(m->waited_s);
    free(m->is_dead);
    free(m->is_process);
    *m = (struct model){ 0 };
}

struct order {
    const struct model *model;
    bool wall;
};

static int compare_rows(const void *a, const void *b, void *order)
{
    const struct model *m = ((const struct order *)order)->model;
    int x = *(const int *)a, y = *(const int *)b;
    if (m->waited_s[x] != m->waited_s[y])
        return m->waited_s[x] < m->waited_s[y] ? 1 : -1;
    if (m->is_dead[x] != m->is_dead[y])
        return m->is_dead[x] ? -1 : 1;
    if (((const struct order *)order)->wall && m->wall_ns[x] != m->wall_ns[y])
        return m->wall_ns[x] < m->wall_ns[y] ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* How long the barrier has been held up by a node; nodes are told to end all at once. */
static double waited_for(const struct node_status *n, int node, const struct session_status *s)
{
    double seconds = n->waiting_s;
    if (node == s->waiting_for || (n->state == NODE_ENDING && s->waiting_for >= 0))
        seconds = s->waiting_s;
    return seconds >= HELD_S ? seconds : 0;
}

static void count_node(struct model *m, int node, int tier, enum node_state state)
{
    m->is_dead[node] = state == NODE_FAILED || state == NODE_FROZEN;
    m->dead_count += m->is_dead[node];
    m->tier_dead[tier] += m->is_dead[node];
    if (state == NODE_FAILED && (m->first_failed < 0 || node < m->first_failed))
        m->first_failed = node;
    if (m->is_dead[node] || !m->is_process[node])
        return;
    m->answering++;
    m->awaited += state == NODE_BUSY || state == NODE_STARTING || state == NODE_LOADED || state == NODE_ENDING;
}

void model_refresh(struct model *m, const struct session *session, const struct session_status *status, bool wall)
{
    m->wall_total = 0;
    m->dead_count = m->awaited = m->answering = 0;
    m->first_failed = -1;
    for (int tier = 0; tier < TIERS; tier++) {
        m->tier_dead[tier] = 0;
        for (int r = m->tier_start[tier]; r < m->tier_start[tier + 1]; r++) {
            struct node_status n;
            int node = m->by_tier[r];
            session_node(session, node, &n);
            m->wall_ns[node] = n.wall_ns;
            m->wall_total += n.wall_ns;
            m->waited_s[node] = waited_for(&n, node, status);
            count_node(m, node, tier, n.state);
        }
    }
    struct order order = { m, wall };
    qsort_r(m->by_barrier, (size_t)m->node_count, sizeof *m->by_barrier, compare_rows, &order);
}

const char *model_dead_word(const struct model *m)
{
    return m->first_failed >= 0 ? "dead" : "out";
}

uint64_t model_states(const struct model *m, const struct session *session)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (int i = 0; i < m->node_count && m->process_count; i++) {
        struct node_status n;
        if (!m->is_process[i])
            continue;
        session_node(session, i, &n);
        h = (h ^ ((uint64_t)n.state * 2 + (*n.cause != '\0'))) * 1099511628211u;
        h = (h ^ (uint64_t)(unsigned)n.pid) * 1099511628211u;
    }
    return h;
}
