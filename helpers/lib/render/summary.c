/* SPDX-License-Identifier: PostgreSQL */
#include "render/summary.h"

#include <inttypes.h>
#include <string.h>

#include "config/timing.h"
#include "render/faults.h"

static void print_witness(FILE *out, const struct cfg *cfg)
{
	(void)fprintf(out, "  witness    %s %s", cfg_witness_word(cfg), cfg->witness_address);
	if (cfg->witness_port != 0)
		(void)fprintf(out, " port %" PRId64, cfg->witness_port);
	if (cfg_has_record(cfg))
		(void)fprintf(out, ", database %s, role %s", cfg->witness_database,
			      cfg->witness_role);
	(void)fprintf(out, "%s\n", cfg->witness_ssh ? ", with ssh" : "");
}

/* With a record two sources prolong the lease; how patient is it with one? */
static void print_renewals(FILE *out, const struct cfg *cfg)
{
	int64_t spare = cfg->lease_ms - cfg_fence_time_ms(cfg) - cfg->probe_timeout_ms;

	(void)fprintf(out,
		      "  renewals   each second, by the witness and by the standby; one of them "
		      "alone may miss %" PRId64 " in a row\n",
		      spare / TIMING_ROUND_MS - 1);
}

/* The proof that libpq is told to ask for of the server at an address. */
static const char *proof(const char *conninfo)
{
	if (strstr(conninfo, "sslmode=verify-full") != NULL)
		return "its certificate";
	if (strstr(conninfo, "sslmode=verify-ca") != NULL)
		return "a certificate of its CA, whatever host that is of";
	if (strstr(conninfo, "require_auth=scram-sha-256") != NULL)
		return "the password of the role, not encrypted";
	return "nothing: whoever has its address could answer (docs/threats.md)";
}

static void print_proofs(FILE *out, const struct cfg *cfg)
{
	(void)fprintf(out, "  answers    of the other server are proven by %s\n",
		      proof(cfg->conninfo));
	if (cfg_has_record(cfg))
		(void)fprintf(out, "             of the witness by %s\n",
			      proof(cfg->witness_conninfo));
}

static void print_faults(FILE *out, const struct cfg *cfg)
{
	struct fault faults[FAULTS_MAX];
	size_t count = faults_of(cfg, faults);

	(void)fputs("\nfaults, and what comes of them (docs/safety.md)\n", out);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "  %-9s %s: %s\n", fault_end_word(faults[i].end), faults[i].what,
			      faults[i].words);
}

/* Prints what the margin is for, and, where it was set, what would have followed from the rest of
 * the file. */
static void print_margin(FILE *out, const struct cfg *cfg)
{
	const int64_t derived_ms = cfg_margin_derived(cfg);

	(void)fprintf(out, "  margin     %" PRId64 " ms", cfg->margin_ms);
	if (cfg->margin_ms != derived_ms)
		(void)fprintf(out, ", as it was set; %" PRId64 " would do", derived_ms);
	(void)fprintf(out, ": %" PRId64 " for clocks that drift, %d for a guard that wakes late",
		      cfg->lease_ms / TIMING_DRIFT_PART, TIMING_WAKE_LATE_MS);
	if (!cfg_has_record(cfg) || !cfg->kernel_lease)
		(void)fprintf(out, ", %d for %s", TIMING_WITHDRAWAL_MS,
			      cfg_has_record(cfg) ? "a stall that the kernel does not cover"
						  : "a witness that looks early");
	(void)fputc('\n', out);
}

void summary_print(FILE *out, const struct cfg *cfg)
{
	(void)fprintf(out, "%s: cluster \"%s\" is sound\n", cfg->path, cfg->name);
	(void)fprintf(out, "  nodes      %s %s, %s %s\n", cfg->nodes[0].name, cfg->nodes[0].address,
		      cfg->nodes[1].name, cfg->nodes[1].address);
	(void)fprintf(out, "  vip        %s/%" PRId64 " on %s\n", cfg->vip, cfg->vip_prefix,
		      cfg->interface);
	print_witness(out, cfg);
	(void)fprintf(out, "  mode       %s\n", cfg->mode == MODE_SYNC ? "sync" : "async");
	(void)fprintf(
	    out, "  lease      %" PRId64 " ms, of which the last %" PRId64 " are for a fence\n",
	    cfg->lease_ms, cfg_fence_time_ms(cfg));
	if (cfg_has_record(cfg))
		print_renewals(out, cfg);
	print_margin(out, cfg);
	(void)fprintf(
	    out, "  takeover   %" PRId64 " ms after the loss of a host without a word from it\n",
	    cfg->lease_ms + cfg->margin_ms);
	print_proofs(out, cfg);
	print_faults(out, cfg);
}
