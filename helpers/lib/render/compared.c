/* SPDX-License-Identifier: PostgreSQL */
#include "render/compared.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/net.h"
#include "render/setting_rules.h"

/* All questions together; each has a limit of its own. */
#define LOOK_MS 12000

/* Where the shell has sent standard output. */
static void look_at_place(struct compared *compared)
{
	struct stat about;
	ssize_t length;

	if (fstat(STDOUT_FILENO, &about) < 0 || !S_ISREG(about.st_mode))
		return;
	length = readlink("/proc/self/fd/1", compared->place, sizeof(compared->place) - 1);
	compared->place[length > 0 ? length : 0] = '\0';
}

/* Which node this is helps here, and is no condition: so nothing is said when it is not known. */
static bool find_node(struct cfg *cfg)
{
	size_t found = 0;

	for (size_t i = 0; i < CFG_NODES; i++) {
		if (net_has_address(cfg->nodes[i].address, NULL) > 0) {
			cfg->self = i;
			found++;
		}
	}
	return found == 1;
}

void compared_look(struct compared *compared, struct cfg *cfg, bool node_given)
{
	const char *names[SETTING_RULES];
	const struct deadline dl = deadline_in_ms(LOOK_MS);

	*compared = (struct compared){ .looked = true, .node_known = node_given || find_node(cfg) };
	for (size_t i = 0; i < SETTING_RULES; i++)
		names[i] = setting_rules[i].name;
	server_settings_begin(&compared->here, names, SETTING_RULES);
	server_settings_begin(&compared->peer, names, SETTING_RULES);
	look_at_place(compared);
	server_settings_ask(&compared->here, cfg, PG_LOCAL, &dl);
	server_settings_read(&compared->here, cfg, &dl);
	if (compared->node_known)
		server_settings_ask(&compared->peer, cfg, PG_PEER, &dl);
}

/*
 * PostgreSQL's own default of a bound is that there is none.  Nobody has chosen that, and the disk
 * of a primary would fill; but where slots of others live by it, a bound could cost them their WAL.
 */
static bool binds(const struct setting_rule *rule, const struct server_settings *server,
		  const struct server_setting *setting)
{
	if (rule->kind != SETTING_BOUND)
		return true;
	return server->known && (!setting->standard || server->other_slots > 0);
}

void compared_seen(const struct compared *compared, const char *name, struct setting_seen *seen)
{
	const struct setting_rule *rule = setting_rule(name);
	const struct server_setting *here = server_setting(&compared->here, name);
	const struct server_setting *peer = server_setting(&compared->peer, name);

	*seen = (struct setting_seen){ .here = NULL };
	if (rule == NULL || here == NULL || peer == NULL)
		return;
	if (here->now_known && binds(rule, &compared->here, here))
		seen->here = here->now;
	if (here->next_known &&
	    (binds(rule, &compared->here, here) || strcmp(here->next, "-1") != 0))
		seen->files = here->next;
	if (peer->now_known && binds(rule, &compared->peer, peer))
		seen->peer = peer->now;
}
