/* SPDX-License-Identifier: PostgreSQL */
#include "net/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "net/addr.h"

/*
 * A connection that goes away while the kernel lists its table can hide another one from the list,
 * so it is listed again until nothing is left.  Clients that come back quicker than we look must
 * not keep us from stopping the server, which is what comes next: hence the bound.
 */
enum { ROUNDS = 8 };
enum { SPARE_MAX = 8 };
/* The kernel fills a page at the most for the first receive, and keeps to our size after that. */
enum { LIST_SIZE = 8192, ANSWER_SIZE = 1024 };

/*
 * States in which the server may still hear or say something.  TIME_WAIT and FIN_WAIT2 are not
 * among them: that it closed such a connection was said, and older kernels cannot destroy them.
 */
static const uint32_t states = 1U << TCP_ESTABLISHED | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 |
			       1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING;

struct run {
	struct mnl_socket *list;    /* one for the table */
	struct mnl_socket *destroy; /* and one for the deeds, while the table is being read */
	unsigned int sequence;
	uint16_t port;
	struct addr spare[SPARE_MAX];
	size_t spare_count;
	const struct deadline *dl;
	int found;     /* in this round */
	int destroyed; /* in all */
	struct sockdiag_path *path;
};

static int open_socket(struct mnl_socket **out)
{
	*out = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (*out == NULL || mnl_socket_bind(*out, 0, MNL_SOCKET_AUTOPID) != 0)
		return -errno;
	return 0;
}

static void close_socket(struct mnl_socket *socket)
{
	if (socket != NULL)
		(void)mnl_socket_close(socket);
}

/* Hands the answer to the last request to `take`, up to its end.  0, -ETIMEDOUT, or -errno, also
 * that of the kernel. */
static int answer(struct mnl_socket *socket, struct run *run, mnl_cb_t take, void *buffer,
		  size_t size)
{
	const unsigned int sequence = run->sequence;
	const unsigned int portid = mnl_socket_get_portid(socket);

	for (;;) {
		struct pollfd wanted = { .fd = mnl_socket_get_fd(socket), .events = POLLIN };
		int rc = deadline_poll(&wanted, 1, run->dl);
		ssize_t got;

		if (rc <= 0)
			return rc == 0 ? -ETIMEDOUT : rc;
		got = mnl_socket_recvfrom(socket, buffer, size);
		if (got < 0)
			return -errno;
		rc = mnl_cb_run(buffer, (size_t)got, sequence, portid, take, run);
		if (rc <= MNL_CB_STOP)
			return rc == MNL_CB_STOP ? 0 : -errno;
	}
}

static int send_request(struct mnl_socket *socket, struct run *run, uint16_t type, uint16_t flags,
			const struct inet_diag_req_v2 *fixed)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 fixed;
	} request = { .header = { .nlmsg_len = sizeof(request),
				  .nlmsg_type = type,
				  .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
				  .nlmsg_seq = ++run->sequence },
		      .fixed = *fixed };

	return mnl_socket_sendto(socket, &request, sizeof(request)) < 0 ? -errno : 0;
}

static int destroy(struct run *run, const struct inet_diag_msg *connection)
{
	const struct inet_diag_req_v2 request = { .sdiag_family = connection->idiag_family,
						  .sdiag_protocol = IPPROTO_TCP,
						  .id = connection->id };
	char buffer[ANSWER_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	int rc = send_request(run->destroy, run, SOCK_DESTROY, NLM_F_ACK, &request);

	if (rc == 0)
		rc = answer(run->destroy, run, NULL, buffer, sizeof(buffer));
	if (rc == 0)
		run->destroyed++;
	/* Gone by itself meanwhile, or its place taken by a new one that the next round finds. */
	return rc == -ENOENT || rc == -ESTALE ? 0 : rc;
}

/* 1 when it is, 0 when not, or -EBADMSG. */
static int is_spared(const struct run *run, const struct inet_diag_msg *connection)
{
	struct addr remote;
	size_t size = connection->idiag_family == AF_INET ? 4 : 16;

	if (addr_from_bytes(&remote, connection->idiag_family, connection->id.idiag_dst, size) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < run->spare_count; i++) {
		if (addr_equal(&remote, &run->spare[i]))
			return 1;
	}
	return 0;
}

static int take_connection(const struct nlmsghdr *header, void *data)
{
	const struct inet_diag_msg *connection = mnl_nlmsg_get_payload(header);
	struct run *run = data;
	int rc;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*connection)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	/* The kernel was asked for this port; it is ours to be sure of what we destroy. */
	if (connection->id.idiag_sport != htons(run->port))
		return MNL_CB_OK;
	rc = is_spared(run, connection);
	if (rc == 0) {
		run->found++;
		rc = destroy(run, connection);
	}
	if (rc < 0) {
		errno = -rc;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

static int destroy_family(struct run *run, uint8_t family)
{
	const struct inet_diag_req_v2 request = { .sdiag_family = family,
						  .sdiag_protocol = IPPROTO_TCP,
						  .idiag_states = states,
						  .id.idiag_sport = htons(run->port) };
	char buffer[LIST_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	int rc = send_request(run->list, run, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request);

	if (rc == 0)
		rc = answer(run->list, run, take_connection, buffer, sizeof(buffer));
	/* no tcp_diag in this kernel */
	return rc == -ENOENT ? -EOPNOTSUPP : rc;
}

static int destroy_all(struct run *run)
{
	int rc = 0;

	for (int round = 0; round < ROUNDS; round++) {
		run->found = 0;
		rc = destroy_family(run, AF_INET);
		if (rc == 0)
			rc = destroy_family(run, AF_INET6);
		if (rc != 0 || run->found == 0)
			break;
	}
	return rc != 0 ? rc : run->destroyed;
}

int sockdiag_destroy(uint16_t port, const char *const *spare, size_t spare_count,
		     const struct deadline *dl)
{
	struct run run = { .port = port, .spare_count = spare_count, .dl = dl };
	int rc = port == 0 ? -EINVAL : 0;

	if (spare_count > SPARE_MAX)
		return -E2BIG;
	for (size_t i = 0; i < spare_count && rc == 0; i++)
		rc = addr_parse(&run.spare[i], spare[i]);
	if (rc == 0)
		rc = open_socket(&run.list);
	if (rc == 0)
		rc = open_socket(&run.destroy);
	if (rc == 0)
		rc = destroy_all(&run);
	close_socket(run.list);
	close_socket(run.destroy);
	return rc;
}

/* ---- the path of one ---- */

static int take_attribute(const struct nlattr *attribute, void *data)
{
	struct sockdiag_path *path = data;
	struct tcp_info info = { 0 };
	size_t size = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) != INET_DIAG_INFO)
		return MNL_CB_OK;
	/* The struct grows with the kernel; what is read here was in the first one. */
	memcpy(&info, mnl_attr_get_payload(attribute), size < sizeof(info) ? size : sizeof(info));
	path->mtu = info.tcpi_pmtu;
	path->unacked = info.tcpi_unacked;
	path->retransmits = info.tcpi_retransmits;
	return MNL_CB_OK;
}

static int take_path(const struct nlmsghdr *header, void *data)
{
	const struct inet_diag_msg *connection = mnl_nlmsg_get_payload(header);
	struct run *run = data;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*connection)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	run->path->unread = connection->idiag_rqueue;
	if (mnl_attr_parse(header, sizeof(*connection), take_attribute, run->path) < 0)
		return MNL_CB_ERROR;
	return MNL_CB_STOP;
}

static int request_of(struct inet_diag_req_v2 *request, const struct sockdiag_ends *ends)
{
	struct addr local = { 0 }, remote = { 0 };
	int rc = addr_parse(&local, ends->local);

	if (rc == 0)
		rc = addr_parse(&remote, ends->remote);
	if (rc == 0 && local.family != remote.family)
		rc = -EINVAL;
	if (rc < 0)
		return rc;
	*request = (struct inet_diag_req_v2){
		.sdiag_family = (uint8_t)local.family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1U << (INET_DIAG_INFO - 1),
		.idiag_states = states,
		.id = { .idiag_sport = htons(ends->local_port),
			.idiag_dport = htons(ends->remote_port),
			.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
	};
	memcpy(request->id.idiag_src, local.bytes, addr_size(&local));
	memcpy(request->id.idiag_dst, remote.bytes, addr_size(&remote));
	return 0;
}

int sockdiag_path(struct sockdiag_path *path, const struct sockdiag_ends *ends,
		  const struct deadline *dl)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	struct run run = { .path = path, .dl = dl };
	struct inet_diag_req_v2 request;
	int rc = request_of(&request, ends);

	*path = (struct sockdiag_path){ 0 };
	if (rc == 0)
		rc = open_socket(&run.list);
	if (rc == 0)
		rc = send_request(run.list, &run, SOCK_DIAG_BY_FAMILY, 0, &request);
	if (rc == 0)
		rc = answer(run.list, &run, take_path, buffer, sizeof(buffer));
	close_socket(run.list);
	return rc;
}
