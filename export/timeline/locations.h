/* SPDX-License-Identifier: MIT */
/* Places in code, each once: which program, which address in it, what it is called. The lower half
 * of stacks.h. */
#ifndef FREC_EXPORT_TIMELINE_LOCATIONS_H
#define FREC_EXPORT_TIMELINE_LOCATIONS_H

#include "export/read/snapshot.h"
#include "export/timeline/code.h"
#include "proto/table.h"

/* A process with its mappings, and the addresses in it that were met. */
struct frec_located_process {
	struct frec_unwind_process *unwind; /* NULL: there is none */
	const Flightrec__Map **maps;	    /* in the order in which the unwinder numbers them */
	size_t map_count;
	struct frec_met_address {
		uint64_t pc;
		uint32_t how; /* what else tells locations apart; 0: the slot is free */
		struct frec_location *location;
	} * met;
	size_t met_size, met_count;
};

struct frec_locations {
	const struct frec_snapshot *snapshot;
	struct frec_stack_numbers *numbers; /* of whoever the numbers are shared with */
	struct frec_code **codes;
	size_t code_count;
	struct frec_location **locations;
	size_t count;
	struct frec_table indices;		 /* of those plus 1, by hash of the place */
	const Flightrec__KernelSymbol **symbols; /* of the kernel, by address */
	size_t symbol_count;
	bool symbols_sorted;
};

void frec__locations_init(struct frec_locations *locations, const struct frec_snapshot *snapshot);
void frec__locations_deinit(struct frec_locations *locations);

/* Takes in the mappings that are older than `before`. On failure nothing is left. */
int frec__located_process_init(struct frec_located_process *process, struct frec_unwinder *unwinder,
			       const Flightrec__Process *of, uint64_t before);
void frec__located_process_deinit(struct frec_located_process *process);

/* Where a frame is; NULL without memory. */
const struct frec_location *frec__locations_find(struct frec_locations *locations,
						 struct frec_located_process *process,
						 const struct frec_frame *frame);
const struct frec_location *frec__locations_kernel(struct frec_locations *locations,
						   const struct frec_frame *frame);

/* Whether it is of a file, or the vDSO, which is like one: not the heap, not code made at run
 * time. */
bool frec__mapping_is_file(const Flightrec__Map *map);

#endif
