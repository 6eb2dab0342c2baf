/* SPDX-License-Identifier: PostgreSQL */
#include "cfgfixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct cfgfixture fixture;

/* Sound.  Line numbers below count from here. */
static const char sound[] = "[cluster]\n"                              /* 1 */
			    "name = main\n"                            /* 2 */
			    "vip = 10.77.0.100/24\n"                   /* 3 */
			    "interface = eth0\n"                       /* 4 */
			    "virtual_router_id = 51\n"                 /* 5 */
			    "# a comment; with a semicolon\n"          /* 6 */
			    "[node n1]\n"                              /* 7 */
			    "address = 10.77.0.1\n"                    /* 8 */
			    "[node n2]\n"                              /* 9 */
			    "address = 10.77.0.2\n"                    /* 10 */
			    "[witness]\n"                              /* 11 */
			    "address = 10.77.0.3\n"                    /* 12 */
			    "ssh = yes\n"                              /* 13 */
			    "[postgresql]\n"                           /* 14 */
			    "version = 15\n"                           /* 15 */
			    "data_dir = /var/lib/postgresql/15/main\n" /* 16 */
			    "[replication]\n"                          /* 17 */
			    "mode = sync\n"                            /* 18 */
			    "[fencing]\n"                              /* 19 */
			    "methods = ssh-witness, ssh\n"             /* 20 */
			    "[timing]\n"                               /* 21 */
			    "lease = 5s\n";                            /* 22 */

/* cfg_load with standard error caught. */
static int load_path(const char *path)
{
	int saved = dup(STDERR_FILENO);
	int caught = memfd_create("stderr", MFD_CLOEXEC);
	ssize_t length;
	int rc;

	assert_true(saved >= 0 && caught >= 0 && dup2(caught, STDERR_FILENO) >= 0);
	memset(&fixture.cfg, 0x5a, sizeof(fixture.cfg));
	rc = cfg_load(&fixture.cfg, path);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	length = pread(caught, fixture.said, sizeof(fixture.said) - 1, 0);
	fixture.said[length > 0 ? length : 0] = '\0';
	(void)close(caught);
	return rc;
}

int cfgfixture_load_bytes(const char *bytes, size_t size)
{
	FILE *file = fopen(fixture.path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return load_path(fixture.path);
}

void cfgfixture_path_refused(const char *path, const char *words)
{
	assert_int_equal(load_path(path), -EINVAL);
	cfgfixture_said(words);
}

int cfgfixture_load(const char *text)
{
	return cfgfixture_load_bytes(text, strlen(text));
}

/* `text` with `old` exchanged, which must be there. */
static const char *exchanged(const char *text, const char *old, const char *new)
{
	static char results[2][sizeof(sound) + 4096];
	static size_t turn;
	char *result = results[turn++ % 2]; /* text may be the one before */
	const char *at = strstr(text, old);

	assert_non_null(at);
	(void)snprintf(result, sizeof(results[0]), "%.*s%s%s", (int)(at - text), text, new,
		       at + strlen(old));
	return result;
}

const char *cfgfixture_sound(const char *old, const char *new)
{
	return exchanged(sound, old, new);
}

const char *cfgfixture_record(const char *old, const char *new)
{
	const char *text = exchanged(sound, "ssh = yes\n", "kind = postgres\n");

	return exchanged(exchanged(text, "ssh-witness, ssh", "ssh"), old, new);
}

void cfgfixture_said(const char *words)
{
	if (strstr(fixture.said, words) == NULL)
		fail_msg("expected \"%s\" in:\n%s", words, fixture.said);
}

void cfgfixture_refused(int rc, const char *place)
{
	static const struct cfg nothing;
	char words[192];

	(void)snprintf(words, sizeof(words), "%s%s", fixture.path, place);
	assert_int_equal(rc, -EINVAL);
	cfgfixture_said(words);
	cfgfixture_said("HINT:  ");
	assert_memory_equal(&fixture.cfg, &nothing, sizeof(fixture.cfg));
}

int cfgfixture_set_up(void **state)
{
	(void)state;
	(void)snprintf(fixture.path, sizeof(fixture.path), "/tmp/pgv-cfg-%d.ini", (int)getpid());
	return 0;
}

int cfgfixture_tear_down(void **state)
{
	(void)state;
	(void)unlink(fixture.path);
	return 0;
}
