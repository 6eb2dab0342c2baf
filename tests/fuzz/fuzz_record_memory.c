/* SPDX-License-Identifier: PostgreSQL */
/* The memory of the record, in both files: a file that cannot be read is not known, and a row
 * that was read can be noted and is then the same. */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "fuzz.h"
#include "node/boot_file.h"
#include "node/path.h"
#include "record/record_memory.h"
#include "record/record_trust.h"

#define NOW INT64_C(1000000)

int64_t fake_now_ms(void) FAKE(now_ms);
int64_t fake_now_ms(void)
{
	return NOW;
}

int fake_boot_id(char *id, size_t size) FAKE(boot_id);
int fake_boot_id(char *id, size_t size)
{
	(void)snprintf(id, size, "00000000-0000-4000-8000-000000000000");
	return 0;
}

static void look(const struct record_memory *memory)
{
	const struct record *row = &memory->newest;

	if (memory->known == FACT_YES)
		assert(memory->term > 0 && memory->version > 0 && memory->holder[0] != '\0');
	else
		assert(memory->term == 0 && memory->version == 0 && memory->holder[0] == '\0');
	if (row->present != FACT_YES)
		return;
	assert(row->term > 0 && row->version > 0 && row->lease_ms > 0);
	assert(memory->first_ms > 0 && memory->first_ms <= NOW && memory->last_ms <= NOW);
	assert(record_memory_still_ms(memory) >= 0);
	/* A run_dir alone never says that nothing was ever seen. */
	assert(memory->known == FACT_YES);
}

static void note(const struct cfg *cfg, const struct record_memory *memory)
{
	struct record row = memory->newest;
	struct record_memory noted = *memory, again;

	row.asked_ms = row.answered_ms = NOW;
	if (record_memory_note(cfg, &noted, &row) < 0)
		return;
	again = record_memory_read(cfg);
	look(&again);
	/* Unless what is kept in state_dir is newer: then nothing is changed. */
	if (again.newest.version != row.version || again.newest.term != row.term)
		return;
	assert(record_says_same(&again.newest, &row));
	assert(again.newest.lease_ms == row.lease_ms && again.newest.sync == row.sync);
	assert(record_memory_still_ms(&again) >= record_memory_still_ms(memory));
}

/* The input is the file in state_dir, and behind a line "---" the one in run_dir. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	const uint8_t *end = size > 0 ? memmem(data, size, "---\n", 4) : NULL;
	const size_t saved = end != NULL ? (size_t)(end - data) : size;
	struct record_memory memory, torn;

	fuzz_put(file_run(cfg, "record").text, end != NULL ? end + 4 : data,
		 end != NULL ? size - saved - 4 : 0);
	fuzz_put(file_state(cfg, "record").text, data, saved);
	memory = record_memory_read(cfg);
	look(&memory);
	/* Without its last byte it is the same, or not known: never another row. */
	fuzz_put(file_state(cfg, "record").text, data, saved > 0 ? saved - 1 : 0);
	torn = record_memory_read(cfg);
	look(&torn);
	if (memory.known == FACT_YES && torn.known == FACT_YES && torn.newest.present != FACT_YES)
		assert(torn.term == memory.term && torn.version == memory.version);
	fuzz_put(file_state(cfg, "record").text, data, saved);
	if (memory.newest.present == FACT_YES)
		note(cfg, &memory);
	return 0;
}
