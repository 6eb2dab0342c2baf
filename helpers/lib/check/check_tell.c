/* SPDX-License-Identifier: PostgreSQL */
#include "check/check_tell.h"

#include <string.h>

#include "base/log.h"
#include "node/attempt.h"
#include "node/news.h"

void check_tell_refusal(const struct cfg *cfg, const struct server *peer)
{
	struct verdict verdict = YES("peer-answers", "the other node's server answers", NULL);
	char words[320];

	if (peer->state == SERVER_REFUSES)
		verdict = (struct verdict)NO("peer-refuses-us",
					     "the other node's server refuses us", NULL);
	else if (peer->state != SERVER_PRIMARY && peer->state != SERVER_STANDBY)
		return;
	server_refusal(peer->failure, peer->why, cfg, words, sizeof(words));
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", words);
	if (!news_wants(cfg, ATTEMPT_ASK_PEER, &verdict))
		return;
	if (verdict.outcome == OUT_NO)
		log_warning("%s: %s", verdict.message, words);
	attempt_note(cfg, ATTEMPT_ASK_PEER, &verdict);
}

void check_say_unpaired(char *words, size_t size, const struct cfg *cfg,
			const struct check_facts *f, const struct server *peer)
{
	const char *name = cfg_peer(cfg)->name;

	if (f->peer_votes == FACT_YES)
		(void)snprintf(words, size,
			       "%s votes, and no guard here has made a lease of that yet: its log "
			       "says why",
			       name);
	else if (peer->state == SERVER_STANDBY)
		(void)snprintf(words, size, "%s is a standby that does not follow this server",
			       name);
	else
		(void)snprintf(
		    words, size,
		    "%s gives no vote: its server is %s (%.120s); the log of that server "
		    "says why it does not follow, for example that max_connections is "
		    "lower there than here",
		    name, server_state_word(peer->state), peer->why);
}

void check_tell_record(const struct cfg *cfg, const struct duty_report *duty)
{
	struct verdict verdict = { .outcome = OUT_YES, .rule = "record-good" };

	if (duty->trust != RECORD_GOOD) {
		verdict.outcome = OUT_NO;
		verdict.rule = record_trust_word(duty->trust);
	}
	if (!duty->looked || !news_wants(cfg, ATTEMPT_ASK_RECORD, &verdict))
		return;
	if (verdict.outcome == OUT_NO)
		log_warning("%s: %s", record_trust_message(duty->trust), duty->words);
	else
		log_info("the record can be read: %s", duty->words);
	attempt_note(cfg, ATTEMPT_ASK_RECORD, &verdict);
}
