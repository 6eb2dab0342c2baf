/* SPDX-License-Identifier: PostgreSQL */
/* Files below run_dir that mean something in this boot only: lines of key=value behind the
 * boot id. */
#ifndef PGV_BOOT_FILE_H
#define PGV_BOOT_FILE_H

#include <stddef.h>

#include "base/auto.h"
#include "config/cfg.h"

/* The random id of this boot (/proc/sys/kernel/random/boot_id): CLOCK_BOOTTIME stamps of another
 * boot mean nothing. In containers and test networks that share a kernel it is the same for all,
 * which is right. 0 or -errno. */
int boot_id(char *id, size_t size) MUST_CHECK;

/* text: lines of key=value.  0 or -errno. */
int boot_file_write(const struct cfg *cfg, const char *name, const char *text) MUST_CHECK;

/* -ENOENT: none, or one of another boot; -EINVAL: garbage; another -errno. */
int boot_file_read(const struct cfg *cfg, const char *name, char *text, size_t size) MUST_CHECK;

#endif
