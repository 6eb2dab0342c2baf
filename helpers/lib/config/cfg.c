/* SPDX-License-Identifier: PostgreSQL */
#include "config/cfg.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/cfg_internal.h"

int cfg_find(const char *dir, char *path, size_t size)
{
	char pattern[CFG_PATH_MAX];
	char list[1024] = "";
	glob_t found;
	int used = 0;
	int rc = -EINVAL;

	(void)snprintf(pattern, sizeof(pattern), "%s/*.ini", dir);
	if (glob(pattern, 0, NULL, &found) != 0) {
		log_complaint("no cluster configuration (*.ini) in %s", dir);
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
		log_complaint("several cluster configurations (*.ini) in %s", dir);
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
	if (load.complaints > CFG_COMPLAINTS_MAX)
		log_complaint("%s: and %u more faults", path, load.complaints - CFG_COMPLAINTS_MAX);
	if (load.complaints > 0)
		return -EINVAL;

	memcpy(load.cfg.path, path, strlen(path) + 1);
	*cfg = load.cfg;
	return 0;
}
