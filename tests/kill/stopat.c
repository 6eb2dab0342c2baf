/* SPDX-License-Identifier: PostgreSQL */
/*
 * stopat LOG ORDER PROGRAM ARGUMENT... - runs PROGRAM and does one thing to it, at one system
 * call.  The order is one argument:
 *
 *	count                    nothing; LOG gets a line for each call and says which have effects
 *	before N LABEL           SIGKILL as it enters the Nth call with that label
 *	after N LABEL            SIGKILL as it leaves it
 *	fail ERRNO N LABEL       the call is not made and gives that error; N = 0: each time
 *	short N LABEL            it reads or writes half of what was asked for
 *
 * A label is what "count" printed; with a * at its end it stands for all that begin so.
 *
 * It can also stand in a helper's place, under the helper's name: then the program is
 * /run/stopat/NAME, LOG is /run/stopat/NAME.log, and the order is a file /run/stopat/NAME.order
 * whose first line is a word that has to be among the arguments ("-" is any, and after "!" it must
 * not be there) and whose second line is the order.  The first run that comes to the call takes the
 * file away and obeys; without one the program simply runs.
 *
 * The program keeps its pid and its parent: the one who traces is a grandchild.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stopat.h"

#define PLACE    "/run/stopat"
#define TEXT_MAX 1024
#define USAGE    64
#define SYSTEM   71

static bool number(const char **text, int *value)
{
	char *end;
	long read = strtol(*text, &end, 10);

	if (end == *text || *end != ' ' || read < 0 || read > 1000000)
		return false;
	*value = (int)read;
	*text = end + 1;
	return true;
}

static bool parse(struct order *order, const char *text)
{
	static const struct {
		const char *word;
		enum deed deed;
	} words[] = {
		{ "before ", DEED_KILL_BEFORE },
		{ "after ", DEED_KILL_AFTER },
		{ "fail ", DEED_FAIL },
		{ "short ", DEED_SHORT },
	};

	*order = (struct order){ .deed = DEED_COUNT };
	if (strcmp(text, "count") == 0)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i].word);

		if (strncmp(text, words[i].word, length) != 0)
			continue;
		order->deed = words[i].deed;
		text += length;
		if (order->deed == DEED_FAIL && !number(&text, &order->error))
			return false;
		return number(&text, &order->occurrence) &&
		       snprintf(order->label, LABEL_MAX, "%s", text) < LABEL_MAX;
	}
	return false;
}

/* Nobody who reads what the program says may wait for the one who traces it. */
static void keep_out_of_the_way(int log_fd, int ready_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null, fd);
	for (int fd = 3; fd < 1024; fd++) {
		if (fd != log_fd && fd != ready_fd)
			(void)close(fd);
	}
	(void)setsid();
	if (chdir("/") < 0)
		errno = 0;
}

static int start_trace(const char *log, const struct order *order)
{
	pid_t pid = getpid();
	int ready[2];
	pid_t middle;
	char byte;
	int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log_fd < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	middle = fork();
	if (middle < 0)
		return -errno;
	if (middle == 0) {
		if (fork() == 0) {
			keep_out_of_the_way(log_fd, ready[1]);
			_exit(trace(pid, order, log_fd, ready[1]) < 0);
		}
		_exit(0);
	}
	(void)waitpid(middle, NULL, 0);
	(void)close(log_fd);
	(void)close(ready[1]);
	/* Its end without a word: it could not trace. */
	if (read(ready[0], &byte, 1) != 1)
		return -EPERM;
	(void)close(ready[0]);
	return 0;
}

static int become(const char *program, char **argv)
{
	(void)execv(program, argv);
	(void)fprintf(stderr, "stopat: %s: %s\n", program, strerror(errno));
	return SYSTEM;
}

static int begin(const char *log, const char *text, const char *claim)
{
	struct order order;
	int rc;

	if (!parse(&order, text)) {
		(void)fprintf(stderr, "stopat: not understood: %s\n", text);
		return USAGE;
	}
	order.claim = claim;
	rc = start_trace(log, &order);
	if (rc < 0) {
		(void)fprintf(stderr, "stopat: cannot trace: %s\n", strerror(-rc));
		return SYSTEM;
	}
	return 0;
}

/* ---- in a helper's place ---- */

static bool wanted(const char *word, char **argv)
{
	bool absent = word[0] == '!';

	if (strcmp(word, "-") == 0)
		return true;
	for (char **argument = argv + 1; *argument != NULL; argument++) {
		if (strcmp(*argument, word + absent) == 0)
			return !absent;
	}
	return absent;
}

/* True with the order when there is one for a call with these arguments. */
static bool read_order(const char *path, char **argv, char *text, size_t size)
{
	char all[TEXT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, all, sizeof(all) - 1);
	char *second, *end;

	if (fd >= 0)
		(void)close(fd);
	if (got <= 0)
		return false;
	all[got] = '\0';
	second = strchr(all, '\n');
	if (second == NULL)
		return false;
	*second++ = '\0';
	end = strchr(second, '\n');
	if (end == NULL || !wanted(all, argv))
		return false;
	*end = '\0';
	(void)snprintf(text, size, "%s", second);
	return true;
}

static int stand_in(const char *name, char **argv)
{
	char order[128], log[128], program[128], text[TEXT_MAX];
	int rc = 0;

	(void)snprintf(program, sizeof(program), PLACE "/%.64s", name);
	(void)snprintf(order, sizeof(order), PLACE "/%.64s.order", name);
	(void)snprintf(log, sizeof(log), PLACE "/%.64s.log", name);
	if (read_order(order, argv, text, sizeof(text)))
		rc = begin(log, text, order);
	return rc != 0 ? rc : become(program, argv);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	int rc;

	if (strcmp(name, "stopat") != 0)
		return stand_in(name, argv);
	if (argc < 4) {
		(void)fputs("usage: stopat LOG ORDER PROGRAM ARGUMENT...\n", stderr);
		return USAGE;
	}
	rc = begin(argv[1], argv[2], NULL);
	return rc != 0 ? rc : become(argv[3], argv + 3);
}
