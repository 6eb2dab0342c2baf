/* SPDX-License-Identifier: PostgreSQL */
/* Public keys of ssh, one a file. */
#ifndef PGV_PUBLIC_KEY_H
#define PGV_PUBLIC_KEY_H

#include <stddef.h>
#include <stdio.h>

#include "base/auto.h"

/* The first line of a public key file, without its end.  0; -EINVAL with why[size]. */
int public_key_read(const char *path, char *key, size_t key_size, char *why,
		    size_t size) MUST_CHECK;

/* Prints the host keys in the directory, type and key under the name that fencing pins them by; the
 * comment is of no use there.  0; -ENOENT, -EINVAL with why[size]. */
int public_key_pin(FILE *out, const char *directory, const char *name, char *why,
		   size_t size) MUST_CHECK;

#endif
