/* SPDX-License-Identifier: MIT */
/* Programs and places in them, as stacks refer to them. */
#ifndef FREC_EXPORT_TIMELINE_CODE_H
#define FREC_EXPORT_TIMELINE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/unwind.h"

/* A program, a library, the kernel, or a kernel module. */
struct frec_code {
	uint32_t id;
	const char *path; /* "[kernel]"; "[nfs]" for a module; "" for code without a file */
	const uint8_t *build_id;
	size_t build_id_size;	     /* 0: unknown */
	uint64_t start, end, offset; /* of the first mapping of this code that was met */
	bool kernel;
};

/* A place in code that a stack goes through. */
struct frec_location {
	uint32_t id;
	const struct frec_code *code; /* NULL if nothing was mapped there */
	uint64_t pc;		      /* in the first process in which the place was met */
	uint64_t address;	      /* in the code's file; if `code` is NULL, the same as pc */
	/* names.count is 0 if no name is known; then names.missing may say why. */
	struct frec_names names;
	enum frec_frame_kind kind;
	bool exact, signal; /* as in struct frec_frame */
};

/* How many stacks, locations and codes there are, which is also the next id of each. Several
 * frec_stacks can share one of these, so that no two use the same id. Start with zeroes. */
struct frec_stack_numbers {
	uint32_t stacks, locations, codes;
};

#endif
