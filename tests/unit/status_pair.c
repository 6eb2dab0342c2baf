/* SPDX-License-Identifier: PostgreSQL */
#include "status_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct cfg status_config(void)
{
	return (struct cfg){
		.name = "main",
		.vip = "10.0.0.100",
		.vip_prefix = 24,
		.nodes = { { .name = "n1", .address = "10.0.0.1" },
			   { .name = "n2", .address = "10.0.0.2" } },
		.self = 1,
		.witness_address = "10.0.0.3",
		.lease_ms = 5000,
		.margin_ms = 1000,
		.max_lag_bytes = 1000,
		.max_staleness_ms = 30000,
	};
}

struct status status_pair(void)
{
	return (struct status){
		.servers = { { .state = SERVER_PRIMARY,
			       .system_identifier = 7,
			       .version_num = 150004,
			       .timeline = 3,
			       .write_lsn = 5000,
			       .peer_streams = true },
			     { .state = SERVER_STANDBY,
			       .system_identifier = 7,
			       .version_num = 150004,
			       .timeline = 3,
			       .received_lsn = 4000,
			       .replayed_lsn = 4000,
			       .receiving = true } },
		.slots = { { .known = true,
			     .bound_bytes = 1000,
			     .count = 1,
			     .slots = { { .name = "pgvrrp_n2",
					  .active = true,
					  .hold = SLOT_KEEPS,
					  .restart_lsn = 4900,
					  .held_bytes = 100 } } },
			   { .known = true,
			     .standby = true,
			     .bound_bytes = 1000,
			     .uses = "pgvrrp_n2" } },
		.config = { { .ignored = FACT_NO }, { .ignored = FACT_NO } },
		.replay = { [1] = { .known = true, .standby = true } },
		.pause = { .runs = FACT_NO },
		.writable = FACT_YES,
		.rights = { .take_over = FACT_YES, .own_connect = FACT_YES },
		.witness = FACT_YES,
		.vip = VIP_PEER,
		.room = { .full = FACT_NO, .free_bytes = 1 << 30 },
		.fenced = { .present = FACT_NO },
		.leased = FACT_YES,
		.withdrawn_mark = FACT_NO,
		.lease = { .known = true, .away_ms = 4200, .word = "vote" },
		.priority = 50,
		.keepalived = FACT_YES,
		.election_master = FACT_NO,
		.guard = FACT_YES,
		.kernel = KERNEL_UNTIL,
		.kernel_left_ms = 4100,
		.watchdog = "armed",
		.baseline = FACT_NO,
		.attempts = { [ATTEMPT_REJOIN_CHECK] = { .outcome = OUT_YES,
							 .answer = FACT_YES,
							 .text = "yes ready: this node could be "
								 "rewound" } },
	};
}

void status_expect(const struct status *status, const struct cfg *cfg, enum fact takes_over,
		   const char *words)
{
	const struct status_forecast made = status_forecast(status, cfg);

	if (made.takes_over != takes_over || strstr(made.text, words) == NULL)
		fail_msg("%s: %s; wanted: %s", fact_word(made.takes_over), made.text, words);
}

char *status_printed(const struct cfg *cfg, bool json, const struct status *status)
{
	const struct status_facts facts = status_facts_of(status, cfg);
	const struct verdict verdict = status_decide(&facts);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		status_print_json(status, cfg, &verdict, out);
	else
		status_print(status, cfg, &verdict, out);
	assert_int_equal(fclose(out), 0);
	return text;
}
