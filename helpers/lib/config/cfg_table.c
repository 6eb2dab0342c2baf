/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg_internal.h"
#include "config/timing.h"

#include <stdio.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define TERA   (INT64_C(1) << 40)

#define AT(field)           .offset = offsetof(struct cfg, field)
#define TEXT_AT(field)      AT(field), .size = sizeof(((struct cfg *)NULL)->field)
#define NODE_AT(field)      .offset = offsetof(struct cfg_node, field)
#define NODE_TEXT_AT(field) NODE_AT(field), .size = sizeof(((struct cfg_node *)NULL)->field)
#define RANGE(low, high)    .min = (low), .max = (high)

const char *const cfg_section_words[SECTION_COUNT] = {
	[SECTION_CLUSTER] = "cluster",         [SECTION_NODE] = "node",
	[SECTION_WITNESS] = "witness",         [SECTION_POSTGRESQL] = "postgresql",
	[SECTION_REPLICATION] = "replication", [SECTION_FENCING] = "fencing",
	[SECTION_TIMING] = "timing",           [SECTION_HEALTH] = "health",
};

/* clang-format off */
const struct cfg_key cfg_keys[] = {
	{ SECTION_CLUSTER, "name", TYPE_NAME, TEXT_AT(name),
	  .meaning = "name of the cluster: in file names, log lines and answers to a fence request" },
	{ SECTION_CLUSTER, "vip", TYPE_VIP, AT(vip),
	  .meaning = "the virtual IP that clients connect to, with its prefix length" },
	{ SECTION_CLUSTER, "interface", TYPE_INTERFACE, TEXT_AT(interface),
	  .meaning = "network interface that carries the VIP and VRRP" },
	{ SECTION_CLUSTER, "virtual_router_id", TYPE_NUMBER, AT(virtual_router_id), RANGE(1, 254),
	  .meaning = "VRRP router id of the election; the next one is used for the VIP" },
	{ SECTION_CLUSTER, "run_dir", TYPE_PATH, TEXT_AT(run_dir),
	  .fallback = "/run/pg_vrrp/{name}",
	  .meaning = "track files, stamps and locks; emptied by a reboot" },
	{ SECTION_CLUSTER, "state_dir", TYPE_PATH, TEXT_AT(state_dir),
	  .fallback = "/var/lib/pg_vrrp/{name}",
	  .meaning = "marks that must survive a reboot, and the history" },
	{ SECTION_CLUSTER, "libexec_dir", TYPE_PATH, TEXT_AT(libexec_dir),
	  .fallback = PGV_LIBEXECDIR, .otherwise = "where they were installed",
	  .meaning = "where the helpers are installed" },

	{ SECTION_NODE, "address", TYPE_ADDRESS, NODE_TEXT_AT(address),
	  .meaning = "numeric address of the node for VRRP, replication, votes, probes and ssh" },
	{ SECTION_NODE, "interface", TYPE_INTERFACE, NODE_TEXT_AT(interface),
	  .fallback = "{interface}",
	  .meaning = "network interface on this node, where it differs from the cluster's" },
	{ SECTION_NODE, "ssh_port", TYPE_NUMBER, NODE_AT(ssh_port), RANGE(1, 65535),
	  .fallback = "22",
	  .meaning = "port of sshd on this node" },
	{ SECTION_NODE, "fence_agent_options", TYPE_PATH, NODE_TEXT_AT(fence_agent_options),
	  .otherwise = "required for the method agent",
	  .meaning = "file of KEY=VALUE lines that tell the agent how to switch this node off; mode 0600" },

	{ SECTION_WITNESS, "kind", TYPE_WITNESS, AT(witness_kind),
	  .fallback = "ping",
	  .meaning = "ICMP echo, a TCP connection, or a PostgreSQL that keeps the record of who may serve" },
	{ SECTION_WITNESS, "address", TYPE_HOST, TEXT_AT(witness_address),
	  .meaning = "the third host, on neither node" },
	{ SECTION_WITNESS, "port", TYPE_NUMBER, AT(witness_port), RANGE(1, 65535),
	  .otherwise = "required for tcp; 5432 for postgres",
	  .meaning = "TCP port of the witness; not with kind = ping" },
	{ SECTION_WITNESS, "database", TYPE_DATABASE, TEXT_AT(witness_database),
	  .fallback = "pgvrrp",
	  .meaning = "kind = postgres: database of the witness that has the schema of witness.sql",
	  .of_record = true },
	{ SECTION_WITNESS, "role", TYPE_ROLE, TEXT_AT(witness_role),
	  .fallback = "pgvrrp",
	  .meaning = "kind = postgres: role that may call its functions",
	  .of_record = true },
	{ SECTION_WITNESS, "passfile", TYPE_PATH, TEXT_AT(witness_passfile),
	  .fallback = CFG_DIR "/{name}.witness.pgpass",
	  .meaning = "kind = postgres: password file of libpq with the password of that role; mode 0600",
	  .of_record = true },
	{ SECTION_WITNESS, "conninfo", TYPE_CONNINFO_NAMED, TEXT_AT(witness_conninfo),
	  .otherwise = "none",
	  .meaning = "kind = postgres: further libpq parameters, e.g. sslmode, sslrootcert, host",
	  .of_record = true },
	{ SECTION_WITNESS, "ssh", TYPE_YESNO, AT(witness_ssh),
	  .fallback = "no",
	  .meaning = "the witness host has an account for us: jump host and observer for fencing" },
	{ SECTION_WITNESS, "ssh_port", TYPE_NUMBER, AT(witness_ssh_port), RANGE(1, 65535),
	  .fallback = "22",
	  .meaning = "port of sshd on the witness host" },
	{ SECTION_WITNESS, "ssh_user", TYPE_USER, TEXT_AT(witness_ssh_user),
	  .fallback = "root",
	  .meaning = "user on the witness host" },

	{ SECTION_POSTGRESQL, "port", TYPE_NUMBER, AT(port), RANGE(1, 65535),
	  .fallback = "5432",
	  .meaning = "TCP port of the server, the same on both nodes" },
	{ SECTION_POSTGRESQL, "version", TYPE_NUMBER, AT(version), RANGE(15, 30),
	  .meaning = "major version of the server" },
	{ SECTION_POSTGRESQL, "bin_dir", TYPE_PATH, TEXT_AT(bin_dir),
	  .fallback = "/usr/lib/postgresql/{version}/bin",
	  .meaning = "where pg_ctl, pg_rewind and pg_controldata are" },
	{ SECTION_POSTGRESQL, "data_dir", TYPE_PATH, TEXT_AT(data_dir),
	  .meaning = "data directory of the server" },
	{ SECTION_POSTGRESQL, "config_file", TYPE_PATH, TEXT_AT(config_file),
	  .otherwise = "in data_dir",
	  .meaning = "postgresql.conf, where it is not in the data directory (Debian)" },
	{ SECTION_POSTGRESQL, "socket_dir", TYPE_PATH, TEXT_AT(socket_dir),
	  .fallback = "/var/run/postgresql",
	  .meaning = "directory of the server's unix socket" },
	{ SECTION_POSTGRESQL, "unit", TYPE_UNIT, TEXT_AT(unit),
	  .otherwise = "postgresql@V-NAME where systemd runs and config_file is /etc/postgresql/V/NAME/postgresql.conf; else none",
	  .meaning = "unit of systemd that the server is started in; none: by pg_ctl" },
	{ SECTION_POSTGRESQL, "log_file", TYPE_PATH, TEXT_AT(log_file),
	  .otherwise = "that of Debian's unit; else postgresql.log in state_dir",
	  .meaning = "standard output and error of a server that the helpers start" },
	{ SECTION_POSTGRESQL, "os_user", TYPE_USER, TEXT_AT(os_user),
	  .fallback = "postgres",
	  .meaning = "user of the operating system that owns the server" },
	{ SECTION_POSTGRESQL, "role", TYPE_ROLE, TEXT_AT(role),
	  .fallback = "pgvrrp",
	  .meaning = "database role of the helpers, of replication and of pg_rewind" },
	{ SECTION_POSTGRESQL, "database", TYPE_DATABASE, TEXT_AT(database),
	  .fallback = "postgres",
	  .meaning = "database that the helpers connect to" },
	{ SECTION_POSTGRESQL, "passfile", TYPE_PATH, TEXT_AT(passfile),
	  .fallback = CFG_DIR "/{name}.pgpass",
	  .meaning = "password file of libpq with the password of role; mode 0600, owned by os_user" },
	{ SECTION_POSTGRESQL, "conninfo", TYPE_CONNINFO, TEXT_AT(conninfo),
	  .otherwise = "none",
	  .meaning = "further libpq parameters for connections to the other node, e.g. sslmode" },
	{ SECTION_POSTGRESQL, "auto_start", TYPE_YESNO, AT(auto_start),
	  .fallback = "yes",
	  .meaning = "the guard starts a server that is down, through rejoin --auto" },
	{ SECTION_POSTGRESQL, "disk_full", TYPE_DISK_FULL, AT(disk_full),
	  .fallback = "stay",
	  .meaning = "what a primary does whose disk is full: serve on, or leave it to a standby that is ready" },

	{ SECTION_REPLICATION, "mode", TYPE_MODE, AT(mode),
	  .fallback = "async",
	  .meaning = "sync: no acknowledged commit is lost, writes wait while the standby is away" },
	{ SECTION_REPLICATION, "max_lag", TYPE_BYTES, AT(max_lag_bytes), RANGE(0, TERA),
	  .fallback = "16MB",
	  .meaning = "WAL that a standby may lack, as last seen, and still be promoted" },
	{ SECTION_REPLICATION, "max_staleness", TYPE_DURATION, AT(max_staleness_ms),
	  RANGE(SECOND, 30 * (int64_t)DAY), .fallback = "300s",
	  .meaning = "how old a standby's last contact with its primary may be for a promotion" },
	{ SECTION_REPLICATION, "solo_after", TYPE_DURATION, AT(solo_after_ms), RANGE(500, MINUTE),
	  .fallback = "1500ms",
	  .meaning = "kind = postgres: a standby lost for so long may no longer take over (solo)",
	  .of_record = true },
	{ SECTION_REPLICATION, "rebuild", TYPE_REBUILD, AT(rebuild),
	  .fallback = "by-hand",
	  .meaning = "who decides that this node takes a new copy where pg_rewind is impossible" },
	{ SECTION_REPLICATION, "keep_old", TYPE_KEEP_OLD, AT(keep_old),
	  .fallback = "newest",
	  .meaning = "which of the data directories that a new copy replaced are kept" },
	{ SECTION_REPLICATION, "slots", TYPE_YESNO, AT(slots),
	  .fallback = "yes",
	  .meaning = "WAL is held for a node that is away, by a physical replication slot on the other one" },
	{ SECTION_REPLICATION, "drop_lost_slots", TYPE_YESNO, AT(drop_lost_slots),
	  .fallback = "no",
	  .meaning = "a slot of somebody else that is lost is dropped, not only reported" },
	{ SECTION_REPLICATION, "salvage", TYPE_SALVAGE, AT(salvage),
	  .fallback = "auto",
	  .meaning = "what diverged is kept before it is overwritten; what rejoin does where it cannot be" },
	{ SECTION_REPLICATION, "salvage_keep", TYPE_NUMBER, AT(salvage_keep), RANGE(1, 1000),
	  .fallback = "10",
	  .meaning = "how many salvages are kept; then the oldest is removed" },
	{ SECTION_REPLICATION, "salvage_max", TYPE_BYTES, AT(salvage_max_bytes), RANGE(0, TERA),
	  .fallback = "1GB",
	  .meaning = "the most WAL that one salvage keeps; of more only the report is written" },

	{ SECTION_FENCING, "methods", TYPE_METHODS, AT(methods),
	  .otherwise = "ssh, and ssh-witness with [witness] ssh = yes",
	  .meaning = "ways to fence the other node, in this order; agent and hook after ssh" },
	{ SECTION_FENCING, "unproven", TYPE_UNPROVEN, AT(unproven),
	  .fallback = "refuse",
	  .meaning = "what to do when no way could prove the old primary harmless" },
	{ SECTION_FENCING, "kernel_lease", TYPE_YESNO, AT(kernel_lease),
	  .fallback = "yes",
	  .meaning = "the kernel, by nftables, lets clients in only while the lease runs" },
	{ SECTION_FENCING, "watchdog", TYPE_WATCHDOG, AT(watchdog),
	  .fallback = "off",
	  .meaning = "a hardware watchdog resets the host of a primary whose guard no longer runs" },
	{ SECTION_FENCING, "watchdog_device", TYPE_PATH, TEXT_AT(watchdog_device),
	  .fallback = "/dev/watchdog",
	  .meaning = "that device; nobody else may use it" },
	{ SECTION_FENCING, "ssh_user", TYPE_USER, TEXT_AT(ssh_user),
	  .fallback = "root",
	  .meaning = "user on the nodes that answers a fence request" },
	{ SECTION_FENCING, "ssh_key", TYPE_PATH, TEXT_AT(ssh_key),
	  .fallback = CFG_DIR "/{name}.key",
	  .meaning = "private key for fencing; nothing else is authorized by it" },
	{ SECTION_FENCING, "ssh_known_hosts", TYPE_PATH, TEXT_AT(ssh_known_hosts),
	  .fallback = CFG_DIR "/{name}.known_hosts",
	  .meaning = "pinned host keys of nodes and witness host; no other is accepted" },
	{ SECTION_FENCING, "test_interval", TYPE_DURATION, AT(test_interval_ms),
	  RANGE(5 * SECOND, DAY), .fallback = "300s",
	  .meaning = "a standby tries every way of fencing this often, touching nothing" },
	{ SECTION_FENCING, "agent", TYPE_PATH, TEXT_AT(agent),
	  .otherwise = "required for the method agent",
	  .meaning = "a program of fence-agents, such as /usr/sbin/fence_ipmilan" },
	{ SECTION_FENCING, "hook", TYPE_PATH, TEXT_AT(hook),
	  .otherwise = "required for the method hook",
	  .meaning = "a program of yours that switches the other node off, or cuts it off for good" },
	{ SECTION_FENCING, "power_timeout", TYPE_DURATION, AT(power_timeout_ms),
	  RANGE(SECOND, 10 * MINUTE), .fallback = "20s",
	  .meaning = "the agent, or the hook, has this long in all, with its repetitions" },

	{ SECTION_TIMING, "lease", TYPE_DURATION, AT(lease_ms), RANGE(SECOND, 5 * MINUTE),
	  .fallback = "5s",
	  .meaning = "how long a primary may serve after the last proof that it may" },
	{ SECTION_TIMING, "margin", TYPE_DURATION, AT(margin_ms), RANGE(200, MINUTE),
	  .otherwise = "2 % of lease + 200ms; + 700ms with ping, tcp or kernel_lease = no; what a watchdog needs",
	  .meaning = "a standby waits this much longer than the lease: clock drift and late wake-ups" },
	{ SECTION_TIMING, "renew_interval", TYPE_DURATION, AT(renew_interval_ms),
	  RANGE(50, MINUTE), .percent_of_lease = 20,
	  .meaning = "the guard asks the witness this often" },
	{ SECTION_TIMING, "stop_fast", TYPE_DURATION, AT(stop_fast_ms), RANGE(50, MINUTE),
	  .percent_of_lease = 10,
	  .meaning = "a fence waits this long for a fast stop of the server, inside the lease" },
	{ SECTION_TIMING, "stop_immediate", TYPE_DURATION, AT(stop_immediate_ms),
	  RANGE(50, MINUTE), .percent_of_lease = 6,
	  .meaning = "then this long for an immediate stop; then SIGKILL" },
	{ SECTION_TIMING, "check_budget", TYPE_DURATION, AT(check_budget_ms),
	  RANGE(100, TIMING_BUDGET_MAX_MS),
	  .fallback = "800ms",
	  .meaning = "one round of check_primary" },
	{ SECTION_TIMING, "probe_timeout", TYPE_DURATION, AT(probe_timeout_ms), RANGE(20, 400),
	  .fallback = "250ms",
	  .meaning = "one question to the other node or to the witness" },
	{ SECTION_TIMING, "fence_budget", TYPE_DURATION, AT(fence_budget_ms),
	  RANGE(SECOND, 10 * MINUTE), .fallback = "10s",
	  .meaning = "one run of fence_old by an operator" },
	{ SECTION_TIMING, "promote_budget", TYPE_DURATION, AT(promote_budget_ms),
	  RANGE(5 * SECOND, HOUR), .fallback = "60s",
	  .meaning = "one run of promote_safe, with its waits" },
	{ SECTION_TIMING, "rejoin_budget", TYPE_DURATION, AT(rejoin_budget_ms),
	  RANGE(10 * SECOND, 7 * DAY), .fallback = "1h",
	  .meaning = "one run of rejoin, with pg_rewind" },
	{ SECTION_TIMING, "restart_wait", TYPE_DURATION, AT(restart_wait_ms), RANGE(0, HOUR),
	  .fallback = "10s",
	  .meaning = "a crashed primary leaves the standby this long before it may start again" },
	{ SECTION_TIMING, "retry_interval", TYPE_DURATION, AT(retry_interval_ms),
	  RANGE(200, 10 * MINUTE), .fallback = "2s",
	  .meaning = "pause of the guard between two attempts at the same deed" },
	{ SECTION_TIMING, "advert_interval", TYPE_DURATION, AT(advert_interval_ms),
	  RANGE(10, 10 * SECOND), .fallback = "100ms",
	  .meaning = "VRRP advertisements; a multiple of 10ms; three missed ones are a loss" },

	{ SECTION_HEALTH, "listen", TYPE_LISTEN, AT(health_listen),
	  .fallback = "off",
	  .meaning = "where node_health answers over HTTP: 127.0.0.1, the node's address, all addresses" },
	{ SECTION_HEALTH, "port", TYPE_NUMBER, AT(health_port), RANGE(1, 65535),
	  .fallback = "8008",
	  .meaning = "its TCP port" },
};
/* clang-format on */

const size_t cfg_key_count = ARRAY_COUNT(cfg_keys);
_Static_assert(ARRAY_COUNT(cfg_keys) <= CFG_KEYS_MAX, "struct cfg_load has a line for each key");

static void print_default(const struct cfg_key *key)
{
	if (key->otherwise != NULL)
		(void)fputs(key->otherwise, stdout);
	else if (key->percent_of_lease > 0 && key->fallback != NULL)
		(void)printf("%s, at least %d %% of lease", key->fallback,
			     (int)key->percent_of_lease);
	else if (key->percent_of_lease > 0)
		(void)printf("%d %% of lease", (int)key->percent_of_lease);
	else
		(void)fputs(key->fallback != NULL ? key->fallback : "required", stdout);
}

void cfg_print_reference(void)
{
	for (size_t i = 0; i < cfg_key_count; i++) {
		const struct cfg_key *key = &cfg_keys[i];
		char allowed[160];

		cfg_allowed(key, allowed, sizeof(allowed));
		(void)printf("%s\t%s\t%s\t", cfg_section_words[key->section], key->name, allowed);
		print_default(key);
		(void)printf("\t%s\n", key->meaning);
	}
}
