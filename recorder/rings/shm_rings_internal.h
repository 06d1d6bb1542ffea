/* SPDX-License-Identifier: MIT */
/* The members of struct frec_shm_rings, shared by shm_rings.c, shm_copy.c and tests. */
#ifndef FREC_RECORDER_RINGS_SHM_RINGS_INTERNAL_H
#define FREC_RECORDER_RINGS_SHM_RINGS_INTERNAL_H

#include "recorder/rings/shm_rings.h"
#include "recorder/service/shm.h"

enum { FREC_SHM_UNSEEN, FREC_SHM_KNOWN, FREC_SHM_REFUSED };

struct frec_shm_rings {
	int fd;
	void *map; /* the header is writable, everything after it is read-only */
	struct frec_shm_layout layout;
	size_t count, ring_size;
	uint32_t key;
	bool owned;
	size_t events, declarations_size;
	struct frec_shm_event event[FREC_SHM_EVENTS];
	uint32_t forks_seen;		/* entries of `forked` that were read */
	uint8_t known[FREC_SHM_EVENTS]; /* per slot: FREC_SHM_UNSEEN, ... */
	bool chains[FREC_SHM_EVENTS];	/* per slot: copies of its records have call stacks */
};

static inline const struct frec_shm_control *frec__shm_control(const struct frec_shm_rings *rings,
							       size_t ring)
{
	return (const void *)((const char *)rings->map + rings->layout.controls +
			      ring * rings->layout.control_size);
}

/* Does what frec__shm_create() does, for a machine with `cpus` CPUs. */
int frec__shm_create_for(struct frec_shm_rings **ret, size_t cpus, size_t ring_size,
			 const char *const *selection, uint32_t options, struct frec_error *reterr);

#endif
