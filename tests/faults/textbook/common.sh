#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# shellcheck disable=SC1091,SC2034 # pg.env is made on the node; others use what is set here
#
# What the scripts share.
set -euo pipefail
. /etc/keepalived/pg.env
export PGPASSFILE=~postgres/.pgpass
export PGDATA PGPORT PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=2
PATH=$PGBIN:/usr/sbin:/usr/bin:/sbin:/bin

say() {
	# A log that is away must not keep a node from being promoted, or stopped.
	logger -t "$(basename "$0" .sh)" -- "$*" || true
}

# One value from the local server.
here() {
	timeout 3 psql -XAtqc "$1"
}

# The same from the other node.  It fails alike when that is dead, slow, full, or not to be reached.
there() {
	timeout 3 psql -XAtqc "$1" -h "$PEER" -U "$REPLICATOR"
}
