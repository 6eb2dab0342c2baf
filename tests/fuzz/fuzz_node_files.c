/* SPDX-License-Identifier: PostgreSQL */
/*
 * The files that a node keeps about itself.  Garbage permits nothing; what is read can be written
 * and is then read as the same; and a file that was torn never says something else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "base/state.h"
#include "base/text.h"
#include "fuzz.h"
#include "node/attempt.h"
#include "node/boot_file.h"
#include "node/contact.h"
#include "node/follower.h"
#include "node/mark.h"
#include "node/news.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "rejoin/rejoin_tries.h"

#define NOW       INT64_C(1000000)
#define WORDS_MAX 2048

int64_t fake_now_ms(void) FAKE(now_ms);
int64_t fake_now_ms(void)
{
	return NOW;
}

int fake_boot_id(char *id, size_t size) FAKE(boot_id);
int fake_boot_id(char *id, size_t size)
{
	(void)snprintf(id, size, "00000000-0000-4000-8000-000000000000");
	return 0;
}

/* Does the file say KEY=NUMBER, and the number in the one way in which we write it? */
static bool says(const struct file_path path, const char *key, uint64_t number)
{
	char text[STATE_TEXT_MAX], value[32], wanted[32];

	(void)snprintf(wanted, sizeof(wanted), "%" PRIu64, number);
	return state_read(path.text, text, sizeof(text)) == 0 &&
	       state_get(text, key, value, sizeof(value)) == 0 &&
	       strcmp(value + strspn(value, "0"), wanted + strspn(wanted, "0")) == 0;
}

/*
 * Each reads its file and says in words what that says; false when it says nothing.  With `again`
 * it has written first what it has just read.
 */
typedef bool look_fn(const struct cfg *cfg, char *words, bool again);

static bool look_at_track(const struct cfg *cfg, char *words, bool again)
{
	static int value;
	int rc;

	if (again)
		assert(track_write(cfg, TRACK_SERVING, value) == 0);
	rc = track_read(cfg, TRACK_SERVING, &value);
	assert(rc == 0 ? value >= 0 && value <= 9999 : value == -1);
	(void)snprintf(words, WORDS_MAX, "%d", value);
	return rc == 0;
}

static bool look_at_stamp(const struct cfg *cfg, char *words, bool again)
{
	static int64_t at_ms;
	static char word[64];
	int rc;

	if (again)
		assert(stamp_write(cfg, STAMP_LEASE, at_ms, word) == 0);
	rc = stamp_read(cfg, STAMP_LEASE, &at_ms, word, sizeof(word));
	assert(rc == 0 ? at_ms > 0 && at_ms <= NOW + cfg->lease_ms : at_ms == 0 && word[0] == '\0');
	assert(!stamp_runs(cfg, STAMP_LEASE) || rc != 0 || at_ms > NOW);
	text_clean(words, WORDS_MAX, word);
	(void)snprintf(words + strlen(words), 64, " %" PRId64, at_ms);
	return rc == 0;
}

static bool look_at_contact(const struct cfg *cfg, char *words, bool again)
{
	static struct contact c;

	if (again)
		assert(contact_write(cfg, &c) == 0);
	c = contact_read(cfg);
	assert(!c.known || (c.seen_ms >= 0 && c.seen_ms <= NOW && c.streaming_ms <= NOW));
	assert(c.known || (c.seen_ms == 0 && c.primary_lsn == 0 && c.timeline == 0));
	(void)snprintf(words, WORDS_MAX, "%" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu32,
		       c.seen_ms, c.streaming_ms, c.primary_lsn, c.received_lsn, c.timeline);
	return c.known;
}

static bool look_at_follower(const struct cfg *cfg, char *words, bool again)
{
	static struct follower f;

	if (again)
		assert(follower_write(cfg, &f) == 0);
	f = follower_read(cfg);
	assert(!f.known || (f.good_since_ms >= 0 && f.good_since_ms <= f.good_ms &&
			    f.good_ms <= f.asked_ms && f.asked_ms <= NOW));
	(void)snprintf(words, WORDS_MAX,
		       "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64
		       " %" PRIu64 " %" PRId64,
		       f.asked_ms, f.good_since_ms, f.good_ms, f.postmaster, f.sender, f.flush_lsn,
		       f.target_lsn, f.loaded_us);
	return f.known;
}

static bool look_at_fenced(const struct cfg *cfg, char *words, bool again)
{
	/* Whatever is in it, it is there. */
	struct fenced_mark mark = fenced_read(cfg);

	(void)again;
	assert(mark.present == FACT_YES && mark.reason[0] != '\n');
	words[0] = '\0';
	return true;
}

static bool look_at_withdrawn(const struct cfg *cfg, char *words, bool again)
{
	static char conninfo[1024];

	if (again)
		assert(withdrawn_write(cfg, conninfo) == 0 || strchr(conninfo, '\r') != NULL);
	assert(withdrawn_read(cfg, conninfo, sizeof(conninfo)) == FACT_YES);
	(void)snprintf(words, WORDS_MAX, "%s", conninfo);
	return conninfo[0] != '\0';
}

static bool look_at_rewinding(const struct cfg *cfg, char *words, bool again)
{
	static struct rewinding_mark mark;

	if (again)
		assert(rewinding_write(cfg, mark.system_identifier, mark.done) == 0);
	mark = rewinding_read(cfg);
	assert(mark.present == FACT_YES);
	if (mark.system_identifier != 0)
		assert(says(file_state(cfg, "rewinding"), "system", mark.system_identifier));
	/* Torn, it may lack the word that it is done. */
	(void)snprintf(words, WORDS_MAX, "%" PRIu64, mark.system_identifier);
	return mark.system_identifier != 0;
}

static bool look_at_baseline(const struct cfg *cfg, char *words, bool again)
{
	if (again)
		assert(baseline_write(cfg, "n2") == 0);
	words[0] = '\0';
	return baseline_read(cfg, "n2") == FACT_YES;
}

static bool look_at_attempt(const struct cfg *cfg, char *words, bool again)
{
	const struct verdict verdict = { .outcome = OUT_REFUSED, .rule = "x" };
	struct attempt_last last;

	(void)again;
	(void)attempt_is_same(cfg, ATTEMPT_REJOIN, &verdict);
	if (attempt_read(cfg, ATTEMPT_REJOIN, &last) < 0)
		assert(last.answer == FACT_UNKNOWN && last.text[0] == '\0');
	(void)snprintf(words, WORDS_MAX, "%s", last.text);
	return last.text[0] != '\0';
}

/* Garbage was never told; what is read is kept as it is while nothing changes. */
static bool look_at_news(const struct cfg *cfg, char *words, bool again)
{
	const struct verdict same = { .outcome = OUT_YES, .rule = "x" };
	char text[STATE_TEXT_MAX];

	words[0] = '\0';
	if (again)
		return false;
	(void)news_wants(cfg, ATTEMPT_REJOIN, &same);
	if (state_read(file_run(cfg, "news.rejoin").text, text, sizeof(text)) == 0)
		assert(!news_wants(cfg, ATTEMPT_REJOIN, &same));
	return false;
}

static bool look_at_tries(const struct cfg *cfg, char *words, bool again)
{
	const struct rejoin_tries tries = tries_read(cfg, DEED_REWIND);

	(void)again;
	assert(tries.count >= 0 && (tries.count > 0 || tries.spent == FACT_NO));
	(void)snprintf(words, WORDS_MAX, "%" PRId64 " %s %s", tries.count, tries.message,
		       tries.detail);
	return tries.count > 0;
}

static const struct {
	const char *name;
	bool run; /* in run_dir */
	look_fn *look;
} files[] = {
	{ "serving", true, look_at_track },          { "lease", true, look_at_stamp },
	{ "contact", true, look_at_contact },        { "follower", true, look_at_follower },
	{ "fenced", false, look_at_fenced },         { "withdrawn", false, look_at_withdrawn },
	{ "rewinding", false, look_at_rewinding },   { "baseline.n2", false, look_at_baseline },
	{ "attempt.rejoin", true, look_at_attempt }, { "tries.rewind", false, look_at_tries },
	{ "news.rejoin", true, look_at_news },
};

/* The first byte chooses the file, the second where it is torn; seeds have a letter and a blank. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cfg *cfg = fuzz_cfg();
	struct input in = { data, size };
	const size_t which = input_byte(&in) % ARRAY_COUNT(files);
	const size_t where = input_byte(&in);
	const struct file_path path = files[which].run ? file_run(cfg, files[which].name)
						       : file_state(cfg, files[which].name);
	char whole[WORDS_MAX], again[WORDS_MAX];

	fuzz_put(path.text, in.at, in.left);
	if (files[which].look(cfg, whole, false)) {
		assert(files[which].look(cfg, again, true));
		assert(strcmp(whole, again) == 0);
		fuzz_put(path.text, in.at, in.left == 0 ? 0 : where % in.left);
		if (files[which].look(cfg, again, false))
			assert(strcmp(whole, again) == 0);
	}
	return 0;
}
