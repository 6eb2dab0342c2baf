/* SPDX-License-Identifier: PostgreSQL */
#include "net/nftlease.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/nft.h"
#include "net/nftlease_link.h"

#define TEXT_MAX   2048
#define WHY_MAX    200
#define FOR_EVER   0 /* timeout of an element that has none */
#define NO_ELEMENT (-1)

/* A packet to the server is remembered for so long: longer than most leases, and not so long that
 * the way by which it came may be another one since. */
#define ASKED_KEPT_S 60
/* Two ticks of a kernel that has 100 in a second. */
#define ASKED_TICKS_MS 20

/* An element that ran out or came while we looked is met again at the most this often. */
enum { ROUNDS = 4 };

struct table_name {
	char text[CFG_NAME_MAX + 16];
};

static struct table_name table_name(const struct cfg *cfg)
{
	struct table_name name;

	(void)snprintf(name.text, sizeof(name.text), "pg_vrrp_%s", cfg->name);
	return name;
}

/* The element's timeout as it has to be at this moment: ms, FOR_EVER or NO_ELEMENT. */
static int64_t timeout_now(const struct nftlease *want)
{
	int64_t left;

	if (want->gate == NFTLEASE_OPEN)
		return FOR_EVER;
	left = want->gate == NFTLEASE_UNTIL ? want->until_ms - now_ms() : 0;
	return left > 0 ? left : NO_ELEMENT;
}

/* ---- the table ---- */

/*
 * Each rule looks twice: before Linux 6.17 a look that meets a refresh on another processor can
 * miss both the old and the new element, and the next look then finds the new one.  A reset must
 * pass outwards: it is what tells a client that its connection has ended.
 */
static int table_text(const struct cfg *cfg, int64_t timeout_ms, char *text, size_t size)
{
	static const char form[] =
	    "table inet %s\n"
	    "delete table inet %s\n"
	    "table inet %s {\n"
	    "	set " NFTLEASE_SET " {\n"
	    "		type inet_service\n"
	    "		flags timeout\n"
	    "%s"
	    "	}\n"
	    "	set " NFTLEASE_ASKED_SET " {\n"
	    "		type inet_service\n"
	    "		flags dynamic,timeout\n"
	    "	}\n"
	    "	chain input {\n"
	    "		type filter hook input priority -5; policy accept;\n"
	    "		iif \"lo\" accept\n"
	    "		tcp dport %d update @" NFTLEASE_ASKED_SET " { tcp dport timeout %ds }\n"
	    "		%s saddr %s accept\n"
	    "		tcp dport %d tcp dport != @" NFTLEASE_SET " tcp dport != @" NFTLEASE_SET
	    " counter reject with tcp reset comment \"no lease, no clients\"\n"
	    "	}\n"
	    "	chain output {\n"
	    "		type filter hook output priority -5; policy accept;\n"
	    "		oif \"lo\" accept\n"
	    "		%s daddr %s accept\n"
	    "		tcp sport %d tcp sport != @" NFTLEASE_SET " tcp sport != @" NFTLEASE_SET
	    " tcp flags & rst == 0 counter drop comment \"no lease, no answers\"\n"
	    "	}\n"
	    "}\n";
	const struct table_name name = table_name(cfg);
	const char *peer = cfg_peer(cfg)->address;
	const char *family;
	const int port = (int)cfg->port;
	char element[96] = "";
	struct addr addr;
	int rc = addr_parse(&addr, peer);

	if (rc != 0)
		return rc;
	if (timeout_ms > 0)
		(void)snprintf(element, sizeof(element),
			       "		elements = { %d timeout %" PRId64 "ms }\n", port,
			       timeout_ms);
	family = addr.family == AF_INET ? "ip" : "ip6";
	rc = snprintf(text, size, form, name.text, name.text, name.text, element, port,
		      ASKED_KEPT_S, family, peer, port, family, peer, port);
	return rc < (int)size ? 0 : -E2BIG;
}

int nftlease_lay(const struct cfg *cfg, const struct nftlease *want, const struct deadline *dl,
		 char *why, size_t size)
{
	int64_t timeout_ms = timeout_now(want);
	char text[TEXT_MAX];
	int rc;

	if (timeout_ms == FOR_EVER)
		timeout_ms = cfg->lease_ms;
	rc = table_text(cfg, timeout_ms, text, sizeof(text));
	if (rc != 0) {
		text_clean(why, size, strerror(-rc));
		return rc;
	}
	rc = nft_run(text, dl, why, size);
	/* The timeout began when nft was done, which on a busy host is too late. */
	if (rc == 0 && want->gate == NFTLEASE_UNTIL)
		rc = nftlease_set(cfg, want, NULL);
	return rc;
}

/* ---- the element ---- */

/* One attempt: -EAGAIN when the element came or went between two looks. */
static int change(const struct nftlease_element *element, int64_t timeout_ms)
{
	struct nftlease_sight sight;
	int rc;

	if (timeout_ms == NO_ELEMENT) {
		rc = nftlease_link_delete(element);
		/* no element, or no table? */
		return rc == -ENOENT ? nftlease_link_look(element, &sight) : rc;
	}
	rc = nftlease_link_replace(element, (uint64_t)timeout_ms);
	if (rc == -ENOENT)
		rc = nftlease_link_add(element, (uint64_t)timeout_ms);
	return rc == -EEXIST ? -EAGAIN : rc;
}

/*
 * The rest of the lease is computed just before it is sent.  The clock is looked at once more
 * afterwards: a process that was frozen in between has given clients time that was over.
 */
int nftlease_set(const struct cfg *cfg, const struct nftlease *want, const uint32_t *generation)
{
	const struct table_name name = table_name(cfg);
	struct nftlease_element element = { .table = name.text,
					    .set = NFTLEASE_SET,
					    .port = (uint16_t)cfg->port,
					    .generation = generation };
	int rc = -EAGAIN;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t timeout_ms = timeout_now(want);

		rc = change(&element, timeout_ms);
		if (rc == 0 && timeout_ms > 0 && timeout_now(want) == NO_ELEMENT) {
			element.generation = NULL;
			continue;
		}
		if (rc != -EAGAIN)
			break;
	}
	return rc;
}

int nftlease_generation(uint32_t *generation)
{
	return nftlease_link_generation(generation);
}

int nftlease_look(const struct cfg *cfg, struct nftlease *is)
{
	const struct table_name name = table_name(cfg);
	const struct nftlease_element element = { .table = name.text,
						  .set = NFTLEASE_SET,
						  .port = (uint16_t)cfg->port };
	struct nftlease_sight sight;
	int rc = nftlease_link_look(&element, &sight);

	*is = (struct nftlease){ .gate = NFTLEASE_SHUT };
	if (rc != 0 || !sight.there)
		return rc;
	/* Nobody's lease: the sum below would not fit. */
	if (sight.timed && sight.left_ms > INT64_MAX / 2)
		return -ERANGE;
	if (!sight.timed) {
		is->gate = NFTLEASE_OPEN;
	} else if (sight.left_ms > 0) {
		is->gate = NFTLEASE_UNTIL;
		is->until_ms = now_ms() + (int64_t)sight.left_ms;
	}
	return 0;
}

/*
 * Every error is towards a packet that came later: the kernel counts in ticks, which stand still
 * while the host is suspended, the age is reckoned down by two of them, and the clock is looked at
 * last.
 */
int nftlease_asked(const struct cfg *cfg, int64_t *at_ms)
{
	const struct table_name name = table_name(cfg);
	const struct nftlease_element element = { .table = name.text,
						  .set = NFTLEASE_ASKED_SET,
						  .port = (uint16_t)cfg->port };
	const uint64_t kept_ms = ASKED_KEPT_S * 1000;
	struct nftlease_sight sight;
	bool notes = false;
	int rc = nftlease_link_look(&element, &sight);

	if (rc == 0)
		rc = nftlease_link_notes(name.text, &notes);
	if (rc != 0)
		return rc;
	if (!notes || !sight.there || !sight.timed || sight.left_ms > kept_ms)
		return -ENODATA;
	*at_ms = now_ms() - (int64_t)(kept_ms - sight.left_ms) + ASKED_TICKS_MS;
	return 0;
}

int nftlease_remove(const struct cfg *cfg)
{
	int rc = nftlease_link_delete_table(table_name(cfg).text);

	return rc == -ENOENT ? 0 : rc;
}

void nftlease_apply(const struct cfg *cfg, const struct nftlease *want, const struct deadline *dl)
{
	char why[WHY_MAX] = "";
	int rc;

	if (!cfg->kernel_lease)
		return;
	rc = nftlease_set(cfg, want, NULL);
	if (rc == -ENOENT && want->gate != NFTLEASE_SHUT)
		rc = nftlease_lay(cfg, want, dl, why, sizeof(why));
	/* A table that is not there, or an nftables that is not there, holds nobody back. */
	if (rc == 0 || ((rc == -ENOENT || rc == -EOPNOTSUPP) && want->gate == NFTLEASE_SHUT))
		return;
	log_warning("the kernel does not enforce the lease: %s",
		    why[0] != '\0' ? why : strerror(-rc));
}
