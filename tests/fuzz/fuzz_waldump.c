/* SPDX-License-Identifier: PostgreSQL */
/* pg_waldump's output (salvage_dump.h, salvage_ledger.h): what is told lies in the range that was
 * asked for, in order, and what was not understood is counted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "fuzz.h"
#include "salvage/salvage_dump.h"
#include "salvage/salvage_ledger.h"

#define FORK UINT64_C(0x3000000)

static struct input output;

/* A program that has written the input and ended. */
int fake_proc_start(struct proc *proc, const struct proc_spec *spec) FAKE(proc_start);
int fake_proc_start(struct proc *proc, const struct proc_spec *spec)
{
	(void)spec;
	*proc = PROC_NONE;
	proc->out = memfd_create("out", MFD_CLOEXEC);
	assert(proc->out >= 0 && write(proc->out, output.at, output.left) == (ssize_t)output.left);
	assert(lseek(proc->out, 0, SEEK_SET) == 0);
	return 0;
}

int fake_proc_wait(struct proc *proc, const struct deadline *dl) FAKE(proc_wait);
int fake_proc_wait(struct proc *proc, const struct deadline *dl)
{
	(void)dl;
	proc->done = true;
	proc->exit_code = 1;
	memcpy(proc->errors, "pg_waldump: error: x\n", sizeof("pg_waldump: error: x\n"));
	return 0;
}

struct seen {
	struct ledger *ledger;
	uint64_t last;
	size_t told;
};

static int take(void *arg, const struct wal_line *line)
{
	struct seen *seen = arg;

	assert(line->lsn > seen->last && line->bytes > 0);
	assert(line->op == WAL_ROWS || (line->inserted == 0 && line->updated == 0));
	assert(line->op != WAL_COMMIT || (line->xid != 0 && strlen(line->time) == 27));
	seen->last = line->lsn;
	return ledger_take(seen->ledger, line);
}

static int told(void *arg, const struct ledger_xact *xact)
{
	struct seen *seen = arg;

	assert(xact->lsn >= FORK && xact->time[0] != '\0' && xact->gid != NULL);
	assert(xact->sums.count == 0 || xact->sums.rows != NULL);
	for (size_t i = 0; i < xact->sums.count; i++)
		assert(xact->sums.rows[i].updated >= 0 && xact->sums.rows[i].deleted >= 0);
	seen->told++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	const struct deadline dl = deadline_in_ms(10000);
	const struct dump_range range = { .timeline = 1, .begin = FORK };
	struct seen seen = { .last = 0 };
	struct dump dump = { .cfg = cfg, .dl = &dl, .take = take, .arg = &seen };
	char program[CFG_PATH_MAX + 16];
	static bool made;
	int rc;

	if (!made) {
		assert(snprintf(program, sizeof(program), "%s/pg_waldump", cfg->bin_dir) > 0);
		assert(mkdir(cfg->bin_dir, 0700) == 0);
		fuzz_put(program, "", 0);
		made = true;
	}
	output = (struct input){ data, size };
	seen.ledger = ledger_new(FORK, told, &seen);
	assert(seen.ledger != NULL);
	if (dump_range(&dump, &range) == 0) {
		assert(dump.strange == 0 || dump.strange_line[0] != '\0' || size > 0);
		assert(dump.last == seen.last && strcmp(dump.why, "x") == 0);
		rc = ledger_prepared(seen.ledger, told, &seen);
		assert(rc == 0);
		assert((int64_t)seen.told <= dump.records);
	}
	ledger_free(seen.ledger);
	return 0;
}
