/* SPDX-License-Identifier: MIT */
/*
 * Processes in other pid namespaces, for example of containers, write records that contain pids of
 * their namespaces. This translates these pids into pids of the recorder's namespace. Each pair of
 * pids is read from /proc while the process lives. The number of a namespace is its inode number,
 * which is never 0.
 */
#ifndef FREC_RECORDER_RINGS_PID_SPACE_H
#define FREC_RECORDER_RINGS_PID_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/table.h"

#define FREC_PID_PAIRS_MAX 65536

struct frec_pid_pair {
	uint32_t space; /* 0: unknown, because the process ended while its pids were read */
	uint32_t inside, outside;
};

struct frec_pid_spaces {
	uint32_t own;	    /* the recorder's namespace; 0: there is no /proc */
	size_t count, next; /* `next` is the oldest pair once there are FREC_PID_PAIRS_MAX */
	struct frec_pid_pair *pair;
	/* Leads from a namespace and a pid in it to the index of their youngest pair, and from 0
	 * and a pid to the index of the youngest pair with that pid in any namespace. */
	struct frec_table index;
	/* Returns whether a process of the recorder's namespace may write records; NULL: any
	 * may. */
	bool (*writes)(void *context, uint32_t pid);
	void *context;
};

void frec__pid_spaces_init(struct frec_pid_spaces *spaces);

/* Returns the number of the pid namespace that a process is in, or 0 if that is the recorder's or
 * the process has ended. */
uint32_t frec__pid_space_of(const struct frec_pid_spaces *spaces, uint32_t pid);

/* If a process is in another namespace than the recorder, adds a pair for each of its threads and
 * returns true, else returns false. A process stays in one pid namespace all its life. */
bool frec__pid_spaces_learn(struct frec_pid_spaces *spaces, uint32_t pid);

/*
 * Replaces the pid and the tid of a record by the numbers that the same thread has in the
 * recorder's namespace, or by UINT32_MAX if those are unknown. `space` is the number of the
 * namespace that the record names, 0 for the recorder's or if unknown. The child of a process that
 * attached may be in another namespace, and still name that of its parent. So if `space` is the
 * recorder's, but the process with this pid there does not write records, and there is a pair with
 * this pid, the pair is used. Allocates nothing.
 */
void frec__pid_spaces_translate(const struct frec_pid_spaces *spaces, uint32_t space, uint32_t *pid,
				uint32_t *tid);

void frec__pid_spaces_deinit(struct frec_pid_spaces *spaces);

#endif
