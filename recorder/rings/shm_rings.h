/* SPDX-License-Identifier: MIT */
/*
 * The recorder's side of the shm transport (see service/shm.h): it creates the memfd and reads the
 * events that services register there. shm_copy.h copies the rings.
 *
 * Everything in the memfd that services can write is untrusted. The recorder copies it first and
 * then checks the copy against sizes and keys that only the recorder can change. It copies each
 * declaration once, when it first sees the event.
 */
#ifndef FREC_RECORDER_RINGS_SHM_RINGS_H
#define FREC_RECORDER_RINGS_SHM_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"
#include "recorder/rings/clock_probe.h"

struct frec_shm_rings;

/* An event that a service has registered. This struct belongs to the rings and never changes. */
struct frec_shm_event {
	char *provider, *name;
	/* the event's declaration, for frec__declarations_read() */
	const uint8_t *declaration;
	size_t declaration_size;
	uint64_t id; /* the PERF_SAMPLE_IDENTIFIER of its records */
	/* the pid of the process that registered the event first, in its own pid namespace */
	pid_t pid;
};

/*
 * Creates the memfd with a ring of `ring_size` bytes, a power of two, for each CPU, and one more
 * for threads that cannot use those. The memory of as many rings as CPUs are online is allocated
 * here, so services are not charged for it. The memory of the others is allocated when a thread
 * first uses them. `selection` is a list of globs over PROVIDER:NAME that ends in NULL; `options`
 * are bits FREC_SHM_... from shm.h. The calling thread owns the memfd: services stop writing when
 * that thread ends. This replaces the thread's list of robust futexes, so the thread must not lock
 * robust mutexes. Returns 0, or a negative errno with a message.
 */
int frec__shm_create(struct frec_shm_rings **ret, size_t ring_size, const char *const *selection,
		     uint32_t options, struct frec_error *reterr);

/* Asks services for call stacks: `stacks` is a list that ends in NULL, of texts that each consist
 * of a letter FREC_SHM_STACK_... and a glob over PROVIDER:NAME; the last that matches an event
 * counts. Must be called once, before a service attaches. Returns 0, or -E2BIG with a message. */
int frec__shm_ask_stacks(struct frec_shm_rings *rings, const char *const *stacks,
			 struct frec_error *reterr);

/* Makes the copies of an event's records have call stacks, empty if a record has none. The copies
 * of all other records have none. */
void frec__shm_keep_stacks(struct frec_shm_rings *rings, size_t event);

/* Must be called by the thread that created the rings. Services stop writing at their next event,
 * and the memory is given back although they still map it. NULL is fine. */
void frec__shm_destroy(struct frec_shm_rings *rings);

/* Sets how services read the clock from their next event on, or, if they compute times from a line
 * (service/shm_line.h), from their next line on. Services that have once used coarse times go on
 * with these. */
void frec__shm_set_clock(struct frec_shm_rings *rings, enum frec_clock_way way);

/* Returns the descriptor of the memfd, which services attach to. `rings` still owns the
 * descriptor. */
int frec__shm_fd(const struct frec_shm_rings *rings);

/* Returns how many rings there are: one for each possible CPU, in the order of the CPUs, and a last
 * one for threads that cannot use those. */
size_t frec__shm_ring_count(const struct frec_shm_rings *rings);

/* Adds the events that were registered since the last call, and updates the clock data by which
 * services compute times. Returns how many events there are now. Allocates memory only if there are
 * new events. */
size_t frec__shm_refresh(struct frec_shm_rings *rings);
/* A process that was forked from a service, or, if `ends` is set, that is about to exit. `pid` is
 * the pid in the pid namespace of the service, which wrote it and is not trusted. */
struct frec_shm_birth {
	uint32_t pid;
	bool ends;
};

/* Stores the next such process in `ret`. Returns false if there is none. */
bool frec__shm_next_birth(struct frec_shm_rings *rings, struct frec_shm_birth *ret);
const struct frec_shm_event *frec__shm_event(const struct frec_shm_rings *rings, size_t event);

/* Returns how often an event was emitted into a ring. For each process that was killed between
 * writing a record and counting it, the ring can hold one record more than this number. */
uint64_t frec__shm_emitted(const struct frec_shm_rings *rings, size_t event, size_t ring);

#endif
