#include "check.h"

#include <math.h>

#include "base/number.h"

static void prints(double v, const char *text)
{
    char buf[NUMBER_TEXT];
    size_t len = number_format(v, buf);
    assert_string_equal(buf, text);
    assert_int_equal(len, strlen(text));
}

static void numbers_look_as_python_writes_them(void **state)
{
    (void)state;
    prints(0.0, "0.0");
    prints(-0.0, "-0.0");
    prints(1.0, "1.0");
    prints(100000.0, "100000.0");
    prints(9999999999999998.0, "9999999999999998.0");
    prints(1e16, "1e+16");
    prints(123456789012345678.0, "1.2345678901234568e+17");
    prints(0.0001, "0.0001");
    prints(0.00001, "1e-05");
    prints(0.1 + 0.2, "0.30000000000000004");
    prints(21.388588739669157, "21.388588739669157");
    prints(-17.5, "-17.5");
    prints(5e-324, "5e-324");
    prints(1.7976931348623157e308, "1.7976931348623157e+308");
    prints(INFINITY, "inf");
    prints(-INFINITY, "-inf");
    prints(NAN, "nan");
}

static void powers_of_two_take_the_shortest_text_above_their_nearer_neighbour(void **state)
{
    (void)state;
    prints(ldexp(1, -44), "5.684341886080802e-14");
    prints(ldexp(1, -1017), "7.120236347223045e-307");
}

static void every_text_reads_back_and_none_is_longer_than_17_digits(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = test_random(&seed);
        double v;
        if (i % 2)
            memcpy(&v, &bits, sizeof v);
        else
            v = (double)(int64_t)bits / 4e17;
        if (!isfinite(v))
            continue;
        char buf[NUMBER_TEXT], shorter[40];
        number_format(v, buf);
        assert_true(strtod(buf, NULL) == v);
        int digits = 0, significant = 0;
        for (const char *c = buf; *c && *c != 'e'; c++)
            if (*c >= '0' && *c <= '9' && (significant || *c != '0'))
                digits = ++significant;
        if (digits > 1 && digits <= 17 && strchr(buf, 'e')) {
            snprintf(shorter, sizeof shorter, "%.*e", digits - 2, v);
            assert_true(strtod(shorter, NULL) != v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_look_as_python_writes_them),
        cmocka_unit_test(powers_of_two_take_the_shortest_text_above_their_nearer_neighbour),
        cmocka_unit_test(every_text_reads_back_and_none_is_longer_than_17_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
