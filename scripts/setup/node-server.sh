#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# The parts of node-setup that deal with PostgreSQL, systemd and keepalived of this host; its variables
# are node-setup's.
#
# shellcheck disable=SC2154,SC2034 # set there, used there
# shellcheck disable=SC2015 # what stands behind || does not return

# Of Debian's postgresql-common: where it has the files of this server, and the name of its unit.
gather_host() {
	local by_hand="docs/operations.md, \"Setting up by hand\", has the same steps"
	[ -d /run/systemd/system ] || die 71 "systemd does not run on this host" "" "$by_hand"
	[[ $config_file =~ ^/etc/postgresql/([0-9]+)/([^/]+)/postgresql.conf$ ]] ||
		die 78 "config_file is none of Debian's" "it is ${config_file:-not set}" "$by_hand"
	cluster_etc=${config_file%/*} server_name=${BASH_REMATCH[2]} server=${BASH_REMATCH[1]}-${BASH_REMATCH[2]}
	unit=postgresql@$server
	[ "${BASH_REMATCH[1]}" = "$version" ] || die 78 "config_file is not of version $version"
	[ "$version" -le 18 ] || die 78 "PostgreSQL $version was never tried with this pg_vrrp" "" \
		"use a newer pg_vrrp"
	command -v keepalived >/dev/null || die 71 "keepalived is not installed" "" "apt install keepalived"
	[ -x "$bin_dir/pg_basebackup" ] ||
		die 71 "there is no PostgreSQL in $bin_dir" "" "apt install postgresql-$version"
	[ -e "$config_file" ] || die 71 "there is no $config_file" "" \
		"pg_createcluster $version $server_name"
	grep -q "^[ \t]*include_dir[ \t]*=\?[ \t]*'conf.d'" "$config_file" ||
		die 78 "$config_file does not read conf.d" "our settings would stand in conf.d/pg_vrrp.conf" \
			"put the line back that Debian has there: include_dir = 'conf.d'"
}

# Before anything is changed.
refuse() {
	local other
	for other in patroni repmgrd pgautofailover pacemaker stolon-keeper; do
		systemctl --quiet is-active "$other"
		case $? in
		0) die 78 "$other runs on this host" "two managers would each promote by rules of their own" \
			"stop and disable $other first" ;;
		3 | 4) ;;
		*) die 71 "it cannot be told whether $other runs on this host" ;;
		esac
	done
	[ -z "$record" ] || [ "$part" = standby ] || [ -r "$witness_passfile" ] ||
		die 78 "there is no $witness_passfile" "the witness has to be there first" \
			"pg_vrrp cluster_config witness"
	"refuse_$part"
}

refuse_primary() {
	local facts
	mapfile -t facts < <(ask postgres -c "SELECT unnest(ARRAY[pg_is_in_recovery()::text,
		current_setting('data_directory'), current_setting('config_file'), current_setting('is_superuser')])")
	[ ${#facts[@]} -eq 4 ] || die 71 "the server of this host does not let us in" "$(said)" \
		"it has to run, and let $os_user in by the socket in $socket_dir"
	[ "${facts[0]}" = false ] || die 78 "the server of this host is a standby" "" \
		"\"primary\" is for the node that has the data"
	[ "$(realpath -m "${facts[1]}")" = "$(realpath -m "$data")" ] &&
		[ "$(realpath -m "${facts[2]}")" = "$(realpath -m "$config_file")" ] ||
		die 78 "the server at port $port is another one" \
			"its data directory is ${facts[1]}, its file ${facts[2]}"
	[ "${facts[3]}" = on ] || die 71 "$os_user is not a superuser of this server"
}

# The other node has to answer with what it gave us, before our own data is put aside.
refuse_standby() {
	ask_as_role "$peer_address" "$work/bundle/pgpass" "SELECT system_identifier FROM pg_control_system()" \
		>"$work/system" || die 71 "$peer does not let us in as $role" "$(said)" \
		"is 'pg_vrrp setup primary' done there, and does a firewall let port $port through?"
}

# ask_as_role ADDRESS PASSFILE STATEMENT: as the other node's helpers will.
ask_as_role() {
	# libpq takes a password file of its own user only.
	install -o "$os_user" -m 600 "$2" "$work/pgpass" && chmod 711 "$work" ||
		die 71 "no temporary file"
	as_owner env "PGPASSFILE=$work/pgpass" setsid -w "$bin_dir/psql" -XqAtw -v ON_ERROR_STOP=1 -d \
		"host=$1 port=$port user=$role dbname=$database connect_timeout=5" -c "$3" 2>"$work/said"
}

# ---- its files ----

do_files() {
	local ours=$cluster_etc/conf.d/pg_vrrp.conf rc=0
	# Settings are compared with where they are going to stand; and a file that is refused goes again.
	if [ -n "$dry_run" ]; then
		config_part postgresql >"$work/conf" || die 78 "no settings can be given"
		cmp -s "$work/conf" "$ours" || say "would do: $ours written"
	else
		[ ! -e "$ours" ] || cp -p "$ours" "$work/before"
		[ -e "$ours" ] || install -m 644 -o "$os_user" /dev/null "$ours"
		config_part postgresql >"$work/conf" && cat "$work/conf" >"$ours" || rc=1
		if [ $rc -ne 0 ]; then
			rm -f "$ours"
			[ ! -e "$work/before" ] || cp -p "$work/before" "$ours"
			die 78 "no settings can be given"
		fi
		[ -e "$work/before" ] && cmp -s "$work/before" "$ours" || made "$ours"
	fi
	rendered pg_hba
	block "$cluster_etc/pg_hba.conf" top <"$work/rendered"
	rendered pg_ident
	block "$cluster_etc/pg_ident.conf" end <"$work/rendered"
}

check() {
	local rc=0
	"$here/cluster_config" -c "$config" -n "$node" check >"$work/check" 2>&1 || rc=$?
	[ $rc -eq 0 ] && [ -z "$verbose" ] || cat "$work/check" >&2
	return $rc
}

# ---- the first node ----

do_primary() {
	local trouble words known
	[ -z "$dry_run" ] || { say "would do: role $role made, with a password" && return; }
	check || die 78 "the server would not start with these files, or would do less than it does now" \
		"nothing was restarted" "mend what is said above, and call this again"
	reload "SELECT 1" 1
	trouble=$(hba_trouble)
	[ -z "$trouble" ] || die 78 "$cluster_etc/pg_hba.conf has an error" "$trouble"
	words=$(ask postgres -c "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings WHERE pending_restart") ||
		die 71 "it cannot be told what waits for a restart" "$(said)"
	if [ -n "$words" ]; then
		! systemctl --quiet is-active "pg_vrrp-guard@$cluster" || die 4 \
			"PostgreSQL has to be restarted" "these count from its next start: $words" \
			"this node is guarded already, so it is for \"pg_vrrp restart\""
		[ -n "$restart" ] || die 4 "PostgreSQL has to be restarted once, and you have not permitted it" \
			"these count from its next start: $words" \
			"call this again with --restart; or restart it when it suits you, and call this then"
		say "restarting $unit for: $words"
		systemctl restart "$unit" || die 71 "$unit was not restarted" "" "journalctl -u $unit"
		ask postgres -c "SELECT 1" >/dev/null || die 71 "the server does not answer" "$(said)"
		changed=yes
	fi
	known=$(ask postgres -c "SELECT count(*) FROM pg_roles WHERE rolname = '$role'")
	config_part sql >"$work/sql" || die 71 "cluster_config gives no statements"
	ask "$database" -f - <"$work/sql" >/dev/null ||
		die 71 "role $role could not be made" "$(said)"
	set_password "$role" "$(password_in "$passfile")"
	ask_as_role "$address" "$passfile" "SELECT 1" >/dev/null ||
		die 71 "the server does not let in the role that it has just been given" "$(said)" \
			"does a line above ours in pg_hba.conf refuse it?"
	[ "$known" = 1 ] || made "role $role, with its password from $passfile"
}

# ---- the other node ----

# Is the data directory a copy of the other node's already, which follows it?
is_copy() {
	[ -e "$data/standby.signal" ] && [ "$(LC_ALL=C "$bin_dir/pg_controldata" "$data" 2>/dev/null |
		sed -n 's/^Database system identifier: *//p')" = "$(cat "$work/system")" ]
}

do_standby() {
	local aside new=$data.pg_vrrp-new
	! is_copy || return 0
	! systemctl --quiet is-active "pg_vrrp-guard@$cluster" ||
		die 78 "a guard runs here, and the data directory is no copy of $peer" "" \
			"pg_vrrp rejoin brings a node back"
	aside=$data.before-$(date +%Y%m%d-%H%M%S)
	if [ -n "$dry_run" ]; then
		say "would do: $data replaced by a copy of $peer; what is there is kept beside it"
		return
	fi
	say "copying $peer"
	rm -rf "$new"
	owner_limit=infinity as_owner env "PGPASSFILE=$passfile" "$bin_dir/pg_basebackup" \
		-d "host=$peer_address port=$port user=$role application_name=$node" \
		-X stream -c fast -R -P -D "$new" 9>&- ||
		die 71 "$peer could not be copied" "what there was is untouched"
	! systemctl --quiet is-active "$unit" || systemctl stop "$unit" || die 71 "$unit does not stop"
	if [ -e "$data" ]; then
		mv -T "$data" "$aside" || die 71 "$data cannot be moved aside" "is it a file system of its own?" \
			"empty it, and copy by hand: docs/operations.md"
		say "what was in $data is now $aside; remove it when you do not need it"
	fi
	mv -T "$new" "$data" || die 71 "$data cannot be put into place"
	changed=yes
	check || die 78 "the copy would not start as a standby of $peer" "" \
		"mend what is said above, and call this again"
}

wait_for_standby() {
	local limit=$((SECONDS + 120)) told=$((SECONDS + 3)) state=''
	[ -z "$dry_run" ] || return 0
	until [ "$state" = streaming ]; do
		state=$(ask postgres -c "SELECT status FROM pg_stat_wal_receiver" 2>/dev/null)
		[ "$SECONDS" -lt "$limit" ] || die 71 "the standby does not stream from $peer" "$(said)" \
			"pg_vrrp check_primary -v says what is the matter"
		if [ "$SECONDS" -ge "$told" ]; then
			say "waiting for the standby to stream"
			told=$((SECONDS + 10))
		fi
		sleep 0.2
	done
	say "the standby streams from $peer"
}

# ---- systemd and keepalived ----

do_systemd() {
	local etc=/etc/systemd/system
	echo manual | lay "$cluster_etc/start.conf" 644 "$os_user"
	sed -e "s#pg_vrrp-handover@main#pg_vrrp-handover@$cluster#" -e "s#/etc/pg_vrrp/main\\.ini#$config#" \
		"$share/postgresql-gate.conf" | lay "$etc/$unit.service.d/pg_vrrp.conf" 644 root
	lay "$etc/keepalived.service.d/pg_vrrp.conf" 644 root <"$share/keepalived-restart.conf"
	rendered tmpfiles
	lay "/etc/tmpfiles.d/pg_vrrp-$cluster.conf" 644 root <"$work/rendered"
	do_keepalived
	[ -z "$dry_run" ] || return 0
	systemd-tmpfiles --create "pg_vrrp-$cluster.conf" && systemctl daemon-reload ||
		die 71 "systemd did not take the new files"
}

# A keepalived.conf of somebody else stays, and ours is included.
do_keepalived() {
	local whole=/etc/keepalived/keepalived.conf ours=/etc/keepalived/pg_vrrp-$cluster.conf
	if [ ! -e "$whole" ] || grep -q "^# pg_vrrp cluster \"$cluster\" on node" "$whole"; then
		rendered keepalived
		lay "$whole" 644 root <"$work/rendered"
		return
	fi
	grep -q '^[ \t]*enable_script_security' "$whole" || die 78 \
		"$whole does not set enable_script_security" "keepalived would not run our scripts as root" \
		"put it, and \"script_user root\" and \"vrrp_no_swap\", into its global_defs"
	rendered keepalived --include
	lay "$ours" 644 root <"$work/rendered"
	grep -qF "include $ours" "$whole" || echo "include $ours" | block "$whole" end
	[ -n "$dry_run" ] || keepalived --config-test="$whole" >"$work/said" 2>&1 ||
		die 78 "keepalived does not take $whole" "$(tail -n 3 "$work/said" | paste -sd ' ')"
}

do_units() {
	local word=start
	# Of keepalived a reload is enough, and none where nothing has changed.
	if [ -n "$dry_run" ]; then
		say "would do: pg_vrrp-guard@$cluster and keepalived started"
		return
	fi
	systemctl enable --quiet --now "pg_vrrp-guard@$cluster" ||
		die 71 "the guard did not start" "" "journalctl -u pg_vrrp-guard@$cluster"
	if systemctl --quiet is-active keepalived; then
		grep -qs /etc/keepalived/ "$work/made" || return 0
		word=reload
	fi
	systemctl enable --quiet keepalived && systemctl $word keepalived ||
		die 71 "keepalived did not $word" "" "journalctl -u keepalived"
}
