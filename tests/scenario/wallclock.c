/* SPDX-License-Identifier: PostgreSQL */
/*
 * A wall clock that can be set, for every program of one host of the lab: preloaded, it adds the
 * seconds in a file to CLOCK_REALTIME and to nothing else.  Setting the real clock would set it for
 * everybody on this machine.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* As the file is changed in place, so is the clock of those that run. */
static int64_t shift_s(void)
{
	static const volatile int64_t *shift;

	if (shift == NULL) {
		int fd = open("/etc/pg_vrrp/wallclock", O_RDONLY | O_CLOEXEC);
		void *map = MAP_FAILED;

		if (fd >= 0) {
			map = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
			(void)close(fd);
		}
		if (map == MAP_FAILED)
			return 0;
		shift = map;
	}
	return *shift;
}

/* libc names its parameters with underscores, which are not ours to use. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += shift_s();
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
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
