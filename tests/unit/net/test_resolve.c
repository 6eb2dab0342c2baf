/* SPDX-License-Identifier: PostgreSQL */
/* Names are looked up within the deadline, and only names are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/probe.h"
#include "net/resolve.h"
#include "netfixture.h"

static struct netfixture fixture;

/* A name server that the test can silence is the far host, in a mount namespace of our own. */
static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -errno;
	return netfixture_begin(&fixture);
}

static int end(void **state)
{
	(void)state;
	netfixture_end(&fixture);
	return 0;
}

/* The file is replaced for this process and its children only. */
static void replace_file(const char *path, const char *text)
{
	char copy[] = "/tmp/pgv-resolve-XXXXXX";
	int AUTO_FD fd = mkstemp(copy);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(mount(copy, path, NULL, MS_BIND, NULL), 0);
	assert_int_equal(unlink(copy), 0);
}

static void assert_resolves(const char *host, const char *address)
{
	struct deadline limit = deadline_in_ms(5000);
	struct addr found, wanted;

	assert_int_equal(resolve_host(&found, host, &limit), 0);
	assert_int_equal(addr_parse(&wanted, address), 0);
	assert_true(addr_equal(&found, &wanted));
	assert_int_equal(found.family, wanted.family);
}

static void a_numeric_address_needs_no_lookup(void **state)
{
	struct deadline passed = deadline_in_ms(0);
	struct addr addr;

	(void)state;
	assert_int_equal(resolve_host(&addr, "192.0.2.7", &passed), 0);
	assert_int_equal(addr.family, AF_INET);
	assert_int_equal(resolve_host(&addr, "2001:db8::7", &passed), 0);
	assert_int_equal(addr.family, AF_INET6);
	assert_int_equal(resolve_host(&addr, "fe80::7%near0", &passed), 0);
	assert_int_not_equal(addr.scope, 0);
	assert_int_equal(resolve_host(&addr, "fe80::7%nothere0", &passed), -ENODEV);
}

static void a_name_is_looked_up(void **state)
{
	char why[120];
	struct deadline limit = deadline_in_ms(5000);

	(void)state;
	replace_file("/etc/hosts", "192.0.2.2 far.example far\n2001:db8::2 far6.example\n");
	assert_resolves("far.example", "192.0.2.2");
	assert_resolves("far", "192.0.2.2");
	assert_resolves("far6.example", "2001:db8::2");
	assert_int_equal(probe_once("far.example", 0, 50, &limit, why, sizeof(why)), FACT_YES);
	assert_int_equal(umount("/etc/hosts"), 0);
}

static void a_name_that_does_not_resolve_is_unknown(void **state)
{
	struct deadline limit = deadline_in_ms(10000);
	struct probe probe;
	char why[120];

	(void)state;
	replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\n");
	assert_int_equal(probe_open(&probe, "nobody.invalid", 0, &limit), -EHOSTUNREACH);
	assert_int_equal(probe.fd, -1);
	assert_int_equal(probe.family, 0);
	assert_int_equal(probe_once("nobody.invalid", 0, 50, &limit, why, sizeof(why)),
			 FACT_UNKNOWN);
	assert_string_equal(why, "host name nobody.invalid does not resolve");
	assert_int_equal(umount("/etc/resolv.conf"), 0);
}

static void what_is_no_name_is_not_looked_up(void **state)
{
	static const char *const wrong[] = {
		"", "-h", "--help", "a b", "192.0.2.300", "1.2.3", "x;y", "192.0.2.1/24",
	};
	struct deadline limit = deadline_in_ms(5000);
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		assert_int_equal(resolve_host(&addr, wrong[i], &limit), -EINVAL);
}

static void a_slow_name_server_is_not_waited_for(void **state)
{
	struct deadline limit;
	struct addr addr;
	int before = netfixture_descriptors();

	(void)state;
	replace_file("/etc/resolv.conf", "nameserver " FAR "\n");
	assert_int_equal(netfixture_far_drops(&fixture, "udp dport 53"), 0);
	limit = deadline_in_ms(300);
	assert_int_equal(resolve_host(&addr, "slow.example", &limit), -ETIMEDOUT);
	assert_in_range(now_ms(), (uintmax_t)limit.at_ms, (uintmax_t)limit.at_ms + 1000);
	assert_int_equal(netfixture_descriptors(), before);
	assert_int_equal(netfixture_far_drops(&fixture, ""), 0);
	assert_int_equal(umount("/etc/resolv.conf"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_numeric_address_needs_no_lookup),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(a_name_that_does_not_resolve_is_unknown),
		cmocka_unit_test(what_is_no_name_is_not_looked_up),
		cmocka_unit_test(a_slow_name_server_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
