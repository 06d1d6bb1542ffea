/* SPDX-License-Identifier: MIT */
/*
 * Processes of another pid namespace, as of a container. What they write says who they are as they
 * see themselves; here is what the recorder knows them as. Learnt from /proc while they live.
 */
#ifndef FREC_RECORDER_RINGS_PID_SPACE_H
#define FREC_RECORDER_RINGS_PID_SPACE_H

#include <stddef.h>
#include <stdint.h>

#define FREC_PID_PAIRS_MAX 16384

struct frec_pid_space {
	uint64_t key; /* 0: the recorder's own namespace, in which nothing needs to be told apart */
	size_t count;
	struct frec_pid_pair {
		uint32_t inside, outside;
	} * pair; /* youngest last */
};

/* Which namespace the process is in. Unequal for unequal namespaces. */
uint64_t frec__pid_space_key(uint32_t pid);

/* Learns the numbers of a living process and its threads. */
void frec__pid_space_learn(struct frec_pid_space *space, uint32_t pid);

/* What a process or thread is outside; UINT32_MAX where that is not known. Allocates nothing. */
uint32_t frec__pid_space_outside(const struct frec_pid_space *space, uint32_t inside);

void frec__pid_space_deinit(struct frec_pid_space *space);

#endif
