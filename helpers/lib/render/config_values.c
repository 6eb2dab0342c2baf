/* SPDX-License-Identifier: PostgreSQL */
#include "render/config_values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/election.h"

void config_value(struct config_values *values, const char *name, const char *fmt, ...)
{
	struct template_value *value = &values->list[values->count];
	char *text = values->text + values->used;
	size_t left = sizeof(values->text) - values->used;
	va_list args;
	int length;

	if (values->count == CONFIG_VALUES_MAX) {
		values->full = true;
		return;
	}
	*value = (struct template_value){ .name = name };
	values->count++;
	if (fmt == NULL)
		return;
	va_start(args, fmt);
	length = vsnprintf(text, left, fmt, args);
	va_end(args);
	if (length < 0 || (size_t)length >= left) {
		values->full = true;
		return;
	}
	value->value = text;
	values->used += (size_t)length + 1;
}

static void condition(struct config_values *values, const char *name, bool holds)
{
	config_value(values, name, holds ? "%s" : NULL, "yes");
}

static bool is_six(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* With two digits: VRRP counts hundredths. */
static void seconds(struct config_values *values, const char *name, int64_t ms)
{
	config_value(values, name, "%" PRId64 ".%02" PRId64, ms / 1000, ms % 1000 / 10);
}

static void of_cluster(struct config_values *v, const struct cfg *cfg)
{
	config_value(v, "CLUSTER", "%s", cfg->name);
	config_value(v, "VIP", "%s", cfg->vip);
	config_value(v, "VIP_PREFIX", "%" PRId64, cfg->vip_prefix);
	/* Prefix length of one host. */
	config_value(v, "HOST_PREFIX", "%s", is_six(cfg->vip) ? "128" : "32");
	config_value(v, "ELECTION_ID", "%" PRId64, cfg->virtual_router_id);
	config_value(v, "VIP_ID", "%" PRId64, cfg->virtual_router_id + 1);
	config_value(v, "RUN_DIR", "%s", cfg->run_dir);
	config_value(v, "LIBEXEC_DIR", "%s", cfg->libexec_dir);
	seconds(v, "ADVERT_SECONDS", cfg->advert_interval_ms);
	/*
	 * Which node has the VIP is no election: the one that serves.  The other one is at fault
	 * and takes nothing, however few adverts it hears; what this one waits for before it is
	 * MASTER, three of them, costs clients as much.
	 */
	seconds(v, "VIP_ADVERT_SECONDS", (cfg->advert_interval_ms / 5 + 9) / 10 * 10);
}

/* As permitopen in authorized_keys wants it. */
static void host_port(struct config_values *v, const char *name, const struct cfg_node *node)
{
	bool six = is_six(node->address);

	config_value(v, name, "%s%s%s:%" PRId64, six ? "[" : "", node->address, six ? "]" : "",
		     node->ssh_port);
}

static void of_nodes(struct config_values *v, const struct cfg *cfg)
{
	config_value(v, "NODE_ONE", "%s", cfg->nodes[0].name);
	config_value(v, "NODE_TWO", "%s", cfg->nodes[1].name);
	config_value(v, "ADDRESS_ONE", "%s", cfg->nodes[0].address);
	config_value(v, "ADDRESS_TWO", "%s", cfg->nodes[1].address);
	host_port(v, "SSH_ONE", &cfg->nodes[0]);
	host_port(v, "SSH_TWO", &cfg->nodes[1]);
	config_value(v, "SSH_USER", "%s", cfg->ssh_user);
	config_value(v, "SSH_KEY", "%s", cfg->ssh_key);
	config_value(v, "KNOWN_HOSTS", "%s", cfg->ssh_known_hosts);
	config_value(v, "WITNESS", "%s", cfg->witness_address);
	config_value(v, "WITNESS_USER", "%s", cfg->witness_ssh_user);
	condition(v, "WITNESS_SSH", cfg->witness_ssh);
}

/* The value of `keyword` in a conninfo without quotes; a condition that does not hold
 * without it. */
static void of_conninfo(struct config_values *v, const char *name, const char *conninfo,
			const char *keyword)
{
	size_t length = strlen(keyword);

	while (*conninfo != '\0') {
		size_t pair = strcspn(conninfo, " ");

		if (strncmp(conninfo, keyword, length) == 0 && conninfo[length] == '=') {
			config_value(v, name, "%.*s", (int)(pair - length - 1),
				     conninfo + length + 1);
			return;
		}
		conninfo += pair + strspn(conninfo + pair, " ");
	}
	config_value(v, name, NULL);
}

static void of_record(struct config_values *v, const struct cfg *cfg)
{
	condition(v, "RECORD", cfg_has_record(cfg));
	config_value(v, "WITNESS_PORT", "%" PRId64, cfg->witness_port);
	config_value(v, "WITNESS_DATABASE", "%s", cfg->witness_database);
	config_value(v, "WITNESS_ROLE", "%s", cfg->witness_role);
	config_value(v, "WITNESS_PASSFILE", "%s", cfg->witness_passfile);
	of_conninfo(v, "WITNESS_NAME", cfg->witness_conninfo, "host");
	of_conninfo(v, "WITNESS_CRT", cfg->witness_conninfo, "sslrootcert");
}

static void of_server(struct config_values *v, const struct cfg *cfg)
{
	config_value(v, "PORT", "%" PRId64, cfg->port);
	config_value(v, "SOCKET_DIR", "%s", cfg->socket_dir);
	config_value(v, "OS_USER", "%s", cfg->os_user);
	config_value(v, "ROLE", "%s", cfg->role);
	config_value(v, "DATABASE", "%s", cfg->database);
	config_value(v, "PASSFILE", "%s", cfg->passfile);
	config_value(v, "LEASE_MS", "%" PRId64, cfg->lease_ms);
	condition(v, "SYNC", cfg->mode == MODE_SYNC);
}

static void of_this_node(struct config_values *v, const struct cfg *cfg)
{
	char election[CFG_ADDR_MAX];

	election_address(cfg, election, sizeof(election));
	config_value(v, "ELECTION_ADDRESS", "%s", election);
	config_value(v, "NODE", "%s", cfg_self(cfg)->name);
	config_value(v, "ADDRESS", "%s", cfg_self(cfg)->address);
	config_value(v, "INTERFACE", "%s", cfg_self(cfg)->interface);
	config_value(v, "PEER", "%s", cfg_peer(cfg)->name);
	config_value(v, "PEER_ADDRESS", "%s", cfg_peer(cfg)->address);
}

int config_values(struct config_values *values, const struct cfg *cfg, const char *path,
		  bool with_node)
{
	*values = (struct config_values){ .count = 0 };
	config_value(values, "CONFIG", "%s", path);
	of_cluster(values, cfg);
	of_nodes(values, cfg);
	of_record(values, cfg);
	of_server(values, cfg);
	if (with_node)
		of_this_node(values, cfg);
	return values->full ? -EFBIG : 0;
}
