/* SPDX-License-Identifier: PostgreSQL */
#include "node/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/state.h"
#include "config/timing.h"
#include "node/path.h"
#include "node/stamp.h"

/* An outcome, a blank, what the server is. */
#define WORDS_MAX 48

int64_t answer_round_ms(const struct cfg *cfg)
{
	return cfg->renew_interval_ms < TIMING_ROUND_MS ? cfg->renew_interval_ms : TIMING_ROUND_MS;
}

int64_t answer_question_ms(const struct cfg *cfg)
{
	const int64_t round_ms = answer_round_ms(cfg);
	const int64_t end_ms = cfg->check_budget_ms - TIMING_AFTERWARDS_MS;
	const int64_t most_ms = end_ms < round_ms ? end_ms : round_ms;

	return most_ms > cfg->probe_timeout_ms ? most_ms : cfg->probe_timeout_ms;
}

int answer_write(const struct cfg *cfg, int64_t asked_ms, enum outcome outcome, const char *server)
{
	char words[WORDS_MAX];

	(void)snprintf(words, sizeof(words), "%s %s", outcome_word(outcome), server);
	return stamp_write(cfg, STAMP_ANSWER, asked_ms, words);
}

static int64_t read_age(const struct cfg *cfg, char *word, size_t size)
{
	int64_t asked_ms, now = now_ms();
	int rc = stamp_read(cfg, STAMP_ANSWER, &asked_ms, word, size);

	if (rc < 0)
		return rc;
	return asked_ms <= now ? now - asked_ms : -EINVAL;
}

int64_t answer_age_ms(const struct cfg *cfg)
{
	char words[WORDS_MAX];

	return read_age(cfg, words, sizeof(words));
}

int64_t answer_look(const struct cfg *cfg, enum outcome *outcome, char *server, size_t size)
{
	char words[WORDS_MAX];
	int64_t age_ms = read_age(cfg, words, sizeof(words));
	char *blank;

	server[0] = '\0';
	if (age_ms < 0)
		return age_ms;
	/* The file of an earlier version has no second word. */
	blank = strchr(words, ' ');
	if (blank != NULL) {
		*blank = '\0';
		(void)snprintf(server, size, "%s", blank + 1);
	}
	return outcome_parse(words, outcome) ? age_ms : -EINVAL;
}

bool answer_read(const struct cfg *cfg, enum outcome *outcome)
{
	char server[WORDS_MAX];
	int64_t age_ms = answer_look(cfg, outcome, server, sizeof(server));

	if (age_ms < 0 || age_ms > TIMING_ROUND_MS + cfg->check_budget_ms)
		return false;
	/* The outcomes that a round can end with; anything else in the file is no answer. */
	return *outcome == OUT_YES || *outcome == OUT_NO || *outcome == OUT_UNKNOWN;
}

enum fact answer_is_of_this_boot(const struct cfg *cfg)
{
	int64_t asked_ms;
	int rc = stamp_read(cfg, STAMP_ANSWER, &asked_ms, NULL, 0);

	if (rc == 0)
		return FACT_YES;
	return rc == -ENOENT && state_exists(file_run(cfg, stamp_word(STAMP_ANSWER)).text) == 1
		   ? FACT_NO
		   : FACT_UNKNOWN;
}
