# SPDX-License-Identifier: PostgreSQL
"""The rules of the models (tests/model) taken away from the C: which line says each, and what it says then.

The simulation finds those in FOUND within SEEDS seeds, and has to. The others it found too seldom, or never
so far: they are here to be tried (run --all), and README.md says why they hide.

Each edit is (file, what stands there, what is put in its place); what stands there must be there, once.
"""

from dataclasses import dataclass

LEAVE = "helpers/lib/check/check_leave.c"
CHECK_RULES = "helpers/lib/check/check_rules.c"
DUTY = "helpers/lib/check/duty.c"
DUTY_RULES = "helpers/lib/check/duty_rules.c"
LEASE = "helpers/lib/guard/lease.c"
LOOK = "helpers/lib/guard/guard_look.c"
HARMLESS = "helpers/lib/guard/harmless.c"
ROLE = "helpers/lib/postgres/pgdata_role.c"
VOTE = "helpers/lib/postgres/server_vote.c"
SERVER = "helpers/lib/postgres/server.c"
DEEDS = "helpers/lib/postgres/server_deeds.c"
GATHER = "helpers/lib/promote/promote_gather.c"
RULES = "helpers/lib/promote/promote_rules.c"
ACT = "helpers/lib/promote/promote_act.c"
DEED = "helpers/lib/promote/promote_deed.c"
RIGHT = "helpers/lib/rejoin/rejoin_right.c"
ALONE = "helpers/lib/rejoin/rejoin_alone.c"
RESUME = "helpers/lib/rejoin/rejoin_act.c"
RECORD = "helpers/lib/record/record_gather.c"
MARK_ANSWERED = "helpers/lib/rejoin/rejoin_mark.c"
BOOT = "helpers/lib/node/boot_file.c"
RELEASE = "helpers/lib/record/record_act.c"
MARK = "helpers/lib/node/mark.c"
OBSERVE = "helpers/lib/fence/observe.c"
GUARD_RULES = "helpers/lib/guard/guard_rules.c"
LEASED = "helpers/lib/guard/guard_leased.c"
ROW = "tests/sim/row.c"  # of scripts/setup/witness.sql, whose rules have no line of C


@dataclass
class Mutant:
    switch: str  # of the model
    edits: list
    world: str = "record"

    @property
    def name(self):
        return f"{self.world}-{self.switch.replace('=', '-').lower()}"


VOTE_STAMP = (LEAVE, 'STAMP_VOTE, peer->asked_ms, "vote"', 'STAMP_VOTE, now_ms(), "vote"')
# check_primary would make up for it.
CHECK_ON_TIME = (CHECK_RULES,
                 "return f->local == SERVER_PRIMARY && (disowned(f) || lease_over(f));",
                 "return f->local == SERVER_PRIMARY && disowned(f);")
GUARD_LATE = [(LEASE, "return lease->until_ms - fence_time_ms;",
               "return lease->until_ms + 4000 - fence_time_ms;"), CHECK_ON_TIME]
ROLE_BY_FILE = (ROLE, "\tif (form == PGDATA_PRIMARY ||\n", "\tis->recovers = is->signal != NULL;\n"
                "\trc = 0;\n\tstate = PGDATA_STATE_OTHER;\n\tif (form == PGDATA_PRIMARY ||\n")
FAST_STOP = (HARMLESS, "cfg->mode == MODE_SYNC ? 0 : cfg->stop_fast_ms", "cfg->stop_fast_ms")
WAIT_HALF = (GATHER, "return lease_ms + p->cfg->margin_ms;", "return lease_ms / 2;")
VOTE_STANDS = (VOTE, "\n\t\t       !peer->withdrawn && follows(peer->primary_conninfo, our_address));",
               "\n\t\t       (follows(peer->primary_conninfo, our_address) || peer->withdrawn));")
RELOAD_BELIEVED = [
    (SERVER, "(server->primary_conninfo[0] == '\\0' || marked)", "server->primary_conninfo[0] == '\\0'"),
    (DEEDS, "\tserver_config_ask(&config, cfg, PG_LOCAL, &soon);",
     "\tif (rc == 0)\n\t\treturn 0;\n\tserver_config_ask(&config, cfg, PG_LOCAL, &soon);"),
    (GATHER, "p->local.state == SERVER_STANDBY && p->local.withdrawn)",
     "p->local.state == SERVER_STANDBY)"),
]
SLOW_START = (RIGHT,
              "\tconst struct rejoin_facts *f = &r->facts;\n\n\tif (rejoin_holds_term(f))\n\t\treturn now_ms()",
              "\tconst struct rejoin_facts *f = &r->facts;\n\n\tif (f->right != RIGHT_UNKNOWN)\n"
              "\t\treturn true;\n\tif (rejoin_holds_term(f))\n\t\treturn now_ms()")
FENCE_WITHOUT_LOCK = [
    (HARMLESS, "int locked = lock_take(&lock, file_lock(cfg, LOCK_START).text, &soon);",
     "int locked = 0;\n\n\t(void)soon;\n\t(void)at_once;\n\t(void)again;"),
    (HARMLESS, "\t\trc = pgctl_stop(cfg, &at_once, dl, &again);", "\t\treturn 0;"),
]

MUTANTS = [
    # ---- the record ----
    Mutant("VOTE_COUNTS_FROM_RECEIPT", [VOTE_STAMP]),
    Mutant("RENEWAL_COUNTS_FROM_RECEIPT",
           [(DUTY, "STAMP_RENEWED, d->record.asked_ms", "STAMP_RENEWED, now_ms()")]),
    Mutant("RESUMPTION_COUNTS_FROM_RECEIPT",
           [(RIGHT, 'STAMP_GRANT, r->record.asked_ms + r->cfg->lease_ms,\n\t\t\t\t   "record"',
             'STAMP_GRANT, now_ms() + r->cfg->lease_ms,\n\t\t\t\t   "record"'),
            SLOW_START]),
    Mutant("GUARD_LATE", GUARD_LATE),
    Mutant("ROLE_BY_FILE", [ROLE_BY_FILE]),
    Mutant("STAMP_READ_FIRST",
           [(LOOK, 'lease_grant(&g->lease, now + cfg->lease_ms, "solo", now_ms());',
             'lease_grant(&g->lease, now_ms() + cfg->lease_ms, "solo", now_ms());')]),
    Mutant("MARGIN=0", [WAIT_HALF]),
    Mutant("UNCOMPARED=RELEASE",
           [(ROW, "\tconst char *why = refusal(call, true);\n\n\tif (why != NULL)\n\t\treturn why;\n"
             "\tthe_row.released = true;", "\tconst char *why = refusal(call, true);\n\n"
             "\tif (why != NULL && strcmp(the_row.holder, call->words[2]) != 0)\n\t\treturn why;\n"
             "\tthe_row.released = true;")]),
    Mutant("UNCOMPARED=PAIR",
           [(ROW, "\tif (why != NULL)\n\t\treturn why;\n\tthe_row.paired = true;",
             "\tif (why != NULL && strcmp(the_row.holder, call->words[2]) != 0)\n\t\treturn why;\n"
             "\tthe_row.paired = true;")]),
    Mutant("UNCOMPARED=TAKE",
           [(ROW, "\tconst char *why = refusal(call, false);\n\n\tif (why == NULL && strcmp",
             "\tconst char *why = NULL;\n\n\tif (why == NULL && strcmp")]),
    Mutant("SYNC_OFF_FIRST",
           [(DUTY_RULES, "\t{ promise_broken, DUTY_GO_SOLO,",
             "\t{ wait_for_nobody, DUTY_SYNC_OFF, YES(\"mutant\", \"mutant\", NULL) },\n"
             "\t{ promise_broken, DUTY_GO_SOLO,")]),
    Mutant("STAMP_BEFORE_THE_RECORD",
           [(DUTY, "\tif (!take(d, record_go_solo(",
             "\t(void)stamp_solo(d);\n\tif (!take(d, record_go_solo(")]),
    Mutant("STAMP_BY_LOOK",
           [(DUTY, '\tif (!take(d, record_go_solo(',
             '\tif (!d->record.paired)\n\t\treturn stamp_solo(d);\n\tif (!take(d, record_go_solo(')]),
    Mutant("NO_RECORD_LOCK",
           [(DUTY, "if (lock_take(&lock, file_lock(d->cfg, LOCK_RECORD).text, &soon) < 0 ||",
             "if (soon.at_ms < 0 || lock >= 0 ||")]),
    Mutant("LATE_ALTER_SYSTEM", [(DEEDS, "rc = lock_settings(pg, dl);", "(void)lock_settings;")]),
    Mutant("PAIRED_WITHOUT_SYNC",
           [(DUTY_RULES, "return f->sync_on != FACT_YES;\n}\n\nstatic bool unsettled",
             "return f->sync_on == FACT_UNKNOWN;\n}\n\nstatic bool unsettled"),
            (DUTY_RULES, "return f->sync_settled != FACT_YES;", "return f->starting;"),
            (DUTY_RULES, "return f->reached == FACT_YES;", "return true;"),
            (DUTY_RULES, "(f->mode_sync && f->sync_on != FACT_YES) ||", "")]),
    Mutant("PAIRED_BEFORE_SETTLED",
           [(DUTY_RULES, "return f->sync_settled != FACT_YES;", "return f->starting;")]),
    Mutant("PAIRED_FAR_BEHIND",
           [(DUTY_RULES, "return f->reached == FACT_YES;", "return true;")]),
    Mutant("POSITION_TOO_EARLY",
           [(DUTY, "d->follower.target_lsn = now.write_lsn;", "d->follower.target_lsn = 1;")]),
    Mutant("STAMP_AWAY_LAST",
           [(DUTY, "\tif (!unstamp(d))\n\t\treturn false;\n\tif (!take(d, record_pair(",
             "\tif (!take(d, record_pair(")]),
    Mutant("FAST_STOP", [FAST_STOP]),
    Mutant("TAKE_FROM_SOLO",
           [(RULES, "return good_record(f) && !f->record_ours && !f->record_paired && !f->override;",
             "return false;"),
            (ROW, 'why = !the_row.paired ? "solo" : the_row.paused', 'why = the_row.paused')]),
    Mutant("VOTE_NOT_WITHDRAWN", [VOTE_STANDS]),
    Mutant("RELOAD_BELIEVED", RELOAD_BELIEVED),
    Mutant("NO_WAIT_FOR_THE_VOTE",
           [(RULES, "return f->waited != FACT_YES || record_may_run(f);", "return record_may_run(f);")]),
    Mutant("NO_WAIT_FOR_THE_RECORD",
           [(RULES, "return f->waited != FACT_YES || record_may_run(f);",
             "return f->waited != FACT_YES || (false && record_may_run(f));")]),
    Mutant("RELEASE_WITHOUT_LOCK",
           [(RECORD, "int locked = lock_take(&lock, file_lock(t->cfg, LOCK_START).text, &soon);",
             "int locked = 0;\n\n\t(void)soon;"),
            (RECORD, "\tint count = pgdata_processes", "\tint count = pgdata_processes")]),
    Mutant("START_UNWRITTEN",
           [(RIGHT, "\tif (r->facts.right != RIGHT_UNUSED) {\n\t\trc = write_record(r, verdict);",
             "\tif (r->facts.right == RIGHT_UNWRITTEN) {\n\t\trc = write_record(r, verdict);")]),
    Mutant("START_BY_VOTE",
           [(RIGHT, "\tf->right = look_at_record(r);",
             "\tf->right = f->peer_votes == FACT_YES ? RIGHT_UNUSED : look_at_record(r);")]),
    Mutant("START_BY_LEASE",
           [(RIGHT, "\tf->right = look_at_record(r);",
             "\tf->right = f->lease_runs == FACT_YES ? RIGHT_UNUSED : look_at_record(r);"),
            (LOOK, "\tif (cfg_has_record(g->cfg) && g->server == GUARD_SERVER_DOWN)\n",
             "\tif (g->cfg == NULL)\n")]),
    Mutant("WITNESS_SILENT",
           [(RIGHT, "\tif (r->trust != RECORD_GOOD)\n\t\treturn RIGHT_UNKNOWN;",
             "\tif (r->trust != RECORD_GOOD)\n\t\treturn RIGHT_UNUSED;"),
            (ALONE, "\tif (f->right != RIGHT_UNUSED)\n\t\treturn f->right == RIGHT_OURS ||",
             "\tif (f->right == RIGHT_UNUSED)\n\t\treturn true;\n"
             "\tif (f->right != RIGHT_UNUSED)\n\t\treturn f->right == RIGHT_OURS ||"),
            SLOW_START]),
    Mutant("SLOW_START", [SLOW_START]),
    Mutant("FENCE_WITHOUT_LOCK", FENCE_WITHOUT_LOCK),
    Mutant("FENCE_OF_ANY_VERSION",
           [(GATHER, "p->record.version != p->fence_version && !f->record_released",
             "p->record.version < 0 && !f->record_released")]),
    Mutant("CREATED_WITHOUT_VOTE",
           [(ALONE, "\tif (f->right == RIGHT_UNWRITTEN)\n\t\treturn f->peer_votes == FACT_YES;",
             "\tif (f->right == RIGHT_UNWRITTEN)\n\t\treturn true;"),
            SLOW_START]),
    Mutant("HOLDER_VOTES",
           [(ACT, "\tif (p->linked && p->memory.newest.present == FACT_YES &&\n",
             "\tif (p->linked && p->memory.newest.present == FACT_UNKNOWN &&\n")]),
    Mutant("VOTE_BEGINS",
           [(LOOK, "\t    (lease_runs(&g->lease, now_ms()) || guard_leased_spares(g)))",
             "\t    at_ms > 0)")]),
    Mutant("LEASE_OUTLIVES_SERVER",
           [(LOOK, "\tif (cfg_has_record(g->cfg) && g->server == GUARD_SERVER_DOWN)\n",
             "\tif (g->cfg == NULL)\n")]),
    Mutant("RIGHTS_KEPT",
           [(RELEASE, "rc = t->facts.ask == RECORD_RELEASE ? give_rights_back(t->cfg) : 0;",
             "rc = 0;\n\t\t(void)give_rights_back;")]),
    # ---- a witness that answers questions ----
    Mutant("VOTE_COUNTS_FROM_RECEIPT", [VOTE_STAMP], "ping"),
    Mutant("PING_COUNTS_FROM_RECEIPT",
           [(LOOK, "lease_witness(&g->lease, sent, g->cfg->lease_ms, now);",
             "lease_witness(&g->lease, now, g->cfg->lease_ms, now);")], "ping"),
    Mutant("WITNESS_BEGINS",
           [(LEASE, "if (sent_ms <= 0 || !lease_runs(lease, now))", "if (sent_ms <= 0 || now < 0)")],
           "ping"),
    Mutant("WITNESS_REVIVES",
           [(LEASE, "if (sent_ms <= 0 || !lease_runs(lease, now))",
             "if (sent_ms <= 0 || lease->until_ms == 0 || now < 0)")], "ping"),
    Mutant("LEASE_OF_AN_EARLIER_BOOT",
           [(BOOT, "return strcmp(boot, written) == 0 ? 0 : -ENOENT;", "return 0;")], "ping"),
    Mutant("GUARD_LATE", GUARD_LATE, "ping"),
    Mutant("ROLE_BY_FILE", [ROLE_BY_FILE], "ping"),
    Mutant("VOTE_NOT_WITHDRAWN", [VOTE_STANDS], "ping"),
    Mutant("RELOAD_BELIEVED", RELOAD_BELIEVED, "ping"),
    Mutant("PRIMARY_VOTES", [(VOTE, "case SERVER_PRIMARY:\n\t\treturn FACT_NO;",
                              "case SERVER_PRIMARY:\n\t\treturn FACT_YES;")], "ping"),
    Mutant("NO_WAIT",
           [(RULES, "return f->waited != FACT_YES || record_may_run(f);", "return record_may_run(f);")],
           "ping"),
    Mutant("UNPROVEN",
           [(RULES, "return !f->has_record && unfenced(f) && f->fence != FENCE_ISOLATED &&",
             "return false && unfenced(f) && f->fence != FENCE_ISOLATED &&")], "ping"),
    Mutant("SHORT_WINDOW",
           [(OBSERVE, "struct deadline dl = deadline_in_ms(window_ms > 0 ? window_ms : ONE_LOOK_MS);",
             "struct deadline late = deadline_in_ms(window_ms > 1000 ? window_ms - 1000 : 0);\n"
             "\tstruct deadline dl = (deadline_sleep(&late), deadline_in_ms(ONE_LOOK_MS));"),
            (OBSERVE, "rounds >= rounds_wanted)", "rounds_wanted > 0)")], "ping"),
    Mutant("SLOW_WITHDRAWAL",
           [(GATHER, "p->withdrawn_ms - p->observing_ms > p->cfg->margin_ms)",
             "p->withdrawn_ms < 0)")], "ping"),
    Mutant("SECOND_GRANT", [(DEED, "grant(p, p->unpromoted_ms)", "grant(p, now_ms())")], "ping"),
    Mutant("FENCED_TOO_SOON",
           [(HARMLESS, "\trc = stop_for_good(cfg, how, dl, &way);",
             "\trc = how->by == FENCED_BY_PEER ? 0 : stop_for_good(cfg, how, dl, &way);")], "ping"),
    Mutant("MARK_IGNORED",
           [(ALONE, "return f->fenced != FACT_NO && !(f->fenced == FACT_YES && (answered ||",
             "return f->fenced == FACT_UNKNOWN && !(f->fenced == FACT_YES && (answered ||"),
            (RIGHT, "\t    !(rejoin_mark_answered(&r->facts, mark.by) || r->facts.peer_down_by_operator))",
             "\t    false)")], "ping"),
    Mutant("ANY_MARK_ANSWERED",
           [(MARK_ANSWERED, "bool weak = by == FENCED_BY_GUARD || (f->lift && by == FENCED_BY_OPERATOR);",
             "bool weak = true;")], "ping"),
    Mutant("NO_LOOK_UNDER_LOCK",
           [(RIGHT, "\t    !(rejoin_mark_answered(&r->facts, mark.by) || r->facts.peer_down_by_operator))"
             "\n\t\treturn false;", "\t    r->cfg == NULL)\n\t\treturn true;")], "ping"),
    Mutant("NO_START_LOCK", FENCE_WITHOUT_LOCK, "ping"),
    Mutant("NO_MARK_AGAIN",
           [(HARMLESS, "\tmark_node(cfg, how);\n\tif (rc == 0)\n", "\tif (rc == 0)\n")], "ping"),
    Mutant("MARK_OF_THE_GUARD_WILL_DO",
           [(HARMLESS, "\t\treturn by != FENCED_BY_GUARD;", "\t\treturn false;")], "ping"),
    Mutant("MARK_OF_A_PERSON_WILL_DO",
           [(HARMLESS, "return there == FENCED_BY_OPERATOR && by == FENCED_BY_PEER &&",
             "return there == FENCED_BY_UNKNOWN && by == FENCED_BY_PEER &&")], "ping"),
    Mutant("MARK_UNWRITTEN",
           [(HARMLESS, "\tif (!stays_down)\n", "\tif (!stays_down && stopped < 0)\n")], "ping"),
    Mutant("MARK_GONE_AT_BOOT",
           [(MARK, "\trc = state_write(file_mark(cfg, MARK_FENCED).text, text, 0644, true);\n\trun_rc",
             "\trc = -EROFS;\n\trun_rc"),
            (MARK, "data_rc = write_beside_data(cfg, FENCED_DATA, text);", "data_rc = -EROFS;")],
           "ping"),
    Mutant("NOBODY_ANSWERED",
           [(ALONE, "return f->peer_votes == FACT_YES || f->lease_runs == FACT_YES;",
             "return true;"), SLOW_START], "ping"),
    Mutant("SLOW_START", [SLOW_START], "ping"),
    Mutant("FAST_STOP", [FAST_STOP], "ping"),
    Mutant("GUARD_SPARES_ALWAYS",
           [(LEASED, "return g->server == GUARD_SERVER_PRIMARY && g->leased == FACT_NO && !g->seen_down &&\n"
             "\t       g->lease.until_ms == 0;",
             "return g->server == GUARD_SERVER_PRIMARY && !g->seen_down;"),
            (GUARD_RULES, "return may_be_primary(f) && f->lease.until_ms > 0 &&",
             "return may_be_primary(f) && !f->spared && f->lease.until_ms > 0 &&"), CHECK_ON_TIME],
           "ping"),
    Mutant("STANDBY_NEEDS_NO_LEASED",
           [(RULES, "return !f->has_record && f->peer_unleased && !f->peer_down_by_operator;",
             "return false;")], "ping"),
]

SEEDS = 1500
FOUND = {
    "record": """
        FAST_STOP GUARD_LATE MARGIN=0 NO_WAIT_FOR_THE_VOTE PAIRED_BEFORE_SETTLED PAIRED_FAR_BEHIND
        PAIRED_WITHOUT_SYNC START_BY_VOTE START_UNWRITTEN TAKE_FROM_SOLO WITNESS_SILENT
    """.split(),
    "ping": """
        FAST_STOP GUARD_LATE GUARD_SPARES_ALWAYS LEASE_OF_AN_EARLIER_BOOT NOBODY_ANSWERED UNPROVEN
        WITNESS_BEGINS
    """.split(),
}


def found(mutant):
    return mutant.switch in FOUND[mutant.world]
