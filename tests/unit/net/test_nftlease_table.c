/* SPDX-License-Identifier: PostgreSQL */
/* The table and its element: what is there afterwards, what else is left alone, what fails how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/nftlease.h"
#include "netfixture.h"

#define NFT "/usr/sbin/nft"

static struct netfixture fixture;

static const struct cfg cfg = {
	.name = "main-1_a",
	.port = 5432,
	.nodes = { { .name = "n1", .address = NEAR }, { .name = "n2", .address = FAR } },
	.lease_ms = 5000,
	.kernel_lease = true,
};

static const struct nftlease shut = { .gate = NFTLEASE_SHUT };
static const struct nftlease for_ever = { .gate = NFTLEASE_OPEN };

static struct nftlease until(int64_t ms)
{
	return (struct nftlease){ .gate = NFTLEASE_UNTIL, .until_ms = now_ms() + ms };
}

static int try_to_lay(const struct cfg *as, const struct nftlease *want, int64_t ms, char *why)
{
	struct deadline dl = deadline_in_ms(ms);

	return nftlease_lay(as, want, &dl, why, 200);
}

static void lay(const struct cfg *as, const struct nftlease *want)
{
	char why[200];
	int rc = try_to_lay(as, want, 5000, why);

	if (rc != 0)
		fail_msg("%d: %s", rc, why);
}

static struct nftlease look(const struct cfg *as)
{
	struct nftlease is;

	assert_int_equal(nftlease_look(as, &is), 0);
	return is;
}

static void assert_until(const struct cfg *as, const struct nftlease *want)
{
	const int64_t began_ms = now_ms();
	struct nftlease is = look(as);
	const int64_t took_ms = now_ms() - began_ms;

	assert_int_equal(is.gate, NFTLEASE_UNTIL);
	/* A jiffy is up to 10 ms; and the clock is read behind the kernel's answer. */
	assert_in_range(is.until_ms, want->until_ms - 30, want->until_ms + 30 + took_ms);
}

/* Its own mounts, so that nft can be replaced by something else here only. */
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
	return nftlease_remove(&cfg);
}

/* ---- the element ---- */

static void what_is_set_is_there(void **state)
{
	struct nftlease want = until(4000);

	(void)state;
	lay(&cfg, &want);
	assert_until(&cfg, &want);
	want = until(60000);
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
	want = until(900); /* also a shorter one, also from one that has no end */
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
	assert_int_equal(nftlease_set(&cfg, &for_ever, NULL), 0);
	assert_int_equal(look(&cfg).gate, NFTLEASE_OPEN);
	want = until(900);
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nftlease_set(&cfg, &shut, NULL), 0);
		assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT);
	}
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
}

static void an_end_that_has_passed_lets_nobody_in(void **state)
{
	const struct nftlease past[] = { until(0), until(-5000), { NFTLEASE_UNTIL, 0 } };

	(void)state;
	lay(&cfg, &for_ever);
	for (size_t i = 0; i < ARRAY_COUNT(past); i++) {
		assert_int_equal(nftlease_set(&cfg, &for_ever, NULL), 0);
		assert_int_equal(nftlease_set(&cfg, &past[i], NULL), 0);
		assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT);
		lay(&cfg, &past[i]);
		assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT);
	}
}

static void after_its_end_it_can_be_set_again(void **state)
{
	struct nftlease want = until(100);
	struct deadline later = deadline_in_ms(200);

	(void)state;
	lay(&cfg, &want);
	deadline_sleep(&later);
	assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT);
	want = until(2000);
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
}

/* nft cannot see that the world has changed before it writes, so it never writes "for ever". */
static void laid_without_an_end_it_ends_with_a_lease_until_it_is_set(void **state)
{
	struct nftlease lease = until(cfg.lease_ms);

	(void)state;
	lay(&cfg, &for_ever);
	assert_int_equal(look(&cfg).gate, NFTLEASE_UNTIL);
	assert_in_range(look(&cfg).until_ms, lease.until_ms - 30, lease.until_ms + 1000);
}

static void what_another_has_set_since_is_not_undone(void **state)
{
	const struct nftlease granted = until(4000);
	uint32_t generation;

	(void)state;
	lay(&cfg, &shut);
	assert_int_equal(nftlease_generation(&generation), 0);
	assert_int_equal(nftlease_set(&cfg, &for_ever, &generation), 0);
	assert_int_equal(look(&cfg).gate, NFTLEASE_OPEN);

	assert_int_equal(nftlease_generation(&generation), 0);
	assert_int_equal(nftlease_set(&cfg, &granted, NULL), 0);
	assert_int_equal(nftlease_set(&cfg, &for_ever, &generation), -ESTALE);
	assert_int_equal(nftlease_set(&cfg, &shut, &generation), -ESTALE);
	assert_until(&cfg, &granted);
}

/* ---- the table ---- */

static void a_changed_configuration_replaces_it(void **state)
{
	struct cfg other = cfg;
	const struct nftlease want = until(4000);

	(void)state;
	lay(&cfg, &want);
	other.port = 5439;
	lay(&other, &want);
	assert_until(&other, &want);
	assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT); /* no such element any more */
	assert_int_equal(netfixture_near(NFT " -c flush chain inet pg_vrrp_main-1_a input"), 0);
}

static void clusters_do_not_touch_each_other(void **state)
{
	struct cfg other = cfg;
	const struct nftlease want = until(4000);

	(void)state;
	(void)snprintf(other.name, sizeof(other.name), "other");
	lay(&cfg, &want);
	lay(&other, &for_ever);
	assert_int_equal(nftlease_set(&other, &shut, NULL), 0);
	assert_until(&cfg, &want);
	assert_int_equal(nftlease_remove(&other), 0);
	assert_until(&cfg, &want);
}

static void the_users_own_tables_survive(void **state)
{
	struct nftlease want = until(1000);

	(void)state;
	assert_int_equal(netfixture_near(NFT " add table inet mine"), 0);
	assert_int_equal(netfixture_near(NFT " add chain inet mine input"), 0);
	assert_int_equal(netfixture_near(NFT " add table ip pg_vrrp_main-1_a"), 0);
	lay(&cfg, &want);
	lay(&cfg, &shut);
	assert_int_equal(nftlease_set(&cfg, &for_ever, NULL), 0);
	assert_int_equal(nftlease_remove(&cfg), 0);
	assert_int_equal(netfixture_near(NFT " -c flush chain inet mine input"), 0);
	assert_int_equal(netfixture_near(NFT " -c flush table ip pg_vrrp_main-1_a"), 0);
	assert_int_equal(netfixture_near(NFT " delete table inet mine"), 0);
	assert_int_equal(netfixture_near(NFT " delete table ip pg_vrrp_main-1_a"), 0);
}

static void without_the_table_it_says_so(void **state)
{
	const struct nftlease want = until(1000);
	struct nftlease is;

	(void)state;
	assert_int_equal(nftlease_set(&cfg, &want, NULL), -ENOENT);
	assert_int_equal(nftlease_set(&cfg, &for_ever, NULL), -ENOENT);
	assert_int_equal(nftlease_set(&cfg, &shut, NULL), -ENOENT);
	assert_int_equal(nftlease_look(&cfg, &is), -ENOENT);
	assert_int_equal(nftlease_remove(&cfg), 0);
}

static void a_helper_that_runs_once_lays_it_itself(void **state)
{
	const struct deadline dl = deadline_in_ms(5000);
	const struct nftlease want = until(3000);
	struct cfg off = cfg;
	struct nftlease is;

	(void)state;
	off.kernel_lease = false;
	nftlease_apply(&off, &want, &dl);
	assert_int_equal(nftlease_look(&cfg, &is), -ENOENT);
	nftlease_apply(&cfg, &shut, &dl); /* nobody is there to be shut out: not worth 20 ms */
	assert_int_equal(nftlease_look(&cfg, &is), -ENOENT);
	nftlease_apply(&cfg, &want, &dl);
	assert_until(&cfg, &want);
	nftlease_apply(&off, &shut, &dl);
	assert_until(&cfg, &want);
	nftlease_apply(&cfg, &shut, &dl);
	assert_int_equal(look(&cfg).gate, NFTLEASE_SHUT);
}

/* ---- what fails ---- */

/* Puts a script, or with NULL something that cannot be executed, in the place of nft. */
static void replace_nft(const char *script)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/pgv-nft-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, script != NULL ? 0755 : 0644), 0);
	if (script != NULL)
		assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	assert_int_equal(close(fd), 0);
	assert_int_equal(mount(path, NFT, NULL, MS_BIND, NULL), 0);
	assert_int_equal(unlink(path), 0);
}

static void restore_nft(void)
{
	assert_int_equal(umount2(NFT, MNT_DETACH), 0);
}

static void without_nft_an_element_that_is_there_is_still_renewed(void **state)
{
	const struct deadline dl = deadline_in_ms(1000);
	struct nftlease want = until(1000);
	char why[200];

	(void)state;
	lay(&cfg, &want);
	replace_nft(NULL);
	assert_int_equal(try_to_lay(&cfg, &want, 2000, why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "Permission denied"));
	want = until(4000);
	assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
	assert_until(&cfg, &want);
	assert_int_equal(nftlease_remove(&cfg), 0);
	nftlease_apply(&cfg, &want, &dl); /* warns, and nothing else */
	restore_nft();
}

static void an_nft_that_hangs_is_ended_in_time(void **state)
{
	const struct nftlease want = until(1000);
	int64_t began = now_ms();
	char why[200];

	(void)state;
	replace_nft("#!/bin/sh\nexec sleep 30\n");
	assert_int_equal(try_to_lay(&cfg, &want, 200, why), -ETIMEDOUT);
	assert_in_range(now_ms() - began, 190, 1500);
	restore_nft();
}

static void an_nft_that_refuses_is_quoted(void **state)
{
	const struct nftlease want = until(1000);
	char why[200];

	(void)state;
	replace_nft("#!/bin/sh\necho 'Error: no such\nthing' >&2\nexit 1\n");
	assert_int_equal(try_to_lay(&cfg, &want, 5000, why), -EIO);
	assert_string_equal(why, "Error: no such thing ");
	restore_nft();
}

/* Runs in a child, so that the right is lost there only. */
static void without_the_right_it_says_so(void **state)
{
	const struct nftlease want = until(3000);
	int status;
	pid_t pid;

	(void)state;
	lay(&cfg, &want);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(255);
		_exit(-nftlease_set(&cfg, &shut, NULL) & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
	assert_until(&cfg, &want);
}

static void no_descriptor_stays_open(void **state)
{
	const struct nftlease want = until(3000);
	int before;

	(void)state;
	lay(&cfg, &want);
	before = netfixture_descriptors();
	for (int i = 0; i < 20; i++) {
		assert_int_equal(nftlease_set(&cfg, &want, NULL), 0);
		(void)look(&cfg);
	}
	lay(&cfg, &want);
	assert_int_equal(netfixture_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_set_is_there, each),
		cmocka_unit_test_setup(an_end_that_has_passed_lets_nobody_in, each),
		cmocka_unit_test_setup(after_its_end_it_can_be_set_again, each),
		cmocka_unit_test_setup(laid_without_an_end_it_ends_with_a_lease_until_it_is_set,
				       each),
		cmocka_unit_test_setup(what_another_has_set_since_is_not_undone, each),
		cmocka_unit_test_setup(a_changed_configuration_replaces_it, each),
		cmocka_unit_test_setup(clusters_do_not_touch_each_other, each),
		cmocka_unit_test_setup(the_users_own_tables_survive, each),
		cmocka_unit_test_setup(without_the_table_it_says_so, each),
		cmocka_unit_test_setup(a_helper_that_runs_once_lays_it_itself, each),
		cmocka_unit_test_setup(without_nft_an_element_that_is_there_is_still_renewed, each),
		cmocka_unit_test_setup(an_nft_that_hangs_is_ended_in_time, each),
		cmocka_unit_test_setup(an_nft_that_refuses_is_quoted, each),
		cmocka_unit_test_setup(without_the_right_it_says_so, each),
		cmocka_unit_test_setup(no_descriptor_stays_open, each),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
