/* libFuzzer entry for the scenario loader: any bytes load or are refused, and what loads is written canonically so that
 * it loads again as the same scenario. Lines "#set PATH=VALUE" at the top are overrides. Looks at no file, program or
 * port. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OVERRIDES 4

static struct scenario *load(const char *text, size_t len, const struct scenario_override *overrides, size_t count,
                             struct problems *problems)
{
    struct scenario_source source = { .file = "fuzz.yaml",
                                      .base_dir = "/tmp",
                                      .text = text,
                                      .len = len,
                                      .overrides = overrides,
                                      .override_count = count };
    return scenario_load_text(&source, problems);
}

/* Takes the overrides from the top of a text, which is cut up for that. Returns what follows them. */
static char *take_overrides(char *text, struct scenario_override *overrides, size_t *count)
{
    *count = 0;
    while (*count < OVERRIDES && strncmp(text, "#set ", 5) == 0) {
        char *line = text + 5;
        char *end = line + strcspn(line, "\n");
        char *equals = strchr(line, '=');
        text = *end ? end + 1 : end;
        if (!equals || equals > end)
            continue;
        *end = *equals = '\0';
        overrides[(*count)++] = (struct scenario_override){ line, equals + 1, "--set" };
    }
    return text;
}

static void give_up(const char *what, const struct scenario *s, const struct scenario *again, struct problems *problems)
{
    fprintf(stderr, "%s\n--- first\n%s\n--- again\n%s\n", what, s->canonical, again ? again->canonical : "(refused)");
    problems_print(problems, stderr);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems problems = { 0 };
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    struct scenario_override overrides[OVERRIDES];
    size_t count;
    char *rest = take_overrides(text, overrides, &count);
    struct scenario *s = load(rest, size - (size_t)(rest - text), overrides, count, &problems);
    for (size_t i = 0; i < problems.count; i++)
        problem_format(&problems.items[i], (char[200]){ "" }, 200);
    if (!s == !problems.errors)
        abort();
    problems_clear(&problems);
    if (s) {
        struct scenario *again = load(s->canonical, strlen(s->canonical), NULL, 0, &problems);
        if (!again)
            give_up("the canonical text is refused", s, again, &problems);
        if (strcmp(s->canonical, again->canonical) != 0 || strcmp(s->digest, again->digest) != 0)
            give_up("the canonical text is another one the second time", s, again, &problems);
        if (s->node_count != again->node_count || s->seed != again->seed || s->duration != again->duration)
            give_up("the canonical text is another scenario", s, again, &problems);
        problems_clear(&problems);
        scenario_free(again);
    }
    scenario_free(s);
    free(text);
    return 0;
}
