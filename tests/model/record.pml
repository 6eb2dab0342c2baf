/* SPDX-License-Identifier: PostgreSQL */
/*
 * Who may run a primary, with a witness that keeps the record: docs/safety.md in discrete time.
 * README.md says what stands for what, and which function implements each rule.
 *
 * Two nodes; node 0 begins as the primary, paired; with FOUND as one that was there before its guard,
 * without a record.  The witness executes one write after the other.
 * A request reaches it at any later time or never, though its sender has given up or lost power; so
 * does an answer.  Nodes crash, reboot, stay away; helpers pause between any two steps, or are
 * killed; only the guard is on time.  There is no bound on how often the nodes change roles.
 */
#include "record_parts.pml"

/* ---- time ---- */

inline older(n)
{
	lease[n] = (lease[n] > 0 && !extended(n) -> lease[n] - 1 : lease[n]);
	asked[n] = one_less(asked[n]);
	answer[n] = one_less(answer[n]);
	ago[n] = (notes(n) && ago[n] < WAIT -> ago[n] + 1 : ago[n]);
	worth[n] = one_less(worth[n]);
	if /* an answer that is worth nothing any more is as good as lost */
	:: (start[n] == RESUMED || start[n] == RESUMED_SOLO) && worth[n] == 0 -> forget_start(n)
	:: else
	fi;
	waited[n] = (work[n] && waited[n] < WAIT -> waited[n] + 1 : waited[n]);
	still[n] = (seen[n] && still[n] < WAIT -> still[n] + 1 : still[n])
}

active proctype time()
{
	do
	:: d_step { guard_on_time(0) && guard_on_time(1) && starts_promptly(0) && starts_promptly(1) ->
		older(0); older(1); printf("-- a tick\n") }
	od
}

/* ---- a node ---- */

proctype node(byte n)
{
	byte p = other(n); /* its peer */

	do
	/* ---- the lease: check_primary and the guard ---- */
	:: d_step { primary(n) && votes(p) && votes_count(n) && asked[n] < vote_worth ->
		asked[n] = vote_worth; ago[p] = ago_when_asked(p); say(n, "asks for a vote") }
	:: d_step { primary(n) && votes(p) && votes_count(n) && asked[n] > answer[n] ->
		answer[n] = asked[n]; asked[n] = 0; say(p, "votes") }
	:: d_step { primary(n) && holds(n) ->
		written(); answer[n] = renewal_worth; say(n, "renews the record") }
	:: d_step { answer[n] && !mark[n] ->
		prolong(n, at_most_ttl(answer[n])); answer[n] = 0; say(n, "takes the answer") }
	:: d_step { answer[n] -> answer[n] = 0; say(n, "gets no answer") }
	:: d_step { to_be_fenced(n) ->
		end_server(n); lease[n] = 0; mark[n] = (mark[n] -> mark[n] : BY_GUARD);
		say(n, "fences itself") }

	/* ---- paired and solo: check_primary, under record.lock ---- */
	:: d_step { primary(n) && holds(n) && duty_free(n) && (paired || !stamp[n]) ->
		duty[n] = ASKS_SOLO; wire[n] = wire[n] | GO_SOLO; say(n, "asks to go solo") }
	:: d_step { lands(n, GO_SOLO) -> wire[n] = wire[n] - GO_SOLO; say(n, "is solo in the record");
		duty[n] = (duty[n] == ASKS_SOLO -> HAS_SOLO : duty[n]);
		paired = 0; changed(n); written() }
	:: d_step { may_stamp(n) ->
		duty[n] = NONE; stamp[n] = 1; extend(n); say(n, "notes that it is solo") }
#ifdef NO_RECORD_LOCK
	:: d_step { duty[n] == HAS_SOLO && !stamp[n] ->
		stamp[n] = 1; extend(n); say(n, "notes in another run that it is solo") }
#endif
#ifdef STAMP_READ_FIRST
	:: d_step { extended(n) -> saw_stamp[n] = 1; say(n, "reads its stamp") }
	:: d_step { saw_stamp[n] && primary(n) && !mark[n] ->
		saw_stamp[n] = 0; lease[n] = TTL; say(n, "takes the time, and writes its lease") }
#endif
	:: d_step { duty[n] -> duty[n] = NONE; say(n, "has its check_primary killed") }
	:: d_step { primary(n) && may_turn_off(n) && sync[n] ->
		sync[n] = OFF; owe_alter_system(n); say(n, "turns sync off") }
#ifdef LATE_ALTER_SYSTEM
	:: d_step { owed[n] && primary(n) ->
		owed[n] = 0; sync[n] = OFF; say(n, "turns sync off for one who was killed") }
#endif
	:: d_step { primary(n) && may_turn_on(n) && !sync[n] && streams(p) ->
		sync[n] = SET; say(n, "sets sync") }
	:: d_step { primary(n) && sync[n] == SET -> sync[n] = ON; say(n, "has sync on") }
#ifdef POSITION_TOO_EARLY
	:: d_step { primary(n) && stamp[n] && duty_free(n) && !sync[n] && streams(p) && !lacks[p] ->
		was_reached[n] = 1; say(n, "sees that the standby has what there is") }
#endif
	:: d_step { primary(n) && stamp[n] && duty_free(n) && holds(n) && !paired &&
		streams(p) && settled(n) && reached(n) -> extend(n); stamp[n] = stamp_when_pairing;
		wire[n] = wire[n] | PAIR; say(n, "takes its stamp away and asks to pair") }
	:: d_step { lands(n, PAIR) -> wire[n] = wire[n] - PAIR;
		say(n, "is paired in the record"); paired = 1; changed(n); written() }
#ifdef POSITION_OUTLIVES_SYNC
	:: d_step { primary(n) && stamp[n] && duty_free(n) && settled(n) && streams(p) && !lacks[p] ->
		was_reached[n] = 1; say(n, "sees that the standby has what there is") }
#endif
#ifdef STAMP_AWAY_LAST
	:: d_step { stamp[n] && paired && holder == n -> stamp[n] = 0; say(n, "takes its stamp away") }
#endif

#ifdef LOSSES
	/* ---- the record is gone, or an older one is there ---- */
	:: d_step { primary(n) && !good(n) && (lease[n] || stamp[n]) && !sent(n, CREATE) ->
		wire[n] = wire[n] | CREATE; say(n, "asks to create a record") }
	:: d_step { !up[n] && primary_form[n] && !start[n] && !present && may_create(p) &&
		mark_permits(n, false) ->
		vote_starts(n); say(n, "asks to create a record, since the standby votes") }
	:: d_step { sent(n, CREATE) -> wire[n] = wire[n] - CREATE; say(n, "has created a record");
		worth[n] = (start[n] == RESUMES -> TTL : worth[n]);
		start[n] = (start[n] == RESUMES -> RESUMED : start[n]);
		take_over(n); written() }
#endif

#ifdef PAUSES
	/* ---- pause and resume, on either node; the end of its time is no write ---- */
	:: d_step { !pause -> pause = 1; written(); say(n, "pauses takeovers") }
	:: d_step { pause -> pause = 0; written(); say(n, "ends the pause") }
	:: d_step { pause -> pause = 0; say(n, "sees the pause end by itself") }
#endif

	/* ---- commits ---- */
	:: d_step { primary(n) && serves(n) && alone(n) && !lacks[p] ->
		lacks[p] = 1; say(n, "acknowledges a commit alone") }
	:: d_step { lacks[n] && streams(n) -> lacks[n] = 0; say(n, "catches up") }

	/* ---- what happens to a node ---- */
	:: d_step { up[n] -> end_server(n); say(n, "crashes") }
	:: d_step { power_off(n); say(n, "loses power") }

#ifdef BEHIND_OUR_BACK
	:: d_step { !up[n] && primary_form[n] -> begun_behind[n] = 1;
		say(n, "is started by somebody else"); begin_primary(n) }
#endif

#ifdef ROLE_BY_FILE
	:: d_step { primary(n) && !misread[n] -> misread[n] = 1; lease[n] = 0;
		say(n, "is taken for a standby") }
#endif

	/* ---- its server is down, so the guard releases, under start.lock ---- */
	:: d_step { !up[n] && primary_form[n] && release_lock_free(n) && holds(n) && !sent(n, RELEASE) ->
		give_rights_back(n); wire[n] = wire[n] | RELEASE; say(n, "asks to release") }
	:: d_step { lands(n, RELEASE) -> wire[n] = wire[n] - RELEASE; say(n, "is released");
		released = 1; changed(n); written() }

	/* ---- fence_self, for the peer, for a person, for a request that comes late ---- */
	:: d_step { may_harm(n) && !harm[n] ->
		harm[n] = MARKED; mark[n] = BY_OTHER; say(n, "is to be fenced");
		fence[p] = (work[p] && may_fence(p) -> BEGUN : fence[p]) }
	:: d_step { harm[n] == MARKED -> harm[n] = STOPPED; end_server(n); say(n, "is stopped") }
	:: d_step { harm[n] == STOPPED && fence_lock_free(n) -> harm[n] = NONE;
		mark[n] = last_mark(n); lease[n] = 0; end_server(n);
		fence[p] = (fence[p] == BEGUN -> PROVEN : fence[p]); say(n, "is fenced") }
	:: d_step { mark[n] && may_lift(n) -> mark[n] = NONE;
		say(n, "has its fence lifted by a person") }

	/* ---- rejoin: a primary again ---- */
	:: d_step { !up[n] && primary_form[n] && !start[n] && good(n) && holder == n &&
		mark_permits(n, !paired) ->
		start[n] = RESUMES; wire[n] = wire[n] | RESUME; say(n, "asks to resume") }
	:: d_step { lands(n, RESUME) -> wire[n] = wire[n] - RESUME;
		worth[n] = (start[n] == RESUMES -> resumption_worth : worth[n]);
		start[n] = (start[n] == RESUMES -> (paired -> RESUMED : RESUMED_SOLO) : start[n]);
		released = 0; changed(n); written(); say(n, "has resumed in the record") }
	:: d_step { start[n] == RESUMED && still_permits(n, false) ->
		start[n] = LOOKED; say(n, "may still start, paired") }
	:: d_step { start[n] == RESUMED_SOLO && still_permits(n, true) ->
		start[n] = LOOKED; say(n, "may still start, solo") }
	:: d_step { start[n] == LOOKED -> start[n] = GRANTED;
		mark[n] = NONE; prolong(n, at_most_ttl(worth[n])); worth[n] = 0; say(n, "writes its grant") }
	:: d_step { start[n] == GRANTED && !up[n] ->
		start[n] = STARTED; say(n, "starts its primary"); begin_primary(n) }
	:: d_step { start[n] == STARTED && mark[n] ->
		forget_start(n); end_server(n); say(n, "was marked meanwhile") }
	:: d_step { start[n] && !(start[n] == STARTED && mark[n]) ->
		forget_start(n); say(n, "ends its rejoin") }
#ifdef START_UNWRITTEN
	:: d_step { !up[n] && primary_form[n] && !start[n] && holder == n && mark_permits(n, !paired) ->
		start[n] = LOOKED; worth[n] = TTL; say(n, "may start, since it holds the term") }
#endif
#ifdef START_BY_LEASE
	:: d_step { !up[n] && primary_form[n] && !start[n] && lease[n] && !mark[n] ->
		start[n] = LOOKED; say(n, "may start, since its lease runs") }
#endif
#ifdef START_BY_VOTE
	:: d_step { !up[n] && primary_form[n] && !start[n] && votes(p) && !mark[n] ->
		start[n] = RESUMED; worth[n] = TTL; say(n, "may start, since the standby votes") }
#endif
#ifdef WITNESS_SILENT
	:: d_step { !up[n] && primary_form[n] && !start[n] && !mark[n] ->
		start[n] = LOOKED; worth[n] = TTL; say(n, "may start, since nobody answers") }
#endif
	:: d_step { !up[n] && primary_form[n] && !start[n] && mark[n] -> switch_off(p); mark[n] = NONE;
		say(n, "is given free by a person who switched the other one off") }

	/* ---- rejoin: a standby ---- */
	:: d_step { !up[n] && primary_form[n] && !start[n] && primary(p) && ahead[p] ->
		primary_form[n] = 0; ahead[p] = 0; sync[n] = sync_alone; answer[n] = 0; asked[n] = 0;
		say(n, "becomes a standby") }
	:: d_step { !up[n] && !primary_form[n] -> up[n] = 1; say(n, "starts its standby") }
	:: d_step { streams(n) && (mark[n] || ahead[p]) ->
		mark[n] = NONE; ahead[p] = 0; say(n, "streams") }

	/* ---- promote_safe ---- */
	:: d_step { standby(n) && !seen[n] && good(n) ->
		seen[n] = 1; learn(n); say(n, "sees the record") }
	:: d_step { standby(n) && !mark[n] && !work[n] && seen[n] && may_take(n) ->
		work[n] = WITHDREW; withdrawn[n] = 1; waited[n] = waited_before(n); ago[n] = 0;
		say(n, "has withdrawn its vote") }
#ifdef ASKED_AGO_READ_FIRST
	:: d_step { standby(n) && !work[n] && ago[n] > saw_ago[n] ->
		saw_ago[n] = ago[n]; say(n, "looks when it was last asked for a vote") }
#endif
#ifdef NEVER_ASKED_IS_LONG_AGO
	:: d_step { standby(n) && !work[n] -> ago[n] = WAIT; say(n, "forgets when it was asked") }
#endif
#ifdef RELOAD_BELIEVED
	:: d_step { standby(n) && !mark[n] && !work[n] && seen[n] && may_take(n) -> work[n] = WITHDREW;
		say(n, "has asked for a reload, and takes its vote for withdrawn") }
#endif
	:: d_step { work[n] == WITHDREW && !mark[n] && seen[n] && may_take(n) &&
		(released || own_at_once(n) || fence[n] == PROVEN ||
			(vote_over(n) && renewal_over(n))) ->
		work[n] = TAKES; wire[n] = wire[n] | TAKE; say(n, "asks for the term") }
	:: d_step { work[n] == WITHDREW && !mark[n] && (seen[n] || !good(n)) -> switch_off(p);
		work[n] = TAKES; wire[n] = wire[n] | BY_WORD;
		say(n, "asks for the term, since a person switched the other one off") }
	:: d_step { (sent(n, TAKE) && may_take(n)) || sent(n, BY_WORD) -> say(n, "holds the term");
		work[n] = (work[n] == TAKES -> TAKEN : work[n]);
		lacks[n] = (sent(n, BY_WORD) && !(good(n) && paired) -> 0 : lacks[n]); /* accepted */
		wire[n] = wire[n] & ~(TAKE | BY_WORD);
		take_over(n); written() }
	:: d_step { work[n] == TAKEN -> work[n] = STAMPED; stamp[n] = 1; say(n, "notes that it is solo") }
#ifdef LATE_PROMOTION
	:: d_step { work[n] == STAMPED -> promoting[n] = 1; say(n, "asks for its promotion") }
#endif
	:: d_step { asked_to_promote(n) -> say(n, "is promoted");
		primary_form[n] = 1; ahead[n] = 1; ahead[p] = 0; withdrawn[n] = 0; forget_run(n);
		lease[n] = TTL; sync[n] = sync_alone; begin_primary(n) }
	:: d_step { standby(n) && (work[n] || withdrawn[n]) && may_give_back(n) ->
		forget_run(n); withdrawn[n] = 0; say(n, "gives its vote back") }
	:: d_step { work[n] -> forget_run(n); say(n, "has its promote_safe killed") }
	od
}

init
{
	atomic {
		primary_form[0] = 1; up[0] = 1;
		up[1] = 1;
#ifdef FOUND
		found = 1; present = 0; paired = 0; sync[0] = sync_alone;
#else
		lease[0] = TTL; sync[0] = ON;
#endif
		run node(0);
		run node(1)
	}
}
