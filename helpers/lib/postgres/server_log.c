/* SPDX-License-Identifier: PostgreSQL */
/* Where a server's log is, and what is new in it. */
#include "postgres/server_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "postgres/pgdata_file.h"

/* Three lines: "stderr log/postgresql-Mon.log", "csvlog ...", "jsonlog ...". */
#define CURRENT_LOGFILES_MAX 4096

struct log_path {
	char text[2 * CFG_PATH_MAX];
};

/* The collector's file, as the server says it in its data directory.  "" when it has none. */
static struct log_path collector_path(const struct cfg *cfg)
{
	static const char format[] = "stderr ";
	AUTO_FD int directory = open(cfg->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[CURRENT_LOGFILES_MAX];
	struct log_path path = { "" };
	const char *line = text;
	int length;

	if (directory < 0 || pgdata_read(directory, "current_logfiles", text, sizeof(text)) < 0)
		return path;
	while (line != NULL && strncmp(line, format, strlen(format)) != 0) {
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	if (line == NULL)
		return path;
	line += strlen(format);
	length =
	    snprintf(path.text, sizeof(path.text), "%s%s%.*s", line[0] == '/' ? "" : cfg->data_dir,
		     line[0] == '/' ? "" : "/", (int)strcspn(line, "\n"), line);
	if (length < 0 || (size_t)length >= sizeof(path.text))
		path.text[0] = '\0';
	return path;
}

/*
 * Opens a log of the server's.  Only a file that belongs to its user: that one says which file it
 * is, and what it may not read itself is not told in our name.  A descriptor, or -errno.
 */
static int log_open_of(const struct cfg *cfg, const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat owner;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, status) < 0 || stat(cfg->data_dir, &owner) < 0)
		rc = -errno;
	else if (!S_ISREG(status->st_mode) || status->st_uid != owner.st_uid)
		rc = -EINVAL;
	if (rc == 0)
		return fd;
	(void)close(fd);
	return rc;
}

static struct server_log_end end_of(const struct cfg *cfg, const char *path)
{
	struct stat status = { 0 };
	AUTO_FD int fd = log_open_of(cfg, path, &status);

	if (fd < 0)
		return (struct server_log_end){ .inode = 0 };
	return (struct server_log_end){ .inode = status.st_ino, .bytes = status.st_size };
}

void server_log_mark(struct server_log *log, const struct cfg *cfg)
{
	const struct log_path collector = collector_path(cfg);

	log->own = end_of(cfg, cfg->log_file);
	log->collector = end_of(cfg, collector.text);
}

/* Reads from `begin`; where that is in the middle of a line, from the next one. */
static size_t read_lines(int fd, int64_t begin, bool whole, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, begin);
	char *line;

	if (got < 0)
		got = 0;
	for (ssize_t i = 0; i < got; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[got] = '\0';
	if (whole)
		return (size_t)got;
	line = strchr(text, '\n');
	if (line == NULL)
		return (size_t)got;
	memmove(text, line + 1, strlen(line + 1) + 1);
	return strlen(text);
}

/* Looks through the new lines of one log. */
static void tell(const struct cfg *cfg, const char *path, const struct server_log_end *end,
		 char *why, size_t size)
{
	char AUTO_FREE *text = malloc(SERVER_LOG_WINDOW);
	struct stat status = { 0 };
	AUTO_FD int fd = log_open_of(cfg, path, &status);
	int64_t begin, window;

	why[0] = '\0';
	if (fd < 0 || text == NULL)
		return;
	/* Another file, or one that was emptied, is new from its beginning. */
	begin = status.st_ino == end->inode && status.st_size >= end->bytes ? end->bytes : 0;
	window = status.st_size - (SERVER_LOG_WINDOW - 1);
	if (read_lines(fd, window > begin ? window : begin, window <= begin, text,
		       SERVER_LOG_WINDOW) > 0)
		server_log_reason(text, why, size);
}

void server_log_why(const struct server_log *log, const struct cfg *cfg, char *why, size_t size)
{
	const struct log_path collector = collector_path(cfg);

	/* With a collector log_file has only what came before that, and where the rest is. */
	tell(cfg, collector.text, &log->collector, why, size);
	if (why[0] == '\0')
		tell(cfg, cfg->log_file, &log->own, why, size);
}
