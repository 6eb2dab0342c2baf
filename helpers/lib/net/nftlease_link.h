/* SPDX-License-Identifier: PostgreSQL */
/* Messages to nftables and what the kernel answers.  Private to nftlease.c and
 * nft.c. */
#ifndef PGV_NFTLEASE_LINK_H
#define PGV_NFTLEASE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/* The sets in each table, and so a part of what nft is told: clients are let in; the server was
 * asked. */
#define NFTLEASE_SET       "lease"
#define NFTLEASE_ASKED_SET "asked"

/* Which element, and, when generation is given, only if that is still the kernel's:
 * else -ESTALE. */
struct nftlease_element {
	const char *table;
	const char *set;
	uint16_t port;
	const uint32_t *generation;
};

/* The element as it was found. */
struct nftlease_sight {
	bool there;
	bool timed;
	uint64_t left_ms;
};

/*
 * All return 0, -EOPNOTSUPP (no nftables in this kernel), or -errno, also that of the kernel.  A
 * missing table is -ENOENT in each of them.
 */

/* -ENOENT also when there is no element. */
int nftlease_link_delete(const struct nftlease_element *element) MUST_CHECK;

/* For ever with timeout_ms 0.  -EEXIST: there is one. */
int nftlease_link_add(const struct nftlease_element *element, uint64_t timeout_ms) MUST_CHECK;

/* Both in one transaction.  -ENOENT also when there is no element. */
int nftlease_link_replace(const struct nftlease_element *element, uint64_t timeout_ms) MUST_CHECK;

int nftlease_link_look(const struct nftlease_element *element,
		       struct nftlease_sight *sight) MUST_CHECK;

/* Is the rule there that notes packets in the set of what was asked?  No table is no rule. */
int nftlease_link_notes(const char *table, bool *there) MUST_CHECK;

int nftlease_link_delete_table(const char *table) MUST_CHECK;

int nftlease_link_generation(uint32_t *generation) MUST_CHECK;

#endif
