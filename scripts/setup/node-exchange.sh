#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# What the hosts of a cluster give each other when node-setup sets them up; its variables are node-setup's.
#
# shellcheck disable=SC2154,SC2034 # set there, used there
# shellcheck disable=SC2015 # what stands behind || does not return

# What the other node needs: one file, for root alone.  Only names that are known are taken out of it.
bundled=(ini pgpass key known_hosts witness.pgpass witness.crt)

open_bundle() {
	local name
	mkdir "$work/bundle" || die 71 "no temporary directory"
	tar -xf "$file" -C "$work/bundle" --no-same-owner -- "${bundled[@]/#/./}" 2>"$work/said" ||
		die 78 "$file is not the file that \"node-setup primary\" writes" "$(head -n 1 "$work/said")"
	for name in "${bundled[@]}"; do
		# A link would bring a file of this host.
		[ -f "$work/bundle/$name" ] && [ ! -L "$work/bundle/$name" ] ||
			die 78 "$file is not the file that \"node-setup primary\" writes" "$name is no file in it"
	done
	[ -n "$config" ] || {
		config=$work/bundle/ini
		name=$(ini cluster name)
		[[ $name =~ ^[a-z][a-z0-9_-]*$ ]] || die 78 "$file has a configuration without a name"
		config=/etc/pg_vrrp/$name.ini
	}
	if [ ! -e "$config" ]; then
		if [ -n "$dry_run" ]; then
			say "would do: $config written"
			config=$work/bundle/ini
			return
		fi
		mkdir -p "$(dirname "$config")"
		put "$config" 644 root <"$work/bundle/ini"
		made "$config"
	fi
	cmp -s "$work/bundle/ini" "$config" || die 78 "$config is not the one of the other node" \
		"the file has to be the same on both nodes" "diff them; then run \"primary\" there again"
}

# take NAME FILE MODE OWNER: out of what the other node wrote.
take() {
	[ -s "$work/bundle/$1" ] || die 78 "$file has no $1" "" "run \"primary\" there again"
	lay "$2" "$3" "$4" <"$work/bundle/$1"
}

# pin FILE...: their lines in known_hosts, in place of older ones of the same hosts.
pin() {
	local names
	names=$(cat "$@" | awk '{ print $1 }' | sort -u)
	{
		[ ! -e "$known_hosts" ] || awk -v names="$names" 'BEGIN { split(names, n, "\n"); for (i in n) is[n[i]] }
			!($1 in is)' "$known_hosts"
		cat "$@"
	} | sort -u | lay "$known_hosts" 644 root
}

write_bundle() {
	local target=/etc/pg_vrrp/$cluster.bundle from name
	[ -z "$dry_run" ] || { say "would do: $target written" && return; }
	mkdir "$work/give" || die 71 "no temporary directory"
	for name in "${bundled[@]}"; do
		case $name in
		ini) from=$config ;;
		pgpass) from=$passfile ;;
		key) from=$key ;;
		known_hosts) from=$known_hosts ;;
		witness.pgpass) from=${record:+$witness_passfile} ;;
		witness.crt) from=$witness_root ;;
		esac
		cat "${from:-/dev/null}" >"$work/give/$name" || die 71 "$from cannot be read"
	done
	tar -cf "$target" -C "$work/give" -- "${bundled[@]/#/./}" || die 71 "$target could not be written"
	cat <<-END

		Next: the other node.  The file holds the password and the key of the cluster; remove it afterwards.
		  $node# scp $target root@$peer_address:
		  $peer# pg_vrrp setup standby $cluster.bundle
	END
}

write_answer() {
	local target=/etc/pg_vrrp/$cluster.answer
	[ -z "$dry_run" ] || { say "would do: $target written" && return; }
	config_part known_hosts >"$target" && chmod 644 "$target" || die 71 "$target could not be written"
	cat <<-END

		Next: the first node, which has to know this host's ssh keys.
		  $node# scp $target root@$peer_address:
		  $peer# pg_vrrp setup pair $cluster.answer
	END
}

# With ssh = yes the witness host has an account for us, which the record alone does not need.
write_for_witness() {
	local target=/etc/pg_vrrp/$cluster.authorized there=pg_vrrp-$cluster.hostkeys host
	[ "$(value witness ssh)" = yes ] || return 0
	[ -z "$dry_run" ] || { say "would do: $target written" && return; }
	config_part authorized_keys --witness --key "$key.pub" >"$target" && chmod 644 "$target" ||
		die 71 "$target could not be written"
	host=$(ini witness address)
	cat <<-END

		The witness host, which answers ssh (witness ssh = yes) and needs pg-vrrp-witness or "make install":
		  $node# scp $config $target root@$host:/etc/pg_vrrp/
		  witness# cat $target >> ~root/.ssh/authorized_keys
		  witness# pg_vrrp cluster_config known_hosts --witness -c $config > $there
		Copy that file to both nodes, and there: pg_vrrp setup pair $there
	END
}

# The lines are of the other node or of the witness host, by the names that ssh is told to look for.
do_pair() {
	local names
	names=$(awk '{ gsub(/^\[|\]:[0-9]+$/, "", $1); print $1 }' "$file" | sort -u)
	[ "$names" = "$peer" ] || [ "$names" = witness ] ||
		die 78 "$file has no host keys of $peer or of the witness host" "it is about \"${names//$'\n'/ }\""
	config_part known_hosts >"$work/ours" || die 71 "this host's ssh host keys cannot be read"
	pin "$work/ours" "$file"
	[ -z "$dry_run" ] || return 0
	# The guard's own test may be of before.
	"$here/fence_old" --test --quiet -c "$config" -n "$node" </dev/null >/dev/null
	[ "$names" != "$peer" ] || "$here/check_setup" -c "$config" -n "$node" </dev/null
}
