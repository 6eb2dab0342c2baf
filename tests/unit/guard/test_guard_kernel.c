/* SPDX-License-Identifier: PostgreSQL */
/* The guard's hand on the kernel, tick by tick, with real nftables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

#include "base/deadline.h"
#include "guard/guard_kernel.h"
#include "netfixture.h"

#define NFT "/usr/sbin/nft"

static struct netfixture fixture;
static struct guard_kernel guard;
static struct cfg cfg;

static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -1;
	return netfixture_begin(&fixture);
}

static int end(void **state)
{
	(void)state;
	netfixture_end(&fixture);
	return 0;
}

static int each(void **state)
{
	(void)state;
	guard = (struct guard_kernel){ .laid = false };
	cfg = (struct cfg){ .name = "main",
			    .port = 5432,
			    .nodes = { { .address = NEAR }, { .address = FAR } },
			    .lease_ms = 5000,
			    .kernel_lease = true };
	return nftlease_remove(&cfg);
}

static struct guard_facts facts(enum guard_server server, int64_t lease_ms)
{
	struct guard_facts f = {
		.now = now_ms(),
		.server = server,
		.fenced = FACT_NO,
		.lease_ms = 5000,
		.fence_time_ms = 1000,
	};

	if (lease_ms > 0)
		f.lease = (struct lease){ .until_ms = f.now + lease_ms, .by = "vote" };
	return f;
}

/* The kernel's state after one tick. */
static struct nftlease tick(const struct guard_facts *f)
{
	struct nftlease is;

	guard_kernel_begin(&guard, &cfg);
	guard_kernel_keep(&guard, &cfg, f);
	assert_int_equal(nftlease_look(&cfg, &is), 0);
	return is;
}

static void assert_until(struct nftlease is, const struct guard_facts *f)
{
	assert_int_equal(is.gate, NFTLEASE_UNTIL);
	assert_in_range(is.until_ms, f->lease.until_ms - 30, f->lease.until_ms + 30);
}

static void it_follows_the_role_of_the_server(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_DOWN, 0);

	(void)state;
	assert_int_equal(tick(&f).gate, NFTLEASE_SHUT);
	f = facts(GUARD_SERVER_PRIMARY, 0);
	assert_int_equal(tick(&f).gate, NFTLEASE_SHUT);
	f = facts(GUARD_SERVER_PRIMARY, 4000);
	assert_until(tick(&f), &f);
	f = facts(GUARD_SERVER_PRIMARY, 4900);
	assert_until(tick(&f), &f);
	f = facts(GUARD_SERVER_DOWN, 0);
	assert_int_equal(tick(&f).gate, NFTLEASE_SHUT);
	f = facts(GUARD_SERVER_STANDBY, 0);
	assert_int_equal(tick(&f).gate, NFTLEASE_OPEN);
	/* promoted by hand, or by somebody whose grant we have not seen yet */
	f = facts(GUARD_SERVER_PRIMARY, 0);
	assert_int_equal(tick(&f).gate, NFTLEASE_SHUT);
}

/* The first look of a guard at a running primary: its clients go on, and have an end. */
static void the_first_look_at_a_primary_gives_it_an_end(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY, 0);

	(void)state;
	(void)tick(&f);
	assert_int_equal(tick(&f).gate, NFTLEASE_OPEN);
	guard = (struct guard_kernel){ .laid = false };
	f = facts(GUARD_SERVER_PRIMARY, 3000);
	assert_until(tick(&f), &f);
}

static void a_grant_is_not_lost_to_a_guard_that_saw_a_standby(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY, 0);
	const struct nftlease granted = { NFTLEASE_UNTIL, now_ms() + 4000 };
	struct nftlease is;

	(void)state;
	(void)tick(&f);
	assert_int_equal(tick(&f).gate, NFTLEASE_OPEN);

	/* The guard knows of the promotion: hands off. */
	assert_int_equal(nftlease_set(&cfg, &granted, NULL), 0);
	f.promoting = true;
	assert_int_equal(tick(&f).gate, NFTLEASE_UNTIL);
	/* The guard had looked before, and was frozen between the look and the deed. */
	f.promoting = false;
	guard_kernel_begin(&guard, &cfg);
	assert_int_equal(nftlease_set(&cfg, &granted, NULL), 0);
	guard_kernel_keep(&guard, &cfg, &f);
	assert_int_equal(nftlease_look(&cfg, &is), 0);
	assert_int_equal(is.gate, NFTLEASE_UNTIL);
	/* The promotion came to nothing: the next tick lets readers in again. */
	assert_int_equal(tick(&f).gate, NFTLEASE_OPEN);
}

static void a_flushed_ruleset_is_laid_again(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY, 4000);
	struct nftlease is;

	(void)state;
	assert_until(tick(&f), &f);
	assert_int_equal(netfixture_near(NFT " flush ruleset"), 0);
	f = facts(GUARD_SERVER_PRIMARY, 4500);
	guard_kernel_keep(&guard, &cfg, &f); /* notices it */
	assert_int_not_equal(nftlease_look(&cfg, &is), 0);
	f.now += 5000;
	f.lease.until_ms += 5000;
	assert_until(tick(&f), &f);
}

static void it_does_not_run_nft_when_a_fence_is_due(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY, 1200);
	struct nftlease is;

	(void)state;
	guard_kernel_begin(&guard, &cfg);
	guard_kernel_keep(&guard, &cfg, &f);
	assert_int_not_equal(nftlease_look(&cfg, &is), 0);
}

static void without_nft_it_goes_on_with_the_table_that_is_there(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY, 4000);

	(void)state;
	assert_until(tick(&f), &f);
	guard = (struct guard_kernel){ .laid = false };
	assert_int_equal(mount("/dev/null", NFT, NULL, MS_BIND, NULL), 0);
	f = facts(GUARD_SERVER_PRIMARY, 4900);
	assert_until(tick(&f), &f);
	f = facts(GUARD_SERVER_PRIMARY, 4950);
	assert_until(tick(&f), &f);
	assert_int_equal(umount2(NFT, MNT_DETACH), 0);
}

static void switched_off_it_takes_away_what_an_earlier_guard_left(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY, 4000);
	struct nftlease is;

	(void)state;
	(void)tick(&f);
	guard = (struct guard_kernel){ .laid = false };
	cfg.kernel_lease = false;
	guard_kernel_begin(&guard, &cfg);
	guard_kernel_keep(&guard, &cfg, &f);
	assert_int_not_equal(nftlease_look(&cfg, &is), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_follows_the_role_of_the_server, each),
		cmocka_unit_test_setup(the_first_look_at_a_primary_gives_it_an_end, each),
		cmocka_unit_test_setup(a_grant_is_not_lost_to_a_guard_that_saw_a_standby, each),
		cmocka_unit_test_setup(a_flushed_ruleset_is_laid_again, each),
		cmocka_unit_test_setup(it_does_not_run_nft_when_a_fence_is_due, each),
		cmocka_unit_test_setup(without_nft_it_goes_on_with_the_table_that_is_there, each),
		cmocka_unit_test_setup(switched_off_it_takes_away_what_an_earlier_guard_left, each),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
