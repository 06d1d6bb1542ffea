/* SPDX-License-Identifier: MIT */
/*
 * A process that is stopped while its core is dumped: its mappings, and the tids and names of its
 * threads. The process is only read: none of its code is run, and nothing in it is changed.
 */
#ifndef FREC_RECORDER_CORE_PROCESS_H
#define FREC_RECORDER_CORE_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "recorder/processes/owner.h"
#include "unwind/unwind.h"

#define FREC_CORE_MAPS_MAX 65536

struct frec_core_mapping {
	uint64_t start, end;
	bool readable;
};

struct frec_core_process {
	pid_t pid;
	int folder; /* descriptor of /proc/PID */
	/* the tid in our pid namespace of a thread whose memory /proc shows: not that of the main
	 * thread if that has ended before the process */
	uint32_t member;
	int memory; /* descriptor of /proc/MEMBER/mem */
	struct frec_owner owner;
	char root[PATH_MAX]; /* its root folder; "": unknown */
	size_t mappings;
	struct frec_core_mapping *mapping; /* all mappings, sorted */
	size_t programs;
	/* The executable mappings. Their `file` leads to the mapped file itself, even if it was
	 * renamed or deleted. */
	struct frec_unwind_map *program;
	/* Its threads: their tids in the process's own pid namespace and in ours, and their names,
	 * which are empty if they could not be read. */
	size_t threads;
	struct frec_core_tid {
		uint32_t inside, here;
		char name[16];
	} * thread;
};

/*
 * Opens the folder in /proc of a thread of the process that has not ended: the main thread, unless
 * it has called pthread_exit(3), because /proc shows neither memory nor working directory of such a
 * thread. `*ret_status` is the text of its status file, which the caller frees, and `*ret_tid` its
 * tid. Returns the descriptor or -ESRCH.
 */
int frec__core_member_open(pid_t pid, char **ret_status, uint32_t *ret_tid);

/* Reads everything but the stacks, so that the rest works without the right to open files. Returns
 * 0, -ESRCH if the process is gone or this is another process, whose core is not being dumped, or
 * another negative errno. */
int frec__core_process_open(struct frec_core_process *process, pid_t pid);
void frec__core_process_close(struct frec_core_process *process);
#define FREC_CORE_PROCESS __attribute__((cleanup(frec__core_process_close)))

/* Returns the thread that has the tid `inside` in the process's own pid namespace, or NULL if there
 * is no such thread. */
const struct frec_core_tid *frec__core_process_thread(const struct frec_core_process *process,
						      uint32_t inside);

#endif
