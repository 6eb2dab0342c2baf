/* SPDX-License-Identifier: PostgreSQL */
#include "config/summary.h"

#include <inttypes.h>

#include "config/faults.h"

/* check_primary renews the record and asks for a vote this often. */
#define ROUND_MS 1000

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
		      spare / ROUND_MS - 1);
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
	(void)fprintf(
	    out, "  takeover   %" PRId64 " ms after the loss of a host without a word from it\n",
	    cfg->lease_ms + cfg->margin_ms);
	print_faults(out, cfg);
}
