#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# notify_fault.  Idea: a primary whose check failed must not come back beside the next one.
# Where it fails: it needs this host to be well enough to run it, and it does not see a network that
# is cut.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

[ ! -e "$PGDATA/standby.signal" ] || exit 0
pg_ctl status >/dev/null || exit 0
# At boot the first check may come before the server is ready: 1 is "starting up".
ready=0
pg_isready -q -t 2 || ready=$?
[ "$ready" -ne 1 ] || exit 0
say "the check failed: stopping this node"
pg_ctl stop -m fast -t 10 >/dev/null || pg_ctl stop -m immediate >/dev/null
