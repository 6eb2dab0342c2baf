/* SPDX-License-Identifier: PostgreSQL */
/* Packets of strangers on the segment: only an answer of ARP for the address, and only VRRP of a
 * router id that was asked for, say that somebody is there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "fuzz.h"
#include "net/segment.h"

#define FIRST 51

static struct input packets;

unsigned int fake_if_nametoindex(const char *name) FAKE(if_nametoindex);
unsigned int fake_if_nametoindex(const char *name)
{
	return name != NULL ? 2 : 0;
}

int fake_socket(int family, int type, int protocol) FAKE(socket);
int fake_socket(int family, int type, int protocol)
{
	(void)family;
	(void)type;
	(void)protocol;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
    FAKE(setsockopt);
int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	(void)level;
	(void)name;
	(void)size;
	return fd >= 0 && value != NULL ? 0 : -1;
}

int fake_bind(int fd, const struct sockaddr *at, socklen_t size) FAKE(bind);
int fake_bind(int fd, const struct sockaddr *at, socklen_t size)
{
	(void)size;
	return fd >= 0 && at != NULL ? 0 : -1;
}

int fake_getsockname(int fd, struct sockaddr *at, socklen_t *size) FAKE(getsockname);
int fake_getsockname(int fd, struct sockaddr *at, socklen_t *size)
{
	struct sockaddr_ll own = { .sll_family = AF_PACKET, .sll_ifindex = 2, .sll_halen = 6 };

	(void)fd;
	assert(*size == sizeof(own));
	memcpy(at, &own, sizeof(own));
	*size = sizeof(own);
	return 0;
}

ssize_t fake_sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
		    socklen_t to_size) FAKE(sendto);
ssize_t fake_sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
		    socklen_t to_size)
{
	(void)fd;
	(void)bytes;
	(void)flags;
	(void)to;
	(void)to_size;
	return (ssize_t)size;
}

int fake_deadline_poll(struct pollfd *fds, nfds_t count, const struct deadline *dl)
    FAKE(deadline_poll);
int fake_deadline_poll(struct pollfd *fds, nfds_t count, const struct deadline *dl)
{
	(void)fds;
	(void)count;
	(void)dl;
	return packets.left > 0 ? 1 : -ETIMEDOUT;
}

/* One packet: its length, its bytes. */
ssize_t fake_recv(int fd, void *buffer, size_t size, int flags) FAKE(recv);
ssize_t fake_recv(int fd, void *buffer, size_t size, int flags)
{
	size_t wanted = input_byte(&packets);

	(void)fd;
	(void)flags;
	if (packets.left == 0) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)input_bytes(&packets, buffer, wanted < size ? wanted : size);
}

static bool has(const uint8_t *data, size_t size, const char *bytes, size_t length)
{
	return size >= length && memmem(data, size, bytes, length) != NULL;
}

static void vrrp(const uint8_t *data, size_t size)
{
	static const char *const known[2] = { "192.0.2.1", "192.0.2.2" };
	const struct deadline dl = deadline_in_ms(60000);
	char from[INET_ADDRSTRLEN] = "";
	struct in_addr address;
	const int rc = segment_vrrp("eth0", FIRST, known, from, sizeof(from), &dl);

	if (rc <= 0)
		return;
	assert(inet_pton(AF_INET, from, &address) == 1);
	assert(strcmp(from, known[0]) != 0 && strcmp(from, known[1]) != 0);
	assert(has(data, size, (const char *)&address, sizeof(address)));
	assert(memchr(data, FIRST, size) != NULL || memchr(data, FIRST + 1, size) != NULL);
}

static void arp(const uint8_t *data, size_t size)
{
	static const char address[] = { (char)192, 0, 2, 9 };
	const struct deadline dl = deadline_in_ms(60000);
	struct segment_hosts hosts;

	(void)segment_answers(&hosts, "eth0", "192.0.2.9", 1000, &dl);
	assert(hosts.count <= SEGMENT_HOSTS_MAX);
	assert(hosts.count == 0 || has(data, size, address, sizeof(address)));
	for (size_t i = 0; i < hosts.count; i++)
		assert(strlen(hosts.lladdr[i]) == 17);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	packets = (struct input){ data, size };
	if (input_byte(&packets) % 2 == 0)
		vrrp(data, size);
	else
		arp(data, size);
	return 0;
}
