// SPDX-License-Identifier: MIT
/*
 * Handles a core dump, in two processes.
 *
 * The kernel keeps the dying process until its core dump is read. A child process reads the head of
 * the core dump, with the registers of all threads, into a memory file, unwinds the threads and
 * hands their stacks to the recorders. All parsing is done in the child, because programs, tables
 * and stacks may be hostile. The parent waits for the child for a limited time. It then passes on
 * the core dump: first the memory file, which holds exactly what the child read, then the rest of
 * the pipe. So a child that crashes or hangs costs the stacks, but never the core dump.
 */
#include "recorder/core/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "recorder/core/pass.h"
#include "recorder/core/recorders.h"
#include "recorder/core/stacks.h"
#include "recorder/worker/sandbox.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void print_error(const struct frec_error *error)
{
	fprintf(stderr, "flightrec core: %s\n", error->message);
}

static int hand_over(const struct frec_core_recorders *recorders,
		     const struct frec_core_process *process, const struct frec_core_notes *notes,
		     uint64_t until, uint64_t deadline, struct frec_error *reterr)
{
	FREC_CLOSE int fd = memfd_create("stacks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t missing = 0;
	int r;

	if (fd < 0)
		return frec__error(reterr, -errno, "memfd_create: %s", strerror(errno));
	r = frec__core_stacks_write(process, notes, until, fd, &missing, reterr);
	if (r)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS))
		return frec__error(reterr, -errno, "sealing the stacks: %s", strerror(errno));
	frec__core_recorders_send(recorders, process->pid, fd, missing, deadline);
	return 0;
}

static int collect(pid_t pid, bool only_root, const struct frec_core_limits *limits, int kept,
		   struct frec_error *reterr)
{
	uint64_t start = frec__monotonic(), share = limits->seconds * UINT64_C(250000000);
	FREC_CORE_NOTES struct frec_core_notes notes = {.count = 0};
	FREC_CORE_PROCESS struct frec_core_process process;
	FREC_CORE_RECORDERS struct frec_core_recorders recorders = {.count = 0};
	int r = frec__core_process_open(&process, pid);

	if (r)
		return frec__error(reterr, r, "process %d: %s", pid, strerror(-r));
	frec__core_recorders_find(&recorders, &process, only_root, start + 2 * share);
	if (!recorders.count)
		return 0;
	r = frec__core_notes_read(STDIN_FILENO, kept, limits->threads, &notes, reterr);
	if (r)
		return r;
	// The last quarter of the time is reserved for the hand-over.
	return hand_over(&recorders, &process, &notes, start + 3 * share, start + 4 * share,
			 reterr);
}

// Runs collect() in a child process, which may fail in any way and is killed when the time is up.
static void collect_in_child(pid_t pid, bool only_root, const struct frec_core_limits *limits,
			     int kept)
{
	const struct frec_sandbox sandbox = frec__sandbox_to_unwind(limits->seconds + 1);
	pid_t child = fork();

	if (!child) {
		struct frec_error error = {0};

		if (frec__sandbox_enter(&sandbox))
			_exit(1);
		if (collect(pid, only_root, limits, kept, &error))
			print_error(&error);
		_exit(0);
	}
	if (child > 0 && !frec__child_ends_within(child, (int)limits->seconds * 1000, NULL)) {
		fprintf(stderr,
			"flightrec core: collecting the stacks of process %d took more than %u s "
			"and was given up\n",
			pid, limits->seconds);
		frec__child_kill(child);
	}
}

int frec__core_handle(const struct frec_core_values *values, const struct frec_core_limits *limits,
		      const char *previous)
{
	pid_t pid = values->of['P'] ? atoi(values->of['P']) : 0;
	// %d expands to 1 (the kernel's SUID_DUMP_USER) if the user of the process may see its
	// memory.
	bool only_root = !values->of['d'] || strcmp(values->of['d'], "1") != 0;
	FREC_CLOSE int kept = memfd_create("core", MFD_CLOEXEC);
	struct frec_error error = {0};
	int r;

	if (kept >= 0 && pid > 0 && limits->seconds)
		collect_in_child(pid, only_root, limits, kept);
	if (kept < 0) // no child ran, so nothing was read from the pipe
		kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = frec__core_pass_on(previous, values, kept, STDIN_FILENO, &error);
	if (r)
		print_error(&error);
	return r;
}
