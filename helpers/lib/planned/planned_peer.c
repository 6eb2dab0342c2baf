/* SPDX-License-Identifier: PostgreSQL */
/* Planned work of the other node, asked for at this one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "base/text.h"
#include "fence/fence_peer.h"
#include "planned/planned.h"

/* Beyond what it may wait: more than the other node gives its own run (fence_self). */
#define MORE_MS 130000
/* ssh gives up on a host that it does not reach after 5 s (fence_ssh.c). */
#define UNREACHED_MS 6000
/* ssh(1): it could not connect, or the connection broke. */
#define SSH_FAILED 255
#define LOOK_MS    200

/* The line of the verdict is the last one that was printed before the answer. */
static void last_line(char *text, char *line, size_t size)
{
	char *answer = strstr(text, "pg_vrrp 1 cluster=");

	if (answer != NULL)
		*answer = '\0';
	text_last_line(line, size, text);
}

static int wait_for(struct planned *p, struct proc *child, const struct deadline *dl)
{
	int rc = -ETIMEDOUT;

	while (rc == -ETIMEDOUT && !deadline_passed(dl)) {
		struct deadline soon = deadline_sooner(dl, LOOK_MS);

		rc = proc_wait(child, &soon);
		if (rc == -ETIMEDOUT)
			planned_tell(p, false, "the other node is at work");
	}
	return rc;
}

/* The end of the other node's run, in its own words. */
static struct verdict told(const struct planned *p, struct proc *child, const char *said)
{
	struct verdict verdict =
	    INCOMPLETE("answer-lost", "the other node was asked, and its answer did not come",
		       "it may still be at work: \"cluster_status\" on both nodes");
	char line[sizeof(verdict.detail)];
	enum outcome outcome;

	if (!outcome_parse(said, &outcome))
		return verdict;
	last_line(child->output, line, sizeof(line));
	verdict =
	    outcome == OUT_YES
		? (struct verdict)YES("asked", "the other node did what it was asked for", NULL)
		: (struct verdict)REFUSED("asked-in-vain", "the other node did not hand over",
					  NULL);
	verdict.outcome = outcome;
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%.40s: %.*s",
		       cfg_peer(p->cfg)->name, (int)sizeof(verdict.detail) - 44, line);
	return verdict;
}

/* By one way.  False: the other node was not reached by it, and nothing was asked. */
static bool ask(struct planned *p, bool through_witness, enum fence_ask what, int64_t wait_ms,
		struct verdict *verdict)
{
	struct deadline dl = deadline_in_ms(wait_ms + MORE_MS);
	struct proc AUTO_PROC child = PROC_NONE;
	const int64_t began_ms = now_ms();
	char said[16] = "";
	int rc = fence_peer_ask(&child, p->cfg, through_witness, what, wait_ms);

	if (rc == 0)
		rc = wait_for(p, &child, &dl);
	if (rc == 0 && child.exit_code == SSH_FAILED && now_ms() - began_ms < UNREACHED_MS) {
		text_clean(verdict->detail, sizeof(verdict->detail), child.errors);
		return false;
	}
	if (rc < 0 || fence_answer_parse(child.output, p->cfg->name, cfg_peer(p->cfg)->name, said,
					 sizeof(said)) < 0)
		said[0] = '\0';
	*verdict = told(p, &child, said);
	return true;
}

struct verdict planned_ask_peer(struct planned *p, enum fence_ask what, int64_t wait_ms)
{
	static const enum fencing_method ways[] = { FENCING_SSH, FENCING_SSH_WITNESS };
	struct verdict verdict =
	    REFUSED("peer-unasked", "the other node could not be asked over ssh",
		    "run it on that node; \"fence_old --test\" says what ssh lacks");

	planned_tell(p, true, "asking the other node");
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++)
		if (cfg_has_method(p->cfg, ways[i]) &&
		    ask(p, ways[i] == FENCING_SSH_WITNESS, what, wait_ms, &verdict))
			break;
	return verdict;
}
