/* SPDX-License-Identifier: PostgreSQL */
/* Rows of the record as a node sees and remembers them (record/record_memory.h), in nodefiles. */
#ifndef MEMORYROWS_H
#define MEMORYROWS_H

#include <stddef.h>
#include <stdint.h>

#include "record/record_memory.h"

/* A good row that was asked for `ago` ms ago; a question takes 10 ms here. */
struct record memory_row(int64_t term, int64_t version, int64_t ago);

/* Reads the memory and notes the row, which must work. */
struct record_memory memory_noted(const struct record *record);

/* What stands in state_dir. */
void memory_saved(char *text, size_t size);

/* What is of this boot goes. */
void memory_reboot(void);

#endif
