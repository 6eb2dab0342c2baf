/* SPDX-License-Identifier: PostgreSQL */
/*
 * Who may run a primary, with a witness that only answers questions: docs/safety.md in discrete
 * time.  README.md says what stands for what, and which function implements each rule.
 *
 * Two nodes; node 0 begins as the primary, under a lease; with FOUND as one that was there before its
 * guard and has never had any.  A message is lost, or arrives at any later time: that
 * covers every combination of cut links, each direction for itself.  Nodes crash, reboot, stay
 * away.  Helpers pause between any two steps, or are killed; only the guard is on time.
 */
#ifndef TTL
#define TTL 2 /* ticks of a lease */
#endif
#ifndef MARGIN
#define MARGIN 1
#endif
#define WAIT (TTL + MARGIN)
#ifndef MAXTERM
#define MAXTERM 3 /* two takeovers */
#endif

#define NONE 0
/* the fenced mark, by who wrote it */
#define BY_GUARD 1
#define BY_OTHER 2 /* the other node */
#define BY_PERSON 3
/* a question under way: check_primary's for a vote, the guard's to the witness */
#define ASKED    1
#define ANSWERED 2
/* rejoin: asks for a vote, has a right, has looked once more under start.lock, ... */
#define ASKS_VOTE    1
#define HAS_VOTE     2
#define HAS_LEASE    3
#define LOOKED_VOTE  4
#define LOOKED_LEASE 5
#define GRANTED      6
#define STARTED      7
/* fence_self, at the node that it fences */
#define MARKED  1
#define STOPPED 2
/* promote_safe: what the witness host saw of the old primary; every rule holds */
#define REACHED  1
#define SILENT   2
#define ISOLATED 3
#define DECIDED  4
/* its fence of the old primary: asked for, begun there, its answer under way, taken */
#define WANTED 1
#define BEGUN  2
#define SAID   3
#define PROVEN 4

/* on disk */
bit primary_form[2]; /* the directory would start as a primary */
byte timeline[2];
byte mark[2];
bit withdrawn[2]; /* the standby votes for nobody; it may well stream on */
bit lacks[2];     /* some acknowledged commit is not here */
bit found;        /* node 0 runs the server that was there before its guard, and is not marked "leased" */

/* of this boot; ages and waits in ticks */
bit up[2]; /* a server runs */
byte lease[2];
byte vote[2];
byte vote_age[2]; /* since the question was sent */
byte ping[2];
byte ping_age[2];
byte start[2];
byte start_age[2]; /* since rejoin asked for a vote */
byte harm[2];
byte work[2];
byte window[2];  /* since the witness host began to look */
bit verified[2]; /* the vote was seen to be withdrawn, in this run */
byte waited[2];  /* since then, up to WAIT */
byte fence[2];
bit knows; /* node 1 has seen, as a standby, that node 0 is marked "leased" */

#define other(n)   (1 - (n))
#define primary(n) (up[n] && primary_form[n])
#define standby(n) (up[n] && !primary_form[n])
#define asks(n)    (start[n] == ASKS_VOTE || start[n] == HAS_VOTE || start[n] == LOOKED_VOTE)

#include "switches.pml"
#include "say.pml"

/* ---- the two promises ---- */

inline promises(n)
{
	assert(!(counts(0) && counts(1)));
	assert(!lacks[n])
}

/* ---- parts of steps ---- */

inline prolong(n, ticks)
{
	lease[n] = (ticks > lease[n] -> ticks : lease[n])
}

inline forget_vote(n)
{
	vote[n] = NONE;
	vote_age[n] = 0
}

inline forget_ping(n)
{
	ping[n] = NONE;
	ping_age[n] = 0
}

inline forget_start(n)
{
	start[n] = NONE;
	start_age[n] = 0
}

inline forget_run(n)
{
	work[n] = NONE;
	window[n] = 0;
	verified[n] = 0;
	waited[n] = 0;
	fence[n] = NONE
}

inline end_server(n)
{
#ifdef FAST_STOP
	if /* commits that wait for the standby are let go */
	:: primary(n) -> lacks[other(n)] = 1
	:: else
	fi;
#endif
#ifdef GRACE
	grace[n] = 0;
#endif
#ifdef ROLE_BY_FILE
	misread[n] = 0;
#endif
	found = found_after_end(n);
	end_first(n);
	up[n] = 0;
	if /* promote_safe asks its own server in each round */
	:: !primary_form[n] -> forget_run(n)
	:: else
	fi
}

inline power_off(n)
{
	end_server(n);
	forget_vote(n);
	forget_ping(n);
	forget_start(n);
	forget_run(n);
	harm[n] = NONE;
#ifdef SECOND_GRANT
	owed[n] = 0;
	owed_age[n] = 0;
#endif
#ifdef WITNESS_REVIVES
	had[n] = 0;
#endif
	knows = (n == 1 -> 0 : knows);
	mark[n] = mark_after_boot(n);
	lease[n] = lease_after_boot
}

inline switch_off(n) /* a person does, before saying so */
{
#ifdef WRONG_WORD
	skip
#else
	power_off(n)
#endif
}

inline begin_primary(n)
{
	up[n] = 1;
#ifdef GRACE
	grace[n] = (lease[n] == 0 && !mark[n] -> TTL : 0);
#endif
	promises(n)
}

inline begin_with_grant(n)
{
	lease[n] = TTL;
#ifdef SECOND_GRANT
	owed[n] = 1;
	owed_age[n] = 0;
#endif
	begin_primary(n)
}

inline decide(n)
{
	work[n] = DECIDED;
	window[n] = 0
}

/* ---- time ---- */

inline look_on(n)
{
	window[n] = (work[n] == SILENT -> window[n] + 1 : 0);
#ifdef SHORT_WINDOW
	if /* only one tick, at the end of the wait */
	:: work[n] && work[n] != DECIDED && waited[n] == WAIT - 1 ->
		work[n] = SILENT;
		window[n] = WAIT - 1
	:: else
	fi;
#endif
	if
	:: window[n] == WAIT ->
		work[n] = ISOLATED;
		window[n] = 0
	:: else
	fi
}

inline older(n)
{
#ifdef WITNESS_REVIVES
	had[n] = (had[n] || lease[n] > 0);
#endif
	lease[n] = (lease[n] > 0 -> lease[n] - 1 : 0);
	waited[n] = (verified[n] && waited[n] < WAIT -> waited[n] + 1 : waited[n]);
	look_on(n);
	vote_age[n] = (vote[n] && vote_age[n] < TTL -> vote_age[n] + 1 : vote_age[n]);
	ping_age[n] = (ping[n] && ping_age[n] < TTL -> ping_age[n] + 1 : ping_age[n]);
	start_age[n] = (asks(n) && start_age[n] < TTL -> start_age[n] + 1 : start_age[n]);
	if /* an answer that is worth nothing any more is as good as lost */
	:: vote_stale(n) -> forget_vote(n)
	:: else
	fi;
	if
	:: ping_stale(n) -> forget_ping(n)
	:: else
	fi;
#ifdef GRACE
	grace[n] = (grace[n] > 0 && lease[n] == 0 -> grace[n] - 1 : 0);
#endif
#ifdef SECOND_GRANT
	owed_age[n] = (owed[n] && owed_age[n] < TTL -> owed_age[n] + 1 : owed_age[n])
#endif
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
	:: d_step { primary(n) && !vote[n] -> vote[n] = ASKED; say(n, "asks for a vote") }
	:: d_step { vote[n] == ASKED && votes(p) -> vote[n] = ANSWERED; say(p, "votes") }
	:: d_step { vote[n] == ANSWERED && !mark[n] ->
		found = found_after_lease(n);
		prolong(n, vote_worth(n)); forget_vote(n); say(n, "takes the vote") }
	:: d_step { vote[n] -> forget_vote(n); say(n, "gets no vote") }
	:: d_step { primary_form[n] && !ping[n] -> ping[n] = ASKED; say(n, "asks the witness") }
	:: d_step { ping[n] == ASKED -> ping[n] = ANSWERED; say(n, "is answered by the witness");
		if
		:: work[p] == SILENT -> work[p] = REACHED; window[p] = 0
		:: else
		fi }
	:: d_step { ping[n] == ANSWERED && witness_may(n) && !mark[n] ->
		prolong(n, ping_worth(n)); forget_ping(n); say(n, "prolongs by the witness") }
	:: d_step { ping[n] -> forget_ping(n); say(n, "misses the witness") }
	:: d_step { to_be_fenced(n) ->
		end_server(n); lease[n] = 0; mark[n] = guard_mark(n); say(n, "fences itself") }

	/* ---- what happens to a node ---- */
	:: d_step { up[n] -> end_server(n); say(n, "crashes") }
	:: d_step { power_off(n); say(n, "loses power") }
#ifdef BEHIND_OUR_BACK
	:: d_step { !up[n] && primary_form[n] ->
		say(n, "is started by somebody else"); begin_primary(n) }
#endif
#ifdef ROLE_BY_FILE
	:: d_step { primary(n) && !misread[n] -> misread[n] = 1; lease[n] = 0;
		say(n, "is taken for a standby") }
#endif
#ifdef SYNC_OFF
	:: d_step { primary(n) -> lacks[p] = 1; say(n, "acknowledges a commit alone") }
#endif

	/* ---- fence_self, for the peer, for a request that comes late, for a person ---- */
	:: d_step { !harm[n] ->
		harm[n] = MARKED; mark[n] = first_mark(n); say(n, "is to be fenced");
		fence[p] = (fence[p] == WANTED -> BEGUN : fence[p]) }
#ifdef FENCED_TOO_SOON
	:: d_step { harm[n] == MARKED && fence[p] == BEGUN ->
		fence[p] = SAID; say(n, "says that it will stop") }
#endif
	:: d_step { harm[n] == MARKED -> harm[n] = STOPPED; end_server(n); say(n, "is stopped") }
	:: d_step { harm[n] == STOPPED && lock_free(n) -> harm[n] = NONE;
		mark[n] = last_mark(n); lease[n] = lease_when_marked(n); end_server(n);
		fence[p] = (fence[p] == BEGUN -> SAID : fence[p]); say(n, "is fenced") }
	:: d_step { mark[n] != BY_OTHER -> end_server(n); lease[n] = 0; mark[n] = BY_PERSON;
		say(n, "is fenced by a person") }
	:: d_step { standby(n) && liftable(n) -> mark[n] = NONE;
		say(n, "has its fence lifted by a person") }
	:: d_step { standby(n) && mark[n] -> switch_off(p); mark[n] = NONE;
		say(n, "is given free by a person who switched the other one off") }

	/* ---- rejoin: a primary again ---- */
	:: d_step { !up[n] && primary_form[n] && !start[n] ->
		start[n] = ASKS_VOTE; say(n, "asks for a vote, to start") }
	:: d_step { start[n] == ASKS_VOTE && votes(p) ->
		start[n] = HAS_VOTE; say(p, "votes for the start") }
	:: d_step { !up[n] && primary_form[n] && !start[n] && lease[n] && mark_permits(n, false) ->
		start[n] = HAS_LEASE; say(n, "may start by its lease") }
	:: d_step { start[n] == HAS_VOTE && still_permits(n, true) && right_permits(n, start_worth(n)) ->
		start[n] = LOOKED_VOTE; say(n, "may still start by the vote") }
	:: d_step { start[n] == HAS_LEASE && still_permits(n, false) && right_permits(n, lease[n]) ->
		start[n] = LOOKED_LEASE; say(n, "may still start by its lease") }
	:: d_step { start[n] == LOOKED_VOTE ->
		mark[n] = NONE; prolong(n, start_worth(n)); start[n] = GRANTED; start_age[n] = 0;
		say(n, "writes its grant") }
	:: d_step { start[n] == LOOKED_LEASE -> start[n] = GRANTED; say(n, "needs no grant") }
	:: d_step { start[n] == GRANTED && !up[n] ->
		start[n] = STARTED; say(n, "starts its primary"); begin_primary(n) }
	:: d_step { start[n] == STARTED && mark[n] -> forget_start(n); say(n, "was marked meanwhile");
#ifndef NO_LOOK_BEHIND
		end_server(n)
#endif
		}
	:: d_step { start[n] && !(start[n] == STARTED && mark[n]) ->
		forget_start(n); say(n, "ends its rejoin") }
	:: d_step { !up[n] && primary_form[n] && !start[n] -> switch_off(p); mark[n] = NONE;
		say(n, "is started by a person who switched the other one off"); begin_with_grant(n) }
#ifdef NOBODY_ANSWERED
	:: d_step { !up[n] && primary_form[n] && !mark[n] ->
		say(n, "starts, since nobody answers"); begin_with_grant(n) }
#endif

	/* ---- rejoin: a standby ---- */
	:: d_step { !up[n] && primary_form[n] && !start[n] && primary(p) && timeline[p] > timeline[n] ->
		primary_form[n] = 0; timeline[n] = timeline[p]; lacks[n] = lacks[p];
		forget_vote(n); forget_ping(n); say(n, "becomes a standby") }
	:: d_step { !up[n] && !primary_form[n] ->
		up[n] = 1; lease[n] = lease_of_standby(n); say(n, "starts its standby") }
	:: d_step { standby(n) && primary(p) && timeline[p] >= timeline[n] ->
		mark[n] = NONE; timeline[n] = timeline[p]; lacks[n] = lacks[p]; say(n, "streams") }
#ifdef FOUND
	:: d_step { n == 1 && !knows && standby(n) && !withdrawn[n] && primary(p) && mark_is_seen ->
		knows = 1; say(n, "sees that the other one is held to its lease") }
#endif

	/* ---- promote_safe ---- */
	:: d_step { standby(n) && !mark[n] && !work[n] && timeline[n] < MAXTERM ->
		work[n] = SILENT; say(n, "has the witness host look") }
	:: d_step { work[n] && !verified[n] && in_time(n) ->
		withdrawn[n] = 1; verified[n] = 1; say(n, "has withdrawn its vote") }
#ifdef RELOAD_BELIEVED
	:: d_step { work[n] && !verified[n] && in_time(n) ->
		verified[n] = 1; say(n, "has asked for a reload, and takes its vote for withdrawn") }
#endif
	:: d_step { work[n] && !fence[n] && may_ask(n) ->
		fence[n] = WANTED; say(n, "asks for a fence") }
	:: d_step { fence[n] == SAID -> fence[n] = PROVEN; say(n, "hears that the other is fenced") }
	:: d_step { verified[n] && !mark[n] && fence[n] == PROVEN ->
		decide(n); say(n, "decides: fenced") }
	:: d_step { verified[n] && !mark[n] && work[n] != DECIDED && isolated(n) && wait_over(n) && held(p) ->
		decide(n); say(n, "decides: isolated") }
	:: d_step { verified[n] && !mark[n] && wait_over(n) ->
		switch_off(p); decide(n); say(n, "decides: a person switched the other off") }
	:: d_step { standby(n) && work[n] == DECIDED -> say(n, "is promoted");
		primary_form[n] = 1; timeline[n]++; withdrawn[n] = 0; forget_run(n);
		begin_with_grant(n) }
	:: d_step { standby(n) && (work[n] || withdrawn[n]) ->
		forget_run(n); withdrawn[n] = 0; say(n, "gives its vote back") }
	:: d_step { work[n] -> forget_run(n); say(n, "has its promote_safe killed") }
#ifdef SECOND_GRANT
	:: d_step { owed[n] && !mark[n] -> owed[n] = 0; prolong(n, owed_worth(n)); owed_age[n] = 0;
		say(n, "writes its second grant") }
#endif
	od
}

init
{
	atomic {
		primary_form[0] = 1; up[0] = 1; timeline[0] = 1;
		up[1] = 1; timeline[1] = 1;
#ifdef FOUND
		found = 1;
#else
		lease[0] = TTL;
#endif
		run node(0);
		run node(1)
	}
}
