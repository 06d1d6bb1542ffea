// SPDX-License-Identifier: MIT
// Probes of processes and of the environment: user, namespaces, container, clocks.
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/rings/perf.h"
#include "recorder/service/clock_ahead.h"

/* The inode of the first pid namespace: PROC_PID_INIT_INO of the kernel's
 * include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu

// Reading the mappings of a process requires the right to trace it. So does reading the link
// /proc/PID/exe, which is tried here.
void frec__probe_visible(struct frec_probe_result *ret)
{
	FREC_CLOSEDIR DIR *folder = opendir("/proc");
	unsigned int others = 0, closed = 0;
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char path[300], text[8];
		struct stat status;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (fstatat(dirfd(folder), entry->d_name, &status, 0) || status.st_uid == geteuid())
			continue;
		// The kernel's own threads have neither a command line nor mappings.
		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		frec__probe_read_line(path, text, sizeof(text));
		if (!*text)
			continue;
		snprintf(path, sizeof(path), "%s/exe", entry->d_name);
		others++;
		closed +=
			readlinkat(dirfd(folder), path, text, sizeof(text)) < 0 && errno == EACCES;
	}
	if (!folder || access("/proc/self/exe", F_OK)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "/proc is not mounted: no names, no mappings");
		frec__probe_fix(ret, "%smount -t proc proc /proc", frec__probe_sudo());
	} else if (closed) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "the mappings of %u of %u other users' processes cannot be read",
				  closed, others);
	} else if (access("/proc/1", F_OK)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "other users' processes are hidden (hidepid)");
		frec__probe_fix(ret, "%smount -o remount,hidepid=0 /proc", frec__probe_sudo());
	} else {
		frec__probe_found(ret, FREC_PROBE_OK,
				  "all processes are in /proc, with their mappings");
	}
}

void frec__probe_pid_namespace(struct frec_probe_result *ret)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status)) {
		frec__probe_found(ret, FREC_PROBE_LIMITED, "/proc/self/ns/pid: %s",
				  strerror(errno));
	} else if (status.st_ino == FIRST_PID_NAMESPACE) {
		frec__probe_found(ret, FREC_PROBE_OK, "the machine's own");
	} else {
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"a separate one: processes outside appear as 0, SIGKILL is not noticed");
		frec__probe_advise(
			ret,
			"start the container in the machine's namespace (docker run --pid=host)");
	}
}

void frec__probe_user_namespace(struct frec_probe_result *ret)
{
	if (frec__probe_first_user_namespace()) {
		frec__probe_found(ret, FREC_PROBE_OK, "the machine's own");
		return;
	}
	frec__probe_found(ret, FREC_PROBE_LIMITED,
			  "a separate one: its rights do not count outside of it");
	frec__probe_advise(
		ret, "have a recorder outside of it do the recording (flightrec record --listen)");
}

// Nothing is tried here. Container runtimes leave marks, which help to interpret the other results.
void frec__probe_container(struct frec_probe_result *ret)
{
	char kind[64];

	frec__probe_read_line("/run/systemd/container", kind, sizeof(kind));
	if (!*kind && !access("/.dockerenv", F_OK))
		snprintf(kind, sizeof(kind), "docker");
	if (!*kind && !access("/run/.containerenv", F_OK))
		snprintf(kind, sizeof(kind), "podman");
	frec__probe_found(ret, FREC_PROBE_OK,
			  *kind ? "marked as a container of %s" : "no mark of a container", kind);
}

/*
 * It is not enough to check that a capability is set: inside a user namespace all capabilities can
 * be set, but none counts outside of it. So the callers try something that only the capability
 * allows; `r` is the result.
 */
static void judge_capability(struct frec_probe_result *ret, enum frec_probe_right right,
			     const char *tried, int r)
{
	if (!r)
		frec__probe_found(ret, FREC_PROBE_OK, "%s was allowed", tried);
	else
		frec__probe_refused(ret, r, tried, right,
				    right == FREC_PROBE_RIGHT_BPF ? "CONFIG_BPF_SYSCALL=y"
								  : "CONFIG_PERF_EVENTS=y");
}

// Only CAP_PERFMON allows perf_event_attr.namespaces, whatever perf_event_paranoid is
// (kernel/events/core.c).
void frec__probe_cap_perfmon(struct frec_probe_result *ret)
{
	struct perf_event_attr attr;

	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.exclude_kernel = 1;
	attr.namespaces = 1;
	attr.read_format = 0;

	FREC_CLOSE int fd =
		(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	judge_capability(ret, FREC_PROBE_RIGHT_PERFMON, "following namespaces",
			 fd < 0 ? -errno : 0);
}

// The kernel has never allowed everybody to create this type of map (kernel/bpf/syscall.c).
void frec__probe_cap_bpf(struct frec_probe_result *ret)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_LPM_TRIE,
			       .key_size = 8,
			       .value_size = 8,
			       .max_entries = 1,
			       .map_flags = BPF_F_NO_PREALLOC};
	FREC_CLOSE int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	judge_capability(ret, FREC_PROBE_RIGHT_BPF, "creating a BPF trie map", fd < 0 ? -errno : 0);
}

void frec__probe_clocks(struct frec_probe_result *ret)
{
	static const clockid_t needed[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME};
	struct frec__clock_ahead ahead;
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
	if (frec__clock_ahead(&ahead))
		frec__probe_found(
			ret, FREC_PROBE_LIMITED,
			"times may be those of a time namespace, of which /proc does not tell");
	else if (ahead.monotonic || ahead.boottime)
		frec__probe_found(
			ret, FREC_PROBE_OK,
			"a time namespace, monotonic %+.3f s and boottime %+.3f s, which are "
			"subtracted",
			(double)ahead.monotonic / 1e9, (double)ahead.boottime / 1e9);
	else
		frec__probe_found(ret, FREC_PROBE_OK, "monotonic, boottime, realtime, read from %s",
				  *source ? source : "an unknown source");
}
