// SPDX-License-Identifier: MIT
// The resource limits that a recorder can run into, and how people raise them.
#include "proto/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/cleanup.h"

struct limit {
	int resource;
	// the errno of a call that exceeds the limit; 0: the kernel sends a signal instead
	int error;
	const char *name, *shell, *unit;
};

static const struct limit limits[] = {
	{RLIMIT_FSIZE, EFBIG, "RLIMIT_FSIZE", "-f", "LimitFSIZE"},
	{RLIMIT_NOFILE, EMFILE, "RLIMIT_NOFILE", "-n", "LimitNOFILE"},
	{RLIMIT_AS, ENOMEM, "RLIMIT_AS", "-v", "LimitAS"},
	{RLIMIT_DATA, ENOMEM, "RLIMIT_DATA", "-d", "LimitDATA"},
	{RLIMIT_NPROC, EAGAIN, "RLIMIT_NPROC", "-u", "LimitNPROC"},
	{RLIMIT_MEMLOCK, EPERM, "RLIMIT_MEMLOCK", "-l", "LimitMEMLOCK"},
	{RLIMIT_CPU, 0, "RLIMIT_CPU", "-t", "LimitCPU"},
	{RLIMIT_STACK, 0, "RLIMIT_STACK", "-s", "LimitSTACK"},
	{RLIMIT_RTTIME, 0, "RLIMIT_RTTIME", "-R", "LimitRTTIME"},
};
#define LIMITS (sizeof(limits) / sizeof(*limits))

uint64_t frec__limit_of(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

// The highest RLIMIT_NOFILE that the kernel allows; 0: unknown.
static rlim_t files_max(void)
{
	FREC_FCLOSE FILE *file = fopen("/proc/sys/fs/nr_open", "re");
	unsigned long long most = 0;

	if (!file || fscanf(file, "%llu", &most) != 1)
		return 0;
	return most;
}

// The size of the stack that the kernel gives programs by default. No more is needed, and the
// kernel lays out the memory of a process without a stack limit differently.
#define STACK_USUAL (UINT64_C(8) << 20)

static void raise_one(int resource)
{
	int which = resource;
	struct rlimit limit, free = {RLIM_INFINITY, RLIM_INFINITY};

	if (getrlimit(which, &limit))
		return;
	if (resource == RLIMIT_NOFILE)
		free.rlim_cur = free.rlim_max = files_max();
	if (resource == RLIMIT_STACK)
		free.rlim_cur = free.rlim_max = STACK_USUAL;
	if (free.rlim_max > limit.rlim_max && !setrlimit(which, &free))
		return;
	if (limit.rlim_cur < free.rlim_cur) {
		limit.rlim_cur = limit.rlim_max < free.rlim_cur ? limit.rlim_max : free.rlim_cur;
		setrlimit(which, &limit);
	}
}

void frec__limits_raise(void)
{
	for (size_t i = 0; i < LIMITS; i++)
		raise_one(limits[i].resource);
}

// Returns the limit that can be the cause of `error`, an errno: the lower one if there are two,
// NULL if there is none.
static const struct limit *find(int error)
{
	const struct limit *found = NULL;

	for (size_t i = 0; i < LIMITS; i++) {
		uint64_t value = frec__limit_of(limits[i].resource);

		if (limits[i].error == error && value != UINT64_MAX &&
		    (!found || value < frec__limit_of(found->resource)))
			found = &limits[i];
	}
	return found;
}

// Returns how many bytes of the memory that `resource` limits this process uses now. The first
// number in /proc/self/statm is the pages of the address space, the sixth those of data.
static uint64_t used_of(int resource)
{
	FREC_FCLOSE FILE *file = NULL;
	unsigned long long space = 0, data = 0;

	if (resource != RLIMIT_AS && resource != RLIMIT_DATA)
		return 0;
	file = fopen("/proc/self/statm", "re");
	if (!file || fscanf(file, "%llu %*u %*u %*u %*u %llu", &space, &data) != 2)
		return 0;
	return (resource == RLIMIT_AS ? space : data) * (uint64_t)sysconf(_SC_PAGESIZE);
}

int frec__limit_error(struct frec_error *reterr, int code, uint64_t needed, const char *format, ...)
{
	const struct limit *limit = find(-code);
	char what[sizeof(reterr->message)], wanted[64] = "";
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (!limit)
		return frec__error(reterr, code, "%s: %s", what, strerror(-code));
	if (needed)
		snprintf(wanted, sizeof(wanted), ", and %" PRIu64 " is needed",
			 needed + used_of(limit->resource));
	return frec__error(reterr, code,
			   "%s: %s: %s is %" PRIu64 "%s: raise it ('ulimit %s', or %s= of a unit)",
			   what, strerror(-code), limit->name, frec__limit_of(limit->resource),
			   wanted, limit->shell, limit->unit);
}
