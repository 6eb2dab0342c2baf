/* SPDX-License-Identifier: PostgreSQL */
/* The transcript: what the helpers log, and what happens to the world. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/verdict.h"
#include "sim.h"

FAKES(log_open);
FAKES(log_quiet);
FAKES(log_identity);
FAKES(log_debug);
FAKES(log_info);
FAKES(log_warning);
FAKES(log_error);
FAKES(log_failed);
FAKES(log_complaint);
FAKES(log_verdict);

bool told_aloud;

static void say(int node, const char *who, const char *fmt, va_list args)
{
	printf("%9.3f %-2s %-14s ", (double)(sim_now_us - MS(1000000)) / 1e6,
	       node >= 0 ? node_name(node) : "--", who);
	(void)vprintf(fmt, args);
	(void)putchar('\n');
}

void told(int node, const char *who, const char *fmt, ...)
{
	va_list args;

	if (!told_aloud)
		return;
	va_start(args, fmt);
	say(node, who, fmt, args);
	va_end(args);
}

static const char *self_name(void)
{
	return sim_self() != NULL ? sim_self()->name : "sim";
}

#define SAY_LOG(fmt)                                     \
	do {                                             \
		va_list args;                            \
		if (!told_aloud)                         \
			return;                          \
		va_start(args, fmt);                     \
		say(sim_node(), self_name(), fmt, args); \
		va_end(args);                            \
	} while (0)

void FAKE(log_open)(const char *program, bool verbose)
{
	(void)program;
	(void)verbose;
}

void FAKE(log_quiet)(void)
{
}

void FAKE(log_identity)(const char *cluster, const char *node)
{
	(void)cluster;
	(void)node;
}

void FAKE(log_debug)(const char *fmt, ...)
{
	(void)fmt;
}

void FAKE(log_info)(const char *fmt, ...)
{
	SAY_LOG(fmt);
}

void FAKE(log_warning)(const char *fmt, ...)
{
	SAY_LOG(fmt);
}

void FAKE(log_error)(const char *fmt, ...)
{
	SAY_LOG(fmt);
}

void FAKE(log_complaint)(const char *fmt, ...)
{
	SAY_LOG(fmt);
}

void FAKE(log_failed)(const char *what, int rc)
{
	if (rc < 0)
		told(sim_node(), self_name(), "could not %s: %s", what, strerror(-rc));
}

void FAKE(log_verdict)(const struct verdict *verdict, int64_t elapsed_ms)
{
	(void)elapsed_ms;
	told(sim_node(), self_name(), "%s [%s] %s%s%s", outcome_word(verdict->outcome),
	     verdict->rule, verdict->message != NULL ? verdict->message : "",
	     verdict->detail[0] != '\0' ? " - " : "", verdict->detail);
}
