/* SPDX-License-Identifier: PostgreSQL */
/* The log of a server about its end: real logs of PostgreSQL 15, and garbled ones. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "postgres/server_log.h"

#define AT "2026-11-30 03:15:02.101 UTC "

static struct cfg place;
static struct cfg *const cfg = &place;

static int set_up(void **unused)
{
	char directory[] = "/tmp/test_server_log.XXXXXX";

	(void)unused;
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(place.data_dir, sizeof(place.data_dir), "%s", directory);
	(void)snprintf(place.log_file, sizeof(place.log_file), "%s/server.log", directory);
	return 0;
}

static int tear_down(void **unused)
{
	static const char *const names[] = { "server.log", "a.log", "current_logfiles" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char path[CFG_PATH_MAX + 64];

		(void)snprintf(path, sizeof(path), "%s/%s", place.data_dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(place.data_dir);
}

static const char *reason(const char *log)
{
	static char why[SERVER_LOG_WHY_MAX];
	char *text = strdup(log);

	assert_non_null(text);
	server_log_reason(text, why, sizeof(why));
	free(text);
	return why;
}

/* ---- which lines ---- */

static void a_directory_that_is_missing_is_named_with_the_hint(void **unused)
{
	(void)unused;
	assert_string_equal(
	    reason(AT "[81] LOG:  entering standby mode\n" AT
		      "[81] LOG:  redo starts at 0/3000028\n" AT
		      "[90] FATAL:  the database system is starting up\n" AT
		      "[81] FATAL:  directory \"/srv/only\" does not exist\n" AT
		      "[81] HINT:  Create this directory for the tablespace before restarting the "
		      "server.\n" AT
		      "[81] CONTEXT:  WAL redo at 0/3000128 for Tablespace/CREATE: 16388 "
		      "\"/srv/only\"\n" AT "[91] FATAL:  role \"nobody\" does not exist\n" AT
		      "[80] LOG:  startup process (PID 81) exited with exit code 1\n" AT
		      "[80] LOG:  terminating any other active server processes\n" AT
		      "[80] LOG:  shutting down due to startup process failure\n" AT
		      "[80] LOG:  database system is shut down\n"),
	    "FATAL: directory \"/srv/only\" does not exist; HINT: Create this directory for the "
	    "tablespace before restarting the server.; CONTEXT: WAL redo at 0/3000128 for "
	    "Tablespace/CREATE: 16388 \"/srv/only\"");
}

static void an_error_of_the_configuration_is_named_not_only_the_file(void **unused)
{
	(void)unused;
	assert_string_equal(
	    reason(AT "[80] LOG:  unrecognized configuration parameter \"nonsense\" in file "
		      "\"/d/postgresql.conf\" line 821\n" AT
		      "[80] FATAL:  configuration file \"/d/postgresql.conf\" contains errors\n"),
	    "LOG: unrecognized configuration parameter \"nonsense\" in file "
	    "\"/d/postgresql.conf\" line 821; FATAL: configuration file \"/d/postgresql.conf\" "
	    "contains errors");
}

static void an_end_without_a_fatal_line_is_told_by_what_came_before(void **unused)
{
	(void)unused;
	assert_string_equal(
	    reason(AT "[80] LOG:  starting PostgreSQL 15.18\n" AT
		      "[81] LOG:  shutdown at recovery target\n" AT
		      "[80] LOG:  startup process (PID 81) exited with exit code 3\n" AT
		      "[82] LOG:  shutting down\n" AT "[80] LOG:  database system is shut down\n"),
	    "LOG: shutdown at recovery target");
	assert_string_equal(reason(AT
				   "[80] LOG:  startup process (PID 81) was terminated by signal "
				   "11: Segmentation fault\n" AT
				   "[80] LOG:  aborting startup due to startup process failure\n"),
			    "LOG: startup process (PID 81) was terminated by signal 11: "
			    "Segmentation fault");
}

/* log_line_prefix is the user's, and so is lc_messages. */
static void any_prefix_and_any_language_will_do(void **unused)
{
	(void)unused;
	assert_string_equal(reason("FATAL:  could not access file \"x\": No such file\n"),
			    "FATAL: could not access file \"x\": No such file");
	assert_string_equal(reason("<81%db@app> FATAL:  data is newer\n"), "FATAL: data is newer");
	assert_string_equal(reason("[81] ВАЖНО:  каталог \"/srv\" не существует\n"),
			    "[81] ВАЖНО:  каталог \"/srv\" не существует");
	assert_string_equal(
	    reason("/usr/lib/postgresql/15/bin/postgres: error while loading shared "
		   "libraries: libssl.so.3\n"),
	    "/usr/lib/postgresql/15/bin/postgres: error while loading shared "
	    "libraries: libssl.so.3");
}

static void what_only_ends_a_connection_is_no_reason(void **unused)
{
	(void)unused;
	assert_string_equal(reason("FATAL:  could not open file \"base/1\"\n"
				   "FATAL:  the database system is starting up\n"
				   "FATAL:  password authentication failed for user \"u\"\n"),
			    "FATAL: could not open file \"base/1\"");
	assert_string_equal(reason(""), "");
	assert_string_equal(reason(AT "[80] LOG:  database system is shut down\n"), "");
}

/* ---- whatever it contains ---- */

static void a_line_that_is_half_written_is_not_told(void **unused)
{
	(void)unused;
	assert_string_equal(reason("FATAL:  one\nFATAL:  tw"), "FATAL: one");
	assert_string_equal(reason("FATAL:  tw"), "");
}

static void passwords_are_not_told(void **unused)
{
	const char *why =
	    reason("FATAL:  invalid connection string \"host=a password=se%cret' x\", of "
		   "PASSWORD = 'other one' and postgresql://u:third@h/db: se%cret\n");

	(void)unused;
	assert_null(strstr(why, "se%cret"));
	assert_null(strstr(why, "one"));
	assert_null(strstr(why, "third"));
	assert_non_null(strstr(why, "invalid connection string"));
}

static void what_is_told_is_valid_utf8_and_one_line(void **unused)
{
	(void)unused;
	assert_string_equal(reason("FATAL:  caf\xe9 \x01 \xc3\xa9 \xe2\x82\n"),
			    "FATAL: caf?   \xc3\xa9 ??");
}

static void a_long_text_is_cut_between_characters_and_says_so(void **unused)
{
	char text[1024] = "FATAL:  ", why[64];
	size_t used = strlen(text);

	(void)unused;
	for (int i = 0; i < 200; i++) {
		text[used++] = '\xc3';
		text[used++] = '\xa9';
	}
	text[used++] = '\n';
	text[used] = '\0';
	server_log_reason(text, why, sizeof(why));
	assert_true(strlen(why) < sizeof(why) && strlen(why) > sizeof(why) - 6);
	assert_string_equal(why + strlen(why) - 5, "\xc3\xa9...");
	/* No more of a part than all of it. */
	(void)snprintf(text, sizeof(text), "FATAL:  short\nHINT:  %070d\n", 0);
	server_log_reason(text, why, sizeof(why));
	assert_string_equal(why, "FATAL: short");
}

/* ---- files ---- */

static void write_at(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void only_what_came_since_the_mark_is_told(void **unused)
{
	struct server_log log;
	char why[SERVER_LOG_WHY_MAX];

	(void)unused;
	write_at(cfg->log_file, "FATAL:  old\n", O_TRUNC);
	server_log_mark(&log, cfg);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "");
	write_at(cfg->log_file, "FATAL:  new\n", O_APPEND);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "FATAL: new");
	/* logrotate's copytruncate. */
	write_at(cfg->log_file, "LOG:  x\n", O_TRUNC);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "LOG: x");
}

static void the_collectors_file_is_found(void **unused)
{
	struct server_log log;
	char path[CFG_PATH_MAX + 64], why[SERVER_LOG_WHY_MAX];

	(void)unused;
	server_log_mark(&log, cfg);
	(void)snprintf(path, sizeof(path), "%s/current_logfiles", cfg->data_dir);
	write_at(path, "csvlog log/a.csv\nstderr a.log\n", O_TRUNC);
	(void)snprintf(path, sizeof(path), "%s/a.log", cfg->data_dir);
	write_at(path, "FATAL:  collected\n", O_TRUNC);
	write_at(cfg->log_file, "LOG:  redirecting log output to logging collector process\n",
		 O_APPEND);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "FATAL: collected");
}

/* The server's user says which file it is; root reads it. */
static void a_file_that_is_not_the_servers_is_not_read(void **unused)
{
	struct server_log log = { .own = { 0 } };
	char path[CFG_PATH_MAX + 64], why[SERVER_LOG_WHY_MAX];

	(void)unused;
	(void)snprintf(path, sizeof(path), "%s/a.log", cfg->data_dir);
	assert_int_equal(chown(path, 1, 1), 0);
	assert_int_equal(unlink(cfg->log_file), 0);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "");
}

/* Bounded: the end of a large log, from the beginning of a line. */
static void of_a_large_log_the_end_is_read(void **unused)
{
	struct server_log log = { .own = { 0 } };
	char line[256], why[SERVER_LOG_WHY_MAX];

	(void)unused;
	(void)unlink(cfg->log_file);
	(void)memset(line, 'x', sizeof(line));
	(void)snprintf(line, 20, "FATAL:  too old");
	line[15] = ' ';
	(void)snprintf(line + 250, 2, "\n");
	for (int i = 0; i < 600; i++)
		write_at(cfg->log_file, line, O_APPEND);
	write_at(cfg->log_file, "FATAL:  last\n", O_APPEND);
	server_log_why(&log, cfg, why, sizeof(why));
	assert_string_equal(why, "FATAL: last");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_that_is_missing_is_named_with_the_hint),
		cmocka_unit_test(an_error_of_the_configuration_is_named_not_only_the_file),
		cmocka_unit_test(an_end_without_a_fatal_line_is_told_by_what_came_before),
		cmocka_unit_test(any_prefix_and_any_language_will_do),
		cmocka_unit_test(what_only_ends_a_connection_is_no_reason),
		cmocka_unit_test(a_line_that_is_half_written_is_not_told),
		cmocka_unit_test(passwords_are_not_told),
		cmocka_unit_test(what_is_told_is_valid_utf8_and_one_line),
		cmocka_unit_test(a_long_text_is_cut_between_characters_and_says_so),
		cmocka_unit_test(only_what_came_since_the_mark_is_told),
		cmocka_unit_test(the_collectors_file_is_found),
		cmocka_unit_test(a_file_that_is_not_the_servers_is_not_read),
		cmocka_unit_test(of_a_large_log_the_end_is_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
