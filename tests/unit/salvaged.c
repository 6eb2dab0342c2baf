/* SPDX-License-Identifier: PostgreSQL */
#include "salvaged.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/mark.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];

#define REPORT_MAX (4 * 1024 * 1024)
static char report[REPORT_MAX];

/* ---- a primary that went on alone, and died ---- */

void salvaged_cut_off(void)
{
	assert_int_equal(pair_stop(1), 0);
}

void salvaged_fail_over(void)
{
	pair_crash(0);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
}

int64_t salvaged_number(size_t node, const char *query)
{
	char text[32];

	assert_int_equal(pgfixture_sql(&pair_servers, node, query, text, sizeof(text)), 0);
	return strtoll(text, NULL, 10);
}

/* ---- what was kept ---- */

struct salvage salvaged_kept(void)
{
	struct salvage salvage;

	assert_int_equal(shelf_find(&salvage, n1, NULL), 0);
	return salvage;
}

const char *salvaged_path(const struct salvage *salvage, const char *name)
{
	static char path[sizeof(salvage->path.text) + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", salvage->path.text, name);
	return path;
}

const char *salvaged_read(const struct salvage *salvage, const char *name)
{
	FILE *in = fopen(salvaged_path(salvage, name), "re");
	size_t got;

	assert_non_null(in);
	got = fread(report, 1, sizeof(report) - 1, in);
	report[got] = '\0';
	(void)fclose(in);
	return report;
}

int salvaged_count(const char *text, const char *what)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		count++;
	return count;
}

int salvaged_entries(const char *directory)
{
	DIR *all = opendir(directory);
	struct dirent *entry;
	int count = 0;

	if (all == NULL)
		return 0;
	while ((entry = readdir(all)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(all);
	return count;
}

void salvaged_is_json(const struct salvage *salvage)
{
	const char *const argv[] = { "/usr/bin/python3", "-m",
				     "json.tool",        salvaged_path(salvage, "report.json"),
				     "/dev/null",        NULL };

	assert_int_equal(pgfixture_run(argv, false, NULL, 0), 0);
}

/* The sums of one table, as report.json has them behind the transactions. */
void salvaged_sums_are(const struct salvage *salvage, int64_t node, int inserted, int updated,
		       int deleted)
{
	const char *text = salvaged_read(salvage, "report.json");
	const char *sums = strstr(text, "\"transaction_count\"");
	char wanted[200];

	(void)snprintf(wanted, sizeof(wanted),
		       "\"relfilenode\":%" PRId64 ",\"catalog\":false,\"toast\":null,"
		       "\"inserted\":%d,\"updated\":%d,\"deleted\":%d}",
		       node, inserted, updated, deleted);
	assert_non_null(sums);
	if (strstr(sums, wanted) == NULL)
		print_error("no %s in %.2000s\n", wanted, sums);
	assert_non_null(strstr(sums, wanted));
}

int salvaged_make(void **unused)
{
	if (pair_make(unused) < 0)
		return -1;
	for (size_t node = 0; node < CFG_NODES; node++) {
		char golden[CFG_PATH_MAX + 16];

		(void)snprintf(golden, sizeof(golden), "%s.golden",
			       pair_servers.cfg[node].data_dir);
		if (pgfixture_configure(&pair_servers, node, "max_prepared_transactions = 10\n") <
			0 ||
		    pair_drop(golden) != 0 ||
		    pair_copy(pair_servers.cfg[node].data_dir, golden) != 0)
			return -1;
	}
	return 0;
}
