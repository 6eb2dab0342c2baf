/* SPDX-License-Identifier: PostgreSQL */
#include "rewind/rewind_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/act_as.h"
#include "base/log.h"

/* PostgreSQL's own directories are five deep, below a tablespace's link too. */
#define DEPTH_MAX 16
#define PATH_SIZE (2 * CFG_PATH_MAX)
/* How many entries between two looks at the clock. */
#define CLOCK_EVERY 512
/* WAL of the source and blocks that are longer there: less than this is as good as nothing. */
#define ROOM_BYTES (INT64_C(96) << 20)
/* The marks, and what diverged. */
#define STATE_ROOM_BYTES (INT64_C(16) << 20)

struct walk {
	struct rewind_files *files;
	const struct cfg *cfg;
	const struct deadline *dl;
	char path[PATH_SIZE]; /* of the directory that is looked at */
	bool cut;             /* the deadline, or something too deep: not all was seen */
};

/* ---- what was found ---- */

static void found(enum fact *fact, char *why, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The first one is told. */
static void found(enum fact *fact, char *why, const char *fmt, ...)
{
	va_list args;

	if (*fact == FACT_NO)
		return;
	*fact = FACT_NO;
	va_start(args, fmt);
	(void)vsnprintf(why, REWIND_FILES_WHY_MAX, fmt, args);
	va_end(args);
}

/* "root:ssl-cert, mode 0640" */
static void owner_words(int directory, const char *name, char *text, size_t size)
{
	char users[1024], groups[4096];
	struct passwd user, *has_user = NULL;
	struct group group, *has_group = NULL;
	struct stat status;

	text[0] = '\0';
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (getpwuid_r(status.st_uid, &user, users, sizeof(users), &has_user) != 0)
		has_user = NULL;
	if (getgrgid_r(status.st_gid, &group, groups, sizeof(groups), &has_group) != 0)
		has_group = NULL;
	(void)snprintf(
	    text, size, ", it is %.32s:%.32s, mode %04o", has_user != NULL ? user.pw_name : "?",
	    has_group != NULL ? group.gr_name : "?", (unsigned int)(status.st_mode & 07777U));
}

static void not_permitted(struct walk *walk, int directory, const char *name, int error)
{
	char owner[96];

	/* Files of a server that runs come and go. */
	if (error == ENOENT)
		return;
	owner_words(directory, name, owner, sizeof(owner));
	found(&walk->files->access, walk->files->access_why, "%.120s%s%.64s: %s%s", walk->path,
	      name[0] == '.' && name[1] == '\0' ? "" : "/",
	      name[0] == '.' && name[1] == '\0' ? "" : name, strerror(error), owner);
}

/* ---- room ---- */

static void look_at_room(struct walk *walk, const char *path, int64_t needed)
{
	struct statvfs room;
	int64_t there;

	if (statvfs(path, &room) < 0)
		return; /* what is not there is told elsewhere */
	there = (int64_t)(room.f_bavail * room.f_frsize);
	if ((room.f_flag & ST_RDONLY) != 0)
		found(&walk->files->access, walk->files->access_why,
		      "%.180s: its file system is mounted read-only", path);
	else if (there < needed)
		found(&walk->files->room, walk->files->room_why, "%.180s: %" PRId64 " MB are free",
		      path, there >> 20);
	else if (room.f_files > 0 && room.f_favail == 0)
		found(&walk->files->room, walk->files->room_why, "%.180s: no inode is free", path);
}

/* ---- files ---- */

static int look_below(struct walk *walk, int parent, const char *name, int depth, bool follow);

/* pg_wal, and the links of pg_tblspc. */
static bool is_postgres_link(const struct walk *walk, const char *name)
{
	const size_t length = strlen(walk->cfg->data_dir);

	return strcmp(walk->path + length, "/pg_tblspc") == 0 ||
	       (walk->path[length] == '\0' && strcmp(name, "pg_wal") == 0);
}

static void look_at_link(struct walk *walk, int directory, const char *name, int depth)
{
	char path[PATH_SIZE + 256];

	if (!is_postgres_link(walk, name)) {
		found(&walk->files->links, walk->files->links_why,
		      "%.140s/%.64s is a symbolic link", walk->path, name);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", walk->path, name);
	if (look_below(walk, directory, name, depth, true) < 0)
		found(&walk->files->links, walk->files->links_why,
		      "the symbolic link %.200s cannot be followed: %s", path, strerror(errno));
	else
		look_at_room(walk, path, ROOM_BYTES);
}

static void look_at(struct walk *walk, int directory, const struct dirent *entry, int depth)
{
	const char *name = entry->d_name;
	unsigned char type = entry->d_type;
	struct stat status;

	if (type == DT_UNKNOWN && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		type = (unsigned char)IFTODT(status.st_mode);
	if (type == DT_LNK)
		look_at_link(walk, directory, name, depth);
	else if ((type == DT_DIR && look_below(walk, directory, name, depth, false) < 0) ||
		 (type == DT_REG && faccessat(directory, name, R_OK | W_OK, AT_EACCESS) < 0))
		not_permitted(walk, directory, name, errno);
}

static bool may_go_on(struct walk *walk)
{
	if (walk->files->seen++ % CLOCK_EVERY == 0 && deadline_passed(walk->dl))
		walk->cut = true;
	return !walk->cut;
}

/* One directory and what is below it.  -1 with errno: it cannot be opened. */
static int look_below(struct walk *walk, int parent, const char *name, int depth, bool follow)
{
	const size_t before = strlen(walk->path);
	int fd =
	    openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	DIR AUTO_DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int length;

	if (all == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	length = snprintf(walk->path + before, sizeof(walk->path) - before, "%s%s",
			  depth > 0 ? "/" : "", name);
	if (depth >= DEPTH_MAX || length < 0 || (size_t)length >= sizeof(walk->path) - before) {
		walk->path[before] = '\0';
		walk->cut = true;
		return 0;
	}
	if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		not_permitted(walk, fd, ".", errno);
	while (may_go_on(walk) && (entry = readdir(all)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			look_at(walk, fd, entry, depth + 1);
	walk->path[before] = '\0';
	return 0;
}

static void look_at_all(struct walk *walk)
{
	struct rewind_files *files = walk->files;

	if (look_below(walk, AT_FDCWD, walk->cfg->data_dir, 0, true) < 0) {
		found(&files->access, files->access_why, "%.180s: %s", walk->cfg->data_dir,
		      strerror(errno));
		walk->cut = true;
	}
	look_at_room(walk, walk->cfg->data_dir, ROOM_BYTES);
	look_at_room(walk, walk->cfg->state_dir, STATE_ROOM_BYTES);
	if (files->room != FACT_NO)
		files->room = walk->cut ? FACT_UNKNOWN : FACT_YES;
	if (files->access != FACT_NO)
		files->access = walk->cut ? FACT_UNKNOWN : FACT_YES;
	if (files->links != FACT_NO)
		files->links = walk->cut ? FACT_UNKNOWN : FACT_YES;
}

void rewind_files_look(struct rewind_files *files, const struct cfg *cfg, const struct deadline *dl)
{
	struct walk walk = { .files = files, .cfg = cfg, .dl = dl };
	struct act_as as;
	int rc;

	*files = (struct rewind_files){ .seen = 0 };
	rc = act_as_begin(&as, cfg->os_user);
	if (rc == 0) {
		look_at_all(&walk);
		rc = act_as_end(&as);
	}
	if (rc < 0)
		log_warning("could not look at the data directory as %s: %s", cfg->os_user,
			    strerror(-rc));
	if (walk.cut && files->access != FACT_NO)
		(void)snprintf(files->access_why, sizeof(files->access_why),
			       "not all files could be looked at in time, %" PRId64 " were",
			       files->seen);
}
