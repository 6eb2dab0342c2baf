/* SPDX-License-Identifier: PostgreSQL */
/* Secrets out of what others say, before it is told. */
#ifndef PGV_REDACT_H
#define PGV_REDACT_H

#include <stddef.h>

struct secret {
	const char *text; /* need not end with a NUL */
	size_t length;    /* 0: no secret */
};

/*
 * Puts stars in the place of every secret in text, whose length stays.  Secrets may overlap, and
 * nothing is left that is one of them, unless it is made of stars.  Without memory all of the text
 * becomes stars.
 */
void redact(char *text, const struct secret *secrets, size_t count);

#endif
