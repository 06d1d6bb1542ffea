/* SPDX-License-Identifier: MIT */
/*
 * Processes of another pid namespace, for example of a container, write records that contain pids
 * of that namespace. This translates them into pids of the recorder's namespace, by means of pairs
 * that are read from /proc while the processes live.
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

/* The key of the pid namespace that a process is in. Different namespaces have different keys. 0
 * for the recorder's own namespace, and for a process that is gone. */
uint64_t frec__pid_space_key(uint32_t pid);

/* Adds a pair for each thread of a living process. */
void frec__pid_space_learn(struct frec_pid_space *space, uint32_t pid);

/*
 * Translates `inside`, a pid or tid in the namespace of `space`, into the number that the same
 * thread has in the recorder's namespace. Returns UINT32_MAX if that is unknown. Allocates nothing.
 */
uint32_t frec__pid_space_outside(const struct frec_pid_space *space, uint32_t inside);

void frec__pid_space_deinit(struct frec_pid_space *space);

#endif
