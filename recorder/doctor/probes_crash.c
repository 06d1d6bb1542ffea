// SPDX-License-Identifier: MIT
// Probes of what a recorder learns about a death, and when.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/deaths.h"
#include "recorder/declared/catalog.h"
#include "recorder/doctor/probes_internal.h"
#include "recorder/sources/crash_program.h"

/* Copied from the kernel's include/uapi/linux/pidfd.h, because the headers of Debian 12 lack it. */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT (UINT64_C(1) << 3)

#define EXIT_STATUS 42

void frec__probe_deaths(struct frec_probe_result *ret)
{
	static const struct {
		const char *path, *without;
		enum frec_probe_state state;
	} needed[] = {
		{"events/signal/signal_deliver/format", "signal:signal_deliver is missing",
		 FREC_PROBE_MISSING},
		{"events/signal/signal_generate/format",
		 "signal:signal_generate is missing: SIGKILL is not noticed", FREC_PROBE_LIMITED},
		{"events/oom/mark_victim/format",
		 "oom:mark_victim is missing: the OOM killer shows as SIGKILL", FREC_PROBE_LIMITED},
	};
	struct frec_error error;
	FREC_CLOSE int tracefs = frec__catalog_open(&error);

	if (tracefs < 0) {
		frec__probe_found(ret, FREC_PROBE_MISSING, "needs tracefs-rights");
		return;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!faccessat(tracefs, needed[i].path, R_OK, AT_EACCESS))
			continue;
		frec__probe_found(ret, needed[i].state, "%s", needed[i].without);
		return;
	}
	frec__probe_found(ret, FREC_PROBE_OK, "signal_deliver, signal_generate, mark_victim");
}

void frec__probe_fault_address(struct frec_probe_result *ret)
{
	struct frec_crash_program *program;
	struct frec_source source = {0};
	struct frec_error error;
	int r = frec__crash_program_create(&program, &source, true, 0, &error);

	if (r) {
		frec__probe_refused(
			ret, r, "the BPF program for crashes", FREC_PROBE_RIGHT_BPF_PERFMON,
			"CONFIG_BPF_SYSCALL=y, CONFIG_BPF_EVENTS=y and CONFIG_DEBUG_INFO_BTF=y");
		return;
	}
	frec__source_deinit(&source);
	frec__crash_program_destroy(program);
	frec__probe_found(ret, FREC_PROBE_OK, "the BPF program for crashes can be attached");
}

void frec__probe_core_dumps(struct frec_probe_result *ret)
{
	char pattern[160];

	frec__probe_read_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (*pattern)
		frec__probe_found(
			ret, FREC_PROBE_OK,
			"core_pattern is \"%s\": a snapshot waits for the dump, at most %d ms",
			pattern, FREC_DEATH_WAIT_MAX);
	else
		frec__probe_found(ret, FREC_PROBE_OK,
				  "no core dumps: a snapshot need not wait for one");
}

// Asks about a child only after waiting for it: when a recorder asks about a process, that
// process's parent has waited for it too.
void frec__probe_exit_info(struct frec_probe_result *ret)
{
	struct pidfd_info info = {.mask = PIDFD_INFO_EXIT};
	pid_t child = fork();

	if (!child)
		_exit(EXIT_STATUS);

	FREC_CLOSE int fd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
	int r = fd < 0 ? -errno : 0;

	if (child > 0)
		waitpid(child, NULL, 0);
	if (!r && ioctl(fd, PIDFD_GET_INFO, &info))
		r = -errno;
	if (r)
		frec__probe_found(
			ret, fd < 0 ? FREC_PROBE_MISSING : FREC_PROBE_LIMITED,
			"%s: %s: the exit status of other parents' children stays unknown",
			fd < 0 ? "pidfd_open(2)" : "PIDFD_GET_INFO", strerror(-r));
	else if (info.mask & PIDFD_INFO_EXIT && WEXITSTATUS(info.exit_code) == EXIT_STATUS)
		frec__probe_found(ret, FREC_PROBE_OK,
				  "a pidfd reported the exit status after the end");
	else
		frec__probe_found(ret, FREC_PROBE_LIMITED,
				  "pidfds do not report how a process ended: unknown for other "
				  "parents' children");
}
