#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Idea: a node whose server does not answer must not have the address.
# Where it fails: "no answer" is also a full max_connections or a slow disk.
# shellcheck source=tests/faults/textbook/common.sh
. "$(dirname "$0")/common.sh"

[ "$(timeout 2 psql -XAtqc 'SELECT 1')" = 1 ]
