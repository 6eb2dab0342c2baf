/* SPDX-License-Identifier: PostgreSQL */
/* Times of this boot: one file each, with the boot id, so that an old one is never "just now". */
#include "node/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"

#define BOOT_ID_SIZE 40

/* Reads a file whose first duty is to be of this boot. */
static int read_of_this_boot(const struct cfg *cfg, const char *name, char *text, size_t size)
{
	char boot[BOOT_ID_SIZE], written[BOOT_ID_SIZE];
	int rc = boot_id(boot, sizeof(boot));

	if (rc == 0)
		rc = state_read(file_run(cfg, name).text, text, size);
	if (rc < 0)
		return rc;
	if (state_get(text, "boot", written, sizeof(written)) < 0)
		return -EINVAL;
	return strcmp(boot, written) == 0 ? 0 : -ENOENT;
}

int stamp_write(const struct cfg *cfg, const char *name, int64_t at_ms, const char *word)
{
	char boot[BOOT_ID_SIZE], clean[64], text[256];
	int rc = boot_id(boot, sizeof(boot));

	if (rc < 0)
		return rc;
	file_clean(clean, sizeof(clean), word);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=%" PRId64 "\nword=%s\n", boot, at_ms,
		       clean);
	return state_write(file_run(cfg, name).text, text, 0644, false);
}

int stamp_read(const struct cfg *cfg, const char *name, int64_t *at_ms, char *word, size_t size)
{
	char text[STATE_TEXT_MAX];
	int64_t value = 0;
	int rc;

	*at_ms = 0;
	if (size > 0)
		word[0] = '\0';
	rc = read_of_this_boot(cfg, name, text, sizeof(text));
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

/* An LSN or timeline is kept as a decimal number; state_get_i64 does not reach above 2^63, where no
 * LSN of a real server is. */
static int get_u64(const char *text, const char *key, uint64_t *value)
{
	int64_t number = 0;
	int rc = state_get_i64(text, key, &number);

	if (rc < 0)
		return rc;
	if (number < 0)
		return -EINVAL;
	*value = (uint64_t)number;
	return 0;
}

static int contact_parse(const char *text, struct contact *contact)
{
	uint64_t timeline = 0;
	int rc = state_get_i64(text, "seen_ms", &contact->seen_ms);

	if (rc == 0)
		rc = state_get_i64(text, "streaming_ms", &contact->streaming_ms);
	if (rc == 0)
		rc = get_u64(text, "primary_lsn", &contact->primary_lsn);
	if (rc == 0)
		rc = get_u64(text, "received_lsn", &contact->received_lsn);
	if (rc == 0)
		rc = get_u64(text, "timeline", &timeline);
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

	if (read_of_this_boot(cfg, "contact", text, sizeof(text)) < 0 ||
	    contact_parse(text, &contact) < 0)
		return (struct contact){ 0 };
	contact.known = true;
	return contact;
}

int contact_write(const struct cfg *cfg, const struct contact *contact)
{
	char boot[BOOT_ID_SIZE], text[512];
	int rc = boot_id(boot, sizeof(boot));

	if (rc < 0)
		return rc;
	(void)snprintf(text, sizeof(text),
		       "boot=%s\nseen_ms=%" PRId64 "\nstreaming_ms=%" PRId64
		       "\nprimary_lsn=%" PRIu64 "\nreceived_lsn=%" PRIu64 "\ntimeline=%" PRIu32
		       "\n",
		       boot, contact->seen_ms, contact->streaming_ms, contact->primary_lsn,
		       contact->received_lsn, contact->timeline);
	return state_write(file_run(cfg, "contact").text, text, 0644, false);
}
