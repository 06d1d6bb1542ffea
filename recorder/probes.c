// SPDX-License-Identifier: MIT
// The table of probes, and those that are about neither events nor rings. Each probe opens what it needs by itself and
// gives everything back.
#include "recorder/probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recorder/catalog.h"
#include "recorder/cleanup.h"
#include "recorder/crash_program.h"
#include "recorder/deaths.h"
#include "recorder/engine.h"
#include "recorder/probe.h"

/* Fewer sources than this are soon used up by one glob over a kernel subsystem. */
#define SOURCES_COMFORTABLE 100
/* Descriptors per CPU that are no sources: the ring, the sideband and its alerts. */
#define FDS_PER_CPU (2 + FREC_ALERT_COUNT)
/* The inode of the first pid namespace: PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu
#define BTF_MAGIC 0xEB9F

void frec__probe_found(struct frec_probe_result *ret, enum frec_probe_state state,
		       const char *format, ...)
{
	va_list arguments;

	ret->state = state;
	va_start(arguments, format);
	vsnprintf(ret->detail, sizeof(ret->detail), format, arguments);
	va_end(arguments);
}

void frec__probe_fix(struct frec_probe_result *ret, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret->fix, sizeof(ret->fix), format, arguments);
	va_end(arguments);
}

// The first line of a small file; empty where it cannot be read.
void frec__probe_read_line(const char *path, char *ret, size_t size)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, path, 4096);

	snprintf(ret, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
}

static void probe_descriptors(struct frec_probe_result *ret)
{
	unsigned long cpus = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN), room;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit)) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "%s", strerror(errno));
		return;
	}
	// The recorder raises its soft limit to the hard one by itself.
	room = limit.rlim_max / cpus;
	room = room > FDS_PER_CPU ? room - FDS_PER_CPU : 0;
	frec__probe_found(ret, room >= SOURCES_COMFORTABLE ? FREC_PROBE_OK : FREC_PROBE_LIMITED,
			  "%llu descriptors are enough for %lu events at a time on %lu CPUs",
			  (unsigned long long)limit.rlim_max, room, cpus);
	if (room < SOURCES_COMFORTABLE)
		frec__probe_fix(ret, "ulimit -Hn %lu as root, or LimitNOFILE=%lu in the unit",
				4096 * cpus, 4096 * cpus);
}

static void probe_btf(struct frec_probe_result *ret)
{
	FREC_CLOSE int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	uint16_t magic = 0;

	if (fd >= 0 && read(fd, &magic, sizeof(magic)) == sizeof(magic) && magic == BTF_MAGIC) {
		frec__probe_found(ret, FREC_PROBE_OK, "/sys/kernel/btf/vmlinux");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "/sys/kernel/btf/vmlinux: %s",
			  fd < 0 ? strerror(errno) : "not BTF");
	frec__probe_fix(ret, "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
}

static void probe_crash_program(struct frec_probe_result *ret)
{
	struct frec_crash_program *program;
	struct frec_source source = {0};
	struct frec_error error;
	int r = frec__crash_program_create(&program, &source, &error);

	if (!r) {
		frec__source_deinit(&source);
		frec__crash_program_destroy(program);
		frec__probe_found(ret, FREC_PROBE_OK, "the BPF program was loaded and attached");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_MISSING, "the BPF program was refused: %s", strerror(-r));
	if (r == -EPERM || r == -EACCES)
		frec__probe_fix(ret, "run it as root (sudo), or: sudo setcap "
				     "cap_bpf,cap_perfmon+ep $(command -v flightrec)");
	else
		frec__probe_fix(ret, "boot a kernel built with CONFIG_BPF_SYSCALL=y, "
				     "CONFIG_BPF_EVENTS=y and CONFIG_DEBUG_INFO_BTF=y");
}

static void probe_grace_periods(struct frec_probe_result *ret)
{
	if (frec__ring_grace_period())
		frec__probe_found(ret, FREC_PROBE_OK,
				  "membarrier(2) waits for records that are under way");
	else
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"membarrier(2): %s; snapshots leave out more of the oldest end to be sure",
			strerror(errno));
}

static void probe_death_tracepoints(struct frec_probe_result *ret)
{
	static const struct {
		const char *path, *without;
		enum frec_probe_state state;
	} needed[] = {
		{"events/signal/signal_deliver/format",
		 "signal:signal_deliver is missing: nothing can be recorded", FREC_PROBE_MISSING},
		{"events/signal/signal_generate/format",
		 "signal:signal_generate is missing: SIGKILL is not seen", FREC_PROBE_LIMITED},
		{"events/oom/mark_victim/format",
		 "oom:mark_victim is missing: the OOM killer shows as SIGKILL", FREC_PROBE_LIMITED},
	};
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);

	if (tracefs < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "not without reading tracefs");
		return;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!faccessat(tracefs, needed[i].path, R_OK, AT_EACCESS))
			continue;
		frec__probe_found(ret, needed[i].state, "%s", needed[i].without);
		return;
	}
	frec__probe_found(ret, FREC_PROBE_OK, "signal_deliver, signal_generate and mark_victim");
}

static void probe_core_dumps(struct frec_probe_result *ret)
{
	char pattern[160];

	frec__probe_read_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (*pattern == '|' || *pattern == '@')
		frec__probe_found(ret, FREC_PROBE_OK,
				  "core dumps go to \"%s\": a dying process lasts until that has "
				  "read them; its snapshot waits for it, "
				  "at most %d ms",
				  pattern, FREC_DEATH_WAIT_MAX);
	else if (*pattern)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "core dumps go to files \"%s\": a dying process lasts until its "
				  "is written; its snapshot waits for it, "
				  "at most %d ms",
				  pattern, FREC_DEATH_WAIT_MAX);
	else
		frec__probe_found(ret, FREC_PROBE_OK, "no core dumps: a crash is over at once");
}

static void probe_clocks(struct frec_probe_result *ret)
{
	static const clockid_t needed[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME};
	struct timespec time;
	char source[64];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (clock_gettime(needed[i], &time)) {
			frec__probe_found(ret, FREC_PROBE_MISSING, "clock %d: %s", (int)needed[i],
					  strerror(errno));
			return;
		}
	}
	frec__probe_read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			      source, sizeof(source));
	frec__probe_found(ret, FREC_PROBE_OK, "monotonic, boottime and realtime, read from %s",
			  *source ? source : "an unknown source");
}

static void probe_pids(struct frec_probe_result *ret)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "/proc: %s: processes have no names and no mappings from before",
				  strerror(errno));
		frec__probe_fix(ret, "sudo mount -t proc proc /proc");
	} else if (status.st_ino == FIRST_PID_NAMESPACE) {
		frec__probe_found(ret, FREC_PROBE_OK, "all processes of the machine can be seen");
	} else {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "this is a container: processes outside of it show as process 0");
		frec__probe_fix(ret, "docker run --privileged --pid=host -v "
				     "/sys/kernel/tracing:/sys/kernel/tracing ...");
	}
}

const struct frec_probe frec__probes[] = {
	{"tracefs", "finding events", frec__probe_tracefs},
	{"tracefs-rights", "listing and recording events", frec__probe_tracefs_rights},
	{"user-events", "recording the events of services", frec__probe_user_events},
	{"register", "emitting events", frec__probe_register},
	{"layouts", "recording two programs that disagree on an event's fields",
	 frec__probe_layouts},
	{"tracepoints", "recording events, the kernel's among them", frec__probe_tracepoint},
	{"rings", "keeping the last seconds of a CPU in the kernel", frec__probe_ring},
	{"one-ring", "all events in one ring, in order", frec__probe_set_output},
	{"ring-memory", "rings of the default size", frec__probe_ring_memory},
	{"descriptors", "many events on many CPUs", probe_descriptors},
	{"lost-counts", "exact counts of what was lost", frec__probe_lost},
	{"build-ids", "finding the symbols of dead processes", frec__probe_build_ids},
	{"deaths", "snapshots when a process crashes or is killed", probe_death_tracepoints},
	{"btf", "BPF programs", probe_btf},
	{"fault-address", "the faulting address of a crash, and the stack after it overflowed",
	 probe_crash_program},
	{"grace-periods", "snapshots that lose the least", probe_grace_periods},
	{"core-dumps", "when the snapshot of a crash is taken", probe_core_dumps},
	{"clocks", "one time line for everything", probe_clocks},
	{"processes", "naming every process", probe_pids},
};
const size_t frec__probe_count = sizeof(frec__probes) / sizeof(frec__probes[0]);

void frec__probes_run(struct frec_probe_result *ret)
{
	for (size_t i = 0; i < frec__probe_count; i++) {
		ret[i] = (struct frec_probe_result){0};
		frec__probes[i].probe(&ret[i]);
	}
}

static enum frec_probe_state state_of(const struct frec_probe_result *results,
				      void (*probe)(struct frec_probe_result *ret))
{
	for (size_t i = 0; i < frec__probe_count; i++) {
		if (frec__probes[i].probe == probe)
			return results[i].state;
	}
	return FREC_PROBE_MISSING;
}

bool frec__probes_tracepoints(const struct frec_probe_result *results)
{
	return state_of(results, frec__probe_tracepoint) == FREC_PROBE_OK &&
	       state_of(results, frec__probe_ring) == FREC_PROBE_OK &&
	       state_of(results, frec__probe_set_output) == FREC_PROBE_OK &&
	       state_of(results, probe_death_tracepoints) != FREC_PROBE_MISSING;
}

bool frec__probes_user_events(const struct frec_probe_result *results)
{
	return frec__probes_tracepoints(results) &&
	       state_of(results, frec__probe_register) == FREC_PROBE_OK;
}
