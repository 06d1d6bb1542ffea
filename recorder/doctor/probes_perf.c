// SPDX-License-Identifier: MIT
// Probes of perf events and of the rings that they fill.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "recorder/declared/catalog.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/engine.h"
#include "recorder/ring_size.h"
#include "recorder/rings/perf.h"
#include "recorder/rings/perf_ring.h"

/* How many rings are mapped at the same time to try the memory limit. */
#define RINGS_TRIED_MAX 16
/* How many KiB the sideband's ring and the kernel's own pages take on each CPU. */
#define SIDEBAND_KB 516
/* A limit that allows fewer sources is reported, because one glob over a kernel subsystem can
 * select this many. */
#define SOURCES_COMFORTABLE 100
/* How many descriptors per CPU are not for sources: the ring, and of the sideband its ring, its
 * doorbell and its alerts. */
#define FDS_PER_CPU (3 + FREC_ALERT_COUNT)

// Opens a tracepoint that every kernel has. Returns a descriptor, which the caller closes, or a
// negative errno. Sets `ret_what` to the step that was tried last.
static int open_tracepoint(bool backward, const char **ret_what)
{
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);
	FREC_FREE char *text = NULL;
	struct perf_event_attr attr;

	*ret_what = "tracefs";
	if (tracefs < 0)
		return tracefs;
	*ret_what = "sched:sched_process_exec in tracefs";
	text = frec__read_file_at(tracefs, "events/sched/sched_process_exec/id", 64);
	if (!text)
		return -errno;
	*ret_what = "opening a tracepoint for all processes of a CPU";
	frec__perf_attr_init(&attr, PERF_TYPE_TRACEPOINT, strtoul(text, NULL, 10));
	attr.sample_type |= PERF_SAMPLE_RAW;
	attr.sample_period = 1;
	attr.write_backward = backward;
	return frec__perf_open(&attr, 0, &error);
}

void frec__probe_tracepoint(struct frec_probe_result *ret)
{
	const char *what;
	FREC_CLOSE int fd = open_tracepoint(false, &what);

	if (fd >= 0)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "a tracepoint was opened for all processes of a CPU");
	else if (*what == 'o')
		frec__probe_refused(ret, fd, what, FREC_PROBE_RIGHT_PERFMON,
				    "CONFIG_PERF_EVENTS=y");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "%s: %s", what, strerror(-fd));
}

void frec__probe_ring(struct frec_probe_result *ret)
{
	struct frec_ring ring;
	struct frec_error error;
	int r = frec__perf_ring_open(&ring, 0, FREC_RING_SIZE_MIN, &error);

	if (!r) {
		frec__ring_close(&ring);
		frec__probe_found(ret, FREC_PROBE_OK, "a ring was mapped");
		return;
	}
	frec__probe_refused(ret, r, "mapping a ring", FREC_PROBE_RIGHT_PERFMON,
			    "CONFIG_PERF_EVENTS=y");
}

void frec__probe_set_output(struct frec_probe_result *ret)
{
	struct frec_error error;
	const char *what;
	FREC_CLOSE int fd = open_tracepoint(true, &what);
	struct frec_ring ring;

	if (fd < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs tracepoints");
		return;
	}
	if (frec__perf_ring_open(&ring, 0, FREC_RING_SIZE_MIN, &error)) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs rings");
		return;
	}
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring.fd))
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "redirecting a tracepoint into a ring: %s", strerror(errno));
	else
		frec__probe_found(ret, FREC_PROBE_OK, "a tracepoint was redirected into a ring");
	frec__ring_close(&ring);
}

// If the kernel does not know PERF_FORMAT_LOST, frec__perf_open() has cleared it.
void frec__probe_lost(struct frec_probe_result *ret)
{
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);

	FREC_CLOSE int fd = frec__perf_open(&attr, 0, &error);

	if (fd < 0)
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs perf events");
	else if (attr.read_format & PERF_FORMAT_LOST)
		frec__probe_found(ret, FREC_PROBE_OK, "lost records are counted for each event");
	else
		frec__probe_found(ret, FREC_PROBE_LIMITED, "lost records are not counted");
}

void frec__probe_build_ids(struct frec_probe_result *ret)
{
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.mmap = attr.mmap2 = attr.build_id = 1;

	FREC_CLOSE int fd = frec__perf_open(&attr, 0, &error);

	if (fd >= 0)
		frec__probe_found(ret, FREC_PROBE_OK, "mappings are reported with build-ids");
	else if (fd == -EINVAL)
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"mappings are reported without build-ids: files are found by name");
	else
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs perf events");
}

// Tries whether perf accepts a choice of stacks. Returns 0 or a negative errno.
static int try_stack(const struct frec_stack_choice *choice)
{
	struct perf_event_attr attr;
	struct frec_error error;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.sample_type |= frec__stack_sample_type(choice);
	frec__stack_attr(choice, &attr);

	FREC_CLOSE int fd = frec__perf_open(&attr, 0, &error);

	return fd < 0 ? fd : 0;
}

void frec__probe_stacks(struct frec_probe_result *ret)
{
	int chains = try_stack(&(struct frec_stack_choice){.frame_pointers = true, .kernel = true});
	int pieces = try_stack(&(struct frec_stack_choice){.bytes = FREC_STACK_BYTES_MAX});

	if (!chains && !pieces)
		frec__probe_found(ret, FREC_PROBE_OK, "call chains, and up to %u bytes of stack",
				  FREC_STACK_BYTES_MAX);
	else if (chains && pieces)
		frec__probe_found(ret, FREC_PROBE_MISSING,
				  "neither call chains nor copies of the stack: %s",
				  strerror(-pieces));
	else
		frec__probe_found(ret, FREC_PROBE_LIMITED, "no %s: %s",
				  chains ? "call chains" : "copies of the stack",
				  strerror(chains ? -chains : -pieces));
}

void frec__probe_ring_memory(struct frec_probe_result *ret)
{
	struct frec_ring ring[RINGS_TRIED_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = 0, wanted = cpus > RINGS_TRIED_MAX ? RINGS_TRIED_MAX : (size_t)cpus;
	struct frec_error error;
	struct rlimit limit;
	char mlock[16];
	int r = 0;

	// If CPU numbers have gaps, a ring of CPU 0 takes the place of a ring of a missing CPU: the
	// limit is for the memory of all rings together.
	while (count < wanted && !r) {
		r = frec__perf_ring_open(&ring[count], (int)count, FREC_RING_SIZE_DEFAULT, &error);
		if (r == -ENODEV || r == -EINVAL)
			r = frec__perf_ring_open(&ring[count], 0, FREC_RING_SIZE_DEFAULT, &error);
		count += !r;
	}
	for (size_t i = 0; i < count; i++)
		frec__ring_close(&ring[i]);
	if (!r) {
		frec__probe_found(ret, FREC_PROBE_OK, "%zu rings of %u KiB were mapped", count,
				  FREC_RING_SIZE_DEFAULT >> 10);
		return;
	}
	frec__probe_read_line("/proc/sys/kernel/perf_event_mlock_kb", mlock, sizeof(mlock));
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		limit.rlim_cur = 0;
	if (r == -EACCES) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs rings");
		return;
	}
	frec__probe_found(
		ret, r == -EPERM || r == -ENOMEM ? FREC_PROBE_LIMITED : FREC_PROBE_MISSING,
		"%zu of %zu rings of %u KiB: %s (perf_event_mlock_kb %s, RLIMIT_MEMLOCK %llu KiB)",
		count, wanted, FREC_RING_SIZE_DEFAULT >> 10, strerror(-r), mlock,
		(unsigned long long)limit.rlim_cur >> 10);
	if (r != -EPERM)
		return;
	frec__probe_advise(ret, "or use a smaller --ring-size");
	frec__probe_fix(ret, "%ssysctl kernel.perf_event_mlock_kb=%u", frec__probe_sudo(),
			(FREC_RING_SIZE_DEFAULT >> 10) + SIDEBAND_KB);
}

// Returns whether perf_event_open(2) succeeds. The caller tries our own process without and with
// the kernel code that it runs, and all processes of a CPU.
static bool opens(pid_t process, int cpu, bool kernel)
{
	struct perf_event_attr attr;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.exclude_kernel = !kernel;
	attr.read_format = 0;

	FREC_CLOSE int fd =
		(int)syscall(SYS_perf_event_open, &attr, process, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd >= 0;
}

void frec__probe_paranoid(struct frec_probe_result *ret)
{
	bool own = opens(0, -1, false), kernel = opens(0, -1, true), all = opens(-1, 0, false);
	char paranoid[16];

	frec__probe_read_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	if (!*paranoid) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "this kernel has no perf events");
		frec__probe_advise(ret, "boot a kernel built with CONFIG_PERF_EVENTS=y");
	} else if (own && kernel && all) {
		frec__probe_found(ret, FREC_PROBE_OK, "%s, which allows everything", paranoid);
	} else {
		frec__probe_found(ret, FREC_PROBE_LIMITED, "%s, which forbids %s%s%s%s%s", paranoid,
				  all ? "" : "all processes of a CPU", all || kernel ? "" : " and ",
				  kernel ? "" : "the kernel's side", own ? "" : " and ",
				  own ? "" : "even our own process");
		frec__probe_advise(
			ret,
			"this allows perf events to every user; cap-perfmon is for one program");
		frec__probe_fix(ret, "%ssysctl kernel.perf_event_paranoid=-1", frec__probe_sudo());
	}
}

void frec__probe_descriptors(struct frec_probe_result *ret)
{
	unsigned long cpus = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN), room;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit)) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "%s", strerror(errno));
		return;
	}
	// Only the hard limit matters, because the recorder raises its soft limit to the hard
	// limit.
	room = limit.rlim_max / cpus;
	room = room > FDS_PER_CPU ? room - FDS_PER_CPU : 0;
	frec__probe_found(ret, room >= SOURCES_COMFORTABLE ? FREC_PROBE_OK : FREC_PROBE_LIMITED,
			  "%llu, for %lu events at a time on %lu CPUs",
			  (unsigned long long)limit.rlim_max, room, cpus);
	if (room < SOURCES_COMFORTABLE) {
		frec__probe_fix(ret, "%sprlimit --pid $$ --nofile=%lu:%lu", frec__probe_sudo(),
				4096 * cpus, 4096 * cpus);
		frec__probe_advise(ret, "for this shell; in a unit: LimitNOFILE=%lu", 4096 * cpus);
	}
}

void frec__probe_grace_periods(struct frec_probe_result *ret)
{
	if (frec__ring_grace_period())
		frec__probe_found(ret, FREC_PROBE_OK, "membarrier(2) waits for unfinished records");
	else
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"membarrier(2): %s: snapshots leave out more of their oldest records",
			strerror(errno));
}
