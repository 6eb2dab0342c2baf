/* SPDX-License-Identifier: PostgreSQL */
#include "base/log.h"

#include <errno.h>
#include <paths.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "base/deadline.h"
#include "base/text.h"

/*
 * syslog(3) sends with a blocking socket: a log daemon that is stopped or stuck on a full disk
 * would hold up a fence for as long as it likes.  So the same datagram is sent from here without
 * blocking; what the daemon does not take is counted, and said when it takes lines again.
 */

#ifndef LOG_SOCKET_PATH /* the unit test has its own */
#define LOG_SOCKET_PATH _PATH_LOG
#endif

#define LINE_MAX_BYTES  1500 /* the longest verdict fits; more is cut */
#define NAME_MAX_BYTES  64
#define VERDICT_WAIT_MS 50 /* the last line of a run may wait so long for room in the queue */

static struct {
	const char *program;
	char identity[2 * NAME_MAX_BYTES + 20]; /* "cluster=... node=... " or "" */
	bool verbose;
	bool quiet;
	bool terminal;
	bool opened; /* fd is ours: it is 0, and somebody else's, before the first use */
	int fd;
	unsigned int lost;
} logger = { .program = "pg_vrrp" };

/* One line stays one line, and a server's message cannot steer the reader's terminal. */
static void make_harmless(char *text, bool in_quotes)
{
	text_make_harmless(text);
	for (char *c = text; in_quotes && *c != '\0'; c++) {
		if (*c == '"')
			*c = '\'';
	}
}

/* libpq ends its messages with a line feed, a blank by now. */
static void trim_end(char *text)
{
	for (size_t length = strlen(text); length > 0 && text[length - 1] == ' '; length--)
		text[length - 1] = '\0';
}

static int syslog_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", LOG_SOCKET_PATH);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		(void)close(fd);
		return -error;
	}
	logger.fd = fd;
	logger.opened = true;
	return 0;
}

static int syslog_send(const char *datagram, size_t length)
{
	int rc;

	/* A second attempt on a new socket: the daemon was restarted since the last line. */
	for (int attempt = 0; attempt < 2; attempt++) {
		if (!logger.opened) {
			rc = syslog_connect();
			if (rc < 0)
				return rc;
		}
		if (send(logger.fd, datagram, length, MSG_NOSIGNAL) >= 0)
			return 0;
		rc = -errno;
		if (rc == -EAGAIN || rc == -ENOBUFS || rc == -EMSGSIZE)
			return rc;
		(void)close(logger.fd);
		logger.opened = false;
	}
	return rc;
}

/* Builds and sends what syslog(3) would.  0 or -errno. */
static int syslog_line(int priority, const char *text)
{
	char datagram[LINE_MAX_BYTES + 256];
	char stamp[32] = "";
	struct timespec now = { 0 };
	struct tm local = { 0 };
	int length;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &local) != NULL)
		(void)strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S ", &local);
	length = snprintf(datagram, sizeof(datagram), "<%d>%s%s[%d]: %s%s", LOG_DAEMON | priority,
			  stamp, logger.program, (int)getpid(), logger.identity, text);
	if (length < 0)
		return -EINVAL;
	if ((size_t)length >= sizeof(datagram))
		length = sizeof(datagram) - 1;
	return syslog_send(datagram, (size_t)length);
}

/* Returns whether the line has found a reader. */
static bool to_syslog(int priority, const char *text)
{
	char note[64];

	if (logger.lost > 0) {
		(void)snprintf(note, sizeof(note), "%u log lines before this one were lost",
			       logger.lost);
		if (syslog_line(LOG_WARNING, note) == 0)
			logger.lost = 0;
	}
	if (syslog_line(priority, text) == 0)
		return true;
	logger.lost++;
	return false;
}

/*
 * The kernel queues ten lines unless told otherwise, and a file full of faults fills them.  The
 * verdict comes after the deed, so it can wait a moment.
 */
static bool verdict_to_syslog(int priority, const char *text)
{
	struct deadline dl = deadline_in_ms(VERDICT_WAIT_MS);
	struct pollfd room = { .events = POLLOUT };

	while (!to_syslog(priority, text)) {
		room.fd = logger.fd;
		if (!logger.opened || deadline_poll(&room, 1, &dl) <= 0)
			return false;
		logger.lost--;
	}
	return true;
}

/* A warning that syslog did not take is shown to whoever holds standard error. */
static bool wants_stderr(int priority, bool taken)
{
	return logger.verbose || (logger.terminal && !logger.quiet) ||
	       (!taken && priority <= LOG_WARNING);
}

static const char *level_word(int priority)
{
	if (priority <= LOG_ERR)
		return "ERROR";
	if (priority == LOG_WARNING)
		return "WARNING";
	return priority == LOG_INFO ? "INFO" : "DEBUG";
}

PRINTF_LIKE(2, 0) static void log_line(int priority, const char *fmt, va_list args)
{
	char text[LINE_MAX_BYTES];
	int saved = errno; /* a caller may log between a failure and its use of errno */
	bool taken;

	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		(void)snprintf(text, sizeof(text), "%s", fmt);
	make_harmless(text, false);
	trim_end(text);
	taken = to_syslog(priority, text);
	if (wants_stderr(priority, taken))
		(void)fprintf(stderr, "%s:  %s\n", level_word(priority), text);
	errno = saved;
}

void log_open(const char *program, bool verbose)
{
	logger.program = program;
	logger.verbose = verbose;
	logger.terminal = isatty(STDERR_FILENO) == 1;
}

void log_quiet(void)
{
	logger.quiet = true;
}

void log_identity(const char *cluster, const char *node)
{
	(void)snprintf(logger.identity, sizeof(logger.identity), "cluster=%.*s node=%.*s ",
		       NAME_MAX_BYTES, cluster, NAME_MAX_BYTES, node);
	make_harmless(logger.identity, false);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	if (!logger.verbose)
		return;
	va_start(args, fmt);
	log_line(LOG_DEBUG, fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_INFO, fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_WARNING, fmt, args);
	va_end(args);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_ERR, fmt, args);
	va_end(args);
}

void log_failed(const char *what, int rc)
{
	if (rc < 0)
		log_warning("could not %s: %s", what, strerror(-rc));
}

void log_complaint(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		(void)snprintf(text, sizeof(text), "%s", fmt);
	va_end(args);
	make_harmless(text, false);
	(void)to_syslog(LOG_ERR, text);
	(void)fprintf(stderr, "%s\n", text);
}

static int verdict_priority(enum outcome outcome)
{
	switch (outcome) {
	case OUT_YES:
	case OUT_NO:
		return LOG_INFO;
	case OUT_REFUSED:
	case OUT_UNKNOWN:
	case OUT_INCOMPLETE:
		return LOG_WARNING;
	case OUT_USAGE:
	case OUT_BUG:
	case OUT_SYSTEM:
	case OUT_CONFIG:
		break;
	}
	return LOG_ERR;
}

/* One field of the verdict for people; nothing when there is nothing to say. */
static void print_part(const char *before, const char *text, const char *behind)
{
	char copy[LINE_MAX_BYTES];

	if (text == NULL || text[0] == '\0')
		return;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	make_harmless(copy, false);
	trim_end(copy);
	(void)fprintf(stderr, "%s%s%s", before, copy, behind);
}

/* As psql shows an error, on a terminal or with -v; where lines are collected, in one. */
static void print_verdict(const struct verdict *verdict, int priority, const char *rule)
{
	const char *message = verdict->message != NULL ? verdict->message : rule;

	if (logger.terminal || logger.verbose) {
		(void)fprintf(stderr, "%s:  ", level_word(priority));
		print_part("", message, "\n");
		print_part("DETAIL:  ", verdict->detail, "\n");
		print_part("HINT:  ", verdict->hint, "\n");
		return;
	}
	(void)fprintf(stderr, "%s: %s [%s]", logger.program, outcome_word(verdict->outcome), rule);
	print_part(": ", message, "");
	print_part(" - ", verdict->detail, "");
	print_part(" - HINT: ", verdict->hint, "");
	(void)fprintf(stderr, "\n");
}

/* Appends ` key="text"`; nothing when there is nothing to say. */
static void append_quoted(char *line, size_t size, const char *key, const char *text)
{
	char copy[LINE_MAX_BYTES];
	size_t used = strlen(line);

	if (text == NULL || text[0] == '\0')
		return;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	make_harmless(copy, true);
	trim_end(copy);
	(void)snprintf(line + used, size - used, " %s=\"%s\"", key, copy);
}

void log_verdict(const struct verdict *verdict, int64_t elapsed_ms)
{
	char line[LINE_MAX_BYTES];
	int priority = verdict_priority(verdict->outcome);
	const char *rule = verdict->rule != NULL ? verdict->rule : "none";
	int saved = errno;
	size_t used;
	bool taken;

	(void)snprintf(line, sizeof(line), "outcome=%s rule=%s", outcome_word(verdict->outcome),
		       rule);
	append_quoted(line, sizeof(line), "message", verdict->message);
	append_quoted(line, sizeof(line), "detail", verdict->detail);
	append_quoted(line, sizeof(line), "hint", verdict->hint);
	used = strlen(line);
	(void)snprintf(line + used, sizeof(line) - used, " elapsed_ms=%lld", (long long)elapsed_ms);

	taken = verdict_to_syslog(priority, line);
	if (!logger.quiet || wants_stderr(priority, taken))
		print_verdict(verdict, priority, rule);
	errno = saved;
}
