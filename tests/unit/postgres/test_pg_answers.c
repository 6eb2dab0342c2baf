/* SPDX-License-Identifier: PostgreSQL */
/* libpq before servers that are none, or that say what no server should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fakeserver.h"
#include "pgattempt.h"
#include "pgfixture.h"
#include "postgres/pg.h"

#define NOBODY   "10.99.0.3" /* an address of ours without a server: the VIP of the cluster here */
#define PATIENCE 2000

static struct pgfixture fixture;

static struct cfg cluster_at(const char *vip)
{
	struct cfg cfg = fixture.cfg[0];

	(void)snprintf(cfg.vip, sizeof(cfg.vip), "%s", vip);
	return cfg;
}

static struct attempt against(struct fake *fake, int64_t ms)
{
	struct cfg cfg = cluster_at(NOBODY);
	struct attempt made;

	assert_int_equal(fake_start(fake, NOBODY, PGFIXTURE_PORT), 0);
	made = attempt(&cfg, PG_VIP, ms);
	fake_stop(fake);
	return made;
}

static void silent_when_it_accepts_and_never_answers(void **state)
{
	struct fake fake = { .manner = FAKE_SILENT };
	const struct attempt made = against(&fake, 150);

	(void)state;
	assert_int_equal(made.failure, PG_FAIL_LATE);
	assert_in_range(made.took_ms, 150, 400);
}

static void other_when_it_closes_at_once(void **state)
{
	struct fake fake = { .manner = FAKE_CLOSE };
	const struct attempt made = against(&fake, PATIENCE);

	(void)state;
	assert_int_equal(made.failure, PG_FAIL_OTHER);
	assert_in_range(made.took_ms, 0, 500);
}

static void other_when_it_answers_with_garbage(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	static const unsigned char endless[] = { 'E', 0x7f, 0xff, 0xff, 0xff, 1, 2, 3 };
	static const unsigned char authentication[] = { 'R', 0, 0, 0, 8, 0, 0, 0, 99 };
	static const struct {
		const void *bytes;
		size_t size;
	} garbage[] = {
		{ http, sizeof(http) - 1 },
		{ endless, sizeof(endless) },
		{ authentication, sizeof(authentication) },
		{ "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		struct fake fake = { .manner = FAKE_SAY,
				     .bytes = garbage[i].bytes,
				     .size = garbage[i].size };
		const struct attempt made = against(&fake, 500);

		assert_int_equal(made.failure, PG_FAIL_OTHER);
		assert_null(strchr(made.why, '\n'));
	}
}

static void each_sqlstate_is_its_own_kind_of_failure(void **state)
{
	static const struct {
		const char *sqlstate;
		enum pg_failure failure;
	} kinds[] = {
		{ "57P01", PG_FAIL_STARTING }, { "57P02", PG_FAIL_STARTING },
		{ "57P03", PG_FAIL_STARTING }, { "57P04", PG_FAIL_OTHER },
		{ "28000", PG_FAIL_AUTH },     { "28P01", PG_FAIL_PASSWORD },
		{ "42501", PG_FAIL_RIGHT },    { "53300", PG_FAIL_BUSY },
		{ "53200", PG_FAIL_OTHER },    { "3D000", PG_FAIL_DATABASE },
		{ "55000", PG_FAIL_DATABASE }, { "58030", PG_FAIL_OTHER },
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		/* The words of a refusal by the system do not count once a server has spoken. */
		struct fake fake = { .manner = FAKE_SAY,
				     .bytes = bytes,
				     .size = fake_error(bytes, sizeof(bytes), kinds[i].sqlstate,
							"Connection refused") };

		assert_int_equal(against(&fake, PATIENCE).failure, kinds[i].failure);
	}
}

/* Its own trouble, a disk or memory, is no refusal of ours: such a server is not fit to go on. */
static void a_refusal_is_a_sign_of_life_and_trouble_is_none(void **state)
{
	static const enum pg_failure lives[] = { PG_FAIL_AUTH, PG_FAIL_PASSWORD, PG_FAIL_RIGHT,
						 PG_FAIL_DATABASE, PG_FAIL_BUSY };
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lives); i++)
		assert_true(pg_lives(lives[i]));
	for (int failure = PG_FAIL_NONE; failure <= PG_FAIL_OTHER; failure++)
		count += pg_lives((enum pg_failure)failure);
	assert_int_equal(count, ARRAY_COUNT(lives));
}

static void a_long_message_is_cut_between_characters(void **state)
{
	char message[4096] = "";
	char bytes[8192];
	struct fake fake = { .manner = FAKE_SAY, .bytes = bytes };
	struct attempt made;

	(void)state;
	for (size_t i = 0; i < sizeof(message) / 3 - 1; i++)
		memcpy(message + 3 * i, "\xe2\x82\xac", 4);
	fake.size = fake_error(bytes, sizeof(bytes), "XX000", message);
	made = against(&fake, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_OTHER);
	assert_int_equal(strlen(made.why), 159); /* 53 times three bytes */
	assert_memory_equal(made.why, message, 159);

	made.why[0] = '\0';
	fake.size = fake_error(bytes, sizeof(bytes), "57P03", "a\tb\x1b[31m\nsecond line");
	made = against(&fake, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_STARTING);
	assert_string_equal(made.why, "a b [31m");
}

static void a_server_that_quotes_the_password_is_not_quoted(void **state)
{
	char bytes[512];
	struct fake fake = { .manner = FAKE_PASSWORD, .bytes = bytes };
	struct attempt made;

	(void)state;
	fake.size = fake_error(bytes, sizeof(bytes), "28P01",
			       "you said " PGFIXTURE_PASS " and " PGFIXTURE_PASS "!");
	made = against(&fake, PATIENCE);
	assert_int_equal(made.failure, PG_FAIL_PASSWORD);
	assert_string_equal(made.why, "you said **************** and ****************!");
}

static int begin(void **state)
{
	(void)state;
	return pgfixture_possible() && pgfixture_network() == 0 ? pgfixture_init(&fixture) : -1;
}

static int end(void **state)
{
	(void)state;
	pgfixture_end(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_when_it_accepts_and_never_answers),
		cmocka_unit_test(other_when_it_closes_at_once),
		cmocka_unit_test(other_when_it_answers_with_garbage),
		cmocka_unit_test(each_sqlstate_is_its_own_kind_of_failure),
		cmocka_unit_test(a_refusal_is_a_sign_of_life_and_trouble_is_none),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(a_server_that_quotes_the_password_is_not_quoted),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
