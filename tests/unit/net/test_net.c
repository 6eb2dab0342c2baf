/* SPDX-License-Identifier: PostgreSQL */
/* Addresses, links and neighbours, against the real kernel in a network of this process alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/addr.h"
#include "net/net.h"
#include "netfixture.h"

static struct netfixture fixture;

static int begin(void **state)
{
	(void)state;
	return netfixture_begin(&fixture);
}

static int end(void **state)
{
	(void)state;
	netfixture_end(&fixture);
	return 0;
}

/* Makes the kernel ask for the neighbour. */
static void send_something_to(const char *address)
{
	struct sockaddr_storage to;
	struct addr target;
	socklen_t size;
	int AUTO_FD fd = -1;

	assert_int_equal(addr_parse(&target, address), 0);
	size = addr_to_sockaddr(&target, 9, &to);
	fd = socket(target.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, "", 1, 0, (struct sockaddr *)&to, size), 1);
}

static int neighbour(const void *address)
{
	return (int)net_neighbour(address, NULL, 0);
}

static void sees_an_address_that_is_configured(void **state)
{
	(void)state;
	assert_int_equal(net_has_address(NEAR, NULL), 1);
	assert_int_equal(net_has_address(NEAR, "near0"), 1);
	assert_int_equal(net_has_address(NEAR6, NULL), 1);
	assert_int_equal(net_has_address(NEAR6, "near0"), 1);
	assert_int_equal(net_has_address("127.0.0.1", "lo"), 1);
}

static void does_not_see_one_that_is_not(void **state)
{
	(void)state;
	assert_int_equal(net_has_address(FAR, NULL), 0);
	assert_int_equal(net_has_address(FAR6, NULL), 0);
	assert_int_equal(net_has_address(NEAR, "lo"), 0);
	assert_int_equal(net_has_address("192.0.2.0", NULL), 0);
	assert_int_equal(net_has_address("192.0.2.255", NULL), 0);
}

static void compares_addresses_by_value(void **state)
{
	(void)state;
	assert_int_equal(net_has_address("2001:0DB8:0:0::0001", NULL), 1);
	assert_int_equal(net_has_address("::ffff:192.0.2.1", NULL), 1);
}

static void tells_a_wrong_question_from_a_no(void **state)
{
	(void)state;
	assert_int_equal(net_has_address("192.0.2.1/24", NULL), -EINVAL);
	assert_int_equal(net_has_address("nobody.example", NULL), -EINVAL);
	assert_int_equal(net_has_address("", NULL), -EINVAL);
	assert_int_equal(net_has_address("192.0.2", NULL), -EINVAL);
	assert_int_equal(net_has_address(NEAR, "nothere0"), -ENODEV);
	assert_int_equal(net_has_address("fe80::1%nothere0", NULL), -ENODEV);
	assert_int_equal(net_has_address("192.0.2.1%near0", NULL), -EINVAL);
	assert_int_equal(net_remove_address("192.0.2.1/24"), -EINVAL);
}

static void tells_link_local_addresses_apart_by_interface(void **state)
{
	(void)state;
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add fe80::77/64 dev near0 nodad"), 0);
	assert_int_equal(net_has_address("fe80::77%near0", NULL), 1);
	assert_int_equal(net_has_address("fe80::77%lo", NULL), 0);
	assert_int_equal(net_has_address("fe80::77", NULL), 1);
	assert_int_equal(net_remove_address("fe80::77%lo"), 0);
	assert_int_equal(net_remove_address("fe80::77%near0"), 1);
	assert_int_equal(net_has_address("fe80::77", NULL), 0);
}

static void finds_our_end_of_a_point_to_point_link(void **state)
{
	(void)state;
	assert_int_equal(
	    netfixture_near("/usr/sbin/ip addr add 198.51.100.1 peer 198.51.100.2 dev near0"), 0);
	assert_int_equal(net_has_address("198.51.100.1", NULL), 1);
	assert_int_equal(net_has_address("198.51.100.2", NULL), 0);
	assert_int_equal(net_remove_address("198.51.100.1"), 1);
}

static void removes_an_address_everywhere_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add 192.0.2.100/24 dev near0"), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add 192.0.2.100/32 dev near0"), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add 192.0.2.100/32 dev lo"), 0);
	assert_int_equal(net_has_address("192.0.2.100", NULL), 1);
	assert_int_equal(net_remove_address("192.0.2.100"), 3);
	assert_int_equal(net_has_address("192.0.2.100", NULL), 0);
	assert_int_equal(net_remove_address("192.0.2.100"), 0);
	assert_int_equal(net_has_address(NEAR, "near0"), 1);
}

static void removes_an_ipv6_address(void **state)
{
	(void)state;
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add 2001:db8::64/64 dev near0 nodad"),
			 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip addr add 2001:db8::64/128 dev lo nodad"), 0);
	assert_int_equal(net_remove_address("2001:db8::64"), 2);
	assert_int_equal(net_has_address("2001:db8::64", NULL), 0);
	assert_int_equal(net_has_address(NEAR6, NULL), 1);
}

static void finds_one_address_among_very_many(void **state)
{
	char command[128];

	(void)state;
	/* more than one netlink message holds, and more places than one round removes */
	for (int i = 1; i <= 12; i++) {
		(void)snprintf(command, sizeof(command),
			       "/usr/sbin/ip addr add 203.0.113.7/%d dev lo", i + 20);
		assert_int_equal(netfixture_near(command), 0);
	}
	for (int i = 1; i <= 150; i++) {
		(void)snprintf(command, sizeof(command),
			       "/usr/sbin/ip addr add 10.9.%d.1/32 dev lo", i);
		assert_int_equal(netfixture_near(command), 0);
	}
	assert_int_equal(net_has_address("10.9.150.1", NULL), 1);
	assert_int_equal(net_has_address("10.9.151.1", NULL), 0);
	assert_int_equal(net_remove_address("203.0.113.7"), 12);
	assert_int_equal(net_has_address("203.0.113.7", NULL), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip -4 addr flush dev lo scope global"), 0);
}

static int link_up(const void *ifname)
{
	return net_link_up(ifname);
}

static void knows_whether_a_link_carries(void **state)
{
	(void)state;
	assert_int_equal(net_link_up("near0"), 1);
	assert_int_equal(net_link_up("lo"), 1);
	assert_int_equal(net_link_up("nothere0"), -ENODEV);
	assert_int_equal(net_link_up("a-name-that-no-interface-can-have"), -ENODEV);
	assert_int_equal(netfixture_near("/usr/sbin/ip link add spare0 type veth peer name spare1"),
			 0);
	assert_int_equal(net_link_up("spare0"), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip link set spare0 up"), 0);
	assert_int_equal(net_link_up("spare0"), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip link set spare1 up"), 0);
	assert_int_equal(netfixture_until(link_up, "spare0", 1), 1);
	assert_int_equal(netfixture_near("/usr/sbin/ip link set spare0 down"), 0);
	assert_int_equal(net_link_up("spare0"), 0);
	assert_int_equal(netfixture_near("/usr/sbin/ip link del spare0"), 0);
	assert_int_equal(net_link_up("spare0"), -ENODEV);
}

static void a_pulled_cable_is_not_up(void **state)
{
	(void)state;
	assert_int_equal(netfixture_far(&fixture, "/usr/sbin/ip link set far0 down"), 0);
	assert_int_equal(netfixture_until(link_up, "near0", 0), 0);
	assert_int_equal(netfixture_far(&fixture, "/usr/sbin/ip link set far0 up"), 0);
	assert_int_equal(
	    netfixture_far(&fixture, "/usr/sbin/ip addr replace " FAR6 "/64 dev far0 nodad"), 0);
	assert_int_equal(netfixture_until(link_up, "near0", 1), 1);
}

static void a_neighbour_that_answers_is_yes(void **state)
{
	char lladdr[32];

	(void)state;
	assert_int_equal(net_neighbour_forget(FAR), 0);
	assert_int_equal(net_neighbour(FAR, lladdr, sizeof(lladdr)), FACT_UNKNOWN);
	assert_string_equal(lladdr, "");
	send_something_to(FAR);
	assert_int_equal(netfixture_until(neighbour, FAR, FACT_YES), FACT_YES);
	assert_int_equal(netfixture_far(&fixture, "/usr/sbin/ip link set far0 address "
						  "02:00:5e:00:53:0a"),
			 0);
	assert_int_equal(net_neighbour_forget(FAR), 0);
	assert_int_equal(net_neighbour(FAR, NULL, 0), FACT_UNKNOWN);
	send_something_to(FAR);
	assert_int_equal(netfixture_until(neighbour, FAR, FACT_YES), FACT_YES);
	assert_int_equal(net_neighbour(FAR, lladdr, sizeof(lladdr)), FACT_YES);
	assert_string_equal(lladdr, "02:00:5e:00:53:0a");
	/* no room: nothing rather than half an address */
	assert_int_equal(net_neighbour(FAR, lladdr, 17), FACT_YES);
	assert_string_equal(lladdr, "");
}

static void an_ipv6_neighbour_that_answers_is_yes(void **state)
{
	(void)state;
	assert_int_equal(net_neighbour_forget(FAR6), 0);
	assert_int_equal(net_neighbour(FAR6, NULL, 0), FACT_UNKNOWN);
	send_something_to(FAR6);
	assert_int_equal(netfixture_until(neighbour, FAR6, FACT_YES), FACT_YES);
}

static void nobody_answers_is_unknown_first_and_then_no(void **state)
{
	(void)state;
	assert_int_equal(netfixture_sysctl("ipv4/neigh/near0/retrans_time_ms", "50"), 0);
	assert_int_equal(net_neighbour_forget("192.0.2.9"), 0);
	send_something_to("192.0.2.9");
	assert_int_equal(net_neighbour("192.0.2.9", NULL, 0), FACT_UNKNOWN);
	assert_int_equal(netfixture_until(neighbour, "192.0.2.9", FACT_NO), FACT_NO);
	/* an old no says nothing once it is forgotten */
	assert_int_equal(net_neighbour_forget("192.0.2.9"), 0);
	assert_int_equal(net_neighbour("192.0.2.9", NULL, 0), FACT_UNKNOWN);
}

static void nobody_answers_on_ipv6_is_no(void **state)
{
	(void)state;
	assert_int_equal(netfixture_sysctl("ipv6/neigh/near0/retrans_time_ms", "50"), 0);
	send_something_to("2001:db8::9");
	assert_int_equal(netfixture_until(neighbour, "2001:db8::9", FACT_NO), FACT_NO);
}

static void what_is_not_on_a_link_has_no_neighbour(void **state)
{
	(void)state;
	assert_int_equal(net_neighbour_forget("203.0.113.50"), -ENETUNREACH);
	assert_int_equal(netfixture_near("/usr/sbin/ip route add 203.0.113.0/24 via " FAR), 0);
	assert_int_equal(net_neighbour_forget("203.0.113.50"), -ENETUNREACH);
	assert_int_equal(net_neighbour("203.0.113.50", NULL, 0), FACT_UNKNOWN);
	assert_int_equal(net_neighbour_forget(NEAR), -ENETUNREACH);
	assert_int_equal(net_neighbour(NEAR, NULL, 0), FACT_UNKNOWN);
	assert_int_equal(net_neighbour_forget("192.0.2.2/24"), -EINVAL);
	assert_int_equal(netfixture_near("/usr/sbin/ip route add unreachable 203.0.113.64/26"), 0);
	assert_true(net_neighbour_forget("203.0.113.65") < 0);
	assert_int_equal(net_neighbour_forget("2001:db8:1::1"), -ENETUNREACH);
}

static void an_entry_made_by_hand_proves_nothing_and_stays(void **state)
{
	(void)state;
	assert_int_equal(netfixture_near("/usr/sbin/ip neigh replace 192.0.2.77 lladdr "
					 "02:00:5e:00:53:77 dev near0 nud permanent"),
			 0);
	assert_int_equal(net_neighbour_forget("192.0.2.77"), 0);
	assert_int_equal(net_neighbour("192.0.2.77", NULL, 0), FACT_UNKNOWN);
	/* `ip neigh del` fails when there is nothing to remove */
	assert_int_equal(netfixture_near("/usr/sbin/ip neigh del 192.0.2.77 dev near0"), 0);
}

static void keeps_no_descriptor_open(void **state)
{
	int before = netfixture_descriptors();

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(net_has_address(NEAR, NULL), 1);
		assert_int_equal(net_has_address("nothing", NULL), -EINVAL);
		assert_int_equal(net_remove_address("192.0.2.200"), 0);
		assert_int_equal(net_link_up("nothere0"), -ENODEV);
		assert_int_equal(net_neighbour_forget("203.0.113.50"), -ENETUNREACH);
		(void)net_neighbour(FAR, NULL, 0);
	}
	assert_int_equal(netfixture_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_an_address_that_is_configured),
		cmocka_unit_test(does_not_see_one_that_is_not),
		cmocka_unit_test(compares_addresses_by_value),
		cmocka_unit_test(tells_a_wrong_question_from_a_no),
		cmocka_unit_test(tells_link_local_addresses_apart_by_interface),
		cmocka_unit_test(finds_our_end_of_a_point_to_point_link),
		cmocka_unit_test(removes_an_address_everywhere_and_nothing_else),
		cmocka_unit_test(removes_an_ipv6_address),
		cmocka_unit_test(finds_one_address_among_very_many),
		cmocka_unit_test(knows_whether_a_link_carries),
		cmocka_unit_test(a_pulled_cable_is_not_up),
		cmocka_unit_test(a_neighbour_that_answers_is_yes),
		cmocka_unit_test(an_ipv6_neighbour_that_answers_is_yes),
		cmocka_unit_test(nobody_answers_is_unknown_first_and_then_no),
		cmocka_unit_test(nobody_answers_on_ipv6_is_no),
		cmocka_unit_test(what_is_not_on_a_link_has_no_neighbour),
		cmocka_unit_test(an_entry_made_by_hand_proves_nothing_and_stays),
		cmocka_unit_test(keeps_no_descriptor_open),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
