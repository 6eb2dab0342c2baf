/* SPDX-License-Identifier: PostgreSQL */
/*
 * Text files with places to fill in, line by line:
 *   @NAME@ is replaced by the value; a line that begins with @?NAME@ is there only when NAME has
 *   one, with @!NAME@ only when it has none; a line that begins with @# is a comment of the
 * template. A name that is not known is a fault of the template, never left standing.
 */
#ifndef PGV_TEMPLATE_H
#define PGV_TEMPLATE_H

#include <stddef.h>
#include <stdio.h>

#include "base/auto.h"

/* Ends with name NULL.  value NULL: it has none, and must not be asked for. */
struct template_value {
	const char *name;
	const char *value;
};

/*
 * Opens the template `name` in `directory`; NULL: where they were installed, beside this program
 * when it stands elsewhere (a build tree, a staged or moved installation).  Leaves the path that
 * was tried last in path[size].  NULL with errno set when there is none.
 */
FILE *template_open(const char *directory, const char *name, char *path, size_t size) MUST_CHECK;

/*
 * Writes the text to out.  Returns 0; -EINVAL with fault[size] set ("line 3: unknown name @X@"); or
 * -errno.
 */
int template_render(FILE *out, FILE *in, const struct template_value *values, char *fault,
		    size_t size) MUST_CHECK;

#endif
