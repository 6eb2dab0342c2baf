/* SPDX-License-Identifier: PostgreSQL */
/* Marks below state_dir that survive reboots: a file that is there, in whatever condition, is a
 * yes. */
#ifndef PGV_MARK_H
#define PGV_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

/*
 * ---- fenced ----
 * NO only when the file is absent from a state directory that is there.  A file in whatever
 * condition is YES.  The same holds for withdrawn and rewinding.
 * Fenced is written to run_dir too: a file system that has become read-only is what ends many a
 * server.  Where state_dir could not be written it stands in the data directory as well
 * (data_dir/pg_vrrp.fenced), because run_dir is emptied by a reboot, after which a person's fence
 * would be forgotten: without that directory no server starts.  0 when one of them holds it.
 */
/*
 * The author of a fence decides what answers the mark, so it is an enum and no text: a node may
 * have any name. A word in the file that is none of these is UNKNOWN, and is answered like the
 * strictest of them.
 */
enum fenced_by {
	FENCED_BY_UNKNOWN = 0,
	FENCED_BY_GUARD,    /* this node itself: its lease ended */
	FENCED_BY_OPERATOR, /* a person */
	FENCED_BY_PEER,     /* the other node, over ssh */
};
struct fenced_mark {
	enum fact present; /* UNKNOWN: could not be read; counts as present */
	char reason[160];  /* of the fence; why, when UNKNOWN */
	enum fenced_by by;
	bool lasts; /* also when this host is rebooted */
};
/* "guard", "operator", "peer"; "unknown" for any other value.  The words of the file and
 * of JSON. */
const char *fenced_by_word(enum fenced_by by);
struct fenced_mark fenced_read(const struct cfg *cfg);
int fenced_write(const struct cfg *cfg, const char *reason, enum fenced_by by) MUST_CHECK;
int fenced_clear(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- withdrawn: value is the primary_conninfo to restore; "" also when it cannot be read ----
 * It stands in the data directory too (data_dir/WITHDRAWN_DATA), where the server itself shows it
 * to whoever asks for the vote: a primary_conninfo that was taken away says the same only when the
 * server takes a reload.  YES when one of both is there.
 */
#define WITHDRAWN_DATA "pg_vrrp.withdrawn"
enum fact withdrawn_read(const struct cfg *cfg, char *conninfo, size_t size);
int withdrawn_write(const struct cfg *cfg, const char *conninfo) MUST_CHECK;
int withdrawn_clear(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- rewinding ----
 * Begun: pg_rewind may have changed the directory, which must not be started.  Done: it ended well,
 * and only the rest of making a standby is missing.  Removed when that is there.  A mark that was
 * left by another directory than the one that is there now (a base backup was taken) is none.
 */
struct rewinding_mark {
	enum fact present;
	uint64_t system_identifier; /* of the source; 0 when it cannot be read */
	bool done;
	bool this_boot; /* written since this host was started */
};
struct rewinding_mark rewinding_read(const struct cfg *cfg);
int rewinding_write(const struct cfg *cfg, uint64_t system_identifier, bool done) MUST_CHECK;
int rewinding_clear(const struct cfg *cfg) MUST_CHECK;

/* ---- baseline: was the witness host able to reach NODE in good times? with the addresses of
 * today's configuration ---- */
enum fact baseline_read(const struct cfg *cfg, const char *node);
int baseline_write(const struct cfg *cfg, const char *node) MUST_CHECK;

#endif
