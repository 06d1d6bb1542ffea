/* SPDX-License-Identifier: MIT */
/* Finds the place in code of each frame (which program, which address in it, which name), and keeps
 * only one copy of each place. stacks.h is built on this. */
#ifndef FREC_EXPORT_TIMELINE_LOCATIONS_H
#define FREC_EXPORT_TIMELINE_LOCATIONS_H

#include "export/read/snapshot.h"
#include "export/timeline/code.h"
#include "proto/table.h"

/* A process with its mappings, and the addresses in it that have been looked up. */
struct frec_located_process {
	struct frec_unwind_process *unwind; /* NULL until frec__located_process_init() */
	const Flightrec__Map **maps;	    /* in the order of the unwinder's map indices */
	size_t map_count;
	struct frec_met_address {
		uint64_t pc;
		/* what else distinguishes locations: see how_of() in locations.c; 0: this slot is
		 * free */
		uint32_t how;
		struct frec_location *location;
	} * met;
	size_t met_size, met_count;
};

struct frec_locations {
	const struct frec_snapshot *snapshot;
	struct frec_stack_numbers *numbers; /* may be shared with other frec_locations */
	struct frec_code **codes;
	size_t code_count;
	struct frec_table code_indices; /* index in `codes` plus 1, by hash of path and build-id */
	struct frec_location **locations;
	size_t count;
	/* index in `locations` plus 1, by hash of the place */
	struct frec_table indices;
	const Flightrec__KernelSymbol **symbols; /* of the kernel, sorted by address */
	size_t symbol_count;
	bool symbols_sorted;
};

void frec__locations_init(struct frec_locations *locations, const struct frec_snapshot *snapshot);
void frec__locations_deinit(struct frec_locations *locations);

/* Initialises `process` with those mappings of `of` that were made before the time `before`.
 * Returns 0, or a negative errno, after which nothing needs to be freed. */
int frec__located_process_init(struct frec_located_process *process, struct frec_unwinder *unwinder,
			       const Flightrec__Process *of, uint64_t before);
void frec__located_process_deinit(struct frec_located_process *process);

/* Subtracts `places` from what is left of FREC_LIMIT_PLACES. If less is left, subtracts nothing and
 * returns false. */
bool frec__locations_take(struct frec_locations *locations, size_t places);

/* Return the location of a frame of a process or of the kernel. Return NULL if memory runs out or
 * FREC_LIMIT_PLACES is reached. */
const struct frec_location *frec__locations_find(struct frec_locations *locations,
						 struct frec_located_process *process,
						 const struct frec_frame *frame);
const struct frec_location *frec__locations_kernel(struct frec_locations *locations,
						   const struct frec_frame *frame);

/* Returns whether a mapping is of a file or of the vDSO, which is treated like a file, and not of
 * the heap or of code that was made at run time. */
bool frec__mapping_is_file(const Flightrec__Map *map);

#endif
