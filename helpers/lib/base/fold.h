/* SPDX-License-Identifier: PostgreSQL */
/* Long lines on a terminal.  In a pipe or a file a line stays a line, so that grep(1) finds it. */
#ifndef PGV_FOLD_H
#define PGV_FOLD_H

#include <stddef.h>
#include <stdio.h>

struct fold {
	FILE *to;
	FILE *memory; /* NULL: `to` is no terminal, and is written to itself */
	char *text;
	size_t size;
	int width;
};

/* Returns what to print to until fold_end; `to` itself where that is no terminal, or there is no
 * memory. */
FILE *fold_begin(struct fold *fold, FILE *to);
void fold_end(struct fold *fold);
/* All at once. */
void fold_text(FILE *to, const char *text);

/*
 * Prints text, its lines broken at blanks to at most `width` characters.  What goes on stands below
 * the last column of its line: behind the last gap of two blanks or more in its first three
 * quarters.
 */
void fold_print(FILE *out, const char *text, int width);

#endif
