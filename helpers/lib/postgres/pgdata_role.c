/* SPDX-License-Identifier: PostgreSQL */
/* The role of a running server by its own files: the state in pg_control, read here because the
 * guard asks with each tick, and a child process each time would be too much. */
#include "postgres/pgdata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"

/*
 * ControlFileData (catalog/pg_control.h): the system identifier, two versions of 4 bytes, then the
 * state; so it is since PostgreSQL 8.3.  The CRC is its last member, the place of which differs
 * between versions.  All of it lies within the first 512 bytes (PG_CONTROL_MAX_SAFE_SIZE), which a
 * disk writes at once.
 */
#define CONTROL_BYTES    512
#define STATE_AT         16
#define CRC_AT_LEAST     128
#define CRC32C_REFLECTED 0x82F63B78U
/* The server may be writing it: a reader can see both halves of two versions. */
#define READS 4
/* postmaster.pid: the line that the postmaster keeps up to date (utils/pidfile.h). */
#define STATUS_LINE 8

/* enum DBState */
enum { DB_SHUTTING_DOWN = 3, DB_IN_ARCHIVE_RECOVERY = 5, DB_IN_PRODUCTION = 6 };

static int read_control(const struct cfg *cfg, unsigned char *bytes)
{
	char path[CFG_PATH_MAX + 32];
	size_t used = 0;
	AUTO_FD int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/global/pg_control", cfg->data_dir);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (used < CONTROL_BYTES) {
		ssize_t got = read(fd, bytes + used, CONTROL_BYTES - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EINVAL;
		used += (size_t)got;
	}
	return 0;
}

static uint32_t word_at(const unsigned char *bytes, size_t at)
{
	uint32_t word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

static uint32_t crc_add(uint32_t crc, unsigned char byte)
{
	crc ^= byte;
	for (int bit = 0; bit < 8; bit++)
		crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_REFLECTED : 0);
	return crc;
}

/* Is there a place behind which nothing but zeros follows, and which holds the CRC of all before
 * it? */
static bool is_whole(const unsigned char *bytes)
{
	size_t end = CONTROL_BYTES;
	uint32_t crc = UINT32_MAX;

	while (end > 0 && bytes[end - 1] == 0)
		end--;
	for (size_t at = 0; at + sizeof(crc) <= CONTROL_BYTES; at++) {
		/* A CRC may end in zeros itself. */
		if (at >= CRC_AT_LEAST && at % sizeof(crc) == 0 && at + sizeof(crc) >= end &&
		    (crc ^ UINT32_MAX) == word_at(bytes, at))
			return true;
		crc = crc_add(crc, bytes[at]);
	}
	return false;
}

/* 0; -EBADMSG: its CRC is wrong in each of several reads; another -errno. */
static int read_whole(const struct cfg *cfg, unsigned char *bytes)
{
	for (int i = 0; i < READS; i++) {
		int rc = read_control(cfg, bytes);

		if (rc < 0 || is_whole(bytes))
			return rc;
	}
	return -EBADMSG;
}

int pgdata_state(const struct cfg *cfg, enum pgdata_state *state)
{
	unsigned char bytes[CONTROL_BYTES] = { 0 };
	int rc = read_whole(cfg, bytes);

	*state = PGDATA_STATE_UNKNOWN;
	if (rc < 0)
		return rc;
	switch (word_at(bytes, STATE_AT)) {
	case DB_IN_PRODUCTION:
	case DB_SHUTTING_DOWN:
		*state = PGDATA_STATE_PRODUCTION;
		break;
	case DB_IN_ARCHIVE_RECOVERY:
		*state = PGDATA_STATE_RECOVERY;
		break;
	default:
		*state = PGDATA_STATE_OTHER;
		break;
	}
	return 0;
}

int pgdata_system(const struct cfg *cfg, uint64_t *system)
{
	unsigned char bytes[CONTROL_BYTES] = { 0 };
	int rc = read_whole(cfg, bytes);

	*system = 0;
	if (rc == 0)
		memcpy(system, bytes, sizeof(*system));
	return rc;
}

/*
 * Before the postmaster says "ready", pg_control may be as the last server left it, or as it was in
 * the primary of which the directory is a copy.  On a primary "ready" comes after pg_control says
 * that it is in production; "stopping" comes after that.
 */
static bool has_begun(const struct cfg *cfg)
{
	char path[CFG_PATH_MAX + 32], text[STATE_TEXT_MAX];
	const char *line = text;

	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", cfg->data_dir);
	if (state_read(path, text, sizeof(text)) < 0)
		return false;
	for (int i = 1; i < STATUS_LINE; i++) {
		line = strchr(line, '\n');
		if (line == NULL)
			return false;
		line++;
	}
	return strncmp(line, "ready", 5) == 0 || strncmp(line, "stopping", 8) == 0;
}

void pgdata_running(struct pgdata_running *is, const struct cfg *cfg)
{
	/* The file first: a promotion takes it away before pg_control says that it is done. */
	const enum pgdata_form form = pgdata_form(cfg);
	enum pgdata_state state = PGDATA_STATE_UNKNOWN;
	int rc = pgdata_state(cfg, &state);

	*is = (struct pgdata_running){ .signal = pgdata_signal(form),
				       .recovers = rc == 0 && state == PGDATA_STATE_RECOVERY };
	if (form == PGDATA_PRIMARY ||
	    (rc == 0 && state == PGDATA_STATE_PRODUCTION && has_begun(cfg)))
		is->role = PGDATA_IS_PRIMARY;
	else if (is->signal != NULL && is->recovers)
		is->role = PGDATA_IS_STANDBY;
}

bool pgdata_runs_primary(const struct cfg *cfg)
{
	struct pgdata_running is;

	pgdata_running(&is, cfg);
	return is.role == PGDATA_IS_PRIMARY;
}
