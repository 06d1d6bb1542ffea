/* SPDX-License-Identifier: MIT */
/* What is inside of struct frec_shm_rings: shared by shm_rings.c and shm_copy.c, and by tests. */
#ifndef FREC_RECORDER_RINGS_SHM_COPY_H
#define FREC_RECORDER_RINGS_SHM_COPY_H

#include "recorder/service/shm.h"
#include "recorder/rings/shm_rings.h"

enum { FREC_SHM_UNSEEN, FREC_SHM_KNOWN, FREC_SHM_REFUSED };

struct frec_shm_rings {
	int fd;
	void *map; /* the header for writing, all that follows for reading */
	struct frec_shm_layout layout;
	size_t count, ring_size;
	uint32_t key;
	bool owned;
	size_t events, declarations_size;
	struct frec_shm_event event[FREC_SHM_EVENTS];
	uint8_t known[FREC_SHM_EVENTS]; /* per slot */
};

static inline const struct frec_shm_control *frec__shm_control(const struct frec_shm_rings *rings,
							       size_t ring)
{
	return (const void *)((const char *)rings->map + rings->layout.controls +
			      ring * rings->layout.control_size);
}

/* As frec__shm_create(), on a machine with so many CPUs. */
int frec__shm_create_for(struct frec_shm_rings **ret, size_t cpus, size_t ring_size,
			 const char *const *selection, uint32_t options, struct frec_error *reterr);

#endif
