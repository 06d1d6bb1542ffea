// SPDX-License-Identifier: MIT
// Limits a child process, and waits for its end.
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

// Limit on the child's memory, in bytes. Most of it is for tables of the programs that it reads.
#define MEMORY_MAX (UINT64_C(8) << 30)
// How many milliseconds to wait for a killed child. A child that waits for a broken file system may
// never end.
#define KILL_PATIENCE 1000

void frec__child_limit(unsigned int seconds)
{
	const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, time = {seconds + 1, seconds + 1};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
#ifdef __SANITIZE_ADDRESS__
	(void)memory; // the sanitizer reserves more than MEMORY_MAX
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
	// If the parent ignores SIGCHLD, the kernel has reaped the child. How the child ended is
	// not known, and its pid may already be reused, but it has ended.
	return ended == child || (ended < 0 && errno == ECHILD);
}

void frec__child_kill(pid_t child)
{
	kill(child, SIGKILL);
	frec__child_ends_within(child, KILL_PATIENCE, NULL);
}
