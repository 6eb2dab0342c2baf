/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/wal_segment.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int64_t wal_segment_size(int directory, const char *name)
{
	struct stat status;

	if (strlen(name) != WAL_SEGMENT_NAME ||
	    strspn(name, "0123456789ABCDEF") != WAL_SEGMENT_NAME ||
	    fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
		return 0;
	/* initdb --wal-segsize: 1 MB to 1 GB, a power of two */
	if (status.st_size < (1 << 20) || status.st_size > (1 << 30) ||
	    (status.st_size & (status.st_size - 1)) != 0)
		return 0;
	return status.st_size;
}

bool wal_is_history(const char *name)
{
	return strspn(name, "0123456789ABCDEF") == 8 && strcmp(name + 8, ".history") == 0;
}
