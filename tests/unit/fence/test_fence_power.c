/* SPDX-License-Identifier: PostgreSQL */
/* Agent and hook: their rules, what they are told, and what is believed of what they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "node/agent_mark.h"
#include "powerfixture.h"

/* ---- rules ---- */

/* In other words: nothing is proven but by a status that says off, of an agent that also says on,
 * after (or without) an "off"; or by a hook that ends well. */
static void proves_only_what_the_status_says(void **state)
{
	(void)state;
	for (int step = POWER_OVER; step <= POWER_RUN; step++) {
		for (int code = -1; code <= 255; code++) {
			for (int bits = 0; bits < 8; bits++) {
				struct power_facts f = { .step = (enum power_step)step,
							 .exit_code = code,
							 .test = bits & 1,
							 .seen_on = bits & 2,
							 .tries = bits & 4 ? 3 : 0 };
				struct power_next next = power_decide(&f);
				bool off = code == 2 && f.seen_on;
				bool proven = (step == POWER_CHECK && off) ||
					      (step == POWER_RUN && code == 0) ||
					      (step == POWER_LOOK && f.test && (code == 0 || off));

				assert_int_equal(next.end == POWER_PROVEN, proven);
				if (proven)
					assert_int_equal(next.step, POWER_OVER);
				/* A test never switches anything off. */
				if (f.test && step != POWER_CHECK)
					assert_int_not_equal(next.step, POWER_OFF);
				if (step == POWER_OFF_AGAIN || (step == POWER_OFF && code <= 0))
					assert_int_equal(next.step, POWER_CHECK);
			}
		}
	}
}

/* ---- the agent ---- */

static void an_agent_is_told_on_its_standard_input(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_FENCED);
	/* The first time it has to say on, or its off would be worth nothing. */
	assert_string_equal(powerfixture_text("calls"), "status off status");
	assert_string_equal(powerfixture_text("input"),
			    "# the BMC ip=192.0.2.17 password=top secret=1 action=status");
	/* Nothing in the arguments, nothing in the environment. */
	assert_string_equal(powerfixture_text("how"), "0  LC_ALL PATH ");
	assert_int_equal(agent_seen_on(&power.cfg, "n2"), FACT_YES);
}

static void one_that_was_seen_on_is_switched_off_at_once(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_FENCED);
	assert_string_equal(powerfixture_text("calls"), "status off status");
}

static void one_that_was_off_already_is_fenced(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	powerfixture_put("off", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_FENCED);
}

static void an_agent_that_lies_is_not_believed(void **state)
{
	(void)state;
	powerfixture_put("lies", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	/* And it was tried more than once. */
	assert_ptr_equal(strstr(powerfixture_text("calls"), "status off status off status"),
			 powerfixture_text("calls"));
}

static void an_agent_that_grumbles_is_believed_in_its_status(void **state)
{
	(void)state;
	powerfixture_put("grumbles", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_FENCED);
}

static void an_agent_that_fails_half_the_time_is_tried_again(void **state)
{
	(void)state;
	powerfixture_put("half", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_FENCED);
}

static void an_agent_that_hangs_is_killed(void **state)
{
	int64_t begun_ms = now_ms();

	(void)state;
	powerfixture_put("hangs.off", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_true(now_ms() - begun_ms < power.cfg.power_timeout_ms + 1000);
	assert_true(now_ms() - begun_ms > power.cfg.power_timeout_ms / 2);
	/* The test has looked whether the hanging one had done it. */
	assert_non_null(strstr(powerfixture_text("calls"), "off status"));
}

static void a_status_that_hangs_proves_nothing(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	powerfixture_put("hangs.status", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_true(powerfixture_has("off"));
	assert_non_null(strstr(power.fence.why[FENCE_WAY_AGENT], "hung"));
}

/* 2 is what a shell, or Python, says of arguments that it does not understand. */
static void off_from_one_that_never_said_on_proves_nothing(void **state)
{
	(void)state;
	powerfixture_put("only-2", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_non_null(strstr(power.fence.why[FENCE_WAY_AGENT], "never seen to say on"));
}

static void what_was_seen_was_of_that_program_with_those_options(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	assert_int_equal(agent_seen_on(&power.cfg, "n2"), FACT_YES);
	powerfixture_put("options", "ip=192.0.2.18\n");
	assert_int_equal(agent_seen_on(&power.cfg, "n2"), FACT_NO);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	assert_int_equal(agent_forget_on(&power.cfg, "n2"), 0);
	assert_int_equal(agent_seen_on(&power.cfg, "n2"), FACT_NO);
	assert_int_equal(agent_forget_on(&power.cfg, "n2"), 0);
}

static void a_test_only_looks(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_READY);
	assert_string_equal(powerfixture_text("calls"), "status");
	powerfixture_put("hangs.status", "");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_null(strstr(powerfixture_text("calls"), "off"));
	assert_false(powerfixture_has("off"));
}

static void no_secret_is_told(void **state)
{
	char text[] = "Unknown option 'passwrd=top secret=1' of 192.0.2.17, ip=x";

	(void)state;
	power.cfg.power_timeout_ms = 20000; /* nothing here waits for its end */
	powerfixture_put("says", "unknown option 'passwrd=top secret=1'\n");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_null(strstr(power.fence.why[FENCE_WAY_AGENT], "top secret"));
	assert_non_null(strstr(power.fence.why[FENCE_WAY_AGENT], "unknown option"));
	power_redact(text, "ip=192.0.2.17\n#x=Unknown\npassword=top secret=1\nshort=ip\n");
	assert_string_equal(text, "Unknown option 'passwrd=************' of **********, ip=x");
}

static void nor_half_of_one_at_the_end_of_what_fits(void **state)
{
	const char *why = power.fence.why[FENCE_WAY_AGENT];
	char says[PROC_OUTPUT_MAX + 16];

	(void)state;
	memset(says, '-', sizeof(says));
	(void)snprintf(says + PROC_OUTPUT_MAX - 16, 32, "\npass='top secret=1'\n");
	powerfixture_put("says", says);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_non_null(strstr(why, "exit code 1"));
	assert_null(strstr(why, "top"));
}

/* As the library of fence-agents writes it: a time, and below it a word about its options. */
static void the_reason_of_an_agent_is_told_and_not_how_to_call_it(void **state)
{
	const char *why = power.fence.why[FENCE_WAY_AGENT];

	(void)state;
	powerfixture_put("says", "2026-01-01 10:00:00,123 ERROR: Unable to get PowerState\n\n"
				 "2026-01-01 10:00:00,124 ERROR: Please use '-h' for usage\n\n");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_non_null(strstr(why, "exit code 1: Unable to get PowerState"));
	powerfixture_put("says", "Please use '-h' for usage\n");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_non_null(strstr(why, "exit code 1: Please use"));
	powerfixture_put("says", "\n\n");
	assert_int_equal(powerfixture_fence(FENCING_AGENT, true), FENCE_UNKNOWN);
	assert_ptr_equal(strstr(why, "exit code 1") + strlen("exit code 1"), why + strlen(why));
}

/* ---- the file of its options ---- */

static void options_are_refused(const char *text, const char *why_part)
{
	char input[POWER_INPUT_MAX], why[POWER_WHY_MAX];

	powerfixture_put("options", text);
	assert_true(power_input(power.cfg.nodes[1].fence_agent_options, "off", input, sizeof(input),
				why) < 0);
	assert_non_null(strstr(why, why_part));
}

static void options_are_read_strictly(void **state)
{
	char input[POWER_INPUT_MAX], why[POWER_WHY_MAX];
	char long_text[POWER_INPUT_MAX + 1];
	const char *path = power.cfg.nodes[1].fence_agent_options;

	(void)state;
	powerfixture_put("options", "");
	assert_int_equal(power_input(path, "off", input, sizeof(input), why), 0);
	assert_string_equal(input, "action=off\n");
	powerfixture_put("options", "# none\n\nlanplus=1\nip = x\n");
	assert_int_equal(power_input(path, "off", input, sizeof(input), why), -EINVAL);
	powerfixture_put("options", "lanplus=1\n\nplug=");
	assert_int_equal(power_input(path, "status", input, sizeof(input), why), 0);
	assert_string_equal(input, "lanplus=1\n\nplug=\naction=status\n");
	options_are_refused("lanplus\n", "not KEY=VALUE");
	options_are_refused("ip=1\naction=on\n", "has an action");
	options_are_refused("option=on\n", "has an action");
	memset(long_text, '#', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	options_are_refused(long_text, "too long");
	long_text[POWER_INPUT_MAX - 8] = '\0';
	options_are_refused(long_text, "too long");
}

static void options_are_a_secret(void **state)
{
	char input[POWER_INPUT_MAX], why[POWER_WHY_MAX];
	const char *path = power.cfg.nodes[1].fence_agent_options;

	(void)state;
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(power_input(path, "off", input, sizeof(input), why), -EPERM);
	assert_non_null(strstr(why, "chmod 600"));
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_false(powerfixture_has("calls"));
	assert_int_equal(remove(path), 0);
	assert_int_equal(power_input(path, "off", input, sizeof(input), why), -ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(power_input(path, "off", input, sizeof(input), why), -EINVAL);
}

static void a_program_that_others_may_change_is_not_run(void **state)
{
	(void)state;
	assert_int_equal(chmod(power.cfg.agent, 0777), 0);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_int_equal(chmod(power.cfg.agent, 0600), 0);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_int_equal(remove(power.cfg.agent), 0);
	assert_int_equal(powerfixture_fence(FENCING_AGENT, false), FENCE_UNKNOWN);
	assert_false(powerfixture_has("calls"));
}

/* ---- the hook ---- */

static void a_hook_is_told_by_its_arguments(void **state)
{
	(void)state;
	assert_int_equal(powerfixture_fence(FENCING_HOOK, true), FENCE_READY);
	assert_false(powerfixture_has("off"));
	assert_int_equal(powerfixture_fence(FENCING_HOOK, false), FENCE_FENCED);
	assert_string_equal(powerfixture_text("calls"),
			    "--test main n2 192.0.2.2 main n2 192.0.2.2");
	assert_non_null(strstr(power.fence.why[FENCE_WAY_HOOK], "port 7 is shut"));
}

static void a_hook_that_fails_is_tried_again(void **state)
{
	(void)state;
	powerfixture_put("half", "");
	assert_int_equal(powerfixture_fence(FENCING_HOOK, false), FENCE_FENCED);
	powerfixture_put("lies", "");
	assert_int_equal(powerfixture_fence(FENCING_HOOK, false), FENCE_UNKNOWN);
	assert_non_null(strstr(power.fence.why[FENCE_WAY_HOOK], "exit code 1"));
}

static void a_hook_that_hangs_is_killed(void **state)
{
	int64_t begun_ms = now_ms();

	(void)state;
	powerfixture_put("hangs.hook", "");
	assert_int_equal(powerfixture_fence(FENCING_HOOK, false), FENCE_UNKNOWN);
	assert_true(now_ms() - begun_ms < power.cfg.power_timeout_ms + 1000);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, powerfixture_set_up, powerfixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proves_only_what_the_status_says),
		TEST(an_agent_is_told_on_its_standard_input),
		TEST(one_that_was_seen_on_is_switched_off_at_once),
		TEST(one_that_was_off_already_is_fenced),
		TEST(an_agent_that_lies_is_not_believed),
		TEST(an_agent_that_grumbles_is_believed_in_its_status),
		TEST(an_agent_that_fails_half_the_time_is_tried_again),
		TEST(an_agent_that_hangs_is_killed),
		TEST(a_status_that_hangs_proves_nothing),
		TEST(off_from_one_that_never_said_on_proves_nothing),
		TEST(what_was_seen_was_of_that_program_with_those_options),
		TEST(a_test_only_looks),
		TEST(no_secret_is_told),
		TEST(nor_half_of_one_at_the_end_of_what_fits),
		TEST(the_reason_of_an_agent_is_told_and_not_how_to_call_it),
		TEST(options_are_read_strictly),
		TEST(options_are_a_secret),
		TEST(a_program_that_others_may_change_is_not_run),
		TEST(a_hook_is_told_by_its_arguments),
		TEST(a_hook_that_fails_is_tried_again),
		TEST(a_hook_that_hangs_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
