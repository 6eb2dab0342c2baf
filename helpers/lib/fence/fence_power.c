/* SPDX-License-Identifier: PostgreSQL */
#include "fence/fence_power.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "node/agent_mark.h"

/* The status of FenceAgentAPI. */
#define STATUS_ON  0
#define STATUS_OFF 2
/* A BMC that was asked too much at once wants a moment. */
#define PAUSE_MS 500
/* A test of what fails half the time is good when it works once in so many tries. */
#define TEST_TRIES 4
/* One program has half of the time that is left, so that one that hangs leaves the next
 * a chance. */
#define PART_OF_TIME 2
#define RUN_LEAST_MS 500
/* Boilerplate that fence-agents prints below the reason of many a failure. */
#define AGENT_USAGE "Please use '-h' for usage"

/* ---- rules ---- */

static struct power_next over(enum power_end end)
{
	return (struct power_next){ .step = POWER_OVER, .end = end };
}

static struct power_next again(const struct power_facts *f, enum power_step step)
{
	if (f->test && f->tries + 1 >= TEST_TRIES)
		return over(POWER_UNPROVEN);
	return (struct power_next){ .step = step, .pause = true };
}

static struct power_next after_look(const struct power_facts *f)
{
	if (!f->test)
		return (struct power_next){ .step = POWER_OFF };
	if (f->exit_code == STATUS_ON)
		return over(POWER_PROVEN);
	if (f->exit_code == STATUS_OFF)
		return over(f->seen_on ? POWER_PROVEN : POWER_UNPROVEN);
	return again(f, POWER_LOOK);
}

static struct power_next after_check(const struct power_facts *f)
{
	if (f->exit_code == STATUS_OFF)
		return over(f->seen_on ? POWER_PROVEN : POWER_UNPROVEN);
	/* An agent that did not answer is asked again; after one that says "on" the host is
	 * switched off again. */
	return again(f, f->exit_code == STATUS_ON ? POWER_OFF : POWER_CHECK);
}

struct power_next power_decide(const struct power_facts *facts)
{
	switch (facts->step) {
	case POWER_LOOK:
		return after_look(facts);
	case POWER_OFF:
		if (facts->exit_code > 0)
			return (struct power_next){ .step = POWER_OFF_AGAIN, .pause = true };
		return (struct power_next){ .step = POWER_CHECK };
	case POWER_OFF_AGAIN:
		/* However it says that it ended. */
		return (struct power_next){ .step = POWER_CHECK };
	case POWER_CHECK:
		return after_check(facts);
	case POWER_RUN:
		return facts->exit_code == 0 ? over(POWER_PROVEN) : again(facts, POWER_RUN);
	case POWER_OVER:
	default:
		return over(POWER_UNPROVEN);
	}
}

/* ---- the run ---- */

/* Root runs it: whoever may write it is root. */
static int check_program(const char *path, char *why)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int rc = -errno;

		(void)snprintf(why, POWER_WHY_MAX, "%.80s: %s", path, strerror(-rc));
		return rc;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 || (st.st_uid != 0 && st.st_uid != geteuid())) {
		(void)snprintf(why, POWER_WHY_MAX, "%.80s is no program that only root may change",
			       path);
		return -EPERM;
	}
	return 0;
}

static const char *program_of(const struct power *power)
{
	return power->agent ? power->cfg->agent : power->cfg->hook;
}

static enum power_step first_step(const struct power *power)
{
	if (!power->agent)
		return POWER_RUN;
	return power->test || !power->seen_on ? POWER_LOOK : POWER_OFF;
}

int power_begin(struct power *power, const struct cfg *cfg, const struct cfg_node *node, bool agent,
		bool test)
{
	int rc;

	*power = (struct power){
		.cfg = cfg,
		.node = node,
		.agent = agent,
		.test = test,
		.seen_on = agent && agent_seen_on(cfg, node->name) == FACT_YES,
		.dl = deadline_in_ms(cfg->power_timeout_ms),
	};
	rc = check_program(program_of(power), power->why);
	if (rc < 0)
		return rc;
	power->step = first_step(power);
	power->begin_ms = now_ms();
	(void)snprintf(power->why, sizeof(power->why), "no answer");
	return 0;
}

static bool is_off(const struct power *power)
{
	return power->step == POWER_OFF || power->step == POWER_OFF_AGAIN;
}

static int start_agent(struct power *power, struct proc *proc)
{
	const char *const argv[] = { power->cfg->agent, NULL };
	const char *action = is_off(power) ? "off" : "status";
	char input[POWER_INPUT_MAX];
	struct proc_spec spec = { .argv = argv, .input = input };
	int rc =
	    power_input(power->node->fence_agent_options, action, input, sizeof(input), power->why);

	if (rc == 0)
		rc = proc_start(proc, &spec);
	explicit_bzero(input, sizeof(input));
	return rc;
}

static int start_hook(struct power *power, struct proc *proc)
{
	const char *const earnest[] = { power->cfg->hook, power->cfg->name, power->node->name,
					power->node->address, NULL };
	const char *const test[] = { power->cfg->hook,     "--test",
				     power->cfg->name,     power->node->name,
				     power->node->address, NULL };
	struct proc_spec spec = { .argv = power->test ? test : earnest };

	return proc_start(proc, &spec);
}

int power_start(struct power *power, struct proc *proc)
{
	int64_t part_ms = deadline_left_ms(&power->dl) / PART_OF_TIME;

	power->begin_ms = 0;
	power->kill_ms = now_ms() + (part_ms > RUN_LEAST_MS ? part_ms : RUN_LEAST_MS);
	return power->agent ? start_agent(power, proc) : start_hook(power, proc);
}

/* ---- how it ended ---- */

static const char *what_was_run(const struct power *power)
{
	if (!power->agent)
		return "the hook";
	return is_off(power) ? "the agent's \"off\"" : "the agent's \"status\"";
}

/* The line that ends at text[*end], without the empty ones behind it; *end moves to where it
 * begins. */
static const char *line_before(const char *text, size_t *end, int *length)
{
	const char *newline;
	size_t begin;

	while (*end > 0 && (text[*end - 1] == '\n' || text[*end - 1] == '\r'))
		(*end)--;
	newline = memrchr(text, '\n', *end);
	begin = newline == NULL ? 0 : (size_t)(newline + 1 - text);
	*length = (int)(*end - begin);
	*end = begin;
	return text + begin;
}

/* The last line, in printable characters. */
static void last_line(const char *text, bool agent, char *line, size_t size)
{
	size_t end = strlen(text);

	do {
		int length;
		const char *last = line_before(text, &end, &length);

		(void)snprintf(line, size, "%.*s", length, last);
	} while (agent && end > 0 && strstr(line, AGENT_USAGE) != NULL);
	text_make_harmless(line);
}

/* The time that fence-agents writes before it is in the log already, and takes the room of the
 * reason. */
static const char *after_time(const char *line)
{
	static const char level[] = "ERROR: ";
	const char *rest = line + strspn(line, "0123456789-:, ");

	return strncmp(rest, level, sizeof(level) - 1) == 0 ? rest + sizeof(level) - 1 : line;
}

/* An agent repeats an option that it does not know, with its value.  Of an output that did not fit
 * the rest was dropped, perhaps also the rest of a secret. */
static void hide_secrets(const struct power *power, const char *output, char *text)
{
	char input[POWER_INPUT_MAX];
	char why[POWER_WHY_MAX];

	if (!power->agent || text[0] == '\0')
		return;
	if (strlen(output) < PROC_OUTPUT_MAX - 1 &&
	    power_input(power->node->fence_agent_options, "status", input, sizeof(input), why) == 0)
		power_redact(text, input);
	else
		text[0] = '\0';
	explicit_bzero(input, sizeof(input));
}

static void explain(struct power *power, const struct proc *proc, int exit_code)
{
	const char *output = proc->output;
	char said[PROC_OUTPUT_MAX] = "";

	if (exit_code < 0) {
		(void)snprintf(power->why, sizeof(power->why), "%s hung and was killed",
			       what_was_run(power));
		return;
	}
	last_line(output, power->agent, said, sizeof(said));
	if (said[0] == '\0') {
		output = proc->errors;
		last_line(output, power->agent, said, sizeof(said));
	}
	hide_secrets(power, output, said);
	(void)snprintf(power->why, sizeof(power->why), "%s ended with exit code %d%s%.90s",
		       what_was_run(power), exit_code, said[0] != '\0' ? ": " : "",
		       power->agent ? after_time(said) : said);
}

/* Decides what is proven, and what an "off" is worth of an agent that was never seen to say
 * "on". */
static void explain_end(struct power *power)
{
	if (power->says_off && !power->seen_on)
		(void)snprintf(power->why, sizeof(power->why),
			       "the agent says off, but was never seen to say on");
	else if (power->agent && power->end == POWER_PROVEN)
		(void)snprintf(power->why, sizeof(power->why), "the agent's status says %s",
			       power->says_off ? "off" : "on");
}

static void note_status(struct power *power, int exit_code)
{
	if (!power->agent || is_off(power))
		return;
	power->says_off = exit_code == STATUS_OFF;
	if (exit_code != STATUS_ON)
		return;
	power->seen_on = true;
	log_failed("note that the agent says on", agent_note_on(power->cfg, power->node->name));
}

void power_take(struct power *power, const struct proc *proc)
{
	struct power_facts facts = { .step = power->step,
				     .exit_code = proc->done ? proc->exit_code : -1,
				     .test = power->test };
	struct power_next next;

	note_status(power, facts.exit_code);
	facts.seen_on = power->seen_on;
	facts.tries = power->tries;
	next = power_decide(&facts);
	explain(power, proc, facts.exit_code);
	log_debug("%s: %s", power->node->name, power->why);
	power->tries += next.pause;
	power->end = next.end;
	if (next.step == POWER_OVER)
		explain_end(power);
	power->step = next.step;
	if (next.step == POWER_OVER)
		return;
	power->begin_ms = now_ms() + (next.pause ? PAUSE_MS : 0);
	/* Nothing is begun that could not end: an "off" that nobody looks behind is of no use. */
	if (power->begin_ms + RUN_LEAST_MS > power->dl.at_ms)
		power->step = POWER_OVER;
}
