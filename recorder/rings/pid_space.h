/* SPDX-License-Identifier: MIT */
/*
 * Processes in other pid namespaces, for example of containers, write records that contain pids of
 * their namespaces. This translates them into pids of the recorder's namespace, by means of pairs
 * that are read from /proc while the processes live. A namespace is known by its inode number,
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
	uint32_t space; /* 0: the process had ended, and only its pids could be read */
	uint32_t inside, outside;
};

struct frec_pid_spaces {
	uint32_t own;	    /* the recorder's own namespace; 0: there is no /proc */
	size_t count, next; /* `next` is the oldest pair once there are FREC_PID_PAIRS_MAX */
	struct frec_pid_pair *pair;
	/* The number of the youngest pair for a namespace and a pid in it, and, with 0 in place of
	 * the namespace, for that pid in any namespace. */
	struct frec_table index;
	/* Whether a process of the recorder's namespace may write records; NULL: any may. */
	bool (*writes)(void *context, uint32_t pid);
	void *context;
};

void frec__pid_spaces_init(struct frec_pid_spaces *spaces);

/* The pid namespace that a process is in. 0 for the recorder's own namespace, and for a process
 * that has ended. */
uint32_t frec__pid_space_of(const struct frec_pid_spaces *spaces, uint32_t pid);

/* Adds a pair for each thread of a process that is in another namespace. Returns whether it is; a
 * process stays in one pid namespace all its life. */
bool frec__pid_spaces_learn(struct frec_pid_spaces *spaces, uint32_t pid);

/*
 * Replaces the pid and the tid of a record by the numbers that the same thread has in the
 * recorder's namespace, or by UINT32_MAX if those are unknown. `space` is the namespace of the
 * process when it attached; 0: unknown. A process that was forked into a further namespace later
 * still writes the old one. So a pid of the recorder's own namespace is doubted if that process
 * does not write records, and a process of another namespace with this pid is known. Allocates
 * nothing.
 */
void frec__pid_spaces_translate(const struct frec_pid_spaces *spaces, uint32_t space, uint32_t *pid,
				uint32_t *tid);

void frec__pid_spaces_deinit(struct frec_pid_spaces *spaces);

#endif
