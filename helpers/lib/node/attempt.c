/* SPDX-License-Identifier: PostgreSQL */
#include "node/attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/state.h"
#include "base/text.h"
#include "node/path.h"

/* A trouble that lasts is tried again sooner than this, so a longer pause means that it had
 * gone. */
#define ATTEMPT_TOLD_MS 60000

/* The names of the files below run_dir are these behind "attempt.". */
static const char *const words[] = {
	[ATTEMPT_PROMOTE] = "promote_safe",        [ATTEMPT_REJOIN] = "rejoin",
	[ATTEMPT_REJOIN_CHECK] = "rejoin_check",   [ATTEMPT_FENCE_TEST] = "fence_old",
	[ATTEMPT_RELEASE] = "witness_record",      [ATTEMPT_SLOTS] = "replication_slots",
	[ATTEMPT_CHECK_PRIMARY] = "check_primary", [ATTEMPT_CHECK_SERVING] = "check_serving",
	[ATTEMPT_ASK_PEER] = "ask_peer",           [ATTEMPT_ASK_RECORD] = "ask_record",
};

const char *attempt_word(enum attempt attempt)
{
	return (size_t)attempt < ARRAY_COUNT(words) ? words[attempt] : "unknown";
}

static struct file_path attempt_path(const struct cfg *cfg, enum attempt attempt)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "attempt.%s", attempt_word(attempt));
	return file_run(cfg, name);
}

/* Translates the verdict into a yes or no to the helper's question. */
static enum fact answer(const struct verdict *verdict)
{
	if (verdict->outcome == OUT_YES)
		return FACT_YES;
	return verdict->outcome == OUT_NO || verdict->id == RULE_METHOD_BROKEN ? FACT_NO
									       : FACT_UNKNOWN;
}

int attempt_write(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	char at[32], message[256], detail[sizeof(verdict->detail)], hint[256];
	char text[STATE_TEXT_MAX];

	text_wall_clock(at, sizeof(at));
	text_clean(message, sizeof(message), verdict->message);
	text_clean(detail, sizeof(detail), verdict->detail);
	text_clean(hint, sizeof(hint), verdict->hint);
	(void)snprintf(text, sizeof(text),
		       "outcome=%s\nanswer=%s\nrule=%s\nmessage=%s\ndetail=%s\nhint=%s\nat=%s\n"
		       "boot_ms=%" PRId64 "\n",
		       outcome_word(verdict->outcome), fact_word(answer(verdict)),
		       verdict->rule != NULL ? verdict->rule : "", message, detail, hint, at,
		       now_ms());
	return state_write(attempt_path(cfg, attempt).text, text, 0644, false);
}

void attempt_note(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	log_failed("write the attempt file", attempt_write(cfg, attempt, verdict));
}

/* Reads the fields that decide.  Strict, so that a file of another version is none. */
static int parse(const char *content, struct attempt_last *last)
{
	char outcome[32] = "", answer[32] = "";
	int64_t at_ms = 0, now = now_ms();
	int rc = state_get(content, "outcome", outcome, sizeof(outcome));

	if (rc == 0)
		rc = state_get(content, "answer", answer, sizeof(answer));
	if (rc == 0)
		rc = state_get(content, "rule", last->rule, sizeof(last->rule));
	if (rc == 0 &&
	    (!outcome_parse(outcome, &last->outcome) || !fact_parse(answer, &last->answer)))
		rc = -EINVAL;
	if (rc == 0 && state_get_i64(content, "boot_ms", &at_ms) == 0 && at_ms <= now)
		last->age_ms = now - at_ms;
	return rc;
}

int attempt_read(const struct cfg *cfg, enum attempt attempt, struct attempt_last *last)
{
	static const struct attempt_last none = { .outcome = OUT_UNKNOWN, .age_ms = -1 };
	char content[STATE_TEXT_MAX], message[256] = "", detail[320] = "";
	int rc = state_read(attempt_path(cfg, attempt).text, content, sizeof(content));

	*last = none;
	if (rc == 0)
		rc = state_get(content, "message", message, sizeof(message));
	if (rc == 0)
		rc = state_get(content, "detail", detail, sizeof(detail));
	if (rc == 0)
		rc = parse(content, last);
	if (rc < 0) {
		*last = none;
		return rc;
	}
	(void)snprintf(last->text, sizeof(last->text), "%s %s: %s%s%s%s",
		       outcome_word(last->outcome), last->rule, message,
		       detail[0] != '\0' ? " (" : "", detail, detail[0] != '\0' ? ")" : "");
	return 0;
}

enum fact attempt_said(const struct cfg *cfg, enum attempt attempt)
{
	struct attempt_last last;

	return attempt_read(cfg, attempt, &last) == 0 ? last.answer : FACT_UNKNOWN;
}

static bool same(const struct attempt_last *last, const struct verdict *verdict)
{
	/* ALLOW: the verdict of before, whichever that was */
	return last->outcome == verdict->outcome && strcmp(last->rule, verdict->rule) == 0;
}

bool attempt_is_same(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	struct attempt_last last;

	return attempt_read(cfg, attempt, &last) == 0 && same(&last, verdict);
}

bool attempt_changes(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	if (attempt_is_same(cfg, attempt, verdict))
		return false;
	attempt_note(cfg, attempt, verdict);
	return true;
}

bool attempt_repeats(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	struct attempt_last last;
	bool told = attempt_read(cfg, attempt, &last) == 0 && last.age_ms >= 0 &&
		    last.age_ms < ATTEMPT_TOLD_MS && same(&last, verdict);

	attempt_note(cfg, attempt, verdict);
	return told;
}
