/* SPDX-License-Identifier: PostgreSQL */
/*
 * Every file that a node keeps about itself: names, meaning, and who may write it.  See
 * docs/files.md.
 *
 * below run_dir (gone at reboot)
 *   serving      keepalived track file: 0 this node serves, 1 it does not.  0: check_primary,
 * promote_safe; 1: anybody election     keepalived track file: 0 stand for election, 1 stand aside.
 * guard and fence_self only priority     keepalived track file: added to the priority of both
 * instances lease        the guard's lease: until when, how it was last renewed vote         the
 * peer's last vote for this primary, by check_primary grant        a right to serve that was just
 * won: promote_safe, or an operator's word contact      on a standby: when it last proved that the
 * primary lives and how far it had streamed keepalived   when keepalived last called check_primary
 *   attempt      the last verdict of promote_safe and rejoin, for cluster_status
 *   promote.lock, rejoin.lock, fence.lock, serving.lock, guard.lock
 * below state_dir (survives reboots)
 *   fenced       this node was fenced: its server must not run as a primary.  Removed by rejoin
 *   withdrawn    this standby's vote is withdrawn; holds the primary_conninfo to restore
 *   baseline     when the witness host was last able to reach each node, in good times
 *   history      one JSON line for each fence, promotion, rejoin
 */
#ifndef PGV_FILES_H
#define PGV_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "auto.h"
#include "cfg.h"
#include "outcome.h"

struct file_path {
	char text[CFG_PATH_MAX + 32];
};

/* run_dir/NAME and state_dir/NAME */
struct file_path file_run(const struct cfg *cfg, const char *name);
struct file_path file_state(const struct cfg *cfg, const char *name);

/* Makes both directories.  0 or -errno. */
int files_prepare(const struct cfg *cfg) MUST_CHECK;

/* The random id of this boot (/proc/sys/kernel/random/boot_id): CLOCK_BOOTTIME stamps of another
 * boot mean nothing. In containers and test networks that share a kernel it is the same for all,
 * which is right. 0 or -errno. */
int boot_id(char *id, size_t size) MUST_CHECK;

/* ---- keepalived's track files: a bare decimal number, replaced by rename ---- */
int track_write(const struct cfg *cfg, const char *name, int value) MUST_CHECK;
/* Strict: -ENOENT, -EINVAL (keepalived would take garbage for 0, healthy; we do not). */
int track_read(const struct cfg *cfg, const char *name, int *value) MUST_CHECK;

/*
 * Writes serving = 0 under serving.lock, after looking once more, under the lock, that the node is
 * not fenced and that the lease (or grant) runs; withdraws it when that changed meanwhile.  0,
 * -EACCES when the right is gone, or -errno.
 */
int serving_begin(const struct cfg *cfg) MUST_CHECK;
/* Writes serving = 1.  Never waits long for the lock: the doubt wins. */
int serving_end(const struct cfg *cfg) MUST_CHECK;

/* ---- fenced ---- */
struct fenced_mark {
	enum fact present; /* UNKNOWN: could not be read; counts as present */
	char reason[160];
	char by[CFG_NAME_MAX]; /* node, "guard" or "operator" */
};
struct fenced_mark fenced_read(const struct cfg *cfg);
int fenced_write(const struct cfg *cfg, const char *reason, const char *by) MUST_CHECK;
int fenced_clear(const struct cfg *cfg) MUST_CHECK;

/* ---- withdrawn: value is the primary_conninfo to restore, may be empty ---- */
enum fact withdrawn_read(const struct cfg *cfg, char *conninfo, size_t size);
int withdrawn_write(const struct cfg *cfg, const char *conninfo) MUST_CHECK;
int withdrawn_clear(const struct cfg *cfg) MUST_CHECK;

/*
 * ---- times of this boot ----
 * lease (until), vote (sent), grant (until), keepalived (called): one CLOCK_BOOTTIME stamp each,
 * with the boot id and a word. A file of another boot, garbage, or none: -ENOENT or -EINVAL, and
 * *at_ms is 0: never "just now".
 */
int stamp_write(const struct cfg *cfg, const char *name, int64_t at_ms,
		const char *word) MUST_CHECK;
int stamp_read(const struct cfg *cfg, const char *name, int64_t *at_ms, char *word,
	       size_t size) MUST_CHECK;

/* ---- contact: what a standby last knew of its primary ---- */
struct contact {
	bool known;
	int64_t seen_ms;       /* the primary's server answered our question, which we sent then */
	int64_t streaming_ms;  /* a walreceiver was streaming then; 0: not in this boot */
	uint64_t primary_lsn;  /* its write position then */
	uint64_t received_lsn; /* ours, when streaming_ms was taken */
	uint32_t timeline;
};
struct contact contact_read(const struct cfg *cfg);
int contact_write(const struct cfg *cfg, const struct contact *contact) MUST_CHECK;

/* ---- baseline: was the witness host able to reach NODE in good times? with the addresses of
 * today's configuration ---- */
enum fact baseline_read(const struct cfg *cfg, const char *node);
int baseline_write(const struct cfg *cfg, const char *node) MUST_CHECK;

/* ---- attempt and history ---- */
int attempt_write(const struct cfg *cfg, const char *helper,
		  const struct verdict *verdict) MUST_CHECK;
/* Copies the last verdict of `helper` as text: "refused witness-unseen: ..."; -ENOENT when there is
 * none. */
int attempt_read(const struct cfg *cfg, const char *helper, char *text, size_t size) MUST_CHECK;
/* Appends {"at":wall clock for people,"boot_ms":..,"node":..,"event":..,"detail":..}. */
int history_add(const struct cfg *cfg, const char *event, const char *detail) MUST_CHECK;

#endif
