/* SPDX-License-Identifier: PostgreSQL */
/* Fills in what the file does not say. */
#include "config/cfg_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Replaces {name} and its kin.  They come earlier in the table than the keys that use them. */
static int expand(const struct cfg *cfg, const char *from, char *to, size_t size)
{
	char version[16];
	const struct {
		const char *word;
		const char *value;
	} places[] = {
		{ "{name}", cfg->name },
		{ "{version}", version },
		{ "{interface}", cfg->interface },
		{ "{state_dir}", cfg->state_dir },
	};
	const char *value;
	size_t used = 0;

	(void)snprintf(version, sizeof(version), "%d", (int)cfg->version);
	while (*from != '\0') {
		char one[2] = { *from, '\0' };
		size_t step = 1;

		value = one;
		for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
			if (strncmp(from, places[i].word, strlen(places[i].word)) == 0) {
				value = places[i].value;
				step = strlen(places[i].word);
			}
		}
		if (used + strlen(value) >= size)
			return -EFBIG;
		memcpy(to + used, value, strlen(value));
		used += strlen(value);
		from += step;
	}
	to[used] = '\0';
	return 0;
}

/* A part of the lease never leaves the range of its key: a lease of 1s makes renewals of 200ms. */
static void raise_to_percent(const struct cfg *cfg, const struct cfg_key *key, void *base)
{
	int64_t part = cfg->lease_ms * key->percent_of_lease / 100;
	int64_t value;

	memcpy(&value, (char *)base + key->offset, sizeof(value));
	value = value > part ? value : part;
	value = value < key->min ? key->min : value;
	value = value > key->max ? key->max : value;
	memcpy((char *)base + key->offset, &value, sizeof(value));
}

static void complain_missing(struct cfg_load *load, const struct cfg_key *key, unsigned line)
{
	char allowed[160];
	char hint[200];

	cfg_allowed(key, allowed, sizeof(allowed));
	(void)snprintf(hint, sizeof(hint), "%s: %s.", key->name, allowed);
	cfg_complain(load, line, hint, "section [%s] lacks the required key \"%s\"",
		     cfg_section_words[key->section], key->name);
}

static void complete_key(struct cfg_load *load, const struct cfg_key *key, void *base,
			 unsigned line)
{
	char text[2 * CFG_PATH_MAX];

	if (key->fallback != NULL) {
		if (expand(&load->cfg, key->fallback, text, sizeof(text)) != 0 ||
		    cfg_value_set(key, base, text) != 0)
			cfg_complain(load, line, "Set it.", "the default of \"%s\" does not fit",
				     key->name);
	} else if (key->percent_of_lease == 0 && key->otherwise == NULL) {
		complain_missing(load, key, line);
	}
	if (key->percent_of_lease > 0)
		raise_to_percent(&load->cfg, key, base);
}

static void default_methods(struct cfg *cfg)
{
	if (cfg->method_count > 0)
		return;
	cfg->methods[cfg->method_count++] = FENCING_SSH;
	if (cfg->witness_ssh)
		cfg->methods[cfg->method_count++] = FENCING_SSH_WITNESS;
}

static void default_port(struct cfg *cfg)
{
	if (cfg->witness_kind == WITNESS_POSTGRES && cfg->witness_port == 0)
		cfg->witness_port = 5432;
}

/* sd_booted(3) looks for the same. */
static bool systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

struct cfg_debian cfg_debian(const char *config_file)
{
	struct cfg_debian is = { .unit = "" };
	char version[16], name[CFG_NAME_MAX];
	int used = 0;

	if (sscanf(config_file, "/etc/postgresql/%15[0-9]/%31[^/]/postgresql.conf%n", version, name,
		   &used) != 2 ||
	    used == 0 || config_file[used] != '\0')
		return is;
	(void)snprintf(is.unit, sizeof(is.unit), "postgresql@%s-%s", version, name);
	(void)snprintf(is.log_file, sizeof(is.log_file), "/var/log/postgresql/postgresql-%s-%s.log",
		       version, name);
	return is;
}

/* Where nobody has said anything, and nothing that is Debian's: pg_ctl, with a log of our own. */
static void default_unit(struct cfg *cfg)
{
	const bool found = cfg->unit[0] == '\0';
	struct cfg_debian debian = { .unit = "" };

	if (systemd_runs())
		debian = cfg_debian(cfg->config_file);
	if (found)
		memcpy(cfg->unit, debian.unit, sizeof(cfg->unit));
	if (strcmp(cfg->unit, "none") == 0)
		cfg->unit[0] = '\0';
	if (cfg->log_file[0] != '\0')
		return;
	if (cfg->unit[0] != '\0' && strcmp(cfg->unit, debian.unit) == 0)
		(void)snprintf(cfg->log_file, sizeof(cfg->log_file), "%s", debian.log_file);
	else
		(void)snprintf(cfg->log_file, sizeof(cfg->log_file), "%.240s/postgresql.log",
			       cfg->state_dir);
}

/* Behind all that it follows from.  A lease of minutes does not take it out of its range. */
static void default_margin(struct cfg *cfg)
{
	if (cfg->margin_ms == 0)
		cfg->margin_ms = cfg_margin_derived(cfg);
}

void cfg_complete(struct cfg_load *load)
{
	if (load->node_count < CFG_NODES)
		cfg_complain(load, 0, "Write two sections, [node NAME] with the address of each.",
			     "there is %s", load->node_count == 0 ? "no node" : "only one node");

	for (size_t i = 0; i < cfg_key_count; i++) {
		enum cfg_section section = cfg_keys[i].section;

		if (section != SECTION_NODE) {
			if (load->key_lines[i][0] == 0)
				complete_key(load, &cfg_keys[i], &load->cfg,
					     load->section_lines[section]);
			continue;
		}
		for (size_t n = 0; n < CFG_NODES && n < load->node_count; n++) {
			if (load->key_lines[i][n] == 0)
				complete_key(load, &cfg_keys[i], &load->cfg.nodes[n],
					     load->node_lines[n]);
		}
	}
	default_methods(&load->cfg);
	default_port(&load->cfg);
	default_margin(&load->cfg);
	default_unit(&load->cfg);
}
