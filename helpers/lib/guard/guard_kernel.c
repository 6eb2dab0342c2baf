/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_kernel.h"

#include <errno.h>
#include <string.h>

#include "base/deadline.h"
#include "base/log.h"

/* nft takes some 20 ms.  This much of a tick may be lost to it, so not where a fence is
 * due soon. */
#define LAY_MS 300
/* A host without nftables does not get one every second. */
#define LAY_AGAIN_MS 60000
/* Somebody's "nft flush ruleset" takes our table too. */
#define LOOK_AGAIN_MS 2000

static void complain(struct guard_kernel *k, const char *why)
{
	if (!k->complained)
		log_warning("the kernel does not enforce the lease: %s", why);
	k->complained = true;
}

/* With kernel_lease = no, what an earlier guard left would run out and shut the clients out. */
static void let_go(struct guard_kernel *k, const struct cfg *cfg)
{
	int rc;

	if (k->known)
		return;
	rc = nftlease_remove(cfg);
	if (rc < 0 && rc != -EOPNOTSUPP)
		log_warning("could not remove the table of the lease: %s", strerror(-rc));
	k->known = true;
}

void guard_kernel_begin(struct guard_kernel *k, const struct cfg *cfg)
{
	k->generation_known = cfg->kernel_lease && nftlease_generation(&k->generation) == 0;
}

static bool is_so(struct guard_kernel *k, const struct cfg *cfg, const struct nftlease *want,
		  int64_t now)
{
	struct nftlease is;

	if (!k->known || k->is.gate != want->gate || k->is.until_ms != want->until_ms)
		return false;
	if (now - k->seen_ms < LOOK_AGAIN_MS)
		return true;
	k->seen_ms = now;
	return nftlease_look(cfg, &is) == 0 && is.gate == want->gate;
}

static bool may_lay(const struct guard_kernel *k, const struct guard_facts *f,
		    const struct nftlease *want)
{
	if (k->laid || f->now < k->next_lay_ms)
		return false;
	return want->gate != NFTLEASE_UNTIL ||
	       lease_fence_at(&f->lease, f->fence_time_ms) - f->now > LAY_MS;
}

static void lay(struct guard_kernel *k, const struct cfg *cfg, const struct nftlease *want)
{
	struct deadline soon = deadline_in_ms(LAY_MS);
	char why[200];
	int rc = nftlease_lay(cfg, want, &soon, why, sizeof(why));

	k->known = false;
	k->laid = rc == 0;
	k->next_lay_ms = now_ms() + (rc == -EOPNOTSUPP ? LAY_AGAIN_MS : LOOK_AGAIN_MS);
	if (rc < 0)
		complain(k, why);
}

static int set(const struct guard_kernel *k, const struct cfg *cfg, const struct nftlease *want)
{
	if (want->gate != NFTLEASE_OPEN)
		return nftlease_set(cfg, want, NULL);
	/*
	 * Only if nobody has changed anything since before we looked: promote_safe may just have
	 * put an end to the element that a standby has for ever, and we may have been frozen since.
	 */
	return k->generation_known ? nftlease_set(cfg, want, &k->generation) : -ESTALE;
}

static void note(struct guard_kernel *k, const struct nftlease *want, int rc)
{
	static const char *const words[] = {
		[NFTLEASE_SHUT] = "shuts clients out",
		[NFTLEASE_UNTIL] = "lets clients in until the lease ends",
		[NFTLEASE_OPEN] = "lets clients in",
	};

	/* Also where somebody else may have set it meanwhile: each promote_safe has that right. */
	if (rc == 0 && (k->complained || !k->told || k->is.gate != want->gate))
		log_info("the kernel %s", words[want->gate]);
	k->told = k->told || rc == 0;
	if (rc == 0)
		k->complained = false;
	k->known = rc == 0;
	k->is = *want;
	k->seen_ms = now_ms();
	if (rc == -ENOENT)
		k->laid = false;
	else if (rc != 0 && rc != -ESTALE)
		complain(k, strerror(-rc));
}

void guard_kernel_keep(struct guard_kernel *k, const struct cfg *cfg, const struct guard_facts *f)
{
	struct nftlease want;

	if (!cfg->kernel_lease) {
		let_go(k, cfg);
		return;
	}
	if (!guard_kernel_wants(f, &want)) {
		k->known = false;
		return;
	}
	if (may_lay(k, f, &want))
		lay(k, cfg, &want);
	if (!is_so(k, cfg, &want, f->now))
		note(k, &want, set(k, cfg, &want));
}
