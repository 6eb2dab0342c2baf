/* SPDX-License-Identifier: PostgreSQL */
#include "serve/check_tell.h"

#include <string.h>

#include "base/log.h"
#include "node/files.h"

void check_tell_refusal(const struct cfg *cfg, const struct server *peer)
{
	struct verdict verdict = { .outcome = OUT_YES,
				   .rule = "peer-answers",
				   .message = "the other node's server answers" };

	if (peer->failure == PG_FAIL_AUTH)
		verdict = (struct verdict){ .outcome = OUT_NO,
					    .rule = "peer-refuses-us",
					    .message = "the other node's server refuses us" };
	else if (peer->state != SERVER_PRIMARY && peer->state != SERVER_STANDBY)
		return;
	if (attempt_is_same(cfg, "ask_peer", &verdict))
		return;
	if (verdict.outcome == OUT_NO)
		log_warning("%s: %s; compare role, passfile and pg_hba.conf of both nodes with "
			    "\"cluster_config\"",
			    verdict.message, peer->why);
	log_failed("write the attempt file", attempt_write(cfg, "ask_peer", &verdict));
}

void check_tell_record(const struct cfg *cfg, const struct duty_report *duty)
{
	struct verdict verdict = { .outcome = OUT_YES, .rule = "record-good" };

	if (duty->trust != RECORD_GOOD) {
		verdict.outcome = OUT_NO;
		verdict.rule = record_trust_word(duty->trust);
	}
	if (!duty->looked || attempt_is_same(cfg, "ask_record", &verdict))
		return;
	if (verdict.outcome == OUT_NO)
		log_warning("%s: %s", record_trust_message(duty->trust), duty->words);
	else
		log_info("the record can be read: %s", duty->words);
	log_failed("write the attempt file", attempt_write(cfg, "ask_record", &verdict));
}
