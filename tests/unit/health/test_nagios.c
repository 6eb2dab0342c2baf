/* SPDX-License-Identifier: PostgreSQL */
/* A verdict as monitoring plugins tell it: the code, and the one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "health/nagios.h"

static const struct verdict standby =
    YES("standby", "this node is a healthy standby", NULL, .id = RULE_STANDBY);
static const struct verdict full =
    YES("serves-disk-full", "it serves, but its disk is full", "make room");

static struct health lags(int64_t bytes, int64_t ms)
{
	return (struct health){ .server = HEALTH_SERVER_STANDBY,
				.answer_age_ms = 498,
				.lag_bytes = bytes,
				.lag_ms = ms };
}

static struct nagios_limits limits(const char *warning, const char *critical)
{
	struct nagios_limits made;

	assert_int_equal(nagios_limit_parse(&made.warning, warning), 0);
	assert_int_equal(nagios_limit_parse(&made.critical, critical), 0);
	return made;
}

static void the_code_is_the_worst_that_holds(void **state)
{
	static const struct verdict no = NO("fenced", "fenced", NULL);
	static const struct verdict unknown = UNKNOWN("silent", "silent", NULL);
	const struct nagios_limits bytes = limits("1kB", "1MB"), time = limits("5s", "1min");
	const struct nagios_limits none = limits(NULL, NULL);
	struct health h = lags(0, 0);

	(void)state;
	assert_int_equal(nagios_decide(&standby, &h, &bytes), NAGIOS_OK);
	assert_int_equal(nagios_decide(&no, &h, &bytes), NAGIOS_CRITICAL);
	assert_int_equal(nagios_decide(&unknown, &h, &bytes), NAGIOS_UNKNOWN);
	h = lags(1024, 5000);
	assert_int_equal(nagios_decide(&standby, &h, &bytes), NAGIOS_OK);
	assert_int_equal(nagios_decide(&standby, &h, &time), NAGIOS_OK);
	h = lags(1025, 5001);
	assert_int_equal(nagios_decide(&standby, &h, &bytes), NAGIOS_WARNING);
	assert_int_equal(nagios_decide(&standby, &h, &time), NAGIOS_WARNING);
	assert_int_equal(nagios_decide(&standby, &h, &none), NAGIOS_OK);
	h = lags((1 << 20) + 1, 60001);
	assert_int_equal(nagios_decide(&standby, &h, &bytes), NAGIOS_CRITICAL);
	assert_int_equal(nagios_decide(&standby, &h, &time), NAGIOS_CRITICAL);
	h = lags(HEALTH_NEVER, HEALTH_NEVER);
	assert_int_equal(nagios_decide(&standby, &h, &bytes), NAGIOS_UNKNOWN);
	assert_int_equal(nagios_decide(&standby, &h, &none), NAGIOS_OK);
	h.server = HEALTH_SERVER_PRIMARY;
	assert_int_equal(nagios_decide(&full, &h, &bytes), NAGIOS_WARNING);
}

static void line_is(const char *wanted, enum nagios is, const struct verdict *verdict,
		    const struct health *h, const struct nagios_limits *given)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	nagios_print(out, is, verdict, h, given);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
}

static void the_line_has_its_performance_data(void **state)
{
	const struct nagios_limits given = limits("16MB", "5s"), none = limits(NULL, NULL);
	const struct health h = lags(100, 612), nothing = lags(HEALTH_NEVER, HEALTH_NEVER);
	struct health primary = nothing;
	struct verdict odd = full;

	(void)state;
	line_is("PG_VRRP OK - this node is a healthy standby | lag=100B;16777216;;0 "
		"lag_time=0.612s;;5.000;0 round_age=0.498s\n",
		NAGIOS_OK, &standby, &h, &given);
	line_is("PG_VRRP WARNING - this node is a healthy standby, but it lags | "
		"lag=100B;16777216;;0 lag_time=0.612s;;5.000;0 round_age=0.498s\n",
		NAGIOS_WARNING, &standby, &h, &given);
	line_is("PG_VRRP UNKNOWN - this node is a healthy standby, but its lag is not known | "
		"round_age=0.498s\n",
		NAGIOS_UNKNOWN, &standby, &nothing, &given);
	primary.server = HEALTH_SERVER_PRIMARY;
	primary.fenced = FACT_NO;
	primary.says_serving = FACT_YES;
	primary.right_known = true;
	primary.lease_left_ms = 4100;
	primary.fence_time_ms = 1000;
	(void)snprintf(odd.detail, sizeof(odd.detail), "0 MB|left\nhere");
	line_is("PG_VRRP WARNING - it serves, but its disk is full: 0 MB left here | "
		"lease_left=4.100s round_age=0.498s\n",
		NAGIOS_WARNING, &odd, &primary, &none);
}

static void a_limit_has_a_unit_that_is_known(void **state)
{
	struct nagios_limit limit;

	(void)state;
	assert_int_equal(nagios_limit_parse(&limit, "16MB"), 0);
	assert_true(limit.bytes == 16 << 20 && limit.ms == HEALTH_NEVER);
	assert_int_equal(nagios_limit_parse(&limit, "2min"), 0);
	assert_true(limit.bytes == HEALTH_NEVER && limit.ms == 120000);
	assert_int_equal(nagios_limit_parse(&limit, "16mb"), -EINVAL);
	assert_int_equal(nagios_limit_parse(&limit, "@10:20"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_is_the_worst_that_holds),
		cmocka_unit_test(the_line_has_its_performance_data),
		cmocka_unit_test(a_limit_has_a_unit_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
