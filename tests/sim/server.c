/* SPDX-License-Identifier: PostgreSQL */
/* PostgreSQL on each node: its phases, its WAL, replication and synchronous commits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/path.h"
#include "sim.h"

#define TICK_US MS(10)
/* A walreceiver that hears nothing ends. */
#define AWAY_US MS(2500)

/* enum DBState */
enum { SHUT_DOWN = 1, SHUT_DOWN_IN_RECOVERY = 2, IN_ARCHIVE_RECOVERY = 5, IN_PRODUCTION = 6 };

struct fake_server servers[NODES];
static int states[NODES]; /* in pg_control */
static int line_ids;
static int64_t senders;

uint64_t wal_end(const struct wal *wal)
{
	return wal->lines[wal->count - 1].end;
}

bool server_is_primary(int node)
{
	return servers[node].phase == SERVER_RUNS && servers[node].primary;
}

static const char *signal_path(int node)
{
	static struct file_path path;

	path = file_data(&nodes[node].cfg, "standby.signal");
	return path.text;
}

/* ---- pg_control ---- */

#define CRC_AT 288

static void seal(unsigned char *bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t at = 0; at < CRC_AT; at++) {
		crc ^= bytes[at];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0);
	}
	crc ^= UINT32_MAX;
	memcpy(bytes + CRC_AT, &crc, sizeof(crc));
}

void server_control(int node, unsigned char *bytes, size_t size)
{
	static unsigned char made[IN_PRODUCTION + 1][512];
	const uint64_t system = SYSTEM;
	const uint32_t state = (uint32_t)states[node];
	unsigned char *of_state = made[state];

	if (memcmp(of_state, &system, sizeof(system)) != 0) {
		memcpy(of_state, &system, sizeof(system));
		memcpy(of_state + 16, &state, sizeof(state));
		seal(of_state);
	}
	memcpy(bytes, of_state, size < sizeof(made[0]) ? size : sizeof(made[0]));
}

/* ---- phases ---- */

static void begun(int64_t node, int64_t incarnation, void *nothing)
{
	struct fake_server *s = &servers[node];

	(void)nothing;
	if (s->incarnation != incarnation || s->phase != SERVER_BEGINS)
		return;
	s->phase = SERVER_RUNS;
	s->primary = !file_there(signal_path((int)node));
	s->clean = false;
	memcpy(s->conninfo, s->conninfo_file, sizeof(s->conninfo));
	memcpy(s->names, s->names_file, sizeof(s->names));
	s->sync = s->names[0] != '\0';
	s->recovered = wal_end(&s->wal);
	s->flushed = 0;
	s->streams = false;
	states[node] = s->primary ? IN_PRODUCTION : IN_ARCHIVE_RECOVERY;
	told((int)node, "server", "runs as a %s", s->primary ? "primary" : "standby");
	if (s->primary) {
		counts.starts++;
		promise_primary((int)node);
	}
}

void server_start(int node)
{
	struct fake_server *s = &servers[node];

	if (s->phase != SERVER_IS_DOWN || !nodes[node].on)
		return;
	s->phase = SERVER_BEGINS;
	s->is_down = false;
	s->incarnation++;
	s->pid = 10000 * (node + 1) + s->incarnation;
	s->started_us = sim_now_us;
	s->loaded_us = sim_now_us;
	s->promoting = false;
	told(node, "server", "begins");
	sim_at(sim_now_us +
		   MS(chance_one_in(10) ? chance_between(500, 4000) : chance_between(50, 500)),
	       begun, node, s->incarnation, NULL);
}

void server_end(int node, const char *how)
{
	struct fake_server *s = &servers[node];
	const bool fast = strcmp(how, "fast") == 0;

	if (s->phase == SERVER_IS_DOWN)
		return;
	told(node, "server", "ends (%s)%s", how, server_is_primary(node) ? ", a primary" : "");
	/* A fast stop lets go who waits for the standby; nobody waits for a commit of before the
	 * start. */
	if (fast && server_is_primary(node) && wal_end(&s->wal) > s->recovered)
		promise_acknowledged(node, wal_end(&s->wal));
	s->clean = fast && s->phase == SERVER_RUNS;
	if (s->clean) {
		states[node] = s->primary ? SHUT_DOWN : SHUT_DOWN_IN_RECOVERY;
		s->checkpoint = wal_end(&s->wal);
	}
	s->phase = SERVER_IS_DOWN;
	s->is_down = true;
	s->behind = false;
	s->promoting = false;
	s->streams = false;
	s->settings_locked = 0;
	s->sync = false;
	sql_server_ended(node);
}

/* ---- settings ---- */

static void sync_settles(int64_t node, int64_t incarnation, void *nothing)
{
	struct fake_server *s = &servers[node];

	(void)nothing;
	if (s->incarnation == incarnation && s->phase == SERVER_RUNS)
		s->sync = s->names[0] != '\0';
}

static void reloaded(int64_t node, int64_t incarnation, void *nothing)
{
	struct fake_server *s = &servers[node];

	(void)nothing;
	if (s->incarnation != incarnation || s->phase != SERVER_RUNS)
		return;
	s->loaded_us = sim_now_us;
	if (strcmp(s->conninfo, s->conninfo_file) != 0)
		s->streams = false;
	memcpy(s->conninfo, s->conninfo_file, sizeof(s->conninfo));
	if (strcmp(s->names, s->names_file) == 0)
		return;
	memcpy(s->names, s->names_file, sizeof(s->names));
	sim_at(sim_now_us + (chance_one_in(4) ? MS(chance_between(1, 3000)) : 500), sync_settles,
	       node, incarnation, NULL);
}

void server_reload(int node)
{
	sim_at(sim_now_us +
		   (chance_one_in(8) ? MS(chance_between(10, 4000)) : MS(chance_between(1, 30))),
	       reloaded, node, servers[node].incarnation, NULL);
}

/* ---- promotion ---- */

static void promoted(int64_t node, int64_t incarnation, void *nothing)
{
	struct fake_server *s = &servers[node];
	struct line *last = &s->wal.lines[s->wal.count - 1];

	(void)nothing;
	if (s->incarnation != incarnation || s->phase != SERVER_RUNS || s->primary)
		return;
	if (s->wal.count == LINES_MAX)
		abort();
	last[1] = (struct line){ ++line_ids, last->number + 1, last->end };
	s->wal.count++;
	s->checkpoint = last->end;
	file_forget(signal_path((int)node));
	s->primary = true;
	s->promoting = false;
	s->streams = false;
	s->flushed = 0;
	states[node] = IN_PRODUCTION;
	counts.promotions++;
	told((int)node, "server", "is promoted, timeline %u", last[1].number);
	promise_primary((int)node);
}

void server_ask_promotion(int node)
{
	struct fake_server *s = &servers[node];

	if (s->phase != SERVER_RUNS || s->primary || s->promoting)
		return;
	s->promoting = true;
	sim_at(sim_now_us + (chance_one_in(10) ? MS(chance_between(200, 6000))
					       : MS(chance_between(20, 150))),
	       promoted, node, s->incarnation, NULL);
}

/* ---- replication ---- */

/* Where the histories part: of b's lines, up to where a holds them. */
static bool leads_to(const struct wal *standby, const struct wal *primary)
{
	const struct line *last = &standby->lines[standby->count - 1];

	for (int i = 0; i < primary->count; i++) {
		if (primary->lines[i].id == last->id)
			return last->end <= primary->lines[i].end;
	}
	return false;
}

bool server_follows(int node)
{
	const struct fake_server *s = &servers[node], *p = &servers[1 - node];

	return s->phase == SERVER_RUNS && !s->primary && s->conninfo[0] != '\0' &&
	       server_is_primary(1 - node) && leads_to(&s->wal, &p->wal);
}

static bool frozen(int node)
{
	return sim_now_us < nodes[node].frozen_until_us;
}

/* A standby that is slow gets on all the same. */
static bool step_behind(struct fake_server *s, const struct fake_server *p)
{
	struct line *last = &s->wal.lines[s->wal.count - 1];

	if (sim_now_us >= s->slow_until_us || last->id != p->wal.lines[p->wal.count - 1].id ||
	    wal_end(&p->wal) - last->end < 100)
		return false;
	last->end += 50;
	return true;
}

static void replicate(int node)
{
	struct fake_server *s = &servers[node], *p = &servers[1 - node];
	const bool heard = link_up[1 - node][node] && link_up[node][1 - node];

	if (!server_follows(node)) {
		s->streams = false;
		return;
	}
	if (!heard || frozen(1 - node)) {
		if (s->streams && sim_now_us - s->away_us > AWAY_US)
			s->streams = false;
		return;
	}
	s->away_us = sim_now_us;
	if (!s->streams) {
		if (!chance_one_in(20))
			return;
		s->streams = true;
		p->sender = ++senders;
		p->flushed = 0;
	}
	if (chance_one_in(3))
		return;
	if (!step_behind(s, p))
		s->wal = p->wal;
	if (!chance_one_in(4))
		p->flushed = wal_end(&s->wal);
}

static void commit(int node)
{
	struct fake_server *s = &servers[node];
	uint64_t end;

	s->wal.lines[s->wal.count - 1].end += (uint64_t)chance_between(0, 3) * 40;
	end = wal_end(&s->wal);
	if (s->sync && s->flushed < end)
		end = s->flushed;
	if (end > 0)
		promise_acknowledged(node, end);
}

static void tick(int64_t unused, int64_t nothing, void *none)
{
	for (int node = 0; node < NODES; node++) {
		if (nodes[node].on && !frozen(node) && server_is_primary(node))
			commit(node);
	}
	for (int node = 0; node < NODES; node++) {
		if (nodes[node].on && !frozen(node))
			replicate(node);
	}
	promise_look();
	sim_at(sim_now_us + TICK_US, tick, unused, nothing, none);
}

void servers_begin(void)
{
	memset(servers, 0, sizeof(servers));
	line_ids = 1;
	senders = 0;
	for (int node = 0; node < NODES; node++) {
		struct fake_server *s = &servers[node];

		s->phase = SERVER_RUNS;
		s->incarnation = 1;
		s->pid = 10000 * (node + 1) + 1;
		s->started_us = sim_now_us - MS(100000);
		s->primary = node == 0;
		s->wal.count = 1;
		s->wal.lines[0] = (struct line){ 1, 1, 0x3000060 };
		s->checkpoint = 0x3000028;
		states[node] = s->primary ? IN_PRODUCTION : IN_ARCHIVE_RECOVERY;
		file_put(file_data(&nodes[node].cfg, "PG_VERSION").text, "15\n");
	}
	file_put(signal_path(1), "");
	sim_at(sim_now_us + TICK_US, tick, 0, 0, NULL);
}

void server_rewind(int node)
{
	servers[node].wal = servers[1 - node].wal;
	states[node] = SHUT_DOWN;
	servers[node].clean = true;
	servers[node].checkpoint = wal_end(&servers[node].wal);
}

int server_state_of(int node)
{
	return states[node];
}
