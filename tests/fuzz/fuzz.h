/* SPDX-License-Identifier: PostgreSQL */
/*
 * The common parts of the fuzz targets.  A target is tests/fuzz/fuzz_NAME.c, a program of libFuzzer
 * with one LLVMFuzzerTestOneInput; it is linked with the library as it is.  Whatever cannot be had
 * here (another answer of the kernel, of a server) is given by a fake in place of the function that
 * fetches it.
 */
#ifndef PGV_FUZZ_H
#define PGV_FUZZ_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

/* int fake_x(void) FAKE(x); the library's calls of x from other files come to fake_x
 * (ld --wrap). */
#define FAKE(name) __asm__("__wrap_" #name)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The input, taken piece by piece; what is not there is 0 or "". */
struct input {
	const uint8_t *at;
	size_t left;
};
uint8_t input_byte(struct input *in);
uint64_t input_number(struct input *in);
/* A copy of exactly its own size, so that a byte too far is seen: all that is left, or up to the
 * next byte of `end`, which is taken too.  A NUL ends it for the reader.  To be freed. */
char *input_rest(struct input *in);
char *input_until(struct input *in, char end);
/* The bytes themselves. */
size_t input_bytes(struct input *in, void *bytes, size_t size);

/* A configuration as cfg_load would make it, with run_dir, state_dir and data_dir in a directory of
 * this process; that is below TMPDIR, which whoever starts the target removes. */
const struct cfg *fuzz_cfg(void);
/* Replaces the file. */
void fuzz_put(const char *path, const void *bytes, size_t size);

/* The lines that were logged since it was emptied. */
struct fuzz_said {
	char text[65536];
	size_t used;
	unsigned lines;
};
extern struct fuzz_said fuzz_said;

bool fuzz_is_zero(const void *bytes, size_t size);
/* One text without control characters? */
bool fuzz_is_clean(const char *text);

#endif
