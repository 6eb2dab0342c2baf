/* SPDX-License-Identifier: PostgreSQL */
/* A mark that the fence agent worked in good times: with the program and the options of that
 * day. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <errno.h>

#include "base/state.h"
#include "node/agent_mark.h"
#include "node/path.h"

static struct file_path mark_path(const struct cfg *cfg, const char *node)
{
	char name[CFG_NAME_MAX + 16];

	(void)snprintf(name, sizeof(name), "agent.%s", node);
	return file_state(cfg, name);
}

/* Another program, other options, or the same file written anew: all that was seen is of no use. */
static int describe(const struct cfg *cfg, const char *name, char *text, size_t size)
{
	const struct cfg_node *node = cfg_node(cfg, name);
	struct stat st;

	if (node == NULL || cfg->agent[0] == '\0')
		return -EINVAL;
	if (stat(node->fence_agent_options, &st) < 0)
		return -errno;
	(void)snprintf(text, size, "agent=%s\noptions=%s\nwritten=%" PRId64 ".%09ld\n", cfg->agent,
		       node->fence_agent_options, (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

enum fact agent_seen_on(const struct cfg *cfg, const char *node)
{
	char today[STATE_TEXT_MAX], seen[STATE_TEXT_MAX];
	int rc = describe(cfg, node, today, sizeof(today));

	if (rc < 0)
		return FACT_UNKNOWN;
	rc = state_read(mark_path(cfg, node).text, seen, sizeof(seen));
	if (rc == -ENOENT)
		return FACT_NO;
	return rc < 0 ? FACT_UNKNOWN : fact_of(strcmp(today, seen) == 0);
}

int agent_note_on(const struct cfg *cfg, const char *node)
{
	char text[STATE_TEXT_MAX];
	int rc;

	if (agent_seen_on(cfg, node) == FACT_YES)
		return 0;
	rc = describe(cfg, node, text, sizeof(text));
	return rc < 0 ? rc : state_write(mark_path(cfg, node).text, text, 0644, true);
}

int agent_forget_on(const struct cfg *cfg, const char *node)
{
	int rc = state_remove(mark_path(cfg, node).text, true);

	return rc == -ENOENT ? 0 : rc;
}
