/* SPDX-License-Identifier: PostgreSQL */
/* A host that is cut off for a drill: from everybody, but for the cluster's address, and no longer
 * than the kernel was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gatedport.h"
#include "net/isolation.h"

enum { OTHER_PORT = 5433 };

static struct cfg cfg; /* the far host has the address, as after a takeover */

static void begin(int64_t ms)
{
	const struct deadline dl = deadline_in_ms(5000);
	char why[200] = "";
	int rc = isolation_begin(&cfg, ms, &dl, why, sizeof(why));

	if (rc != 0)
		fail_msg("%d: %s", rc, why);
}

static void end(void)
{
	const struct deadline dl = deadline_in_ms(5000);
	char why[200] = "";

	assert_int_equal(isolation_end(&cfg, &dl, why, sizeof(why)), 0);
}

static int comes_in(const char *from, const char *to)
{
	struct farclient made;
	int rc = farclient_connect(&made, &gated_network, gated_listener, from, to, GATED_PORT);

	if (rc == 0)
		farclient_end(&made);
	return rc;
}

static void nobody_comes_in_until_it_ends(void **state)
{
	(void)state;
	assert_int_equal(comes_in(CLIENT, NEAR), 0);
	begin(60000);
	assert_int_not_equal(comes_in(CLIENT, NEAR), 0);
	assert_int_not_equal(comes_in(FAR, NEAR), 0);
	assert_int_not_equal(comes_in(CLIENT6, NEAR6), 0);
	/* Once more, as a second drill would. */
	begin(60000);
	assert_int_not_equal(comes_in(CLIENT, NEAR), 0);
	end();
	assert_int_equal(comes_in(CLIENT, NEAR), 0);
	assert_int_equal(comes_in(CLIENT6, NEAR6), 0);
	/* There is none. */
	end();
}

static int goes_out(int listener, uint16_t port)
{
	struct farclient made;
	int rc = farclient_connect(&made, NULL, listener, NEAR, FAR, port);

	if (rc == 0)
		farclient_end(&made);
	return rc;
}

/* By them the drill sees when the other node serves. */
static void only_our_connections_to_the_address_go_out(void **state)
{
	const int address = netfixture_far_listen(&gated_network, GATED_PORT);
	const int other = netfixture_far_listen(&gated_network, OTHER_PORT);

	(void)state;
	assert_true(address >= 0 && other >= 0);
	assert_int_equal(goes_out(other, OTHER_PORT), 0);
	begin(60000);
	assert_int_equal(goes_out(address, GATED_PORT), 0);
	assert_int_not_equal(goes_out(other, OTHER_PORT), 0);
	end();
	assert_int_equal(goes_out(other, OTHER_PORT), 0);
	(void)close(address);
	(void)close(other);
}

static void connection_that_stood_goes_on_behind_it(void **state)
{
	struct farclient client;

	(void)state;
	assert_int_equal(
	    farclient_connect(&client, &gated_network, gated_listener, CLIENT, NEAR, GATED_PORT),
	    0);
	assert_true(farclient_works(&client));
	begin(60000);
	assert_int_equal(send(client.client, "q", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(farclient_hears(client.server, 500), 0);
	end();
	assert_int_equal(farclient_hears(client.server, 5000), 'q');
	farclient_end(&client);
}

static void kernel_ends_it(void **state)
{
	const struct deadline limit = deadline_in_ms(10000);

	(void)state;
	begin(1500);
	assert_int_not_equal(comes_in(CLIENT, NEAR), 0);
	while (comes_in(CLIENT, NEAR) != 0)
		assert_false(deadline_passed(&limit));
	end();
}

static void address_that_is_no_address_is_refused(void **state)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct cfg none = { .name = "main", .port = GATED_PORT, .vip = "" };
	char why[200] = "";

	(void)state;
	assert_int_equal(isolation_begin(&none, 1000, &dl, why, sizeof(why)), -EINVAL);
	assert_int_not_equal(why[0], '\0');
	assert_int_equal(isolation_begin(&cfg, 0, &dl, why, sizeof(why)), -EINVAL);
}

static int set_up(void **state)
{
	cfg = gated_cfg;
	(void)snprintf(cfg.vip, sizeof(cfg.vip), "%s", FAR);
	return gatedport_begin(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_comes_in_until_it_ends),
		cmocka_unit_test(only_our_connections_to_the_address_go_out),
		cmocka_unit_test(connection_that_stood_goes_on_behind_it),
		cmocka_unit_test(kernel_ends_it),
		cmocka_unit_test(address_that_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, gatedport_end);
}
