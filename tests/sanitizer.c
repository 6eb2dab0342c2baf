/* SPDX-License-Identifier: PostgreSQL */
/*
 * Linked into sanitized helpers.  Their environment is cleaned, and what keepalived runs has
 * nowhere to write to, so that their reports go to files, wherever they run: a test looks for them
 * there. PGV_REPORTS is a path of the host, which the hosts of a lab share unless it lies in /run,
 * /etc, /root, /var/lib or /var/log.
 */
#ifndef PGV_REPORTS
#define PGV_REPORTS "." /* for linters */
#endif

const char *__asan_default_options(void);  /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
const char *__ubsan_default_options(void); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */

/* 70: a bug; the code of a report would else be 1, which says no. */
static const char options[] = "log_path=" PGV_REPORTS "/report:exitcode=70:print_stacktrace=1";

const char *__asan_default_options(void) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
{
	return options;
}

const char *__ubsan_default_options(void) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
{
	return options;
}
