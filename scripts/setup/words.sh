#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# What witness-setup, node-setup and report have in common: messages, files, the INI file, and how the
# server of this host is asked.  From the caller: here, config, os_user, bin_dir, socket_dir, port, work,
# dry_run, quiet.
#
# shellcheck disable=SC2154,SC2034 # set there, used there
# shellcheck disable=SC2015 # what stands behind || does not return

me=${0##*/}
changed=''

# die CODE MESSAGE [DETAIL [HINT]]
die() {
	printf 'ERROR:  %s\n' "$2" >&2
	[ -z "${3:-}" ] || printf 'DETAIL:  %s\n' "$3" >&2
	[ -z "${4:-}" ] || printf 'HINT:  %s\n' "$4" >&2
	exit "$1"
}
wrong() { die 64 "$1" "" "${2:-$me --help lists the options}"; }
say() { [ -n "${quiet:-}" ] || printf '%s: %s\n' "$me" "$*" >&2; }

# ini SECTION KEY: its value.  The helpers are the strict readers of this file; here it is only read.
ini() {
	awk -v wanted="$1" -v key="$2" '
		/^[ \t]*\[/ { here = $0; gsub(/^[ \t]*\[[ \t]*|[ \t]*\][ \t]*$/, "", here) }
		here == wanted && index($0, "=") {
			name = substr($0, 1, index($0, "=") - 1); gsub(/[ \t]/, "", name)
			value = substr($0, index($0, "=") + 1); gsub(/^[ \t]+|[ \t]+$/, "", value)
			if (name == key) { print value; exit }
		}' "$config"
}

# The configuration of this host's cluster, where none was named.
find_config() {
	local found=(/etc/pg_vrrp/*.ini)
	[ -n "$config" ] || [ ${#found[@]} -eq 1 ] || die 78 "there are several clusters on this host" "" \
		"say which one: -c FILE"
	: "${config:=${found[0]}}"
	[ -r "$config" ] || die 78 "there is no $config" "" \
		"begin with examples/two-node/main.ini; man pg_vrrp.ini has every key"
}

# What value needs: names, and the defaults as cluster_config has them.
read_defaults() {
	cluster=$(ini cluster name) version=$(ini postgresql version)
	"$here/cluster_config" --quiet reference >"$work/reference" ||
		die 71 "cluster_config gives no defaults"
}

# value SECTION KEY: as the helpers see it.
value() {
	local text
	text=$(ini "$1" "$2")
	[ -n "$text" ] || text=$(awk -F '\t' -v section="${1%% *}" -v key="$2" \
		'$1 == section && $2 == key { print $4; exit }' "$work/reference")
	text=${text//'{name}'/$cluster}
	echo "${text//'{version}'/$version}"
}

# The sections of the nodes: "node n1".
node_sections() { sed -n 's/^[ \t]*\[[ \t]*\(node  *[^] \t]*\)[ \t]*\].*/\1/p' "$config"; }

# put FILE MODE OWNER: standard input, under a new name first.
put() {
	local owner=$3
	[ "$(id -u)" -eq 0 ] || owner=$(id -un)
	install -m "$2" /dev/null "$1.new" && cat >"$1.new" && chown "$owner" "$1.new" &&
		sync "$1.new" && mv "$1.new" "$1" || die 71 "$1 could not be written"
}

# replace FILE: with standard input; owner and mode stay what they are.
replace() {
	cp -p "$1" "$1.new" && cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1" ||
		die 71 "$1 could not be written"
}

# The password of a line "*:*:*:ROLE:PASSWORD" of FILE.
password_in() { sed -n 's/^\*:\*:\*:[a-z0-9_]*://p' "$1" | head -n 1 | sed 's/\\\(.\)/\1/g'; }

# password_line ROLE PASSWORD
password_line() {
	local written=${2//\\/\\\\}
	printf '*:*:*:%s:%s\n' "$1" "${written//:/\\:}"
}

# ---- the server of this host ----

as_owner() {
	local become=()
	[ "$(id -u)" -ne 0 ] ||
		become=(setpriv "--reuid=$os_user" "--regid=$(id -g "$os_user")" --init-groups)
	# Nothing of the caller's environment leads psql elsewhere; nothing waits for ever; a server that
	# is restarted does not keep our lock.
	(cd / && exec env -i PATH="$PATH" LC_ALL=C PGCONNECT_TIMEOUT=10 \
		PGOPTIONS='-c lock_timeout=10s -c client_min_messages=warning' \
		timeout "${owner_limit:-90}" "${become[@]}" "$@" 9>&-)
}

# ask DATABASE ARGUMENT...: psql; one value a line.
ask() {
	local from=$1
	shift
	# In a session without a terminal, so that it asks nobody for anything.
	as_owner setsid -w "$bin_dir/psql" -XqAtw -v ON_ERROR_STOP=1 -h "$socket_dir" -p "$port" -U "$os_user" \
		-d "$from" "$@" 2>"$work/said"
}

# What the server said, for a DETAIL.
said() { sed -e 's/^psql:<stdin>:[0-9]*: //' -e '/^LINE\|^ *^\|^LOCATION/d' "$work/said" | paste -sd ' '; }

# change TEXT DATABASE [ARGUMENT...]: statements from standard input that change something.
change() {
	local text=$1
	shift
	if [ -n "$dry_run" ]; then
		say "would do: $text"
		return
	fi
	ask "$@" -f - >/dev/null || die 71 "this could not be done: $text" "$(said)"
	say "$text"
	changed=yes
}

# set_password ROLE PASSWORD: psql shows the server a SCRAM verifier of it, and nothing else.
set_password() {
	ask postgres -c "SET password_encryption = 'scram-sha-256'" -c "\\password $1" \
		< <(printf '%s\n%s\n' "$2" "$2") >/dev/null ||
		die 71 "the password of $1 could not be set" "$(said)"
	[ "$(ask postgres -c "SELECT rolpassword LIKE 'SCRAM-SHA-256\$%' FROM pg_authid
		WHERE rolname = '$1'")" = t ] || die 71 "the password of $1 is not kept as SCRAM"
}

# reload QUESTION ANSWER: the server reads its files anew; until a new connection shows that it has, and
# has the answer.
reload() {
	local limit=$((SECONDS + 10)) before now
	[ -z "$dry_run" ] || return 0
	before=$(ask postgres -c 'SELECT pg_conf_load_time()') &&
		ask postgres -c 'SELECT pg_reload_conf()' >/dev/null || die 71 "no reload" "$(said)"
	until now=$(ask postgres -c 'SELECT pg_conf_load_time()') && [ "$now" != "$before" ]; do
		[ "$SECONDS" -lt "$limit" ] || die 71 "the server was not seen to read its files" "$(said)"
		sleep 0.05
	done
	until [ "$(ask postgres -c "$1")" = "$2" ]; do
		[ "$SECONDS" -lt "$limit" ] || die 71 "the server did not take what was set" \
			"$1 is not $2" "its log says why; an option of its command line may be in the way"
		sleep 0.05
	done
}

# A line of pg_hba.conf that the server does not understand, or nothing.
hba_trouble() {
	ask postgres -c "SELECT 'line ' || line_number || ': ' || error
		FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number LIMIT 1"
}
