/* SPDX-License-Identifier: PostgreSQL */
/* A node's own facts, on their way to the other one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "base/state.h"
#include "base/text.h"
#include "fence/fence_peer.h"
#include "setup/setup_host.h"

#define PREFIX "setup "

/* Each text and each fact of a host, by its key. */
struct texts {
	const char *key;
	char *value;
	size_t size;
};
struct fact_keys {
	const char *key;
	enum fact *value;
};
#define TEXTS 7
#define FACTS 9

static void texts_of(struct setup_host *host, struct texts *texts)
{
	const struct texts all[TEXTS] = {
		{ "version", host->version, sizeof(host->version) },
		{ "digest", host->digest, sizeof(host->digest) },
		{ "keepalived", host->keepalived, sizeof(host->keepalived) },
		{ "generated_why", host->generated_why, sizeof(host->generated_why) },
		{ "scripts_why", host->scripts_why, sizeof(host->scripts_why) },
		{ "pooler_why", host->pooler_why, sizeof(host->pooler_why) },
		{ "return_why", host->return_why, sizeof(host->return_why) },
	};

	memcpy(texts, all, sizeof(all));
}

static void facts_of(struct setup_host *host, struct fact_keys *facts)
{
	const struct fact_keys all[FACTS] = {
		{ "generated", &host->generated },
		{ "scripts", &host->scripts },
		{ "guard", &host->guard },
		{ "one_boot", &host->one_boot },
		{ "called", &host->called },
		{ "gate", &host->gate },
		{ "no_pooler", &host->no_pooler },
		{ "could_fence", &host->could_fence },
		{ "could_return", &host->could_return },
	};

	memcpy(facts, all, sizeof(all));
}

void setup_host_print(const struct setup_host *host, FILE *out)
{
	struct setup_host copy = *host;
	struct texts texts[TEXTS];
	struct fact_keys facts[FACTS];

	texts_of(&copy, texts);
	facts_of(&copy, facts);
	for (size_t i = 0; i < TEXTS; i++) {
		text_make_harmless(texts[i].value);
		(void)fprintf(out, PREFIX "%s=%s\n", texts[i].key, texts[i].value);
	}
	for (size_t i = 0; i < FACTS; i++)
		(void)fprintf(out, PREFIX "%s=%s\n", facts[i].key, fact_word(*facts[i].value));
	(void)fprintf(out, PREFIX "free_bytes=%" PRId64 "\n", copy.free_bytes);
}

/* The lines that are ours, without what stands before each; to be freed. */
static char *lines_of(const char *text)
{
	char *lines = malloc(strlen(text) + 1);
	char *to = lines;

	while (lines != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");

		if (text[length] == '\n' && strncmp(text, PREFIX, strlen(PREFIX)) == 0) {
			memcpy(to, text + strlen(PREFIX), length + 1 - strlen(PREFIX));
			to += length + 1 - strlen(PREFIX);
		}
		text += length + (text[length] == '\n');
	}
	if (to != NULL)
		*to = '\0';
	return lines;
}

static int parse(struct setup_host *host, const char *lines)
{
	struct texts texts[TEXTS];
	struct fact_keys facts[FACTS];
	int rc = state_get_i64(lines, "free_bytes", &host->free_bytes);

	texts_of(host, texts);
	facts_of(host, facts);
	for (size_t i = 0; i < TEXTS && rc == 0; i++) {
		rc = state_get(lines, texts[i].key, texts[i].value, texts[i].size);
		text_make_harmless(texts[i].value);
	}
	for (size_t i = 0; i < FACTS && rc == 0; i++) {
		char word[16];

		rc = state_get(lines, facts[i].key, word, sizeof(word));
		if (rc == 0 && !fact_parse(word, facts[i].value))
			rc = -EINVAL;
	}
	return rc == 0 ? 0 : -EINVAL;
}

int setup_host_parse(struct setup_host *host, const char *text)
{
	char AUTO_FREE *lines = lines_of(text);
	int rc = lines != NULL ? 0 : -ENOMEM;

	*host = (struct setup_host){ .known = false };
	if (rc == 0)
		rc = parse(host, lines);
	if (rc < 0)
		*host = (struct setup_host){ .known = false };
	host->known = rc == 0;
	return rc;
}

/* By one way. */
static int ask(struct setup_host *host, const struct cfg *cfg, bool through_witness,
	       const struct deadline *dl)
{
	struct proc AUTO_PROC child = PROC_NONE;
	char said[16];
	int rc = fence_peer_ask(&child, cfg, through_witness, FENCE_ASK_SETUP, 0);

	if (rc == 0)
		rc = proc_wait(&child, dl);
	if (rc < 0) {
		(void)snprintf(host->why, sizeof(host->why), "ssh: %.100s",
			       rc == -ETIMEDOUT ? "no answer in time" : strerror(-rc));
		return rc;
	}
	rc = fence_answer_parse(child.output, cfg->name, cfg_peer(cfg)->name, said, sizeof(said));
	if (rc == 0)
		rc = setup_host_parse(host, child.output);
	if (rc < 0) {
		child.errors[strcspn(child.errors, "\n")] = '\0';
		(void)snprintf(host->why, sizeof(host->why),
			       "ssh: it did not tell, perhaps it has another version%s%.120s",
			       child.errors[0] != '\0' ? ": " : "", child.errors);
		text_make_harmless(host->why);
	}
	return rc;
}

void setup_host_ask(struct setup_host *host, const struct cfg *cfg, const struct deadline *dl)
{
	static const enum fencing_method methods[] = { FENCING_SSH, FENCING_SSH_WITNESS };

	*host = (struct setup_host){ .known = false };
	(void)snprintf(host->why, sizeof(host->why),
		       "no way over ssh is configured (methods in [fencing])");
	for (size_t i = 0; i < ARRAY_COUNT(methods) && !host->known; i++) {
		if (!cfg_has_method(cfg, methods[i]))
			continue;
		if (ask(host, cfg, methods[i] == FENCING_SSH_WITNESS, dl) == 0)
			return;
	}
}
