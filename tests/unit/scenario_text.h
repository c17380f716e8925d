/* For the tests of scenarios: texts that load. */
#ifndef TESTS_UNIT_SCENARIO_TEXT_H
#define TESTS_UNIT_SCENARIO_TEXT_H

#include "check.h"

#include "lockstep/scenario.h"
#include "scenario/loader.h"

#define HEAD "simulation: { duration: 10s, seed: 42 }\n"
#define PAIR "nodes:\n  - { id: s1, type: sensor }\n  - { id: gateway, type: gateway }\n"

/* Loads a text that must load; problems are printed where it does not. */
static inline struct scenario *load_with(const char *text, const struct scenario_override *overrides, size_t count,
                                         size_t warnings)
{
    struct problems problems = { 0 };
    struct scenario_source source = { .file = "dir/test.yaml",
                                      .base_dir = "/tmp",
                                      .text = text,
                                      .len = strlen(text),
                                      .overrides = overrides,
                                      .override_count = count };
    struct scenario *s = scenario_load_text(&source, &problems);
    if (!s || problems.warnings != warnings)
        problems_print(&problems, stdout);
    assert_non_null(s);
    assert_int_equal(problems.warnings, warnings);
    problems_clear(&problems);
    return s;
}

static inline struct scenario *load(const char *text)
{
    return load_with(text, NULL, 0, 0);
}

#endif
