#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Run by a person, as postgres, on the node that is to follow the other one.  Idea: rewind, and where
# that does not work, copy.
# Where it fails: it believes the person that the other node has the right data.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

if [ "$(there 'SELECT pg_is_in_recovery()')" != f ]; then
	echo "rejoin: $PEER is no primary" >&2
	exit 1
fi
source="host=$PEER port=$PGPORT user=$REPLICATOR dbname=postgres"
if pg_ctl status >/dev/null; then
	pg_ctl stop -m fast -t 10 >/dev/null || pg_ctl stop -m immediate >/dev/null
fi
if ! pg_rewind -D "$PGDATA" --source-server="$source" --write-recovery-conf; then
	echo "rejoin: it cannot be rewound, copying $PEER" >&2
	rm -rf "${PGDATA:?}"
	pg_basebackup -D "$PGDATA" -d "$source" -X stream -c fast --write-recovery-conf
fi
pg_ctl start -w -t 30 -l /var/log/postgresql/postgresql.log >/dev/null
say "this node follows $PEER"
