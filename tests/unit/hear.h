/* SPDX-License-Identifier: PostgreSQL */
/* Hears what code under test prints, and gives it a directory of its own. */
#ifndef HEAR_H
#define HEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct heard {
	int code; /* exit code, or 128 + signal */
	char out[8192];
	char err[8192];
};

/* Runs body(arg) in a child, then exit(its result); a child that takes over 10 s is killed. */
void hear_child(struct heard *heard, int (*body)(void *arg), void *arg);

/* Standard error goes into memory until hear_end. */
void hear_begin(void);
/* Returns what came since, valid until the next hear_end. */
const char *hear_end(void);

/* A new directory below /tmp; hear_path names a file in it, valid for the next 8 calls. */
void hear_directory(void);
const char *hear_path(const char *name);
/* How many entries it has. */
int hear_entries(void);
/* Removes it with all that is in it. */
void hear_remove(void);

/* Waits up to 5 s until the process is gone, or only a zombie of somebody else's. */
bool hear_gone(pid_t pid);
void hear_pause_ms(int ms);

#endif
