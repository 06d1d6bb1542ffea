// SPDX-License-Identifier: MIT
// Tries whether perf writes what hits in the idle task of a CPU.
#include "recorder/sources/tracepoints.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "recorder/rings/perf_ring.h"

#define NAPS 20
#define NAP_NANOSECONDS 50000

static int open_switches(int tracefs, int cpu, int ring)
{
	FREC_FREE char *id = frec__read_file_at(tracefs, "events/sched/sched_switch/id", 64);
	struct perf_event_attr attr;
	int fd;

	if (!id)
		return -1;
	frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, strtoul(id, NULL, 10));
	attr.sample_period = 1;
	attr.write_backward = 1;
	fd = frec__perf_open(&attr, cpu, NULL);
	if (fd < 0)
		return -1;
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring) ||
	    ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "prev_pid == 0") ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

// Sleeps until perf has counted a switch from the idle task, which wakes this thread up. Returns
// whether it wrote that.
static bool written(int fd, const struct frec_ring *ring)
{
	struct frec_count count = {0};

	for (int i = 0; i < NAPS && !count.value; i++) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = NAP_NANOSECONDS},
				NULL);
		if (frec__perf_count(fd, &count))
			return false;
	}
	return frec__ring_written(ring) > 0;
}

static bool writes_on(int tracefs, int cpu)
{
	struct frec_ring ring;
	bool writes = false;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) ||
	    frec__perf_ring_open(&ring, cpu, FREC_RING_SIZE_MIN, NULL))
		return false;
	FREC_CLOSE int fd = open_switches(tracefs, cpu, ring.fd);

	if (fd >= 0)
		writes = written(fd, &ring);
	frec__ring_close(&ring);
	return writes;
}

bool frec__perf_writes_idle(int tracefs)
{
	bool writes = true;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE && writes; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			writes = writes_on(tracefs, cpu);
	}
	(void)sched_setaffinity(0, sizeof(allowed), &allowed);
	return writes;
}
