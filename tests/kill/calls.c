/* SPDX-License-Identifier: PostgreSQL */
#include <fcntl.h>
#include <sys/syscall.h>

#include "stopat.h"

#define EFFECT(name, target)                           \
	{                                              \
		SYS_##name, #name, target, true, false \
	}
#define CALL(name, target)                              \
	{                                               \
		SYS_##name, #name, target, false, false \
	}
#define QUIET(name)                                         \
	{                                                   \
		SYS_##name, #name, TARGET_NONE, false, true \
	}

static const struct call calls[] = {
	/* files */
	EFFECT(openat, TARGET_PATH_1),
	EFFECT(write, TARGET_FD_DATA),
	EFFECT(pwrite64, TARGET_FD),
	EFFECT(writev, TARGET_FD),
	EFFECT(copy_file_range, TARGET_FD),
	EFFECT(sendfile, TARGET_FD),
	EFFECT(fsync, TARGET_FD),
	EFFECT(fdatasync, TARGET_FD),
	EFFECT(ftruncate, TARGET_FD),
	EFFECT(fallocate, TARGET_FD),
	EFFECT(fchmod, TARGET_FD),
	EFFECT(fchown, TARGET_FD),
	EFFECT(renameat, TARGET_PATH_3),
	EFFECT(renameat2, TARGET_PATH_3),
	EFFECT(unlinkat, TARGET_PATH_1),
	EFFECT(linkat, TARGET_PATH_3),
	EFFECT(symlinkat, TARGET_PATH_3),
	EFFECT(mkdirat, TARGET_PATH_1),
	EFFECT(fchmodat, TARGET_PATH_1),
	EFFECT(fchownat, TARGET_PATH_1),
	EFFECT(utimensat, TARGET_PATH_1),
	EFFECT(truncate, TARGET_PATH_0),
	CALL(newfstatat, TARGET_PATH_1),
	CALL(statx, TARGET_PATH_1),
	CALL(readlinkat, TARGET_PATH_1),
	CALL(faccessat, TARGET_PATH_1),
	CALL(statfs, TARGET_PATH_0),
	CALL(fstat, TARGET_FD),
	CALL(read, TARGET_FD),
	CALL(pread64, TARGET_FD),
	CALL(readv, TARGET_FD),
	CALL(lseek, TARGET_FD),
	CALL(getdents64, TARGET_FD),
	CALL(fcntl, TARGET_FD_WORD),
	CALL(flock, TARGET_FD),
#ifdef SYS_open
	EFFECT(rename, TARGET_PATH_1),
	EFFECT(unlink, TARGET_PATH_0),
	EFFECT(link, TARGET_PATH_1),
	EFFECT(symlink, TARGET_PATH_1),
	EFFECT(mkdir, TARGET_PATH_0),
	EFFECT(rmdir, TARGET_PATH_0),
	EFFECT(chmod, TARGET_PATH_0),
	EFFECT(chown, TARGET_PATH_0),
	EFFECT(fork, TARGET_NONE),
	EFFECT(vfork, TARGET_NONE),
	CALL(stat, TARGET_PATH_0),
	CALL(lstat, TARGET_PATH_0),
	CALL(readlink, TARGET_PATH_0),
	CALL(access, TARGET_PATH_0),
	CALL(poll, TARGET_NONE),
	QUIET(arch_prctl),
#endif
	/* sockets */
	EFFECT(connect, TARGET_ADDRESS),
	EFFECT(sendto, TARGET_FD_DATA),
	EFFECT(sendmsg, TARGET_FD),
	EFFECT(ioctl, TARGET_FD_WORD),
	CALL(recvfrom, TARGET_FD),
	CALL(recvmsg, TARGET_FD),
	CALL(setsockopt, TARGET_FD_WORD),
	CALL(getsockopt, TARGET_FD_WORD),
	CALL(getsockname, TARGET_FD),
	CALL(bind, TARGET_FD),
	CALL(socket, TARGET_NONE),
	/* processes */
	EFFECT(clone, TARGET_NONE),
	EFFECT(clone3, TARGET_NONE),
	EFFECT(execve, TARGET_PATH_0),
	EFFECT(kill, TARGET_NONE),
	EFFECT(tgkill, TARGET_NONE),
	EFFECT(pidfd_send_signal, TARGET_NONE),
	EFFECT(setsid, TARGET_NONE),
	CALL(wait4, TARGET_NONE),
	CALL(waitid, TARGET_NONE),
	CALL(pidfd_open, TARGET_NONE),
	CALL(pipe2, TARGET_NONE),
	CALL(ppoll, TARGET_NONE),
	CALL(mmap, TARGET_NONE),
	CALL(prctl, TARGET_NONE),
	CALL(memfd_create, TARGET_NONE),
	CALL(signalfd4, TARGET_NONE),
	CALL(mlockall, TARGET_NONE),
	CALL(sched_setscheduler, TARGET_NONE),
	CALL(getrandom, TARGET_NONE),
	CALL(setgroups, TARGET_NONE),
	CALL(setresgid, TARGET_NONE),
	CALL(setresuid, TARGET_NONE),
	CALL(dup2, TARGET_NONE),
	CALL(dup3, TARGET_NONE),
	CALL(chdir, TARGET_PATH_0),
	CALL(setpgid, TARGET_NONE),
	CALL(close_range, TARGET_NONE),
	/* what cannot fail, or only when the program is broken */
	QUIET(close),
	QUIET(brk),
	QUIET(munmap),
	QUIET(mprotect),
	QUIET(madvise),
	QUIET(futex),
	QUIET(exit),
	QUIET(exit_group),
	QUIET(rt_sigaction),
	QUIET(rt_sigprocmask),
	QUIET(rt_sigreturn),
	QUIET(sigaltstack),
	QUIET(getpid),
	QUIET(gettid),
	QUIET(getppid),
	QUIET(getuid),
	QUIET(geteuid),
	QUIET(getgid),
	QUIET(getegid),
	QUIET(umask),
	QUIET(uname),
	QUIET(sysinfo),
	QUIET(prlimit64),
	QUIET(clock_gettime),
	QUIET(clock_nanosleep),
	QUIET(restart_syscall),
	QUIET(sched_yield),
	QUIET(sched_getscheduler),
	QUIET(sched_getaffinity),
	QUIET(setpriority),
	QUIET(set_robust_list),
	QUIET(set_tid_address),
	QUIET(rseq),
	QUIET(membarrier),
};

const struct call *call_of(long number)
{
	static const struct call other = { -1, "other", TARGET_NONE, false, false };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].number == number)
			return &calls[i];
	}
	return &other;
}

bool call_has_effect(const struct call *call, const uint64_t args[6])
{
	if (call->number == SYS_openat)
		return (args[2] & (O_CREAT | O_TRUNC)) != 0;
	return call->effect;
}
