// SPDX-License-Identifier: MIT
// Finds out how a process ended, in one of three ways. The parent gets the exit status from
// wait(2). The holder of a pidfd gets it with PIDFD_INFO_EXIT (since Linux 6.15), but only after
// the parent has waited for the process. Until then, those who may trace the process can read the
// exit status in /proc/PID/stat of the zombie.
#include "recorder/processes/process_end.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// The struct of <linux/pidfd.h>, with the members that all versions of it have. Older systems do
// not have this struct.
struct pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO _IOWR(0xff, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT (UINT64_C(1) << 3)

static bool from_wait(int pidfd, int *ret_status)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return false;
	switch (info.si_code) {
	case CLD_EXITED:
		*ret_status = W_EXITCODE(info.si_status & 0xff, 0);
		return true;
	case CLD_KILLED:
	case CLD_DUMPED:
		*ret_status = W_EXITCODE(0, info.si_status) |
			      (info.si_code == CLD_DUMPED ? WCOREFLAG : 0);
		return true;
	default:
		return false;
	}
}

static bool from_pidfd(int pidfd, int *ret_status)
{
	struct pidfd_info info = {.mask = PIDFD_INFO_EXIT};

	if (ioctl(pidfd, PIDFD_GET_INFO, &info) || !(info.mask & PIDFD_INFO_EXIT))
		return false;
	*ret_status = info.exit_code;
	return true;
}

// Returns whether the exit status in /proc can be trusted: those who may not trace the process read
// 0 there, which looks like success.
static bool may_trace(uint32_t pid)
{
	char path[64], target[8];

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	return readlink(path, target, sizeof(target)) >= 0 || errno == ENOENT;
}

// Reads the exit status of a zombie from /proc/PID/stat, where it is the last number. Returns false
// if the process is not a zombie or the number cannot be trusted.
static bool from_proc(uint32_t pid, int *ret_status)
{
	FREC_FREE char *text = NULL;
	char path[64], state, *close;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	text = frec__read_file_at(AT_FDCWD, path, 4096);
	close = text ? strrchr(text, ')') : NULL;
	if (!close || sscanf(close + 1, " %c", &state) != 1 || state != 'Z' || !may_trace(pid))
		return false;
	*ret_status = (int)strtol(strrchr(close, ' '), NULL, 10);
	return true;
}

// Returns whether the process still has its pid, because its parent has not waited for it yet.
static bool is_there(int pidfd)
{
	return !syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) || errno == EPERM;
}

bool frec__pidfd_is_over(int pidfd)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};

	return poll(&poller, 1, 0) == 1;
}

bool frec__process_is_over(uint32_t pid)
{
	FREC_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? errno == ESRCH : frec__pidfd_is_over(fd);
}

int frec__process_end(int pidfd, uint32_t pid, int *ret_status)
{
	int status;

	if (!frec__pidfd_is_over(pidfd))
		return -EAGAIN;
	if (from_wait(pidfd, ret_status) || from_pidfd(pidfd, ret_status))
		return 0;
	// What was read from /proc is about this process if the process still has its pid now.
	if (from_proc(pid, &status) && is_there(pidfd)) {
		*ret_status = status;
		return 0;
	}
	if (is_there(pidfd))
		return -EAGAIN;
	return from_pidfd(pidfd, ret_status) ? 0 : -ENODATA;
}
