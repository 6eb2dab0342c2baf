/* SPDX-License-Identifier: PostgreSQL */
/* A line always finds a reader when there is one, and never waits for one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "hear.h"

static char socket_path[64];
#define LOG_SOCKET_PATH socket_path
#include "base/log.c" /* NOLINT(bugprone-suspicious-include): the socket is this test's */

static int daemon_fd = -1;
static char received[4096];

static void start_daemon(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	daemon_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(daemon_fd >= 0);
	assert_int_equal(bind(daemon_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void stop_daemon(void)
{
	(void)close(daemon_fd);
	(void)unlink(socket_path);
	daemon_fd = -1;
}

/* The next datagram, or NULL. */
static const char *next_line(void)
{
	ssize_t got = recv(daemon_fd, received, sizeof(received) - 1, 0);

	if (got < 0)
		return NULL;
	received[got] = '\0';
	return received;
}

/* Checks what does not change with the time, and returns the text behind it. */
static const char *next_text(const char *priority)
{
	const char *line = next_line();
	char head[64];
	const char *tag;

	assert_non_null(line);
	assert_int_equal(strncmp(line, priority, strlen(priority)), 0);
	(void)snprintf(head, sizeof(head), " test[%d]: ", (int)getpid());
	tag = strstr(line, head);
	assert_non_null(tag);
	/* "<30>Jan  1 00:00:00" */
	assert_int_equal(tag - line, (long)strlen(priority) + 15);
	return tag + strlen(head);
}

static int set_up(void **state)
{
	(void)state;
	hear_directory();
	(void)snprintf(socket_path, sizeof(socket_path), "%s", hear_path("log"));
	memset(&logger, 0, sizeof(logger));
	logger.fd = -1;
	start_daemon();
	log_open("test", false);
	logger.terminal = false; /* also when the tests are run on one */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stop_daemon();
	if (logger.opened)
		(void)close(logger.fd);
	hear_remove();
	return 0;
}

static void a_line_looks_as_syslog_would_send_it(void **state)
{
	(void)state;
	log_info("hello %d", 7);
	assert_string_equal(next_text("<30>"), "hello 7");
	log_warning("careful");
	assert_string_equal(next_text("<28>"), "careful");
	log_error("bad");
	assert_string_equal(next_text("<27>"), "bad");
	assert_null(next_line());
}

static void every_line_names_cluster_and_node(void **state)
{
	char cluster[16] = "main", node[16] = "n1";

	(void)state;
	log_identity(cluster, node);
	memset(cluster, 'x', 4);
	log_info("hello");
	assert_string_equal(next_text("<30>"), "cluster=main node=n1 hello");
}

static void debug_lines_only_when_asked_for(void **state)
{
	(void)state;
	log_debug("hidden");
	assert_null(next_line());
	hear_begin();
	log_open("test", true);
	log_debug("seen");
	assert_string_equal(hear_end(), "DEBUG:  seen\n");
	assert_string_equal(next_text("<31>"), "seen");
}

static void one_line_stays_one_line(void **state)
{
	(void)state;
	log_info("FATAL:  no\n\tthanks\x1b[31m\r\n\n");
	assert_string_equal(next_text("<30>"), "FATAL:  no  thanks [31m");
	log_info("caf\xe9 \xc2\x9b"
		 "31m");
	assert_string_equal(next_text("<30>"), "caf?  31m");
	log_identity("a\nb", "c");
	log_info("x");
	assert_string_equal(next_text("<30>"), "cluster=a b node=c x");
}

static void a_line_that_is_too_long_is_cut(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(next_text("<30>")), LINE_MAX_BYTES - 1);
}

static void errno_survives(void **state)
{
	(void)state;
	stop_daemon();
	errno = EBUSY;
	log_info("x");
	assert_int_equal(errno, EBUSY);
	start_daemon();
}

/* --- the verdict --- */

static const struct verdict refused = {
	.outcome = OUT_REFUSED,
	.rule = "witness-unseen",
	.message = "the witness does not answer",
	.hint = "look at \"ping\"",
	.detail = "no reply from 192.0.2.3\nin 300 ms\n",
};

static void the_verdict_is_one_line_of_pairs(void **state)
{
	(void)state;
	log_identity("main", "n1");
	log_verdict(&refused, 412);
	assert_string_equal(next_text("<28>"),
			    "cluster=main node=n1 outcome=refused rule=witness-unseen "
			    "message=\"the witness does not answer\" "
			    "detail=\"no reply from 192.0.2.3 in 300 ms\" "
			    "hint=\"look at 'ping'\" elapsed_ms=412");
}

static void a_bare_verdict_has_no_empty_pairs(void **state)
{
	const struct verdict bare = { .outcome = OUT_YES };

	(void)state;
	log_verdict(&bare, 0);
	assert_string_equal(next_text("<30>"), "outcome=yes rule=none elapsed_ms=0");
}

static void the_level_follows_the_outcome(void **state)
{
	static const struct {
		enum outcome outcome;
		const char *priority;
	} table[] = {
		{ OUT_YES, "<30>" },     { OUT_NO, "<30>" },         { OUT_REFUSED, "<28>" },
		{ OUT_UNKNOWN, "<28>" }, { OUT_INCOMPLETE, "<28>" }, { OUT_USAGE, "<27>" },
		{ OUT_BUG, "<27>" },     { OUT_SYSTEM, "<27>" },     { OUT_CONFIG, "<27>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct verdict verdict = { .outcome = table[i].outcome, .rule = "r" };

		log_verdict(&verdict, 1);
		(void)next_text(table[i].priority);
	}
}

static void people_get_message_detail_and_hint(void **state)
{
	(void)state;
	log_open("test", true);
	hear_begin();
	log_verdict(&refused, 412);
	assert_string_equal(hear_end(), "WARNING:  the witness does not answer\n"
					"DETAIL:  no reply from 192.0.2.3 in 300 ms\n"
					"HINT:  look at \"ping\"\n");
}

/* --- who gets it --- */

static void the_caller_is_answered_without_a_terminal(void **state)
{
	(void)state;
	hear_begin();
	log_error("x");
	log_verdict(&refused, 1);
	assert_string_equal(
	    hear_end(), "test: refused [witness-unseen]: the witness does not answer - no reply "
			"from 192.0.2.3 in 300 ms - HINT: look at \"ping\"\n");
}

static void nothing_on_standard_error_for_a_program_that_calls(void **state)
{
	(void)state;
	log_quiet();
	for (int on_terminal = 0; on_terminal < 2; on_terminal++) {
		logger.terminal = on_terminal == 1;
		hear_begin();
		log_error("x");
		log_verdict(&refused, 1);
		assert_string_equal(hear_end(), "");
	}
	logger.terminal = false;
	logger.quiet = false;
}

static void a_terminal_gets_everything(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	int slave, saved = dup(STDERR_FILENO);
	char seen[128];
	ssize_t got;

	(void)state;
	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && dup2(slave, STDERR_FILENO) >= 0);
	log_open("test", false);
	log_info("hello");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	got = read(terminal, seen, sizeof(seen) - 1);
	assert_true(got > 0);
	seen[got] = '\0';
	assert_string_equal(seen, "INFO:  hello\r\n");
	(void)close(saved);
	(void)close(slave);
	(void)close(terminal);
}

static void without_syslog_warnings_go_to_standard_error(void **state)
{
	(void)state;
	stop_daemon();
	hear_begin();
	log_info("not worth it");
	log_warning("worth it");
	log_verdict(&refused, 1);
	assert_string_equal(hear_end(), "WARNING:  worth it\n"
					"test: refused [witness-unseen]: the witness does not "
					"answer - no reply from 192.0.2.3 in 300 ms - HINT: look "
					"at \"ping\"\n");
	start_daemon();
}

static void lost_lines_are_counted_and_told(void **state)
{
	(void)state;
	stop_daemon();
	log_info("one");
	log_info("two");
	start_daemon();
	log_info("three");
	assert_string_equal(next_text("<28>"), "2 log lines before this one were lost");
	assert_string_equal(next_text("<30>"), "three");
	log_info("four");
	assert_string_equal(next_text("<30>"), "four");
}

static void a_restarted_daemon_misses_nothing(void **state)
{
	(void)state;
	log_info("one");
	assert_string_equal(next_text("<30>"), "one");
	stop_daemon();
	start_daemon();
	log_info("two");
	assert_string_equal(next_text("<30>"), "two");
	assert_null(next_line());
}

/* syslog(3) would hang here until somebody reads. */
static void a_stuck_daemon_holds_up_nobody(void **state)
{
	int64_t begin = now_ms();
	int lines = 0, lost = -1;
	const char *last;

	(void)state;
	hear_begin();
	for (int i = 0; i < 2000; i++)
		log_info("line %d", i);
	log_warning("seen all the same");
	assert_string_equal(hear_end(), "WARNING:  seen all the same\n");
	assert_true(now_ms() - begin < 5000);
	while (next_line() != NULL)
		lines++;
	assert_in_range(lines, 1, 2000);
	log_info("again");
	last = next_text("<28>");
	assert_int_equal(sscanf(last, "%d log lines before this one were lost", &lost), 1);
	assert_int_equal(lines + lost, 2001);
	assert_string_equal(next_text("<30>"), "again");
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(a_line_looks_as_syslog_would_send_it),
		ALONE(every_line_names_cluster_and_node),
		ALONE(debug_lines_only_when_asked_for),
		ALONE(one_line_stays_one_line),
		ALONE(a_line_that_is_too_long_is_cut),
		ALONE(errno_survives),
		ALONE(the_verdict_is_one_line_of_pairs),
		ALONE(a_bare_verdict_has_no_empty_pairs),
		ALONE(the_level_follows_the_outcome),
		ALONE(people_get_message_detail_and_hint),
		ALONE(the_caller_is_answered_without_a_terminal),
		ALONE(nothing_on_standard_error_for_a_program_that_calls),
		ALONE(a_terminal_gets_everything),
		ALONE(without_syslog_warnings_go_to_standard_error),
		ALONE(lost_lines_are_counted_and_told),
		ALONE(a_restarted_daemon_misses_nothing),
		ALONE(a_stuck_daemon_holds_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
