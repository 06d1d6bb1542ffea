/* SPDX-License-Identifier: MIT */
/*
 * The recorder's end of the shm transport (see shm.h): making the memfd, and reading what services
 * put there.
 *
 * Everything in the memfd that services can write is hostile. A copy is made first and judged
 * afterwards, with sizes and keys that only the recorder has; declarations are copied once, when an
 * event is first seen.
 */
#ifndef FREC_RECORDER_RINGS_SHM_RINGS_H
#define FREC_RECORDER_RINGS_SHM_RINGS_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/error.h"
#include "recorder/rings/ring.h"

struct frec_shm_rings;

/* An event that a service has registered. Belongs to the rings and stays as it is while they
 * exist. */
struct frec_shm_event {
	char *provider, *name;
	/* for frec__declarations_read(), which has found one event in it */
	const uint8_t *declaration;
	size_t declaration_size;
	uint64_t id; /* what its records have as PERF_SAMPLE_IDENTIFIER */
	/* that registered it first, as it said: as it sees itself in its pid namespace */
	pid_t pid;
};

/* What a copy held that is no whole record: begun and never finished, or overwritten by
 * somebody. */
struct frec_shm_damage {
	uint64_t regions, bytes;
};

/*
 * Makes the memfd, with a ring of `ring_size` bytes, a power of two, for each CPU. `selection` are
 * globs over PROVIDER:NAME, ending in NULL; `options` are FREC_SHM_... of shm.h. The memory of the
 * CPUs' rings is taken here and not from services; that of the last ring when somebody needs it.
 * The calling thread owns it: when that thread ends services stop writing. Its list of robust
 * futexes becomes ours, so it must not lock robust mutexes. Returns 0 or a negative errno.
 */
int frec__shm_create(struct frec_shm_rings **ret, size_t ring_size, const char *const *selection,
		     uint32_t options, struct frec_error *reterr);

/* By the thread that created it. Services stop writing at their next event. NULL is fine. */
void frec__shm_destroy(struct frec_shm_rings *rings);

/* What a service attaches to; stays the rings'. */
int frec__shm_fd(const struct frec_shm_rings *rings);

/* How many rings there are: one for each possible CPU, in their order, and one for threads that
 * cannot use these. */
size_t frec__shm_ring_count(const struct frec_shm_rings *rings);

/* Looks for events that were registered since. Returns how many are known. Takes memory for new
 * ones alone. */
size_t frec__shm_refresh(struct frec_shm_rings *rings);
const struct frec_shm_event *frec__shm_event(const struct frec_shm_rings *rings, size_t event);

/* How often an event was emitted into a ring. After a death there can be one record more than that,
 * per process killed. */
uint64_t frec__shm_emitted(const struct frec_shm_rings *rings, size_t event, size_t ring);

/* Bytes ever written into a ring, as far as it can be told. */
uint64_t frec__shm_written(const struct frec_shm_rings *rings, size_t ring);

/* As frec__ring_copy(): newest bytes first. Allocates nothing. */
void frec__shm_copy(const struct frec_shm_rings *rings, size_t ring, struct frec_ring_copy *copy);

/*
 * Turns a copy into what frec__ring_copy_finish() leaves: whole records of known events alone, one
 * behind the other, newest first, for frec__records_find(); the damage is told. Once for each copy.
 * Allocates nothing.
 */
void frec__shm_copy_finish(const struct frec_shm_rings *rings, struct frec_ring_copy *copy,
			   struct frec_shm_damage *ret);

#endif
