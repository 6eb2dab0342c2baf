/* SPDX-License-Identifier: PostgreSQL */
#include "render/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/timing.h"

static void PRINTF_LIKE(3, 4) becomes(struct fault *fault, enum fault_end end, const char *fmt, ...)
{
	va_list args;

	fault->end = end;
	va_start(args, fmt);
	(void)vsnprintf(fault->words, sizeof(fault->words), fmt, args);
	va_end(args);
}

static bool is_sync(const struct cfg *cfg)
{
	return cfg->mode == MODE_SYNC;
}

/* Without proof and without the record, silence alone is enough. */
static bool silence_promotes(const struct cfg *cfg)
{
	return !cfg_has_record(cfg) && !cfg->witness_ssh && cfg->unproven == UNPROVEN_PROMOTE;
}

/* ---- one fault each ---- */

void fault_crash(struct fault *fault, const struct cfg *cfg)
{
	if (cfg_has_record(cfg))
		becomes(fault, FAULT_SURVIVED,
			"takeover as soon as the record is released, or the server fenced over "
			"ssh");
	else
		becomes(fault, FAULT_SURVIVED, "takeover as soon as it is fenced over ssh");
}

void fault_host_lost(struct fault *fault, const struct cfg *cfg)
{
	int64_t waits_ms = cfg->lease_ms + cfg->margin_ms;

	if (cfg_has_record(cfg))
		becomes(fault, FAULT_SURVIVED, "takeover %" PRId64 " ms after the last renewal",
			waits_ms);
	else if (cfg->witness_ssh)
		becomes(fault, FAULT_SURVIVED,
			"takeover after %" PRId64 " ms, when the witness host had no answer from "
			"it either",
			waits_ms);
	else if (cfg_power_ms(cfg) > 0)
		becomes(fault, FAULT_SURVIVED,
			"takeover after %" PRId64 " ms and the time that it takes to switch it off",
			waits_ms);
	else if (cfg->unproven == UNPROVEN_PROMOTE)
		becomes(fault, FAULT_SURVIVED,
			"takeover after %" PRId64 " ms, when no probe had an answer (unproven = "
			"promote)",
			waits_ms);
	else
		becomes(fault, FAULT_REFUSED,
			"nothing can prove it: promote_safe --assume-peer-down=NODE");
}

void fault_isolated(struct fault *fault, const struct cfg *cfg)
{
	fault_host_lost(fault, cfg);
	if (fault->end == FAULT_SURVIVED)
		becomes(fault, FAULT_SURVIVED,
			"it stops itself within %" PRId64 " ms, then the takeover as above",
			cfg->lease_ms);
	else
		becomes(fault, FAULT_REFUSED,
			"it stops itself within %" PRId64 " ms; then as above", cfg->lease_ms);
}

static void standby_lost(struct fault *fault, const struct cfg *cfg)
{
	if (!is_sync(cfg))
		becomes(fault, FAULT_SURVIVED, "%s",
			cfg_has_record(cfg) ? "the primary goes on alone (solo)"
					    : "the primary goes on");
	else if (cfg_has_record(cfg))
		becomes(fault, FAULT_SURVIVED,
			"the primary goes on alone (solo); commits wait for about %" PRId64 " ms",
			cfg->solo_after_ms + TIMING_ROUND_MS);
	else
		becomes(fault, FAULT_WAITS, "commits wait until it is back");
}

static void nodes_cut(struct fault *fault, const struct cfg *cfg)
{
	standby_lost(fault, cfg);
	if (silence_promotes(cfg))
		becomes(fault, FAULT_DANGER,
			"two primaries, if the old one sees the witness and answers no probe%s",
			is_sync(cfg) ? "; no acknowledged commit is lost" : "");
	else if (!cfg_has_record(cfg) && cfg_power_ms(cfg) > 0 &&
		 !cfg_has_method(cfg, FENCING_SSH_WITNESS))
		becomes(fault, FAULT_SURVIVED,
			"nobody can ask the primary: it is switched off, then takeover");
	else if (fault->end == FAULT_WAITS)
		becomes(fault, FAULT_WAITS, "commits wait until the nodes meet again");
}

static void witness_lost(struct fault *fault, const struct cfg *cfg)
{
	(void)cfg;
	becomes(fault, FAULT_SURVIVED,
		"the primary goes on by the standby's votes; no takeover meanwhile");
}

static void frozen(struct fault *fault, const struct cfg *cfg)
{
	const bool held = cfg->kernel_lease || is_sync(cfg);

	fault_host_lost(fault, cfg);
	if (held && fault->end == FAULT_REFUSED)
		becomes(fault, FAULT_REFUSED,
			"nobody takes over until it wakes and stops itself, or a person decides");
	else if (cfg->kernel_lease)
		becomes(fault, FAULT_SURVIVED,
			"the kernel cuts its clients off when the lease ends, and it stops when "
			"it wakes");
	else if (is_sync(cfg))
		becomes(fault, FAULT_SURVIVED,
			"it stops when it wakes; until then it accepts, and acknowledges nothing");
	else
		becomes(fault, FAULT_DANGER,
			"it accepts writes until its guard runs again (kernel_lease = no)");
}

static void witness_then_primary(struct fault *fault, const struct cfg *cfg)
{
	(void)cfg;
	becomes(fault, FAULT_REFUSED, "takeover when the witness is back");
}

static void witness_and_standby(struct fault *fault, const struct cfg *cfg)
{
	becomes(fault, FAULT_REFUSED, "the primary stops itself within %" PRId64 " ms; %s",
		cfg->lease_ms,
		cfg_has_record(cfg) ? "it starts again when the witness is back"
				    : "it starts again when the standby is back");
}

static void standby_then_primary(struct fault *fault, const struct cfg *cfg)
{
	becomes(fault, FAULT_REFUSED, "%s: promote_safe --assume-peer-down=NODE --accept-loss=LSN",
		is_sync(cfg) && !cfg_has_record(cfg) ? "it cannot know that it lacks nothing"
						     : "it lacks what was written without it");
}

static void record_lost(struct fault *fault, const struct cfg *cfg)
{
	(void)cfg;
	becomes(fault, FAULT_SURVIVED,
		"the primary writes it anew; no takeover until it has done so");
}

static void keepalived_killed(struct fault *fault, const struct cfg *cfg)
{
	(void)cfg;
	becomes(fault, FAULT_SURVIVED,
		"the primary goes on serving; keepalived's unit brings it back");
}

static const struct {
	const char *what;
	void (*of)(struct fault *fault, const struct cfg *cfg);
	bool of_record; /* only with a witness that keeps one */
} table[] = {
	{ "PostgreSQL crashes or hangs on the primary", fault_crash, false },
	{ "the primary's host loses power", fault_host_lost, false },
	{ "the primary is cut from everything", fault_isolated, false },
	{ "the primary's host freezes and wakes after a takeover", frozen, false },
	{ "the standby is lost", standby_lost, false },
	{ "the nodes are cut from each other", nodes_cut, false },
	{ "the witness, or the way to it, is lost", witness_lost, false },
	{ "keepalived is killed on the primary", keepalived_killed, false },
	{ "the record is emptied, edited or restored", record_lost, true },
	{ "the witness, then the primary", witness_then_primary, false },
	{ "the witness and the standby at once", witness_and_standby, false },
	{ "the standby, then the primary", standby_then_primary, false },
};
_Static_assert(ARRAY_COUNT(table) <= FAULTS_MAX, "faults_of has room for each");

size_t faults_of(const struct cfg *cfg, struct fault *faults)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		if (table[i].of_record && !cfg_has_record(cfg))
			continue;
		faults[count].what = table[i].what;
		table[i].of(&faults[count], cfg);
		count++;
	}
	return count;
}

const char *fault_end_word(enum fault_end end)
{
	static const char *const words[] = { [FAULT_SURVIVED] = "survived",
					     [FAULT_WAITS] = "waits",
					     [FAULT_REFUSED] = "refused",
					     [FAULT_DANGER] = "DANGER" };

	return words[end];
}
