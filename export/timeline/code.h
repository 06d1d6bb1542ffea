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
	size_t build_id_size; /* 0: unknown */
	/* Of the first mapping of this code that was met, and of those with more of the same file
	 * beside it in the same process: the address in memory minus `start` is the offset in the
	 * file minus `offset`. */
	uint64_t start, end, offset;
	bool kernel;
	bool file; /* `path` is that of a file or "[vdso]", so offsets in it mean something */
};

/* A place in code that a stack goes through. */
struct frec_location {
	uint32_t id;
	const struct frec_code *code; /* NULL if nothing was mapped there */
	uint64_t pc;		      /* in the first process in which the place was met */
	/* in the code's file: as names.address; if `code` is NULL, the same as pc */
	uint64_t address;
	uint64_t offset; /* in the code's file, counted in bytes from its beginning */
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
