/* SPDX-License-Identifier: PostgreSQL */
/* The kernel's answers are read as they are: of a kernel of tomorrow, and some that make no
 * sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "net/nftlease_link.h"

enum { PORT = 5432 };

/* ---- the kernel, in place of libmnl's sockets: one message for each question ---- */

static struct {
	char bytes[512] __attribute__((aligned(MNL_ALIGNTO)));
	bool said;
} kernel;

static struct nlmsghdr *message(void)
{
	return (struct nlmsghdr *)(void *)kernel.bytes;
}

static void say(uint16_t type)
{
	struct nlmsghdr *begun;

	memset(&kernel, 0, sizeof(kernel));
	begun = mnl_nlmsg_put_header(kernel.bytes);
	begun->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	mnl_nlmsg_put_extra_header(begun, sizeof(struct nfgenmsg));
}

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	return (struct mnl_socket *)(void *)&kernel;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl;
	(void)groups;
	(void)pid;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
	(void)nl;
	message()->nlmsg_seq = ((const struct nlmsghdr *)req)->nlmsg_seq;
	kernel.said = false;
	return (ssize_t)siz;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t siz)
{
	(void)nl;
	assert_true(message()->nlmsg_len <= siz);
	if (kernel.said) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, kernel.bytes, message()->nlmsg_len);
	kernel.said = true;
	return (ssize_t)message()->nlmsg_len;
}

/* ---- answers ---- */

static void put_key(struct nlmsghdr *to)
{
	struct nlattr *key = mnl_attr_nest_start(to, NFTA_SET_ELEM_KEY);

	mnl_attr_put_u16(to, NFTA_DATA_VALUE, htons(PORT));
	mnl_attr_nest_end(to, key);
}

/* The element, with an attribute of this kind and size before what we look for. */
static int look(uint16_t kind, size_t size, struct nftlease_sight *sight)
{
	const struct nftlease_element which = { .table = "pg_vrrp_main",
						.set = NFTLEASE_SET,
						.port = PORT };
	const char zeros[64] = "";
	struct nlattr *list, *element;

	say(NFT_MSG_NEWSETELEM);
	list = mnl_attr_nest_start(message(), NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(message(), NFTA_LIST_ELEM);
	mnl_attr_put(message(), kind, size, zeros);
	put_key(message());
	mnl_attr_put_u64(message(), NFTA_SET_ELEM_EXPIRATION, htobe64(4000));
	mnl_attr_nest_end(message(), element);
	mnl_attr_nest_end(message(), list);
	return nftlease_link_look(&which, sight);
}

/* libnftnl 1.2.4 wrote the address of such an attribute over the stack. */
static void an_attribute_of_a_newer_kernel_is_passed_over(void **unused)
{
	(void)unused;
	for (int kind = NFTA_SET_ELEM_MAX + 1; kind < NFTA_SET_ELEM_MAX + 64; kind++) {
		struct nftlease_sight sight;

		assert_int_equal(look((uint16_t)kind, 8, &sight), 0);
		assert_true(sight.there);
		assert_true(sight.timed);
		assert_int_equal(sight.left_ms, 4000);
	}
}

/* Such an attribute ended the process, and that is the guard. */
static void an_attribute_of_the_wrong_size_ends_nobody(void **unused)
{
	(void)unused;
	for (size_t size = 0; size < 16; size++) {
		struct nftlease_sight sight;
		int rc = look(NFTA_SET_ELEM_EXPIRATION, size, &sight);

		assert_int_equal(rc, size == sizeof(uint64_t) ? 0 : -EBADMSG);
		assert_int_equal(sight.there, size == sizeof(uint64_t));
		assert_int_equal(look(NFTA_SET_ELEM_FLAGS, size, &sight), 0);
		assert_true(sight.there);
	}
}

static void without_elements_there_is_none(void **unused)
{
	const struct nftlease_element which = { .table = "pg_vrrp_main",
						.set = NFTLEASE_SET,
						.port = PORT };
	struct nftlease_sight sight = { .there = true };

	(void)unused;
	say(NFT_MSG_NEWSETELEM);
	assert_int_equal(nftlease_link_look(&which, &sight), 0);
	assert_false(sight.there);
}

static void a_generation_has_four_bytes(void **unused)
{
	const char bytes[8] = { 0, 0, 0x12, 0x67 };

	(void)unused;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		uint32_t generation = 0;
		int rc;

		say(NFT_MSG_NEWGEN);
		mnl_attr_put(message(), NFTA_GEN_ID, size, bytes);
		rc = nftlease_link_generation(&generation);
		assert_int_equal(rc, size == sizeof(generation) ? 0 : -EBADMSG);
		assert_int_equal(generation, size == sizeof(generation) ? 0x1267 : 0);
	}
	say(NFT_MSG_NEWGEN);
	assert_int_equal(nftlease_link_generation(&(uint32_t){ 0 }), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attribute_of_a_newer_kernel_is_passed_over),
		cmocka_unit_test(an_attribute_of_the_wrong_size_ends_nobody),
		cmocka_unit_test(without_elements_there_is_none),
		cmocka_unit_test(a_generation_has_four_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
