/* SPDX-License-Identifier: MIT */
/*
 * A process that is stopped while its core is dumped: its mappings, and the numbers and names of
 * its threads. None of its code runs, and nothing in it is changed.
 */
#ifndef FREC_RECORDER_CORE_PROCESS_H
#define FREC_RECORDER_CORE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unwind/unwind.h"

#define FREC_CORE_MAPS_MAX 65536

struct frec_core_mapping {
	uint64_t start, end;
	bool readable;
};

struct frec_core_process {
	pid_t pid;
	int folder;    /* of /proc */
	int memory;    /* its memory, as a file */
	uint32_t uid;  /* its owner, if `one_user` */
	bool one_user; /* its real, effective, saved and file system uid are the same */
	size_t mappings;
	struct frec_core_mapping *mapping; /* all, sorted */
	size_t programs;
	/* The executable mappings. Their paths lead to the mapped file itself, even if it was
	 * renamed or deleted. */
	struct frec_unwind_map *program;
	/* Tids in the process's own pid namespace and in ours; empty if they are the same. */
	size_t threads;
	struct frec_core_tid {
		uint32_t inside, here;
	} * thread;
};

/* Returns 0 or a negative errno: -ESRCH if the process is gone. */
int frec__core_process_open(struct frec_core_process *process, pid_t pid);
void frec__core_process_close(struct frec_core_process *process);
#define FREC_CORE_PROCESS __attribute__((cleanup(frec__core_process_close)))

/* The tid in our pid namespace of the thread that is `inside` in the process's own; 0: unknown. */
uint32_t frec__core_process_tid(const struct frec_core_process *process, uint32_t inside);

/* The name of a thread: at most 15 characters, empty if it cannot be read. */
void frec__core_process_name(const struct frec_core_process *process, uint32_t tid, char ret[16]);

/*
 * Reads at most `size` bytes of a stack into `buffer`, from its pointer upwards, or from the next
 * readable mapping if the pointer is in a guard page. `ret->data` is `buffer`.
 */
void frec__core_process_stack(const struct frec_core_process *process, uint64_t pointer,
			      uint8_t *buffer, size_t size, struct frec_stack *ret);

#endif
