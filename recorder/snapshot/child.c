// SPDX-License-Identifier: MIT
// Limits for a child, and waiting for its end.
#include "recorder/snapshot/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"

// Bytes of memory that looking at a process may take: tables of its programs, above all.
#define MEMORY_MAX (UINT64_C(8) << 30)
// Milliseconds that a killed child has to be gone: one that waits for a broken file system may
// never be.
#define KILL_PATIENCE 1000

void frec__child_limit(unsigned int seconds)
{
	const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, time = {seconds + 1, seconds + 1};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
#ifdef __SANITIZE_ADDRESS__
	(void)memory; // the sanitizer has reserved more than that
#else
	setrlimit(RLIMIT_AS, &memory);
#endif
	setrlimit(RLIMIT_CPU, &time);
}

bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status)
{
	FREC_CLOSE int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	uint64_t deadline = frec__monotonic() + (uint64_t)milliseconds * 1000000, now;
	pid_t ended;

	while ((now = frec__monotonic()) < deadline) {
		int r = poll(&poller, fd >= 0, (int)((deadline - now) / 1000000) + 1);

		if (r > 0 || (r < 0 && errno != EINTR))
			break;
	}
	ended = waitpid(child, ret_status, WNOHANG);
	// Who ignores SIGCHLD has it reaped by the kernel: nobody knows how it ended, and its
	// number may be another's by now.
	return ended == child || (ended < 0 && errno == ECHILD);
}

void frec__child_kill(pid_t child)
{
	kill(child, SIGKILL);
	frec__child_ends_within(child, KILL_PATIENCE, NULL);
}
