/* The event loop where the machine is busy: this program can be kept waiting between any two of its steps. */
#include "check.h"

#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "lockstep/loop.h"

static unsigned kept_waiting_us; /* after a timer has been started */

/* The linker puts these in the place of uv_timer_start (tests/CMakeLists.txt). */
int __real_uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);

int __wrap_uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    int result = __real_uv_timer_start(handle, cb, timeout, repeat);
    if (kept_waiting_us)
        usleep(kept_waiting_us);
    return result;
}

static void note(void *data)
{
    ++*(int *)data;
}

static struct loop *loop_of_a_test(unsigned kept_us)
{
    kept_waiting_us = kept_us;
    alarm(10);                                    /* a loop that waits for ever fails the test */
    return loop_new((const int[]){ SIGUSR1, 0 }); /* as in the program, there is always something to wait for */
}

static void a_wait_is_as_long_as_asked_for(void **state)
{
    (void)state;
    struct loop *l = loop_of_a_test(0);
    int64_t from = clock_ns();
    assert_int_equal(loop_wait(l, -1, 20), LOOP_WAKE_TIMEOUT);
    assert_true(clock_ns() - from >= 18 * (int64_t)1000000);
    assert_int_equal(loop_wait(l, -1, 0), LOOP_WAKE_TIMEOUT);
    loop_free(l);
}

static void a_wait_that_is_over_before_it_begins_ends(void **state)
{
    (void)state;
    struct loop *l = loop_of_a_test(5000);
    for (int i = 0; i < 20; i++)
        assert_int_equal(loop_wait(l, -1, 1), LOOP_WAKE_TIMEOUT);
    loop_free(l);
}

static void a_timer_that_is_due_before_the_wait_ends_it(void **state)
{
    (void)state;
    struct loop *l = loop_of_a_test(5000);
    int due = 0;
    struct loop_timer *t = loop_timer(l, note, &due);
    for (int i = 1; i <= 20; i++) {
        loop_timer_set(t, 1);
        assert_int_equal(loop_wait(l, -1, -1), LOOP_WAKE_WATCH);
        assert_int_equal(due, i);
    }
    loop_timer_free(t);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_is_as_long_as_asked_for),
        cmocka_unit_test(a_wait_that_is_over_before_it_begins_ends),
        cmocka_unit_test(a_timer_that_is_due_before_the_wait_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
