/* SPDX-License-Identifier: PostgreSQL */
/*
 * Looking at files with another user's eyes, in this process: ownership, groups, access lists,
 * read-only file systems and what an NFS server grants are the kernel's to judge, not ours to
 * compute.
 */
#ifndef PGV_ACT_AS_H
#define PGV_ACT_AS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/auto.h"

#define ACT_AS_GROUPS_MAX 64

struct act_as {
	bool changed; /* and to be changed back */
	gid_t gid;    /* as they were */
	int group_count;
	gid_t groups[ACT_AS_GROUPS_MAX];
	int death_signal; /* of our parent's death; the kernel forgets it with the change */
};

/*
 * From here on files are opened and looked at as `user` would.  Only root can; that user himself
 * need not.  0; -ENOENT: no such user; -errno: nothing was changed.
 */
int act_as_begin(struct act_as *as, const char *user) MUST_CHECK;

/* Back again.  0 or -errno. */
int act_as_end(struct act_as *as) MUST_CHECK;

#endif
