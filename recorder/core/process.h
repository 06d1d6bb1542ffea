/* SPDX-License-Identifier: MIT */
/*
 * A process that stands still while its core is dumped: what is mapped where, and how its threads
 * are numbered and called. None of its code runs, and nothing of it is changed.
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
	uint32_t uid;  /* whose it is, if `one_user` */
	bool one_user; /* its real, effective, saved and file system's user are the same */
	size_t mappings;
	struct frec_core_mapping *mapping; /* all, sorted */
	size_t programs;
	/* The executable ones. Their paths lead to the mapped file itself, whatever became of its
	 * name and wherever that is. */
	struct frec_unwind_map *program;
	/* By its number in the process's own pid namespace, the number here; empty where the two
	 * are the same. */
	size_t threads;
	struct frec_core_tid {
		uint32_t inside, here;
	} * thread;
};

/* Returns 0 or a negative errno: -ESRCH where it is gone. */
int frec__core_process_open(struct frec_core_process *process, pid_t pid);
void frec__core_process_close(struct frec_core_process *process);

/* The number here of the thread that has the number `inside` in the process's own pid namespace; 0:
 * unknown. */
uint32_t frec__core_process_tid(const struct frec_core_process *process, uint32_t inside);

/* The name of a thread: at most 15 characters. Empty where it cannot be read. */
void frec__core_process_name(const struct frec_core_process *process, uint32_t tid, char ret[16]);

/*
 * The bytes of a stack, from its pointer upwards or, where that is in a guard page, from the next
 * mapped page on, `size` at most. `ret->data` is `buffer`.
 */
void frec__core_process_stack(const struct frec_core_process *process, uint64_t pointer,
			      uint8_t *buffer, size_t size, struct frec_stack *ret);

#endif
