/* SPDX-License-Identifier: PostgreSQL */
/* Loads texts as configuration files and looks at what was said about them. */
#ifndef PGV_TEST_CFGFIXTURE_H
#define PGV_TEST_CFGFIXTURE_H

#include <stddef.h>

#include "config/cfg.h"

struct cfgfixture {
	struct cfg cfg;   /* what was loaded */
	char path[64];    /* the file */
	char said[16384]; /* standard error */
};
extern struct cfgfixture fixture;

/* For every test: a file name of its own, nothing left behind. */
int cfgfixture_set_up(void **state);
int cfgfixture_tear_down(void **state);

/* cfg_load on a file of these bytes. */
int cfgfixture_load_bytes(const char *bytes, size_t size);
int cfgfixture_load(const char *text);

/* The text of a sound file, with `old` in it exchanged. */
const char *cfgfixture_sound(const char *old, const char *new);
/* The same of one whose line 13 is "kind = postgres". */
const char *cfgfixture_record(const char *old, const char *new);

/* rc is a refusal, "FILE" + place was said with a hint, and nothing is loaded. */
void cfgfixture_refused(int rc, const char *place);
void cfgfixture_path_refused(const char *path, const char *words);
void cfgfixture_said(const char *words);

#endif
