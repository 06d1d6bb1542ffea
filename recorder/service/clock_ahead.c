// SPDX-License-Identifier: MIT
// Finds out how far the clocks of this process are ahead of the kernel's. Part of libflightrec, so
// it depends on libc alone.
#include "recorder/service/clock_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

// The inode of the first time namespace, whose clocks are the kernel's: TIME_NS_INIT_INO of
// <linux/nsfs.h>.
#define FIRST_TIME_NAMESPACE 0xEFFFFFFAu

// Converts the line "NAME SECONDS NANOSECONDS" of timens_offsets to nanoseconds.
static int parse_line(const char *text, const char *name, int64_t *ret)
{
	const char *line = strstr(text, name);
	long long seconds, nanoseconds;
	char *end, *last;

	if (!line)
		return -EBADMSG;
	line += strlen(name);
	seconds = strtoll(line, &end, 10);
	nanoseconds = strtoll(end, &last, 10);
	// Refuse what 64 bits cannot hold: the kernel allows no offset beyond 292 years.
	if (end == line || last == end || seconds > INT64_MAX / SECOND - 1 ||
	    seconds < INT64_MIN / SECOND + 1 || nanoseconds < 0 || nanoseconds >= SECOND)
		return -EBADMSG;
	*ret = seconds * SECOND + nanoseconds;
	return 0;
}

// After an error, *ret is not defined.
static int read_offsets(struct frec__clock_ahead *ret)
{
	struct stat own, theirs;
	char text[256];
	ssize_t n;
	int fd, r;

	if (stat("/proc/self/ns/time", &own))
		// A kernel without time namespaces has /proc, but not this file.
		return errno == ENOENT && !access("/proc/self/ns", F_OK) ? 0 : -errno;
	if (own.st_ino == FIRST_TIME_NAMESPACE)
		return 0;
	if (stat("/proc/self/ns/time_for_children", &theirs))
		return -errno;
	if (own.st_ino != theirs.st_ino)
		return -ENODATA;
	fd = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = 0;
	r = parse_line(text, "monotonic", &ret->monotonic);
	return r ? r : parse_line(text, "boottime", &ret->boottime);
}

int frec__clock_ahead(struct frec__clock_ahead *ret)
{
	struct frec__clock_ahead ahead = {0};
	int saved_errno = errno, r = read_offsets(&ahead);

	errno = saved_errno;
	if (!r)
		*ret = ahead;
	return r;
}

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

int64_t frec__clock_measure(int64_t epoch, int64_t known)
{
	int64_t ahead = known;

	for (int i = 0; i < 3; i++) {
		int64_t before = nanoseconds(CLOCK_MONOTONIC_COARSE);
		int64_t realtime = nanoseconds(CLOCK_REALTIME_COARSE);

		ahead = before - (realtime - epoch);
		// If the coarse clock has changed, a tick came between the readings: read again.
		if (nanoseconds(CLOCK_MONOTONIC_COARSE) == before)
			break;
	}
	return ahead - known < FREC__CLOCK_TOLERANCE && known - ahead < FREC__CLOCK_TOLERANCE
		       ? known
		       : ahead;
}
