/* SPDX-License-Identifier: PostgreSQL */
#include "hear.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 10000
#define STEP_MS  5

static char directory[64];
static int saved_stderr = -1;

void hear_pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void read_memory(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
}

static int memory(void)
{
	int fd = memfd_create("heard", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += STEP_MS) {
		if (waited > LIMIT_MS)
			(void)kill(pid, SIGKILL);
		hear_pause_ms(STEP_MS);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void hear_child(struct heard *heard, int (*body)(void *arg), void *arg)
{
	int out = memory(), err = memory();
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
			abort();
		exit(body(arg));
	}
	heard->code = wait_for(pid);
	read_memory(out, heard->out, sizeof(heard->out));
	read_memory(err, heard->err, sizeof(heard->err));
	(void)close(out);
	(void)close(err);
}

void hear_begin(void)
{
	int fd = memory();

	(void)fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	if (saved_stderr < 0 || dup2(fd, STDERR_FILENO) < 0)
		abort();
	(void)close(fd);
}

const char *hear_end(void)
{
	static char text[65536];

	(void)fflush(stderr);
	read_memory(STDERR_FILENO, text, sizeof(text));
	if (dup2(saved_stderr, STDERR_FILENO) < 0)
		abort();
	(void)close(saved_stderr);
	return text;
}

void hear_directory(void)
{
	(void)snprintf(directory, sizeof(directory), "/tmp/pgv_unit.XXXXXX");
	if (mkdtemp(directory) == NULL)
		abort();
}

const char *hear_path(const char *name)
{
	static char paths[8][512];
	static unsigned int next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s%s%s", directory, name[0] != '\0' ? "/" : "",
		       name);
	return path;
}

int hear_entries(void)
{
	DIR *dir = opendir(directory);
	int count = 0;

	if (dir == NULL)
		return -1;
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void hear_remove(void)
{
	(void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

bool hear_gone(pid_t pid)
{
	for (int waited = 0; waited < LIMIT_MS / 2; waited += STEP_MS) {
		char path[64], state = '?';
		FILE *stat;

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		stat = fopen(path, "re");
		if (stat == NULL)
			return true;
		if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		(void)fclose(stat);
		if (state == 'Z' || state == 'X')
			return true;
		hear_pause_ms(STEP_MS);
	}
	return false;
}
