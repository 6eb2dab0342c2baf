/* SPDX-License-Identifier: PostgreSQL */
#include "pgattempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/deadline.h"

struct attempt attempt(const struct cfg *cfg, enum pg_where where, int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);
	const int64_t begun = now_ms();
	struct attempt made = { 0 };
	struct pg *pg = NULL;

	made.rc = pg_open(&pg, cfg, where, &dl, &made.failure, made.why, sizeof(made.why));
	made.took_ms = now_ms() - begun;
	assert_true((made.rc == 0) == (pg != NULL));
	assert_true((made.rc == 0) == (made.failure == PG_FAIL_NONE));
	assert_true((made.rc == 0) == (made.why[0] == '\0'));
	pg_close(&pg);
	return made;
}
