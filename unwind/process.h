/* SPDX-License-Identifier: MIT */
/* A process: its mappings, and a cache of the rows of addresses. */
#ifndef FREC_UNWIND_PROCESS_H
#define FREC_UNWIND_PROCESS_H

#include "unwind/module.h"

struct frec_unwind_mapping {
	uint64_t start, end;
	uint64_t bias;		    /* address in the process minus address in the module's file */
	struct frec_unwind_map map; /* with copies of its path and build-id */
	struct frec_module *module; /* NULL: not opened yet, or no file is mapped */
	uint32_t index;		    /* in the caller's array */
	bool opened;
	bool has_bias; /* `bias` is set: the module's file or its debug file was found */
};

struct frec_cached_row {
	uint64_t pc; /* 0: empty */
	struct frec_row row;
	uint32_t map; /* as in struct frec_frame */
};

/* How many rows a process caches: a power of two. */
#define FREC_ROW_CACHE 4096

struct frec_unwind_process {
	struct frec_unwinder *unwinder;
	struct frec_unwind_mapping *mappings; /* sorted, disjoint */
	size_t mapping_count;
	struct frec_cached_row *cache; /* FREC_ROW_CACHE slots, found by a hash of the pc */
};

/* Returns the mapping of `address`, or NULL. Opens its module if that has not been tried yet. */
struct frec_unwind_mapping *frec__process_mapping(struct frec_unwind_process *process,
						  uint64_t address);

/* Finds the row of the code at `pc` and stores it in `slot`, which is returned. If the CFI is
 * damaged, the kind is FREC_ROW_RULES, so that the error is reported when the rules are read. */
const struct frec_cached_row *frec__process_make_row(struct frec_unwind_process *process,
						     uint64_t pc, struct frec_cached_row *slot);

/* Returns the row of the code at `pc`, from the cache if possible. */
static inline const struct frec_cached_row *frec__process_row(struct frec_unwind_process *process,
							      uint64_t pc)
{
	// With the lower bits alone, too many return addresses would share a slot.
	struct frec_cached_row *slot = &process->cache[(pc ^ pc >> 13) & (FREC_ROW_CACHE - 1)];

	return __builtin_expect(slot->pc == pc, 1) ? slot
						   : frec__process_make_row(process, pc, slot);
}

#endif
