/* SPDX-License-Identifier: PostgreSQL */
/* Ways of fencing that cannot be meant together, or lack what they need. */
#include "config/cfg_internal.h"

/* The time of a promotion besides its waits and an agent, as in cfg_check.c. */
#define PROMOTE_WORK_MS 5000

static bool is_power(enum fencing_method method)
{
	return method == FENCING_AGENT || method == FENCING_HOOK;
}

static void complain_methods(struct cfg_load *load, const char *hint, const char *what)
{
	cfg_complain(load, cfg_line_of(load, SECTION_FENCING, "methods"), hint, "%s", what);
}

/*
 * A host that is switched off was not asked whether it serves by right.  So those who ask come
 * first, and without one of them nobody would.
 */
static void check_order(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	bool asked = false;
	bool power = false;

	for (size_t i = 0; i < cfg->method_count; i++) {
		bool is = is_power(cfg->methods[i]);

		if (is && !asked) {
			complain_methods(load, "Set methods = ssh, ... first.",
					 "methods switches the other node off before it is asked");
			return;
		}
		if (!is && power) {
			complain_methods(load, "Put ssh and ssh-witness first.",
					 "methods asks the other node after it was switched off");
			return;
		}
		asked |= !is;
		power |= is;
	}
}

static void check_program(struct cfg_load *load, enum fencing_method method, const char *key,
			  const char *path)
{
	bool wanted = cfg_has_method(&load->cfg, method);

	if (wanted && path[0] == '\0')
		cfg_complain(load, cfg_line_of(load, SECTION_FENCING, "methods"),
			     "Name the program in [fencing].", "methods has %s, and there is no %s",
			     key, key);
	if (!wanted && path[0] != '\0')
		cfg_complain(load, cfg_line_of(load, SECTION_FENCING, key),
			     "Remove it, or add it to methods.", "%s is set, and methods has no %s",
			     key, key);
}

static void check_options(struct cfg_load *load)
{
	bool wanted = cfg_has_method(&load->cfg, FENCING_AGENT);

	for (size_t n = 0; n < CFG_NODES; n++) {
		const struct cfg_node *node = &load->cfg.nodes[n];
		bool has = node->fence_agent_options[0] != '\0';

		if (wanted && !has)
			cfg_complain(load, load->node_lines[n],
				     "Set fence_agent_options = FILE in [node NAME].",
				     "the agent is not told how to switch node \"%s\" off",
				     node->name);
		if (!wanted && has)
			cfg_complain(
			    load, load->node_lines[n], "Remove it, or add agent to methods.",
			    "node \"%s\" has fence_agent_options, and methods has no agent",
			    node->name);
	}
}

static void check_budget(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;
	int64_t need_ms = cfg->lease_ms + cfg->margin_ms + PROMOTE_WORK_MS + cfg_power_ms(cfg);
	char need[24];

	if (cfg_power_ms(cfg) == 0 || cfg_has_record(cfg) || cfg->promote_budget_ms >= need_ms)
		return;
	cfg_duration_text(need_ms, need, sizeof(need));
	cfg_complain(
	    load, cfg_line_of(load, SECTION_FENCING, "power_timeout"),
	    "promote_budget >= lease + margin + 5s + power_timeout, twice with agent and hook.",
	    "contradictory timings: promote_budget has to be at least %s", need);
}

void cfg_check_methods(struct cfg_load *load)
{
	const struct cfg *cfg = &load->cfg;

	if (cfg_has_method(cfg, FENCING_SSH_WITNESS) && !cfg->witness_ssh)
		complain_methods(load,
				 "Set ssh = yes in [witness], or leave ssh-witness out of methods.",
				 "methods has ssh-witness, and the witness host offers no ssh");
	check_order(load);
	check_program(load, FENCING_AGENT, "agent", cfg->agent);
	check_program(load, FENCING_HOOK, "hook", cfg->hook);
	check_options(load);
	check_budget(load);
}
