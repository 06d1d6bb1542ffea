// SPDX-License-Identifier: MIT
// Opens perf events, and explains why one cannot be opened.
#include "recorder/rings/perf.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void frec__perf_attr_init(struct perf_event_attr *attr, uint32_t type, uint64_t config)
{
	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	attr->type = type;
	attr->config = config;
	attr->sample_type = FREC_SAMPLE_TYPE;
	attr->read_format = FREC_READ_FORMAT;
	attr->sample_id_all = 1;
	attr->disabled = 1;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

void frec__perf_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int frec__perf_open(struct perf_event_attr *attr, int cpu, struct frec_error *reterr)
{
	for (;;) {
		int fd = (int)syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		if (errno == EINVAL && attr->read_format & PERF_FORMAT_LOST) {
			attr->read_format &= ~(uint64_t)PERF_FORMAT_LOST;
			continue;
		}
		// The sysctl kernel.perf_event_max_stack allows only shorter callchains. A length
		// of 0 asks for as many frames as the sysctl allows.
		if (errno == EOVERFLOW && attr->sample_max_stack) {
			attr->sample_max_stack = 0;
			continue;
		}
		break;
	}
	switch (errno) {
	case EACCES:
	case EPERM:
		return frec__error(
			reterr, -errno,
			"no right to record: run as root or with CAP_PERFMON, or connect to a "
			"recorder started with --listen");
	case EMFILE:
		return frec__error(reterr, -errno, FREC_TOO_MANY_FILES);
	case ENOSYS:
		return frec__error(reterr, -errno,
				   "this kernel has no perf events (CONFIG_PERF_EVENTS)");
	default:
		return frec__error(reterr, -errno, "perf_event_open on CPU %d: %s", cpu,
				   strerror(errno));
	}
}

int frec__perf_allowed(struct frec_error *reterr)
{
	struct perf_event_attr attr;
	int fd;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	// CPU 0 always exists.
	fd = frec__perf_open(&attr, 0, reterr);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int frec__perf_count(int fd, struct frec_count *ret)
{
	struct frec_count count = {0};
	ssize_t n = read(fd, &count, sizeof(count));

	if (n < 0)
		return -errno;
	if ((size_t)n < offsetof(struct frec_count, lost))
		return -EIO;
	*ret = count;
	return 0;
}
