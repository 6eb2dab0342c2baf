/* SPDX-License-Identifier: PostgreSQL */
/* The last knowledge of a standby about its primary: one file, with the boot id. */
#include "node/contact.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/boot_file.h"

static int replay_parse(const char *text, struct contact *contact)
{
	int rc = state_get_u64(text, "replayed_lsn", &contact->replayed_lsn);

	if (rc == 0)
		rc = state_get_u64(text, "mark_lsn", &contact->mark_lsn);
	if (rc == 0)
		rc = state_get_i64(text, "mark_ms", &contact->mark_ms);
	if (rc == 0)
		rc = state_get_i64(text, "reached_ms", &contact->reached_ms);
	if (rc < 0)
		return rc;
	if (contact->mark_ms < 0 || contact->mark_ms > now_ms() || contact->reached_ms < 0 ||
	    contact->reached_ms > contact->mark_ms)
		return -EINVAL;
	return 0;
}

static int contact_parse(const char *text, struct contact *contact)
{
	uint64_t timeline = 0;
	int rc = state_get_i64(text, "seen_ms", &contact->seen_ms);

	if (rc == 0)
		rc = state_get_i64(text, "streaming_ms", &contact->streaming_ms);
	if (rc == 0)
		rc = state_get_u64(text, "primary_lsn", &contact->primary_lsn);
	if (rc == 0)
		rc = state_get_u64(text, "received_lsn", &contact->received_lsn);
	if (rc == 0)
		rc = state_get_u64(text, "timeline", &timeline);
	if (rc < 0)
		return rc;
	if (timeline > UINT32_MAX || contact->seen_ms < 0 || contact->streaming_ms < 0 ||
	    contact->seen_ms > now_ms() || contact->streaming_ms > now_ms())
		return -EINVAL;
	contact->timeline = (uint32_t)timeline;
	/* A file of an earlier version does not say. */
	rc = state_get_u64(text, "leased_system", &contact->leased_system);
	if (rc == -ENOENT || rc == 0)
		rc = replay_parse(text, contact);
	return rc == -ENOENT ? 0 : rc;
}

void contact_note_replay(struct contact *contact, uint64_t replayed_lsn, uint64_t primary_lsn,
			 int64_t asked_ms)
{
	contact->replayed_lsn = replayed_lsn;
	if (contact->mark_ms != 0 && replayed_lsn < contact->mark_lsn)
		return;
	/* All up to the mark is there; the next mark is what is written by now. */
	contact->reached_ms = contact->mark_ms;
	if (replayed_lsn >= primary_lsn)
		contact->reached_ms = asked_ms;
	contact->mark_lsn = primary_lsn;
	contact->mark_ms = asked_ms;
}

struct contact contact_read(const struct cfg *cfg)
{
	struct contact contact = { 0 };
	char text[STATE_TEXT_MAX];

	if (boot_file_read(cfg, "contact", text, sizeof(text)) < 0 ||
	    contact_parse(text, &contact) < 0)
		return (struct contact){ 0 };
	contact.known = true;
	return contact;
}

int contact_write(const struct cfg *cfg, const struct contact *contact)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "seen_ms=%" PRId64 "\nstreaming_ms=%" PRId64 "\nprimary_lsn=%" PRIu64
		       "\nreceived_lsn=%" PRIu64 "\ntimeline=%" PRIu32 "\nleased_system=%" PRIu64
		       "\nreplayed_lsn=%" PRIu64 "\nmark_lsn=%" PRIu64 "\nmark_ms=%" PRId64
		       "\nreached_ms=%" PRId64 "\n",
		       contact->seen_ms, contact->streaming_ms, contact->primary_lsn,
		       contact->received_lsn, contact->timeline, contact->leased_system,
		       contact->replayed_lsn, contact->mark_lsn, contact->mark_ms,
		       contact->reached_ms);
	return boot_file_write(cfg, "contact", text);
}
