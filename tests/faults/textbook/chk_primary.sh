#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Idea: the primary gets the higher priority, so that the address is where it can be written to.
# Where it fails: of two primaries it knows no better one, the configured priority decides.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

[ "$(timeout 2 psql -XAtqc 'SELECT pg_is_in_recovery()')" = f ]
