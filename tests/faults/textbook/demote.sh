#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# notify_backup.  Idea: when two primaries see each other, the one without the address stops.
# Where it fails: VRRP chose which one that is, and it knows nothing of data; what this one has
# acknowledged is rewound.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

# Only two that both say so are two primaries; who does not answer is taken for none.
[ "$(here 'SELECT pg_is_in_recovery()' || true)" = f ] || exit 0
[ "$(there 'SELECT pg_is_in_recovery()' || true)" = f ] || exit 0
say "$PEER is a primary and has the address: stopping this node"
pg_ctl stop -m fast -t 10 >/dev/null || pg_ctl stop -m immediate >/dev/null
