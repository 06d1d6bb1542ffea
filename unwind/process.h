/* SPDX-License-Identifier: MIT */
/* A process: where its modules are mapped, and the rows of addresses that were met before. */
#ifndef FREC_UNWIND_PROCESS_H
#define FREC_UNWIND_PROCESS_H

#include "unwind/module.h"

struct frec_unwind_mapping {
	uint64_t start, end;
	uint64_t bias;		    /* what turns an address in the module's file into one here */
	struct frec_unwind_map map; /* its strings are owned */
	struct frec_module *module; /* NULL: not opened yet, or of no file */
	uint32_t index;		    /* in the caller's array */
	bool opened;
	bool has_bias; /* and so the module has a file */
};

struct frec_cached_row {
	uint64_t pc; /* 0: empty */
	struct frec_row row;
	uint32_t map; /* as in struct frec_frame */
};

/* A power of two. */
#define FREC_ROW_CACHE 4096

struct frec_unwind_process {
	struct frec_unwinder *unwinder;
	struct frec_unwind_mapping *mappings; /* sorted, disjoint */
	size_t mapping_count;
	/* FREC_ROW_CACHE of them, by the lower bits of the address */
	struct frec_cached_row *cache;
	struct frec_error error; /* of the CFI that was looked at last */
};

/* The mapping of `address`, with its module opened, or NULL. */
struct frec_unwind_mapping *frec__process_mapping(struct frec_unwind_process *process,
						  uint64_t address);

/* The row of the code at `pc`, from the cache or made now. The kind of what is damaged is
 * FREC_ROW_RULES. */
const struct frec_cached_row *frec__process_make_row(struct frec_unwind_process *process,
						     uint64_t pc, struct frec_cached_row *slot);

static inline const struct frec_cached_row *frec__process_row(struct frec_unwind_process *process,
							      uint64_t pc)
{
	// Calls lie further apart than addresses can tell: the upper bits are folded in.
	struct frec_cached_row *slot = &process->cache[(pc ^ pc >> 13) & (FREC_ROW_CACHE - 1)];

	return __builtin_expect(slot->pc == pc, 1) ? slot
						   : frec__process_make_row(process, pc, slot);
}

#endif
