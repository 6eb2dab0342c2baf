/* SPDX-License-Identifier: PostgreSQL */
/* Lines of pg_waldump: as PostgreSQL 15 printed them, as 16 to 18 print them by their source, and
 * what nobody prints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "salvage/salvage_line.h"

static struct wal_line line;

#define HEAP                                                                                     \
	"rmgr: Heap        len (rec/tot):     61/    61, tx:        728, lsn: 0/0153CA38, prev " \
	"0/0153C998, desc: "
#define HEAP2                                                                                    \
	"rmgr: Heap2       len (rec/tot):     98/    98, tx:        732, lsn: 0/0153CCE0, prev " \
	"0/0153CCB8, desc: "
#define XACT                                                                                     \
	"rmgr: Transaction len (rec/tot):     34/    34, tx:        728, lsn: 0/0153CB38, prev " \
	"0/0153CAF8, desc: "
#define NO_XACT                                                                                  \
	"rmgr: Transaction len (rec/tot):     42/    42, tx:          0, lsn: 0/0153EA38, prev " \
	"0/0153E938, desc: "
#define STANDBY                                                                                   \
	"rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 2A/FF53EC88, prev " \
	"2A/0153EC60, desc: "
#define AT  "2026-11-23 10:48:44.033962 UTC"
#define REL ", blkref #0: rel 1663/5/16384 blk 0"

static void takes(const char *text, enum wal_op op)
{
	int rc = wal_line_parse(&line, text);

	if (rc != 0 || line.op != op)
		print_error("%s\n", text);
	assert_int_equal(rc, 0);
	assert_int_equal(line.op, op);
}

static void refuses(const char *text)
{
	int rc = wal_line_parse(&line, text);

	if (rc != -EINVAL)
		print_error("%s\n", text);
	assert_int_equal(rc, -EINVAL);
}

static void rows(const char *text, int inserted, int updated, int deleted)
{
	takes(text, WAL_ROWS);
	if (line.inserted != inserted || line.updated != updated || line.deleted != deleted)
		print_error("%s\n", text);
	assert_int_equal(line.inserted, inserted);
	assert_int_equal(line.updated, updated);
	assert_int_equal(line.deleted, deleted);
	assert_int_equal(line.relation.tablespace, 1663);
	assert_int_equal(line.relation.database, 5);
	assert_int_equal(line.relation.node, 16384);
}

static void head_is_read(void **unused)
{
	(void)unused;
	rows(HEAP "INSERT off 4 flags 0x00" REL, 1, 0, 0);
	assert_int_equal(line.xid, 728);
	assert_true(line.lsn == 0x153CA38 && line.prev == 0x153C998);
	assert_int_equal(line.bytes, 61);
	takes(STANDBY "RUNNING_XACTS nextXid 750 latestCompletedXid 749 oldestRunningXid 750",
	      WAL_RUNNING);
	assert_true(line.lsn == UINT64_C(0x2AFF53EC88));
	assert_int_equal(line.next_xid, 750);
	takes(STANDBY "RUNNING_XACTS nextXid 750 latestCompletedXid 745 oldestRunningXid 746; 2 "
		      "xacts: 746 747; 1 subxacts: 748",
	      WAL_RUNNING);
}

static void rows_are_counted(void **unused)
{
	(void)unused;
	/* version 15 */
	rows(HEAP "INSERT off 3 flags 0x00" REL " FPW", 1, 0, 0);
	rows(HEAP "INSERT+INIT off 1 flags 0x00" REL, 1, 0, 0);
	assert_false(line.toast);
	rows(HEAP "INSERT+INIT off 1 flags 0x18" REL, 1, 0, 0);
	assert_true(line.toast);
	rows(HEAP "HOT_UPDATE off 3 xmax 729 flags 0x20 ; new off 6 xmax 0" REL, 0, 1, 0);
	rows(HEAP "UPDATE off 4 xmax 730 flags 0x40 KEYS_UPDATED ; new off 7 xmax 0" REL, 0, 1, 0);
	rows(HEAP "UPDATE+INIT off 4 xmax 730 flags 0x00 ; new off 1 xmax 0" REL
		  ", blkref #1: rel 1663/5/16384 blk 7",
	     0, 1, 0);
	rows(HEAP "DELETE off 5 flags 0x00 KEYS_UPDATED " REL, 0, 0, 1);
	rows(HEAP2 "MULTI_INSERT 3 tuples flags 0x02" REL, 3, 0, 0);
	rows(HEAP2 "MULTI_INSERT+INIT 61 tuples flags 0x02" REL, 61, 0, 0);
	/* ON CONFLICT: tried, confirmed; or tried, and taken back */
	rows(HEAP "INSERT off 19 flags 0x04" REL, 1, 0, 0);
	takes(HEAP "HEAP_CONFIRM off 19" REL, WAL_OTHER);
	rows(HEAP "DELETE off 19 flags 0x08 KEYS_UPDATED " REL, -1, 0, 0);
	/* since version 16 */
	rows(HEAP "INSERT off: 1, flags: 0x08" REL, 1, 0, 0);
	rows(HEAP "INSERT+INIT off: 1, flags: 0x10" REL, 1, 0, 0);
	assert_true(line.toast);
	rows(HEAP "DELETE xmax: 740, off: 1, infobits: [KEYS_UPDATED], flags: 0x00" REL, 0, 0, 1);
	rows(HEAP "DELETE xmax: 740, off: 1, infobits: [], flags: 0x08" REL, -1, 0, 0);
	rows(HEAP
	     "HOT_UPDATE old_xmax: 740, old_off: 1, old_infobits: [], flags: 0x20, new_xmax: 0, "
	     "new_off: 2" REL,
	     0, 1, 0);
	rows(HEAP2 "MULTI_INSERT ntuples: 3, flags: 0x02, offsets: [1, 2, 3]" REL, 3, 0, 0);
	rows(HEAP2 "MULTI_INSERT+INIT ntuples: 200, flags: 0x02" REL, 200, 0, 0);
}

static void what_is_no_row_is_passed_over(void **unused)
{
	static const char *const lines[] = {
		HEAP "LOCK off 1: xid 742: flags 0x00 LOCK_ONLY EXCL_LOCK " REL,
		HEAP "INPLACE off 3" REL,
		HEAP "TRUNCATE nrelids 1 relids: 16384",
		HEAP2 "PRUNE latestRemovedXid 0 nredirected 0 ndead 1" REL,
		HEAP2 "LOCK_UPDATED off 1: xmax 1: flags 0x00 LOCK_ONLY " REL,
		STANDBY "LOCK xid 745 db 5 rel 16397 ",
		"rmgr: XLOG        len (rec/tot):     24/    24, tx:        749, lsn: 0/01552030, "
		"prev 0/01551FD8, desc: SWITCH ",
		"rmgr: Btree       len (rec/tot):     64/    64, tx:        728, lsn: 0/0153C998, "
		"prev 0/0153C8D8, desc: INSERT_LEAF off 3, blkref #0: rel 1663/5/16389 blk 1",
		"rmgr: Storage     len (rec/tot):     42/    42, tx:        745, lsn: 0/0153ECB8, "
		"prev 0/0153EC88, desc: CREATE base/5/16397",
		"rmgr: custom128   len (rec/tot):     42/    42, tx:        745, lsn: 0/0153ECB8, "
		"prev 0/0153EC88, desc: UNKNOWN (00) rmid: 128",
		XACT "INVALIDATION ; inval msgs: catcache 55",
		XACT "ASSIGNMENT xtop 735: subxacts: 736 737",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		takes(lines[i], WAL_OTHER);
}

static void ends_of_transactions_are_read(void **unused)
{
	uint32_t xid;

	(void)unused;
	takes(XACT "COMMIT " AT, WAL_COMMIT);
	assert_int_equal(line.xid, 728);
	assert_string_equal(line.time, "2026-11-23T10:48:44.033962Z");
	assert_null(line.subxacts);
	assert_int_equal(wal_line_subxact(&line.subxacts, &xid), 0);
	takes(XACT "COMMIT " AT "; rels: base/5/16395 base/5/16394; dropped stats: 2/5/16395; "
		   "subxacts: 735 737; inval msgs: catcache 32 relcache 16391",
	      WAL_COMMIT);
	assert_int_equal(wal_line_subxact(&line.subxacts, &xid), 1);
	assert_int_equal(xid, 735);
	assert_int_equal(wal_line_subxact(&line.subxacts, &xid), 1);
	assert_int_equal(xid, 737);
	assert_int_equal(wal_line_subxact(&line.subxacts, &xid), 0);
	takes(XACT "COMMIT " AT "; sync", WAL_COMMIT);
	takes(XACT "COMMIT " AT "; origin: node 1, lsn 0/153CA38, at " AT, WAL_COMMIT);
	takes(XACT "ABORT " AT, WAL_ABORT);
	takes(XACT "ABORT " AT "; subxacts: 4294967295", WAL_ABORT);
	assert_int_equal(wal_line_subxact(&line.subxacts, &xid), 1);
	assert_true(xid == UINT32_MAX);
	takes(NO_XACT "COMMIT_PREPARED 739: " AT, WAL_COMMIT);
	assert_int_equal(line.xid, 739);
	assert_true(line.was_prepared);
	takes(NO_XACT "ABORT_PREPARED 740: " AT "; subxacts: 741", WAL_ABORT);
	assert_int_equal(line.xid, 740);
}

static void a_prepared_one_may_have_any_name(void **unused)
{
	(void)unused;
	takes(XACT "PREPARE gid gid one: " AT, WAL_PREPARE);
	assert_string_equal(line.gid, "gid one");
	assert_string_equal(line.time, "2026-11-23T10:48:44.033962Z");
	takes(XACT "PREPARE gid a: b; subxacts: 7: " AT "; subxacts: 741", WAL_PREPARE);
	assert_string_equal(line.gid, "a: b; subxacts: 7");
	assert_string_equal(line.subxacts, " 741");
	takes(XACT "PREPARE gid : " AT, WAL_PREPARE);
	assert_string_equal(line.gid, "");
	refuses(XACT "PREPARE gid half of a name");
	refuses(XACT
		"PREPARE gid "
		"123456789012345678901234567890123456789012345678901234567890123456789012345678"
		"901234567890123456789012345678901234567890123456789012345678901234567890123456"
		"789012345678901234567890123456789012345678901234567: " AT);
}

static void anything_else_is_not_understood(void **unused)
{
	static const char *const lines[] = {
		"",
		"rmgr:",
		"pg_waldump: error: error in WAL record at 0/2000028: invalid record length",
		"rmgr: Heap        len (rec/tot):     61/    61",
		"rmgr: Heap        len (rec/tot):     61/    61, tx:        -1, lsn: 0/0153CA38, "
		"prev "
		"0/0153C998, desc: INSERT off 4 flags 0x00" REL,
		"rmgr: Heap        len (rec/tot):     61/    61, tx: 4294967296, lsn: 0/0153CA38, "
		"prev "
		"0/0153C998, desc: INSERT off 4 flags 0x00" REL,
		"rmgr: Heap        len (rec/tot):     61/    61, tx:        728, lsn: 0153CA38, "
		"prev "
		"0/0153C998, desc: INSERT off 4 flags 0x00" REL,
		"rmgr: Heap        len (rec/tot):     61/    61, tx:        728, lsn: "
		"0/1000000000, "
		"prev 0/0153C998, desc: INSERT off 4 flags 0x00" REL,
		"rmgr: Heap        len (rec/tot):     61/     0, tx:        728, lsn: 0/0153CA38, "
		"prev "
		"0/0153C998, desc: INSERT off 4 flags 0x00" REL,
		" " HEAP "INSERT off 4 flags 0x00" REL,
		HEAP "INSERT off 4 flags 0x00",
		HEAP "INSERT off 4" REL,
		HEAP "INSERT off 4 flags 0x00, blkref #0: rel 1663/5 blk 0",
		HEAP "INSERT off 4 flags 0x00, blkref #0: rel 1663/5/99999999999 blk 0",
		HEAP "INSERTION off 4 flags 0x00" REL,
		HEAP "UNKNOWN (70) " REL,
		HEAP2 "MULTI_INSERT flags 0x02" REL,
		HEAP2 "MULTI_INSERT -3 tuples flags 0x02" REL,
		HEAP2 "MULTI_INSERT 3 tuples flags 0x02",
		XACT "COMMIT",
		XACT "COMMIT 2026-11-23 10:48:44.033962 CET",
		XACT "COMMIT 2026-11-23 10:48:44 UTC",
		XACT "COMMIT " AT " and more",
		XACT "COMMITTED " AT,
		XACT "COMMIT_PREPARED " AT,
		NO_XACT "COMMIT " AT,
		NO_XACT "COMMIT_PREPARED 0: " AT,
		XACT "UNKNOWN (70) ",
		STANDBY "RUNNING_XACTS nextXid x",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		refuses(lines[i]);
}

static void subtransactions_are_read_strictly(void **unused)
{
	static const char *const wrong[] = { "735", " 735x", "  735", " -1", " 0", " 4294967296" };
	uint32_t xid;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		const char *rest = wrong[i];
		int rc = wal_line_subxact(&rest, &xid);

		/* The second call meets what follows the number. */
		assert_int_equal(rc == 1 ? wal_line_subxact(&rest, &xid) : rc, -EINVAL);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_is_read),
		cmocka_unit_test(rows_are_counted),
		cmocka_unit_test(what_is_no_row_is_passed_over),
		cmocka_unit_test(ends_of_transactions_are_read),
		cmocka_unit_test(a_prepared_one_may_have_any_name),
		cmocka_unit_test(anything_else_is_not_understood),
		cmocka_unit_test(subtransactions_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
