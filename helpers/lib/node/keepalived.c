/* SPDX-License-Identifier: PostgreSQL */
#include "node/keepalived.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * One line for each watch: "inotify wd:1 ino:118027 sdev:fe00000 mask:...", hexadecimal.  The
 * inode decides; sdev is the kernel's own encoding and the same inode of another file system is no
 * directory that keepalived was told of.
 */
static bool line_names(const char *line, ino_t inode)
{
	uintmax_t ino;

	return sscanf(line, "inotify wd:%*d ino:%jx ", &ino) == 1 && ino == (uintmax_t)inode;
}

static enum fact descriptor_watches(int directory_fd, const char *name, ino_t inode)
{
	char line[512];
	enum fact watches = FACT_NO;
	FILE AUTO_FILE *file = NULL;
	int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		/* Closed meanwhile: then it is no watch. */
		return errno == ENOENT ? FACT_NO : FACT_UNKNOWN;
	file = fdopen(fd, "r");
	if (file == NULL) {
		(void)close(fd);
		return FACT_UNKNOWN;
	}
	while (watches == FACT_NO && fgets(line, sizeof(line), file) != NULL)
		watches = fact_of(line_names(line, inode));
	return ferror(file) != 0 ? FACT_UNKNOWN : watches;
}

enum fact keepalived_watches(pid_t pid, const char *directory)
{
	char path[64];
	struct stat st;
	struct dirent *entry;
	enum fact watches = FACT_NO;
	DIR *fds;

	if (stat(directory, &st) < 0)
		return errno == ENOENT ? FACT_NO : FACT_UNKNOWN;
	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	fds = opendir(path);
	if (fds == NULL)
		return FACT_UNKNOWN;
	while (watches == FACT_NO && (entry = readdir(fds)) != NULL) {
		if (entry->d_name[0] != '.')
			watches = descriptor_watches(dirfd(fds), entry->d_name, st.st_ino);
	}
	(void)closedir(fds);
	return watches;
}
