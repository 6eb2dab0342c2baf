/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const ask_words[FENCE_ASKS] = {
	[FENCE_ASK_FENCE] = "fence",
	[FENCE_ASK_SPARE] = "spare",
	[FENCE_ASK_TEST] = "test",
	[FENCE_ASK_OBSERVE] = "observe",
	[FENCE_ASK_SETUP] = "setup",
	[FENCE_ASK_SWITCHOVER] = "switchover",
	[FENCE_ASK_SWITCHOVER_TEST] = "switchover-test",
	[FENCE_ASK_RESTART] = "restart",
	[FENCE_ASK_RESTART_TEST] = "restart-test",
};

/* An hour: no wait of ours is longer, and a longer one would keep a connection for nothing. */
#define WINDOW_MAX_MS (INT64_C(3600) * 1000)

int fence_request_format(const struct fence_line *request, char *line, size_t size)
{
	int length =
	    snprintf(line, size, "pg_vrrp 1 cluster=%s node=%s request=%s window_ms=%" PRId64,
		     request->cluster, request->node, ask_words[request->ask], request->window_ms);

	return length > 0 && (size_t)length < size ? 0 : -EFBIG;
}

/*
 * Copies the next word after `prefix` and moves *line behind it and the one space that follows.
 * Returns 0 or -EINVAL.
 */
static int take_word(const char **line, const char *prefix, char *word, size_t size)
{
	size_t length;

	if (strncmp(*line, prefix, strlen(prefix)) != 0)
		return -EINVAL;
	*line += strlen(prefix);
	length = strcspn(*line, " \n");
	if (length == 0 || length >= size)
		return -EINVAL;
	memcpy(word, *line, length);
	word[length] = '\0';
	*line += length;
	if (**line == ' ')
		(*line)++;
	return 0;
}

static int parse_window(const char *text, int64_t *window_ms)
{
	*window_ms = 0;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		*window_ms = *window_ms * 10 + (*text - '0');
		if (*window_ms > WINDOW_MAX_MS)
			return -EINVAL;
	}
	return 0;
}

static int parse_ask(const char *word, enum fence_ask *ask)
{
	for (int i = 0; i < FENCE_ASKS; i++) {
		if (strcmp(word, ask_words[i]) == 0) {
			*ask = (enum fence_ask)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_head(const char **line, char *cluster, char *node, size_t size)
{
	char version[4];

	if (take_word(line, "pg_vrrp ", version, sizeof(version)) < 0 || strcmp(version, "1") != 0)
		return -EINVAL;
	if (take_word(line, "cluster=", cluster, size) < 0)
		return -EINVAL;
	return take_word(line, "node=", node, size);
}

int fence_request_parse(const char *line, struct fence_line *request)
{
	char word[16];
	char window[16];

	*request = (struct fence_line){ 0 };
	if (take_head(&line, request->cluster, request->node, sizeof(request->cluster)) < 0)
		return -EINVAL;
	if (take_word(&line, "request=", word, sizeof(word)) < 0 ||
	    parse_ask(word, &request->ask) < 0)
		return -EINVAL;
	if (take_word(&line, "window_ms=", window, sizeof(window)) < 0 ||
	    parse_window(window, &request->window_ms) < 0)
		return -EINVAL;
	return *line == '\0' ? 0 : -EINVAL;
}

#define ANSWER "pg_vrrp 1 cluster="

/* One answer, from its first word to the end of its line. */
static int parse_answer(const char *line, const char *cluster, const char *node, char *verdict,
			size_t size)
{
	char said_cluster[64];
	char said_node[64];

	if (take_head(&line, said_cluster, said_node, sizeof(said_cluster)) < 0)
		return -EINVAL;
	if (strcmp(said_cluster, cluster) != 0 || strcmp(said_node, node) != 0)
		return -EINVAL;
	if (take_word(&line, "verdict=", verdict, size) < 0)
		return -EINVAL;
	return *line == '\0' || *line == '\n' ? 0 : -EINVAL;
}

int fence_answer_parse(const char *text, const char *cluster, const char *node, char *verdict,
		       size_t size)
{
	char word[32];
	int found = 0;

	for (const char *at = strstr(text, ANSWER); at != NULL; at = strstr(at + 1, ANSWER)) {
		if (parse_answer(at, cluster, node, word, sizeof(word)) < 0)
			continue;
		found++;
		if ((size_t)snprintf(verdict, size, "%s", word) >= size)
			return -EINVAL;
	}
	return found == 1 ? 0 : -EINVAL;
}

void fence_answer_noise(const char *text, char *noise, size_t size)
{
	size_t length = 0;

	noise[0] = '\0';
	while (*text == '\n' || strncmp(text, ANSWER, strlen(ANSWER)) == 0) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	while (text[length] != '\0' && text[length] != '\n' && length + 1 < size &&
	       strncmp(text + length, ANSWER, strlen(ANSWER)) != 0) {
		noise[length] = text[length];
		length++;
	}
	noise[length] = '\0';
	text_make_harmless(noise);
}

void fence_answer_print(const char *cluster, const char *node, const char *verdict)
{
	printf("pg_vrrp 1 cluster=%s node=%s verdict=%s\n", cluster, node, verdict);
	/* The asker waits for this line; when it cannot be written, nothing was proven to it. */
	(void)fflush(stdout);
}
