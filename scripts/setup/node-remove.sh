#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# How node-setup takes away what it has made; its variables are node-setup's.
#
# A primary whose guard is gone is ended by nobody, so the other node must not be able to take over any
# more: it is the first one from which pg_vrrp is removed.
#
# shellcheck disable=SC2154,SC2034 # set there, used there
# shellcheck disable=SC2015 # what stands behind || does not return

do_remove() {
	local is
	is=$(ask postgres -c "SELECT pg_is_in_recovery()") || [ -n "$anyway" ] ||
		die 71 "the server of this host does not answer, so it cannot be told whether it is the primary" \
			"$(said)" "start it; or, when you know that it is to stay down: --anyway"
	refuse_remove
	remove_services
	remove_gate
	if [ "$is" = f ]; then
		remove_from_primary
	else
		say "PostgreSQL's own files, and the password file with which it follows $peer, stay"
	fi
	drop_block "$(getent passwd "$ssh_user" | cut -d : -f 6)/.ssh/authorized_keys"
	drop "$key" "$key.pub" "$known_hosts" "/etc/pg_vrrp/$cluster".{bundle,answer,authorized}
	[ -z "$record" ] || drop "$witness_passfile" "$witness_root"
	say "$config and /var/lib/pg_vrrp stay: what was salvaged is there"
}

# It was, but for what the standby still needed then: nothing of ours ends this server, or holds clients.
was_removed() {
	[ ! -e "$key" ] && ! systemctl --quiet is-active "pg_vrrp-guard@$cluster" &&
		! nft list table inet "pg_vrrp_$cluster" >/dev/null 2>&1
}

refuse_remove() {
	local told
	[ "$(value fencing watchdog)" = off ] || die 78 "the hardware watchdog would reset this host" \
		"its guard does not disarm it when it ends beside a primary" \
		"set watchdog = off, and restart pg_vrrp-guard@$cluster, first"
	[ "$is" != t ] && ! was_removed || return 0
	told=$("$here/fence_old" --test -c "$config" -n "$node" </dev/null 2>/dev/null)
	! grep -q '^ssh .*answered' <<<"$told" || die 78 "pg_vrrp is still at work on $peer" \
		"it would take over from this node, whose server nobody ends then" "remove it there first"
	# sshd there has no line for our key any more.
	grep -q '^ssh .*Permission denied' <<<"$told" || [ -n "$anyway" ] ||
		die 78 "it cannot be told whether pg_vrrp is at work on $peer" \
			"where it is, it would take over from this node, whose server nobody ends then" \
			"when you know that it is not: --anyway"
}

# drop FILE...: those that are there.
drop() {
	local one
	for one in "$@"; do
		[ -e "$one" ] || continue
		if [ -n "$dry_run" ]; then
			say "would do: $one removed"
			continue
		fi
		rm -f -- "$one" || die 71 "$one could not be removed"
		say "$one removed"
	done
}

# drop_block FILE: our lines in it.
drop_block() {
	grep -qsF "$(block_begin)" "$1" || return 0
	if [ -n "$dry_run" ]; then
		say "would do: lines of $cluster in $1 removed"
		return
	fi
	without_block "$1"
	replace "$1" <"$work/rest"
	say "lines of $cluster in $1 removed"
}

# keepalived before the guard: its scripts fence a primary that has no guard when its lease has ended.
remove_services() {
	local whole=/etc/keepalived/keepalived.conf
	if grep -qs "^# pg_vrrp cluster \"$cluster\" on node" "$whole"; then
		[ -n "$dry_run" ] || systemctl disable --quiet --now keepalived || die 71 "keepalived does not stop"
		drop "$whole"
	else
		drop_block "$whole"
		drop "/etc/keepalived/pg_vrrp-$cluster.conf"
		[ -n "$dry_run" ] || ! systemctl --quiet is-active keepalived || systemctl restart keepalived ||
			die 71 "keepalived does not start without us" "" "journalctl -u keepalived"
	fi
	if [ -n "$dry_run" ]; then
		say "would do: the guard stopped"
		return
	fi
	systemctl disable --quiet --now "pg_vrrp-guard@$cluster" "pg_vrrp-handover@$cluster" \
		"pg_vrrp-rejoin@$cluster.timer" "pg_vrrp-health@$cluster" 2>"$work/said"
	! systemctl --quiet is-active "pg_vrrp-guard@$cluster" || die 71 "the guard does not stop" "$(said)"
	say "the guard is stopped; the address is no longer moved"
}

# Nobody renews the lease any more, so clients would be cut off when it ends.
remove_gate() {
	local etc=/etc/systemd/system
	if [ -n "$dry_run" ]; then
		say "would do: the kernel lets clients in without a lease"
	elif nft list table inet "pg_vrrp_$cluster" >/dev/null 2>&1; then
		nft delete table inet "pg_vrrp_$cluster" || die 71 "the table of nftables could not be removed" \
			"clients are cut off when the lease ends" "nft delete table inet pg_vrrp_$cluster"
		say "the kernel lets clients in without a lease"
	fi
	[ ! -e "$cluster_etc/start.conf" ] || echo auto | lay "$cluster_etc/start.conf" 644 "$os_user"
	drop "$etc/$unit.service.d/pg_vrrp.conf" "/etc/tmpfiles.d/pg_vrrp-$cluster.conf"
	grep -qs /pg_vrrp/ /etc/keepalived/*.conf || drop "$etc/keepalived.service.d/pg_vrrp.conf"
	[ -n "$dry_run" ] || systemctl daemon-reload
}

# What the helpers have set, and what a later set-up must not find: a server that was paired once is
# held to its lease at once.
remove_from_primary() {
	local slot slots
	change "the settings of the helpers reset" postgres <<-END
		ALTER SYSTEM RESET synchronous_standby_names;
		ALTER SYSTEM RESET primary_conninfo;
		ALTER SYSTEM RESET primary_slot_name;
		SELECT pg_reload_conf();
	END
	drop "$data/pg_vrrp.leased" "$(value cluster state_dir)/leased"
	if [ "$(ask postgres -c "SELECT count(*) FROM pg_stat_replication WHERE usename = '$role'")" != 0 ]; then
		say "$peer still follows this server as role $role, so the role, its lines in pg_hba.conf and its slot stay;" \
			"stop $peer's server, and call this again"
		return
	fi
	slots=$(ask postgres -c "SELECT slot_name FROM pg_replication_slots
		WHERE NOT active AND slot_name LIKE 'pgvrrp\\_%' ORDER BY 1") || die 71 "the slots are not known" "$(said)"
	for slot in $slots; do
		change "slot $slot dropped" postgres <<<"SELECT pg_drop_replication_slot('$slot');"
	done
	drop_block "$cluster_etc/pg_hba.conf"
	drop_block "$cluster_etc/pg_ident.conf"
	drop "$cluster_etc/conf.d/pg_vrrp.conf" "$passfile"
	[ "$(ask postgres -c "SELECT count(*) FROM pg_roles WHERE rolname = '$role'")" = 0 ] ||
		change "role $role dropped" "$database" <<-END
			DROP OWNED BY $role;
			DROP ROLE $role;
		END
	reload "SELECT 1" 1
	say "the server runs on; settings of conf.d/pg_vrrp.conf that need a restart end with the next one"
}
