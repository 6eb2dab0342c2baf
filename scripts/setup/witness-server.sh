#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# The part of witness-setup that talks to the server; its variables and die() are witness-setup's.
#
# shellcheck disable=SC2154,SC2034 # set there, used there
# shellcheck disable=SC2015 # what stands behind || does not return

pending='' tls=own host_word=''

# ---- is there a server? ----

find_server() {
	if [ -z "$bin_dir" ]; then
		bin_dir=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
		[ -x "$bin_dir/psql" ] || bin_dir=$(dirname "$(command -v psql || echo /usr/bin/psql)")
	fi
	[ -x "$bin_dir/psql" ] && command -v openssl >/dev/null && id "$os_user" >/dev/null 2>&1 &&
		[ -S "$socket_dir/.s.PGSQL.$port" ]
}

install_server() {
	local packages=(postgresql openssl) found
	find_server && return
	if [ -z "$install" ]; then
		[ -x "$bin_dir/psql" ] || die 71 "there is no PostgreSQL in $bin_dir" "" \
			"install it, or let --install do it (Debian's package postgresql)"
		id "$os_user" >/dev/null 2>&1 || die 71 "there is no user \"$os_user\" on this host"
		command -v openssl >/dev/null || die 71 "openssl is not installed" "" "apt install openssl"
		die 71 "there is no server at $socket_dir, port $port" "" \
			"start it (pg_lsclusters lists Debian's), or say where it is: --socket-dir, --port"
	fi
	[ -z "$dry_run" ] || die 71 "there is no server at $socket_dir, port $port" \
		"a dry run does not install one"
	say "installing ${packages[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
		install "${packages[@]}" >"$work/said" 2>&1 </dev/null ||
		die 71 "${packages[*]} could not be installed" "$(tail -n 3 "$work/said" | paste -sd ' ')" \
			"apt-get update may help"
	bin_dir=''
	find_server && return
	# Without systemd, as in a container, the package starts nothing.
	found=$(pg_lsclusters -h 2>/dev/null | awk -v port="$port" '$3 == port { print $1, $2; exit }')
	# shellcheck disable=SC2086 # two words: version and name
	[ -z "$found" ] || pg_ctlcluster $found start >"$work/said" 2>&1 </dev/null
	find_server || die 71 "the server that was installed is not at $socket_dir, port $port" \
		"$(said)" "pg_lsclusters shows what there is"
}

gather() {
	local facts answer
	answer=$(
		ask postgres -f - <<-END
			SELECT unnest(ARRAY[current_setting('server_version_num'), pg_is_in_recovery()::text,
				current_setting('data_directory'), current_setting('hba_file'),
				current_setting('ssl'), current_setting('ssl_cert_file'),
				current_setting('listen_addresses'), current_setting('fsync'),
				current_setting('is_superuser'), current_setting('config_file'),
				coalesce((SELECT CASE WHEN rolsuper THEN 'superuser' WHEN rolpassword IS NULL
					THEN 'bare' ELSE 'known' END FROM pg_authid WHERE rolname = '$role'), 'none'),
				EXISTS (SELECT FROM pg_database WHERE datname = '$database')::text]);
		END
	) || die 71 "the server at $socket_dir, port $port, does not let us in" "$(said)" \
		"it must let $os_user in by the socket, as a superuser of that name"
	mapfile -t facts <<<"$answer"
	version=${facts[0]} standby=${facts[1]} data=${facts[2]} hba=$(readlink -f "${facts[3]}")
	ssl=${facts[4]} cert=${facts[5]} listen=${facts[6]} fsync=${facts[7]} super=${facts[8]}
	config_file=${facts[9]} role_is=${facts[10]} database_is=${facts[11]}
	[[ $cert == /* ]] || cert=$data/$cert
	schema_here=$(sed -n "/FUNCTION pgvrrp.schema_version()/ {
		n; s/.*AS 'SELECT \([0-9]*\)'.*/\1/p; }" "$sql_file")
	schema_there=0
	[ "$database_is" = false ] || schema_there=$(
		ask "$database" -f - <<-'END'
			SELECT to_regprocedure('pgvrrp.schema_version()') IS NOT NULL AS present \gset
			\if :present
			SELECT pgvrrp.schema_version();
			\else
			SELECT 0;
			\endif
		END
	) || die 71 "database $database does not say which schema it has" "$(said)"
}

# Before anything is changed.
refuse() {
	[ "$super" = on ] || die 71 "$os_user is not a superuser of this server"
	[ "$version" -ge 120000 ] || die 78 "this server is of version $version" "" \
		"a witness is of PostgreSQL 12 or newer"
	[ "$standby" = false ] || die 78 "this server is a standby" \
		"the record is written to, and must not follow another server" "set up its primary"
	[ "$fsync" = on ] || die 78 "this server runs with fsync = $fsync" \
		"a crash of this host could then take the record back in time" "turn fsync on"
	[ -z "$data_dir" ] || [ "$data_dir" = "$(realpath -m -- "$data")" ] ||
		die 78 "the server at port $port is another one" "its data directory is $data"
	[ -n "$schema_here" ] || die 78 "$sql_file is not the schema of a witness"
	[ "$schema_there" -le "$schema_here" ] ||
		die 78 "the witness has schema $schema_there, which is newer than this file's $schema_here" \
			"" "use witness-setup of the newest pg_vrrp that any of your clusters runs"
	[ "$role_is" != superuser ] || die 78 "role $role is a superuser" \
		"the nodes' role calls the functions of the record and does nothing else" "give --role ROLE"
}

# ---- role, schema, password ----

do_role() {
	[ "$role_is" != none ] || change "role $role made" postgres <<<"CREATE ROLE $role;"
	[ "$database_is" = true ] || change "database $database made" postgres <<-END
		CREATE DATABASE $database;
		REVOKE ALL ON DATABASE $database FROM PUBLIC;
	END
	[ -z "$dry_run" ] || return 0
	ask postgres -f - <<-END || die 71 "role $role could not be set up" "$(said)"
		ALTER ROLE $role LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
		GRANT CONNECT ON DATABASE $database TO $role;
	END
}

# The file makes its functions anew, for one role; the roles of other clusters get them back.
regrant() {
	cat <<-'END'
		SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, r.rolname)
		FROM pg_namespace AS n CROSS JOIN aclexplode(n.nspacl) AS a
			JOIN pg_roles AS r ON r.oid = a.grantee AND NOT r.rolsuper AND r.rolname <> :'role'
			JOIN pg_proc AS p ON p.pronamespace = n.oid
		WHERE n.nspname = 'pgvrrp' AND a.privilege_type = 'USAGE'
			AND has_function_privilege(:'role', p.oid, 'EXECUTE') \gexec
	END
}

do_schema() {
	local text="schema $schema_here laid"
	[ "$schema_there" -eq 0 ] || text+=" in place of $schema_there"
	if [ "$schema_here" -gt "$schema_there" ]; then
		change "$text" "$database" -v "role=$role" < <(cat "$sql_file" <(regrant))
	elif [ -z "$dry_run" ]; then
		ask "$database" -v "role=$role" -f - < <(cat "$sql_file" <(regrant)) ||
			die 71 "schema $schema_here could not be laid again" "$(said)"
	fi
	# Of the server: a setting that endangers the record.
	[ -n "$dry_run" ] || [ ! -s "$work/said" ] || say "$(said)"
}

do_password() {
	local password='' kept=$out/$role.pgpass
	if [ -n "$password_file" ]; then
		IFS= read -r password <"$password_file" || [ -n "$password" ] ||
			die 78 "$password_file has no password in its first line"
		[ "${#password}" -le 99 ] || die 78 "the password in $password_file is too long"
	elif [ -r "$kept" ] && [ -z "$new_password" ]; then
		password=$(password_in "$kept")
	fi
	if [ -z "$password" ]; then
		[ "$role_is" != known ] || [ -n "$new_password" ] || die 78 \
			"role $role has a password already, which is not in $kept" \
			"another cluster may use it" \
			"give it with --password-file; or give another --role; or let --new-password replace it"
		[ -z "$dry_run" ] || { say "would do: password of $role made, into $kept" && return; }
		password=$(openssl rand -hex 24) || die 71 "openssl makes no password"
	fi
	[ -z "$dry_run" ] || return 0
	password_line "$role" "$password" >"$work/pgpass"
	if ! cmp -s "$work/pgpass" "$kept"; then
		put "$kept" 600 root <"$work/pgpass"
		say "password of $role written to $kept"
		changed=yes
	fi
	set_password "$role" "$password"
}

# ---- TLS ----

# fits CERTIFICATE: is it for the address, or else for the name?  Sets host_word for a name.
fits() {
	host_word=''
	! openssl x509 -noout -in "$1" -checkip "$address" 2>&1 | grep -q 'does match' || return 0
	[ -n "$name" ] && host_word=$name &&
		openssl x509 -noout -in "$1" -checkhost "$name" 2>&1 | grep -q 'does match'
}

do_tls() {
	# Debian turns TLS on with a certificate of no use to anybody but itself.
	[ -n "$own_tls" ] || [ "$ssl" = off ] || [ "$cert" = "$out/server.crt" ] ||
		[[ $cert == *ssl-cert-snakeoil* ]] || tls=keep
	if [ "$tls" = keep ]; then
		fits "$cert" || die 78 "the server's certificate is not for $address" "it is $cert" \
			"let --own-tls replace it, or say by --name which name it is for"
		return
	fi
	[ -e "$out/ca.key" ] && [ -e "$out/ca.crt" ] || make_ca
	if ! good_certificate; then
		if [ -n "$dry_run" ]; then
			say "would do: certificate for $address made"
		else
			make_certificate
		fi
	fi
	[ "$ssl" = on ] && [ "$cert" = "$out/server.crt" ] || change "TLS on" postgres <<-END
		ALTER SYSTEM SET ssl_cert_file = '$out/server.crt';
		ALTER SYSTEM SET ssl_key_file = '$out/server.key';
		ALTER SYSTEM SET ssl = on;
	END
	reload "SHOW ssl" on
}

# For another year, for this address and name, by our CA.
good_certificate() {
	[ -e "$out/server.key" ] && fits "$out/server.crt" && [ -z "$host_word" ] &&
		{ [ -z "$name" ] || openssl x509 -noout -in "$out/server.crt" -checkhost "$name" |
			grep -q 'does match'; } &&
		openssl x509 -noout -in "$out/server.crt" -checkend 31536000 >/dev/null &&
		openssl verify -CAfile "$out/ca.crt" "$out/server.crt" >/dev/null 2>&1
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 2>/dev/null; }

make_ca() {
	[ -z "$dry_run" ] || { say "would do: CA made in $out" && return; }
	new_key >"$work/ca.key" &&
		openssl req -new -x509 -key "$work/ca.key" -days 7300 -out "$work/ca.crt" \
			-subj "/CN=pg_vrrp witness $address" 2>"$work/said" ||
		die 71 "no CA could be made" "$(said)"
	put "$out/ca.key" 600 root <"$work/ca.key"
	put "$out/ca.crt" 644 root <"$work/ca.crt"
	say "CA made in $out"
	changed=yes
}

# For ten years: a certificate that ends takes the witness away from every cluster at once.
make_certificate() {
	local names="IP:$address"
	host_word=''
	[ -z "$name" ] || names+=",DNS:$name"
	new_key >"$work/server.key" &&
		openssl req -new -key "$work/server.key" -subj "/CN=${name:-$address}" \
			-out "$work/server.csr" 2>"$work/said" &&
		openssl x509 -req -in "$work/server.csr" -days 3650 -sha256 -CA "$out/ca.crt" \
			-CAkey "$out/ca.key" -set_serial "0x$(openssl rand -hex 16)" -out "$work/server.crt" \
			-extfile <(printf '%s\n' "subjectAltName=$names" 'basicConstraints=critical,CA:FALSE') \
			2>"$work/said" || die 71 "no certificate could be made" "$(said)"
	put "$out/server.key" 600 "$os_user" <"$work/server.key"
	put "$out/server.crt" 644 root <"$work/server.crt"
	say "certificate for $address made"
	changed=yes
}

# ---- who may come in ----

do_listen() {
	local word words
	IFS=', ' read -ra words <<<"$listen"
	for word in "${words[@]}"; do
		[ "$word" != "*" ] && [ "$word" != "$address" ] || return 0
		[ "$word" != 0.0.0.0 ] || [[ $address == *:* ]] || return 0
		[ "$word" != :: ] || [[ $address != *:* ]] || return 0
	done
	# Not the address alone: a server that starts before its network would never listen there.
	change "the server is to listen everywhere; pg_hba.conf says who may come in" postgres \
		<<<"ALTER SYSTEM SET listen_addresses = '*';"
	pending=yes
}

# The lines of every cluster stand in one block above all others, where nothing can precede them: a
# password that was stolen is of no use elsewhere, and none goes without TLS.
do_hba() {
	local begin='# pg_vrrp witness: lines of witness-setup, which belong above all others'
	local end='# pg_vrrp witness: end' node bits
	{
		echo "$begin"
		{
			sed -n "/^$begin\$/,/^$end\$/ { /^hostssl/p; }" "$hba"
			for node in "${allowed[@]}"; do
				bits=32 && [[ $node != *:* ]] || bits=128
				echo "hostssl $database $role $node/$bits scram-sha-256"
			done
		} | awk '!seen[$0]++ { print; last["host " $2 " " $3 " all reject"] }
			END { for (line in last) print line | "sort" }'
		echo "$end"
		sed "/^$begin\$/,/^$end\$/d" "$hba"
	} >"$work/hba" || die 71 "$hba cannot be read"
	cmp -s "$work/hba" "$hba" && return
	if [ -n "$dry_run" ]; then
		say "would do: ${allowed[*]} let in by $hba"
		return
	fi
	replace "$hba" <"$work/hba"
	say "${allowed[*]} let in by $hba"
	changed=yes
}

# Reads the lines as the server does, and greets it as a node will.
do_try() {
	local trouble target=$address root=$out/ca.crt limit=$((SECONDS + 10))
	[ -z "$dry_run" ] || return 0
	trouble=$(hba_trouble)
	[ -z "$trouble" ] || die 78 "$hba has an error" "$trouble" \
		"the server takes no line of it until that is mended"
	reload "SELECT 1" 1
	if [ -n "$pending" ]; then
		[ -n "$restart" ] || return 0
		restart_server
	fi
	# An address that a router translates is on no interface here.
	ip -o addr 2>/dev/null | grep -qF " $address/" || target=localhost
	[[ $target != *:* ]] || target="[$target]"
	[ "$tls" = own ] || root=$cert
	until greet "$target" "$root"; do
		[ "$SECONDS" -lt "$limit" ] || die 71 "no server answers with TLS at $target:$port" "$(said)" \
			"the server's log says why; a firewall may stand in the way"
		sleep 0.1
	done
}

greet() {
	local expect=(-verify_ip "$address")
	[ -z "$host_word" ] || expect=(-verify_hostname "$host_word")
	timeout 5 openssl s_client -starttls postgres -connect "$1:$port" -CAfile "$2" "${expect[@]}" \
		-partial_chain -verify_return_error </dev/null >/dev/null 2>"$work/said"
}

restart_server() {
	local words
	if [[ $config_file =~ ^/etc/postgresql/([^/]+)/([^/]+)/ ]] && command -v pg_ctlcluster >/dev/null
	then
		words=(pg_ctlcluster "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" restart)
		"${words[@]}" >"$work/said" 2>&1 </dev/null 9>&-
	else
		words=("$bin_dir/pg_ctl" restart -D "$data" -w -m fast -l "$data/witness-setup.log")
		as_owner "${words[@]}" >"$work/said" 2>&1 </dev/null
	fi || die 71 "the server could not be restarted" "$(said)"
	say "server restarted"
	pending=''
}
