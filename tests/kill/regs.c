/* SPDX-License-Identifier: PostgreSQL */
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "stopat.h"

#if defined(__x86_64__)

static int poke(pid_t tid, size_t offset, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, tid, offset, value) < 0 ? -errno : 0;
}

int regs_skip(pid_t tid)
{
	return poke(tid, offsetof(struct user, regs.orig_rax), (uint64_t)-1);
}

int regs_result(pid_t tid, long result)
{
	return poke(tid, offsetof(struct user, regs.rax), (uint64_t)result);
}

int regs_length(pid_t tid, uint64_t length)
{
	return poke(tid, offsetof(struct user, regs.rdx), length);
}

#else

/* Killing works on every processor; failing is told to be unknown here. */
int regs_skip(pid_t tid)
{
	(void)tid;
	return -ENOSYS;
}

int regs_result(pid_t tid, long result)
{
	(void)tid;
	(void)result;
	return -ENOSYS;
}

int regs_length(pid_t tid, uint64_t length)
{
	(void)tid;
	(void)length;
	return -ENOSYS;
}

#endif
