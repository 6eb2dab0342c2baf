/* SPDX-License-Identifier: PostgreSQL */
/*
 * Could pg_rewind do its work on the files that are here?  It opens each of them as the server's
 * user, for writing; it takes no symbolic link for a file but pg_wal and those of pg_tblspc; and it
 * says so only when it meets the first one, half-way.
 */
#ifndef PGV_REWIND_FILES_H
#define PGV_REWIND_FILES_H

#include <stdint.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

#define REWIND_FILES_WHY_MAX 256

/* Each is UNKNOWN where not all could be looked at, with why set; NO names the first one found. */
struct rewind_files {
	enum fact access; /* the server's user may read and write each file and directory */
	enum fact links;  /* no other symbolic links than PostgreSQL's; those lead somewhere */
	enum fact room;   /* some is left on each file system that is written to */
	char access_why[REWIND_FILES_WHY_MAX];
	char links_why[REWIND_FILES_WHY_MAX];
	char room_why[REWIND_FILES_WHY_MAX];
	int64_t seen; /* files and directories */
};

/*
 * Looks at the data directory, pg_wal, the tablespaces and state_dir, with the eyes of os_user
 * (act_as.h).  Changes nothing and opens no file; takes about a second for 500 000 files that the
 * kernel knows, and ends at the deadline.
 */
void rewind_files_look(struct rewind_files *files, const struct cfg *cfg,
		       const struct deadline *dl);

#endif
