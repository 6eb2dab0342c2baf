/* SPDX-License-Identifier: PostgreSQL */
/*
 * Answers of a server, from the input: one line for each row, cells separated by tabs, \N for NULL
 * (as COPY writes them), a line "." between the answers to two questions.  pg_open, pg_query,
 * pg_command and pg_literal are faked; the readers of cells are the real ones.
 */
#ifndef PGV_FUZZ_ROWS_H
#define PGV_FUZZ_ROWS_H

#include "fuzz.h"

/* The answers from now on; nothing is kept of earlier ones. */
void rows_begin(struct input in);

#endif
