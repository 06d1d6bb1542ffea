// SPDX-License-Identifier: MIT
// Takes the rights of a child process away, and waits for its end.
#include "recorder/worker/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/rights.h"
#include "proto/system_call_filter.h"
#include "unwind/opener.h"

// The user and group to become, as in every Linux distribution.
#define NOBODY 65534
// Limit on the address space of a child that unwinds, in bytes. Most of it is for tables of the
// programs that the child reads.
#define UNWIND_MEMORY_MAX (UINT64_C(8) << 30)
// How many milliseconds to wait for a killed child. A child that waits for a broken file system may
// never end.
#define KILL_PATIENCE 1000
// How many milliseconds lie between two looks at a child that cannot be waited for.
#define LOOK 10

// Becomes nobody, or stays who it is where users cannot be changed: in a recorder without rights,
// and in a user namespace that has no such user.
static int become_nobody(void)
{
	if (geteuid() == 0 && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	    setresuid(NOBODY, NOBODY, NOBODY) && errno != EINVAL && errno != EPERM)
		return -errno;
	return 0;
}

static void set_limits(const struct frec_sandbox *sandbox)
{
	const struct rlimit none = {0, 0}, memory = {sandbox->memory, sandbox->memory},
			    time = {sandbox->seconds, sandbox->seconds};

	setrlimit(RLIMIT_CORE, &none);
	if (sandbox->seconds)
		setrlimit(RLIMIT_CPU, &time);
	// A sanitizer reserves terabytes of address space.
	if (!FREC_SANITIZED)
		setrlimit(RLIMIT_AS, &memory);
}

// How many instructions allow the calls of a child that writes.
#define WRITING 4

// Allows only the system calls that are needed to read descriptors, allocate memory and exchange
// messages. Any other kills the child, which the parent notices.
static int filter_system_calls(bool writes)
{
	const struct sock_filter filter[] = {
		FREC_FILTER_BEGIN,
		FREC_FILTER_ALLOW(read),
		FREC_FILTER_ALLOW(pread64),
		FREC_FILTER_ALLOW(lseek),
		FREC_FILTER_ALLOW(fstat),
		FREC_FILTER_ALLOW(newfstatat), // fstat(2) of newer C libraries
		FREC_FILTER_ALLOW(fcntl),
		FREC_FILTER_ALLOW(close),
		FREC_FILTER_ALLOW(recvmsg),
		FREC_FILTER_ALLOW(sendmsg),
		FREC_FILTER_ALLOW(mmap),
		FREC_FILTER_ALLOW(munmap),
		FREC_FILTER_ALLOW(mremap),
		FREC_FILTER_ALLOW(mprotect),
		FREC_FILTER_ALLOW(madvise),
		FREC_FILTER_ALLOW(brk),
		FREC_FILTER_ALLOW(futex),
		FREC_FILTER_ALLOW(clock_gettime),
		FREC_FILTER_ALLOW(geteuid),
		FREC_FILTER_ALLOW(sysinfo), // qsort(3)
		FREC_FILTER_ALLOW(uname),
		FREC_FILTER_ALLOW(setitimer),
		FREC_FILTER_ALLOW(rt_sigreturn),
		FREC_FILTER_ALLOW(restart_syscall),
		FREC_FILTER_ALLOW(exit),
		FREC_FILTER_ALLOW(exit_group),
		// From here on what only a child needs that writes.
		BPF_STMT(BPF_JMP | BPF_JA, writes ? 0 : WRITING),
		FREC_FILTER_ALLOW(write),
		FREC_FILTER_ALLOW(splice),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)(uintptr_t)filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	// If the kernel has no seccomp filters (EINVAL), the other limits have to do. With a
	// sanitizer there is no filter, because a sanitizer makes system calls of its own.
	if (FREC_SANITIZED || !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ||
	    errno == EINVAL)
		return 0;
	return -errno;
}

struct frec_sandbox frec__sandbox_to_unwind(unsigned int seconds)
{
	return (struct frec_sandbox){
		.memory = UNWIND_MEMORY_MAX, .seconds = seconds, .has_opener = true};
}

// Returns 0, or -ESRCH if the parent has ended.
static int bind_to_parent(pid_t parent)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	// If the parent died before the last call, the child gets no signal.
	return getppid() == parent ? 0 : -ESRCH;
}

int frec__sandbox_limit(const struct frec_sandbox *sandbox)
{
	pid_t parent = getppid();

	set_limits(sandbox);
	return bind_to_parent(parent);
}

int frec__sandbox_enter(const struct frec_sandbox *sandbox)
{
	const struct rlimit none = {0, 0}, written = {sandbox->written, sandbox->written};
	pid_t parent = getppid();
	int r;

	// The opener needs the rights that this process is about to give up.
	if (sandbox->has_opener && !frec__opener_start(false, sandbox->held, sandbox->held_count))
		return -EAGAIN;
	for (size_t i = 0; i < sandbox->held_count; i++)
		close(sandbox->held[i]);
	set_limits(sandbox);
	setrlimit(RLIMIT_FSIZE, &written);
	setrlimit(RLIMIT_NPROC, &none);
	r = become_nobody();
	if (!r)
		r = frec__rights_keep(FREC_RIGHTS_NONE);
	// This follows the change of the user, which would undo it.
	if (!r)
		r = bind_to_parent(parent);
	return r ? r : filter_system_calls(sandbox->written);
}

bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status)
{
	FREC_CLOSE int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	uint64_t deadline = frec__monotonic() + (uint64_t)milliseconds * 1000000, now;
	pid_t ended;

	// Without a descriptor there is nothing to wait for, so look again and again.
	while (!(ended = waitpid(child, ret_status, WNOHANG)) &&
	       (now = frec__monotonic()) < deadline) {
		int left = (int)((deadline - now) / 1000000) + 1;

		poll(&poller, fd >= 0, fd < 0 && left > LOOK ? LOOK : left);
	}
	// If the parent ignores SIGCHLD, the kernel has reaped the child. How the child ended is
	// not known, and its pid may already be reused, but it has ended.
	return ended == child || (ended < 0 && errno == ECHILD);
}

void frec__child_kill(pid_t child)
{
	kill(child, SIGKILL);
	frec__child_ends_within(child, KILL_PATIENCE, NULL);
}
