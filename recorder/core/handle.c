// SPDX-License-Identifier: MIT
/*
 * Handles a core dump, in three processes.
 *
 * The kernel keeps the dying process until its core dump is read. A child, the collector, reads
 * /proc about that process and asks the recorders. If one waits for the stacks, the collector forks
 * the unwinder. That reads the head of the core dump, with the registers of all threads, into a
 * memory file, unwinds the threads, and writes their stacks to another one, which the collector
 * hands to the recorders. All parsing of programs, tables and stacks is done in the unwinder, which
 * has no rights (sandbox.h), because they may be hostile. The parent waits for a limited time. It
 * then passes on the core dump: first the memory file, which holds exactly what the unwinder read,
 * then the rest of the pipe. So children that crash or hang cost the stacks, but never the core
 * dump.
 */
#include "recorder/core/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/rights.h"
#include "recorder/core/pass.h"
#include "recorder/core/recorders.h"
#include "recorder/core/stacks.h"
#include "recorder/worker/sandbox.h"

// The parent waits at most this many milliseconds for the end of killed children.
#define KILL_PATIENCE 1000
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void print_error(const struct frec_error *error)
{
	fprintf(stderr, "flightrec core: %s\n", error->message);
}

// What the unwinder works on.
struct work {
	const struct frec_core_process *process;
	const struct frec_core_limits *limits;
	int kept;	 /* memory file for the head of the core dump */
	int stacks;	 /* memory file for the stacks of the threads */
	uint64_t until;	 /* nanoseconds of CLOCK_MONOTONIC */
	size_t *missing; /* the number of threads without a stack, in memory that is shared */
};

static int unwind(const struct work *work, struct frec_error *reterr)
{
	FREC_CORE_NOTES struct frec_core_notes notes = {.count = 0};
	int r = frec__core_notes_read(STDIN_FILENO, work->kept, work->limits->threads, &notes,
				      reterr);

	return r ? r
		 : frec__core_stacks_write(work->process, &notes, work->until, work->stacks,
					   work->missing, reterr);
}

// Runs unwind() in a child without rights. `recorders` is what the child must not reach. Returns 0,
// or a negative errno if there are no stacks.
static int unwind_in_child(const struct work *work, struct frec_core_recorders *recorders,
			   struct frec_error *reterr)
{
	struct frec_sandbox sandbox = frec__sandbox_to_unwind(work->limits->seconds + 1);
	// The unwinder itself stops at `until`. What is left of the time is for the last stack.
	uint64_t patience = work->until + work->limits->seconds * UINT64_C(125000000);
	uint64_t now = frec__monotonic();
	int left = now < patience ? (int)((patience - now) / 1000000) : 0;
	pid_t child = fork();
	int status = 0;

	if (!child) {
		struct frec_error error = {0};

		frec__core_recorders_close(recorders);
		sandbox.written = FREC_CORE_HEAD_MAX;
		if (frec__sandbox_enter(&sandbox))
			_exit(1);
		if (!unwind(work, &error))
			_exit(0);
		print_error(&error);
		_exit(2);
	}
	if (child < 0)
		return frec__error(reterr, -errno, "no process to unwind: %s", strerror(errno));
	if (!frec__child_ends_within(child, left, &status)) {
		frec__child_kill(child);
		return frec__error(reterr, -ETIME, "unwinding took too long and was given up");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return -EBADMSG; // the child has said why
	return status ? frec__error(reterr, -EIO, "unwinding ended by %s %d",
				    WIFSIGNALED(status) ? "signal" : "exit status",
				    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status))
		      : 0;
}

static int collect(pid_t pid, bool only_root, const struct frec_core_limits *limits, int kept,
		   struct frec_error *reterr)
{
	uint64_t start = frec__monotonic(), share = limits->seconds * UINT64_C(250000000);
	FREC_CORE_PROCESS struct frec_core_process process;
	FREC_CORE_RECORDERS struct frec_core_recorders recorders = {.count = 0};
	FREC_CLOSE int stacks = memfd_create("stacks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t *missing = mmap(NULL, sizeof(*missing), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct work work = {.process = &process,
				  .limits = limits,
				  .kept = kept,
				  .stacks = stacks,
				  .until = start + 3 * share,
				  .missing = missing};
	int r = frec__core_process_open(&process, pid);

	if (r)
		return frec__error(reterr, r, "process %d: %s", pid, strerror(-r));
	if (stacks < 0 || missing == MAP_FAILED)
		return frec__error(reterr, -errno, "no memory for stacks: %s", strerror(errno));
	frec__core_recorders_find(&recorders, &process, only_root, start + 2 * share);
	if (!recorders.count)
		return 0;
	r = unwind_in_child(&work, &recorders, reterr);
	if (r)
		return r;
	if (fcntl(stacks, F_ADD_SEALS, SEALS))
		return frec__error(reterr, -errno, "sealing the stacks: %s", strerror(errno));
	// The last part of the time is reserved for the hand-over.
	frec__core_recorders_send(&recorders, pid, stacks, *missing, start + 4 * share);
	return 0;
}

// Waits until all processes have ended that have the other end of the pipe `alive` open: a child
// that reads from the core dump must not take from it what is to be passed on.
static void wait_for_all(int alive)
{
	struct pollfd poller = {.fd = alive};

	while (poll(&poller, 1, KILL_PATIENCE) < 0 && errno == EINTR)
		;
}

// Runs collect() in a child process, which may fail in any way and is killed when the time is up.
static void collect_in_child(pid_t pid, bool only_root, const struct frec_core_limits *limits,
			     int kept)
{
	const struct frec_sandbox sandbox = frec__sandbox_to_unwind(limits->seconds + 1);
	int alive[2];
	pid_t child;

	if (pipe2(alive, O_CLOEXEC))
		return;
	child = fork();
	if (!child) {
		struct frec_error error = {0};

		if (frec__rights_keep(FREC_RIGHTS_OF_CORE) || frec__sandbox_limit(&sandbox))
			_exit(1);
		if (collect(pid, only_root, limits, kept, &error) && error.code)
			print_error(&error);
		_exit(0);
	}
	close(alive[1]);
	if (child > 0 && !frec__child_ends_within(child, (int)limits->seconds * 1000, NULL)) {
		fprintf(stderr,
			"flightrec core: collecting the stacks of process %d took more than %u s "
			"and was given up\n",
			pid, limits->seconds);
		frec__child_kill(child);
	}
	wait_for_all(alive[0]);
	close(alive[0]);
}

int frec__core_handle(const struct frec_core_values *values, const struct frec_core_limits *limits,
		      const char *previous)
{
	pid_t pid = values->of['P'] ? atoi(values->of['P']) : 0;
	// %d expands to 1 (the kernel's SUID_DUMP_USER) if the user of the process may see its
	// memory.
	bool only_root = !values->of['d'] || strcmp(values->of['d'], "1") != 0;
	FREC_CLOSE int kept = memfd_create("core", MFD_CLOEXEC);
	char receiver[FREC_CORE_PATTERN_MAX];
	struct frec_error error = {0};
	int r;

	if (kept >= 0 && pid > 0 && limits->seconds)
		collect_in_child(pid, only_root, limits, kept);
	if (kept < 0) // no child ran, so nothing was read from the pipe
		kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	frec__core_pattern_receiver("", previous, receiver);
	r = frec__core_pass_on(receiver, values, kept, STDIN_FILENO, &error);
	if (r)
		print_error(&error);
	return r;
}
