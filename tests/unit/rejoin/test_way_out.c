/* SPDX-License-Identifier: PostgreSQL */
/*
 * Every state of two nodes in which nobody serves, and the commands that a person has: from each of
 * them some commands lead to a primary, none of them a lie; and a hint names no command that is
 * refused where it is given.  A node is what the rules see of it; a command is its own rules, asked
 * again after each step, as the program does.
 *
 * Not among the states: what a person has to mend first, and is told to (a witness that is silent,
 * rights, a server that refuses us or does not start, histories that nothing joins).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "promote/promote_rules.h"
#include "way_out.h"

/* ---- which states there are ---- */

/* The record of a state: none is kept, there is no row, or one of four rows. */
#define ROWS 6

static bool state_of(struct cluster *c, uint32_t n)
{
	*c = (struct cluster){ .keeps_record = false };
	for (int i = 0; i < 2; i++) {
		struct place *node = &c->node[i];

		node->is = (enum being)(n % 4);
		n /= 4;
		node->primary_form = n & 1;
		node->withdrawn = n & 2;
		node->fenced = n & 4;
		n /= 8;
		node->by = (enum fenced_by)(FENCED_BY_GUARD + n % 3);
		n /= 3;
	}
	c->newer = (int)(n % 3) - 1;
	n /= 3;
	c->stale = n & 1;
	n /= 2;
	c->keeps_record = n % ROWS != 0;
	c->has_row = n % ROWS > 1;
	c->holder = (int)(n % ROWS) & 1;
	c->paired = n % ROWS > 3;
	return n < ROWS;
}

/* States that no history of two nodes leads to, or that somebody has to mend first. */
static bool can_be(const struct cluster *c)
{
	for (int i = 0; i < 2; i++) {
		const struct place *node = &c->node[i];

		if (node->is == IS_PRIMARY || (node->is == IS_STANDBY && node->primary_form) ||
		    (node->withdrawn && node->primary_form) ||
		    (!node->fenced && node->by != FENCED_BY_GUARD))
			return false;
	}
	/* Nobody is left to say anything to. */
	if (c->node[0].is == IS_OFF && c->node[1].is == IS_OFF)
		return false;
	/* A node on a newer timeline was promoted, by the record where there is one. */
	if (c->newer >= 0 && !c->node[c->newer].primary_form)
		return false;
	return !(c->has_row && c->newer >= 0 && c->newer != c->holder);
}

/*
 * Where nothing can say which of two nodes is to serve, a person has to cut one of them off: two
 * directories of a primary without a record, no row to go by, or two nodes that had each other
 * fenced. Nowhere else.
 */
static bool one_is_to_be_cut_off(const struct cluster *c)
{
	const struct place *a = &c->node[0], *b = &c->node[1];
	bool primaries = a->primary_form && b->primary_form;
	bool mutual = a->fenced && b->fenced && a->by == FENCED_BY_PEER && b->by == FENCED_BY_PEER;

	return !c->has_row && (c->keeps_record || primaries || mutual);
}

/* ---- the walk ---- */

#define DEPTH 4

#define OF_THE_GUARD (1U << REJOIN | 1U << PROMOTE)
#define OF_A_PERSON  (~0U)

static bool leads_out(const struct cluster *from, int depth, uint32_t commands)
{
	for (int i = 0; i < 2; i++) {
		if (from->node[i].is == IS_PRIMARY)
			return true;
	}
	if (depth == 0)
		return false;
	for (int command = 0; command < COMMANDS; command++) {
		for (int n = 0; n < 2; n++) {
			struct cluster c = *from;
			struct verdict verdict;

			if ((commands & 1U << command) == 0 ||
			    !way_out_is_true(&c, n, (enum command)command))
				continue;
			way_out_run(&c, n, (enum command)command, &verdict);
			if (!way_out_same(&c, from) && leads_out(&c, depth - 1, commands))
				return true;
		}
	}
	return false;
}

static void print_state(const struct cluster *c)
{
	static const char *const beings[] = { "off", "down", "standby", "primary" };

	for (int i = 0; i < 2; i++) {
		const struct place *node = &c->node[i];

		print_error("n%d %s, %s directory%s%s%s; ", i + 1, beings[node->is],
			    node->primary_form ? "a primary's" : "a standby's",
			    node->withdrawn ? ", withdrawn" : "",
			    node->fenced ? ", fenced by " : "",
			    node->fenced ? fenced_by_word(node->by) : "");
	}
	print_error("newer %s, %s; ",
		    c->newer < 0    ? "none"
		    : c->newer == 0 ? "n1"
				    : "n2",
		    c->stale ? "stale" : "fresh");
	if (!c->has_row)
		print_error("%s\n", c->keeps_record ? "no row" : "no record");
	else
		print_error("n%d holds the term, %s\n", c->holder + 1,
			    c->paired ? "paired" : "solo");
}

static void each_state_has_a_way_out(void **unused)
{
	uint32_t states = 0, stuck = 0;
	struct cluster c;

	(void)unused;
	for (uint32_t n = 0; state_of(&c, n); n++) {
		if (!can_be(&c))
			continue;
		states++;
		c.fenced_is_cut_off = one_is_to_be_cut_off(&c);
		if (leads_out(&c, DEPTH, OF_A_PERSON))
			continue;
		if (stuck++ < 20)
			print_state(&c);
	}
	print_message("%u states in which nobody serves\n", states);
	assert_int_equal(stuck, 0);
	assert_true(states > 1000);
}

/*
 * Servers that were stopped, or stopped and started, by whatever hand (systemctl, pg_ctlcluster,
 * pg_ctl): nobody was fenced, one directory is a primary's, and with a record its holder's.  Also a
 * crash of both.
 */
static bool was_stopped(const struct cluster *c)
{
	const struct place *a = &c->node[0], *b = &c->node[1];
	int primary = a->primary_form ? 0 : 1;

	if (a->is == IS_OFF || b->is == IS_OFF || a->fenced || b->fenced)
		return false;
	if (a->primary_form == b->primary_form || (c->keeps_record && !c->has_row))
		return false;
	return !c->has_row || c->holder == primary;
}

static void what_was_stopped_comes_back_by_itself(void **unused)
{
	uint32_t states = 0, stuck = 0;
	struct cluster c;

	(void)unused;
	for (uint32_t n = 0; state_of(&c, n); n++) {
		if (!can_be(&c) || !was_stopped(&c))
			continue;
		states++;
		if (leads_out(&c, DEPTH, OF_THE_GUARD))
			continue;
		if (stuck++ < 20)
			print_state(&c);
	}
	assert_int_equal(stuck, 0);
	assert_true(states > 20);
}

/* ---- hints ---- */

/* A command as hints name it, for this node or the other one. */
static const struct {
	const char *words;
	enum command command;
	bool there;
} named[] = {
	{ "\"rejoin --lift-fence\"", REJOIN_LIFT, false },
	{ "\"promote_safe --by-hand\" does", PROMOTE_BY_HAND, false },
	{ "\"rejoin\" there makes", REJOIN, true },
	{ "--assume-peer-down=NODE\"", REJOIN_WORD, false },
};

static bool hint_holds(const struct cluster *from, int n, const struct verdict *said)
{
	for (size_t i = 0; i < ARRAY_COUNT(named); i++) {
		struct cluster c = *from;
		struct verdict verdict;
		int where = named[i].there ? 1 - n : n;

		if (said->hint == NULL || strstr(said->hint, named[i].words) == NULL ||
		    !way_out_is_true(&c, where, named[i].command))
			continue;
		way_out_run(&c, where, named[i].command, &verdict);
		if (!way_out_same(&c, from) || verdict.outcome == OUT_YES)
			continue;
		print_state(from);
		print_error("n%d: %s, and the hint's %s says %s\n", n + 1, said->rule,
			    named[i].words, verdict.rule);
		return false;
	}
	return true;
}

static void no_hint_leads_to_a_refusal(void **unused)
{
	struct cluster c;
	uint32_t wrong = 0;

	(void)unused;
	for (uint32_t n = 0; state_of(&c, n); n++) {
		for (int i = 0; i < 2 * COMMANDS && can_be(&c) && wrong < 20; i++) {
			enum command command = (enum command)(i / 2);
			struct cluster after;
			struct verdict verdict;

			c.fenced_is_cut_off = true;
			after = c;
			if (!way_out_is_true(&c, i & 1, command))
				continue;
			way_out_run(&after, i & 1, command, &verdict);
			wrong += !hint_holds(&after, i & 1, &verdict);
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_a_way_out),
		cmocka_unit_test(what_was_stopped_comes_back_by_itself),
		cmocka_unit_test(no_hint_leads_to_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
