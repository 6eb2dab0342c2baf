/* SPDX-License-Identifier: PostgreSQL */
#include "render/restart.h"

#include <string.h>

#include "base/text.h"
#include "postgres/pgdata.h"
#include "rejoin/rejoin_host.h"
#include "render/setting_lines.h"
#include "render/setting_rules.h"

static enum fact is_standby(const struct server_settings *here, const struct cfg *cfg)
{
	enum pgdata_form form;

	if (here->known)
		return fact_of(here->standby);
	form = pgdata_form(cfg);
	if (form == PGDATA_STANDBY)
		return FACT_YES;
	return form == PGDATA_PRIMARY ? FACT_NO : FACT_UNKNOWN;
}

static void note(FILE *out, const char *what, const char *text)
{
	char clean[400];

	text_clean(clean, sizeof(clean), text);
	(void)fprintf(out, "  not known  %s: %s\n", what, clean);
}

static void print_unknown(FILE *out, const struct compared *compared, const struct cfg *cfg)
{
	if (!compared->here.known)
		note(out, "the server here", compared->here.why);
	if (!compared->here.files_known && !compared->here.files_unusable)
		note(out, "its files", compared->here.files_why);
	if (!compared->node_known)
		note(out, "the other node", "which node this is (-n NODE)");
	else if (!compared->peer.known)
		note(out, cfg_peer(cfg)->name, compared->peer.why);
}

/* Where both are known, and differ. */
static void print_changes(FILE *out, const struct server_settings *here)
{
	for (size_t i = 0; i < here->count; i++) {
		const struct server_setting *setting = &here->list[i];
		const struct setting_rule *rule = setting_rule(setting->name);
		const char *then = restart_value(here, setting->name);
		char from[SERVER_SETTING_MAX], to[SERVER_SETTING_MAX];
		int order = 0;

		/* A user who may not read the files is told at least that there is another
		 * value. */
		if (setting->now_known && then == NULL && setting->pending)
			(void)fprintf(out,
				      "  changes    %s: '%s' now, another value in the files\n",
				      setting->name, setting->now);
		if (!setting->now_known || then == NULL || rule == NULL ||
		    setting_same(rule, setting->now, then))
			continue;
		if (setting_compare(rule, then, setting->now, &order) < 0)
			order = 0;
		text_clean(from, sizeof(from), setting->now);
		text_clean(to, sizeof(to), then);
		(void)fprintf(out, "  %-9s  %s: '%s' now, '%s' by the files\n",
			      order < 0 ? "lowers" : "changes", setting->name, from, to);
	}
}

static void print_findings(FILE *out, const struct restart_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct restart_finding *finding = &findings->list[i];
		char detail[sizeof(finding->detail)];

		text_clean(detail, sizeof(detail), finding->detail);
		(void)fprintf(out,
			      "  BREAKS     %s\n             DETAIL: %s\n             HINT: %s\n",
			      finding->message, detail, finding->hint);
	}
}

void restart_print(FILE *out, struct restart_findings *findings, const struct compared *compared,
		   const struct cfg *cfg, const char *lines)
{
	const char *libraries = restart_value(&compared->here, "shared_preload_libraries");
	char missing[REJOIN_HOST_WHY_MAX] = "", lacking[400];
	const struct restart_facts facts = {
		.here = &compared->here,
		.peer = &compared->peer,
		.standby = is_standby(&compared->here, cfg),
		.port = cfg->port,
		.libraries = libraries != NULL
				 ? rejoin_host_libraries(cfg, libraries, missing, sizeof(missing))
				 : FACT_UNKNOWN,
		.libraries_why = missing,
	};

	restart_decide(findings, &facts);
	(void)fputs("\na restart of the server here\n", out);
	print_unknown(out, compared, cfg);
	print_changes(out, &compared->here);
	setting_lines_lacking(lines, compared, lacking, sizeof(lacking));
	if (lacking[0] != '\0')
		(void)fprintf(out,
			      "  lacks      what \"cluster_config postgresql\" prints for %s\n",
			      lacking);
	print_findings(out, findings);
	if (findings->count == 0 && compared->here.known && compared->here.files_known)
		(void)fputs("  breaks nothing that was looked at\n", out);
}
