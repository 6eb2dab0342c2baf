/* SPDX-License-Identifier: PostgreSQL */
#include "heldreplay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pgstage.h"

#define N1 0
#define N2 1

int heldreplay_pair(void **state)
{
	int rc = pgstage_pair(state);

	if (rc == 0)
		rc = pgfixture_sql(&pgstage, N1,
				   "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n", NULL,
				   0);
	if (rc == 0)
		rc = pgfixture_sql(&pgstage, N2,
				   "ALTER SYSTEM SET max_standby_streaming_delay = -1", NULL, 0);
	if (rc == 0)
		rc = pgfixture_sql(&pgstage, N2, "SELECT pg_reload_conf()", NULL, 0);
	if (rc == 0)
		rc = pgfixture_until(&pgstage, N2, "SHOW max_standby_streaming_delay", "-1");
	if (rc == 0)
		rc = pgfixture_until(&pgstage, N2,
				     "SELECT count(*) FROM pg_class WHERE relname = 't'", "1");
	return rc;
}

void heldreplay_begin(struct proc *session, const char *text)
{
	char program[96];
	const char *const argv[] = {
		program, "-X", "-h", pgstage.cfg[N2].socket_dir, "-U",       "postgres",
		"-c",    text, "-c", "SELECT pg_sleep(60)",      "postgres", NULL
	};
	const struct proc_spec spec = { .argv = argv, .as_user = "postgres" };

	(void)snprintf(program, sizeof(program), "%s/psql", pgstage.bin_dir);
	assert_int_equal(proc_start(session, &spec), 0);
	assert_int_equal(pgfixture_until(&pgstage, N2,
					 "SELECT count(*) FROM pg_stat_activity WHERE query LIKE"
					 " '%pg_sleep(60)%' AND state = 'active'"
					 " AND pid <> pg_backend_pid()",
					 "1"),
			 0);
}
