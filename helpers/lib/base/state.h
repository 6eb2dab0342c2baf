/* SPDX-License-Identifier: PostgreSQL */
/*
 * Small files that matter, whole or not at all: new name, write, fsync, rename, fsync of the
 * directory.  Content is lines of key=value; the reader is as strict as the writer.
 */
#ifndef PGV_STATE_H
#define PGV_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"

#define STATE_TEXT_MAX 4096

/*
 * Replaces the file by `text`.  durable: fsync file and directory (not needed below /run).
 * A reader sees the old or the new content.  Returns 0 or -errno.
 */
int state_write(const char *path, const char *text, mode_t mode, bool durable) MUST_CHECK;

/* Removes the new files in a directory that writers who were killed left behind, and none that is
 * being written.  How many, or -errno. */
int state_sweep(const char *directory) MUST_CHECK;

/* Reads a whole regular file into text[size], NUL-terminated.  Returns 0, -ENOENT, -EFBIG, -EINVAL
 * (a NUL byte, not a regular file) or another -errno. */
int state_read(const char *path, char *text, size_t size) MUST_CHECK;

/* Finds `key` in key=value lines and copies its value.  0, -ENOENT, -EINVAL (a line without '=', a
 * last line without its line feed, key twice), -EFBIG. */
int state_get(const char *text, const char *key, char *value, size_t size) MUST_CHECK;

/* The same for a decimal number: the whole value must be one. */
int state_get_i64(const char *text, const char *key, int64_t *value) MUST_CHECK;

/* The same for a number of 64 bits without a sign: an LSN, a system identifier. */
int state_get_u64(const char *text, const char *key, uint64_t *value) MUST_CHECK;

/* Removes the file (durably if asked).  0 also when it was not there. */
int state_remove(const char *path, bool durable) MUST_CHECK;

/* Is it there?  1, 0, or -errno: EACCES and EIO are not "no". */
int state_exists(const char *path) MUST_CHECK;

/* Appends one line (given without its line feed) with O_APPEND and fsync; makes the file with
 * `mode`.  0 or -errno. */
int state_append(const char *path, const char *line, mode_t mode) MUST_CHECK;

/* Makes what was renamed, made or removed in the directory last.  0 or -errno. */
int state_sync_directory(const char *path) MUST_CHECK;

/* Makes the directory and its parents, root-owned 0755.  0 or -errno. */
int state_mkdirs(const char *path) MUST_CHECK;

#endif
