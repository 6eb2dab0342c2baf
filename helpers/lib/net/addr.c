/* SPDX-License-Identifier: PostgreSQL */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16, MAPPED_PREFIX = 12 };

int addr_from_bytes(struct addr *addr, int family, const void *bytes, size_t size)
{
	static const unsigned char mapped[MAPPED_PREFIX] = { [10] = 0xff, [11] = 0xff };

	*addr = (struct addr){ .family = family };
	if (family == AF_INET && size == IPV4_SIZE) {
		memcpy(addr->bytes, bytes, IPV4_SIZE);
		return 0;
	}
	if (family != AF_INET6 || size != IPV6_SIZE)
		return -EINVAL;
	memcpy(addr->bytes, bytes, IPV6_SIZE);
	if (memcmp(addr->bytes, mapped, MAPPED_PREFIX) != 0)
		return 0;
	*addr = (struct addr){ .family = AF_INET };
	memcpy(addr->bytes, (const unsigned char *)bytes + MAPPED_PREFIX, IPV4_SIZE);
	return 0;
}

int addr_parse(struct addr *addr, const char *text)
{
	char number[INET6_ADDRSTRLEN];
	unsigned char bytes[IPV6_SIZE];
	const char *scope = strchr(text, '%');
	size_t length = scope == NULL ? strlen(text) : (size_t)(scope - text);
	int rc;

	if (length >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, length);
	number[length] = '\0';
	if (scope == NULL && inet_pton(AF_INET, number, bytes) == 1)
		return addr_from_bytes(addr, AF_INET, bytes, IPV4_SIZE);
	if (inet_pton(AF_INET6, number, bytes) != 1)
		return -EINVAL;
	rc = addr_from_bytes(addr, AF_INET6, bytes, IPV6_SIZE);
	if (rc != 0 || scope == NULL)
		return rc;
	if (addr->family != AF_INET6)
		return -EINVAL;
	addr->scope = if_nametoindex(scope + 1);
	return addr->scope == 0 ? -errno : 0;
}

uint8_t addr_size(const struct addr *addr)
{
	return addr->family == AF_INET ? IPV4_SIZE : IPV6_SIZE;
}

bool addr_equal(const struct addr *one, const struct addr *other)
{
	if (one->family != other->family ||
	    memcmp(one->bytes, other->bytes, sizeof(one->bytes)) != 0)
		return false;
	return one->scope == 0 || other->scope == 0 || one->scope == other->scope;
}

socklen_t addr_to_sockaddr(const struct addr *addr, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port),
				    .sin6_scope_id = addr->scope };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };

	memset(out, 0, sizeof(*out));
	if (addr->family == AF_INET) {
		memcpy(&four.sin_addr, addr->bytes, IPV4_SIZE);
		memcpy(out, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, addr->bytes, IPV6_SIZE);
	memcpy(out, &six, sizeof(six));
	return sizeof(six);
}

int addr_from_sockaddr(struct addr *addr, const struct sockaddr_storage *from)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	int rc;

	if (from->ss_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		return addr_from_bytes(addr, AF_INET, &four.sin_addr, IPV4_SIZE);
	}
	if (from->ss_family != AF_INET6)
		return -EINVAL;
	memcpy(&six, from, sizeof(six));
	rc = addr_from_bytes(addr, AF_INET6, &six.sin6_addr, IPV6_SIZE);
	if (rc == 0 && addr->family == AF_INET6)
		addr->scope = six.sin6_scope_id;
	return rc;
}
