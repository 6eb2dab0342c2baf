/* SPDX-License-Identifier: PostgreSQL */
/*
 * Preloaded into the programs of one host of the lab: a wall clock that can be set, and a disk that
 * can be slow.  Both would else be those of this whole machine, which has one clock, and no
 * device-mapper that could delay one disk.
 *
 * The clock: seconds are added to CLOCK_REALTIME and to nothing else.  The disk: fsync, fdatasync
 * and the like take so much longer, and what writes at a place (WAL, data files) a tenth of that;
 * reading is as quick as ever, and so is what the kernel writes by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONTROL "/etc/pg_vrrp/lab-shim"

struct control {
	int64_t clock_shift_s;
	int64_t sync_delay_us;
};

/* As the file is changed in place, so is the host of those that run. */
static struct control control(void)
{
	static const volatile struct control *shared;

	if (shared == NULL) {
		int fd = open(CONTROL, O_RDONLY | O_CLOEXEC);
		void *map = MAP_FAILED;

		if (fd >= 0) {
			map = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, fd, 0);
			(void)close(fd);
		}
		if (map == MAP_FAILED)
			return (struct control){ 0 };
		shared = map;
	}
	return (struct control){ shared->clock_shift_s, shared->sync_delay_us };
}

/* The errno of the call that it delays stays. */
static void delay(int64_t us)
{
	struct timespec left = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	int kept = errno;

	while (us > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	errno = kept;
}

static void delay_sync(void)
{
	delay(control().sync_delay_us);
}

static void delay_write(void)
{
	delay(control().sync_delay_us / 10);
}

/* libc names its parameters with underscores, which are not ours to use. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += control().clock_shift_s;
	return rc;
}

/* The clock of PostgreSQL. */
int gettimeofday(struct timeval *now, void *zone) /* ALLOW: this is the one that is replaced */
{
	struct timespec fine;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &fine) < 0)
		return -1;
	now->tv_sec = fine.tv_sec;
	now->tv_usec = fine.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now) /* ALLOW: this is the one that is replaced */
{
	struct timespec fine = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &fine);
	if (now != NULL)
		*now = fine.tv_sec;
	return fine.tv_sec;
}

int fsync(int fd)
{
	delay_sync();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	delay_sync();
	return (int)syscall(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	delay_sync();
	return (int)syscall(SYS_syncfs, fd);
}

int msync(void *address, size_t size, int flags)
{
	delay_sync();
	return (int)syscall(SYS_msync, address, size, flags);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	delay_write();
	return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	delay_write();
	return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
