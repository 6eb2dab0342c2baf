/* SPDX-License-Identifier: PostgreSQL */
#include "postgres/wal_segment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DIGITS "0123456789ABCDEF"

static bool is_name(const char *name)
{
	return strlen(name) == WAL_SEGMENT_NAME && strspn(name, DIGITS) == WAL_SEGMENT_NAME;
}

/* So many have the same upper half of their number. */
static uint64_t each(int64_t bytes)
{
	return UINT64_C(0x100000000) / (uint64_t)bytes;
}

int64_t wal_segment_size(int directory, const char *name)
{
	struct stat status;

	if (!is_name(name) || fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(status.st_mode))
		return 0;
	/* initdb --wal-segsize: 1 MB to 1 GB, a power of two */
	if (status.st_size < (1 << 20) || status.st_size > (1 << 30) ||
	    (status.st_size & (status.st_size - 1)) != 0)
		return 0;
	return status.st_size;
}

struct wal_name wal_segment_name(uint32_t timeline, uint64_t number, int64_t bytes)
{
	struct wal_name name;

	(void)snprintf(name.text, sizeof(name.text), "%08" PRIX32 "%08" PRIX32 "%08" PRIX32,
		       timeline, (uint32_t)(number / each(bytes)),
		       (uint32_t)(number % each(bytes)));
	return name;
}

bool wal_segment_parse(const char *name, int64_t bytes, uint32_t *timeline, uint64_t *number)
{
	uint32_t high, low;

	if (!is_name(name) ||
	    sscanf(name, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32, timeline, &high, &low) != 3)
		return false;
	*number = high * each(bytes) + low;
	return true;
}

struct wal_name wal_history_name(uint32_t timeline)
{
	struct wal_name name;

	(void)snprintf(name.text, sizeof(name.text), "%08" PRIX32 ".history", timeline);
	return name;
}

bool wal_is_history(const char *name)
{
	return strspn(name, DIGITS) == 8 && strcmp(name + 8, ".history") == 0;
}
