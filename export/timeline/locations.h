/* SPDX-License-Identifier: MIT */
/* Interns places in code: which program, which address in it, which name. The lower half of
 * stacks.h. */
#ifndef FREC_EXPORT_TIMELINE_LOCATIONS_H
#define FREC_EXPORT_TIMELINE_LOCATIONS_H

#include "export/read/snapshot.h"
#include "export/timeline/code.h"
#include "proto/table.h"

/* A process with its mappings, and the addresses in it that were met. */
struct frec_located_process {
	struct frec_unwind_process *unwind; /* or NULL */
	const Flightrec__Map **maps;	    /* in the order in which the unwinder numbers them */
	size_t map_count;
	struct frec_met_address {
		uint64_t pc;
		uint32_t how; /* what else tells locations apart; 0: this slot is free */
		struct frec_location *location;
	} * met;
	size_t met_size, met_count;
};

struct frec_locations {
	const struct frec_snapshot *snapshot;
	struct frec_stack_numbers *numbers; /* may be shared with other frec_locations */
	struct frec_code **codes;
	size_t code_count;
	struct frec_location **locations;
	size_t count;
	struct frec_table indices;		 /* in `locations`, plus 1, by hash of the place */
	const Flightrec__KernelSymbol **symbols; /* of the kernel, by address */
	size_t symbol_count;
	bool symbols_sorted;
};

void frec__locations_init(struct frec_locations *locations, const struct frec_snapshot *snapshot);
void frec__locations_deinit(struct frec_locations *locations);

/* Adds the mappings that are older than `before`. On failure nothing needs to be freed. Returns 0
 * or a negative errno. */
int frec__located_process_init(struct frec_located_process *process, struct frec_unwinder *unwinder,
			       const Flightrec__Process *of, uint64_t before);
void frec__located_process_deinit(struct frec_located_process *process);

/* The location of a frame of a process or of the kernel, or NULL without memory. */
const struct frec_location *frec__locations_find(struct frec_locations *locations,
						 struct frec_located_process *process,
						 const struct frec_frame *frame);
const struct frec_location *frec__locations_kernel(struct frec_locations *locations,
						   const struct frec_frame *frame);

/* Whether it maps a file or the vDSO, which is like one, rather than the heap or code that was made
 * at run time. */
bool frec__mapping_is_file(const Flightrec__Map *map);

#endif
