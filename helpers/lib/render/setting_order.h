/* SPDX-License-Identifier: PostgreSQL */
/* Which of two places of PostgreSQL's configuration is read later: the last line of a
 * name counts. */
#ifndef PGV_SETTING_ORDER_H
#define PGV_SETTING_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Is line `line` of `file` read after the file `place`?  That is so where both lie in one directory
 * and its name sorts behind, and where `file` includes place, or its directory, before that line.
 * false: no, or it cannot be told.
 */
bool setting_comes_later(const char *file, int64_t line, const char *place);

#endif
