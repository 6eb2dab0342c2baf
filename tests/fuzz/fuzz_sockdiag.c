/* SPDX-License-Identifier: PostgreSQL */
/* The kernel's list of connections (sockdiag.h): only those of our port are destroyed, and never
 * one with an address that is to be spared. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "base/deadline.h"
#include "mnl.h"
#include "net/addr.h"
#include "net/sockdiag.h"

#define PORT 5432

static const char *const spare[] = { "192.0.2.2", "2001:db8::2" };
static int destroyed;

static void sent(const struct nlmsghdr *question, size_t size)
{
	struct inet_diag_req_v2 asked;
	struct addr remote, spared;

	assert(size >= sizeof(*question) + sizeof(asked));
	memcpy(&asked, question + 1, sizeof(asked));
	assert(asked.sdiag_protocol == IPPROTO_TCP);
	assert(asked.sdiag_family == AF_INET || asked.sdiag_family == AF_INET6);
	assert(asked.id.idiag_sport == htons(PORT));
	if (question->nlmsg_type != SOCK_DESTROY)
		return;
	destroyed++;
	assert(addr_from_bytes(&remote, asked.sdiag_family, asked.id.idiag_dst,
			       asked.sdiag_family == AF_INET ? 4 : 16) == 0);
	for (size_t i = 0; i < ARRAY_COUNT(spare); i++)
		assert(addr_parse(&spared, spare[i]) == 0 && !addr_equal(&remote, &spared));
}

/* The path of one connection is asked for, and nothing is destroyed for it. */
static void look_at_path(struct input in)
{
	static const struct sockdiag_ends ends = { "192.0.2.1", "192.0.2.2", PORT, 40000 };
	const struct deadline dl = deadline_in_ms(5000);
	const int before = destroyed;
	struct sockdiag_path path;

	mnl_begin(in, sent);
	assert(sockdiag_path(&path, &ends, &dl) <= 0);
	assert(destroyed == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct deadline dl = deadline_in_ms(5000);
	int rc;

	destroyed = 0;
	mnl_begin((struct input){ data, size }, sent);
	rc = sockdiag_destroy(PORT, spare, ARRAY_COUNT(spare), &dl);
	assert(rc <= destroyed);
	look_at_path((struct input){ data, size });
	return 0;
}
