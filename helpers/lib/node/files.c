/* SPDX-License-Identifier: PostgreSQL */
#include "node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/state.h"

/* What lasts is tried again sooner than this, so that a longer pause means that it had gone. */
#define ATTEMPT_TOLD_MS 60000
/* Larger than years of failovers; then the older half of the story moves to history.1. */
#define HISTORY_MAX (1024 * 1024)

static struct file_path path_join(const char *directory, const char *name)
{
	struct file_path path;
	int length = snprintf(path.text, sizeof(path.text), "%s/%s", directory, name);

	/* A path that does not fit must not look like a file that is absent (ENOENT): for the
	 * fenced mark that would be a permission.  This one gives ENOTDIR. */
	if (length < 0 || (size_t)length >= sizeof(path.text))
		(void)snprintf(path.text, sizeof(path.text), "/dev/null/path-too-long");
	return path;
}

struct file_path file_run(const struct cfg *cfg, const char *name)
{
	return path_join(cfg->run_dir, name);
}

struct file_path file_state(const struct cfg *cfg, const char *name)
{
	return path_join(cfg->state_dir, name);
}

int files_prepare(const struct cfg *cfg)
{
	int rc = state_mkdirs(cfg->run_dir);

	return rc < 0 ? rc : state_mkdirs(cfg->state_dir);
}

void file_clean(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (; text != NULL && *text != '\0' && used + 1 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		out[used++] = byte < 0x20 || byte == 0x7f ? ' ' : (char)byte;
	}
	out[used] = '\0';
}

int boot_id(char *id, size_t size)
{
	AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != 36 || strspn(text, "0123456789abcdef-") != 36)
		return -EINVAL;
	if (size < sizeof("00000000-0000-0000-0000-000000000000"))
		return -EFBIG;
	(void)snprintf(id, size, "%s", text);
	return 0;
}

void file_wall_clock(char *text, size_t size)
{
	struct timespec now = { 0 };
	struct tm parts;

	text[0] = '\0';
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &parts) != NULL &&
	    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		text[0] = '\0';
}

/* ---- attempt.HELPER ---- */

int attempt_write(const struct cfg *cfg, const char *helper, const struct verdict *verdict)
{
	char name[64], at[32], message[256], detail[sizeof(verdict->detail)], hint[256];
	char text[STATE_TEXT_MAX];

	(void)snprintf(name, sizeof(name), "attempt.%s", helper);
	file_wall_clock(at, sizeof(at));
	file_clean(message, sizeof(message), verdict->message);
	file_clean(detail, sizeof(detail), verdict->detail);
	file_clean(hint, sizeof(hint), verdict->hint);
	(void)snprintf(
	    text, sizeof(text),
	    "outcome=%s\nrule=%s\nmessage=%s\ndetail=%s\nhint=%s\nat=%s\nboot_ms=%" PRId64 "\n",
	    outcome_word(verdict->outcome), verdict->rule != NULL ? verdict->rule : "", message,
	    detail, hint, at, now_ms());
	return state_write(file_run(cfg, name).text, text, 0644, false);
}

int attempt_read(const struct cfg *cfg, const char *helper, char *text, size_t size)
{
	char name[64], content[STATE_TEXT_MAX], outcome[32], rule[64], message[256], detail[320];
	int rc;

	text[0] = '\0';
	(void)snprintf(name, sizeof(name), "attempt.%s", helper);
	rc = state_read(file_run(cfg, name).text, content, sizeof(content));
	if (rc == 0)
		rc = state_get(content, "outcome", outcome, sizeof(outcome));
	if (rc == 0)
		rc = state_get(content, "rule", rule, sizeof(rule));
	if (rc == 0)
		rc = state_get(content, "message", message, sizeof(message));
	if (rc == 0)
		rc = state_get(content, "detail", detail, sizeof(detail));
	if (rc != 0)
		return rc;
	if (snprintf(text, size, "%s %s: %s%s%s%s", outcome, rule, message,
		     detail[0] != '\0' ? " (" : "", detail, detail[0] != '\0' ? ")" : "") < 0)
		return -EINVAL;
	return 0;
}

enum fact attempt_fact(const char *text)
{
	if (strncmp(text, "yes ", 4) == 0)
		return FACT_YES;
	return strncmp(text, "no ", 3) == 0 ? FACT_NO : FACT_UNKNOWN;
}

enum fact attempt_said(const struct cfg *cfg, const char *helper)
{
	char last[STATE_TEXT_MAX];

	return attempt_read(cfg, helper, last, sizeof(last)) == 0 ? attempt_fact(last)
								  : FACT_UNKNOWN;
}

bool attempt_is_same(const struct cfg *cfg, const char *helper, const struct verdict *verdict)
{
	char last[STATE_TEXT_MAX];
	char head[64];

	(void)snprintf(head, sizeof(head), "%s %s:", outcome_word(verdict->outcome), verdict->rule);
	return attempt_read(cfg, helper, last, sizeof(last)) == 0 &&
	       strncmp(last, head, strlen(head)) == 0;
}

bool attempt_is_told(const struct cfg *cfg, const char *helper, const struct verdict *verdict)
{
	char name[64], text[STATE_TEXT_MAX];
	int64_t at_ms;

	(void)snprintf(name, sizeof(name), "attempt.%s", helper);
	if (state_read(file_run(cfg, name).text, text, sizeof(text)) < 0 ||
	    state_get_i64(text, "boot_ms", &at_ms) < 0)
		return false;
	return now_ms() - at_ms < ATTEMPT_TOLD_MS && attempt_is_same(cfg, helper, verdict);
}

/* ---- history ---- */

/* A JSON string without its quotes (RFC 8259 section 7); what does not fit is cut off. */
static void json_escape(char *out, size_t size, const char *text)
{
	size_t used = 0;

	out[0] = '\0';
	for (; text != NULL && *text != '\0' && used + 7 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\') {
			out[used++] = '\\';
			out[used++] = (char)byte;
		} else if (byte < 0x20) {
			used += (size_t)snprintf(out + used, 7, "\\u%04x", (unsigned int)byte);
		} else {
			out[used++] = (char)byte;
		}
		out[used] = '\0';
	}
}

/* Failing to turn the page must not cost the line itself: only a warning would come of it. */
static void history_turn(const struct cfg *cfg, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_size > HISTORY_MAX &&
	    rename(path, file_state(cfg, "history.1").text) < 0)
		return;
}

/* members: further ones, each with a comma before it. */
static int add_event(const struct cfg *cfg, const char *event, const char *detail,
		     const char *members)
{
	struct file_path path = file_state(cfg, "history");
	char at[32], event_text[64], detail_text[1024], line[2048];
	int length;

	file_wall_clock(at, sizeof(at));
	json_escape(event_text, sizeof(event_text), event);
	json_escape(detail_text, sizeof(detail_text), detail);
	length = snprintf(line, sizeof(line),
			  "{\"at\":\"%s\",\"boot_ms\":%lld,\"node\":\"%s\",\"event\":\"%s\","
			  "\"detail\":\"%s\"%s}",
			  at, (long long)now_ms(), cfg_self(cfg)->name, event_text, detail_text,
			  members);
	if (length < 0 || (size_t)length >= sizeof(line))
		return -EFBIG;
	history_turn(cfg, path.text);
	return state_append(path.text, line, 0644);
}

int history_add(const struct cfg *cfg, const char *event, const char *detail)
{
	return add_event(cfg, event, detail, "");
}

int history_add_salvaged(const struct cfg *cfg, const char *detail, const char *path,
			 int64_t transactions, int64_t bytes)
{
	char path_text[2 * sizeof(struct file_path)], members[sizeof(path_text) + 128];

	json_escape(path_text, sizeof(path_text), path);
	(void)snprintf(members, sizeof(members),
		       ",\"salvaged\":{\"path\":\"%s\",\"transactions\":%" PRId64
		       ",\"bytes\":%" PRId64 "}",
		       path_text, transactions, bytes);
	return add_event(cfg, "salvaged", detail, members);
}
