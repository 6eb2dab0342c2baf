/* SPDX-License-Identifier: PostgreSQL */
/* The helpers' role is locked out of a server: it lives, says so, and is what it is; nobody is
 * fenced or promoted for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "check/duty_rules.h"
#include "pgstage.h"
#include "postgres/server.h"
#include "promotefacts.h"

#define PATIENCE 5000
#define N1       0
#define N2       1
#define FACTS    3

/* ---- the server ---- */

static void sql(const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, N1, text, NULL, 0), 0);
}

static struct server asked(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server server;

	server_ask(&server, &pgstage.cfg[N1], PG_LOCAL, &dl);
	return server;
}

static void it_lives_says_so_and_is_what_it_was(void **state)
{
	static const struct {
		const char *lock, *unlock, *mends;
	} ways[] = {
		{ "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
		  "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
		  "GRANT CONNECT ON DATABASE postgres TO pgvrrp" },
		{ "ALTER ROLE pgvrrp NOLOGIN", "ALTER ROLE pgvrrp LOGIN",
		  "ALTER ROLE pgvrrp LOGIN" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		const struct deadline dl = deadline_in_ms(PATIENCE);
		const struct server before = asked();
		struct server server;
		char text[320];

		sql(ways[i].lock);
		server = asked();
		sql(ways[i].unlock);
		assert_int_equal(before.state, SERVER_PRIMARY);
		assert_int_equal(server.state, SERVER_REFUSES);
		assert_int_equal(server.behind, SERVER_UNKNOWN);
		assert_int_equal(server_votes_for(&server, pgstage.cfg[N1].nodes[N1].address,
						  before.system_identifier, before.timeline),
				 FACT_UNKNOWN);
		server_look_behind(&server, &pgstage.cfg[N1], &dl);
		assert_int_equal(server.behind, SERVER_PRIMARY);
		assert_true(server.system_identifier == before.system_identifier);
		assert_int_equal(server.timeline, before.timeline);
		server_refusal(server.failure, server.why, &pgstage.cfg[N1], text, sizeof(text));
		assert_non_null(strstr(text, ways[i].mends));
		assert_non_null(strstr(text, server.why));
		assert_null(strstr(text, "synchronous_commit"));
		pgstage.cfg[N1].mode = MODE_SYNC;
		server_refusal(server.failure, server.why, &pgstage.cfg[N1], text, sizeof(text));
		pgstage.cfg[N1].mode = MODE_ASYNC;
		assert_non_null(strstr(text, "mended by: SET synchronous_commit = local; "));
		/* The standby too, whose control file says so. */
		server.behind = SERVER_UNKNOWN;
		server_look_behind(&server, &pgstage.cfg[N2], &dl);
		assert_int_equal(server.behind, SERVER_STANDBY);
	}
}

/* ---- the record ---- */

static bool locked_out(struct duty_facts *f, uint32_t n)
{
	bool *const truths[] = { &f->holder,  &f->paired,    &f->released,  &f->paused,
				 &f->renewed, &f->mode_sync, &f->solo_stamp };

	*f = (struct duty_facts){ .refuses = true };
	for (size_t i = 0; i < ARRAY_COUNT(truths); i++, n /= 2)
		*truths[i] = n % 2;
	f->by_right = (enum fact)(n % FACTS);
	f->trust = (enum record_trust)(n / FACTS);
	return n / FACTS < RECORD_TRUSTS;
}

/* Nobody knows whether its commits wait, so the standby may not take over; it needs nobody to
 * serve. */
static void its_primary_goes_solo_and_is_told_nothing(void **state)
{
	struct duty_facts f;

	(void)state;
	for (uint32_t n = 0; locked_out(&f, n); n++) {
		const bool ours = f.trust == RECORD_GOOD && f.holder && !f.released;
		enum duty_step step = duty_decide(&f);

		if (ours && f.paired)
			assert_int_equal(step, f.solo_stamp ? DUTY_UNSTAMP : DUTY_GO_SOLO);
		else if (ours)
			assert_int_equal(step, f.solo_stamp ? DUTY_NOTHING : DUTY_GO_SOLO);
		else if (f.trust == RECORD_GOOD)
			assert_int_equal(step, f.holder ? DUTY_NOTHING : DUTY_FENCE);
		else
			assert_true(step == DUTY_NOTHING ||
				    (step == DUTY_CREATE && f.by_right == FACT_YES));
	}
}

/* ---- the takeover ---- */

/* Every rule permits it: after a fence, or by a row that was released. */
static struct promote_facts permitted(bool released)
{
	struct promote_facts f = good();

	f.fence = released ? FENCE_UNKNOWN : FENCE_FENCED;
	f.has_record = released;
	f.trust = RECORD_GOOD;
	f.record_paired = true;
	f.record_released = released;
	f.record_still = FACT_YES;
	return f;
}

/* Such a server may be the primary, and healthy; unless its right to be has ended for certain. */
static void nobody_takes_over_from_a_server_that_refuses_us(void **state)
{
	struct promote_facts f = permitted(false);

	(void)state;
	f.peer_refuses = true;
	expect(f, STEP_PROMOTE, "promote");
	f.fence = FENCE_ISOLATED, expect(f, STEP_VERDICT, "peer-refuses-us");
	f.withdrawn = FACT_NO, expect(f, STEP_VERDICT, "peer-refuses-us");
	f = permitted(true), f.peer_refuses = true;
	expect(f, STEP_PROMOTE, "promote");
	f.record_released = false, expect(f, STEP_VERDICT, "peer-refuses-us");
	f.record_released = true, f.record_ours = true;
	expect(f, STEP_VERDICT, "peer-refuses-us");
	f.by_hand = true, expect(f, STEP_PROMOTE, "promote");
}

static void nobody_takes_over_where_its_own_server_refuses(void **state)
{
	struct promote_facts f = permitted(false);

	(void)state;
	f.local = SERVER_REFUSES;
	expect(f, STEP_VERDICT, "local-refuses");
	f.by_hand = true, f.peer_down_by_operator = true;
	expect(f, STEP_VERDICT, "local-refuses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lives_says_so_and_is_what_it_was),
		cmocka_unit_test(its_primary_goes_solo_and_is_told_nothing),
		cmocka_unit_test(nobody_takes_over_from_a_server_that_refuses_us),
		cmocka_unit_test(nobody_takes_over_where_its_own_server_refuses),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
