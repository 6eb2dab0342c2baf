/* SPDX-License-Identifier: PostgreSQL */
#include "health/nagios.h"

#include <inttypes.h>
#include <string.h>

#include "health/health_rules.h"

int nagios_limit_parse(struct nagios_limit *limit, const char *text)
{
	struct health_ask ask = { .lag_bytes = HEALTH_NEVER, .lag_ms = HEALTH_NEVER };
	int rc = text == NULL ? 0 : health_lag_parse(&ask, text);

	*limit = (struct nagios_limit){ .bytes = ask.lag_bytes, .ms = ask.lag_ms };
	return rc;
}

static bool is_set(const struct nagios_limit *limit)
{
	return limit->bytes != HEALTH_NEVER || limit->ms != HEALTH_NEVER;
}

/* Of one limit: YES, it is kept. */
static enum fact kept(const struct nagios_limit *limit, const struct health *h)
{
	if (limit->bytes != HEALTH_NEVER)
		return h->lag_bytes == HEALTH_NEVER ? FACT_UNKNOWN
						    : fact_of(h->lag_bytes <= limit->bytes);
	if (limit->ms != HEALTH_NEVER)
		return h->lag_ms == HEALTH_NEVER ? FACT_UNKNOWN : fact_of(h->lag_ms <= limit->ms);
	return FACT_YES;
}

static enum nagios decide_lag(const struct health *h, const struct nagios_limits *limits)
{
	const enum fact critical = kept(&limits->critical, h), warning = kept(&limits->warning, h);

	if (critical == FACT_NO)
		return NAGIOS_CRITICAL;
	if (critical == FACT_UNKNOWN || warning == FACT_UNKNOWN)
		return NAGIOS_UNKNOWN;
	return warning == FACT_NO ? NAGIOS_WARNING : NAGIOS_OK;
}

enum nagios nagios_decide(const struct verdict *verdict, const struct health *h,
			  const struct nagios_limits *limits)
{
	enum nagios lag;

	if (verdict->outcome == OUT_NO)
		return NAGIOS_CRITICAL;
	if (verdict->outcome != OUT_YES)
		return NAGIOS_UNKNOWN;
	lag = health_standby(h) || verdict->id == RULE_STANDBY ? decide_lag(h, limits) : NAGIOS_OK;
	return lag == NAGIOS_OK && verdict->hint != NULL ? NAGIOS_WARNING : lag;
}

/* ---- the line ---- */

static void print_seconds(FILE *out, const char *name, int64_t ms)
{
	if (ms != HEALTH_NEVER)
		(void)fprintf(out, " %s=%" PRId64 ".%03" PRId64 "s", name, ms / 1000, ms % 1000);
}

static void print_limit(FILE *out, int64_t value, bool of_ms)
{
	(void)fputc(';', out);
	if (value == HEALTH_NEVER)
		return;
	if (of_ms)
		(void)fprintf(out, "%" PRId64 ".%03" PRId64, value / 1000, value % 1000);
	else
		(void)fprintf(out, "%" PRId64, value);
}

static void print_lag(FILE *out, const struct health *h, const struct nagios_limits *limits)
{
	if (h->lag_bytes != HEALTH_NEVER) {
		(void)fprintf(out, " lag=%" PRId64 "B", h->lag_bytes);
		print_limit(out, limits->warning.bytes, false);
		print_limit(out, limits->critical.bytes, false);
		(void)fputs(";0", out);
	}
	if (h->lag_ms != HEALTH_NEVER) {
		print_seconds(out, "lag_time", h->lag_ms);
		print_limit(out, limits->warning.ms, true);
		print_limit(out, limits->critical.ms, true);
		(void)fputs(";0", out);
	}
}

/* A bar would begin the performance data. */
static void print_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		(void)fputc(*text == '|' || *text == '\n' ? ' ' : *text, out);
}

void nagios_print(FILE *out, enum nagios is, const struct verdict *verdict, const struct health *h,
		  const struct nagios_limits *limits)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	(void)fprintf(out, "PG_VRRP %s - ", words[is]);
	print_text(out, verdict->message);
	if (verdict->detail[0] != '\0') {
		(void)fputs(": ", out);
		print_text(out, verdict->detail);
	}
	if (is != NAGIOS_OK && verdict->outcome == OUT_YES && verdict->hint == NULL)
		(void)fputs(is == NAGIOS_UNKNOWN ? ", but its lag is not known" : ", but it lags",
			    out);
	(void)fputs(" |", out);
	if (health_standby(h) &&
	    (is_set(&limits->warning) || is_set(&limits->critical) || h->lag_bytes != HEALTH_NEVER))
		print_lag(out, h, limits);
	if (health_serves(h))
		print_seconds(out, "lease_left", h->lease_left_ms);
	print_seconds(out, "round_age", h->answer_age_ms);
	(void)fputc('\n', out);
}
