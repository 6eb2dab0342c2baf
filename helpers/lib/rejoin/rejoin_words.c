/* SPDX-License-Identifier: PostgreSQL */
/* What rejoin has seen, in one phrase. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rejoin/rejoin_gather.h"
#include "rejoin/rejoin_tries.h"

static const char *form_word(enum pgdata_form form)
{
	switch (form) {
	case PGDATA_STANDBY:
		return "a standby's";
	case PGDATA_RECOVERY:
		return "a restore's";
	case PGDATA_PRIMARY:
		return "a primary's";
	case PGDATA_MISSING:
		return "no";
	case PGDATA_UNKNOWN:
		break;
	}
	return "unreadable";
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
static bool describe_tries(const struct rejoin *r, const char *rule, char *text, size_t size)
{
	bool copy = strcmp(rule, "rebuild-stopped") == 0 || strcmp(rule, "rebuild-pause") == 0;
	bool rewind = strcmp(rule, "rewind-stopped") == 0 || strcmp(rule, "rewind-pause") == 0;
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

void rejoin_detail(const struct rejoin *r, const struct verdict *verdict, char *text, size_t size)
{
	const struct pgdata_control *control = &r->control;
	char checkpoint[32] = "?", peer[160], record[120];

	if (describe_tries(r, verdict->rule, text, size))
		return;
	if (control->known)
		lsn_format(control->checkpoint_lsn, checkpoint, sizeof(checkpoint));
	describe_peer(r, peer, sizeof(peer));
	describe_record(r, record, sizeof(record));
	(void)snprintf(
	    text, size, "%sserver %s, %s data, timeline %" PRIu32 ", checkpoint %s, %s; %s: %s",
	    record, local_word(r->facts.local), form_word(r->facts.form), rejoin_our_timeline(r),
	    checkpoint, control->known ? control->state : control->why, cfg_peer(r->cfg)->name,
	    peer);
}
