/* SPDX-License-Identifier: PostgreSQL */
/* The proofs that a fenced mark gives way to: for the rules, and once more under start.lock. */
#include "rejoin/rejoin_right.h"

/*
 * A node that fenced itself said no more than that somebody else might serve by now.  The proof
 * that nobody does answers it: the vote of a standby that follows, or the record.  What the other
 * node fenced stays down for it to take over, unless the record says that it must not.  What a
 * person fenced, only a person's word answers: by --lift-fence it is worth no more than the
 * guard's, and needs the same proof.  The start of who holds the term is a write of the row, so
 * that whoever relies on a mark of any kind comes second there; without a record, whoever had this
 * node fenced relies on it.
 */
bool rejoin_mark_answered(const struct rejoin_facts *f, enum fenced_by by)
{
	bool weak = by == FENCED_BY_GUARD || (f->lift && by == FENCED_BY_OPERATOR);

	if ((weak || f->lift) && rejoin_holds_term(f))
		return true;
	if (weak && f->peer_votes == FACT_YES)
		return f->right == RIGHT_UNUSED || f->right == RIGHT_UNWRITTEN;
	return by == FENCED_BY_PEER && f->right == RIGHT_OURS_SOLO;
}

/* The mark keeps a standby from its promotion only, whose own rules prove what it needs.  But
 * without a record the other node's mark is its proof that nobody is promoted here, as long as it
 * can use one. */
bool rejoin_may_lift(const struct rejoin_facts *f, enum fenced_by by)
{
	bool gone = f->peer == SERVER_UNKNOWN || f->peer == SERVER_DOWN;

	if (f->peer_down_by_operator && gone)
		return true;
	return f->lift && (f->keeps_record || by == FENCED_BY_GUARD || by == FENCED_BY_OPERATOR);
}
