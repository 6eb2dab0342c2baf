/* SPDX-License-Identifier: PostgreSQL */
/*
 * The lease, enforced by the kernel (nft(8)): clients reach PostgreSQL only while an element is in
 * a set, and on a primary that element has the end of the lease for its timeout.  When every
 * process of ours is frozen or starved, the kernel itself cuts the clients off.
 *
 * One table for each cluster, "inet pg_vrrp_NAME", beside whatever firewall there is.  It holds
 * back TCP to and from the server's port; never what comes from the other node's address
 * (replication, votes, pg_rewind) or from this host.  What clients send is answered by a reset, and
 * what the server still says, an acknowledgement for instance, does not leave.
 *
 * The table is laid by nft, once.  The element is changed in this process, by netlink.  No state is
 * kept here: what is there, the kernel says.
 */
#ifndef PGV_NFTLEASE_H
#define PGV_NFTLEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"

enum nftlease_gate {
	NFTLEASE_SHUT = 0, /* no client */
	NFTLEASE_UNTIL,    /* clients until then, by the kernel's own clock */
	NFTLEASE_OPEN,     /* clients, for ever: a standby */
};

struct nftlease {
	enum nftlease_gate gate;
	int64_t until_ms; /* NFTLEASE_UNTIL: CLOCK_BOOTTIME ms.  When it has passed: SHUT */
};

/*
 * Lays the table anew, together with the element for `want`, in one transaction: a client that may
 * go on is not cut.  OPEN is laid as UNTIL one lease from now, because nft cannot be told to look
 * again before it writes; the caller sets it afterwards.
 * Returns 0, -EOPNOTSUPP (no nft, or no nftables in the kernel), -ETIMEDOUT, -EIO (nft refused), or
 * -errno; `why` then says it in words.
 */
int nftlease_lay(const struct cfg *cfg, const struct nftlease *want, const struct deadline *dl,
		 char *why, size_t size) MUST_CHECK;

/*
 * Makes it so, in one transaction, so that there is no moment without the element between an old
 * timeout and a new one.  With `generation` only if nothing in nftables has changed since that was
 * read, else -ESTALE: what another process has just set is not undone by what this one saw before.
 * Returns 0, -ENOENT (the table is missing), -EOPNOTSUPP, -EPERM, or another -errno.
 */
int nftlease_set(const struct cfg *cfg, const struct nftlease *want,
		 const uint32_t *generation) MUST_CHECK;

/* The number that every change in nftables makes another one. */
int nftlease_generation(uint32_t *generation) MUST_CHECK;

/* Reads what is there now.  0, -ENOENT (the table is missing), or -errno. */
int nftlease_look(const struct cfg *cfg, struct nftlease *is) MUST_CHECK;

/*
 * When a packet last came to the server's port from outside this host, whoever sent it: no question
 * that the server was asked over the network until now came later.  *at_ms: CLOCK_BOOTTIME, never
 * too early.  0; -ENODATA: none is remembered, or the rule that notes them is gone, so that nothing
 * is known; -ENOENT, -EOPNOTSUPP or another -errno as above.
 */
int nftlease_asked(const struct cfg *cfg, int64_t *at_ms) MUST_CHECK;

/* Takes the table away.  0 also when there was none. */
int nftlease_remove(const struct cfg *cfg) MUST_CHECK;

/*
 * For helpers that run once: sets, and lays first where the table is missing, unless all is to be
 * shut anyway.  Does nothing where the configuration says so.  A failure is told and passed over:
 * no decision rests on the kernel's help.
 */
void nftlease_apply(const struct cfg *cfg, const struct nftlease *want, const struct deadline *dl);

#endif
