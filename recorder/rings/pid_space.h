/* SPDX-License-Identifier: MIT */
/*
 * Processes of another pid namespace, for example of a container. Their records contain the pids of
 * that namespace; this translates them into those of the recorder's own. The pairs are read from
 * /proc while the processes live.
 */
#ifndef FREC_RECORDER_RINGS_PID_SPACE_H
#define FREC_RECORDER_RINGS_PID_SPACE_H

#include <stddef.h>
#include <stdint.h>

#define FREC_PID_PAIRS_MAX 16384

struct frec_pid_space {
	uint64_t key; /* 0: the recorder's own namespace, which needs no translation */
	size_t count;
	struct frec_pid_pair {
		uint32_t inside, outside;
	} * pair; /* youngest last */
};

/* Identifies the namespace of a process: different namespaces have different keys. */
uint64_t frec__pid_space_key(uint32_t pid);

/* Adds the numbers of a living process and its threads. */
void frec__pid_space_learn(struct frec_pid_space *space, uint32_t pid);

/* The number that a process or thread has outside; UINT32_MAX if it is unknown. Allocates
 * nothing. */
uint32_t frec__pid_space_outside(const struct frec_pid_space *space, uint32_t inside);

void frec__pid_space_deinit(struct frec_pid_space *space);

#endif
