/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGV_AGENT_MARK_H
#define PGV_AGENT_MARK_H

#include "base/auto.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* ---- agent: has the fence agent of today's configuration ever said that NODE is on?  One that
 * only ever said "off" may not have understood the question ---- */
enum fact agent_seen_on(const struct cfg *cfg, const char *node);
int agent_note_on(const struct cfg *cfg, const char *node) MUST_CHECK;
/* The agent was caught saying "off" of a node that is on. */
int agent_forget_on(const struct cfg *cfg, const char *node) MUST_CHECK;

#endif
