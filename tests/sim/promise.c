/* SPDX-License-Identifier: PostgreSQL */
/* The two promises, looked at by somebody who sees both nodes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

char promise_broken[200];
static uint64_t acknowledged[2 * LINES_MAX]; /* by timeline: up to where */
static int last_line;

void promise_begin(void)
{
	promise_broken[0] = '\0';
	memset(acknowledged, 0, sizeof(acknowledged));
	last_line = 0;
}

static void broken(int node, const char *what)
{
	if (promise_broken[0] != '\0')
		return;
	(void)snprintf(promise_broken, sizeof(promise_broken), "%s: %s", node_name(node), what);
	told(node, "BROKEN", "%s", what);
}

static const struct line *current(int node)
{
	const struct wal *wal = &servers[node].wal;

	return &wal->lines[wal->count - 1];
}

/* Two histories that went on from one place may name the same WAL position twice: a commit is known
 * by its timeline. */
static bool has(const struct wal *wal, int line, uint64_t lsn)
{
	for (int i = 0; i < wal->count; i++) {
		if (wal->lines[i].id == line)
			return wal->lines[i].end >= lsn;
	}
	return false;
}

/* Where the line began, on the node that is on it. */
static uint64_t begins(int node)
{
	const struct wal *wal = &servers[node].wal;

	return wal->count > 1 ? wal->lines[wal->count - 2].end : 0;
}

void promise_acknowledged(int node, uint64_t lsn)
{
	uint64_t *is = &acknowledged[current(node)->id];

	if (lsn > begins(node) && lsn > *is)
		*is = lsn;
	if (current(node)->id > last_line)
		last_line = current(node)->id;
}

static bool lacks(int node)
{
	for (int line = 1; line <= last_line; line++) {
		if (acknowledged[line] != 0 && !has(&servers[node].wal, line, acknowledged[line]))
			return true;
	}
	return false;
}

static void look_at_commits(int node)
{
	if (nodes[node].cfg.mode == MODE_SYNC && lacks(node))
		broken(node, "a primary that lacks an acknowledged commit");
}

static bool on_time(int node)
{
	return nodes[node].late_until_us == 0 && !servers[node].behind;
}

void promise_primary(int node)
{
	if (on_time(node))
		look_at_commits(node);
	promise_look();
}

static bool serves(int node)
{
	return server_is_primary(node) && node_lets_in(node) &&
	       sim_now_us >= nodes[node].frozen_until_us;
}

void promise_look(void)
{
	for (int node = 0; node < NODES; node++) {
		struct node *one = &nodes[node];

		if (sim_now_us > one->late_until_us)
			one->late_until_us = 0;
		if (serves(node))
			look_at_commits(node);
	}
	if (!server_is_primary(0) || !server_is_primary(1))
		return;
	if (on_time(0) && on_time(1))
		broken(0, "two primaries, and no guard was late");
	else if (serves(0) && serves(1))
		broken(0, "two primaries, and the kernel lets clients in to both");
}
