/* SPDX-License-Identifier: PostgreSQL */
/* Answers of rtnetlink (net*.c) through libnl's own reader: what cannot be understood is an error
 * or unknown, never "not there". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/outcome.h"
#include "fuzz.h"
#include "net/net.h"

#define ROUNDS 64

static struct input answers;
static int receives;
static int removals;

int fake_nl_send_auto(struct nl_sock *sock, struct nl_msg *msg) FAKE(nl_send_auto);
int fake_nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	(void)sock;
	(void)msg;
	removals++;
	return 0;
}

/* One datagram: its length in two bytes, and its bytes. */
static int receive(struct nl_sock *sock, struct sockaddr_nl *from, unsigned char **buffer,
		   struct ucred **credentials)
{
	size_t size = input_byte(&answers);

	(void)sock;
	(void)credentials;
	size = size << 8 | input_byte(&answers);
	*from = (struct sockaddr_nl){ .nl_family = AF_NETLINK };
	if (answers.left == 0 || size == 0 || ++receives > ROUNDS)
		return -NLE_AGAIN;
	*buffer = malloc(size);
	assert(*buffer != NULL);
	memset(*buffer, 0, size);
	(void)input_bytes(&answers, *buffer, size);
	return (int)size;
}

int fake_nl_recvmsgs_default(struct nl_sock *sock) FAKE(nl_recvmsgs_default);
int fake_nl_recvmsgs_default(struct nl_sock *sock)
{
	struct nl_cb *cb = nl_socket_get_cb(sock);
	int rc;

	/* The numbers of the questions are not known to the input. */
	nl_socket_disable_seq_check(sock);
	nl_cb_overwrite_recv(cb, receive);
	rc = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	return rc;
}

static void look(const char *address)
{
	char lladdr[32] = "x";
	int rc = net_has_address(address, "lo");

	assert(rc <= 1);
	if (net_neighbour(address, lladdr, sizeof(lladdr)) != FACT_YES)
		assert(lladdr[0] == '\0');
	assert(fuzz_is_clean(lladdr));
	assert(net_neighbour_forget(address) <= 0);
	assert(net_link_up("lo") <= 1);
	rc = net_remove_address(address);
	assert(rc <= removals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	answers = (struct input){ data, size };
	receives = removals = 0;
	look(input_byte(&answers) % 2 == 0 ? "127.0.0.1" : "2001:db8::1");
	return 0;
}
