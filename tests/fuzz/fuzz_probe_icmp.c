/* SPDX-License-Identifier: PostgreSQL */
/* Packets that arrive on an ICMP socket: an answer is one to a question of ours, once. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "net/addr.h"
#include "net/probe.h"
#include "net/probe_kinds.h"

#define NONCE UINT32_C(0x6e6f6e63)
#define ID    0x6964
#define SENT  INT64_C(0x0000000000303030)

static struct input packets;

/* One packet: where it is from (0: the target), its length, its bytes. */
ssize_t fake_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
		      socklen_t *from_size) FAKE(recvfrom);
ssize_t fake_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
		      socklen_t *from_size)
{
	const bool target = input_byte(&packets) % 2 == 0;
	const size_t wanted = input_byte(&packets);
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(target ? 0xc0000202 : 0xc0000203) };

	(void)fd;
	(void)flags;
	assert(*from_size >= sizeof(here));
	if (packets.left == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(from, &here, sizeof(here));
	*from_size = sizeof(here);
	return (ssize_t)input_bytes(&packets, buffer, wanted < size ? wanted : size);
}

/* Is the nonce in what is read at all? */
static bool has_nonce(const uint8_t *data, size_t size)
{
	const uint32_t nonce = NONCE;

	return size > 0 && memmem(data, size, &nonce, sizeof(nonce)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe probe = { .fd = -1, .family = AF_INET, .id = ID, .nonce = NONCE };
	const struct addr target = { .family = AF_INET, .bytes = { 192, 0, 2, 2 } };
	struct sockaddr_storage address;
	int64_t newest, open = 0;

	packets = (struct input){ data, size };
	probe.raw = input_byte(&packets) % 2 == 1;
	(void)addr_to_sockaddr(&target, 0, &address);
	memcpy(probe.target, &address, sizeof(probe.target));
	probe.sequence = ARRAY_COUNT(probe.sent_ms);
	for (size_t i = 0; i < ARRAY_COUNT(probe.sent_ms); i++)
		probe.sent_ms[i] = SENT + (int64_t)i;
	newest = probe_icmp_take(&probe);
	if (newest > 0)
		assert(newest >= SENT && newest < SENT + 16 && has_nonce(data, size));
	else
		assert(newest == 0);
	for (size_t i = 0; i < ARRAY_COUNT(probe.sent_ms); i++) {
		assert(probe.sent_ms[i] == 0 || probe.sent_ms[i] == SENT + (int64_t)i);
		assert(probe.sent_ms[i] != newest || newest == 0);
		open += probe.sent_ms[i] != 0;
	}
	assert(open == (int64_t)ARRAY_COUNT(probe.sent_ms) || newest != 0);
	return 0;
}
