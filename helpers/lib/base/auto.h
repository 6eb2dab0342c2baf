/* SPDX-License-Identifier: PostgreSQL */
/* Cleanup by scope: what is declared with one of these is released on every path out of
 * the block. */
#ifndef PGV_AUTO_H
#define PGV_AUTO_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void auto_fclose(FILE **file)
{
	if (*file != NULL)
		(void)fclose(*file);
}

static inline void auto_closedir(DIR **directory)
{
	if (*directory != NULL)
		(void)closedir(*directory);
}

/* int AUTO_FD fd = -1; */
#define AUTO_FD __attribute__((cleanup(auto_close)))
/* char AUTO_FREE *text = NULL; */
#define AUTO_FREE __attribute__((cleanup(auto_free)))
/* FILE AUTO_FILE *file = NULL; */
#define AUTO_FILE __attribute__((cleanup(auto_fclose)))
/* DIR AUTO_DIR *all = NULL; */
#define AUTO_DIR __attribute__((cleanup(auto_closedir)))

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_COUNT(array)      (sizeof(array) / sizeof((array)[0]))

#endif
