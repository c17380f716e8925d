#include "scenario/emit_faults.h"

#include "scenario/emit_rows.h"
#include "scenario/tables.h"

static char *id_of(const struct scenario *s, int node)
{
    return node < 0 ? NULL : s->nodes[node].id;
}

static void emit_fault(const struct scenario *s, struct arena *scratch, const struct scenario_fault *f,
                       struct buffer *out)
{
    struct raw_fault fallback = {
        .at = -1, .latency = -1, .loss = -1, .to = -1, .action = FAULT_LINK, .message = FAULT_NO_MESSAGE
    };
    bool is_link = f->action == FAULT_LINK, is_new = f->action == FAULT_INJECT;
    bool has_id = f->action >= FAULT_DROP && f->action < FAULT_INJECT;
    char *src = id_of(s, f->src), *dst = id_of(s, f->dst), *ends[3] = { src, dst, NULL };
    struct raw_fault raw = { .at = f->at,
                             .latency = f->latency,
                             .duration = f->duration,
                             .node = id_of(s, f->node),
                             .link = is_link ? ends : NULL,
                             .action = (int)f->action,
                             .loss = f->loss,
                             .by = f->by_user,
                             .message = has_id ? f->message : FAULT_NO_MESSAGE,
                             .src = is_new ? src : NULL,
                             .dst = is_new ? dst : NULL,
                             .type = f->type,
                             .payload = f->payload,
                             .to = f->to };
    buffer_text(out, "  - ");
    emit_flow(scratch, out, &fault_table, &raw, &fallback);
}

void faults_emit(const struct scenario *s, const struct scenario_fault *faults, size_t count, struct buffer *out)
{
    struct arena *scratch = arena_new();
    for (size_t i = 0; i < count; i++)
        emit_fault(s, scratch, &faults[i], out);
    arena_free(scratch);
}
