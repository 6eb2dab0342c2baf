/* SPDX-License-Identifier: PostgreSQL */
#include "net/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/probe_kinds.h"
#include "net/resolve.h"

/* Tells our questions from those of other processes; it is no secret, so a system that has no
 * random numbers yet (early boot) must not make us wait. */
static uint32_t new_nonce(void)
{
	uint32_t nonce;

	if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != (ssize_t)sizeof(nonce))
		nonce = (uint32_t)now_ms() * 2654435761U ^ (uint32_t)getpid();
	return nonce;
}

int probe_open(struct probe *probe, const char *address, uint16_t port, const struct deadline *dl)
{
	struct sockaddr_storage target;
	struct addr addr;
	int rc;

	*probe = PROBE_NONE;
	rc = resolve_host(&addr, address, dl);
	if (rc != 0)
		return rc;
	(void)addr_to_sockaddr(&addr, port, &target);
	memcpy(probe->target, &target, sizeof(probe->target));
	probe->port = port;
	probe->family = addr.family;
	probe->nonce = new_nonce();
	probe->id = (uint16_t)(probe->nonce ^ probe->nonce >> 16);
	rc = port == 0 ? probe_icmp_open(probe) : 0;
	if (rc != 0)
		*probe = PROBE_NONE;
	return rc;
}

void probe_close(struct probe *probe)
{
	/* A struct of zeros was never opened, and its descriptor 0 is not ours. */
	if (probe->family != 0 && probe->fd >= 0)
		(void)close(probe->fd);
	*probe = PROBE_NONE;
}

int probe_send(struct probe *probe)
{
	/* Before it leaves: a lease that counts from here can only be too short. */
	int64_t sent_ms = now_ms();
	int rc;

	if (probe->family == 0)
		return -EBADF;
	probe->sequence++;
	*probe_sent(probe, probe->sequence) = sent_ms;
	rc = probe->port == 0 ? probe_icmp_send(probe, sent_ms) : probe_tcp_send(probe);
	if (rc != 0)
		*probe_sent(probe, probe->sequence) = 0;
	return rc;
}

int64_t probe_take(struct probe *probe)
{
	if (probe->family == 0)
		return -EBADF;
	return probe->port == 0 ? probe_icmp_take(probe) : probe_tcp_take(probe);
}

struct pollfd probe_pollfd(const struct probe *probe)
{
	return (struct pollfd){ .fd = probe->family == 0 ? -1 : probe->fd,
				.events = probe->port == 0 ? POLLIN : POLLOUT };
}
