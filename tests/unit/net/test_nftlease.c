/* SPDX-License-Identifier: PostgreSQL */
/* The kernel lets these through: real connections over a wire, and the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gatedport.h"
#include "net/nftlease.h"

enum { OTHER_PORT = 5433, REFRESHES = 3000 };

/* The same cluster with IPv6 nodes. */
static struct cfg cfg6 = {
	.name = "main",
	.port = GATED_PORT,
	.nodes = { { .name = "n1", .address = NEAR6 }, { .name = "n2", .address = FAR6 } },
	.lease_ms = 5000,
	.kernel_lease = true,
};

static const struct nftlease shut = { .gate = NFTLEASE_SHUT };
static const struct nftlease for_ever = { .gate = NFTLEASE_OPEN };

static struct nftlease until(int64_t ms)
{
	return (struct nftlease){ .gate = NFTLEASE_UNTIL, .until_ms = now_ms() + ms };
}

static void lay(const struct cfg *as, const struct nftlease *want)
{
	struct deadline dl = deadline_in_ms(5000);
	char why[200];
	int rc = nftlease_lay(as, want, &dl, why, sizeof(why));

	if (rc != 0)
		fail_msg("%d: %s", rc, why);
}

static void set(const struct nftlease *want)
{
	assert_int_equal(nftlease_set(&gated_cfg, want, NULL), 0);
}

static struct farclient connect_from(const char *from, const char *to)
{
	struct farclient made;

	assert_int_equal(
	    farclient_connect(&made, &gated_network, gated_listener, from, to, GATED_PORT), 0);
	return made;
}

static int each(void **state)
{
	(void)state;
	return nftlease_remove(&gated_cfg);
}

static void assert_cut_in_time(const struct farclient *client, int64_t until_ms)
{
	int64_t cut_ms = farclient_cut_at(client, 3000);

	/* A jiffy, and a machine that is busy. */
	assert_in_range(cut_ms, until_ms - 20, until_ms + 250);
}

static void a_client_is_cut_when_its_time_is_over(void **state)
{
	struct nftlease want = until(700);
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &want);
	client = connect_from(CLIENT, NEAR);
	assert_true(farclient_works(&client));
	assert_cut_in_time(&client, want.until_ms);
	farclient_end(&client);
	assert_int_equal(
	    farclient_connect(&client, &gated_network, gated_listener, CLIENT, NEAR, GATED_PORT),
	    -ECONNREFUSED);
}

static void an_ipv6_client_is_cut_too(void **state)
{
	struct nftlease want = until(700);
	struct farclient client;

	(void)state;
	lay(&cfg6, &want);
	client = connect_from(CLIENT6, NEAR6);
	assert_true(farclient_works(&client));
	assert_cut_in_time(&client, want.until_ms);
	farclient_end(&client);
	/* Both families, whichever the nodes have. */
	assert_int_equal(
	    farclient_connect(&client, &gated_network, gated_listener, CLIENT, NEAR, GATED_PORT),
	    -ECONNREFUSED);
}

/*
 * A request that arrived in time is answered by a server that was frozen in between: the answer
 * must not leave.  Nothing is lost either: should the right come back, TCP sends it again.
 */
static void an_answer_that_comes_too_late_does_not_leave(void **state)
{
	struct nftlease want = until(3000);
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &want);
	client = connect_from(CLIENT, NEAR);
	assert_int_equal(send(client.client, "q", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(farclient_hears(client.server, 1000), 'q');
	set(&shut);
	assert_int_equal(send(client.server, "a", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(farclient_hears(client.client, 500), 0);
	want = until(3000);
	set(&want);
	assert_int_equal(farclient_hears(client.client, 3000), 'a');
	farclient_end(&client);
}

static void the_reset_of_a_connection_leaves(void **state)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &for_ever);
	client = connect_from(CLIENT, NEAR);
	set(&shut);
	assert_int_equal(
	    setsockopt(client.server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	assert_int_equal(close(client.server), 0);
	client.server = -1;
	assert_int_equal(farclient_hears(client.client, 1000), -ECONNRESET);
	farclient_end(&client);
}

static void a_lease_that_is_renewed_cuts_nobody(void **state)
{
	struct nftlease want = until(400);
	struct deadline end_of_it = deadline_in_ms(1600);
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &want);
	client = connect_from(CLIENT, NEAR);
	while (!deadline_passed(&end_of_it)) {
		struct deadline pause = deadline_in_ms(50);

		want = until(400);
		set(&want);
		assert_true(farclient_works(&client));
		deadline_sleep(&pause);
	}
	assert_cut_in_time(&client, want.until_ms);
	farclient_end(&client);
}

/* A far child that talks without a pause; it ends with 1 when its connection does. */
static void talk(void *arg)
{
	int fd = *(int *)arg;
	char byte;

	for (;;) {
		ssize_t sent = send(fd, "q", 1, MSG_NOSIGNAL);

		if ((sent < 0 && errno != EAGAIN) ||
		    (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN))
			_exit(1);
	}
}

static void no_moment_is_without_it_while_it_is_renewed(void **state)
{
	struct nftlease want = until(3000);
	struct farclient client;
	char bytes[4096];
	int status;
	pid_t child;

	(void)state;
	lay(&gated_cfg, &want);
	client = connect_from(CLIENT, NEAR);
	child = netfixture_serve(&gated_network, talk, &client.client);
	assert_true(child > 0);
	for (int i = 0; i < REFRESHES; i++) {
		want = until(3000 + i % 7);
		set(&want);
		(void)recv(client.server, bytes, sizeof(bytes), 0);
	}
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	netfixture_stop(child);
	assert_true(farclient_works(&client) || farclient_hears(client.server, 100) == 'q');
	farclient_end(&client);
}

static void the_other_node_is_never_held_back(void **state)
{
	struct farclient peer, peer6;

	(void)state;
	lay(&gated_cfg, &shut);
	peer = connect_from(FAR, NEAR);
	assert_true(farclient_works(&peer));
	lay(&cfg6, &shut);
	peer6 = connect_from(FAR6, NEAR6);
	assert_true(farclient_works(&peer6));
	farclient_end(&peer);
	farclient_end(&peer6);
}

static void this_node_is_never_held_back(void **state)
{
	static const char *const own[][2] = {
		{ "127.0.0.1", "127.0.0.1" }, { NEAR, NEAR }, { "::1", "::1" }, { NEAR6, NEAR6 }
	};

	(void)state;
	lay(&gated_cfg, &shut);
	for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
		struct farclient local;

		assert_int_equal(farclient_connect(&local, NULL, gated_listener, own[i][0],
						   own[i][1], GATED_PORT),
				 0);
		assert_true(farclient_works(&local));
		farclient_end(&local);
	}
}

static void other_ports_are_not_ours(void **state)
{
	int AUTO_FD other = farclient_listen("::", OTHER_PORT);
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &shut);
	assert_int_equal(
	    farclient_connect(&client, &gated_network, other, CLIENT, NEAR, OTHER_PORT), 0);
	assert_true(farclient_works(&client));
	farclient_end(&client);
}

/* A server elsewhere, on the same port: pg_rewind, or an application on this host. */
static void our_connection_to_another_server_goes_on(void **state)
{
	int AUTO_FD elsewhere = netfixture_far_listen(&gated_network, GATED_PORT);
	struct farclient outgoing;

	(void)state;
	assert_true(elsewhere >= 0);
	lay(&gated_cfg, &shut);
	assert_int_equal(farclient_connect(&outgoing, NULL, elsewhere, NEAR, CLIENT, GATED_PORT),
			 0);
	assert_true(farclient_works(&outgoing));
	farclient_end(&outgoing);
}

static void laid_again_it_cuts_nobody(void **state)
{
	struct farclient client;

	(void)state;
	lay(&gated_cfg, &for_ever);
	client = connect_from(CLIENT, NEAR);
	for (int i = 0; i < 10; i++) {
		struct nftlease want = until(2000);

		lay(&gated_cfg, &want);
		assert_true(farclient_works(&client));
	}
	farclient_end(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_client_is_cut_when_its_time_is_over, each),
		cmocka_unit_test_setup(an_ipv6_client_is_cut_too, each),
		cmocka_unit_test_setup(an_answer_that_comes_too_late_does_not_leave, each),
		cmocka_unit_test_setup(the_reset_of_a_connection_leaves, each),
		cmocka_unit_test_setup(a_lease_that_is_renewed_cuts_nobody, each),
		cmocka_unit_test_setup(no_moment_is_without_it_while_it_is_renewed, each),
		cmocka_unit_test_setup(the_other_node_is_never_held_back, each),
		cmocka_unit_test_setup(this_node_is_never_held_back, each),
		cmocka_unit_test_setup(other_ports_are_not_ours, each),
		cmocka_unit_test_setup(our_connection_to_another_server_goes_on, each),
		cmocka_unit_test_setup(laid_again_it_cuts_nobody, each),
	};

	return cmocka_run_group_tests(tests, gatedport_begin, gatedport_end);
}
