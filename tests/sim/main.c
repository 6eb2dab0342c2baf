/* SPDX-License-Identifier: PostgreSQL */
/*
 * sim [--world record|async|ping] [--seeds N] [--first S] [--seed S [-v]] [--seconds T]
 *
 * Each seed is a history of two nodes.  The first one that breaks a promise is told, and told again
 * as a transcript; then the exit code is 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/nftlease.h"
#include "node/leased.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "postgres/server.h"
#include "sim.h"

/* The Makefile says the whole path. */
#ifndef SIM_DIR
#define SIM_DIR "tests/sim"
#endif

extern __typeof__(cfg_load) REAL(cfg_load);

struct run {
	int64_t first, seeds, seconds;
	bool quiet;
};

static const char *const worlds[WORLDS] = { "record", "async", "ping" };

static void load(void)
{
	for (int node = 0; node < NODES; node++) {
		struct cfg *cfg = &nodes[node].cfg;
		const char *file =
		    sim_world == WORLD_PING ? SIM_DIR "/ping.ini" : SIM_DIR "/record.ini";

		if (REAL(cfg_load)(cfg, file) < 0)
			exit(78);
		if (sim_world == WORLD_RECORD_ASYNC)
			cfg->mode = MODE_ASYNC;
		cfg->self = (size_t)node;
		(void)snprintf(cfg->run_dir, sizeof(cfg->run_dir), "/sim/%s/run", node_name(node));
		(void)snprintf(cfg->state_dir, sizeof(cfg->state_dir), "/sim/%s/state",
			       node_name(node));
		(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "/sim/%s/data",
			       node_name(node));
	}
}

/* A pair in which all is well: node n1 serves, n2 streams.  found: and no guard has ever run. */
static void pair_up(bool found)
{
	struct fake_server *primary = &servers[0], *standby = &servers[1];
	int rc =
	    server_conninfo_to_peer(&nodes[1].cfg, standby->conninfo, sizeof(standby->conninfo));

	(void)snprintf(standby->conninfo_file, sizeof(standby->conninfo_file), "%s",
		       standby->conninfo);
	primary->loaded_us = standby->loaded_us = sim_now_us;
	standby->streams = true;
	primary->sender = 1;
	primary->flushed = wal_end(&standby->wal);
	for (int node = 0; node < NODES && nodes[0].cfg.mode == MODE_SYNC; node++) {
		struct fake_server *s = &servers[node];

		(void)snprintf(s->names, sizeof(s->names), "\"%s\"", node_name(1 - node));
		(void)snprintf(s->names_file, sizeof(s->names_file), "\"%s\"", node_name(1 - node));
		s->sync = true;
	}
	if (found) {
		the_row.present = false;
		if (chance_one_in(2))
			files_break(0, PLACE_DATA, sim_now_us + MS(25000));
		return;
	}
	for (int node = 0; node < NODES && rc == 0; node++) {
		rc = leased_write_data(&nodes[node].cfg, SYSTEM);
		if (rc == 0)
			rc = leased_write_state(&nodes[node].cfg, SYSTEM);
		if (rc == 0)
			rc = baseline_write(&nodes[node].cfg, node_name(1 - node));
	}
	if (rc == 0)
		rc = stamp_write(&nodes[0].cfg, STAMP_LEASE, node_ms(0) + nodes[0].cfg.lease_ms,
				 "vote");
	if (rc < 0)
		abort();
}

/* True when every promise was kept. */
static bool run_seed(int64_t seed, int64_t seconds)
{
	chance_begin((uint64_t)seed);
	files_begin();
	locks_begin();
	sql_begin();
	net_begin();
	promise_begin();
	sim_begin();
	nodes_begin();
	servers_begin();
	row_begin();
	pair_up(chance_one_in(6));
	faults_begin();
	sim_run(sim_now_us + MS(1000 * seconds));
	return promise_broken[0] == '\0';
}

static int usage(void)
{
	(void)fprintf(stderr, "sim [--world record|async|ping] [--seeds N] [--first S] "
			      "[--seed S] [--seconds T] [-v] [-q]\n");
	return 64;
}

static bool take(struct run *run, const char *word, const char *value)
{
	int64_t *number = NULL;

	if (strcmp(word, "--seeds") == 0)
		number = &run->seeds;
	if (strcmp(word, "--first") == 0 || strcmp(word, "--seed") == 0)
		number = &run->first;
	if (strcmp(word, "--seconds") == 0)
		number = &run->seconds;
	if (number != NULL)
		*number = strtoll(value, NULL, 10);
	if (strcmp(word, "--seed") == 0)
		run->seeds = 1;
	for (int world = 0; strcmp(word, "--world") == 0 && world < WORLDS; world++) {
		if (strcmp(value, worlds[world]) == 0) {
			sim_world = (enum world)world;
			return true;
		}
	}
	return number != NULL;
}

static int told_again(const struct run *run, int64_t seed)
{
	printf("world %s, seed %" PRId64 ": %s\n", worlds[sim_world], seed, promise_broken);
	if (!run->quiet && !told_aloud) {
		told_aloud = true;
		(void)run_seed(seed, run->seconds);
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct run run = { .first = 1, .seeds = 1000, .seconds = 60 };
	struct counts all = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			told_aloud = true;
		else if (strcmp(argv[i], "-q") == 0)
			run.quiet = true;
		else if (i + 1 == argc || !take(&run, argv[i], argv[i + 1]))
			return usage();
		else
			i++;
	}
	load();
	for (int64_t seed = run.first; seed < run.first + run.seeds; seed++) {
		if (!run_seed(seed, run.seconds))
			return told_again(&run, seed);
		all.promotions += counts.promotions;
		all.starts += counts.starts;
		all.kills += counts.kills;
		all.reboots += counts.reboots;
	}
	printf("world %s, %" PRId64 " seeds: %d promotions, %d starts of a primary, %d helpers "
	       "killed, %d reboots; every promise was kept\n",
	       worlds[sim_world], run.seeds, all.promotions, all.starts, all.kills, all.reboots);
	return 0;
}
