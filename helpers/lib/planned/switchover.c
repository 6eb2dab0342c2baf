/* SPDX-License-Identifier: PostgreSQL */
#include "planned/switchover.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/report.h"
#include "check/successor.h"
#include "node/history.h"
#include "node/mark.h"

/* One question to both servers. */
#define QUESTION_MS 1000
/* Bytes that the standby may lack, and bytes that it may have to replay, when the stop begins: a
 * stop sends the former within a moment, and a promotion replays the latter. */
#define LACKS_MAX_BYTES   (UINT64_C(1) << 20)
#define REPLAYS_MAX_BYTES (UINT64_C(4) << 20)
#define LOOK_AGAIN_MS     200
/* A standby that does not stream with its slot by then will not soon: the guard runs
 * replication_slots some seconds after the pairing. */
#define SETTLE_MS 15000
/* From when the standby has connected anew until it is paired again. */
#define PAIR_MS 5000
/* From the end of the server until the standby has said that it has all. */
#define PROVE_MS      1000
#define PROVE_EACH_MS 20
/* Between two looks at who serves, after the hand-over. */
#define FOLLOW_EACH_MS 50
/* Beyond restart_wait, after which this node may start again as what it was. */
#define TAKEOVER_MORE_MS 5000
/* The old primary starts as a standby: some seconds on a large buffer pool. */
#define RETURN_MS 60000
/* A server that does not start is tried again so long before the standby gets its chance, which may
 * lack what was committed last. */
#define TAKE_BACK_MS 30000

/* A lease that leaves time for the stop. */
#define LEAVE_MS 2000

/* ---- gathering ---- */

static uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

static enum fact is_close(const struct switchover *s)
{
	if (s->planned.local.state != SERVER_PRIMARY || s->peer.state != SERVER_STANDBY)
		return FACT_UNKNOWN;
	return fact_of(s->peer.receiving &&
		       less(s->planned.local.write_lsn, s->peer.received_lsn) <= LACKS_MAX_BYTES &&
		       less(s->peer.received_lsn, s->peer.replayed_lsn) <= REPLAYS_MAX_BYTES);
}

/* A slot is a convenience: who waits for it in vain goes on without, and a host that is shut down
 * has no time for it. */
static enum fact is_stable(const struct switchover *s)
{
	const struct cfg *cfg = s->planned.cfg;
	const struct deadline soon = deadline_in_ms(QUESTION_MS);
	struct server_slots slots;

	if (!cfg->slots || s->leaves || s->peer.state != SERVER_STANDBY ||
	    now_ms() - s->planned.begun_ms >= SETTLE_MS)
		return FACT_YES;
	server_slots_ask(&slots, cfg, PG_LOCAL, &soon);
	return switchover_slot_settled(&slots, cfg_peer(cfg)->name);
}

void switchover_gather(struct switchover *s)
{
	struct deadline soon = deadline_in_ms(QUESTION_MS);
	struct verdict successor;

	server_ask_both(&s->planned.local, &soon, &s->peer, &soon, s->planned.cfg);
	s->facts.local = s->planned.local.state;
	s->facts.peer = s->peer.state;
	s->facts.fenced = fenced_read(s->planned.cfg).present;
	s->facts.serves = planned_serves(s->planned.cfg);
	s->facts.guard = planned_guarded(s->planned.cfg);
	s->facts.close = is_close(s);
	/* In this order: one that has its slot in use by now can take over by now. */
	s->facts.stable = is_stable(s);
	successor = successor_look(s->planned.cfg);
	s->facts.successor = successor.outcome;
	if (s->facts.stable != FACT_YES)
		s->unsettled_ms = now_ms();
	else if (successor.outcome != OUT_YES && s->unsettled_ms > 0 &&
		 now_ms() - s->unsettled_ms < PAIR_MS)
		s->facts.stable = FACT_NO;
	(void)snprintf(s->successor, sizeof(s->successor), "%s%s%s", successor.message,
		       successor.hint != NULL ? "; " : "",
		       successor.hint != NULL ? successor.hint : "");
}

/* "the standby lacks 12 MB, and has 3 MB to replay", or what else is waited for. */
static void wait_words(const struct switchover *s, char *text, size_t size)
{
	char lacks[32], replays[32];

	if (s->facts.stable != FACT_YES) {
		(void)snprintf(text, size, "the standby is about to use its replication slot");
		return;
	}
	if (!s->peer.receiving) {
		(void)snprintf(text, size, "the standby does not stream from this node");
		return;
	}
	report_bytes(less(s->planned.local.write_lsn, s->peer.received_lsn), lacks, sizeof(lacks));
	report_bytes(less(s->peer.received_lsn, s->peer.replayed_lsn), replays, sizeof(replays));
	(void)snprintf(text, size, "the standby lacks %s, and has %s to replay", lacks, replays);
}

enum switchover_step switchover_wait(struct switchover *s, const struct deadline *dl,
				     struct verdict *verdict)
{
	for (;;) {
		enum switchover_step step;
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);

		switchover_gather(s);
		step = switchover_decide(&s->facts, verdict);
		if (verdict->id == RULE_NO_SUCCESSOR)
			(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s",
				       s->successor);
		else if (step == SWITCHOVER_WAIT)
			wait_words(s, verdict->detail, sizeof(verdict->detail));
		if (step != SWITCHOVER_WAIT)
			return step;
		if (deadline_passed(dl))
			return SWITCHOVER_VERDICT;
		planned_tell(&s->planned, false, verdict->detail);
		deadline_sleep(&pause);
	}
}

enum fact switchover_prove(struct switchover *s)
{
	struct deadline dl = deadline_in_ms(PROVE_MS);
	enum fact has_all = FACT_UNKNOWN;

	while (s->planned.final_lsn != 0 && has_all != FACT_YES && !deadline_passed(&dl)) {
		struct deadline pause = deadline_sooner(&dl, PROVE_EACH_MS);

		server_ask(&s->peer, s->planned.cfg, PG_PEER, &dl);
		has_all = switchover_has_all(&s->peer, s->planned.final_lsn);
		if (has_all != FACT_YES)
			deadline_sleep(&pause);
	}
	return has_all;
}

/* ---- behind it ---- */

static void event(const struct switchover *s, const char *what, struct verdict *verdict, int64_t ms)
{
	char lsn[32];

	lsn_format(s->planned.final_lsn, lsn, sizeof(lsn));
	(void)snprintf(verdict->detail, sizeof(verdict->detail),
		       "%.40s to %.40s, WAL ended at %s, %" PRId64 " ms",
		       cfg_self(s->planned.cfg)->name, cfg_peer(s->planned.cfg)->name, lsn, ms);
	log_failed("write the history", history_add(s->planned.cfg, what, verdict->detail));
}

/* Whoever becomes a primary first: the other node, or after restart_wait this one again. */
static enum fact taken_over(struct switchover *s)
{
	struct deadline dl = deadline_in_ms(s->planned.cfg->restart_wait_ms + TAKEOVER_MORE_MS);

	while (!deadline_passed(&dl)) {
		struct deadline pause = deadline_sooner(&dl, FOLLOW_EACH_MS);

		s->peer = planned_ask(s->planned.cfg, PG_PEER);
		if (s->peer.state == SERVER_PRIMARY)
			return FACT_YES;
		s->planned.local = planned_ask(s->planned.cfg, PG_LOCAL);
		if (s->planned.local.state == SERVER_PRIMARY)
			return FACT_NO;
		planned_tell(&s->planned, false, "the standby is taking over");
		deadline_sleep(&pause);
	}
	return FACT_UNKNOWN;
}

static bool follows(struct switchover *s)
{
	struct deadline dl = deadline_in_ms(RETURN_MS);

	while (!deadline_passed(&dl)) {
		struct deadline pause = deadline_sooner(&dl, LOOK_AGAIN_MS);

		s->planned.local = planned_ask(s->planned.cfg, PG_LOCAL);
		if (s->planned.local.state == SERVER_STANDBY && s->planned.local.receiving)
			return true;
		planned_tell(&s->planned, false, "this node is coming back as a standby");
		deadline_sleep(&pause);
	}
	return false;
}

struct verdict switchover_hand_over(struct switchover *s)
{
	struct verdict verdict = YES(
	    "switched-over", "the other node is the primary now, and this one follows it", NULL);
	enum fact taken;
	int64_t took_ms;

	/* ---- point of no return: from here on the standby may take over ---- */
	planned_let_go(&s->planned);
	taken = taken_over(s);
	took_ms = now_ms() - s->planned.begun_ms;
	if (taken == FACT_NO) {
		verdict = (struct verdict)REFUSED(
		    "not-taken", "the standby did not take over, and this node serves again",
		    "the log of promote_safe on the other node says why");
		event(s, "switchover-refused", &verdict, took_ms);
		return verdict;
	}
	if (taken == FACT_UNKNOWN) {
		verdict = (struct verdict)INCOMPLETE(
		    "takeover-unseen",
		    "this node's server was stopped, and nobody was seen to take over",
		    "\"cluster_status\" on both nodes; the guards go on by themselves");
		event(s, "switchover-unseen", &verdict, took_ms);
		return verdict;
	}
	planned_tell(&s->planned, true, "the other node is the primary");
	if (s->leaves)
		verdict.message = "the other node is the primary now";
	else if (!follows(s))
		verdict = (struct verdict)INCOMPLETE(
		    "return-unseen",
		    "the other node is the primary now, but this one does not stream from it yet",
		    "the guard brings it back; \"rejoin\" says what is in its way");
	event(s, "switchover", &verdict, took_ms);
	return verdict;
}

struct verdict switchover_take_back(struct switchover *s)
{
	struct verdict verdict =
	    REFUSED("taken-back", "the standby did not show that it has all: this node serves on",
		    "nothing is lost; its log and this one's say what the stop was waiting for");

	planned_tell(&s->planned, true, "it is not seen that the standby has all");
	if (!planned_start_primary(&s->planned, TAKE_BACK_MS))
		verdict = (struct verdict)INCOMPLETE(
		    "not-back", "this node's server was stopped, and does not serve again yet",
		    "\"rejoin\" says what is in its way; the guard goes on by itself");
	planned_let_go(&s->planned);
	event(s, "switchover-taken-back", &verdict, now_ms() - s->planned.begun_ms);
	return verdict;
}

struct verdict switchover_leave(struct switchover *s)
{
	struct verdict verdict = YES(
	    "left", "nobody was fit to take over; the server was stopped, and the right given back",
	    NULL);
	struct deadline dl = deadline_in_ms(LEAVE_MS);
	int rc = planned_stop_primary(&s->planned, &dl);

	if (rc < 0)
		return planned_not_stopped(&s->planned, rc);
	planned_let_go(&s->planned);
	if (!planned_release(&s->planned))
		verdict.message =
		    "nobody was fit to take over; the server was stopped, and its right ends "
		    "with its lease";
	event(s, "left", &verdict, now_ms() - s->planned.begun_ms);
	return verdict;
}
