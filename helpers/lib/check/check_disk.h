/* SPDX-License-Identifier: PostgreSQL */
/* A primary whose disk is full: since when, and whether its standby could take over. */
#ifndef PGV_CHECK_DISK_H
#define PGV_CHECK_DISK_H

#include "check/check_rules.h"
#include "check/duty.h"
#include "config/cfg.h"
#include "postgres/server.h"

/* local: as it has just answered; duty: of this round, and ended; f: the rest of the facts. */
void check_gather_disk(struct check_facts *f, const struct cfg *cfg, const struct server *local,
		       const struct duty_report *duty);

/* Notes that this node steps down, so that it does so once. */
void check_note_step_down(const struct cfg *cfg);

#endif
