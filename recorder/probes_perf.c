// SPDX-License-Identifier: MIT
// Probes of perf events and of the rings that they fill.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "recorder/catalog.h"
#include "recorder/cleanup.h"
#include "recorder/engine.h"
#include "recorder/perf.h"
#include "recorder/probe.h"

/* Rings that are mapped at one time to try the memory limit. */
#define RINGS_TRIED_MAX 16

// Any tracepoint that every kernel has. The caller closes what it gets.
static int open_tracepoint(bool backward, struct frec_error *reterr)
{
	FREC_CLOSE int tracefs = frec__catalog_open(reterr);
	FREC_FREE char *text = NULL;
	struct perf_event_attr attr;

	if (tracefs < 0)
		return tracefs;
	text = frec__read_file_at(tracefs, "events/sched/sched_process_exec/id", 64);
	if (!text)
		return frec__error(reterr, -errno, "sched:sched_process_exec: %s", strerror(errno));
	frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, strtoul(text, NULL, 10));
	attr.sample_type |= PERF_SAMPLE_RAW;
	attr.sample_period = 1;
	attr.write_backward = backward;
	return frec__perf_open(&attr, 0, reterr);
}

static void fix_perf(struct frec_probe_result *ret)
{
	frec__probe_fix(ret,
			"run it as root (sudo), or: sudo sysctl kernel.perf_event_paranoid=-1");
}

void frec__probe_tracepoint(struct frec_probe_result *ret)
{
	struct frec_error error;
	FREC_CLOSE int fd = open_tracepoint(false, &error);
	char paranoid[16];

	frec__probe_read_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	if (fd >= 0) {
		frec__probe_found(
			ret, FREC_PROBE_OK,
			"one was opened for all processes of a CPU (perf_event_paranoid is %s)",
			paranoid);
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "%s (perf_event_paranoid is %s)", strerror(-fd),
			  *paranoid ? paranoid : "missing");
	if (fd == -EACCES || fd == -EPERM)
		fix_perf(ret);
	else if (!*paranoid || fd == -ENOSYS)
		frec__probe_fix(ret, "boot a kernel built with CONFIG_PERF_EVENTS=y");
}

void frec__probe_ring(struct frec_probe_result *ret)
{
	struct frec_ring ring;
	struct frec_error error;
	int r = frec__ring_open(&ring, 0, FREC_RING_SIZE_MIN, &error);

	if (!r) {
		frec__ring_close(&ring);
		frec__probe_found(ret, FREC_PROBE_OK, "one was mapped");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "%s", strerror(-r));
	if (r == -EACCES || r == -EPERM)
		fix_perf(ret);
}

void frec__probe_set_output(struct frec_probe_result *ret)
{
	struct frec_error error;
	FREC_CLOSE int fd = open_tracepoint(true, &error);
	struct frec_ring ring;

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without tracepoints");
		return;
	}
	if (frec__ring_open(&ring, 0, FREC_RING_SIZE_MIN, &error)) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without rings");
		return;
	}
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring.fd))
		frec__probe_found(ret, FREC_PROBE_MISSING, "PERF_EVENT_IOC_SET_OUTPUT: %s",
				  strerror(errno));
	else
		frec__probe_found(ret, FREC_PROBE_OK, "a tracepoint was led into a ring");
	frec__ring_close(&ring);
}

// A dummy event with one more attribute set. frec__perf_open() drops PERF_FORMAT_LOST where it is unknown.
void frec__probe_lost(struct frec_probe_result *ret)
{
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);

	FREC_CLOSE int fd = frec__perf_open(&attr, 0, &error);

	if (fd < 0)
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without perf events");
	else if (attr.read_format & PERF_FORMAT_LOST)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "the kernel counts lost records for each event");
	else
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "the kernel does not say how many records found no room "
				  "(PERF_FORMAT_LOST)");
}

void frec__probe_build_ids(struct frec_probe_result *ret)
{
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.mmap = attr.mmap2 = attr.build_id = 1;

	FREC_CLOSE int fd = frec__perf_open(&attr, 0, &error);

	if (fd >= 0)
		frec__probe_found(ret, FREC_PROBE_OK, "mappings come with build ids");
	else if (fd == -EINVAL)
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "mappings come without build ids: names of files decide instead");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without perf events");
}

void frec__probe_ring_memory(struct frec_probe_result *ret)
{
	struct frec_ring ring[RINGS_TRIED_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = 0, wanted = cpus > RINGS_TRIED_MAX ? RINGS_TRIED_MAX : (size_t)cpus;
	struct frec_error error;
	int r = 0;

	// Where the numbers of the CPUs have holes, CPU 0 stands for the others: the limit is one for all.
	while (count < wanted && !r) {
		r = frec__ring_open(&ring[count], (int)count, FREC_RING_SIZE_DEFAULT, &error);
		if (r == -ENODEV || r == -EINVAL)
			r = frec__ring_open(&ring[count], 0, FREC_RING_SIZE_DEFAULT, &error);
		count += !r;
	}
	for (size_t i = 0; i < count; i++)
		frec__ring_close(&ring[i]);
	if (!r) {
		frec__probe_found(ret, FREC_PROBE_OK, "%zu rings of %u KiB were mapped", count,
				  FREC_RING_SIZE_DEFAULT >> 10);
		return;
	}
	frec__probe_found(
		ret, count || r == -EPERM || r == -ENOMEM ? FREC_PROBE_LIMITED : FREC_PROBE_MISSING,
		"%zu of %zu rings of %u KiB: %s", count, wanted, FREC_RING_SIZE_DEFAULT >> 10,
		strerror(-r));
	if (r == -EPERM)
		frec__probe_fix(
			ret, "sudo sysctl kernel.perf_event_mlock_kb=%u, or a smaller --ring-size",
			(FREC_RING_SIZE_DEFAULT >> 10) + 516);
}
