/* SPDX-License-Identifier: PostgreSQL */
#include "memoryrows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "nodefiles.h"

struct record memory_row(int64_t term, int64_t version, int64_t ago)
{
	struct record record = { .present = FACT_YES,
				 .asked_ms = now_ms() - ago,
				 .schema = RECORD_SCHEMA,
				 .same_system = true,
				 .node_known = true,
				 .sealed = true,
				 .term = term,
				 .version = version,
				 .holder = "n1",
				 .paired = true,
				 .sync = true,
				 .lease_ms = 5000,
				 .origin = "7/00000001",
				 .final_known = true,
				 .final_lsn = UINT64_C(0xFFFFFFFF00000060) };

	record.answered_ms = record.asked_ms + 10;
	return record;
}

struct record_memory memory_noted(const struct record *record)
{
	struct record_memory memory = record_memory_read(&nodefiles_cfg);

	assert_int_equal(record_memory_note(&nodefiles_cfg, &memory, record), 0);
	return memory;
}

void memory_saved(char *text, size_t size)
{
	assert_int_equal(state_read(file_state(&nodefiles_cfg, "record").text, text, size), 0);
}

void memory_reboot(void)
{
	assert_int_equal(unlink(file_run(&nodefiles_cfg, "record").text), 0);
}
