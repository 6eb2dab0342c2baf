/* SPDX-License-Identifier: PostgreSQL */
/*
 * The one INI file of a cluster, the same on every node.  Strict: anything not understood is
 * refused with file:line, what was wrong and what is allowed, and nothing is half-loaded.  The only
 * file that uses inih.  Read-only after loading.
 */
#ifndef PGV_CFG_H
#define PGV_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define CFG_NODES    2
#define CFG_NAME_MAX 32 /* cluster and node names: [a-z0-9_-], begins with a letter */
#define CFG_ADDR_MAX 64
#define CFG_PATH_MAX 256
#define CFG_TEXT_MAX 256
#define CFG_UNIT_MAX 64
#define CFG_DIR      "/etc/pg_vrrp" /* NAME.ini, one a cluster */

/* The guard looks this often at least: four times a second costs nothing that can be measured, and
 * a lease is seconds. */
#define CFG_TICK_MS 250

enum witness_kind { WITNESS_PING, WITNESS_TCP, WITNESS_POSTGRES };
enum replication_mode { MODE_ASYNC, MODE_SYNC };
/* The first two ask the node itself; the others switch its host off (fence/fence_power.h). */
enum fencing_method { FENCING_SSH = 1, FENCING_SSH_WITNESS, FENCING_AGENT, FENCING_HOOK };
#define FENCING_METHODS 4
enum fencing_unproven { UNPROVEN_REFUSE, UNPROVEN_PROMOTE };
enum watchdog_mode { WATCHDOG_OFF, WATCHDOG_AUTOMATIC, WATCHDOG_REQUIRED };
enum rebuild_who { REBUILD_BY_HAND, REBUILD_AUTOMATIC };
/* The reaction of a primary to a full disk. */
enum disk_full { DISK_FULL_STAY, DISK_FULL_STEP_DOWN };
/* Where the answers to health checks over HTTP are to be had. */
enum health_listen { HEALTH_OFF, HEALTH_LOCAL, HEALTH_NODE, HEALTH_ALL };
enum keep_old { KEEP_OLD_NONE, KEEP_OLD_NEWEST, KEEP_OLD_ALL };
/* How rejoin goes on where the diverged WAL could not be kept: AUTO goes on where nothing in it
 * can have been acknowledged, and refuses else. */
enum salvage_policy { SALVAGE_AUTO, SALVAGE_REQUIRE, SALVAGE_TRY, SALVAGE_NO };

/* [node NAME] */
struct cfg_node {
	char name[CFG_NAME_MAX];
	char address[CFG_ADDR_MAX];   /* numeric; VRRP, replication, votes, probes, ssh */
	char interface[CFG_NAME_MAX]; /* carries the VIP here; default: [cluster] interface */
	int64_t ssh_port;
	char fence_agent_options[CFG_PATH_MAX]; /* how the agent switches this node off */
};

struct cfg {
	char path[CFG_PATH_MAX]; /* the file itself */

	/* [cluster] */
	char name[CFG_NAME_MAX];
	char vip[CFG_ADDR_MAX]; /* address without prefix */
	int64_t vip_prefix;
	char interface[CFG_NAME_MAX];
	int64_t virtual_router_id;      /* of the election; the vip instance has the next one */
	char run_dir[CFG_PATH_MAX];     /* /run/pg_vrrp/NAME: gone at reboot */
	char state_dir[CFG_PATH_MAX];   /* /var/lib/pg_vrrp/NAME: survives reboots */
	char libexec_dir[CFG_PATH_MAX]; /* where the helpers are; default: where they were installed
					 */

	struct cfg_node nodes[CFG_NODES];
	size_t self; /* index of this host in nodes, valid after node_identify */

	/* [witness] */
	enum witness_kind witness_kind;
	char witness_address[CFG_TEXT_MAX]; /* numeric, or a name */
	int64_t witness_port;               /* tcp, postgres */
	/* postgres: the record (record/record.h) */
	char witness_database[CFG_NAME_MAX];
	char witness_role[CFG_NAME_MAX];
	char witness_passfile[CFG_PATH_MAX]; /* "" : none */
	char witness_conninfo[CFG_TEXT_MAX]; /* extra libpq parameters, e.g. sslmode */
	bool witness_ssh;                    /* it can be asked over ssh (jump host, observer) */
	int64_t witness_ssh_port;
	char witness_ssh_user[CFG_NAME_MAX];

	/* [postgresql] */
	int64_t port;
	char bin_dir[CFG_PATH_MAX];
	char data_dir[CFG_PATH_MAX];
	char config_file[CFG_PATH_MAX]; /* "" : in the data directory */
	char socket_dir[CFG_PATH_MAX];
	char log_file[CFG_PATH_MAX]; /* of a server that we start */
	char unit[CFG_UNIT_MAX];     /* of systemd, that the server lives in; "" : none */
	char os_user[CFG_NAME_MAX];
	char role[CFG_NAME_MAX]; /* the database role of the helpers */
	char database[CFG_NAME_MAX];
	char passfile[CFG_PATH_MAX]; /* "" : none */
	char conninfo[CFG_TEXT_MAX]; /* extra libpq parameters for peer and replication, e.g.
					sslmode=verify-full */
	int64_t version;             /* major version expected, e.g. 15 */
	bool auto_start; /* the guard starts a server that is down, through rejoin --auto */
	enum disk_full disk_full;

	/* [replication] */
	enum replication_mode mode;
	int64_t max_lag_bytes;
	int64_t max_staleness_ms;
	int64_t solo_after_ms;    /* with a record: a standby lost for so long is gone */
	enum rebuild_who rebuild; /* who decides that this node takes a new copy */
	enum keep_old keep_old;   /* of the data directories that a new copy replaced */
	bool slots;               /* WAL is held for a node that is away */
	bool drop_lost_slots;     /* of others, when their WAL is gone */
	enum salvage_policy salvage;
	int64_t salvage_keep;
	int64_t salvage_max_bytes; /* of WAL in one salvage */

	/* [fencing] */
	enum fencing_method methods[FENCING_METHODS]; /* in the order to be tried */
	size_t method_count;
	enum fencing_unproven unproven;
	bool kernel_lease; /* nftables lets clients in only while the lease runs */
	enum watchdog_mode watchdog;
	char watchdog_device[CFG_PATH_MAX];
	char ssh_user[CFG_NAME_MAX];
	char ssh_key[CFG_PATH_MAX];
	char ssh_known_hosts[CFG_PATH_MAX];
	int64_t test_interval_ms;
	char agent[CFG_PATH_MAX]; /* a fence-agents program */
	char hook[CFG_PATH_MAX];  /* a program of the user */
	int64_t power_timeout_ms; /* of each of the two, with all its tries */

	/* [timing], milliseconds */
	int64_t lease_ms;
	int64_t margin_ms;
	int64_t renew_interval_ms; /* default lease / 5 */
	int64_t stop_fast_ms;      /* SIGINT, then wait this long */
	int64_t stop_immediate_ms; /* SIGQUIT, then wait this long; then SIGKILL */
	int64_t
	    check_budget_ms; /* one round of check_primary; below keepalived's interval of 1 s */
	int64_t probe_timeout_ms;  /* one question to peer or witness */
	int64_t fence_budget_ms;   /* one run of fence_old by an operator */
	int64_t promote_budget_ms; /* one run of promote_safe, waits included */
	int64_t rejoin_budget_ms;
	int64_t restart_wait_ms;    /* a crashed primary gives the standby this long before it may
				       start again itself */
	int64_t retry_interval_ms;  /* between two attempts of the guard at the same deed */
	int64_t advert_interval_ms; /* VRRP */

	/* [health] */
	enum health_listen health_listen;
	int64_t health_port;
};

/* Time that a fence by the guard takes at the most: both stops, and the kill with
 * its verification. */
int64_t cfg_fence_time_ms(const struct cfg *cfg);

/* A duration as the configuration file has them: digits and one of ms, s, min, h.  0; -EINVAL or
 * -ERANGE, and *ms is left alone. */
int cfg_duration_parse(const char *text, int64_t *ms) MUST_CHECK;

/* The margin as it follows from the rest (timing.h), ms: the default of the key. */
int64_t cfg_margin_derived(const struct cfg *cfg);

/*
 * The timeouts that a hardware watchdog may be set to, in the whole seconds that it counts.  Less
 * than `least` would reset a host that stalled for no longer than its lease allows, or that is just
 * being fenced in good order; with more than `most` it could hardly ever be fed.  least > most: no
 * timeout will do.
 */
struct cfg_watchdog {
	int least_s;
	int most_s;
	int64_t after_ms; /* the host may be reset so long after the end of its lease: before the
			     margin of the other node is over, whose clock may drift */
};
struct cfg_watchdog cfg_watchdog(const struct cfg *cfg);

/*
 * Loads path, or, when path is NULL, the only *.ini in CFG_DIR.  Returns 0, or -EINVAL after
 * writing "FILE:LINE: what was wrong" and the remedy to standard error and the log.
 */
int cfg_load(struct cfg *cfg, const char *path) MUST_CHECK;

/*
 * The unit that Debian's postgresql-common runs the server of this postgresql.conf in, and the file
 * that it writes the server's standard error to; both "" where the path is not one of Debian's.
 */
struct cfg_debian {
	char unit[CFG_UNIT_MAX];
	char log_file[CFG_PATH_MAX];
};
struct cfg_debian cfg_debian(const char *config_file);

/* Does the witness keep the record?  Then the right to serve comes from there. */
bool cfg_has_record(const struct cfg *cfg);
/* Is the method configured? */
bool cfg_has_method(const struct cfg *cfg, enum fencing_method method);
/* How long the configured ways that switch a host off may take one after the other; 0: none is. */
int64_t cfg_power_ms(const struct cfg *cfg);
/* "ping", "tcp", "postgres". */
const char *cfg_witness_word(const struct cfg *cfg);

const struct cfg_node *cfg_self(const struct cfg *cfg);
const struct cfg_node *cfg_peer(const struct cfg *cfg);

/* Returns the node of that name, or NULL. */
const struct cfg_node *cfg_node(const struct cfg *cfg, const char *name);

/* Prints every key with section, type, range, default and meaning, one a line, tab-separated:
 * docs/configuration.md is checked against it. */
void cfg_print_reference(void);

#endif
