/* SPDX-License-Identifier: MIT */
/*
 * The rings of a recorder and the memory for a copy of all of them. There is a kernel ring for each
 * CPU that was ever online, and there are the rings that services write.
 *
 * Invariants: a ring keeps its index as long as the recorder runs, because sources and captures are
 * indexed by it, unless a memory is given back, which never happens while a capture is in use. The
 * ring of a CPU that goes offline stays, and is replaced in its place when the CPU comes back.
 * Every ring has room in the capture before a record is taken from it.
 */
#ifndef FREC_RECORDER_RING_SET_H
#define FREC_RECORDER_RING_SET_H

#include "recorder/processes/sideband.h"
#include "recorder/rings/ring.h"
#include "recorder/snapshot/capture.h"

struct frec_ring_set {
	size_t count;
	struct frec_ring *ring;
	uint64_t size; /* bytes of each ring */
	struct frec_capture capture;
	char *online; /* /sys/devices/system/cpu/online, as last read */
	/* When the rings were last checked for life, in nanoseconds of CLOCK_MONOTONIC, and how
	 * many checks are to come. 0: never, and none. */
	uint64_t alive_checked;
	unsigned int checks;
};

void frec__ring_set_init(struct frec_ring_set *set, uint64_t size);
void frec__ring_set_deinit(struct frec_ring_set *set);

/* Reads which CPUs are online. Returns 0 or a negative errno. */
int frec__ring_set_read_cpus(struct frec_ring_set *set, struct frec_error *reterr);

/*
 * Opens the ring and the sideband of the first online CPU that has none, or none since it came
 * back, and sets *ret_at to the index of that ring. Returns 1, 0 if no CPU is left, or a negative
 * errno. The caller opens the sources on that ring and calls again.
 */
int frec__ring_set_open_next(struct frec_ring_set *set, struct frec_sideband *sideband,
			     size_t *ret_at, struct frec_error *reterr);

/* Call this if a CPU may have gone and come back since the last refresh. The refreshes of the next
 * seconds, as long as set->checks is not 0, find out whether its ring is dead. */
void frec__ring_set_suspect(struct frec_ring_set *set);

/* Closes the sideband of each CPU that has gone offline. Returns whether CPUs came or went. */
bool frec__ring_set_refresh(struct frec_ring_set *set, struct frec_sideband *sideband);

/* The memory of a user's services. */
struct frec_service_memory {
	const struct frec_shm_rings *rings;
	uint32_t uid, number;
	uint32_t space; /* the pid namespace of the services; 0: the recorder's own */
	const struct frec_pid_spaces *spaces;
};

/* Adds all rings of that memory, or none if there is no room to capture them together with
 * `sources` sources. Returns 0 or -ENOMEM. */
int frec__ring_set_add_memory(struct frec_ring_set *set, const struct frec_service_memory *memory,
			      uint64_t since, size_t sources, struct frec_error *reterr);

/* Removes the rings of a memory, and gives back the memory for their copies. Returns how many rings
 * that were; *ret_first is the index of the first one. */
size_t frec__ring_set_remove_memory(struct frec_ring_set *set, const struct frec_shm_rings *memory,
				    size_t *ret_first);

/* Sets memory aside for a capture of all rings and of `sources` sources. Returns 0 or a negative
 * errno. */
int frec__ring_set_reserve(struct frec_ring_set *set, size_t sources, struct frec_error *reterr);

/* Returns the bytes ever written to the busiest ring. `ret_busiest`, the index of that ring, may be
 * NULL. */
uint64_t frec__ring_set_written(const struct frec_ring_set *set, size_t *ret_busiest);

#endif
