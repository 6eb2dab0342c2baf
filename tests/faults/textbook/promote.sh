#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# notify_master.  Idea: a standby that gets the address becomes the primary, unless the other node
# still is one, or this node is the one without network.
# Where it fails: what cannot be asked is taken for dead.  And a refusal is final, because
# keepalived calls only once.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

if [ "$(here 'SELECT pg_is_in_recovery()')" = f ]; then
	say "this node has the address and is the primary"
	exit 0
fi
# Here no answer is taken for "no primary": what else could a script do?
if [ "$(there 'SELECT pg_is_in_recovery()' || true)" = f ]; then
	say "not promoted: $PEER still is a primary"
	exit 1
fi
if ! ping -q -c 2 -W 1 "$GATEWAY" >/dev/null; then
	say "not promoted: the gateway does not answer, so this node is the one cut off"
	exit 1
fi

say "$PEER does not answer: promoting this node"
pg_ctl promote -w -t 30 >/dev/null
# In sync mode commits would wait for a standby that is gone.
here "ALTER SYSTEM SET synchronous_standby_names = ''"
here 'SELECT pg_reload_conf()' >/dev/null
# pg_rewind on the old primary looks for the new timeline in the control file.
psql -XAtqc 'CHECKPOINT'
say "promoted"
