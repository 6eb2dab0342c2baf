/* SPDX-License-Identifier: PostgreSQL */
/* Times of this boot: one file each, with the boot id, so that an old one is never "just now". */
#include "node/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/boot_file.h"

int stamp_write(const struct cfg *cfg, const char *name, int64_t at_ms, const char *word)
{
	char clean[64], text[256];

	file_clean(clean, sizeof(clean), word);
	(void)snprintf(text, sizeof(text), "at_ms=%" PRId64 "\nword=%s\n", at_ms, clean);
	return boot_file_write(cfg, name, text);
}

int stamp_clear(const struct cfg *cfg, const char *name)
{
	return state_remove(file_run(cfg, name).text, false);
}

int stamp_read(const struct cfg *cfg, const char *name, int64_t *at_ms, char *word, size_t size)
{
	char text[STATE_TEXT_MAX];
	int64_t value = 0;
	int rc;

	*at_ms = 0;
	if (size > 0)
		word[0] = '\0';
	rc = boot_file_read(cfg, name, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (state_get_i64(text, "at_ms", &value) < 0 || value <= 0)
		return -EINVAL;
	if (value > now_ms() + cfg->lease_ms)
		return -ERANGE;
	if (size > 0 && state_get(text, "word", word, size) < 0) {
		word[0] = '\0';
		return -EINVAL;
	}
	*at_ms = value;
	return 0;
}

bool stamp_runs(const struct cfg *cfg, const char *name)
{
	int64_t until_ms;

	return stamp_read(cfg, name, &until_ms, NULL, 0) == 0 && now_ms() < until_ms;
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
	return 0;
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
		       "\nreceived_lsn=%" PRIu64 "\ntimeline=%" PRIu32 "\n",
		       contact->seen_ms, contact->streaming_ms, contact->primary_lsn,
		       contact->received_lsn, contact->timeline);
	return boot_file_write(cfg, "contact", text);
}
