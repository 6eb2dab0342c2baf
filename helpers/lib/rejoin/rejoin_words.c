/* SPDX-License-Identifier: PostgreSQL */
/* Describes in one phrase what rejoin has seen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rejoin/rejoin_gather.h"
#include "rejoin/rejoin_tries.h"

static const char *form_word(enum pgdata_form form)
{
	switch (form) {
	case PGDATA_STANDBY:
		return "data directory of a standby";
	case PGDATA_RECOVERY:
		return "data directory of a restore";
	case PGDATA_PRIMARY:
		return "data directory of a primary";
	case PGDATA_MISSING:
		return "data directory missing";
	case PGDATA_UNKNOWN:
		break;
	}
	return "data directory unreadable";
}

static const char *local_word(enum rejoin_local local)
{
	static const char *const words[LOCALS] = {
		[LOCAL_UNKNOWN] = "silent",  [LOCAL_DOWN] = "down",
		[LOCAL_ORPHANS] = "orphans", [LOCAL_SINGLE] = "single-user",
		[LOCAL_OTHER] = "another's", [LOCAL_STARTING] = "starting",
		[LOCAL_PRIMARY] = "primary", [LOCAL_STANDBY] = "standby",
	};

	return local < LOCALS ? words[local] : "unknown";
}

/* Where the tries are what matters: how many, and what the last one said. */
static bool describe_tries(const struct rejoin *r, enum rule_id id, char *text, size_t size)
{
	bool copy = id == RULE_REBUILD_STOPPED || id == RULE_REBUILD_PAUSE;
	bool rewind = id == RULE_REWIND_STOPPED || id == RULE_REWIND_PAUSE;
	struct rejoin_tries tries;

	if (!copy && !rewind)
		return false;
	tries = tries_read(r->cfg, copy ? DEED_REBUILD : DEED_REWIND);
	(void)snprintf(text, size, "failed %" PRId64 " times: %.80s: %.160s", tries.count,
		       tries.message, tries.detail);
	return true;
}

static void describe_peer(const struct rejoin *r, char *text, size_t size)
{
	char fork[32];
	int used;

	if (r->peer.state != SERVER_PRIMARY && r->peer.state != SERVER_STANDBY) {
		(void)snprintf(text, size, "%s (%.90s)", server_state_word(r->peer.state),
			       r->peer.why);
		return;
	}
	used = snprintf(text, size, "%s, timeline %" PRIu32, server_state_word(r->peer.state),
			r->peer.timeline);
	if (used < 0 || (size_t)used >= size || r->fork == 0 || r->fork == HISTORY_FILE_OPEN)
		return;
	lsn_format(r->fork, fork, sizeof(fork));
	(void)snprintf(text + used, size - (size_t)used, ", forked at %s", fork);
}

static void describe_record(const struct rejoin *r, char *text, size_t size)
{
	char words[200];

	text[0] = '\0';
	if (r->facts.right == RIGHT_UNUSED)
		return;
	if (r->trust == RECORD_GOOD)
		record_words(&r->record, r->cfg, words, sizeof(words));
	else
		(void)snprintf(words, sizeof(words), "%s",
			       r->trust == RECORD_SILENT ? r->link.why
							 : record_trust_word(r->trust));
	(void)snprintf(text, size, "record: %.100s; ", words);
}

/* Only what was read: a timeline of zero would be a statement. */
static void describe_data(const struct rejoin *r, char *text, size_t size)
{
	const struct pgdata_control *control = &r->control;
	char checkpoint[32];

	if (!control->known) {
		(void)snprintf(text, size, "%s%s%.100s", form_word(r->facts.form),
			       control->why[0] != '\0' ? ": " : "", control->why);
		return;
	}
	lsn_format(control->checkpoint_lsn, checkpoint, sizeof(checkpoint));
	(void)snprintf(text, size, "%s, timeline %" PRIu32 ", checkpoint %s, %s",
		       form_word(r->facts.form), rejoin_our_timeline(r), checkpoint,
		       control->state);
}

void rejoin_detail(const struct rejoin *r, const struct verdict *verdict, char *text, size_t size)
{
	char data[192], peer[160], record[120];

	if (describe_tries(r, verdict->id, text, size))
		return;
	if (verdict->id == RULE_RECOVERY_TARGET || verdict->id == RULE_REPLAY_AT_TARGET) {
		(void)snprintf(text, size, "%.300s", r->target_what);
		return;
	}
	describe_data(r, data, sizeof(data));
	describe_peer(r, peer, sizeof(peer));
	describe_record(r, record, sizeof(record));
	(void)snprintf(text, size, "%s%s: server %s, %s; %s: %s", record, cfg_self(r->cfg)->name,
		       local_word(r->facts.local), data, cfg_peer(r->cfg)->name, peer);
}
