/* SPDX-License-Identifier: PostgreSQL */
#include "net/net_ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

/* Bounds one receive. The kernel answers within the system call that asks; only a kernel that is in
 * trouble makes us wait at all. */
enum { RECEIVE_SECONDS = 1 };
/* An answer is a message and its acknowledgement: two receives, or a few more when the kernel
 * splits it.  A dump is followed to its end by libnl itself. */
enum { RECEIVES_MAX = 8 };

struct answer {
	net_message_fn *take;
	void *what;
	bool over;
	int error; /* -errno as the kernel said it: libnl's own codes merge several */
};

static void auto_sock_free(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

#define AUTO_SOCK __attribute__((cleanup(auto_sock_free)))

static int on_message(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	if (answer->take != NULL && answer->error == 0)
		answer->error = answer->take(nlmsg_hdr(msg), answer->what);
	return NL_OK;
}

/* The end of a dump carries the error that cut it short, which libnl does not look at. */
static int on_dump_end(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int error;

	if (answer->error == 0 && nlmsg_datalen(header) >= (int)sizeof(error)) {
		memcpy(&error, nlmsg_data(header), sizeof(error));
		answer->error = error;
	}
	answer->over = true;
	return NL_OK;
}

static int on_acknowledgement(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->over = true;
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct answer *answer = arg;

	(void)from;
	answer->error = error->error;
	answer->over = true;
	return NL_STOP;
}

/* An error of libnl that did not come from the kernel's answer. */
static int error_of(int libnl_error)
{
	switch (-libnl_error) {
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int open_socket(struct nl_sock **out, struct answer *answer)
{
	static const struct timeval limit = { .tv_sec = RECEIVE_SECONDS };
	struct nl_sock AUTO_SOCK *sock = nl_socket_alloc();
	int rc;

	if (sock == NULL)
		return -ENOMEM;
	rc = nl_connect(sock, NETLINK_ROUTE);
	if (rc < 0)
		return error_of(rc);
	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		return -errno;
	if (nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, answer) < 0 ||
	    nl_socket_modify_cb(sock, NL_CB_FINISH, NL_CB_CUSTOM, on_dump_end, answer) < 0 ||
	    nl_socket_modify_cb(sock, NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgement, answer) < 0 ||
	    nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, answer) < 0)
		return -EIO;
	*out = sock;
	sock = NULL;
	return 0;
}

int net_ask(struct nl_msg *request, net_message_fn *take, void *what)
{
	struct answer answer = { .take = take, .what = what };
	struct nl_sock AUTO_SOCK *sock = NULL;
	int rc = open_socket(&sock, &answer);

	if (rc != 0)
		return rc;
	rc = nl_send_auto(sock, request);
	for (int receives = 0; rc >= 0 && !answer.over && receives < RECEIVES_MAX; receives++)
		rc = nl_recvmsgs_default(sock);
	/* The kernel's errors are negative; a caller would take another one for a "yes". */
	if (answer.error != 0)
		return answer.error < 0 ? answer.error : -EBADMSG;
	if (rc < 0)
		return error_of(rc);
	return answer.over ? 0 : -EPROTO;
}

struct nl_msg *net_request(int type, int flags, void *fixed, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg != NULL && nlmsg_append(msg, fixed, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int net_attributes(const struct nlmsghdr *header, size_t size, struct nlattr *attributes[], int max)
{
	/* nlmsg_parse only reads; its prototype is older than const. */
	struct nlmsghdr *readable = (struct nlmsghdr *)(uintptr_t)header;

	return nlmsg_parse(readable, (int)size, attributes, max, NULL) < 0 ? -EINVAL : 0;
}
