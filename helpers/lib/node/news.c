/* SPDX-License-Identifier: PostgreSQL */
#include "node/news.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/state.h"
#include "node/boot_file.h"

/* ---- whether ---- */

static bool has_line_left(const struct news *news, int64_t now)
{
	return news->told_ms[0] == 0 || now - news->told_ms[0] >= NEWS_MINUTE_MS;
}

static void note_line(struct news *news, const char *head, int64_t now)
{
	(void)snprintf(news->told, sizeof(news->told), "%s", head);
	memmove(&news->told_ms[0], &news->told_ms[1], (NEWS_LINES - 1) * sizeof(news->told_ms[0]));
	news->told_ms[NEWS_LINES - 1] = now;
}

enum news_kind news_decide(struct news *news, const char *head, int64_t now)
{
	if (strcmp(news->is, head) != 0) {
		(void)snprintf(news->is, sizeof(news->is), "%s", head);
		news->since_ms = now;
	}
	if (strcmp(news->told, head) == 0)
		return NEWS_NONE;
	if (!has_line_left(news, now) && now - news->since_ms < NEWS_LASTS_MS)
		return NEWS_NONE;
	note_line(news, head, now);
	return has_line_left(news, now) ? NEWS_TOLD : NEWS_TOLD_LAST;
}

/* ---- the file ---- */

static const char *const line_keys[NEWS_LINES] = { "told_ms0", "told_ms1", "told_ms2",
						   "told_ms3", "told_ms4", "told_ms5" };

static int parse(const char *text, struct news *news)
{
	const int64_t now = now_ms();
	int rc = state_get(text, "told", news->told, sizeof(news->told));

	if (rc == 0)
		rc = state_get(text, "is", news->is, sizeof(news->is));
	if (rc == 0)
		rc = state_get_i64(text, "since_ms", &news->since_ms);
	for (int i = 0; i < NEWS_LINES && rc == 0; i++) {
		rc = state_get_i64(text, line_keys[i], &news->told_ms[i]);
		if (rc == 0 && (news->told_ms[i] < 0 || news->told_ms[i] > now))
			rc = -1;
	}
	return rc == 0 && news->since_ms <= now ? 0 : -1;
}

/* A file that cannot be read counts as news never told. */
static struct news read_news(const struct cfg *cfg, const char *name)
{
	struct news news = { .since_ms = 0 };
	char text[STATE_TEXT_MAX];

	if (boot_file_read(cfg, name, text, sizeof(text)) < 0 || parse(text, &news) < 0)
		return (struct news){ .since_ms = 0 };
	return news;
}

static int write_news(const struct cfg *cfg, const char *name, const struct news *news)
{
	char text[512];
	int used = snprintf(text, sizeof(text), "told=%s\nis=%s\nsince_ms=%" PRId64 "\n",
			    news->told, news->is, news->since_ms);

	for (int i = 0; i < NEWS_LINES; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%s=%" PRId64 "\n",
				 line_keys[i], news->told_ms[i]);
	return boot_file_write(cfg, name, text);
}

bool news_wants(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	char name[64], head[64];
	struct news before, news;
	enum news_kind kind;

	(void)snprintf(name, sizeof(name), "news.%s", attempt_word(attempt));
	(void)snprintf(head, sizeof(head), "%s %s", outcome_word(verdict->outcome),
		       verdict->rule != NULL ? verdict->rule : "");
	news = before = read_news(cfg, name);
	kind = news_decide(&news, head, now_ms());
	if (kind != NEWS_NONE || strcmp(news.is, before.is) != 0)
		log_failed("write the news file", write_news(cfg, name, &news));
	if (kind == NEWS_TOLD_LAST)
		log_info("%s changes again and again: more is told when it lasts, or in a minute",
			 attempt_word(attempt));
	return kind != NEWS_NONE;
}
