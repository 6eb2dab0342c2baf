/* SPDX-License-Identifier: PostgreSQL */
/* Clients are reset at once; replication, the listening socket and other servers are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/sockdiag.h"
#include "netfixture.h"

enum { SERVER = 5432, OTHER_SERVER = 5433, MANY = 300 };

#define SPARED  "127.0.0.2"
#define CLIENT  "127.0.0.3"
#define CLIENT6 "::1"

static struct netfixture fixture;

/* A connection seen from both ends; both are blocking. */
struct connection {
	int client;
	int server;
};

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

static socklen_t sockaddr_of(const char *address, uint16_t port, struct sockaddr_storage *out)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, address), 0);
	return addr_to_sockaddr(&addr, port, out);
}

static int listen_on(const char *address, uint16_t port)
{
	const int yes = 1;
	struct sockaddr_storage here;
	socklen_t size = sockaddr_of(address, port, &here);
	int fd = socket(here.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, size), 0);
	assert_int_equal(listen(fd, MANY), 0);
	return fd;
}

/* Connects from one address to another and takes the connection at the listener. */
static struct connection connect_to(int listener, const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage address;
	struct connection connection;
	socklen_t size = sockaddr_of(from, 0, &address);

	connection.client = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(connection.client >= 0);
	assert_int_equal(bind(connection.client, (struct sockaddr *)&address, size), 0);
	size = sockaddr_of(to, port, &address);
	assert_int_equal(connect(connection.client, (struct sockaddr *)&address, size), 0);
	connection.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection.server >= 0);
	return connection;
}

/* A byte in each direction arrives. */
static bool works(const struct connection *connection)
{
	char byte;

	return send(connection->client, "q", 1, MSG_NOSIGNAL) == 1 &&
	       recv(connection->server, &byte, 1, 0) == 1 && byte == 'q' &&
	       send(connection->server, "a", 1, MSG_NOSIGNAL) == 1 &&
	       recv(connection->client, &byte, 1, 0) == 1 && byte == 'a';
}

/* The client learns it at once, and as a reset: not by a timeout, not as an orderly end. */
static void assert_reset(const struct connection *connection)
{
	struct pollfd wanted = { .fd = connection->client, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&wanted, 1, 1000), 1);
	assert_int_equal(recv(connection->client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(recv(connection->server, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNABORTED);
}

static void hang_up(const struct connection *connection)
{
	assert_int_equal(close(connection->client), 0);
	assert_int_equal(close(connection->server), 0);
}

static int destroy(const char *const *spare, size_t count)
{
	struct deadline limit = deadline_in_ms(3000);

	return sockdiag_destroy(SERVER, spare, count, &limit);
}

static void a_client_is_reset_at_once(void **state)
{
	int listener = listen_on("0.0.0.0", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);

	(void)state;
	assert_true(works(&client));
	assert_int_equal(destroy(NULL, 0), 1);
	assert_reset(&client);
	assert_int_equal(destroy(NULL, 0), 0);
	hang_up(&client);
	assert_int_equal(close(listener), 0);
}

static void an_ipv6_client_is_reset_too(void **state)
{
	int listener = listen_on("::", SERVER);
	struct connection client = connect_to(listener, CLIENT6, CLIENT6, SERVER);

	(void)state;
	assert_true(works(&client));
	assert_int_equal(destroy(NULL, 0), 1);
	assert_reset(&client);
	hang_up(&client);
	assert_int_equal(close(listener), 0);
}

static void an_ipv4_client_of_an_ipv6_socket_is_reset_too(void **state)
{
	const char *const spare[] = { SPARED };
	int listener = listen_on("::", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	struct connection peer = connect_to(listener, SPARED, "127.0.0.1", SERVER);

	(void)state;
	assert_int_equal(destroy(spare, 1), 1);
	assert_reset(&client);
	assert_true(works(&peer));
	hang_up(&client);
	hang_up(&peer);
	assert_int_equal(close(listener), 0);
}

static void who_is_spared_goes_on(void **state)
{
	const char *const spare[] = { "192.0.2.99", SPARED, NEAR6 };
	int listener = listen_on("0.0.0.0", SERVER);
	int listener6 = listen_on(NEAR6, SERVER);
	struct connection peer = connect_to(listener, SPARED, "127.0.0.1", SERVER);
	struct connection peer6 = connect_to(listener6, NEAR6, NEAR6, SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);

	(void)state;
	assert_int_equal(destroy(spare, 3), 1);
	assert_reset(&client);
	assert_true(works(&peer));
	assert_true(works(&peer6));
	/* the same connections are no longer spared when nobody is */
	assert_int_equal(destroy(NULL, 0), 2);
	assert_reset(&peer);
	assert_reset(&peer6);
	hang_up(&peer);
	hang_up(&peer6);
	hang_up(&client);
	assert_int_equal(close(listener), 0);
	assert_int_equal(close(listener6), 0);
}

static void the_listening_socket_stays(void **state)
{
	int listener = listen_on("0.0.0.0", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	struct connection again;

	(void)state;
	assert_int_equal(destroy(NULL, 0), 1);
	again = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	assert_true(works(&again));
	hang_up(&client);
	hang_up(&again);
	assert_int_equal(close(listener), 0);
}

static void other_ports_are_not_ours(void **state)
{
	int listener = listen_on("0.0.0.0", OTHER_SERVER);
	struct connection other = connect_to(listener, CLIENT, "127.0.0.1", OTHER_SERVER);

	(void)state;
	assert_int_equal(destroy(NULL, 0), 0);
	assert_true(works(&other));
	hang_up(&other);
	assert_int_equal(close(listener), 0);
}

/* Our own connection to a server elsewhere on the same port: only the local port counts. */
static void our_connection_to_another_server_goes_on(void **state)
{
	int listener = netfixture_far_listen(&fixture, SERVER);
	struct connection outgoing;

	(void)state;
	assert_true(listener >= 0);
	outgoing = connect_to(listener, NEAR, FAR, SERVER);
	assert_int_equal(destroy(NULL, 0), 0);
	assert_true(works(&outgoing));
	hang_up(&outgoing);
	assert_int_equal(close(listener), 0);
}

static void a_connection_nobody_has_accepted_is_reset(void **state)
{
	int listener = listen_on("0.0.0.0", SERVER);
	struct sockaddr_storage to;
	socklen_t size = sockaddr_of("127.0.0.1", SERVER, &to);
	int AUTO_FD client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd wanted = { .fd = client, .events = POLLIN };
	char byte;

	(void)state;
	assert_int_equal(connect(client, (struct sockaddr *)&to, size), 0);
	assert_int_equal(destroy(NULL, 0), 1);
	assert_int_equal(poll(&wanted, 1, 1000), 1);
	assert_int_equal(recv(client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(close(listener), 0);
}

static void of_very_many_none_is_left(void **state)
{
	static struct connection clients[MANY];
	const char *const spare[] = { SPARED };
	int listener = listen_on("::", SERVER);
	struct connection peer;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		if (i == MANY / 2)
			peer = connect_to(listener, SPARED, "127.0.0.1", SERVER);
		clients[i] = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	}
	assert_int_equal(destroy(spare, 1), MANY);
	for (int i = 0; i < MANY; i++) {
		assert_reset(&clients[i]);
		hang_up(&clients[i]);
	}
	assert_true(works(&peer));
	hang_up(&peer);
	assert_int_equal(close(listener), 0);
}

static void a_spared_address_that_is_none_touches_nobody(void **state)
{
	const char *const wrong[] = { "peer.example" };
	const char *const many[] = {
		"::1", "::2", "::3", "::4", "::5", "::6", "::7", "::8", "::9"
	};
	int listener = listen_on("0.0.0.0", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);

	(void)state;
	assert_int_equal(destroy(wrong, 1), -EINVAL);
	assert_int_equal(destroy(many, ARRAY_COUNT(many)), -E2BIG);
	assert_true(works(&client));
	hang_up(&client);
	assert_int_equal(close(listener), 0);
}

static void port_zero_is_not_every_port(void **state)
{
	struct deadline limit = deadline_in_ms(3000);
	int listener = listen_on("0.0.0.0", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);

	(void)state;
	assert_int_equal(sockdiag_destroy(0, NULL, 0, &limit), -EINVAL);
	assert_true(works(&client));
	hang_up(&client);
	assert_int_equal(close(listener), 0);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in here = { .sin_port = 0 };
	socklen_t size = sizeof(here);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
	return ntohs(here.sin_port);
}

static void the_path_of_one_is_known_at_either_end(void **state)
{
	struct deadline limit = deadline_in_ms(3000);
	int listener = listen_on("127.0.0.1", SERVER);
	struct connection one = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	struct connection other = connect_to(listener, CLIENT, "127.0.0.1", SERVER);
	struct sockdiag_ends server = { "127.0.0.1", CLIENT, SERVER, port_of(one.client) };
	struct sockdiag_ends client = { CLIENT, "127.0.0.1", port_of(one.client), SERVER };
	struct sockdiag_path path;

	(void)state;
	assert_int_equal(send(one.client, "abc", 3, MSG_NOSIGNAL), 3);
	assert_int_equal(send(other.client, "other", 5, MSG_NOSIGNAL), 5);
	assert_int_equal(sockdiag_path(&path, &server, &limit), 0);
	assert_int_equal(path.unread, 3);
	assert_true(path.mtu > 1500); /* the loopback's */
	assert_int_equal(sockdiag_path(&path, &client, &limit), 0);
	assert_int_equal(path.unread, 0);
	hang_up(&one);
	hang_up(&other);
	client.local_port = 1;
	assert_int_equal(sockdiag_path(&path, &client, &limit), -ENOENT);
	assert_int_equal(close(listener), 0);
}

/* Runs in a child, so that the right is lost there only. */
static int destroy_without_right(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(255);
		_exit(-destroy(NULL, 0) & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void without_the_right_it_says_so(void **state)
{
	int listener = listen_on("0.0.0.0", SERVER);
	struct connection client = connect_to(listener, CLIENT, "127.0.0.1", SERVER);

	(void)state;
	assert_int_equal(destroy_without_right(), -EPERM);
	assert_true(works(&client));
	hang_up(&client);
	assert_int_equal(close(listener), 0);
}

static void no_descriptor_stays_open(void **state)
{
	const char *const wrong[] = { "peer.example" };
	int before = netfixture_descriptors();

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(destroy(NULL, 0), 0);
		assert_int_equal(destroy(wrong, 1), -EINVAL);
	}
	assert_int_equal(netfixture_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_reset_at_once),
		cmocka_unit_test(an_ipv6_client_is_reset_too),
		cmocka_unit_test(an_ipv4_client_of_an_ipv6_socket_is_reset_too),
		cmocka_unit_test(who_is_spared_goes_on),
		cmocka_unit_test(the_listening_socket_stays),
		cmocka_unit_test(other_ports_are_not_ours),
		cmocka_unit_test(our_connection_to_another_server_goes_on),
		cmocka_unit_test(a_connection_nobody_has_accepted_is_reset),
		cmocka_unit_test(of_very_many_none_is_left),
		cmocka_unit_test(a_spared_address_that_is_none_touches_nobody),
		cmocka_unit_test(port_zero_is_not_every_port),
		cmocka_unit_test(the_path_of_one_is_known_at_either_end),
		cmocka_unit_test(without_the_right_it_says_so),
		cmocka_unit_test(no_descriptor_stays_open),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
