/* SPDX-License-Identifier: PostgreSQL */
#include "base/act_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The kernel takes root's rights over files away with the effective user, and gives them back with
 * it; the saved user stays root. */
static int change(const char *name, uid_t uid, gid_t gid)
{
	if (initgroups(name, gid) < 0 || setegid(gid) < 0 || seteuid(uid) < 0)
		return -errno;
	return 0;
}

int act_as_begin(struct act_as *as, const char *user)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	int rc = getpwnam_r(user, &entry, buffer, sizeof(buffer), &found);

	*as = (struct act_as){ .changed = false };
	if (rc != 0 || found == NULL)
		return rc != 0 ? -rc : -ENOENT;
	if (found->pw_uid == geteuid())
		return 0;
	as->gid = getegid();
	as->group_count = getgroups(ACT_AS_GROUPS_MAX, as->groups);
	if (as->group_count < 0 || prctl(PR_GET_PDEATHSIG, &as->death_signal) < 0)
		return -errno;
	as->changed = true;
	rc = change(user, found->pw_uid, found->pw_gid);
	if (rc < 0) {
		int back = act_as_end(as);

		return back < 0 ? back : rc;
	}
	return 0;
}

int act_as_end(struct act_as *as)
{
	if (!as->changed)
		return 0;
	as->changed = false;
	if (seteuid(getuid()) < 0 || setegid(as->gid) < 0 ||
	    setgroups((size_t)as->group_count, as->groups) < 0 ||
	    prctl(PR_SET_PDEATHSIG, as->death_signal) < 0)
		return -errno;
	return 0;
}
