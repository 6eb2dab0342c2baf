/* SPDX-License-Identifier: PostgreSQL */
#include "net/nftlease_link.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "net/nftlease_read.h"

/* Our largest request has four small messages, the longest list one element. */
enum { REQUEST_SIZE = 2048, ANSWER_SIZE = 8192 };

/*
 * One for the life of the process: when a socket of nftables is closed, the kernel first frees all
 * that was ever deleted, which takes some 10 ms (Linux 6.18); a transaction takes 0.05 ms.
 */
static struct mnl_socket *kept;
static uint32_t sequence;

static int open_socket(void)
{
	int rc;

	if (kept != NULL)
		return 0;
	kept = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (kept == NULL)
		return errno == EPROTONOSUPPORT ? -EOPNOTSUPP : -errno;
	if (mnl_socket_bind(kept, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	rc = -errno;
	(void)mnl_socket_close(kept);
	kept = NULL;
	return rc;
}

/* ---- a request: one message, or the several of a transaction ---- */

struct request {
	char bytes[REQUEST_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	size_t length;
	uint32_t first; /* sequence numbers, by which its answers are known */
};

static char *next_place(struct request *request)
{
	if (request->length == 0)
		request->first = sequence + 1;
	return request->bytes + request->length;
}

static void put_done(struct request *request, const struct nlmsghdr *message)
{
	request->length += (size_t)MNL_ALIGN((int)message->nlmsg_len);
}

static struct nlmsghdr *put_message(struct request *request, enum nf_tables_msg_types type,
				    int flags)
{
	char *place = next_place(request);

	return nftnl_nlmsg_build_hdr(place, (uint16_t)type, NFPROTO_INET, (uint16_t)flags,
				     ++sequence);
}

static void put_begin(struct request *request, const uint32_t *generation)
{
	char *place = next_place(request);
	struct nlmsghdr *message = nftnl_batch_begin(place, ++sequence);

	if (generation != NULL)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(*generation));
	put_done(request, message);
}

static void put_end(struct request *request)
{
	char *place = next_place(request);

	put_done(request, nftnl_batch_end(place, ++sequence));
}

/* ---- answers ---- */

/* The error that a message is, 0 for an acknowledgement and for everything else. */
static int error_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != NLMSG_ERROR)
		return 0;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error))
		return -EBADMSG;
	/* The kernel's errors are negative; a caller would not take another one for a failure. */
	if (error->error > 0)
		return -EBADMSG;
	return error->error == -ERESTART ? -ESTALE : error->error;
}

/* Is it an answer to this request, and not a late one to another? */
static bool is_answer(const struct nlmsghdr *message, const struct request *request)
{
	return message->nlmsg_seq - request->first <= sequence - request->first;
}

/*
 * The kernel works a request off, and queues the answers, before the send returns: nothing is
 * waited for, and an empty queue is the end.  The first error is the cause; the others are of
 * messages that were given up for it.
 */
static int take_answers(const struct request *request, mnl_cb_t take, void *data)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	bool heard = false;
	int rc = 0;

	for (;;) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)buffer;
		ssize_t got = mnl_socket_recvfrom(kept, buffer, sizeof(buffer));
		int left = (int)got;

		if (got < 0 && errno == EAGAIN)
			return heard ? rc : -EPROTO;
		if (got < 0)
			return -errno;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			if (!is_answer(message, request))
				continue;
			heard = true;
			if (rc == 0)
				rc = error_of(message);
			if (rc == 0 && take != NULL && message->nlmsg_type >= NLMSG_MIN_TYPE &&
			    take(message, data) < 0)
				rc = -EBADMSG;
		}
	}
}

static int ask(const struct request *request, mnl_cb_t take, void *data)
{
	int rc = open_socket();

	if (rc == 0 && mnl_socket_sendto(kept, request->bytes, request->length) < 0)
		rc = -errno;
	return rc == 0 ? take_answers(request, take, data) : rc;
}

/* ---- the element ---- */

/* The set as messages name it.  NULL without memory. */
static struct nftnl_set *describe_set(const struct nftlease_element *element)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (set == NULL)
		return NULL;
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, element->table) == 0 &&
	    nftnl_set_set_str(set, NFTNL_SET_NAME, element->set) == 0)
		return set;
	nftnl_set_free(set);
	return NULL;
}

static struct nftnl_set *describe_element(const struct nftlease_element *element,
					  uint64_t timeout_ms)
{
	const uint16_t key = htons(element->port);
	struct nftnl_set *set = describe_set(element);
	struct nftnl_set_elem *one = set != NULL ? nftnl_set_elem_alloc() : NULL;

	if (one == NULL)
		goto fail;
	/* From here on the set frees it. */
	nftnl_set_elem_add(set, one);
	if (nftnl_set_elem_set(one, NFTNL_SET_ELEM_KEY, &key, sizeof(key)) != 0)
		goto fail;
	if (timeout_ms > 0)
		nftnl_set_elem_set_u64(one, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
	return set;
fail:
	if (set != NULL)
		nftnl_set_free(set);
	return NULL;
}

static int put_element(struct request *request, const struct nftlease_element *element,
		       enum nf_tables_msg_types type, uint64_t timeout_ms)
{
	const int flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nftnl_set *set = describe_element(element, timeout_ms);
	struct nlmsghdr *message;

	if (set == NULL)
		return -ENOMEM;
	message = put_message(request, type, NLM_F_ACK | flags);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	put_done(request, message);
	nftnl_set_free(set);
	return 0;
}

enum deed { DEED_DELETE = 1, DEED_ADD = 2 }; /* bits */

/* The kernel does both or neither, and no packet sees the element missing in between. */
static int transact(const struct nftlease_element *element, int deeds, uint64_t timeout_ms)
{
	struct request request = { .length = 0 };
	int rc = 0;

	put_begin(&request, element->generation);
	if ((deeds & DEED_DELETE) != 0)
		rc = put_element(&request, element, NFT_MSG_DELSETELEM, 0);
	if (rc == 0 && (deeds & DEED_ADD) != 0)
		rc = put_element(&request, element, NFT_MSG_NEWSETELEM, timeout_ms);
	put_end(&request);
	return rc == 0 ? ask(&request, NULL, NULL) : rc;
}

int nftlease_link_delete(const struct nftlease_element *element)
{
	return transact(element, DEED_DELETE, 0);
}

int nftlease_link_add(const struct nftlease_element *element, uint64_t timeout_ms)
{
	return transact(element, DEED_ADD, timeout_ms);
}

int nftlease_link_replace(const struct nftlease_element *element, uint64_t timeout_ms)
{
	return transact(element, DEED_DELETE | DEED_ADD, timeout_ms);
}

/* ---- looking ---- */

struct looking {
	uint16_t key; /* network order */
	struct nftlease_sight *sight;
};

static int see_element(const struct nlattr *element, const struct looking *looking)
{
	const struct nlattr *value = find(find(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *left = find(element, NFTA_SET_ELEM_EXPIRATION);
	struct nftlease_sight *sight = looking->sight;

	if (value == NULL || mnl_attr_get_payload_len(value) < sizeof(looking->key) ||
	    memcmp(mnl_attr_get_payload(value), &looking->key, sizeof(looking->key)) != 0)
		return 0;
	if (left != NULL && mnl_attr_get_payload_len(left) != sizeof(sight->left_ms))
		return -1;
	sight->there = true;
	sight->timed = left != NULL;
	if (left != NULL)
		sight->left_ms = be64toh(mnl_attr_get_u64(left));
	return 0;
}

static int see_elements(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *list = find_in(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *element = find(list, NFTA_LIST_ELEM);
	int rc = 0;

	while (rc == 0 && element != NULL) {
		rc = see_element(element, data);
		element = find_from(mnl_attr_next(element), end_of(list), NFTA_LIST_ELEM);
	}
	return rc;
}

int nftlease_link_look(const struct nftlease_element *element, struct nftlease_sight *sight)
{
	struct looking looking = { .key = htons(element->port), .sight = sight };
	struct request request = { .length = 0 };
	struct nftnl_set *set = describe_set(element);
	struct nlmsghdr *message;

	*sight = (struct nftlease_sight){ .there = false };
	if (set == NULL)
		return -ENOMEM;
	message = put_message(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	put_done(&request, message);
	nftnl_set_free(set);
	return ask(&request, see_elements, &looking);
}

/* ---- the rule ---- */

static bool is_text(const struct nlattr *attr, const char *text)
{
	return attr != NULL && mnl_attr_get_payload_len(attr) == strlen(text) + 1 &&
	       memcmp(mnl_attr_get_payload(attr), text, strlen(text) + 1) == 0;
}

static int see_rule(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *list = find_in(message, NFTA_RULE_EXPRESSIONS);
	const struct nlattr *one = find(list, NFTA_LIST_ELEM);
	bool *there = data;

	while (one != NULL) {
		const struct nlattr *what = find(one, NFTA_EXPR_DATA);

		if (is_text(find(one, NFTA_EXPR_NAME), "dynset") &&
		    is_text(find(what, NFTA_DYNSET_SET_NAME), NFTLEASE_ASKED_SET))
			*there = true;
		one = find_from(mnl_attr_next(one), end_of(list), NFTA_LIST_ELEM);
	}
	return 0;
}

int nftlease_link_notes(const char *table, bool *there)
{
	struct request request = { .length = 0 };
	struct nlmsghdr *message = put_message(&request, NFT_MSG_GETRULE, NLM_F_DUMP);

	*there = false;
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, table);
	put_done(&request, message);
	return ask(&request, see_rule, there);
}

/* ---- the table, the generation ---- */

int nftlease_link_delete_table(const char *table)
{
	struct request request = { .length = 0 };
	struct nftnl_table *one = nftnl_table_alloc();
	struct nlmsghdr *message;
	int rc = one != NULL ? 0 : -ENOMEM;

	if (rc == 0 && nftnl_table_set_str(one, NFTNL_TABLE_NAME, table) != 0)
		rc = -ENOMEM;
	if (rc == 0) {
		put_begin(&request, NULL);
		message = put_message(&request, NFT_MSG_DELTABLE, NLM_F_ACK);
		nftnl_table_nlmsg_build_payload(message, one);
		put_done(&request, message);
		put_end(&request);
		rc = ask(&request, NULL, NULL);
	}
	if (one != NULL)
		nftnl_table_free(one);
	return rc;
}

static int see_generation(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *id = find_in(message, NFTA_GEN_ID);
	uint32_t *generation = data;

	if (id == NULL || mnl_attr_get_payload_len(id) != sizeof(*generation))
		return -1;
	*generation = ntohl(mnl_attr_get_u32(id));
	return 0;
}

int nftlease_link_generation(uint32_t *generation)
{
	struct request request = { .length = 0 };
	int rc;

	put_done(&request, put_message(&request, NFT_MSG_GETGEN, 0));
	rc = ask(&request, see_generation, generation);
	/* Without nf_tables the kernel does not know the question. */
	return rc == -EINVAL ? -EOPNOTSUPP : rc;
}
