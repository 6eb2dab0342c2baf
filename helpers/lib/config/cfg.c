/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/cfg_internal.h"
#include "net/net.h"

/* The SIGKILL that ends a fence, and the look that nothing of the server is left. */
#define KILL_AND_VERIFY_MS 200
#define COMPLAINTS_MAX     20

int64_t cfg_fence_time_ms(const struct cfg *cfg)
{
	return cfg->stop_fast_ms + cfg->stop_immediate_ms + KILL_AND_VERIFY_MS;
}

struct cfg_watchdog cfg_watchdog(const struct cfg *cfg)
{
	const int64_t fence_ms = cfg_fence_time_ms(cfg);
	const int64_t stall_ms = cfg->lease_ms - fence_ms;
	const int64_t busy_ms = fence_ms + CFG_TICK_MS;
	const int64_t after_ms = cfg->margin_ms - cfg->lease_ms / 50;
	/* An answer is used one tick after it came, and counts from when it was asked for. */
	const int64_t late_ms = cfg->probe_timeout_ms + CFG_TICK_MS;
	const int64_t least_ms = stall_ms > busy_ms ? stall_ms : busy_ms;

	return (struct cfg_watchdog){ .least_s = (int)((least_ms + 999) / 1000),
				      .most_s = (int)((cfg->lease_ms + after_ms - late_ms) / 1000),
				      .after_ms = after_ms };
}

bool cfg_has_record(const struct cfg *cfg)
{
	return cfg->witness_kind == WITNESS_POSTGRES;
}

bool cfg_has_method(const struct cfg *cfg, enum fencing_method method)
{
	for (size_t i = 0; i < cfg->method_count; i++)
		if (cfg->methods[i] == method)
			return true;
	return false;
}

int64_t cfg_power_ms(const struct cfg *cfg)
{
	return cfg->power_timeout_ms *
	       (cfg_has_method(cfg, FENCING_AGENT) + cfg_has_method(cfg, FENCING_HOOK));
}

const char *cfg_witness_word(const struct cfg *cfg)
{
	static const char *const words[] = {
		[WITNESS_PING] = "ping", [WITNESS_TCP] = "tcp", [WITNESS_POSTGRES] = "postgres"
	};

	return words[cfg->witness_kind];
}

void cfg_complain(struct cfg_load *load, unsigned line, const char *hint, const char *fmt, ...)
{
	char message[512];
	va_list args;

	load->complaints++;
	if (load->complaints > COMPLAINTS_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (line > 0)
		log_complaint("%s:%u: %s", load->path, line, message);
	else
		log_complaint("%s: %s", load->path, message);
	log_complaint("HINT:  %s", hint);
}

unsigned cfg_line_of(const struct cfg_load *load, enum cfg_section section, const char *name)
{
	for (size_t i = 0; i < cfg_key_count; i++) {
		if (cfg_keys[i].section == section && strcmp(cfg_keys[i].name, name) == 0 &&
		    load->key_lines[i][0] != 0)
			return load->key_lines[i][0];
	}
	return load->section_lines[section];
}

int cfg_find(const char *dir, char *path, size_t size)
{
	char pattern[CFG_PATH_MAX];
	char list[1024] = "";
	glob_t found;
	int used = 0;
	int rc = -EINVAL;

	(void)snprintf(pattern, sizeof(pattern), "%s/*.ini", dir);
	if (glob(pattern, 0, NULL, &found) != 0) {
		log_complaint("%s: there is no cluster's file *.ini", dir);
		log_complaint("HINT:  Write one (docs/configuration.md), or name it: -c FILE.");
		return -EINVAL;
	}
	if (found.gl_pathc == 1 && strlen(found.gl_pathv[0]) < size) {
		memcpy(path, found.gl_pathv[0], strlen(found.gl_pathv[0]) + 1);
		rc = 0;
	} else {
		for (size_t i = 0; i < found.gl_pathc && (size_t)used < sizeof(list); i++)
			used += snprintf(list + used, sizeof(list) - (size_t)used, " %s",
					 found.gl_pathv[i]);
		log_complaint("%s: there are the files of several clusters", dir);
		log_complaint("HINT:  Name one with -c FILE:%s", list);
	}
	globfree(&found);
	return rc;
}

/* Two files of one name would share run_dir and state_dir. */
static void check_file_name(struct cfg_load *load)
{
	char expected[CFG_PATH_MAX];

	(void)snprintf(expected, sizeof(expected), "%s/%s.ini", CFG_DIR, load->cfg.name);
	if (strncmp(load->path, CFG_DIR "/", sizeof(CFG_DIR)) == 0 &&
	    strcmp(load->path, expected) != 0)
		cfg_complain(load, cfg_line_of(load, SECTION_CLUSTER, "name"),
			     "In " CFG_DIR " the file of a cluster is called NAME.ini.",
			     "the cluster's name is \"%s\"", load->cfg.name);
}

int cfg_load(struct cfg *cfg, const char *path)
{
	struct cfg_load load = { 0 };
	char found[CFG_PATH_MAX];

	memset(cfg, 0, sizeof(*cfg));
	if (path == NULL) {
		if (cfg_find(CFG_DIR, found, sizeof(found)) != 0)
			return -EINVAL;
		path = found;
	}
	load.path = path;
	if (strlen(path) >= sizeof(cfg->path))
		cfg_complain(&load, 0, "Use a shorter path.", "the path is too long");

	/* Each step reports all that it finds; the next would only add its consequences. */
	if (load.complaints == 0)
		cfg_parse(&load);
	if (load.complaints == 0)
		cfg_complete(&load);
	if (load.complaints == 0)
		cfg_check(&load);
	if (load.complaints == 0)
		check_file_name(&load);
	if (load.complaints > COMPLAINTS_MAX)
		log_complaint("%s: and %u more faults", path, load.complaints - COMPLAINTS_MAX);
	if (load.complaints > 0)
		return -EINVAL;

	memcpy(load.cfg.path, path, strlen(path) + 1);
	*cfg = load.cfg;
	return 0;
}

static int unknown_node(const struct cfg *cfg, const char *name)
{
	log_complaint("%s: there is no node \"%s\"; nodes are \"%s\" and \"%s\"", cfg->path, name,
		      cfg->nodes[0].name, cfg->nodes[1].name);
	return -ENOENT;
}

int cfg_identify(struct cfg *cfg, const char *name)
{
	size_t found = 0;
	int rc;

	for (size_t i = 0; i < CFG_NODES; i++) {
		if (name != NULL)
			rc = strcmp(cfg->nodes[i].name, name) == 0;
		else
			rc = net_has_address(cfg->nodes[i].address, NULL);
		if (rc < 0) {
			log_complaint("cannot read this host's addresses: %s", strerror(-rc));
			return -ENOENT;
		}
		if (rc > 0) {
			cfg->self = i;
			found++;
		}
	}
	if (found == 0 && name != NULL)
		return unknown_node(cfg, name);
	if (found != 1) {
		log_complaint(
		    "%s: this host has %s of the addresses %s (node %s) and %s (node %s); "
		    "say which node it is with -n NODE",
		    cfg->path, found == 0 ? "neither" : "both", cfg->nodes[0].address,
		    cfg->nodes[0].name, cfg->nodes[1].address, cfg->nodes[1].name);
		return -ENOENT;
	}
	log_identity(cfg->name, cfg->nodes[cfg->self].name);
	return 0;
}

const struct cfg_node *cfg_self(const struct cfg *cfg)
{
	return &cfg->nodes[cfg->self];
}

const struct cfg_node *cfg_peer(const struct cfg *cfg)
{
	return &cfg->nodes[1 - cfg->self];
}

const struct cfg_node *cfg_node(const struct cfg *cfg, const char *name)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		if (strcmp(cfg->nodes[i].name, name) == 0)
			return &cfg->nodes[i];
	}
	return NULL;
}
