/* SPDX-License-Identifier: PostgreSQL */
/* What pgfixture.c needs of the operating system.  Tests use pgfixture.h. */
#ifndef PGFIXTURE_OS_H
#define PGFIXTURE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define OWNER "postgres"

#define OS_ADDRESSES 3
extern const char *const os_addresses[OS_ADDRESSES]; /* n1, n2, nobody's */

/* Says it on standard error and returns rc. */
int os_complain(const char *what, int rc);
void os_pause_ms(int ms);

/* The newest /usr/lib/postgresql/N/bin that has a server in it. */
int os_bin_dir(char *path, size_t size);

/* In a new child: become user postgres if asked, die with the parent, start the program. */
void os_child(const char *const *argv, bool as_postgres, const char *input, pid_t parent);
/* Exit code, 128 + signal, or -errno. */
int os_reap(pid_t pid);
/* Standard input from the file, standard output without its last newlines to out[size]. */
int os_run(const char *const *argv, bool as_postgres, const char *input, char *out, size_t size);
/* The same as user postgres; any exit code but 0 is complained of and is -ECHILD. */
int os_must_run(const char *const *argv, const char *input);

/* A file or directory that belongs to user postgres. */
int os_write(const char *path, const char *text, bool append);
int os_give_directory(const char *path);

/* Ends the server of the data directory: one that the tested code started is no child of ours, and
 * would outlive the test. */
void os_end_server(const char *data_dir);

#endif
