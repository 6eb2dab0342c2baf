/* SPDX-License-Identifier: PostgreSQL */
/*
 * Small files in a data directory, which belongs to somebody who is not root: nothing is opened
 * through a link, and what is written belongs to the owner of the directory.
 */
#ifndef PGV_PGDATA_FILE_H
#define PGV_PGDATA_FILE_H

#include <stddef.h>

#include "base/auto.h"

/* Replaces the file by rename, durably; the new file is always one that we made.  0 or -errno. */
int pgdata_replace(int directory, const char *name, const char *text) MUST_CHECK;

/* Copies a file of whatever size from where `in` stands, and gives it to the owner of `directory`,
 * durably.  0 or -errno. */
int pgdata_copy(int in, int out, int directory) MUST_CHECK;

/* Reads a regular file; a missing one is "".  0, -EFBIG, -EINVAL (a NUL byte, no regular file),
 * -ELOOP (a link), -errno. */
int pgdata_read(int directory, const char *name, char *text, size_t size) MUST_CHECK;

#endif
